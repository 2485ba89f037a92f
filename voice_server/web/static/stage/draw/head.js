/** The head: its shape with all that does not move in it, painted once for each height of the jaw. */

import { along, clear, soft } from "./brush.js";

/** How far the chin falls when the mouth is wide open, in units of the rig. */
const JAW = 17;
/** So many heights of the jaw are kept: steps of 2 units, less than two pixels at 720p. */
export const JAWS = 9;

/** The outline of the face; the chin follows the jaw (`open` 0-1). */
export function faceOutline(rig, open) {
  const { jaw = 0, length = 0, cheeks = 0, chin = 0 } = rig.face ?? {};
  const drop = open * JAW + length;
  const w = 126 + cheeks;
  const j = 98 + jaw * 14;
  const c = 42 + chin;
  const t = new Path2D();
  t.moveTo(500 - w, 330);
  t.bezierCurveTo(500 - w - 4, 205, 428, 158, 500, 158);
  t.bezierCurveTo(572, 158, 500 + w + 4, 205, 500 + w, 330);
  t.bezierCurveTo(500 + w + 1, 392, 500 + j + 17, 434 + drop * 0.25, 500 + j + 1, 468 + drop * 0.55);
  t.bezierCurveTo(500 + j - 20, 505 + drop, 500 + c + 16, 541 + drop, 500, 542 + drop);
  t.bezierCurveTo(500 - c - 16, 541 + drop, 500 - j + 20, 505 + drop, 500 - j - 1, 468 + drop * 0.55);
  t.bezierCurveTo(500 - j - 17, 434 + drop * 0.25, 500 - w - 1, 392, 500 - w, 330);
  t.closePath();
  return t;
}

/** Ears, head, shading: everything that only the jaw changes. `hairline`: path of the hair above. */
export function drawHead(ctx, rig, open, hairline) {
  const { skin } = rig.palette;
  const { jaw = 0, length = 0, cheeks = 0, stubble = 0 } = rig.face ?? {};
  const drop = open * JAW + length;
  if (rig.face?.ears !== false) for (const s of [-1, 1]) drawEar(ctx, rig, s, 126 + cheeks);
  const outline = faceOutline(rig, open);
  ctx.fillStyle = along(ctx, 400, 180, 590, 540 + drop, [[0, skin.light], [0.45, skin.base], [0.8, skin.base], [1, skin.shade]]);
  ctx.fill(outline);
  ctx.save();
  ctx.clip(outline);
  // Planes of the face: the far side, temples, under the cheekbones, under the jaw.
  soft(ctx, 648, 380, 88, 230, skin.shade, 0.75);
  soft(ctx, 362, 400, 44, 190, skin.shade, 0.5);
  for (const s of [-1, 1]) {
    soft(ctx, 500 + s * 112, 462 + drop * 0.3, 62, 30, skin.shade, s > 0 ? 0.5 : 0.34, s * -0.75);
    soft(ctx, 500 + s * 64, 352, 50, 32, skin.shade, 0.42);
    soft(ctx, 500 + s * 32, 352, 20, 34, skin.deep, 0.2);
    soft(ctx, 500 + s * 66, 392, 40, 15, skin.light, 0.5);
    soft(ctx, 500 + s * 78, 418, 44, 28, skin.blush, s > 0 ? 0.3 : 0.26);
  }
  soft(ctx, 500, 566 + drop, 150, 46, skin.deep, 0.42);
  soft(ctx, 462, 262, 96, 66, skin.light, 0.75);
  soft(ctx, 430, 408, 42, 26, skin.light, 0.55, -0.5);
  soft(ctx, 562, 406, 34, 22, skin.light, 0.3, 0.5);
  soft(ctx, 494, 518 + drop, 34, 17, skin.light, 0.45);
  soft(ctx, 500, 450, 10, 16, skin.shade, 0.35);
  if (stubble) drawStubble(ctx, rig, drop, jaw, stubble);
  if (hairline) {
    // The hair throws a soft shadow on the forehead.
    ctx.fillStyle = skin.deep;
    ctx.globalAlpha = 0.04;
    for (let down = 2; down <= 24; down += 2) {
      ctx.save();
      ctx.translate(down / 6, down);
      ctx.fill(hairline);
      ctx.restore();
    }
    ctx.globalAlpha = 1;
  }
  // A thin light from behind on the far cheek.
  ctx.strokeStyle = along(ctx, 560, 300, 640, 470, [[0, clear(skin.light)], [0.5, skin.light], [1, clear(skin.light)]]);
  ctx.lineWidth = 7;
  ctx.globalAlpha = 0.55;
  ctx.stroke(outline);
  ctx.restore();
}

function drawEar(ctx, rig, s, w) {
  const { skin, jewel } = rig.palette;
  const x = 500 + s * (w + 3);
  ctx.save();
  ctx.translate(x, 378);
  ctx.scale(s, 1);
  ctx.fillStyle = along(ctx, -16, -40, 20, 40, [[0, skin.base], [1, skin.shade]]);
  ctx.beginPath();
  ctx.moveTo(-10, -30);
  ctx.bezierCurveTo(2, -46, 24, -40, 21, -14);
  ctx.bezierCurveTo(20, 6, 14, 16, 8, 30);
  ctx.bezierCurveTo(3, 42, -8, 40, -10, 28);
  ctx.closePath();
  ctx.fill();
  soft(ctx, 4, -4, 12, 24, skin.deep, 0.55, 0.15);
  ctx.strokeStyle = skin.light;
  ctx.globalAlpha = 0.5;
  ctx.lineWidth = 3;
  ctx.beginPath();
  ctx.moveTo(-2, -30);
  ctx.bezierCurveTo(14, -36, 18, -18, 14, -4);
  ctx.stroke();
  ctx.globalAlpha = 1;
  if (rig.face?.earrings) {
    ctx.translate(0, 46);
    const gold = ctx.createRadialGradient(-3, -3, 1, 0, 0, 10);
    gold.addColorStop(0, "#fff6d8");
    gold.addColorStop(0.4, jewel?.base ?? "#e3b23c");
    gold.addColorStop(1, "#8c6420");
    ctx.fillStyle = gold;
    ctx.beginPath();
    ctx.arc(0, 0, 8.5, 0, Math.PI * 2);
    ctx.fill();
  }
  ctx.restore();
}

function drawStubble(ctx, rig, drop, jaw, strength) {
  const { hair } = rig.palette;
  const wide = 104 + jaw * 14;
  ctx.save();
  for (const s of [-1, 1]) {
    soft(ctx, 500 + s * (wide - 6), 440, 30, 74, hair.dark, strength * 0.75, s * 0.2);
    soft(ctx, 500 + s * 60, 506 + drop, 74, 42, hair.dark, strength, s * -0.5);
    soft(ctx, 500 + s * 30, 453, 36, 9, hair.dark, strength * 0.7, s * 0.16);
  }
  soft(ctx, 500, 530 + drop, 86, 34, hair.dark, strength);
  soft(ctx, 500, 505 + drop * 0.8, 16, 11, hair.dark, strength * 0.8);
  ctx.restore();
}

/** The nose: light on the bridge, a shaded side, wings and nostrils. No outline. */
export function drawNose(ctx, rig) {
  const { skin } = rig.palette;
  const w = rig.face?.nose ?? 1;
  soft(ctx, 514 + 3 * w, 398, 13, 48, skin.shade, 0.62, -0.08);
  soft(ctx, 516 + 5 * w, 425, 15 * w, 15, skin.shade, 0.6);
  soft(ctx, 482 - 4 * w, 428, 12 * w, 11, skin.shade, 0.34);
  soft(ctx, 497, 382, 9, 46, skin.light, 0.85);
  soft(ctx, 496, 418, 14 * w, 13, skin.light, 0.9);
  soft(ctx, 500, 441, 30 * w, 10, skin.deep, 0.3);
  ctx.fillStyle = skin.deep;
  for (const s of [-1, 1]) {
    ctx.globalAlpha = 0.85;
    ctx.beginPath();
    ctx.ellipse(500 + s * 10.5 * w, 434, 6.4 * w, 3.1, s * 0.32, 0, Math.PI * 2);
    ctx.fill();
    // The wing of the nose.
    ctx.strokeStyle = skin.deep;
    ctx.globalAlpha = 0.55;
    ctx.lineWidth = 2.4;
    ctx.beginPath();
    ctx.moveTo(500 + s * 19.5 * w, 418);
    ctx.bezierCurveTo(500 + s * 25 * w, 424, 500 + s * 24 * w, 435, 500 + s * 16 * w, 436);
    ctx.stroke();
  }
  ctx.globalAlpha = 0.75;
  ctx.fillStyle = "#fff";
  soft(ctx, 494, 413, 6, 5, "#ffffff", 0.7);
  ctx.globalAlpha = 1;
}
