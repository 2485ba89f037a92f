/** Layers of a rig: hair and what lies on clothes. Shapes, and strands or curls combed over them. */

import { seeded } from "../life.js";
import { curve, ribbon } from "./brush.js";
import { faceOutline } from "./head.js";

const paths = new Map();

/** Path data of a layer, parsed once. */
export function path(data) {
  let found = paths.get(data);
  if (!found) paths.set(data, (found = new Path2D(data)));
  return found;
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

/** Draw one layer; the caller has set the frame. */
export function drawLayer(ctx, rig, layer) {
  ctx.save();
  ctx.globalAlpha = layer.alpha ?? 1;
  if (layer.clip === "face") ctx.clip(faceOutline(rig, 0));
  if (layer.d) {
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
    if (layer.clip === "self") ctx.clip(shape);
  }
  for (const lock of layer.strands ?? []) strands(ctx, rig, lock);
  if (layer.curls) curls(ctx, rig, layer.curls, path(layer.d));
  ctx.restore();
}

/** Hair between two curves: each strand lies somewhere between them, a little off. */
function strands(ctx, rig, { from, to, count = 40, colours, width = [1.5, 4], jitter = 6, seed = 1, alpha = 0.5 }) {
  const random = seeded(seed);
  for (let at = 0; at < count; at += 1) {
    const share = random();
    const line = from.map((value, i) => value + (to[i] - value) * share + (random() - 0.5) * jitter * (i < 2 ? 0.4 : 1));
    const thick = width[0] + (width[1] - width[0]) * random();
    ctx.fillStyle = paint(ctx, rig, colours[Math.floor(random() * colours.length)]);
    ctx.globalAlpha = alpha * (0.35 + 0.65 * random());
    // A strand is thin at both ends.
    ctx.fill(ribbon(curve(line, 14), (t) => thick * (0.12 + 0.88 * Math.sin(Math.PI * Math.min(1, t * 0.92 + 0.06))), { caps: false }));
  }
}

/** Curly hair: many small springs inside the shape, dark ones first, light ones on top. */
function curls(ctx, rig, { box, count, size, colours, seed = 1, light = [0, 0], reach = 600 }, shape) {
  const random = seeded(seed);
  const [x0, y0, x1, y1] = box;
  ctx.lineCap = "round";
  const found = [];
  for (let tries = 0; found.length < count && tries < count * 8; tries += 1) {
    const x = x0 + (x1 - x0) * random();
    const y = y0 + (y1 - y0) * random();
    ctx.save();
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    const inside = ctx.isPointInPath(shape, x, y);
    ctx.restore();
    if (inside) found.push([x, y]);
  }
  found.forEach(([x, y], at) => {
    const layer = at / found.length;
    const near = Math.max(0, 1 - Math.hypot(x - light[0], y - light[1]) / reach);
    const step = Math.min(colours.length - 1, Math.floor((layer * 0.55 + near * 0.6) * colours.length * random() * 1.25));
    ctx.strokeStyle = paint(ctx, rig, colours[step]);
    ctx.globalAlpha = 0.55 + 0.35 * random();
    ctx.lineWidth = size * (0.14 + 0.1 * random());
    const r = size * (0.34 + 0.3 * random());
    const begin = random() * Math.PI * 2;
    ctx.beginPath();
    for (let turn = 0; turn <= 1.001; turn += 0.08) {
      const angle = begin + turn * Math.PI * (1.5 + 0.4 * layer);
      const far = r * (1 - turn * 0.45);
      const px = x + Math.cos(angle) * far;
      const py = y + Math.sin(angle) * far * 0.9 + turn * r * 0.5;
      if (turn) ctx.lineTo(px, py);
      else ctx.moveTo(px, py);
    }
    ctx.stroke();
  });
}
