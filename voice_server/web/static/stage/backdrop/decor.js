/** What feasts and seasons bring into the room. `room`: `{w, h, u, sill, portrait, country}`. */

import { along, soft } from "../draw/brush.js";

const FLAGS = {
  BE: ["#1d1d1b", "#f6d14a", "#d8343f"], NL: ["#ae2334", "#fbfbf8", "#21468b", "#f08a24"], DE: ["#1d1d1b", "#d42e2e", "#f3c733"],
  FR: ["#26408f", "#fbfbf8", "#d8343f"], GB: ["#26408f", "#fbfbf8", "#c8203a"],
};
/** What the sales are called where. */
const SALES = { BE: "SOLDES · SOLDEN", NL: "UITVERKOOP", DE: "SALE", FR: "SOLDES", GB: "SALE" };
const GOLD = "#f0c75e";

/** Points of a rope that hangs in bows from the top of the window. */
function rope({ w, h, portrait }, bows, each) {
  const y = h * (portrait ? 0.035 : 0.05);
  const deep = h * (portrait ? 0.035 : 0.085);
  const points = [];
  for (let bow = 0; bow < bows; bow += 1) {
    for (let at = 0; at < each; at += 1) {
      const t = at / each;
      points.push({ x: (w * (bow + t)) / bows, y: y + deep * 4 * t * (1 - t), t });
    }
  }
  return points;
}

function line(ctx, points, colour, width) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.beginPath();
  points.forEach(({ x, y }, at) => (at ? ctx.lineTo(x, y) : ctx.moveTo(x, y)));
  ctx.stroke();
}

function ball(ctx, x, y, r, colour) {
  const tone = ctx.createRadialGradient(x - r * 0.35, y - r * 0.4, r * 0.1, x, y, r);
  tone.addColorStop(0, "#fff4e4");
  tone.addColorStop(0.3, colour);
  tone.addColorStop(1, colour);
  ctx.fillStyle = tone;
  ctx.beginPath();
  ctx.arc(x, y, r, 0, Math.PI * 2);
  ctx.fill();
  soft(ctx, x + r * 0.3, y + r * 0.45, r * 0.8, r * 0.6, "#2b0d06", 0.35);
}

function garland(colours, { needles = null, lights = null } = {}) {
  return (ctx, room) => {
    const { u } = room;
    const points = rope(room, room.portrait ? 2 : 4, 34);
    if (needles) {
      points.forEach(({ x, y }, at) => {
        ctx.lineWidth = u * 0.32;
        for (let n = 0; n < 9; n += 1) {
          ctx.strokeStyle = needles[(at + n) % needles.length];
          const angle = ((at * 53 + n * 41) % 63) / 10;
          ctx.beginPath();
          ctx.moveTo(x, y);
          ctx.lineTo(x + Math.cos(angle) * u * 2, y + Math.sin(angle) * u * 2);
          ctx.stroke();
        }
      });
    } else line(ctx, points, "#a88a4a", u * 0.3);
    points.forEach(({ x, y }, at) => {
      if (at % 5 === 2) ball(ctx, x, y + u * 1.5, u * 1.35, colours[Math.floor(at / 5) % colours.length]);
      if (lights && at % 4 === 0) {
        soft(ctx, x, y, u * 2.6, u * 2.6, lights, 0.85);
        soft(ctx, x, y, u * 0.7, u * 0.7, "#fffdf0", 1);
      }
    });
  };
}

function bunting(ctx, room) {
  const { u, country } = room;
  const colours = FLAGS[country] ?? ["#4a6fa5", "#f3f0e8", "#d66a52"];
  const points = rope(room, room.portrait ? 2 : 3, 14);
  line(ctx, points, "#efe7d8", u * 0.35);
  points.forEach(({ x, y }, at) => {
    const wide = u * 3.3;
    ctx.fillStyle = colours[at % colours.length];
    ctx.beginPath();
    ctx.moveTo(x - wide, y);
    ctx.lineTo(x + wide, y);
    ctx.lineTo(x, y + u * 7);
    ctx.fill();
    ctx.fillStyle = "rgba(0,0,0,.10)";
    ctx.beginPath();
    ctx.moveTo(x, y);
    ctx.lineTo(x + wide, y);
    ctx.lineTo(x, y + u * 7);
    ctx.fill();
  });
}

/** Where things stand on the sill without hiding behind the presenter: left, and far right. */
const left = ({ w, portrait }) => w * (portrait ? 0.13 : 0.1);

function present(ctx, x, y, wide, tall, colour, ribbon) {
  soft(ctx, x, y, wide * 0.8, tall * 0.16, "#20100a", 0.45);
  ctx.fillStyle = along(ctx, x - wide / 2, 0, x + wide / 2, 0, [[0, colour], [0.3, colour], [1, "#3a1512"]]);
  ctx.fillRect(x - wide / 2, y - tall, wide, tall);
  ctx.fillStyle = ribbon;
  ctx.fillRect(x - wide * 0.07, y - tall, wide * 0.14, tall);
  ctx.fillRect(x - wide / 2, y - tall * 0.6, wide, tall * 0.13);
  ctx.lineWidth = wide * 0.06;
  ctx.strokeStyle = ribbon;
  for (const s of [-1, 1]) {
    ctx.beginPath();
    ctx.ellipse(x + s * wide * 0.14, y - tall - wide * 0.07, wide * 0.14, wide * 0.08, s * -0.5, 0, Math.PI * 2);
    ctx.stroke();
  }
}

function flower(ctx, x, y, u, colour, lean) {
  ctx.strokeStyle = "#5f9150";
  ctx.lineWidth = u * 0.6;
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.quadraticCurveTo(x, y - u * 7, x + lean * u, y - u * 12);
  ctx.stroke();
  const tx = x + lean * u;
  const ty = y - u * 12;
  ctx.fillStyle = colour;
  ctx.beginPath();
  ctx.moveTo(tx - u * 1.7, ty - u * 1.2);
  ctx.quadraticCurveTo(tx - u, ty + u * 1.9, tx, ty + u * 1.6);
  ctx.quadraticCurveTo(tx + u, ty + u * 1.9, tx + u * 1.7, ty - u * 1.2);
  ctx.lineTo(tx + u * 0.8, ty - u * 0.2);
  ctx.lineTo(tx, ty - u * 2.2);
  ctx.lineTo(tx - u * 0.8, ty - u * 0.2);
  ctx.fill();
}

function tulips(ctx, room) {
  const { u, sill } = room;
  const x = left(room);
  const y = sill + u * 4;
  for (let at = 0; at < 9; at += 1) flower(ctx, x + (at - 4) * u * 0.6, y - u * 6, u, ["#e86a7a", "#f6b24a", "#f3e3d2"][at % 3], (at - 4) * 1.7);
  ctx.fillStyle = along(ctx, x - u * 5, 0, x + u * 5, 0, [[0, "#f2f6f5"], [0.5, "#ffffff"], [1, "#b9c8c9"]]);
  ctx.beginPath();
  ctx.moveTo(x - u * 3.6, y - u * 9);
  ctx.bezierCurveTo(x - u * 6, y - u * 3, x - u * 4, y, x, y);
  ctx.bezierCurveTo(x + u * 4, y, x + u * 6, y - u * 3, x + u * 3.6, y - u * 9);
  ctx.fill();
}

function eggs(ctx, room) {
  const { u, sill, w, portrait } = room;
  const at = portrait ? w * 0.84 : w * 0.27;
  const y = sill + u * 5;
  soft(ctx, at, y + u, u * 12, u * 3, "#3c2410", 0.4);
  ctx.strokeStyle = "#b98a4f";
  ctx.lineWidth = u * 0.7;
  for (let n = 0; n < 34; n += 1) {
    ctx.beginPath();
    ctx.ellipse(at + Math.sin(n * 7) * u * 1.2, y - u * 1.2 + Math.cos(n * 5) * u * 0.6, u * (8 + (n % 3)), u * 2, Math.sin(n) * 0.12, 0.1, Math.PI - 0.1);
    ctx.stroke();
  }
  [["#f3a7b4", -5.5], ["#8fc7d8", -1.9], ["#f6d77a", 1.9], ["#a9cf95", 5.5]].forEach(([colour, dx]) => {
    const x = at + dx * u;
    ctx.fillStyle = colour;
    ctx.beginPath();
    ctx.ellipse(x, y - u * 3.4, u * 2.1, u * 2.9, 0, 0, Math.PI * 2);
    ctx.fill();
    ctx.strokeStyle = "rgba(255,255,255,.75)";
    ctx.lineWidth = u * 0.4;
    ctx.beginPath();
    ctx.moveTo(x - u * 2, y - u * 3.6);
    for (let z = 0; z <= 6; z += 1) ctx.lineTo(x - u * 2 + z * u * 0.66, y - u * (z % 2 ? 4.4 : 3.4));
    ctx.stroke();
    soft(ctx, x - u * 0.6, y - u * 4.6, u, u * 1.2, "#ffffff", 0.6);
  });
}

function mitre(ctx, { u, sill, w, portrait }) {
  const x = w * (portrait ? 0.85 : 0.25);
  const y = sill + u * 3;
  soft(ctx, x, y, u * 7, u * 2, "#20100a", 0.5);
  ctx.fillStyle = along(ctx, x - u * 6, 0, x + u * 6, 0, [[0, "#d4303a"], [0.5, "#c2242f"], [1, "#7d121c"]]);
  ctx.beginPath();
  ctx.moveTo(x - u * 5.4, y);
  ctx.bezierCurveTo(x - u * 7.2, y - u * 8, x - u * 3, y - u * 13, x, y - u * 16);
  ctx.bezierCurveTo(x + u * 3, y - u * 13, x + u * 7.2, y - u * 8, x + u * 5.4, y);
  ctx.fill();
  ctx.fillStyle = GOLD;
  ctx.fillRect(x - u * 5.5, y - u * 2.4, u * 11, u * 2);
  ctx.fillRect(x - u * 0.8, y - u * 13, u * 1.6, u * 10.6);
  ctx.fillRect(x - u * 3.4, y - u * 9.6, u * 6.8, u * 1.6);
}

function tree(ctx, { u, sill, w, portrait }) {
  const x = w * (portrait ? 0.13 : 0.105);
  const y = sill + u * 6;
  const s = portrait ? 0.9 : 1;
  ctx.fillStyle = "#5a3a24";
  ctx.fillRect(x - u * 1.3, y - u * 5, u * 2.6, u * 5);
  for (let level = 0; level < 5; level += 1) {
    const top = y - u * s * (44 - level * 4.2);
    const low = y - u * s * (30 - level * 6.6);
    const half = u * s * (5 + level * 2.9);
    ctx.fillStyle = along(ctx, x - half, 0, x + half, 0, [[0, "#4c8a5c"], [0.5, "#2f6b45"], [1, "#1b4a31"]]);
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.quadraticCurveTo(x + half * 0.5, (top + low) / 2, x + half, low);
    ctx.quadraticCurveTo(x, low + u * 2.6, x - half, low);
    ctx.quadraticCurveTo(x - half * 0.5, (top + low) / 2, x, top);
    ctx.fill();
  }
  for (let at = 0; at < 26; at += 1) {
    const t = at / 26;
    const px = x + Math.sin(at * 2.4) * u * s * (1.5 + t * 14);
    const py = y - u * s * (40 - t * 34);
    if (at % 2) ball(ctx, px, py, u * 1.05, ["#c9343c", GOLD, "#e8e3da"][at % 3]);
    else soft(ctx, px, py, u * 2.3, u * 2.3, "#ffe9a0", 0.95);
  }
  ctx.fillStyle = GOLD;
  ctx.beginPath();
  for (let at = 0; at < 10; at += 1) {
    const r = at % 2 ? 1.2 : 2.8;
    const angle = (at * Math.PI) / 5 - Math.PI / 2;
    ctx.lineTo(x + Math.cos(angle) * u * r, y - u * s * 44.5 + Math.sin(angle) * u * r);
  }
  ctx.fill();
}

function presents(ctx, room) {
  const { u, sill, w, portrait } = room;
  const x = portrait ? w * 0.8 : w * 0.22;
  present(ctx, x, sill + u * 8, u * 11, u * 8, "#c2343a", GOLD);
  present(ctx, x + u * 9, sill + u * 9.5, u * 8, u * 6, "#2f6b45", "#f4ead6");
  present(ctx, x - u * 9, sill + u * 9, u * 7, u * 9, "#f0e2c4", "#c2343a");
}

function balloons(ctx, room) {
  const { u, country, sill } = room;
  const colours = FLAGS[country] ?? ["#4a6fa5", "#f3f0e8", "#d66a52"];
  const x0 = left(room);
  [[-5, 33], [4, 38], [0, 26]].forEach(([dx, up], at) => {
    const x = x0 + dx * u;
    const y = sill - u * up + u * 8;
    ctx.strokeStyle = "rgba(80,70,60,.6)";
    ctx.lineWidth = u * 0.2;
    ctx.beginPath();
    ctx.moveTo(x, y + u * 6);
    ctx.quadraticCurveTo(x0 + u, y + u * 18, x0, sill + u * 5);
    ctx.stroke();
    ctx.fillStyle = colours[at % colours.length];
    ctx.beginPath();
    ctx.ellipse(x, y, u * 5, u * 6.2, 0, 0, Math.PI * 2);
    ctx.fill();
    soft(ctx, x - u * 1.6, y - u * 2.2, u * 2, u * 2.6, "#ffffff", 0.55);
  });
}

function sale(ctx, { w, h, u, country, portrait }) {
  const text = SALES[country] ?? "SALE";
  const y = h * (portrait ? 0.1 : 0.09);
  const size = Math.min(u * 9, (w * (portrait ? 0.86 : 0.6)) / (text.length * 0.62));
  ctx.fillStyle = "#c2281c";
  ctx.fillRect(0, y - size * 0.85, w, size * 1.7);
  ctx.fillStyle = "rgba(255,255,255,.16)";
  for (let x = -h; x < w; x += u * 5) {
    ctx.beginPath();
    ctx.moveTo(x, y + size * 0.85);
    ctx.lineTo(x + size * 1.7, y - size * 0.85);
    ctx.lineTo(x + size * 1.7 + u * 1.6, y - size * 0.85);
    ctx.lineTo(x + u * 1.6, y + size * 0.85);
    ctx.fill();
  }
  ctx.fillStyle = "#fff";
  ctx.font = `800 ${size}px "Bricolage Grotesque", system-ui, sans-serif`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(text, w / 2, y + size * 0.05);
  [[0.07, 0.36, -0.16], [0.2, 0.52, 0.12], [0.94, 0.6, 0.14], [0.06, 0.62, 0.1]].forEach(([x, at, turn], n) => {
    ctx.save();
    ctx.translate(w * x, h * at);
    ctx.strokeStyle = "rgba(120,60,20,.5)";
    ctx.lineWidth = u * 0.25;
    ctx.beginPath();
    ctx.moveTo(0, -u * 8);
    ctx.lineTo(0, y + size - h * at);
    ctx.stroke();
    ctx.rotate(turn);
    ctx.fillStyle = n % 2 ? "#fffaf0" : "#d43a2c";
    ctx.beginPath();
    ctx.roundRect(-u * 6.5, -u * 8, u * 13, u * 16, u * 1.6);
    ctx.fill();
    ctx.fillStyle = n % 2 ? "#d43a2c" : "#fff";
    ctx.font = `800 ${u * 9}px "Bricolage Grotesque", system-ui, sans-serif`;
    ctx.fillText("%", 0, u * 0.8);
    ctx.restore();
  });
}

function candles(ctx, room) {
  const { u, sill } = room;
  const x0 = left(room);
  [[-5, 9], [0, 13], [5, 7]].forEach(([dx, tall]) => {
    const x = x0 + dx * u;
    const y = sill + u * 5;
    soft(ctx, x, y - u * tall - u * 2, u * 9, u * 9, "#ffdf9a", 0.75);
    ctx.fillStyle = along(ctx, x - u * 1.8, 0, x + u * 1.8, 0, [[0, "#fffaf0"], [1, "#d9cdb8"]]);
    ctx.fillRect(x - u * 1.8, y - u * tall, u * 3.6, u * tall);
    ctx.fillStyle = "#ffb43c";
    ctx.beginPath();
    ctx.ellipse(x, y - u * (tall + 1.7), u * 0.65, u * 1.6, 0, 0, Math.PI * 2);
    ctx.fill();
  });
}

function pumpkins(ctx, room) {
  const { u, sill } = room;
  const x0 = left(room);
  [[-2, 7.5, "#d9752c"], [9, 5, "#e8a44c"], [-11, 4.4, "#c9d0b4"]].forEach(([dx, r, colour]) => {
    const x = x0 + dx * u;
    const y = sill + u * 6 - r * u * 0.7;
    soft(ctx, x, y + r * u * 0.8, r * u * 1.2, r * u * 0.25, "#2c1606", 0.5);
    for (const [off, wide] of [[-0.62, 0.5], [0.62, 0.5], [-0.32, 0.55], [0.32, 0.55], [0, 0.5]]) {
      ctx.fillStyle = along(ctx, x - r * u, y - r * u, x + r * u, y + r * u, [[0, "#ffe0b0"], [0.35, colour], [1, "#70380f"]]);
      ctx.beginPath();
      ctx.ellipse(x + off * r * u, y, wide * r * u, r * u * 0.8, 0, 0, Math.PI * 2);
      ctx.fill();
    }
    ctx.fillStyle = "#6b7a45";
    ctx.fillRect(x - r * u * 0.1, y - r * u * 1.1, r * u * 0.2, r * u * 0.4);
  });
}

function lemons(ctx, room) {
  const { u, sill } = room;
  const x = left(room);
  const y = sill + u * 5;
  soft(ctx, x, y, u * 10, u * 2, "#3c2410", 0.4);
  [[-4, -6], [0, -7.6], [4, -6], [-2, -4.6], [2.4, -4.8]].forEach(([dx, dy]) => ball(ctx, x + dx * u, y + dy * u, u * 2.6, "#f3cc3c"));
  ctx.fillStyle = along(ctx, x - u * 9, 0, x + u * 9, 0, [[0, "#4f86ad"], [0.4, "#8fbcd8"], [1, "#33618a"]]);
  ctx.beginPath();
  ctx.moveTo(x - u * 8.5, y - u * 4.6);
  ctx.quadraticCurveTo(x - u * 6, y, x, y);
  ctx.quadraticCurveTo(x + u * 6, y, x + u * 8.5, y - u * 4.6);
  ctx.fill();
}

function glasses(ctx, room) {
  const { u, sill } = room;
  const x0 = left(room);
  for (const dx of [-4, 5]) {
    const x = x0 + dx * u;
    const y = sill + u * 5;
    ctx.fillStyle = "rgba(255,232,160,.85)";
    ctx.beginPath();
    ctx.roundRect(x - u * 1.5, y - u * 16, u * 3, u * 9, [u * 0.4, u * 0.4, u * 1.5, u * 1.5]);
    ctx.fill();
    ctx.strokeStyle = "rgba(255,255,255,.8)";
    ctx.lineWidth = u * 0.35;
    ctx.beginPath();
    ctx.roundRect(x - u * 1.7, y - u * 19, u * 3.4, u * 12.2, [0, 0, u * 1.6, u * 1.6]);
    ctx.moveTo(x, y - u * 6.8);
    ctx.lineTo(x, y - u * 0.6);
    ctx.moveTo(x - u * 2.2, y);
    ctx.lineTo(x + u * 2.2, y);
    ctx.stroke();
    for (let at = 0; at < 7; at += 1) soft(ctx, x + Math.sin(at * 4) * u, y - u * (8 + at), u * 0.3, u * 0.3, "#ffffff", 0.9);
  }
}

const FIR = ["#2f6b45", "#3f8055", "#1f5236"];

export const DECOR = {
  tulips, "tulips-left": tulips, lemons, pumpkins, candles, eggs, mitre, tree, presents, bunting, balloons, sale, glasses,
  "garland-fir": garland(["#c9343c", GOLD], { needles: FIR, lights: "#ffdf8a" }),
  "garland-red": garland(["#c2242f", GOLD, "#8d5a34"], { needles: ["#b8323a", "#93222c", "#d9a441"] }),
  "garland-gold": garland([GOLD, "#f6e6b4", "#c7c3d6"], { lights: "#ffe9a8" }),
  "garland-eggs": garland(["#f3a7b4", "#8fc7d8", "#f6d77a", "#a9cf95"]),
};
