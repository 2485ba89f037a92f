/** A mouth that is numbers all the way: fifteen visemes and eight moods blend without a seam. */

import { along, soft } from "./brush.js";

const MOUTH_Y = 475;

/** The numbers of a mouth, from its parameters: half width, corners, inner edges, lips. */
export function mouthShape(rig, p) {
  const full = rig.face?.lips ?? 1;
  const smile = p.smile;
  const wide = rig.face?.mouth ?? 1;
  const half = 45 * wide * (1 + 0.2 * p.width - 0.44 * p.round + 0.2 * Math.max(0, smile) - 0.07 * p.open);
  // A smile that shows its teeth between sentences; speech closes it.
  const grin = Math.pow(p.grin ?? 0, 2) * (1 - p.press) * (1 - Math.min(1, p.open * 3));
  const gap = p.open * (1 - p.press);
  const corner = -smile * (smile > 0 ? 9.5 : 12) + gap * 4 - grin * 2;
  const top = -gap * 10 - p.teeth * 2 * (1 - p.press) * Math.min(1, gap * 8) + Math.max(0, smile) * 2.5 + grin * 0.5;
  const bottom = Math.max(gap * 43 - p.bite * 4, top) + smile * (gap + grin > 0.03 ? 3.5 : 2.6) + grin * 12;
  const upper = 10 * full * (1 - 0.55 * p.press) * (1 + 0.3 * p.round - 0.16 * Math.max(0, smile));
  const lower = 14 * full * (1 - 0.5 * p.press - 0.55 * p.bite) * (1 + 0.28 * p.round - 0.14 * p.open - 0.1 * Math.max(0, smile));
  return { half, corner, top, bottom, upper, lower, closed: bottom - top < 2.5 + Math.max(0, smile) * 2 };
}

/** The mouth and the skin around it that moves with it. */
export function drawMouth(ctx, rig, p) {
  const { lips, skin } = rig.palette;
  const m = mouthShape(rig, p);
  const { half, corner, top, bottom } = m;
  ctx.save();
  ctx.translate(500, MOUTH_Y);
  if (p.smile > 0.3) {
    // The fold from the nose, soft: two thin strokes, no line.
    ctx.strokeStyle = skin.deep;
    for (const [width, alpha] of [[7, 0.06], [2.4, 0.09]]) {
      ctx.lineWidth = width;
      ctx.globalAlpha = alpha * Math.min(1, p.smile) * (rig.face?.folds ?? 1);
      ctx.beginPath();
      for (const s of [-1, 1]) {
        ctx.moveTo(s * 31, -48);
        ctx.bezierCurveTo(s * (half * 0.9 + 6), -38, s * (half + 15), corner - 18, s * (half + 14), corner + 8);
      }
      ctx.stroke();
    }
    ctx.globalAlpha = 1;
  }
  // Shade below the lower lip.
  ctx.globalAlpha = 0.28;
  ctx.fillStyle = skin.shade;
  ctx.beginPath();
  ctx.ellipse(0, bottom + m.lower * 1.05 + 10, half * 0.5, 5, 0, 0, Math.PI * 2);
  ctx.fill();
  ctx.globalAlpha = 1;

  const inner = new Path2D();
  inner.moveTo(-half + 2, corner);
  inner.bezierCurveTo(-half * 0.55, top * 1.1 + corner * 0.05, half * 0.55, top * 1.1 + corner * 0.05, half - 2, corner);
  inner.bezierCurveTo(half * 0.62, bottom * 1.3 - corner * 0.12, -half * 0.62, bottom * 1.3 - corner * 0.12, -half + 2, corner);
  inner.closePath();
  if (!m.closed) drawInside(ctx, lips, m, p, inner);

  // Lower lip.
  const rim = bottom * 1.3 - corner * 0.12;
  const lower = new Path2D();
  lower.moveTo(-half, corner);
  lower.bezierCurveTo(-half * 0.62, rim, half * 0.62, rim, half, corner);
  lower.bezierCurveTo(half * 0.74, bottom + m.lower * 1.42, half * 0.3, bottom + m.lower * 1.12, 0, bottom + m.lower * 1.12);
  lower.bezierCurveTo(-half * 0.3, bottom + m.lower * 1.12, -half * 0.74, bottom + m.lower * 1.42, -half, corner);
  lower.closePath();
  ctx.fillStyle = along(ctx, 0, bottom - 3, 0, bottom + m.lower + 3, [[0, lips.dark], [0.3, lips.base], [0.62, lips.light], [1, lips.base]]);
  ctx.fill(lower);
  // Upper lip with its bow, darker: it faces down.
  const peak = top - m.upper;
  const upper = new Path2D();
  upper.moveTo(-half, corner);
  upper.bezierCurveTo(-half * 0.66, peak + m.upper * 0.5, -half * 0.36, peak - 1.5, -half * 0.17, peak - 0.5);
  upper.quadraticCurveTo(0, peak + m.upper * 0.62, half * 0.17, peak - 0.5);
  upper.bezierCurveTo(half * 0.36, peak - 1.5, half * 0.66, peak + m.upper * 0.5, half, corner);
  upper.bezierCurveTo(half * 0.55, top * 1.1 + corner * 0.05, -half * 0.55, top * 1.1 + corner * 0.05, -half, corner);
  upper.closePath();
  ctx.fillStyle = along(ctx, 0, peak, 0, top + 3, [[0, lips.base], [1, lips.dark]]);
  ctx.fill(upper);
  if (p.bite > 0.05) {
    ctx.fillStyle = "#f8f3ea";
    ctx.globalAlpha = Math.min(1, p.bite * 1.4);
    ctx.beginPath();
    const edge = top + 0.5;
    ctx.moveTo(-half * 0.52, edge);
    ctx.quadraticCurveTo(-half * 0.5, edge + 6.5, -half * 0.26, edge + 7);
    ctx.lineTo(half * 0.26, edge + 7);
    ctx.quadraticCurveTo(half * 0.5, edge + 6.5, half * 0.52, edge);
    ctx.fill();
    ctx.strokeStyle = "rgba(120,80,80,.22)";
    ctx.lineWidth = 1;
    ctx.beginPath();
    for (const x of [-0.24, 0, 0.24]) {
      ctx.moveTo(half * x, edge);
      ctx.lineTo(half * x, edge + 6);
    }
    ctx.stroke();
    ctx.globalAlpha = 1;
  }
  // Between the lips; the corners end in small dimples.
  ctx.strokeStyle = lips.line ?? "#7c2f38";
  ctx.lineWidth = m.closed ? 2.8 : 1.6;
  ctx.globalAlpha = m.closed ? 0.9 : 0.4;
  ctx.beginPath();
  ctx.moveTo(-half - 1, corner);
  ctx.bezierCurveTo(-half * 0.55, top * 1.1 + corner * 0.05 + 1, half * 0.55, top * 1.1 + corner * 0.05 + 1, half + 1, corner);
  ctx.stroke();
  ctx.fillStyle = skin.deep;
  ctx.globalAlpha = 0.3 + 0.3 * Math.max(0, p.smile);
  for (const s of [-1, 1]) {
    ctx.beginPath();
    ctx.ellipse(s * (half + 2), corner, 3.4, 2.2, s * -0.6, 0, Math.PI * 2);
    ctx.fill();
  }
  // Gloss.
  ctx.fillStyle = "#fff";
  ctx.globalAlpha = rig.face?.gloss ?? 0.3;
  ctx.beginPath();
  ctx.ellipse(-half * 0.16, bottom + m.lower * 0.46, half * 0.2, Math.max(1.2, m.lower * 0.11), 0.06, 0, Math.PI * 2);
  ctx.ellipse(half * 0.24, bottom + m.lower * 0.48, half * 0.08, Math.max(1, m.lower * 0.09), -0.1, 0, Math.PI * 2);
  ctx.fill();
  ctx.restore();
}

function drawInside(ctx, lips, m, p, inner) {
  const { half, top, bottom } = m;
  const tall = bottom - top;
  ctx.fillStyle = ctx.strokeStyle = lips.inside ?? "#5b1a22";
  ctx.lineWidth = 4;
  ctx.fill(inner);
  ctx.stroke(inner); // the lips lie over its edge
  ctx.save();
  ctx.clip(inner);
  // The throat is darker than the mouth.
  soft(ctx, 0, top + tall * 0.5, half * 0.7, Math.max(6, tall * 0.42), "#1d0509", 0.75);
  // Lower teeth, seen when the mouth is wide or the sound shows them.
  const low = 3 + 6 * p.teeth - 12 * Math.max(0, p.open - 0.5);
  if (low > 1) {
    ctx.fillStyle = "#e9ddd2";
    ctx.beginPath();
    ctx.roundRect(-half * 0.6, bottom - low, half * 1.2, 16, 5);
    ctx.fill();
  }
  const rise = p.tongue * tall * 0.62;
  const y = bottom + 7 - rise - tall * 0.1;
  ctx.fillStyle = lips.tongue ?? "#d66a72";
  ctx.beginPath();
  ctx.ellipse(0, y, half * 0.6, 9 + tall * 0.2, 0, 0, Math.PI * 2);
  ctx.fill();
  ctx.strokeStyle = lips.inside ?? "#5b1a22";
  ctx.globalAlpha = 0.25;
  ctx.lineWidth = 2;
  ctx.beginPath();
  ctx.moveTo(0, y - 7 - tall * 0.12);
  ctx.lineTo(0, y + 10);
  ctx.stroke();
  ctx.globalAlpha = 0.3;
  ctx.fillStyle = "#fff";
  ctx.beginPath();
  ctx.ellipse(-half * 0.2, y - 4 - tall * 0.1, half * 0.14, 1.8, -0.1, 0, Math.PI * 2);
  ctx.fill();
  ctx.globalAlpha = 1;
  // Upper teeth: an arc that follows the lip; never a slab that fills the mouth.
  const shown = Math.min(tall * 0.82, 6 + 5 * p.teeth + 4 * Math.max(0, p.smile) + 2 * p.open);
  const edge = top + shown;
  const t = half * 0.84;
  ctx.fillStyle = along(ctx, -t, 0, t, 0, [[0, "#c9b3aa"], [0.16, "#f7f0e8"], [0.5, "#fffdf9"], [0.84, "#f7f0e8"], [1, "#c9b3aa"]]);
  ctx.beginPath();
  ctx.moveTo(-t, m.corner - 14);
  ctx.quadraticCurveTo(-t * 0.9, edge - shown * 0.35, -t * 0.62, edge - shown * 0.12);
  ctx.quadraticCurveTo(0, edge + shown * 0.2, t * 0.62, edge - shown * 0.12);
  ctx.quadraticCurveTo(t * 0.9, edge - shown * 0.35, t, m.corner - 14);
  ctx.closePath();
  ctx.fill();
  ctx.strokeStyle = "rgba(110,70,70,.13)";
  ctx.lineWidth = 1.1;
  ctx.beginPath();
  for (const x of [-0.62, -0.4, -0.2, 0, 0.2, 0.4, 0.62]) {
    ctx.moveTo(t * x, top - 8);
    ctx.lineTo(t * x * 1.02, edge + shown * (0.05 - Math.abs(x) * 0.2));
  }
  ctx.stroke();
  // The upper lip's shadow.
  ctx.fillStyle = along(ctx, 0, top - 3, 0, top + 9, [[0, "rgba(50,10,20,.42)"], [1, "rgba(50,10,20,0)"]]);
  ctx.fillRect(-half, top - 14, half * 2, 24);
  ctx.restore();
}
