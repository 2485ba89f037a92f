/** Arms: two bones from the shoulder to the hand, drawn as one bent tube of cloth. */

import { mix } from "../rig.js";
import { rounded, ribbon, soft, tube } from "./brush.js";
import { shoulderOf, torsoPath } from "./body.js";
import { drawHand } from "./hands.js";

const UPPER_ARM = 282;
const FOREARM = 262;
/** Where the sleeve ends on the way from the elbow to the wrist. */
const CUFF = 0.9;

/**
 * Where the elbow is: bent downwards and outwards. A hand near the body has its arm foreshortened
 * (the elbow comes towards the viewer), or it would stick out.
 */
export function elbow(shoulder, hand, side) {
  const dx = hand.x - shoulder.x;
  const dy = hand.y - shoulder.y;
  const far = Math.hypot(dx, dy) || 1;
  const short = Math.min(1, Math.max(0.66, (far * 1.2) / (UPPER_ARM + FOREARM)));
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
  // Next to the body an elbow goes outwards, beside it downwards.
  const outward = hand.y > shoulder.y && s * (hand.x - shoulder.x) < -10 ? 0.9 : 0.15;
  return a.y - b.y + outward * s * (a.x - b.x) > 0 ? a : b;
}

/** An arm's joints; `wrist` is where the cuff ends, the hand is drawn from there on. */
export function poseArm(rig, side, arm, lift) {
  const s = side === "l" ? -1 : 1;
  const shoulder = shoulderOf(rig, s);
  shoulder.y -= lift * 14;
  const hand = { x: arm.x, y: arm.y };
  const bend = elbow(shoulder, hand, side);
  const wrist = { x: mix(bend.x, hand.x, CUFF), y: mix(bend.y, hand.y, CUFF) };
  return { side, s, arm, shoulder, bend, wrist, hand, thick: rig.body?.arm ?? 92 };
}

const cloth = (outfit) => ({ shade: outfit.shade, base: outfit.base, light: outfit.light, edge: outfit.edge });

/** The whole arm's line, and the point of it from which it is drawn again in front of the hair. */
function lineOf(a) {
  const between = (from, to, t) => ({ x: mix(from.x, to.x, t), y: mix(from.y, to.y, t) });
  const { shoulder, bend, wrist } = a;
  const line = rounded([shoulder, between(shoulder, bend, 0.5), between(shoulder, bend, 0.86), bend, between(bend, wrist, 0.3), between(bend, wrist, 0.65), wrist]);
  const lower = Math.floor(line.length * 0.56);
  return { line, lower, width: (t) => a.thick * (1.12 - 0.2 * t - 0.3 * t * t + 0.06 * Math.sin(t * 9)) };
}

/** The arm; the round of the shoulder lies on the torso's. */
export function drawUpperArm(ctx, rig, a) {
  const { outfit } = rig.palette;
  const { line, width } = lineOf(a);
  tube(ctx, line, width, cloth(outfit));
  // The shoulder is one piece with the torso: its cloth runs over the seam.
  ctx.save();
  ctx.clip(torsoPath(rig));
  soft(ctx, a.shoulder.x - a.s * 34, a.shoulder.y - 34, 96, 84, a.s < 0 ? outfit.light : outfit.base, 1);
  soft(ctx, a.shoulder.x - a.s * 40, a.shoulder.y - 26, 84, 78, outfit.base, 0.9);
  ctx.restore();
}

/** From the elbow to the fingers, once more, in front of what hangs over the shoulder. */
export function drawForearm(ctx, rig, a) {
  const { outfit, skin } = rig.palette;
  const { bend, wrist, hand, thick } = a;
  tube(ctx, [wrist, hand], () => thick * 0.5, { shade: skin.shade, base: skin.base, light: skin.light });
  const { line, lower, width } = lineOf(a);
  const share = lower / (line.length - 1);
  tube(ctx, line.slice(lower), (t) => width(share + (1 - share) * t), cloth(outfit), false);
  // The folds in the bend, and the cuff.
  const angle = Math.atan2(wrist.y - bend.y, wrist.x - bend.x);
  ctx.save();
  ctx.translate(bend.x, bend.y);
  ctx.rotate(angle);
  ctx.strokeStyle = outfit.edge;
  ctx.globalAlpha = 0.16;
  for (const wide of [9, 4]) {
    ctx.lineWidth = wide;
    ctx.beginPath();
    for (const [x, bow, y] of [[14, 18, 0.1], [40, 14, 0.2]]) {
      ctx.moveTo(x - 10, a.s * thick * (y - 0.36));
      ctx.quadraticCurveTo(x + bow, a.s * thick * (y - 0.22), x + 4, a.s * thick * y);
    }
    ctx.stroke();
  }
  ctx.restore();
  const ux = Math.cos(angle);
  const uy = Math.sin(angle);
  const cuff = [{ x: wrist.x - ux * 13, y: wrist.y - uy * 13 }, { x: wrist.x + ux * 5, y: wrist.y + uy * 5 }];
  ctx.fillStyle = outfit.cuff ?? outfit.shade;
  ctx.fill(ribbon(cuff, () => thick * 0.66, { caps: false }));
  ctx.fillStyle = outfit.edge;
  ctx.globalAlpha = 0.35;
  ctx.fill(ribbon([cuff[0], { x: wrist.x - ux * 9, y: wrist.y - uy * 9 }], () => thick * 0.66, { caps: false }));
  ctx.globalAlpha = 1;
  ctx.save();
  ctx.translate(hand.x, hand.y);
  ctx.rotate(angle + Math.PI / 2 + (a.arm.turn ?? 0));
  ctx.scale(a.side === "l" ? 1 : -1, 1);
  drawHand(ctx, rig, a.arm.hand ?? "relaxed");
  ctx.restore();
}
