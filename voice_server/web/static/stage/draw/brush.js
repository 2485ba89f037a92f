/**
 * What the painters share: soft spots, ribbons with a round side, and sprites: parts that do not
 * change are painted once on a canvas of their own and copied from then on.
 */

/** The same colour without substance: fading to transparent black would leave a dirty rim. */
export function clear(colour) {
  if (colour.startsWith("#")) return `${colour.slice(0, 7)}00`;
  return colour.replace(/[\d.]+\)$/, "0)");
}

/** A spot that fades to nothing: the only shading there is. No filters: they cost a frame each. */
export function soft(ctx, x, y, rx, ry, colour, alpha = 1, turn = 0) {
  ctx.save();
  ctx.translate(x, y);
  ctx.rotate(turn);
  ctx.scale(1, ry / rx);
  const fade = ctx.createRadialGradient(0, 0, 0, 0, 0, rx);
  fade.addColorStop(0, colour);
  fade.addColorStop(1, clear(colour));
  ctx.globalAlpha *= alpha;
  ctx.fillStyle = fade;
  ctx.fillRect(-rx, -rx, 2 * rx, 2 * rx);
  ctx.restore();
}

/** A gradient along a line; `stops` are `[at, colour]`. */
export function along(ctx, x0, y0, x1, y1, stops) {
  const tone = ctx.createLinearGradient(x0, y0, x1, y1);
  for (const [at, colour] of stops) tone.addColorStop(at, colour);
  return tone;
}

/** Points of a cubic curve `[x0, y0, cx0, cy0, cx1, cy1, x1, y1]`. */
export function curve([x0, y0, a, b, c, d, x1, y1], pieces = 12) {
  return Array.from({ length: pieces + 1 }, (_, at) => {
    const t = at / pieces;
    const u = 1 - t;
    return {
      x: u * u * u * x0 + 3 * u * u * t * a + 3 * u * t * t * c + t * t * t * x1,
      y: u * u * u * y0 + 3 * u * u * t * b + 3 * u * t * t * d + t * t * t * y1,
    };
  });
}

/** Cut the corners of a polyline twice (Chaikin); its ends stay. */
export function rounded(points) {
  let found = points;
  for (let turn = 0; turn < 2; turn += 1) {
    const next = [found[0]];
    for (let at = 0; at + 1 < found.length; at += 1) {
      const a = found[at];
      const b = found[at + 1];
      next.push({ x: a.x * 0.75 + b.x * 0.25, y: a.y * 0.75 + b.y * 0.25 });
      next.push({ x: a.x * 0.25 + b.x * 0.75, y: a.y * 0.25 + b.y * 0.75 });
    }
    next.push(found.at(-1));
    found = next;
  }
  return found;
}

/** Unit normals of a polyline, to the left of its way. */
export function normals(points) {
  return points.map((_, at) => {
    const a = points[Math.max(0, at - 1)];
    const b = points[Math.min(points.length - 1, at + 1)];
    const long = Math.hypot(b.x - a.x, b.y - a.y) || 1;
    return { x: (b.y - a.y) / long, y: -(b.x - a.x) / long };
  });
}

/**
 * A band around a line: `width(share)` across, its middle moved by `shift(normal, width)`; `caps`
 * rounds the ends.
 */
export function ribbon(points, width, { shift = () => 0, caps = true } = {}) {
  const side = normals(points);
  const last = points.length - 1;
  const left = [];
  const right = [];
  for (let at = 0; at <= last; at += 1) {
    const w = width(at / last);
    const move = shift(side[at], w);
    const x = points[at].x + side[at].x * move;
    const y = points[at].y + side[at].y * move;
    left.push([x + (side[at].x * w) / 2, y + (side[at].y * w) / 2]);
    right.push([x - (side[at].x * w) / 2, y - (side[at].y * w) / 2]);
  }
  const t = new Path2D();
  const smooth = (line, first) => {
    if (first) t.moveTo(...line[0]);
    else t.lineTo(...line[0]);
    for (let at = 1; at < line.length - 1; at += 1) {
      const [x, y] = line[at];
      const [nx, ny] = line[at + 1];
      t.quadraticCurveTo(x, y, (x + nx) / 2, (y + ny) / 2);
    }
    t.lineTo(...line.at(-1));
  };
  smooth(left, true);
  if (caps) cap(t, left.at(-1), right.at(-1));
  smooth(right.reverse(), false);
  if (caps) cap(t, right.at(-1), left[0]);
  t.closePath();
  return t;
}

function cap(t, [ax, ay], [bx, by]) {
  const radius = Math.hypot(bx - ax, by - ay) / 2;
  const angle = Math.atan2(ay - by, ax - bx);
  t.arc((ax + bx) / 2, (ay + by) / 2, radius, angle, angle + Math.PI, false);
}

/** The light comes from the viewer's upper left. */
const LIGHT = { x: -0.62, y: -0.78 };

/** A round limb: its shade, its own colour, and the light along one side. */
export function tube(ctx, points, width, { shade, base, light, edge = null }, caps = true) {
  if (edge) {
    ctx.globalAlpha = 0.4;
    ctx.fillStyle = edge;
    ctx.fill(ribbon(points, (t) => width(t) + 5, { caps }));
    ctx.globalAlpha = 1;
  }
  ctx.fillStyle = shade;
  ctx.fill(ribbon(points, width, { caps }));
  const lit = (normal) => normal.x * LIGHT.x + normal.y * LIGHT.y;
  for (const [part, move, colour, alpha] of [
    [0.94, 0.02, base, 0.28], [0.87, 0.05, base, 0.34], [0.78, 0.085, base, 0.5], [0.68, 0.12, base, 0.8],
    [0.54, 0.16, light, 0.12], [0.44, 0.18, light, 0.14], [0.33, 0.2, light, 0.16], [0.2, 0.21, light, 0.2],
  ]) {
    ctx.globalAlpha = alpha;
    ctx.fillStyle = colour;
    ctx.fill(ribbon(points, (t) => width(t) * part, { caps, shift: (n, w) => (lit(n) * w * move) / part }));
  }
  ctx.globalAlpha = 1;
}

/** Parts painted once, at the size at which they are shown; another size paints them anew. */
export class Sprites {
  constructor() {
    this.kept = new Map();
    this.density = 0;
  }

  /** Pixels per unit of the rig. */
  at(density) {
    if (Math.abs(density - this.density) < 1e-3) return;
    this.density = density;
    this.kept.clear();
  }

  /** Copy `name` to where its box `[x, y, w, h]` is; `paint(ctx)` draws it the first time. */
  draw(ctx, name, [x, y, w, h], paint) {
    let canvas = this.kept.get(name);
    if (!canvas) {
      canvas = new OffscreenCanvas(Math.ceil(w * this.density) || 1, Math.ceil(h * this.density) || 1);
      const inner = canvas.getContext("2d");
      inner.scale(this.density, this.density);
      inner.translate(-x, -y);
      inner.lineCap = inner.lineJoin = "round";
      paint(inner);
      this.kept.set(name, canvas);
    }
    ctx.drawImage(canvas, x, y, canvas.width / this.density, canvas.height / this.density);
  }
}
