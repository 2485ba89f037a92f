/** The face: shape, eyes, brows, nose, and a mouth that is numbers all the way. */

const EYE_Y = 366;
const EYE_X = 64;
const MOUTH_Y = 470;

/** The same colour without substance: fading to black would leave a dirty rim. */
function transparent(colour) {
  if (colour.startsWith("#")) return `${colour.slice(0, 7)}00`;
  return colour.replace(/[\d.]+\)$/, "0)");
}

/** The outline of the face; the chin follows the jaw. */
export function faceOutline(rig, p) {
  const { jaw = 0, length = 0, cheeks = 0 } = rig.face ?? {};
  const drop = p.open * 17 + length;
  const w = 128 + cheeks;
  const j = 96 + jaw * 14;
  const t = new Path2D();
  t.moveTo(500 - w, 330);
  t.bezierCurveTo(500 - w - 4, 205, 428, 158, 500, 158);
  t.bezierCurveTo(572, 158, 500 + w + 4, 205, 500 + w, 330);
  t.bezierCurveTo(500 + w + 1, 398, 500 + j + 16, 440 + drop * 0.3, 500 + j - 2, 476 + drop * 0.6);
  t.bezierCurveTo(500 + j - 26, 512 + drop, 500 + 44, 540 + drop, 500, 541 + drop);
  t.bezierCurveTo(500 - 44, 540 + drop, 500 - j + 26, 512 + drop, 500 - j + 2, 476 + drop * 0.6);
  t.bezierCurveTo(500 - j - 16, 440 + drop * 0.3, 500 - w - 1, 398, 500 - w, 330);
  t.closePath();
  return t;
}

/** Ears, head and its shading. */
export function drawHeadShape(ctx, rig, p) {
  const { skin } = rig.palette;
  const w = 128 + (rig.face?.cheeks ?? 0);
  if (rig.face?.ears !== false) {
    for (const s of [-1, 1]) {
      const x = 500 + s * (w + 4) - p.yaw * 22;
      ctx.fillStyle = s * p.yaw > 0 ? skin.base : skin.shade;
      ctx.beginPath();
      ctx.ellipse(x, 378, 19, 36, s * 0.16, 0, Math.PI * 2);
      ctx.fill();
      ctx.strokeStyle = skin.deep;
      ctx.lineWidth = 4;
      ctx.globalAlpha = 0.6;
      ctx.beginPath();
      ctx.ellipse(x + s * 2, 376, 9, 21, s * 0.16, 0.3, 4.6);
      ctx.stroke();
      ctx.globalAlpha = 1;
      if (rig.face?.earrings) {
        ctx.fillStyle = rig.palette.jewel?.base ?? "#e3b23c";
        ctx.beginPath();
        ctx.arc(x + s * 3, 420, 8, 0, Math.PI * 2);
        ctx.fill();
        ctx.fillStyle = "rgba(255,255,255,.7)";
        ctx.beginPath();
        ctx.arc(x + s * 3 - 2, 417, 2.6, 0, Math.PI * 2);
        ctx.fill();
      }
    }
  }
  const outline = faceOutline(rig, p);
  const tone = ctx.createRadialGradient(470, 320, 40, 500, 370, 240);
  tone.addColorStop(0, skin.light);
  tone.addColorStop(0.62, skin.base);
  tone.addColorStop(1, skin.shade);
  ctx.fillStyle = tone;
  ctx.fill(outline);
  ctx.save();
  ctx.clip(outline);
  // The side away from the light, and the chin.
  const side = ctx.createRadialGradient(455, 350, 110, 455, 350, 205);
  side.addColorStop(0, transparent(skin.shade));
  side.addColorStop(1, skin.shade);
  ctx.globalAlpha = 0.6;
  ctx.fillStyle = side;
  ctx.fillRect(360, 150, 300, 420);
  ctx.globalAlpha = 1;
  for (const s of [-1, 1]) {
    const blush = ctx.createRadialGradient(500 + s * 82, 436, 4, 500 + s * 82, 436, 52);
    blush.addColorStop(0, skin.blush);
    blush.addColorStop(1, transparent(skin.blush));
    ctx.globalAlpha = 0.25 + 0.4 * p.cheek;
    ctx.fillStyle = blush;
    ctx.fillRect(360, 360, 280, 160);
  }
  ctx.restore();
}

/** Eyes, brows, nose, mouth, and what is worn on them; features slide with the turn of the head. */
export function drawFace(ctx, rig, p) {
  const slide = { x: p.yaw * 30, y: p.pitch * 22 };
  ctx.save();
  if (rig.face?.stubble) drawStubble(ctx, rig, p);
  ctx.translate(slide.x * 0.9, slide.y);
  for (const s of [-1, 1]) drawEye(ctx, rig, p, s);
  for (const s of [-1, 1]) drawBrow(ctx, rig, p, s);
  ctx.save();
  ctx.translate(slide.x * 0.35, slide.y * 0.3);
  drawNose(ctx, rig, p);
  ctx.restore();
  ctx.save();
  ctx.translate(slide.x * 0.15, slide.y * 0.2);
  drawMouth(ctx, rig, p);
  ctx.restore();
  if (rig.face?.glasses) drawGlasses(ctx, rig);
  ctx.restore();
}

function drawEye(ctx, rig, p, s) {
  const { eyes, skin } = rig.palette;
  const size = rig.face?.eyes ?? 1;
  const near = 1 - Math.max(0, -s * p.yaw) * 0.12; // the far eye is narrower
  const half = 37 * size * near;
  const lids = Math.max(0, p.lids * (1 + p.browRaise * 0.18) * (1 - p.squint * 0.4));
  const up = 25 * size * lids;
  const down = 15 * size * Math.max(lids, 0.15) * (1 - p.squint * 0.35 - Math.max(0, p.smile) * p.cheek * 0.25);
  const tilt = rig.face?.eyeTilt ?? 3;
  ctx.save();
  ctx.translate(500 + s * EYE_X, EYE_Y);
  ctx.scale(s, 1);
  // Inner corner on the left now, outer on the right and a little higher.
  const inner = [-half, 4];
  const outer = [half, -tilt];
  const almond = new Path2D();
  almond.moveTo(...inner);
  almond.bezierCurveTo(-half * 0.62, -up * 1.12, half * 0.5, -up * 1.28, ...outer);
  almond.bezierCurveTo(half * 0.55, down * 1.1, -half * 0.45, down * 1.15, ...inner);
  almond.closePath();
  // The socket's soft shade.
  ctx.fillStyle = skin.shade;
  ctx.globalAlpha = 0.4;
  ctx.beginPath();
  ctx.ellipse(2, -9, half * 1.18, 30 * size, 0, 0, Math.PI * 2);
  ctx.fill();
  ctx.globalAlpha = 1;
  if (lids > 0.08) {
    ctx.save();
    ctx.clip(almond);
    ctx.fillStyle = "#fdfbf8";
    ctx.fillRect(-60, -50, 120, 100);
    const gx = s * (p.gazeX + p.yaw * 0.25) * 13;
    const gy = p.gazeY * 9 - 2;
    const r = 20.5 * size;
    const iris = ctx.createRadialGradient(gx, gy + 4, 3, gx, gy, r);
    iris.addColorStop(0, eyes.light);
    iris.addColorStop(0.65, eyes.base);
    iris.addColorStop(1, eyes.dark);
    ctx.fillStyle = iris;
    ctx.beginPath();
    ctx.arc(gx, gy, r, 0, Math.PI * 2);
    ctx.fill();
    ctx.fillStyle = "#140f12";
    ctx.beginPath();
    ctx.arc(gx, gy, r * 0.47, 0, Math.PI * 2);
    ctx.fill();
    ctx.fillStyle = "rgba(255,255,255,.95)";
    ctx.beginPath();
    ctx.arc(gx - s * 6, gy - 8, 5.4 * size, 0, Math.PI * 2);
    ctx.fill();
    ctx.globalAlpha = 0.5;
    ctx.beginPath();
    ctx.arc(gx + s * 7, gy + 8, 3 * size, 0, Math.PI * 2);
    ctx.fill();
    // The upper lid's shadow on the eye.
    ctx.globalAlpha = 0.22;
    ctx.fillStyle = "#3a2430";
    ctx.beginPath();
    ctx.ellipse(0, -up * 0.98, half * 1.1, up * 0.5, 0, 0, Math.PI * 2);
    ctx.fill();
    ctx.restore();
  }
  const lash = rig.face?.lashes ?? 1;
  ctx.strokeStyle = eyes.lash ?? "#2a1a1c";
  // Upper lid line: thin at the inner corner, thick at the outer.
  ctx.fillStyle = eyes.lash ?? "#2a1a1c";
  const thick = 3.2 + 3.6 * lash;
  ctx.beginPath();
  ctx.moveTo(...inner);
  ctx.bezierCurveTo(-half * 0.62, -up * 1.12, half * 0.5, -up * 1.28, outer[0], outer[1]);
  ctx.lineTo(outer[0] + 9 * lash, outer[1] - 6 * lash);
  ctx.bezierCurveTo(half * 0.62, -up * 1.28 - thick * 1.5, -half * 0.58, -up * 1.12 - thick, inner[0] - 1, inner[1] - 1);
  ctx.closePath();
  ctx.fill();
  if (lash > 0.7) {
    ctx.lineWidth = 3;
    ctx.beginPath();
    for (const [at, long] of [[0.62, 9], [0.82, 12], [1, 13]]) {
      const x = half * at;
      const y = at === 1 ? outer[1] : -up * (1.1 - at * 0.72) - 3;
      ctx.moveTo(x, y);
      ctx.quadraticCurveTo(x + long * 0.6, y - 2, x + long, y - long * 0.7);
    }
    ctx.stroke();
  }
  // Lower lid and the crease above.
  ctx.strokeStyle = skin.deep;
  ctx.globalAlpha = 0.75;
  ctx.lineWidth = 2.6;
  ctx.beginPath();
  ctx.moveTo(half * 0.94, outer[1] + 2);
  ctx.bezierCurveTo(half * 0.55, down * 1.1, -half * 0.2, down * 1.2, -half * 0.5, down * 0.9);
  ctx.stroke();
  ctx.globalAlpha = 0.55 * Math.min(1, 0.3 + lids);
  ctx.lineWidth = 3;
  ctx.beginPath();
  ctx.moveTo(-half * 0.78, -up * 0.5 - 11);
  ctx.bezierCurveTo(-half * 0.3, -up * 1.2 - 10, half * 0.5, -up * 1.25 - 12, half * 1.02, -up * 0.35 - 11);
  ctx.stroke();
  ctx.restore();
}

function drawBrow(ctx, rig, p, s) {
  const { hair } = rig.palette;
  const thick = (rig.face?.brows ?? 1) * 11;
  const raise = p.browRaise * 17 + (s < 0 ? p.browSkew * 12 : 0);
  const inner = raise + 5 + p.browTilt * 13; // + lifts the inner ends: sorry; - lowers them: serious
  ctx.save();
  ctx.translate(500 + s * (EYE_X + 2), EYE_Y - 58);
  ctx.scale(s, 1);
  ctx.fillStyle = hair.brow ?? hair.dark;
  ctx.beginPath();
  ctx.moveTo(-40, 9 - inner);
  ctx.quadraticCurveTo(-2, -13 - raise, 48, 5 - raise * 0.6 + p.browTilt * 3);
  ctx.quadraticCurveTo(2, -13 - raise + thick * 1.15, -38, 9 - inner + thick);
  ctx.quadraticCurveTo(-46, 14 - inner, -40, 9 - inner);
  ctx.fill();
  ctx.restore();
}

function drawNose(ctx, rig, p) {
  const { skin } = rig.palette;
  const w = rig.face?.nose ?? 1;
  ctx.fillStyle = skin.light;
  ctx.globalAlpha = 0.7;
  ctx.beginPath();
  ctx.ellipse(497, 392, 7, 34, 0.02, 0, Math.PI * 2);
  ctx.fill();
  ctx.globalAlpha = 0.55;
  ctx.fillStyle = skin.shade;
  ctx.beginPath();
  ctx.moveTo(512 + p.yaw * 4, 372);
  ctx.bezierCurveTo(518, 400, 521 + 6 * w, 414, 523 + 3 * w, 426);
  ctx.bezierCurveTo(520, 436, 508, 438, 500, 437);
  ctx.bezierCurveTo(510, 428, 512, 400, 512 + p.yaw * 4, 372);
  ctx.fill();
  ctx.globalAlpha = 0.9;
  ctx.strokeStyle = skin.deep;
  ctx.lineWidth = 3.4;
  ctx.beginPath();
  ctx.moveTo(500 - 22 * w, 424);
  ctx.quadraticCurveTo(500 - 25 * w, 434, 500 - 16 * w, 435);
  ctx.quadraticCurveTo(500 - 8, 432, 500, 439);
  ctx.quadraticCurveTo(500 + 8, 432, 500 + 16 * w, 435);
  ctx.quadraticCurveTo(500 + 25 * w, 434, 500 + 22 * w, 424);
  ctx.stroke();
  ctx.globalAlpha = 0.8;
  ctx.fillStyle = "#fff";
  ctx.beginPath();
  ctx.ellipse(496, 419, 6, 4.5, -0.3, 0, Math.PI * 2);
  ctx.globalAlpha = 0.35;
  ctx.fill();
  ctx.globalAlpha = 1;
}

/** The numbers of a mouth, from its parameters: half width, corners, inner edges, lips. */
export function mouthShape(rig, p) {
  const full = rig.face?.lips ?? 1;
  const smile = p.smile;
  const half = 47 * (1 + 0.22 * p.width - 0.42 * p.round + 0.16 * smile - 0.08 * p.open);
  const corner = -smile * 13 + p.open * 5 + (smile < 0 ? 2 : 0);
  const gap = p.open * (1 - p.press);
  const top = -gap * 11 - p.teeth * 2 * (1 - p.press) + smile * 2.5;
  const bottom = Math.max(gap * 44 - p.bite * 4, top) + smile * 3.5 * (gap > 0.03 ? 1 : 0.72);
  const upper = 10.5 * full * (1 - 0.5 * p.press) * (1 + 0.25 * p.round);
  const lower = 14.5 * full * (1 - 0.45 * p.press - 0.5 * p.bite) * (1 + 0.22 * p.round - 0.12 * p.open);
  return { half, corner, top, bottom, upper, lower, closed: bottom - top < 2.5 };
}

function drawMouth(ctx, rig, p) {
  const { lips, skin } = rig.palette;
  const m = mouthShape(rig, p);
  ctx.save();
  ctx.translate(500, MOUTH_Y + 4);
  const { half, corner, top, bottom } = m;
  const upperEdge = (path) => path.bezierCurveTo(-half * 0.5, top * 1.25, half * 0.5, top * 1.25, half, corner);
  const lowerEdge = (path) => path.bezierCurveTo(half * 0.52, bottom * 1.28, -half * 0.52, bottom * 1.28, -half, corner);

  const cavity = new Path2D();
  cavity.moveTo(-half, corner);
  upperEdge(cavity);
  lowerEdge(cavity);
  cavity.closePath();

  if (!m.closed) {
    ctx.fillStyle = lips.inside ?? "#5b1a22";
    ctx.fill(cavity);
    ctx.save();
    ctx.clip(cavity);
    // Tongue, then teeth over it: upper ones always a little, all of them when the sound shows them.
    const rise = p.tongue * (bottom - top) * 0.62;
    ctx.fillStyle = lips.tongue ?? "#d66a72";
    ctx.beginPath();
    ctx.ellipse(0, bottom * 1.02 + 10 - rise, half * 0.62, 16 + (bottom - top) * 0.14, 0, 0, Math.PI * 2);
    ctx.fill();
    const shown = 7 + 7 * p.teeth + 3 * Math.max(0, p.smile);
    ctx.fillStyle = "#fffdf8";
    ctx.beginPath();
    ctx.roundRect(-half * 0.78, top - 14, half * 1.56, 14 + shown, [0, 0, 9, 9]);
    ctx.fill();
    ctx.strokeStyle = "rgba(120,80,80,.16)";
    ctx.lineWidth = 1.5;
    ctx.beginPath();
    for (const x of [-0.42, -0.2, 0, 0.2, 0.42]) {
      ctx.moveTo(half * x, top - 10);
      ctx.lineTo(half * x, top + shown - 3);
    }
    ctx.stroke();
    if (p.teeth > 0.5) {
      ctx.fillStyle = "#f3ece4";
      ctx.fillRect(-half * 0.6, bottom - 2 - 6 * p.teeth, half * 1.2, 12);
    }
    const dusk = ctx.createLinearGradient(0, top - 2, 0, top + 12);
    dusk.addColorStop(0, "rgba(50,10,20,.42)");
    dusk.addColorStop(1, "rgba(50,10,20,0)");
    ctx.fillStyle = dusk;
    ctx.fillRect(-half, top - 12, half * 2, 26);
    ctx.restore();
  }

  // Lower lip.
  const lower = new Path2D();
  lower.moveTo(-half, corner);
  lower.bezierCurveTo(-half * 0.52, bottom * 1.28, half * 0.52, bottom * 1.28, half, corner);
  lower.bezierCurveTo(half * 0.62, bottom + m.lower * 1.5, -half * 0.62, bottom + m.lower * 1.5, -half, corner);
  lower.closePath();
  const tone = ctx.createLinearGradient(0, bottom - 2, 0, bottom + m.lower + 4);
  tone.addColorStop(0, lips.base);
  tone.addColorStop(0.45, lips.light);
  tone.addColorStop(1, lips.base);
  ctx.fillStyle = tone;
  ctx.fill(lower);
  // Upper lip, over the lower one when the lips are pressed or bitten.
  const peak = top - m.upper;
  const upper = new Path2D();
  upper.moveTo(-half, corner);
  upper.bezierCurveTo(-half * 0.6, peak + m.upper * 0.35, -half * 0.32, peak - 1, -half * 0.17, peak);
  upper.quadraticCurveTo(0, peak + m.upper * 0.5, half * 0.17, peak);
  upper.bezierCurveTo(half * 0.32, peak - 1, half * 0.6, peak + m.upper * 0.35, half, corner);
  upper.bezierCurveTo(half * 0.5, top * 1.25, -half * 0.5, top * 1.25, -half, corner);
  upper.closePath();
  ctx.fillStyle = lips.dark;
  ctx.fill(upper);
  if (p.bite > 0.05) {
    ctx.fillStyle = "#fffdf8";
    ctx.globalAlpha = p.bite;
    ctx.beginPath();
    ctx.roundRect(-half * 0.38, top - 1, half * 0.76, 6, 3);
    ctx.fill();
    ctx.globalAlpha = 1;
  }
  // The line between the lips, and the corners.
  ctx.strokeStyle = lips.line ?? "#7c2f38";
  ctx.lineWidth = m.closed ? 3.4 : 2;
  ctx.globalAlpha = m.closed ? 0.95 : 0.5;
  ctx.beginPath();
  ctx.moveTo(-half - 2, corner - 1);
  ctx.bezierCurveTo(-half * 0.5, top * 1.25, half * 0.5, top * 1.25, half + 2, corner - 1);
  ctx.stroke();
  ctx.globalAlpha = 0.5 * Math.max(0, p.smile);
  ctx.strokeStyle = skin.deep;
  ctx.lineWidth = 3;
  for (const s of [-1, 1]) {
    ctx.beginPath();
    ctx.moveTo(s * (half + 6), corner - 8);
    ctx.quadraticCurveTo(s * (half + 12), corner, s * (half + 7), corner + 8);
    ctx.stroke();
  }
  ctx.globalAlpha = 0.35;
  ctx.fillStyle = "#fff";
  ctx.beginPath();
  ctx.ellipse(-4, bottom + m.lower * 0.5, half * 0.22, Math.max(1.5, m.lower * 0.14), 0, 0, Math.PI * 2);
  ctx.fill();
  // The shade under the lower lip gives it volume.
  ctx.globalAlpha = 0.4;
  ctx.fillStyle = skin.shade;
  ctx.beginPath();
  ctx.ellipse(0, bottom + m.lower * 1.15 + 11, half * 0.5, 5, 0, 0, Math.PI * 2);
  ctx.fill();
  ctx.restore();
}

function drawStubble(ctx, rig, p) {
  const { hair } = rig.palette;
  ctx.save();
  ctx.clip(faceOutline(rig, p));
  const shade = ctx.createLinearGradient(0, 420, 0, 500);
  shade.addColorStop(0, transparent(hair.dark));
  shade.addColorStop(1, hair.dark);
  ctx.fillStyle = shade;
  ctx.globalAlpha = rig.face.stubble;
  ctx.beginPath();
  ctx.moveTo(360, 380);
  ctx.lineTo(372, 380);
  ctx.bezierCurveTo(396, 440, 420, 452, 440, 450);
  ctx.bezierCurveTo(470, 440, 530, 440, 560, 450);
  ctx.bezierCurveTo(580, 452, 604, 440, 628, 380);
  ctx.lineTo(660, 380);
  ctx.lineTo(660, 600);
  ctx.lineTo(340, 600);
  ctx.closePath();
  ctx.fill();
  ctx.restore();
}

function drawGlasses(ctx, rig) {
  ctx.strokeStyle = rig.palette.glasses ?? "#2b2b33";
  ctx.lineWidth = 6;
  for (const s of [-1, 1]) {
    ctx.beginPath();
    ctx.roundRect(500 + s * EYE_X - 48, EYE_Y - 36, 96, 74, 30);
    ctx.fillStyle = "rgba(255,255,255,.10)";
    ctx.fill();
    ctx.stroke();
    ctx.beginPath();
    ctx.moveTo(500 + s * (EYE_X + 48), EYE_Y - 12);
    ctx.lineTo(500 + s * 130, EYE_Y - 18);
    ctx.stroke();
  }
  ctx.beginPath();
  ctx.moveTo(484, EYE_Y - 6);
  ctx.quadraticCurveTo(500, EYE_Y - 16, 516, EYE_Y - 6);
  ctx.stroke();
}
