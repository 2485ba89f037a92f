/**
 * A 3D model (VRM, or GLB with mouth shapes) in the place of a drawn avatar: the same lines, mouth
 * shapes, moods, gestures and looks; drawn with WebGL by three and three-vrm.
 */

import * as THREE from "../../vendor/three/three.module.min.js";
import { GLTFLoader } from "../../vendor/three/GLTFLoader.js";
import { VRMLoaderPlugin, VRMUtils } from "../../vendor/three-vrm/three-vrm.module.min.js";
import { Life } from "../life.js";
import { VISEMES, follow } from "../rig.js";
import { VisemeTimeline } from "../timeline.js";
import { kindOf, weights } from "./expressions.js";
import { GESTURES, REST } from "./gestures.js";

const SHAPES = Object.fromEntries(VISEMES.map((name) => [name, { [name]: 1 }]));
const LOOKS = { camera: [0, 0], chat: [-0.5, -0.2], product: [0.6, -0.1] };
const GESTURE_S = 2.6;
const MOOD_S = 0.2;
const MOVE_S = 0.12;
const LONGEST_STEP_S = 0.1;
/** The upper body fills the picture: this many metres of it. */
const BUST_M = 0.95;
/** Without a GPU a picture is drawn half as large and enlarged: 0.5 of a core instead of 0.76. */
const SOFTWARE = /swiftshader|llvmpipe|software/i;
const SOFTWARE_SHARE = 0.5;
const MOODS = ["neutral", "happy", "joyful", "excited", "attentive", "surprised", "sorry", "serious", "grateful"];

/** Whether this browser can draw in three dimensions at all. */
export function hasWebGL() {
  const context = document.createElement("canvas").getContext("webgl2");
  context?.getExtension("WEBGL_lose_context")?.loseContext();
  return Boolean(context);
}

export class VrmAvatar {
  /** Load `/avatars/{look}/model` and show it on `canvas`. */
  static async load(rig, look, canvas) {
    const renderer = new THREE.WebGLRenderer({ canvas, alpha: true, antialias: true, powerPreference: "low-power" });
    try {
      const loader = new GLTFLoader();
      loader.register((parser) => new VRMLoaderPlugin(parser));
      const gltf = await loader.loadAsync(`/avatars/${encodeURIComponent(look)}/model`);
      return new VrmAvatar(rig, gltf, renderer);
    } catch (error) {
      renderer.dispose();
      throw error;
    }
  }

  constructor(rig, gltf, renderer) {
    this.rig = rig;
    this.renderer = renderer;
    const gl = renderer.getContext();
    const about = gl.getExtension("WEBGL_debug_renderer_info");
    const name = gl.getParameter(about ? about.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
    this.share = SOFTWARE.test(name) ? SOFTWARE_SHARE : 1;
    this.vrm = gltf.userData.vrm ?? null;
    const body = this.vrm?.scene ?? gltf.scene;
    if (this.vrm) {
      VRMUtils.rotateVRM0(this.vrm);
      VRMUtils.removeUnnecessaryVertices(body);
    }
    body.traverse((part) => (part.frustumCulled = false));
    this.scene = new THREE.Scene();
    this.scene.add(body, new THREE.HemisphereLight("#fff6e8", "#b8a998", 1.5));
    const key = new THREE.DirectionalLight("#fff4e2", 1.9);
    key.position.set(-1.2, 2.4, 2.2);
    const rim = new THREE.DirectionalLight("#dfeaff", 1.1);
    rim.position.set(1.6, 1.8, -1.5);
    this.scene.add(key, rim);
    this.camera = new THREE.PerspectiveCamera(24, 1, 0.1, 20);
    this.meshes = [];
    body.traverse((part) => part.morphTargetDictionary && this.meshes.push(part));
    const morphs = this.meshes.flatMap((mesh) => Object.keys(mesh.morphTargetDictionary));
    const own = this.vrm?.expressionManager?.expressions.map((e) => e.expressionName) ?? [];
    // A model's own visemes before ARKit's shapes before VRM's five mouths.
    this.kind = kindOf([...own, ...morphs]);
    this.byExpression = this.kind === "vrm" || kindOf(own) === this.kind;
    this.head = this.#bone("head") ?? body;
    this.timeline = new VisemeTimeline(SHAPES, VISEMES);
    this.life = new Life();
    this.params = { open: 0, press: 0 };
    this.moods = Object.fromEntries(MOODS.map((name) => [name, name === "neutral" ? 1 : 0]));
    this.mood = "neutral";
    this.look = "camera";
    this.gaze = [0, 0];
    this.arms = structuredClone(REST);
    this.speaking = 0;
    this.time = null;
    this.gesture = null;
    if (this.vrm?.lookAt) {
      this.target = new THREE.Object3D();
      this.scene.add(this.target);
      this.vrm.lookAt.target = this.target;
    }
    body.updateMatrixWorld(true);
    this.headAt = this.head.getWorldPosition(new THREE.Vector3());
  }

  #bone(name) {
    return this.vrm?.humanoid?.getNormalizedBoneNode(name) ?? null;
  }

  /** `width`, `height` in pixels of the canvas. */
  resize(width, height) {
    this.renderer.setSize(Math.round(width * this.share), Math.round(height * this.share), false);
    this.camera.aspect = width / height;
    const far = BUST_M / 2 / Math.tan((this.camera.fov * Math.PI) / 360);
    this.camera.position.set(this.headAt.x, this.headAt.y - BUST_M * 0.19, this.headAt.z + far);
    this.camera.lookAt(this.headAt.x, this.headAt.y - BUST_M * 0.19, this.headAt.z);
    this.camera.updateProjectionMatrix();
  }

  express({ mood, gesture, look }, time) {
    if (MOODS.includes(mood)) this.mood = mood;
    if (gesture === "nod" || GESTURES[gesture]) this.gesture = { name: gesture, began: time };
    this.look = LOOKS[look] ? look : "camera";
    this.lookUntil = time + GESTURE_S;
  }

  hush(time) {
    this.timeline.cut();
    this.mood = "neutral";
    if (this.gesture) this.gesture.began = Math.min(this.gesture.began, time - GESTURE_S);
  }

  update(time) {
    const step = this.time === null ? LONGEST_STEP_S : Math.min(Math.max(time - this.time, 0), LONGEST_STEP_S);
    this.time = time;
    const mouth = this.timeline.at(time);
    this.speaking = follow(this.speaking, this.timeline.speaking(time) ? 1 : 0, step, 0.15);
    const life = this.life.at(time, this.speaking);
    for (const name of MOODS) this.moods[name] = follow(this.moods[name], name === this.mood ? 1 : 0, step, MOOD_S);
    const found = weights(this.kind, mouth, this.moods, life.blink);
    this.#shape(found);
    this.params.open = mouth.aa + 0.6 * (mouth.E + mouth.O) + 0.3 * (mouth.I + mouth.U);
    this.params.press = mouth.PP;
    const goal = LOOKS[time < (this.lookUntil ?? 0) ? this.look : "camera"];
    for (const at of [0, 1]) this.gaze[at] = follow(this.gaze[at], goal[at], step, MOVE_S);
    this.target?.position.set(this.headAt.x + this.gaze[0] * 2 + life.gazeX, this.headAt.y + this.gaze[1] * 2 + life.gazeY, this.headAt.z + 2.4);
    this.#move(time, step, life);
    this.vrm?.update(step);
    return this.params;
  }

  #shape(found) {
    if (this.byExpression && this.vrm?.expressionManager) {
      const manager = this.vrm.expressionManager;
      for (const { expressionName } of manager.expressions) manager.setValue(expressionName, found[expressionName] ?? 0);
      return;
    }
    for (const mesh of this.meshes) {
      for (const [name, at] of Object.entries(mesh.morphTargetDictionary)) mesh.morphTargetInfluences[at] = found[name] ?? 0;
    }
  }

  #move(time, step, life) {
    const at = this.gesture ? time - this.gesture.began : Infinity;
    const pose = at < GESTURE_S ? GESTURES[this.gesture.name] : null;
    for (const side of ["r", "l"]) {
      const goal = pose?.[side] ?? REST[side];
      for (const bone of [0, 1]) {
        for (const axis of [0, 1, 2]) {
          let value = goal[bone][axis];
          const swing = pose?.swing;
          if (swing && pose[side] && swing.bone === bone && swing.axis === axis) value += (side === "l" ? -1 : 1) * swing.by * Math.sin(2 * Math.PI * swing.hz * at);
          this.arms[side][bone][axis] = follow(this.arms[side][bone][axis], value, step, MOVE_S);
        }
      }
      const name = side === "r" ? "right" : "left";
      this.#bone(`${name}UpperArm`)?.rotation.set(...this.arms[side][0]);
      this.#bone(`${name}LowerArm`)?.rotation.set(...this.arms[side][1]);
    }
    const nod = this.gesture?.name === "nod" && at < 1.2 ? 0.22 * Math.sin((at / 1.2) * Math.PI * 4) : 0;
    this.#bone("head")?.rotation.set(life.pitch + nod - this.gaze[1] * 0.2, this.gaze[0] * 0.45 + life.yaw, life.roll);
    if (at >= GESTURE_S) this.gesture = null;
    this.#bone("spine")?.rotation.set(0.02 * life.breath, 0, life.roll * 0.4);
    this.#bone("chest")?.rotation.set(-0.02 * life.breath, 0, 0);
  }

  draw() {
    this.renderer.render(this.scene, this.camera);
  }

  dispose() {
    VRMUtils.deepDispose(this.scene);
    this.renderer.dispose();
  }
}
