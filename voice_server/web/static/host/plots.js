/** Plots as SVG elements: bars by minute, dots over time, shares. No library, no innerHTML. */

const NS = "http://www.w3.org/2000/svg";
const WIDTH = 960;
const NARROW = 460;
const HEIGHT = 220;
const LEFT = 38;
const BOTTOM = 26;
const TOP = 10;

function svg(tag, given, ...children) {
  const node = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(given)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** A round number of steps (1, 2 or 5 times a power of ten) that reach `most`. */
export function ticks(most, count = 4, least = 0) {
  const rough = Math.max(Math.max(most, 1) / count, least);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
  const found = [];
  for (let at = 0; at <= most + step * 0.999; at += step) found.push(Number(at.toFixed(6)));
  return found;
}

function frame(label, top, across, xs) {
  const plot = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label });
  const y = (value) => HEIGHT - BOTTOM - ((HEIGHT - BOTTOM - TOP) * value) / top.at(-1);
  for (const value of top) {
    plot.append(svg("line", { class: value ? "grid" : "axis", x1: LEFT, x2: WIDTH, y1: y(value), y2: y(value) }), svg("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, String(value)));
  }
  for (const [x, words] of xs) plot.append(svg("text", { x, y: HEIGHT - 8, "text-anchor": "middle" }, words));
  plot.append(svg("text", { x: WIDTH, y: HEIGHT - 8, "text-anchor": "end" }, across));
  return { plot, y };
}

/** Questions by minute: the answered part of each bar, and the rest above it. */
export function bars(asked, met, { label, across }) {
  const { plot, y } = frame(label, ticks(Math.max(...asked, 1), 4, 1), across, asked.map((_, at) => [middle(at, asked.length), String(at)]).filter((_, at) => at % Math.ceil(asked.length / 12) === 0 && at < asked.length * 0.92));
  const wide = Math.min(46, ((WIDTH - LEFT) / Math.max(asked.length, 1)) * 0.72);
  asked.forEach((count, at) => {
    const x = middle(at, asked.length) - wide / 2;
    const bar = (from, to, name) => svg("rect", { class: name, x, width: wide, y: y(to), height: Math.max(0, y(from) - y(to)), rx: 2 }, svg("title", {}, `${at}: ${met[at]} / ${count}`));
    plot.append(bar(0, met[at], "met"), bar(met[at], count, "open"));
  });
  return plot;
}

const middle = (at, count) => LEFT + ((at + 0.5) * (WIDTH - LEFT)) / Math.max(count, 1);

/** Waits over the show: one dot for each answer at [second of the show, seconds waited]. */
export function dots(points, { label, across, length }) {
  const whole = Math.max(length, ...points.map(([at]) => at), 1);
  const x = (at) => LEFT + ((WIDTH - LEFT - 8) * at) / whole;
  const minutes = ticks(whole / 60, 6, 1).filter((minute) => minute * 60 <= whole * 0.92);
  const { plot, y } = frame(label, ticks(Math.max(...points.map(([, wait]) => wait), 1)), across, minutes.map((minute) => [x(minute * 60), String(minute)]));
  for (const [at, wait] of points) plot.append(svg("circle", { class: "dot", cx: x(at), cy: y(wait), r: 4.5 }, svg("title", {}, `${wait} s`)));
  return plot;
}

/** Shares by name, the most asked first: `[[name, asked, answered], …]`. */
export function shares(rows, { label }) {
  const most = Math.max(...rows.map(([, asked]) => asked), 1);
  const high = 30;
  const names = 150;
  const plot = svg("svg", { viewBox: `0 0 ${NARROW} ${rows.length * high}`, role: "img", "aria-label": label });
  const room = NARROW - names - 64;
  rows.forEach(([name, asked, answered], at) => {
    const y = at * high;
    const long = (value) => (room * value) / most;
    const short = name.length > 22 ? `${name.slice(0, 21)}…` : name;
    plot.append(
      svg("text", { x: 0, y: y + 19 }, short, svg("title", {}, name)),
      svg("rect", { class: "met", x: names, y: y + 6, width: long(answered), height: 18, rx: 3 }),
      svg("rect", { class: "open", x: names + long(answered), y: y + 6, width: long(asked - answered), height: 18, rx: 3 }),
      svg("text", { x: names + long(asked) + 6, y: y + 19 }, `${answered}/${asked}`),
    );
  });
  return plot;
}
