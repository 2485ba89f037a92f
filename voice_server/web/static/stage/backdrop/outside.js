/** What is seen through the window: sky, hills, the country's own silhouette, trees of the season. */

import { seeded } from "../life.js";
import { along, soft } from "../draw/brush.js";

const LOOKS = {
  spring: { sky: ["#bfe0f2", "#eef6ec"], far: "#b9d6b4", near: ["#a5cf8c", "#7fb469"], trees: ["#f6c6d4", "#fbdfe6", "#f0aebf"], trunk: "#8b6a58", sun: "#fffbe4" },
  summer: { sky: ["#8fcdf0", "#e6f5f6"], far: "#9cc7a0", near: ["#8fc56c", "#5e9c48"], trees: ["#5f9b4c", "#7fb75e", "#4d8740"], trunk: "#6e5138", sun: "#fff4b8" },
  autumn: { sky: ["#cfdbe0", "#fbe9cf"], far: "#c7a98a", near: ["#c69b57", "#9d7138"], trees: ["#d9792b", "#e8a33c", "#b9502a"], trunk: "#5b3d28", sun: "#ffe9b8" },
  winter: { sky: ["#c4d3df", "#eef2f4"], far: "#c9d4dc", near: ["#f4f7f9", "#dbe4ea"], trees: ["#dfe8ee", "#c6d3dc", "#f2f6f8"], trunk: "#6d6460", sun: "#fffdf4", snow: true },
  night: { sky: ["#141d3f", "#3b4a7c"], far: "#2b3561", near: ["#26304f", "#171e36"], trees: ["#1d2744", "#232e50", "#1a2340"], trunk: "#141a30", moon: true, lights: true },
  "snow-night": { sky: ["#1a2547", "#51639a"], far: "#46578a", near: ["#cfdbee", "#93a5c8"], trees: ["#22405a", "#2c4c62", "#1d3850"], trunk: "#1c2540", moon: true, lights: true, snow: true, firs: true },
  fireworks: { sky: ["#0d1130", "#2e2a5c"], far: "#231f4a", near: ["#1d1a3c", "#100e26"], trees: ["#17153a", "#1d1a45", "#141233"], trunk: "#0e0c26", lights: true, fireworks: true },
};

export function outside(ctx, w, h, season, country) {
  const look = LOOKS[season] ?? LOOKS.summer;
  const random = seeded(11);
  ctx.fillStyle = along(ctx, 0, 0, 0, h * 0.8, [[0, look.sky[0]], [1, look.sky[1]]]);
  ctx.fillRect(0, 0, w, h);
  if (look.sun) {
    soft(ctx, w * 0.8, h * 0.16, h * 0.5, h * 0.5, look.sun, 0.95);
    for (const [x, y, s] of [[0.16, 0.16, 1], [0.5, 0.1, 0.7], [0.66, 0.28, 0.9], [0.3, 0.32, 0.6]]) cloud(ctx, w * x, h * y, h * 0.1 * s);
  }
  if (look.moon) {
    for (let at = 0; at < 60; at += 1) soft(ctx, w * random(), h * 0.6 * random(), 1.6, 1.6, "#ffffff", 0.3 + 0.6 * random());
    soft(ctx, w * 0.2, h * 0.2, h * 0.24, h * 0.24, "#fff3cf", 0.5);
    ctx.fillStyle = "#fff6dd";
    ctx.beginPath();
    ctx.arc(w * 0.2, h * 0.2, h * 0.055, 0, Math.PI * 2);
    ctx.fill();
  }
  if (look.fireworks) for (const [x, y, s, c] of [[0.13, 0.26, 0.2, "#ffd873"], [0.34, 0.14, 0.14, "#ff8fa3"], [0.56, 0.24, 0.2, "#9fd0ff"], [0.74, 0.12, 0.15, "#ffe9a8"], [0.9, 0.3, 0.17, "#b8f0c2"]]) burst(ctx, w * x, h * y, h * s, c);
  hills(ctx, w, h, 0.62, 0.06, look.far);
  silhouette(ctx, w, h, country, look);
  hills(ctx, w, h, 0.74, 0.04, look.near[0]);
  for (let at = 0; at < 13; at += 1) {
    const x = w * ((at + 0.4 * random()) / 12);
    const size = h * (0.13 + 0.09 * random());
    tree(ctx, x, h * (0.8 + 0.05 * random()), size, look, random);
  }
  hills(ctx, w, h, 0.88, 0.02, look.near[1]);
  if (country === "NL" && season === "spring") {
    for (let at = 0; at < 260; at += 1) soft(ctx, w * random(), h * (0.88 + 0.12 * random()), h * 0.012, h * 0.012, ["#e8483f", "#f6b12d", "#e86aa0"][at % 3], 0.9);
  }
  if (look.snow) for (let at = 0; at < 130; at += 1) soft(ctx, w * random(), h * random(), h * 0.008 * (0.5 + random()), h * 0.008, "#ffffff", 0.9);
}

function hills(ctx, w, h, level, bow, colour) {
  ctx.fillStyle = colour;
  ctx.beginPath();
  ctx.moveTo(0, h);
  ctx.lineTo(0, h * level);
  ctx.bezierCurveTo(w * 0.2, h * (level - bow), w * 0.36, h * (level + bow), w * 0.55, h * level);
  ctx.bezierCurveTo(w * 0.72, h * (level - bow * 1.4), w * 0.86, h * (level + bow * 0.6), w, h * (level - bow * 0.4));
  ctx.lineTo(w, h);
  ctx.fill();
}

function cloud(ctx, x, y, size) {
  for (const [dx, dy, r] of [[-1.2, 0.15, 0.8], [0, -0.15, 1.1], [1.1, 0.12, 0.85], [0.3, 0.25, 1.3]]) soft(ctx, x + dx * size, y + dy * size, r * size * 1.2, r * size * 0.6, "#ffffff", 0.8);
}

function tree(ctx, x, y, size, look, random) {
  ctx.strokeStyle = look.trunk;
  ctx.lineWidth = size * 0.08;
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(x, y - size * 0.6);
  ctx.stroke();
  if (look.firs) {
    ctx.fillStyle = look.trees[Math.floor(random() * 3)];
    for (const at of [0, 0.28, 0.54]) {
      ctx.beginPath();
      ctx.moveTo(x, y - size * (1.2 - at * 0.1) + size * at * 0.2);
      ctx.lineTo(x + size * (0.18 + at * 0.4), y - size * (0.75 - at));
      ctx.lineTo(x - size * (0.18 + at * 0.4), y - size * (0.75 - at));
      ctx.fill();
    }
    return;
  }
  for (let at = 0; at < 16; at += 1) {
    const angle = random() * Math.PI * 2;
    const far = Math.sqrt(random()) * size * 0.42;
    soft(ctx, x + Math.cos(angle) * far, y - size * 0.85 + Math.sin(angle) * far * 0.85, size * 0.3, size * 0.27, look.trees[at % 3], 0.9);
  }
}

function burst(ctx, x, y, size, colour) {
  soft(ctx, x, y, size, size, colour, 0.45);
  ctx.strokeStyle = colour;
  for (let at = 0; at < 22; at += 1) {
    const angle = (at / 22) * Math.PI * 2;
    ctx.lineWidth = size * 0.025;
    ctx.globalAlpha = 0.9;
    ctx.beginPath();
    ctx.moveTo(x + Math.cos(angle) * size * 0.2, y + Math.sin(angle) * size * 0.2);
    ctx.quadraticCurveTo(x + Math.cos(angle) * size * 0.7, y + Math.sin(angle) * size * 0.7, x + Math.cos(angle) * size * 0.95, y + Math.sin(angle) * size * 0.95 + size * 0.12);
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
}

/** Each country's own: gables, a windmill, half-timbered houses, a tower. Scaled to the height. */
const SKYLINES = {
  BE: (box) => [...row(box, [0.06, 0.1, 0.145, 0.19, 0.235, 0.68, 0.725, 0.77, 0.82], "stepped"), spire(box, 0.3, 0.3, 0.05), spire(box, 0.9, 0.26, 0.04)],
  NL: (box) => [mill(box, 0.16), mill(box, 0.8, 0.7), ...row(box, [0.28, 0.32, 0.36, 0.66, 0.7], "bell")],
  DE: (box) => [...row(box, [0.05, 0.11, 0.17, 0.24, 0.7, 0.76, 0.83], "steep"), spire(box, 0.31, 0.34, 0.05), spire(box, 0.92, 0.24, 0.04)],
  FR: (box) => [eiffel(box, 0.17), ...row(box, [0.28, 0.335, 0.39, 0.68, 0.735, 0.79, 0.85], "mansard")],
  GB: (box) => [clockTower(box, 0.15), ...row(box, [0.22, 0.265, 0.31, 0.68, 0.725, 0.77, 0.815], "terrace")],
};
SKYLINES.UK = SKYLINES.GB;

function silhouette(ctx, w, h, country, look) {
  const draw = SKYLINES[country];
  if (!draw) return;
  const box = { w, h, base: h * 0.7, unit: h };
  ctx.globalAlpha = 0.62;
  ctx.fillStyle = ctx.strokeStyle = look.lights ? "#151a38" : "#8a8f98";
  for (const shape of draw(box)) shape(ctx);
  ctx.globalAlpha = 1;
  if (!look.lights) return;
  const random = seeded(5);
  for (let at = 0; at < 40; at += 1) soft(ctx, w * random(), h * (0.6 + 0.1 * random()), h * 0.012, h * 0.014, "#ffcf70", 0.9);
}

function row({ w, base, unit }, places, roof) {
  return places.map((at, i) => (ctx) => {
    const x = w * at;
    const wide = Math.min(w * 0.042, unit * 0.09);
    const wall = unit * (0.1 + ((i * 37) % 5) * 0.012);
    const top = base - wall;
    const tip = unit * 0.07;
    ctx.beginPath();
    ctx.moveTo(x - wide / 2, base + unit * 0.1);
    ctx.lineTo(x - wide / 2, top);
    if (roof === "stepped") for (let s = 0; s < 4; s += 1) {
      ctx.lineTo(x - wide / 2 + (wide / 8) * s, top - (tip / 4) * (s + 1));
      ctx.lineTo(x - wide / 2 + (wide / 8) * (s + 1), top - (tip / 4) * (s + 1));
    }
    else if (roof === "bell") ctx.bezierCurveTo(x - wide * 0.4, top - tip * 0.5, x - wide * 0.2, top - tip * 0.3, x - wide * 0.15, top - tip);
    else if (roof === "mansard") ctx.lineTo(x - wide * 0.36, top - tip * 0.7);
    else if (roof === "terrace") ctx.lineTo(x - wide * 0.3, top - tip * 0.5);
    ctx.lineTo(x, roof === "mansard" ? top - tip * 0.7 : top - tip * (roof === "steep" ? 1.5 : roof === "terrace" ? 0.5 : 1));
    if (roof === "stepped") for (let s = 3; s >= 0; s -= 1) {
      ctx.lineTo(x + wide / 2 - (wide / 8) * (s + 1), top - (tip / 4) * (s + 1));
      ctx.lineTo(x + wide / 2 - (wide / 8) * s, top - (tip / 4) * (s + 1));
    }
    else if (roof === "bell") {
      ctx.lineTo(x + wide * 0.15, top - tip);
      ctx.bezierCurveTo(x + wide * 0.2, top - tip * 0.3, x + wide * 0.4, top - tip * 0.5, x + wide / 2, top);
    } else if (roof === "mansard") ctx.lineTo(x + wide * 0.36, top - tip * 0.7);
    ctx.lineTo(x + wide / 2, top);
    ctx.lineTo(x + wide / 2, base + unit * 0.1);
    ctx.fill();
  });
}

function spire({ w, base, unit }, at, tall, wide) {
  return (ctx) => {
    const x = w * at;
    const half = unit * wide * 0.5;
    ctx.fillRect(x - half, base - unit * tall * 0.6, half * 2, unit * tall);
    ctx.beginPath();
    ctx.moveTo(x - half * 1.15, base - unit * tall * 0.6);
    ctx.lineTo(x, base - unit * tall * 1.15);
    ctx.lineTo(x + half * 1.15, base - unit * tall * 0.6);
    ctx.fill();
  };
}

function mill({ w, base, unit }, at, size = 1) {
  return (ctx) => {
    const x = w * at;
    const s = unit * 0.2 * size;
    ctx.beginPath();
    ctx.moveTo(x - s * 0.36, base + s * 0.2);
    ctx.lineTo(x - s * 0.2, base - s * 0.9);
    ctx.quadraticCurveTo(x, base - s * 1.25, x + s * 0.2, base - s * 0.9);
    ctx.lineTo(x + s * 0.36, base + s * 0.2);
    ctx.fill();
    ctx.lineWidth = s * 0.07;
    for (let blade = 0; blade < 4; blade += 1) {
      const angle = 0.5 + (blade * Math.PI) / 2;
      ctx.save();
      ctx.translate(x, base - s);
      ctx.rotate(angle);
      ctx.fillRect(-s * 0.03, 0, s * 0.06, -s * 1.05);
      ctx.fillRect(0, -s * 0.25, s * 0.16, -s * 0.78);
      ctx.restore();
    }
  };
}

function eiffel({ w, base, unit }, at) {
  return (ctx) => {
    const x = w * at;
    const s = unit * 0.46;
    ctx.beginPath();
    ctx.moveTo(x - s * 0.2, base + s * 0.1);
    ctx.quadraticCurveTo(x - s * 0.06, base - s * 0.35, x - s * 0.015, base - s);
    ctx.lineTo(x + s * 0.015, base - s);
    ctx.quadraticCurveTo(x + s * 0.06, base - s * 0.35, x + s * 0.2, base + s * 0.1);
    ctx.lineTo(x + s * 0.12, base + s * 0.1);
    ctx.quadraticCurveTo(x, base - s * 0.14, x - s * 0.12, base + s * 0.1);
    ctx.fill();
    ctx.fillRect(x - s * 0.13, base - s * 0.16, s * 0.26, s * 0.03);
    ctx.fillRect(x - s * 0.07, base - s * 0.42, s * 0.14, s * 0.025);
  };
}

function clockTower({ w, base, unit }, at) {
  return (ctx) => {
    const x = w * at;
    const s = unit * 0.42;
    ctx.fillRect(x - s * 0.065, base - s * 0.75, s * 0.13, s);
    ctx.fillRect(x - s * 0.08, base - s * 0.78, s * 0.16, s * 0.2);
    ctx.beginPath();
    ctx.moveTo(x - s * 0.075, base - s * 0.78);
    ctx.lineTo(x, base - s * 1.08);
    ctx.lineTo(x + s * 0.075, base - s * 0.78);
    ctx.fill();
    ctx.save();
    ctx.fillStyle = "#fff6d8";
    ctx.beginPath();
    ctx.arc(x, base - s * 0.68, s * 0.052, 0, Math.PI * 2);
    ctx.fill();
    ctx.restore();
  };
}
