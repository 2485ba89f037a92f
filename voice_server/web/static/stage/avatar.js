/**
 * An avatar in time: mouth from the timeline, mood, gesture, gaze and idle life, blended into the
 * parameters that the painter draws. One `update` per frame, given the audio clock's time.
 */

import { Life } from "./life.js";
import { MOUTH, REST, checkRig, ease, follow, mix, moodOf } from "./rig.js";
import { VisemeTimeline } from "./timeline.js";

/** Where each gaze goes, in the face's own measure; the card is on the viewer's right. */
const GAZE = {
  camera: { x: 0, y: 0, yaw: 0, pitch: 0 },
  chat: { x: -0.65, y: 0.25, yaw: -0.35, pitch: 0.12 },
  product: { x: 0.75, y: 0.15, yaw: 0.42, pitch: 0.05 },
};
const GLANCE_S = 1.6;
/** Half-lives in seconds: eyes are quicker than heads, heads quicker than moods. */
const EYES = 0.035;
const HEAD = 0.16;
const MOOD = 0.22;
const LONGEST_STEP_S = 0.1;

export class Avatar {
  /** `random`: for the idle life; `mirrored`: the card is on the viewer's left. */
  constructor(rig, { random = Math.random, mirrored = false } = {}) {
    this.rig = checkRig(rig);
    this.timeline = new VisemeTimeline(this.rig.visemes);
    this.life = new Life(random);
    this.mirrored = mirrored;
    this.params = { ...REST, ...this.rig.moods.neutral };
    this.mood = "neutral";
    this.look = "camera";
    this.lookUntil = 0;
    this.gesture = null;
    this.time = null;
    this.speaking = 0;
    this.arms = { l: { ...this.rig.arms.rest.l }, r: { ...this.rig.arms.rest.r } };
    this.holding = 0;
  }

  /** Begin a line: how it is said. */
  express({ mood, gesture, look }, time) {
    if (mood && this.rig.moods[mood]) this.mood = mood;
    if (gesture && this.rig.gestures[gesture]) {
      this.gesture = { ...this.rig.gestures[gesture], name: gesture, began: time };
    }
    this.look = GAZE[look] ? look : "camera";
    // A glance, then back to the viewer: eye contact is half of the time, not all of it.
    this.lookUntil = time + (this.look === "camera" ? 0 : GLANCE_S + (this.gesture?.seconds ?? 0) / 2);
  }

  /** Silence: the mouth shuts, the arms go down. */
  hush(time) {
    this.timeline.cut();
    this.mood = "neutral"; // until the next line: who was interrupted does not grin on
    if (this.gesture) this.gesture.began = Math.min(this.gesture.began, time - this.gesture.seconds * 0.8);
  }

  /** The parameters at `time` (seconds on the audio clock, going forward). */
  update(time) {
    const step = this.time === null ? LONGEST_STEP_S : Math.min(Math.max(time - this.time, 0), LONGEST_STEP_S);
    this.time = time;
    const p = this.params;
    const mouth = this.timeline.at(time);
    this.speaking = follow(this.speaking, this.timeline.speaking(time) ? 1 : 0, step, 0.15);
    const life = this.life.at(time, this.speaking);
    const mood = moodOf(this.rig, this.mood);
    for (const name of ["smile", "browRaise", "browTilt", "browSkew", "squint", "cheek", "lids", "grin", "parted"]) {
      this.#mood ??= {};
      this.#mood[name] = follow(this.#mood[name] ?? mood[name], mood[name], step, MOOD);
      p[name] = this.#mood[name];
    }
    for (const name of MOUTH) p[name] = mouth[name];
    // Teeth show in a smile between sentences, never over a shape that is spoken.
    p.grin *= Math.max(0, 1 - 1.6 * this.speaking);
    p.open = Math.max(p.open, p.parted * (1 - this.speaking) * (1 - p.press));
    p.smile *= 1 - 0.45 * Math.min(1, p.round + p.press * 0.3);
    // Stressed vowels lift the brows a little: faces stress too.
    p.browRaise += this.speaking * 0.12 * p.open;
    p.lids *= 1 - life.blink;
    const side = this.mirrored ? -1 : 1;
    const gaze = GAZE[time < this.lookUntil ? this.look : "camera"];
    const gesture = this.#gestureAt(time, step);
    p.gazeX = follow(p.gazeX, gaze.x * side + life.gazeX, step, EYES);
    p.gazeY = follow(p.gazeY, gaze.y + life.gazeY, step, EYES);
    this.#head ??= { yaw: 0, pitch: 0, roll: 0 };
    this.#head.yaw = follow(this.#head.yaw, gaze.yaw * side + (gesture.yaw ?? 0) * side, step, HEAD);
    this.#head.pitch = follow(this.#head.pitch, gaze.pitch + (gesture.pitch ?? 0), step, HEAD / 2);
    this.#head.roll = follow(this.#head.roll, mood.roll + (gesture.roll ?? 0) * side, step, HEAD);
    p.yaw = this.#head.yaw + life.yaw;
    p.pitch = this.#head.pitch + life.pitch;
    p.roll = this.#head.roll + life.roll;
    p.lean = life.lean;
    p.breath = life.breath;
    p.bob = life.bob;
    p.lift = follow(p.lift, gesture.lift ?? 0, step, HEAD);
    return p;
  }

  #mood;
  #head;

  /** Arms (and head) of the gesture that is under way; arms go home when it is over. */
  #gestureAt(time, step) {
    const rest = this.rig.arms.rest;
    const goal = { l: rest.l, r: rest.r };
    let head = {};
    let holding = 0;
    const g = this.gesture;
    if (g) {
      const at = time - g.began;
      if (at > g.seconds) this.gesture = null;
      else {
        const arms = this.mirrored ? { l: g.r && flip(g.r), r: g.l && flip(g.l) } : g;
        for (const arm of ["l", "r"]) if (arms[arm]) goal[arm] = between(arms[arm], at);
        if (g.head) head = between(g.head, at);
        holding = g.holds && at < g.seconds - 0.5 ? 1 : 0;
      }
    }
    for (const arm of ["l", "r"]) {
      for (const key of ["x", "y", "turn"]) {
        this.arms[arm][key] = follow(this.arms[arm][key], goal[arm][key], step, 0.07);
      }
      this.arms[arm].hand = goal[arm].hand ?? "relaxed";
      this.arms[arm].front = goal[arm].front ?? false;
    }
    this.holding = follow(this.holding, holding, step, 0.1);
    return head;
  }
}

/** Key frames are `{at, ...numbers, hand}`: numbers ease from one to the next. */
export function between(frames, at) {
  let before = frames[0];
  let after = frames[frames.length - 1];
  for (const frame of frames) {
    if (frame.at <= at) before = frame;
    else {
      after = frame;
      break;
    }
  }
  const span = after.at - before.at;
  const share = span > 0 ? ease((at - before.at) / span) : 0;
  const found = { ...before };
  for (const [key, value] of Object.entries(after)) {
    if (typeof value === "number" && typeof before[key] === "number") found[key] = mix(before[key], value, share);
  }
  if (share > 0.5 && after.hand) found.hand = after.hand;
  return found;
}

const flip = (frames) => frames.map((f) => ({ ...f, x: 1000 - f.x, turn: -(f.turn ?? 0) }));
