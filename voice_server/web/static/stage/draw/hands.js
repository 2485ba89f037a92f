/**
 * Hands, drawn with the wrist at the origin and the fingers upwards (-y), about 130 units long.
 * The thumb is on the right; the painter mirrors it for the other hand.
 */

import { curve, ribbon, soft } from "./brush.js";

/** A finger: from where, how long it shows, its direction, how far it curls, how thick. */
const finger = (x, y, length, angle, curl = 0, width = 18) => ({ x, y, length, angle, curl, width });

/**
 * Shapes: fingers from the little one to the first; `front` are drawn over the palm (a fist's).
 * `inside`: the palm faces the viewer, so there are no nails.
 */
export const HANDS = {
  relaxed: { palm: [42, 58], fingers: [finger(-22, -56, 40, -0.2, 0.28, 16), finger(-8, -63, 52, -0.08, 0.2), finger(8, -64, 54, 0.04, 0.12), finger(22, -57, 46, 0.14, 0.06)], thumb: finger(22, -24, 44, 0.62, -0.4, 20) },
  open: { palm: [44, 60], fingers: [finger(-24, -54, 48, -0.42, 0.1, 16), finger(-9, -63, 64, -0.14, 0.04), finger(8, -64, 66, 0.06, -0.04), finger(23, -57, 56, 0.28, -0.08)], thumb: finger(25, -22, 52, 0.95, -0.35, 20), inside: true },
  point: { palm: [42, 52], fingers: [finger(-20, -44, 8, 0, 0, 17), finger(-7, -50, 9, 0, 0, 19), finger(7, -51, 9, 0, 0, 19), finger(21, -50, 74, 0.05, -0.05, 18)], thumb: finger(20, -22, 40, -0.42, -0.5, 20), fist: 3 },
  fist: { palm: [44, 50], fingers: [finger(-21, -42, 10, 0, 0, 18), finger(-7, -47, 10, 0, 0, 20), finger(7, -47, 10, 0, 0, 20), finger(21, -43, 10, 0, 0, 19)], thumb: finger(22, -20, 42, -0.5, -0.6, 21), fist: 4 },
  thumb: { palm: [44, 54], fingers: [finger(16, -8, 26, -1.62, 0, 15), finger(20, -24, 34, -1.6, 0, 17), finger(22, -41, 36, -1.57, 0, 18), finger(20, -58, 34, -1.5, 0, 18)], thumb: finger(15, -58, 46, 0.1, 0.12, 23), fist: 4, sideways: true },
  two: { palm: [42, 54], fingers: [finger(-21, -44, 8, 0, 0, 17), finger(-8, -49, 8, 0, 0, 18), finger(6, -56, 78, -0.12, 0.03), finger(21, -54, 72, 0.17, -0.03)], thumb: finger(20, -20, 42, -0.62, -0.5, 20), fist: 2, inside: true },
  flat: { palm: [42, 60], fingers: [finger(-21, -58, 48, -0.07, 0.06, 16), finger(-7, -64, 60, -0.03, 0.03), finger(7, -64, 62, 0.02, 0), finger(21, -59, 54, 0.06, -0.02)], thumb: finger(22, -26, 46, 0.42, -0.4, 20) },
  hold: { palm: [40, 52], fingers: [finger(-20, -44, 26, -0.1, 0.2, 17), finger(-7, -50, 32, -0.04, 0.16, 18), finger(7, -50, 33, 0.03, 0.1, 18), finger(20, -44, 30, 0.1, 0.06, 17)], thumb: finger(20, -24, 48, 0.34, -0.5, 20) },
};

/** The line of a finger. */
function lineOf(f) {
  const bend = f.angle + f.curl;
  const mid = { x: f.x + Math.sin(f.angle) * f.length * 0.5, y: f.y - Math.cos(f.angle) * f.length * 0.5 };
  const tip = { x: mid.x + Math.sin(bend) * f.length * 0.5, y: mid.y - Math.cos(bend) * f.length * 0.5 };
  return curve([f.x, f.y, mid.x, mid.y, mid.x, mid.y, tip.x, tip.y], 6);
}

export function drawHand(ctx, rig, shape) {
  const hand = HANDS[shape] ?? HANDS.relaxed;
  const { skin, nails } = rig.palette;
  const scale = rig.body?.hand ?? 1.3;
  ctx.save();
  ctx.scale(scale, scale);
  const [w, h] = hand.palm;
  const palm = (grow) => {
    const t = new Path2D();
    t.moveTo(-19 - grow, 10);
    t.bezierCurveTo(-22 - grow, -8, -w * 0.86 - grow, -h * 0.5, -w * 0.74 - grow, -h - 2 - grow);
    t.bezierCurveTo(-w * 0.4, -h - 14 - grow, w * 0.4, -h - 14 - grow, w * 0.74 + grow, -h - grow);
    t.bezierCurveTo(w * 0.86 + grow, -h * 0.6, 25 + grow, -10, 19 + grow, 10);
    t.closePath();
    return t;
  };
  const taper = (f) => (t) => f.width * (1 - 0.24 * t);
  const shade = skin.deep;
  const one = (f, nailed) => {
    const line = lineOf(f);
    ctx.globalAlpha = 0.55;
    ctx.fillStyle = shade;
    ctx.fill(ribbon(line, (t) => taper(f)(t) + 3));
    ctx.globalAlpha = 1;
    ctx.fillStyle = skin.base;
    ctx.fill(ribbon(line, taper(f)));
    ctx.fillStyle = skin.light;
    ctx.globalAlpha = 0.55;
    ctx.fill(ribbon(line, (t) => taper(f)(t) * 0.46, { shift: (n, x) => (n.x < 0 ? 0.22 : -0.22) * x }));
    ctx.globalAlpha = 1;
    if (nailed && f.length > 26) nail(ctx, line, f, nails ?? skin.light);
    if (f.length > 40) creases(ctx, line, f, shade);
  };
  const folded = hand.fist ?? 0;
  hand.fingers.forEach((f, at) => at >= folded && one(f, !hand.inside));
  ctx.globalAlpha = 0.5;
  ctx.fillStyle = shade;
  ctx.fill(palm(1.6));
  ctx.globalAlpha = 1;
  ctx.fillStyle = skin.base;
  ctx.fill(palm(0));
  ctx.save();
  ctx.clip(palm(0));
  soft(ctx, -8, -h * 0.7, 26, 30, skin.light, 0.7);
  soft(ctx, 24, -20, 22, 40, skin.shade, 0.6);
  soft(ctx, 0, 8, 34, 16, skin.shade, 0.55);
  if (hand.inside) {
    // The lines of the palm, and the ball of the thumb.
    soft(ctx, 16, -26, 18, 24, skin.light, 0.7, 0.3);
    ctx.strokeStyle = shade;
    ctx.lineWidth = 1.6;
    ctx.globalAlpha = 0.4;
    ctx.beginPath();
    ctx.moveTo(26, -h + 16);
    ctx.quadraticCurveTo(-2, -h + 10, -4, -8);
    ctx.moveTo(-28, -h + 18);
    ctx.quadraticCurveTo(-6, -h + 20, 16, -h + 4);
    ctx.stroke();
  } else if (!folded) {
    for (const f of hand.fingers) soft(ctx, f.x * 0.9, f.y + 14, 7, 12, skin.shade, 0.45, f.angle);
  }
  ctx.restore();
  ctx.globalAlpha = 1;
  for (let at = 0; at < folded; at += 1) one(hand.sideways ? hand.fingers[at] : curled(hand.fingers[at]), false);
  one(hand.thumb, !hand.inside || folded > 0);
  ctx.restore();
}

/** A folded finger lies on the palm: short and round, its knuckle up. */
const curled = (f) => ({ ...f, y: f.y + 22, length: 26, curl: 0, width: f.width * 0.98 });

function creases(ctx, line, f, colour) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.2;
  ctx.globalAlpha = 0.28;
  ctx.beginPath();
  for (const at of [2, 4]) {
    const { x, y } = line[at];
    const c = Math.cos(f.angle) * f.width * 0.26;
    const s = Math.sin(f.angle) * f.width * 0.26;
    ctx.moveTo(x - c, y - s);
    ctx.lineTo(x + c, y + s);
  }
  ctx.stroke();
  ctx.globalAlpha = 1;
}

function nail(ctx, line, f, colour) {
  const tip = line.at(-1);
  ctx.save();
  ctx.translate(tip.x, tip.y);
  ctx.rotate(f.angle + f.curl);
  ctx.fillStyle = colour;
  ctx.globalAlpha = 0.9;
  ctx.beginPath();
  ctx.roundRect(-f.width * 0.25, -f.width * 0.33, f.width * 0.5, f.width * 0.62, f.width * 0.24);
  ctx.fill();
  ctx.fillStyle = "#fff";
  ctx.globalAlpha = 0.4;
  ctx.beginPath();
  ctx.ellipse(-f.width * 0.08, -f.width * 0.08, f.width * 0.06, f.width * 0.16, 0, 0, Math.PI * 2);
  ctx.fill();
  ctx.restore();
}
