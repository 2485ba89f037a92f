/**
 * Draws an avatar on a 2D canvas from its rig and parameters. The rig's own space is 1000 wide and
 * 1400 high: waist-up, the middle of the face at (500, 360). Canvas paths and gradients only.
 *
 * What does not move in itself (hair, clothes, the head for each height of its jaw, arms at rest) is
 * painted once and copied; only eyes, brows, mouth and arms that move are drawn anew.
 */

import { drawForearm, drawUpperArm, poseArm } from "./draw/arms.js";
import { drawBody } from "./draw/body.js";
import { Sprites } from "./draw/brush.js";
import { drawBrow, drawEye, drawGlasses } from "./draw/eyes.js";
import { drawLayer, path } from "./draw/hair.js";
import { drawHead, drawNose, JAWS } from "./draw/head.js";
import { drawMouth } from "./draw/mouth.js";

export const RIG_WIDTH = 1000;
export const RIG_HEIGHT = 1400;
const NECK = { x: 500, y: 640 };
/** Heads are drawn a little larger than life: the face is what viewers look at. */
const HEAD_SCALE = 1.08;
const HAIR = [210, 70, 580, 830];
const HEAD = [340, 140, 320, 440];
const BODY = [160, 460, 680, 940];
const AT_REST = 3;
/** What moves with a head's pose, and what of it moves without: eyes, brows, mouth, jaw. */
export const HEAD_REGION = [180, 40, 640, 900];
export const FACE_REGION = [340, 190, 320, 470];

const kept = new WeakMap();

/** The sprites of a rig for a context's scale; two canvases of one rig keep two sets. */
function spritesOf(ctx, rig) {
  if (!kept.has(ctx)) kept.set(ctx, new WeakMap());
  const mine = kept.get(ctx);
  if (!mine.has(rig)) mine.set(rig, new Sprites());
  const found = mine.get(rig);
  const { a, b } = ctx.getTransform();
  found.at(Math.hypot(a, b));
  return found;
}

/** Draw into the current transform; `picture` is what the hands hold, if they do. */
export function drawAvatar(ctx, rig, avatar, picture = null) {
  const p = avatar.params;
  const sprites = spritesOf(ctx, rig);
  const head = { x: p.yaw * 26, y: p.pitch * 26, roll: p.roll };
  const hair = (place, depth) =>
    inHead(ctx, head, depth, () => {
      const layers = rig.layers.filter((layer) => layer.place === place);
      if (!layers.length) return;
      const sway = layers[0].sway ?? 0;
      if (sway) ctx.transform(1, 0, -p.roll * sway, 1, p.roll * sway * 300, 0);
      sprites.draw(ctx, place, HAIR, (c) => layers.forEach((layer) => drawLayer(c, rig, layer)));
    });
  ctx.save();
  ctx.lineCap = ctx.lineJoin = "round";
  ctx.imageSmoothingQuality = "low";
  ctx.translate(p.lean, p.bob);
  hair("back", -0.55);

  // Breathing lifts and widens the chest by less than a percent.
  ctx.save();
  ctx.translate(500, 1200 - p.lift * 12);
  ctx.scale(1 + p.breath * 0.003, 1 + p.breath * 0.0075 + p.lift * 0.012);
  ctx.translate(-500, -1200);
  sprites.draw(ctx, "body", BODY, (c) => drawBody(c, rig));
  const arms = drawRest(ctx, rig, sprites, avatar);
  ctx.restore();

  inHead(ctx, head, 0, () => {
    const jaw = Math.round(Math.min(1, p.open * (1 - p.press)) * (JAWS - 1));
    const hairline = rig.layers.find((layer) => layer.place === "front" && layer.d);
    sprites.draw(ctx, `head${jaw}`, HEAD, (c) => drawHead(c, rig, jaw / (JAWS - 1), hairline && path(hairline.d)));
    const turn = { x: p.yaw * 27, y: p.pitch * 20 };
    ctx.translate(turn.x, turn.y);
    for (const s of [-1, 1]) drawEye(ctx, rig, sprites, p, s);
    for (const s of [-1, 1]) drawBrow(ctx, rig, p, s);
    ctx.save();
    ctx.translate(turn.x * 0.1, turn.y * 0.1);
    drawMouth(ctx, rig, p);
    ctx.restore();
    ctx.translate(turn.x * 0.36, turn.y * 0.3);
    sprites.draw(ctx, "nose", [450, 320, 100, 140], (c) => drawNose(c, rig));
    if (rig.face?.glasses) {
      ctx.translate(turn.x * -0.2, turn.y * -0.2);
      sprites.draw(ctx, "glasses", [350, 310, 300, 120], (c) => drawGlasses(c, rig));
    }
  });
  hair("front", 0.2);
  for (const arm of arms) drawUpperArm(ctx, rig, arm);
  hair("shoulder", -0.3);
  if (avatar.holding > 0.02 && picture) drawHeld(ctx, sprites, picture, avatar);
  for (const arm of arms) drawForearm(ctx, rig, arm);
  ctx.restore();
}

/** Draw arms that hang at rest with the body; returns those that move, to be drawn in front. */
function drawRest(ctx, rig, sprites, { arms, params }) {
  const moving = [];
  for (const side of ["l", "r"]) {
    const rest = rig.arms.rest[side];
    const still = Math.hypot(arms[side].x - rest.x, arms[side].y - rest.y) < AT_REST;
    if (!still) moving.push(poseArm(rig, side, arms[side], params.lift));
    else {
      sprites.draw(ctx, `arm-${side}`, [side === "l" ? 120 : 480, 700, 400, 700], (c) => {
        const posed = poseArm(rig, side, rest, 0);
        drawUpperArm(c, rig, posed);
        drawForearm(c, rig, posed);
      });
    }
  }
  return moving;
}

const BODY_PARAMS = { lean: 1, bob: 1, breath: 9, lift: 14 };
const HEAD_PARAMS = { yaw: 60, pitch: 40, roll: 460 };

/**
 * Let a pose snap to steps of half a pixel, and say what must be drawn anew: "all", the "head" or the
 * "face". Idle life is slow: most frames only a mouth and two eyes differ from the one before.
 */
export function settle(avatar, before, density) {
  const p = avatar.params;
  const snap = (params) => {
    const key = [];
    for (const [name, reach] of Object.entries(params)) {
      const step = 0.5 / (density * reach);
      const at = Math.round(p[name] / step);
      p[name] = at * step;
      key.push(at);
    }
    return key.join();
  };
  const rest = avatar.rig.arms.rest;
  const moves = ["l", "r"].some((side) => Math.hypot(avatar.arms[side].x - rest[side].x, avatar.arms[side].y - rest[side].y) >= AT_REST);
  const now = { body: snap(BODY_PARAMS), head: snap(HEAD_PARAMS), moves: moves || avatar.holding > 0.02 };
  const level = !before || now.moves || before.moves || now.body !== before.body ? "all" : now.head !== before.head ? "head" : "face";
  return { ...now, level };
}

/** Draw in the head's frame; `depth` moves a layer against (-) or with (+) the turn of the head. */
function inHead(ctx, head, depth, draw) {
  ctx.save();
  ctx.translate(NECK.x, NECK.y);
  ctx.rotate(head.roll);
  ctx.translate(head.x * (1 + depth) * 0.6, head.y * (0.6 + depth * 0.4) + 6);
  ctx.scale(HEAD_SCALE, HEAD_SCALE);
  ctx.translate(-NECK.x, -NECK.y + 24);
  draw();
  ctx.restore();
}

/** The product's picture between the hands, on a white card; its soft shadow is a sprite. */
function drawHeld(ctx, sprites, picture, { arms, holding }) {
  const x = (arms.l.x + arms.r.x) / 2;
  const y = (arms.l.y + arms.r.y) / 2 - 40;
  ctx.save();
  ctx.globalAlpha = Math.min(1, holding * 1.4);
  ctx.translate(x, y);
  ctx.scale(holding, holding);
  sprites.draw(ctx, `held ${picture.src}`, [-230, -220, 460, 460], (c) => {
    c.save();
    c.shadowColor = "rgba(20, 18, 30, .4)";
    c.shadowBlur = 30;
    c.shadowOffsetY = 10;
    c.fillStyle = "#fff";
    const card = new Path2D();
    card.roundRect(-155, -155, 310, 310, 22);
    c.fill(card);
    c.restore();
    c.save();
    const inner = new Path2D();
    inner.roundRect(-145, -145, 290, 290, 15);
    c.clip(inner);
    c.drawImage(picture, -145, -145, 290, 290);
    c.restore();
  });
  ctx.restore();
}
