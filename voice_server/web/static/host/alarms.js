/** Alarms: a strip that stands, a title that flashes, and one short tone for each new one. */

import { button, clock, el, t } from "./common.js";

const FLASH_MS = 1000;

export class Alarms {
  constructor(root) {
    this.root = root;
    this.standing = [];
    this.title = document.title;
    this.seen = new Set();
    this.loud = true;
    setInterval(() => this.#flash(), FLASH_MS);
  }

  /** What the title is when nothing is wrong. */
  name(title) {
    this.title = title;
    document.title = title;
  }

  show(alarms) {
    const fresh = alarms.filter(({ kind, what }) => !this.seen.has(`${kind} ${what}`));
    this.seen = new Set(alarms.map(({ kind, what }) => `${kind} ${what}`));
    const same = alarms.length === this.standing.length && alarms.every((alarm, at) => alarm.words === this.standing[at].words);
    this.standing = alarms;
    if (!same) {
      this.root.replaceChildren(
        ...alarms.map(({ what, since, words }) => {
          const age = el("time");
          age.dataset.since = since;
          return el("p", "alarm", el("b", "", `${t("alarm")} · ${what}`), el("span", "", words), age);
        }),
      );
      if (alarms.length) this.root.append(this.#switch());
    }
    this.#ages();
    if (fresh.length && this.loud) beep();
  }

  #switch() {
    const node = button(t("alarm_sound"), () => {
      this.loud = !this.loud;
      node.ariaPressed = String(this.loud);
    }, "small");
    node.ariaPressed = String(this.loud);
    return node;
  }

  #ages() {
    for (const node of this.root.querySelectorAll("time")) node.textContent = clock(Date.now() / 1000 - node.dataset.since);
  }

  #flash() {
    this.#ages();
    const on = this.standing.length > 0 && !document.title.startsWith("⚠");
    document.title = on ? `⚠ ${this.standing[0].words}` : this.title;
  }
}

/** Two tones. A page that was never touched may not sound: then the strip and the title must do. */
function beep() {
  const context = new AudioContext();
  if (context.state !== "running") {
    context.close();
    return;
  }
  for (const [at, pitch] of [[0, 880], [0.18, 660]]) {
    const tone = new OscillatorNode(context, { frequency: pitch });
    const gain = new GainNode(context, { gain: 0.12 });
    tone.connect(gain).connect(context.destination);
    tone.start(context.currentTime + at);
    tone.stop(context.currentTime + at + 0.14);
    tone.onended = () => at > 0 && context.close();
  }
}
