/**
 * The room behind an avatar: a wide window on the season and the country, and what a feast adds.
 * Painted once on a canvas of its own, 16:9 or 9:16; nothing of it moves.
 */

import { along, soft } from "../draw/brush.js";
import { DECOR } from "./decor.js";
import { outside } from "./outside.js";

/** Every scene: its light, its season outside, what hangs and stands in the room. */
export const SCENES = {
  studio: { wall: ["#f3ead9", "#dccbb0"], sill: ["#c9a87c", "#9c7750"], indoors: true },
  spring: { season: "spring", wall: ["#f7f1e4", "#e4dcc8"], sill: ["#d9bd92", "#a9855a"], decor: ["tulips"] },
  summer: { season: "summer", wall: ["#fbf6ea", "#efe3c6"], sill: ["#e0c79c", "#b4905f"], decor: ["lemons"] },
  autumn: { season: "autumn", wall: ["#f2e4d0", "#d9bf9d"], sill: ["#b98650", "#855a32"], decor: ["pumpkins"] },
  winter: { season: "winter", wall: ["#eef1f3", "#cfd6dc"], sill: ["#b79c80", "#866a50"], decor: ["candles"] },
  sinterklaas: { season: "night", wall: ["#e9dac6", "#b98f72"], sill: ["#9a6a45", "#69442b"], decor: ["garland-red", "presents", "mitre"] },
  christmas: { season: "snow-night", wall: ["#e9dccb", "#b7977a"], sill: ["#8e6443", "#5f3f29"], decor: ["garland-fir", "tree", "presents"] },
  "new-year": { season: "fireworks", wall: ["#dcd6e2", "#8f88a8"], sill: ["#7b6a72", "#4d424d"], decor: ["garland-gold", "glasses"] },
  easter: { season: "spring", wall: ["#fbf4e6", "#e9e0c6"], sill: ["#dfc499", "#b08e62"], decor: ["garland-eggs", "eggs", "tulips-left"] },
  national: { season: "summer", wall: ["#f8f4ec", "#e6dccb"], sill: ["#d6b98c", "#a8845a"], decor: ["bunting", "balloons"] },
  sale: { wall: ["#fff3d0", "#ffd25e"], sill: ["#c23b2e", "#8d2119"], indoors: true, decor: ["sale"] },
};

/** Paint a scene for a country ("BE"); an unknown scene is the studio. */
export function drawBackdrop(canvas, name, country = "") {
  const scene = SCENES[name] ?? SCENES.studio;
  const { width: w, height: h } = canvas;
  const ctx = canvas.getContext("2d");
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.lineCap = ctx.lineJoin = "round";
  const portrait = h > w;
  const room = { w, h, u: Math.min(w, h) / 100, portrait, sill: h * (portrait ? 0.68 : 0.76), country };
  ctx.fillStyle = along(ctx, 0, 0, 0, room.sill, [[0, scene.wall[0]], [1, scene.wall[1]]]);
  ctx.fillRect(0, 0, w, h);
  if (scene.indoors) drawWall(ctx, room, scene, name);
  else drawWindow(ctx, room, scene);
  drawSill(ctx, room, scene);
  for (const decor of scene.decor ?? []) {
    ctx.save();
    DECOR[decor](ctx, room);
    ctx.restore();
  }
  // The presenter stands in the light; the edges of the picture are a little darker.
  const spot = portrait ? w * 0.5 : w * 0.4;
  soft(ctx, spot, h * 0.42, Math.min(w, h) * 0.62, Math.min(w, h) * 0.7, "#fff6e2", 0.4);
  const edge = ctx.createRadialGradient(w / 2, h / 2, Math.min(w, h) * 0.5, w / 2, h / 2, Math.max(w, h) * 0.72);
  edge.addColorStop(0, "rgba(40,24,10,0)");
  edge.addColorStop(1, "rgba(40,24,10,.3)");
  ctx.fillStyle = edge;
  ctx.fillRect(0, 0, w, h);
}

/** A wall of slats with a lit shelf, for rooms without a view. */
function drawWall(ctx, { w, h, u, sill, portrait }, scene, name) {
  const slat = u * 3.2;
  for (let x = 0; x < w; x += slat) {
    ctx.fillStyle = along(ctx, x, 0, x + slat, 0, [[0, "rgba(90,60,20,.10)"], [0.12, "rgba(255,255,255,.22)"], [0.75, "rgba(255,255,255,0)"], [1, "rgba(90,60,20,.16)"]]);
    ctx.fillRect(x, 0, slat, sill);
  }
  soft(ctx, w * 0.12, h * 0.16, u * 42, u * 34, "#fffaf0", 0.9);
  soft(ctx, w * 0.86, h * 0.1, u * 46, u * 34, "#fffaf0", 0.75);
  if (name === "sale") return;
  const shelves = portrait ? [[0.03, 0.2, 0.27], [0.72, 0.15, 0.25]] : [[0.02, 0.3, 0.16], [0.02, 0.52, 0.16]];
  for (const [x, y, wide] of shelves) {
    soft(ctx, w * (x + wide / 2), h * y - u, w * wide * 0.7, u * 12, "#fff3cf", 0.8);
    ctx.fillStyle = "#8d6a45";
    ctx.fillRect(w * x, h * y, w * wide, u * 1.3);
    ctx.fillStyle = "rgba(40,20,0,.18)";
    ctx.fillRect(w * x, h * y + u * 1.3, w * wide, u * 1.6);
    books(ctx, w * x + u * 2, h * y, u, wide * w - u * 4);
  }
}

function books(ctx, x, y, u, room) {
  const colours = ["#b98c5a", "#7f9183", "#c76f57", "#e6d5b4", "#54697a", "#a7785b"];
  const sizes = [7, 8.4, 6.4, 9, 7.4, 8];
  let at = x;
  for (let i = 0; i < 9 && at < x + room * 0.55; i += 1) {
    const wide = u * (1.3 + ((i * 7) % 5) * 0.25);
    ctx.fillStyle = colours[i % colours.length];
    ctx.fillRect(at, y - u * sizes[i % sizes.length], wide, u * sizes[i % sizes.length]);
    ctx.fillStyle = "rgba(255,255,255,.25)";
    ctx.fillRect(at + wide * 0.12, y - u * sizes[i % sizes.length], wide * 0.16, u * sizes[i % sizes.length]);
    at += wide + u * 0.12;
  }
  plant(ctx, x + room * 0.82, y, u * 0.8);
}

export function plant(ctx, x, y, u) {
  for (let at = -5; at <= 5; at += 1) {
    ctx.strokeStyle = at % 2 ? "#5f8a5a" : "#7fa873";
    ctx.lineWidth = u * 0.9;
    ctx.beginPath();
    ctx.moveTo(x, y - u * 5);
    ctx.quadraticCurveTo(x + at * u * 0.6, y - u * 11, x + at * u * 1.5, y - u * (12 - Math.abs(at)));
    ctx.stroke();
  }
  ctx.fillStyle = along(ctx, x - u * 3, 0, x + u * 3, 0, [[0, "#f4eee4"], [1, "#cbbba4"]]);
  ctx.beginPath();
  ctx.roundRect(x - u * 2.8, y - u * 5.6, u * 5.6, u * 5.6, u * 0.8);
  ctx.fill();
}

/** Three tall panes; what is outside is painted small and enlarged: out of focus, for nothing. */
function drawWindow(ctx, room, scene) {
  const { w, h, u, sill, portrait } = room;
  const left = w * (portrait ? 0.05 : 0.04);
  const right = w * (portrait ? 0.95 : 0.96);
  const top = h * (portrait ? 0.035 : 0.05);
  const small = new OffscreenCanvas(Math.ceil((right - left) / 3.4), Math.ceil((sill - top) / 3.4));
  const inner = small.getContext("2d");
  outside(inner, small.width, small.height, scene.season, room.country);
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, right - left, sill - top);
  ctx.clip();
  ctx.imageSmoothingQuality = "high";
  ctx.drawImage(small, left, top, right - left, sill - top);
  // Glass.
  ctx.fillStyle = along(ctx, left, top, right, sill, [[0, "rgba(255,255,255,.28)"], [0.4, "rgba(255,255,255,.02)"], [1, "rgba(255,255,255,.16)"]]);
  ctx.fillRect(left, top, right - left, sill - top);
  ctx.restore();
  const bars = portrait ? [0, 0.5, 1] : [0, 0.24, 0.62, 1];
  for (const at of bars) bar(ctx, left + (right - left) * at - u * 0.8, top, u * 1.6, sill - top, false);
  bar(ctx, left, top - u * 0.8, right - left, u * 1.7, true);
  bar(ctx, left, top + (sill - top) * 0.24, right - left, u * 1.1, true);
  for (const s of [0, 1]) curtain(ctx, room, s, scene);
}

function bar(ctx, x, y, w, h, flat) {
  ctx.fillStyle = flat ? along(ctx, 0, y, 0, y + h, [[0, "#fffdf8"], [1, "#cfc3b1"]]) : along(ctx, x, 0, x + w, 0, [[0, "#fffdf8"], [0.6, "#eee5d6"], [1, "#bfb19c"]]);
  ctx.fillRect(x, y, w, h);
}

function curtain(ctx, { w, h, u, sill, portrait }, s, scene) {
  const wide = w * (portrait ? 0.09 : 0.065);
  for (let at = 0; at < 4; at += 1) {
    const x = s ? w - wide + (wide / 4) * at : (wide / 4) * at;
    ctx.fillStyle = along(ctx, x, 0, x + wide / 4, 0, [[0, scene.wall[1]], [0.35, scene.wall[0]], [1, scene.wall[1]]]);
    ctx.beginPath();
    ctx.roundRect(x, -u, wide / 4 + 1, sill + u * 2, [0, 0, u, u]);
    ctx.fill();
  }
  ctx.fillStyle = "rgba(60,40,20,.10)";
  ctx.fillRect(s ? w - wide - u : wide, 0, u, h);
}

function drawSill(ctx, { w, h, u, sill }, scene) {
  ctx.fillStyle = along(ctx, 0, sill, 0, h, [[0, scene.sill[0]], [1, scene.sill[1]]]);
  ctx.fillRect(0, sill, w, h - sill);
  ctx.fillStyle = "rgba(255,255,255,.35)";
  ctx.fillRect(0, sill, w, u * 0.5);
  ctx.globalAlpha = 0.12;
  ctx.strokeStyle = "#3c2410";
  ctx.lineWidth = u * 0.25;
  for (let at = 1; at < 9; at += 1) {
    const y = sill + ((h - sill) * at * at) / 70;
    ctx.beginPath();
    ctx.moveTo(0, y);
    ctx.bezierCurveTo(w * 0.3, y + u * ((at * 5) % 3), w * 0.6, y - u * ((at * 3) % 4), w, y + u * 0.6);
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
  soft(ctx, w * 0.4, sill + u * 2, w * 0.4, u * 16, "#fff4dc", 0.35);
}
