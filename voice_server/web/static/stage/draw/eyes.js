/** Eyes, brows and glasses: what moves every frame is a few flat paths; irises are sprites. */

import { mix } from "../rig.js";
import { seeded } from "../life.js";
import { along, clear, soft } from "./brush.js";

const EYE_Y = 364;
const EYE_X = 63;
const IRIS = 19.6;
/** How far an iris goes, in units of the rig. */
const SIDE = 13;
const UP = 8;

/** The eye on side `s` (-1: the viewer's left). */
export function drawEye(ctx, rig, sprites, p, s) {
  const { eyes, skin } = rig.palette;
  const size = rig.face?.eyes ?? 1;
  const near = 1 - Math.max(0, -s * p.yaw) * 0.14; // the far eye is narrower
  const half = 35 * size * near;
  const cheer = Math.max(0, p.smile) * p.cheek;
  const lids = Math.max(0, Math.min(1.25, p.lids * (1 + p.browRaise * 0.12) * (1 - p.squint * 0.35)));
  const down = 13.5 * size * (1 - p.squint * 0.3 - cheer * 0.34);
  const shut = Math.min(1, lids);
  // A closing lid comes down to the lower one, bows with it, and takes the lashes along.
  const up = mix(-down * 0.75, 20.5 * size * Math.max(1, lids), shut);
  const low = mix(down * 0.82, down, shut);
  const tilt = rig.face?.eyeTilt ?? 3;
  ctx.save();
  ctx.translate(500 + s * EYE_X, EYE_Y);
  ctx.scale(s, 1);
  const ix = -half;
  const iy = 4.5;
  const ox = half;
  const oy = -tilt;
  if (lids > 0.06) {
    const almond = new Path2D();
    almond.moveTo(ix, iy);
    almond.bezierCurveTo(-half * 0.66, -up * 0.9, half * 0.3, -up * 1.6, ox, oy);
    almond.bezierCurveTo(half * 0.6, low * 1.25, -half * 0.4, low * 1.3, ix, iy);
    almond.closePath();
    ctx.save();
    ctx.clip(almond);
    ctx.fillStyle = eyes.white ?? "#f7f1ec";
    ctx.fillRect(-half - 2, -40, 2 * half + 4, 70);
    const gx = s * (p.gazeX + p.yaw * 0.25) * SIDE + 0.5;
    const gy = p.gazeY * UP - 2.2;
    const r = IRIS * size;
    ctx.translate(gx, gy);
    sprites.draw(ctx, "iris", [-r - 2, -r - 2, 2 * r + 4, 2 * r + 4], (c) => drawIris(c, eyes, r));
    // The window in the eye stays on the same side in both.
    ctx.fillStyle = "#fff";
    ctx.beginPath();
    ctx.ellipse(-s * 5.5 * size, -6.5 * size, 4.6 * size, 5.2 * size, -0.3, 0, Math.PI * 2);
    ctx.fill();
    ctx.globalAlpha = 0.55;
    ctx.beginPath();
    ctx.arc(s * 6 * size, 7 * size, 2.2 * size, 0, Math.PI * 2);
    ctx.fill();
    ctx.translate(-gx, -gy);
    // The upper lid's shadow, and the pink of the inner corner.
    ctx.globalAlpha = 0.3;
    ctx.fillStyle = "#38242c";
    ctx.beginPath();
    ctx.moveTo(ix, iy);
    ctx.bezierCurveTo(-half * 0.66, -up * 0.9, half * 0.3, -up * 1.6, ox, oy);
    ctx.bezierCurveTo(half * 0.32, -up * 1.6 + 9, -half * 0.6, -up * 0.9 + 9, ix, iy);
    ctx.fill();
    ctx.globalAlpha = 0.8;
    ctx.fillStyle = "#d9958c";
    ctx.beginPath();
    ctx.ellipse(ix + 3, iy - 0.5, 5, 3, 0.2, 0, Math.PI * 2);
    ctx.fill();
    ctx.restore();
  }
  const lash = rig.face?.lashes ?? 1;
  ctx.fillStyle = eyes.lash ?? "#2a1a1c";
  // The upper lid's line: thin at the nose, heavy and lifted at the outer end.
  const thick = 2.6 + 3.2 * lash;
  const droop = (1 - shut) * 5;
  ctx.beginPath();
  ctx.moveTo(ix - 1, iy + 0.5);
  ctx.bezierCurveTo(-half * 0.66, -up * 0.9, half * 0.3, -up * 1.6, ox, oy);
  ctx.quadraticCurveTo(ox + 4 * lash, oy - 1, ox + 10 * lash, oy - 7 * lash + droop * 1.6);
  ctx.quadraticCurveTo(ox + 2, oy - 5 * lash - 1, ox - 4, oy - 3.5 * lash - 2);
  ctx.bezierCurveTo(half * 0.34, -up * 1.6 - thick * 1.35, -half * 0.55, -up * 0.9 - thick * 0.8, ix - 1, iy + 0.5);
  ctx.fill();
  if (lash > 0.7) {
    ctx.strokeStyle = ctx.fillStyle;
    ctx.lineWidth = 2.2;
    ctx.beginPath();
    const flip = mix(-0.5, 1, shut);
    for (const [x, y, dx, dy] of [[0.56, 1.02, 6, 6], [0.74, 0.84, 8, 6.5], [0.9, 0.5, 9, 6]]) {
      const fromX = half * x;
      const fromY = -up * y - 2;
      ctx.moveTo(fromX, fromY);
      ctx.quadraticCurveTo(fromX + dx * 0.6, fromY - dy * 0.3 * flip, fromX + dx, fromY - dy * flip);
    }
    ctx.stroke();
  }
  // Lower lid, and the fold above, which opens as the lid falls.
  ctx.strokeStyle = skin.deep;
  ctx.globalAlpha = 0.55;
  ctx.lineWidth = 1.9;
  ctx.beginPath();
  ctx.moveTo(ox - 1, oy + 2);
  ctx.bezierCurveTo(half * 0.6, low * 1.25, -half * 0.4, low * 1.3, ix + 6, iy + 2);
  ctx.stroke();
  ctx.globalAlpha = 0.08 + 0.16 * cheer;
  ctx.beginPath();
  ctx.moveTo(half * 0.72, low + 7);
  ctx.quadraticCurveTo(0, low + 12, -half * 0.62, low + 8);
  ctx.stroke();
  ctx.globalAlpha = 0.5;
  ctx.lineWidth = 2.4;
  const fold = Math.max(up, 6) + 2;
  ctx.beginPath();
  ctx.moveTo(-half * 0.86, -fold * 0.34 - 3);
  ctx.bezierCurveTo(-half * 0.5, -fold * 0.95 - 6, half * 0.44, -fold * 1.5 - 7, half * 1.04, -fold * 0.42 - 3);
  ctx.stroke();
  ctx.restore();
}

function drawIris(ctx, eyes, r) {
  const random = seeded(5);
  const disc = ctx.createRadialGradient(0, r * 0.25, r * 0.2, 0, 0, r);
  disc.addColorStop(0, eyes.light);
  disc.addColorStop(0.55, eyes.base);
  disc.addColorStop(0.86, eyes.dark);
  disc.addColorStop(1, eyes.ring ?? eyes.dark);
  ctx.fillStyle = disc;
  ctx.beginPath();
  ctx.arc(0, 0, r, 0, Math.PI * 2);
  ctx.fill();
  for (let at = 0; at < 46; at += 1) {
    const angle = random() * Math.PI * 2;
    ctx.strokeStyle = random() < 0.5 ? eyes.light : eyes.dark;
    ctx.globalAlpha = 0.4 * random();
    ctx.lineWidth = 0.9;
    ctx.beginPath();
    ctx.moveTo(Math.cos(angle) * r * 0.42, Math.sin(angle) * r * 0.42);
    ctx.lineTo(Math.cos(angle) * r * 0.86, Math.sin(angle) * r * 0.86);
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
  soft(ctx, 0, r * 0.55, r * 0.8, r * 0.42, eyes.light, 0.75);
  ctx.fillStyle = "#100c10";
  ctx.beginPath();
  ctx.arc(0, 0, r * 0.43, 0, Math.PI * 2);
  ctx.fill();
  ctx.strokeStyle = eyes.ring ?? eyes.dark;
  ctx.globalAlpha = 0.6;
  ctx.lineWidth = 1.6;
  ctx.beginPath();
  ctx.arc(0, 0, r - 0.8, 0, Math.PI * 2);
  ctx.stroke();
}

/** The brow on side `s`: its inner end rises in sorrow and falls in earnest. */
export function drawBrow(ctx, rig, p, s) {
  const { hair } = rig.palette;
  const thick = (rig.face?.brows ?? 1) * 10;
  const raise = p.browRaise * 16 + (s < 0 ? p.browSkew * 12 : 0);
  const inner = raise * 0.95 + 11 + p.browTilt * 13;
  const arch = rig.face?.arch ?? 1;
  ctx.save();
  ctx.translate(500 + s * (EYE_X + 3), EYE_Y - 54);
  ctx.scale(s, 1);
  ctx.fillStyle = hair.brow ?? hair.dark;
  ctx.beginPath();
  ctx.moveTo(-40, 8 - inner);
  ctx.bezierCurveTo(-22, 1 - inner * 0.7 - raise * 0.2, 4, -9 * arch - raise, 20, -8 * arch - raise);
  ctx.quadraticCurveTo(38, -4 - raise * 0.8, 50, 8 - raise * 0.5 + p.browTilt * 4);
  ctx.quadraticCurveTo(34, 2 - raise * 0.8, 18, -8 * arch - raise + thick * 0.72);
  ctx.bezierCurveTo(2, -8 * arch - raise + thick, -20, 1 - inner * 0.7 - raise * 0.2 + thick * 1.02, -38, 8 - inner + thick);
  ctx.quadraticCurveTo(-46, 10 - inner, -40, 8 - inner);
  ctx.globalAlpha = 0.88;
  ctx.fill();
  ctx.restore();
}

/** Glasses, painted once. */
export function drawGlasses(ctx, rig) {
  const frame = rig.palette.glasses ?? "#2b2b33";
  for (const s of [-1, 1]) {
    const lens = new Path2D();
    lens.roundRect(500 + s * EYE_X - 50, EYE_Y - 34, 100, 72, [30, 30, 34, 34]);
    soft(ctx, 500 + s * EYE_X, EYE_Y + 44, 48, 12, "#3a1c10", 0.22);
    ctx.save();
    ctx.clip(lens);
    ctx.fillStyle = "rgba(220,235,255,.10)";
    ctx.fill(lens);
    ctx.fillStyle = along(ctx, 500 + s * EYE_X - 40, EYE_Y - 30, 500 + s * EYE_X + 10, EYE_Y + 20, [[0, "rgba(255,255,255,.5)"], [1, clear("rgba(255,255,255,.5)")]]);
    ctx.beginPath();
    ctx.moveTo(500 + s * EYE_X - 50, EYE_Y - 4);
    ctx.lineTo(500 + s * EYE_X - 22, EYE_Y - 34);
    ctx.lineTo(500 + s * EYE_X - 4, EYE_Y - 34);
    ctx.lineTo(500 + s * EYE_X - 50, EYE_Y + 16);
    ctx.fill();
    ctx.restore();
    ctx.strokeStyle = frame;
    ctx.lineWidth = 5;
    ctx.stroke(lens);
    ctx.beginPath();
    ctx.moveTo(500 + s * (EYE_X + 50), EYE_Y - 12);
    ctx.lineTo(500 + s * 131, EYE_Y - 17);
    ctx.stroke();
    ctx.strokeStyle = "rgba(255,255,255,.35)";
    ctx.lineWidth = 1.4;
    ctx.beginPath();
    ctx.moveTo(500 + s * EYE_X - 28, EYE_Y - 35.5);
    ctx.lineTo(500 + s * EYE_X + 20, EYE_Y - 35.5);
    ctx.stroke();
  }
  ctx.strokeStyle = frame;
  ctx.lineWidth = 5;
  ctx.beginPath();
  ctx.moveTo(487, EYE_Y - 6);
  ctx.quadraticCurveTo(500, EYE_Y - 15, 513, EYE_Y - 6);
  ctx.stroke();
}
