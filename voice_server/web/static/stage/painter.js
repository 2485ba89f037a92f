/**
 * Draws an avatar on a 2D canvas from its rig and parameters. The rig's own space is 1000 wide and
 * 1200 high: waist-up, the middle of the face at (500, 360). Canvas paths and gradients only.
 */

import { drawFace, drawHeadShape, faceOutline } from "./face.js";
import { drawHand } from "./hands.js";

export const RIG_WIDTH = 1000;
export const RIG_HEIGHT = 1200;
const NECK = { x: 500, y: 640 };
const UPPER_ARM = 244;
const FOREARM = 236;
/** Heads are drawn a little larger than life: the face is what viewers look at. */
const HEAD_SCALE = 1.1;

const paths = new Map();

/** Path data of a layer, parsed once. */
export function path(data) {
  let found = paths.get(data);
  if (!found) paths.set(data, (found = new Path2D(data)));
  return found;
}

/** Draw into the current transform; `picture` is what the hands hold, if they do. */
export function drawAvatar(ctx, rig, avatar, picture = null) {
  const p = avatar.params;
  const { arms, holding } = avatar;
  ctx.save();
  ctx.lineCap = "round";
  ctx.lineJoin = "round";
  ctx.translate(p.lean, p.bob - p.lift * 14);
  const head = headFrame(p);

  inHead(ctx, head, -0.55, () => layers(ctx, rig, "back", p));
  const breath = p.breath * 5;
  const posed = ["l", "r"].map((side) => poseArm(rig, side, arms[side], breath, p.lift));
  drawTorso(ctx, rig, breath, p);
  inHead(ctx, head, 0, () => drawHeadShape(ctx, rig, p));
  inHead(ctx, head, 0, () => {
    drawFace(ctx, rig, p);
  });
  inHead(ctx, head, 0.25, () => layers(ctx, rig, "front", p));
  for (const arm of posed) drawUpperArm(ctx, rig, arm);
  inHead(ctx, head, -0.3, () => layers(ctx, rig, "shoulder", p));
  if (holding > 0.02 && picture) drawHeld(ctx, picture, holding, arms);
  for (const arm of posed) drawForearm(ctx, rig, arm);
  ctx.restore();
}

function headFrame(p) {
  return { x: p.yaw * 26, y: p.pitch * 26, roll: p.roll };
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

/** Layers of a place ("back", "front", "shoulder", "torso"), in the order of the file. */
function layers(ctx, rig, place, p) {
  for (const layer of rig.layers) {
    if (layer.place !== place) continue;
    ctx.save();
    if (layer.sway) ctx.transform(1, 0, -p.roll * layer.sway, 1, p.roll * layer.sway * 300, 0);
    if (layer.alpha !== undefined) ctx.globalAlpha = layer.alpha;
    if (layer.clip === "face") ctx.clip(faceOutline(rig, p));
    const shape = path(layer.d);
    if (layer.fill) {
      ctx.fillStyle = paint(ctx, rig, layer.fill);
      ctx.fill(shape);
    }
    if (layer.stroke) {
      ctx.strokeStyle = paint(ctx, rig, layer.stroke);
      ctx.lineWidth = layer.width ?? 4;
      ctx.stroke(shape);
    }
    ctx.restore();
  }
}

/** A colour of the palette ("hair.base"), a colour itself, or a gradient `{from, to, stops}`. */
export function paint(ctx, rig, wish) {
  if (typeof wish === "string") {
    const [group, name] = wish.split(".");
    return rig.palette[group]?.[name] ?? wish;
  }
  const [x0, y0] = wish.from;
  const [x1, y1] = wish.to;
  const gradient = wish.radius
    ? ctx.createRadialGradient(x0, y0, 0, x1, y1, wish.radius)
    : ctx.createLinearGradient(x0, y0, x1, y1);
  for (const [at, colour] of wish.stops) gradient.addColorStop(at, paint(ctx, rig, colour));
  return gradient;
}

function drawTorso(ctx, rig, breath, p) {
  const { skin, outfit } = rig.palette;
  const w = rig.body?.shoulders ?? 218;
  const neck = rig.body?.neck ?? 54;
  const top = 700 - breath - p.lift * 10;
  // Neck and the skin of the neckline, under the clothes.
  const skinShade = ctx.createLinearGradient(0, 510, 0, 640);
  skinShade.addColorStop(0, skin.deep);
  skinShade.addColorStop(0.75, skin.base);
  ctx.fillStyle = skinShade;
  ctx.beginPath();
  ctx.moveTo(500 - neck, 470);
  ctx.bezierCurveTo(500 - neck + 4, 560, 500 - neck - 6, 610, 500 - neck - 42, 650);
  ctx.lineTo(380, 830);
  ctx.lineTo(620, 830);
  ctx.lineTo(500 + neck + 42, 650);
  ctx.bezierCurveTo(500 + neck + 6, 610, 500 + neck - 4, 560, 500 + neck, 470);
  ctx.closePath();
  ctx.fill();
  // The shadow that the head throws.
  ctx.save();
  ctx.clip();
  const shadow = ctx.createLinearGradient(0, 540, 0, 632);
  shadow.addColorStop(0, skin.deep);
  shadow.addColorStop(0.45, skin.deep);
  shadow.addColorStop(1, `${skin.deep}00`);
  ctx.globalAlpha = 0.55;
  ctx.fillStyle = shadow;
  ctx.beginPath();
  ctx.ellipse(500 + p.yaw * 12, 548 + p.open * 10, 112, 72, 0, 0, Math.PI * 2);
  ctx.fill();
  ctx.restore();
  // Collar bones.
  ctx.strokeStyle = skin.shade;
  ctx.lineWidth = 5;
  ctx.globalAlpha = 0.55;
  ctx.beginPath();
  ctx.moveTo(488, 690);
  ctx.quadraticCurveTo(455, 672, 412, 676);
  ctx.moveTo(512, 690);
  ctx.quadraticCurveTo(545, 672, 588, 676);
  ctx.stroke();
  ctx.globalAlpha = 1;

  const cloth = ctx.createLinearGradient(500 - w, 0, 500 + w, 0);
  cloth.addColorStop(0, outfit.shade);
  cloth.addColorStop(0.3, outfit.base);
  cloth.addColorStop(0.62, outfit.light);
  cloth.addColorStop(1, outfit.shade);
  ctx.fillStyle = cloth;
  ctx.fill(torsoPath(rig, w, neck, top, breath));
  // The fold from the arms, and the shadow that the head throws.
  ctx.save();
  ctx.clip(torsoPath(rig, w, neck, top, breath));
  ctx.strokeStyle = outfit.shade;
  ctx.lineWidth = 7;
  ctx.globalAlpha = 0.8;
  ctx.beginPath();
  for (const s of [-1, 1]) {
    ctx.moveTo(500 + s * (w - 52), 830);
    ctx.quadraticCurveTo(500 + s * (w - 66), 960, 500 + s * (w - 40), 1210);
    ctx.moveTo(500 + s * (w - 46), 850);
    ctx.quadraticCurveTo(500 + s * (w - 100), 900, 500 + s * (w - 130), 905);
  }
  ctx.stroke();
  layers(ctx, rig, "torso", p);
  ctx.restore();
  layers(ctx, rig, "collar", p);
}

function torsoPath(rig, w, neck, top, breath) {
  const necklines = {
    // How the cloth leaves the neck free, from the left shoulder to the right one.
    vee: [500 - neck - 40, 655, 462, 730, 500, 838, 538, 730, 500 + neck + 40, 655],
    round: [500 - neck - 30, 648, 440, 720, 500, 722, 560, 720, 500 + neck + 30, 648],
    high: [500 - neck - 8, 600, 460, 640, 500, 642, 540, 640, 500 + neck + 8, 600],
  };
  const n = necklines[rig.body?.neckline ?? "round"];
  const t = new Path2D();
  t.moveTo(n[0], n[1]);
  t.bezierCurveTo(n[2] - 30, n[3] - 10, n[2], n[3], n[4], n[5]);
  t.bezierCurveTo(n[6], n[7], n[6] + 30, n[7] - 10, n[8], n[9]);
  t.bezierCurveTo(n[8] + 60, top - 28, 500 + w - 40, top - 14, 500 + w, top + 66);
  t.bezierCurveTo(500 + w - 20, top + 150, 500 + w - 62, 900, 500 + w - 56 + breath * 0.6, 1010);
  t.bezierCurveTo(500 + w - 52, 1090, 500 + w - 44, 1150, 500 + w - 36, 1230);
  t.lineTo(500 - w + 36, 1230);
  t.bezierCurveTo(500 - w + 44, 1150, 500 - w + 52, 1090, 500 - w + 56 - breath * 0.6, 1010);
  t.bezierCurveTo(500 - w + 62, 900, 500 - w + 20, top + 150, 500 - w, top + 66);
  t.bezierCurveTo(500 - w + 40, top - 14, n[0] - 60, top - 28, n[0], n[1]);
  t.closePath();
  return t;
}

/**
 * Where the elbow is: two bones from shoulder to hand, bent downwards and outwards. A hand near the
 * body has its arm foreshortened (the elbow comes towards the viewer), or it would stick out.
 */
export function elbow(shoulder, hand, side) {
  const dx = hand.x - shoulder.x;
  const dy = hand.y - shoulder.y;
  const far = Math.hypot(dx, dy) || 1;
  const short = Math.min(1, Math.max(0.64, (far * 1.22) / (UPPER_ARM + FOREARM)));
  const upper = UPPER_ARM * short;
  const fore = FOREARM * short;
  const d = Math.min(far, upper + fore - 4);
  const along = (upper ** 2 - fore ** 2 + d ** 2) / (2 * d);
  const out = Math.sqrt(Math.max(upper ** 2 - along ** 2, 0));
  const ux = dx / far;
  const uy = dy / far;
  const s = side === "l" ? -1 : 1;
  const a = { x: shoulder.x + ux * along - uy * out, y: shoulder.y + uy * along + ux * out };
  const b = { x: shoulder.x + ux * along + uy * out, y: shoulder.y + uy * along - ux * out };
  const outward = hand.y > shoulder.y ? 0.9 : 0.3;
  return a.y - b.y + outward * s * (a.x - b.x) > 0 ? a : b;
}

function poseArm(rig, side, arm, breath, lift) {
  const s = side === "l" ? -1 : 1;
  const w = rig.body?.shoulders ?? 218;
  const shoulder = { x: 500 + s * (w - 42), y: 756 - breath - lift * 14 };
  const hand = { x: arm.x, y: arm.y };
  const bend = elbow(shoulder, hand, side);
  const wrist = { x: mixAt(bend.x, hand.x, 0.86), y: mixAt(bend.y, hand.y, 0.86) };
  return { side, s, arm, shoulder, bend, wrist, hand, thick: rig.body?.arm ?? 88 };
}

function sleeve(ctx, rig, a) {
  const { outfit } = rig.palette;
  const tone = ctx.createLinearGradient(a.shoulder.x - 70, 0, a.shoulder.x + 70, 0);
  tone.addColorStop(0, a.s < 0 ? outfit.shade : outfit.base);
  tone.addColorStop(0.55, a.s < 0 ? outfit.base : outfit.light);
  tone.addColorStop(1, a.s < 0 ? outfit.light : outfit.shade);
  return tone;
}

/** From the shoulder to the elbow; the round of the shoulder lies flush with the torso. */
function drawUpperArm(ctx, rig, a) {
  const { outfit } = rig.palette;
  const from = { x: mixAt(a.shoulder.x, a.bend.x, 0.28), y: mixAt(a.shoulder.y, a.bend.y, 0.28) };
  edge(ctx, outfit.edge ?? outfit.shade, from, a.bend, a.thick * 0.97 + 6, a.thick * 0.86 + 6);
  ctx.fillStyle = sleeve(ctx, rig, a);
  ctx.fill(limbPath(a.shoulder, a.bend, a.thick * 1.06, a.thick * 0.86));
}

function drawForearm(ctx, rig, a) {
  const { outfit, skin } = rig.palette;
  const { bend, wrist, hand, thick } = a;
  edge(ctx, outfit.edge ?? outfit.shade, bend, wrist, thick * 0.86 + 6, thick * 0.58 + 6);
  ctx.fillStyle = skin.base;
  ctx.fill(limbPath(wrist, hand, thick * 0.44, thick * 0.42));
  ctx.fillStyle = sleeve(ctx, rig, a);
  ctx.fill(limbPath(bend, wrist, thick * 0.86, thick * 0.58));
  // The cuff.
  ctx.strokeStyle = outfit.cuff ?? outfit.shade;
  ctx.lineWidth = 9;
  const nx = -(wrist.y - bend.y);
  const ny = wrist.x - bend.x;
  const n = (Math.hypot(nx, ny) || 1) / (thick * 0.28);
  ctx.beginPath();
  ctx.moveTo(wrist.x + nx / n, wrist.y + ny / n);
  ctx.lineTo(wrist.x - nx / n, wrist.y - ny / n);
  ctx.stroke();
  const direction = Math.atan2(hand.y - bend.y, hand.x - bend.x);
  ctx.save();
  ctx.translate(hand.x, hand.y);
  ctx.rotate(direction + Math.PI / 2 + (a.arm.turn ?? 0));
  ctx.scale(a.side === "l" ? 1 : -1, 1);
  drawHand(ctx, rig, a.arm.hand ?? "relaxed");
  ctx.restore();
}

const mixAt = (a, b, t) => a + (b - a) * t;

function limbPath(a, b, wa, wb) {
  const angle = Math.atan2(b.y - a.y, b.x - a.x) + Math.PI / 2;
  const c = Math.cos(angle);
  const s = Math.sin(angle);
  const t = new Path2D();
  t.moveTo(a.x + (c * wa) / 2, a.y + (s * wa) / 2);
  t.lineTo(b.x + (c * wb) / 2, b.y + (s * wb) / 2);
  t.arc(b.x, b.y, wb / 2, angle, angle - Math.PI, true);
  t.lineTo(a.x - (c * wa) / 2, a.y - (s * wa) / 2);
  t.arc(a.x, a.y, wa / 2, angle - Math.PI, angle - 2 * Math.PI, true);
  t.closePath();
  return t;
}

/** A soft edge keeps an arm apart from the torso, which has the same cloth. */
function edge(ctx, colour, a, b, wa, wb) {
  ctx.save();
  ctx.fillStyle = colour;
  ctx.globalAlpha = 0.5;
  ctx.fill(limbPath(a, b, wa, wb));
  ctx.restore();
}

/** The product's picture between the hands, on a white card. */
function drawHeld(ctx, picture, holding, arms) {
  const x = (arms.l.x + arms.r.x) / 2;
  const y = (arms.l.y + arms.r.y) / 2 - 40;
  const size = 300 * holding;
  ctx.save();
  ctx.globalAlpha = Math.min(1, holding * 1.4);
  ctx.shadowColor = "rgba(20, 18, 30, .35)";
  ctx.shadowBlur = 24;
  ctx.shadowOffsetY = 8;
  ctx.fillStyle = "#fff";
  ctx.beginPath();
  ctx.roundRect(x - size / 2, y - size / 2, size, size, 22);
  ctx.fill();
  ctx.shadowColor = "transparent";
  ctx.clip();
  ctx.drawImage(picture, x - size / 2 + 8, y - size / 2 + 8, size - 16, size - 16);
  ctx.restore();
}
