/** Neck and clothes, painted once. Shoulders are `body.shoulders` wide to each side. */

import { along, clear, soft } from "./brush.js";
import { drawLayer } from "./hair.js";

const SHOULDER_Y = 800;

/** Where an arm hangs from the torso. */
export function shoulderOf(rig, s) {
  const w = rig.body?.shoulders ?? 268;
  return { x: 500 + s * (w - 50), y: SHOULDER_Y };
}

/** Half the opening at the neck, and how deep it goes, by `body.neckline`. */
const NECKLINES = {
  vee: { side: 46, y: 668, depth: 872, round: 0 },
  round: { side: 44, y: 664, depth: 716, round: 1 },
  high: { side: 22, y: 634, depth: 668, round: 1 },
};

/** The outline of the clothes. */
export function torsoPath(rig) {
  const w = rig.body?.shoulders ?? 268;
  const neck = rig.body?.neck ?? 54;
  const waist = w * (rig.body?.waist ?? 0.66);
  const { side, y, depth, round } = NECKLINES[rig.body?.neckline ?? "round"];
  const n = neck + side;
  const t = new Path2D();
  t.moveTo(500 - n, y);
  if (round) {
    t.bezierCurveTo(500 - n + 8, depth - 10, 500 - n * 0.5, depth, 500, depth);
    t.bezierCurveTo(500 + n * 0.5, depth, 500 + n - 8, depth - 10, 500 + n, y);
  } else {
    t.bezierCurveTo(500 - n + 24, y + 70, 500 - 30, depth - 60, 500, depth);
    t.bezierCurveTo(500 + 30, depth - 60, 500 + n - 24, y + 70, 500 + n, y);
  }
  for (const s of [1, -1]) {
    // Down one side and up the other.
    const x = (d) => 500 + s * d;
    const down = [
      [x(n + 46), y + 34, x(w - 62), SHOULDER_Y - 76, x(w - 26), SHOULDER_Y - 38],
      [x(w + 6), SHOULDER_Y - 10, x(w + 2), SHOULDER_Y + 60, x(w - 26), SHOULDER_Y + 110],
      [x(w - 44), 985, x(waist + 4), 1060, x(waist), 1130],
      [x(waist), 1210, x(waist + 22), 1290, x(waist + 44), 1420],
    ];
    if (s > 0) for (const c of down) t.bezierCurveTo(...c);
    else {
      t.lineTo(x(waist + 44), 1420);
      const ends = [[x(n), y], ...down.map((c) => c.slice(4))];
      for (let at = down.length - 1; at >= 0; at -= 1) {
        const [ax, ay, bx, by] = down[at];
        t.bezierCurveTo(bx, by, ax, ay, ...ends[at]);
      }
    }
  }
  t.closePath();
  return t;
}

/** Neck, neckline, clothes with their folds, and the layers that lie on them. */
export function drawBody(ctx, rig) {
  const { skin, outfit } = rig.palette;
  const w = rig.body?.shoulders ?? 268;
  const neck = rig.body?.neck ?? 54;
  drawNeck(ctx, rig, neck);
  for (const layer of rig.layers) if (layer.place === "under") drawLayer(ctx, rig, layer);
  const torso = torsoPath(rig);
  // A soft shadow of the clothes on the skin.
  if (rig.body?.neckline !== "high") {
    ctx.save();
    ctx.clip(neckPath(neck));
    ctx.strokeStyle = skin.deep;
    for (const [width, alpha] of [[16, 0.1], [8, 0.16]]) {
      ctx.lineWidth = width;
      ctx.globalAlpha = alpha;
      ctx.stroke(torso);
    }
    ctx.restore();
  }
  ctx.fillStyle = along(ctx, 500 - w, 680, 500 + w, 1100, [[0, outfit.light], [0.38, outfit.base], [0.72, outfit.base], [1, outfit.shade]]);
  ctx.fill(torso);
  ctx.save();
  ctx.clip(torso);
  // Volumes: the chest in the light, sides and waist turning away, the shadow of the chin.
  soft(ctx, 500 - w * 0.42, 880, w * 0.46, 150, outfit.light, 0.6);
  soft(ctx, 500 + w * 0.4, 890, w * 0.34, 120, outfit.light, 0.4);
  if (rig.body?.chest) {
    for (const s of [-1, 1]) soft(ctx, 500 + s * w * 0.38, 985, w * 0.4, 46, outfit.edge, 0.2, s * -0.12);
    soft(ctx, 500, 940, 22, 90, outfit.edge, 0.14);
  }
  for (const s of [-1, 1]) {
    soft(ctx, 500 + s * (w - 8), 1040, 84, 240, outfit.edge, s > 0 ? 0.75 : 0.6);
    soft(ctx, 500 + s * (w - 96), 912, 34, 96, outfit.edge, 0.55, s * 0.16);
  }
  soft(ctx, 505, 664, 150, 96, outfit.edge, 0.42);
  for (const layer of rig.layers) if (layer.place === "torso") drawLayer(ctx, rig, layer);
  drawFolds(ctx, outfit, w);
  // Light from behind along the shoulders.
  ctx.strokeStyle = along(ctx, 500, 680, 500 + w, 800, [[0, clear(outfit.rim ?? outfit.light)], [0.55, outfit.rim ?? outfit.light], [1, clear(outfit.rim ?? outfit.light)]]);
  ctx.lineWidth = 9;
  ctx.globalAlpha = 0.55;
  ctx.stroke(torso);
  ctx.restore();
  for (const layer of rig.layers) if (layer.place === "collar") drawLayer(ctx, rig, layer);
}

function neckPath(neck) {
  const shape = new Path2D();
  shape.moveTo(500 - neck, 470);
  shape.bezierCurveTo(500 - neck + 5, 570, 500 - neck - 4, 622, 500 - neck - 66, 668);
  shape.lineTo(500 - neck - 120, 720);
  shape.lineTo(410, 900);
  shape.lineTo(590, 900);
  shape.lineTo(500 + neck + 120, 720);
  shape.lineTo(500 + neck + 66, 668);
  shape.bezierCurveTo(500 + neck + 4, 622, 500 + neck - 5, 570, 500 + neck, 470);
  shape.closePath();
  return shape;
}

function drawNeck(ctx, rig, neck) {
  const { skin } = rig.palette;
  const shape = neckPath(neck);
  ctx.fillStyle = along(ctx, 420, 540, 580, 760, [[0, skin.base], [0.5, skin.base], [1, skin.shade]]);
  ctx.fill(shape);
  ctx.save();
  ctx.clip(shape);
  soft(ctx, 505, 548, 132, 88, skin.deep, 0.95);
  soft(ctx, 512, 590, 84, 62, skin.deep, 0.5);
  soft(ctx, 500 + neck, 620, 34, 100, skin.deep, 0.4);
  soft(ctx, 452, 660, 44, 40, skin.light, 0.4);
  soft(ctx, 440, 772, 70, 60, skin.light, 0.55);
  soft(ctx, 556, 772, 52, 50, skin.light, 0.3);
  // Muscles of the neck, collar bones and the pit between them.
  for (const s of [-1, 1]) {
    soft(ctx, 500 + s * 21, 650, 9, 62, skin.shade, 0.5, s * 0.3);
    soft(ctx, 500 + s * 66, 706, 52, 8, skin.shade, 0.75, s * -0.12);
    soft(ctx, 500 + s * 64, 697, 48, 6, skin.light, 0.6, s * -0.12);
  }
  soft(ctx, 500, 704, 13, 13, skin.deep, 0.35);
  ctx.restore();
}

function drawFolds(ctx, outfit, w) {
  for (const s of [-1, 1]) {
    for (const [x, y, rx, ry, turn, alpha] of [
      [w - 84, 868, 62, 7, -0.62, 0.26], [w - 104, 912, 74, 6, -0.42, 0.18], [w - 116, 1060, 60, 6, 0.4, 0.26],
      [w - 128, 1110, 66, 7, 0.3, 0.3], [60, 1150, 90, 6, 0.1, 0.2],
    ]) {
      soft(ctx, 500 + s * x, y, rx, ry, outfit.edge, alpha, s * -turn);
      soft(ctx, 500 + s * x, y - 11, rx * 0.9, ry, outfit.light, alpha * 0.7, s * -turn);
    }
  }
}
