/** What a body does by itself: blinking, breathing, small eye movements, a head that is never still. */

/** Small deterministic generator (mulberry32), so that tests see the same life every time. */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const BLINK_S = 0.18;
/** People blink every 2 to 6 s, and rarely twice at once. */
const BLINK_EVERY = [2, 6];
const DOUBLE_BLINK = 0.12;
const SACCADE_EVERY = [0.6, 2.4];
const BREATH_S = 4.2;

export class Life {
  constructor(random = Math.random) {
    this.random = random;
    this.blinkAt = 1.2;
    this.saccadeAt = 0;
    this.eye = { x: 0, y: 0 };
    this.phase = random() * 10;
  }

  #between([low, high]) {
    return low + (high - low) * this.random();
  }

  /** Offsets at `time`: `speaking` (0-1) makes the head livelier. */
  at(time, speaking) {
    if (time >= this.blinkAt + BLINK_S) {
      this.blinkAt = time + (this.random() < DOUBLE_BLINK ? 0.12 : this.#between(BLINK_EVERY));
    }
    if (time >= this.saccadeAt) {
      this.saccadeAt = time + this.#between(SACCADE_EVERY);
      this.eye = { x: (this.random() - 0.5) * 0.16, y: (this.random() - 0.5) * 0.08 };
    }
    const inBlink = (time - this.blinkAt) / BLINK_S;
    // Lids fall in a third of the time they take to rise.
    const blink = inBlink < 0 || inBlink > 1 ? 0 : inBlink < 0.3 ? inBlink / 0.3 : (1 - inBlink) / 0.7;
    const t = time + this.phase;
    const sway = 0.5 + speaking;
    return {
      blink,
      gazeX: this.eye.x,
      gazeY: this.eye.y,
      breath: 0.5 - 0.5 * Math.cos((2 * Math.PI * t) / BREATH_S),
      yaw: sway * (0.05 * Math.sin(t * 0.53) + 0.03 * Math.sin(t * 1.31 + 1)),
      roll: sway * (0.018 * Math.sin(t * 0.41 + 2) + 0.008 * Math.sin(t * 1.07)),
      pitch: sway * (0.03 * Math.sin(t * 0.67 + 0.5) + speaking * 0.05 * Math.sin(t * 3.1)),
      lean: 6 * Math.sin(t * 0.23),
      bob: speaking * 2.5 * Math.sin(t * 2.3),
    };
  }
}
