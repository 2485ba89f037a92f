/**
 * The sound on screen: a row of bars that runs outward from the button, loudness becoming history.
 *
 * It doubles as the level meter: `role=meter` with a value that changes twice a second.
 */

/** Width of a bar and of the gap after it, in CSS pixels. */
const BAR = 4;
const GAP = 4;
/** Steps per second at which the history moves. */
const STEPS_PER_S = 24;
/** The meter's number, for those who listen to it, is not a stream. */
const SPOKEN_MS = 500;

export class Wave {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.history = [];
    this.peak = 0;
    this.glow = 0;
    this.running = false;
    this.spokenAt = 0;
    this.steppedAt = 0;
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
  }

  /** @param {number} value loudness now, 0 … 1 */
  level(value) {
    this.peak = Math.max(this.peak, value);
  }

  /** Draw while a conversation runs, and only then: a page at rest costs nothing. */
  run(running) {
    if (running === this.running) return;
    this.running = running;
    if (running) requestAnimationFrame((now) => this.#frame(now));
    else {
      this.history = [];
      this.#draw();
    }
  }

  #frame(now) {
    if (!this.running || !this.canvas.isConnected) {
      this.running = false;
      return;
    }
    requestAnimationFrame((next) => this.#frame(next));
    if (now - this.steppedAt < 1000 / STEPS_PER_S) return;
    this.steppedAt = now;
    // Up at once, down gently: a syllable stays visible.
    this.glow = Math.max(this.peak, this.glow * 0.8);
    this.peak = 0;
    this.history.unshift(this.glow);
    this.history.length = Math.min(this.history.length, 128);
    if (now - this.spokenAt > SPOKEN_MS) {
      this.spokenAt = now;
      this.canvas.setAttribute("aria-valuenow", String(Math.round(this.glow * 100)));
    }
    this.#draw();
  }

  #draw() {
    const { canvas } = this;
    const { clientWidth: width, clientHeight: height } = canvas;
    const scale = devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    context.fillStyle = getComputedStyle(canvas).color;
    const count = Math.floor(width / 2 / (BAR + GAP));
    for (let i = 0; i < count; i += 1) {
      // Without motion the row is a plain meter: as many tall bars as it is loud.
      const level = this.still.matches
        ? Number(i / count < this.glow) * 0.5
        : (this.history[i] ?? 0) * (1 - (i / count) ** 2 * 0.7);
      const size = Math.max(BAR, level * height);
      context.globalAlpha = 0.25 + 0.75 * (1 - i / count);
      for (const x of [width / 2 + i * (BAR + GAP), width / 2 - (i + 1) * (BAR + GAP) + GAP]) {
        context.beginPath();
        context.roundRect(x, (height - size) / 2, BAR, size, BAR / 2);
        context.fill();
      }
    }
  }
}
