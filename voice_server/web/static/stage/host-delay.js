/**
 * Keeps the host's live voice close: after a stall its sound arrives in a heap, and played in full it
 * would stay late for good. What would be heard later than MOST_S from now is left out; a delay that
 * lasts is taken back in the host's pauses, where nobody hears it.
 */

const MOST_S = 0.3;
/** A delay that never fell below this in a window of pieces is more than jitter needs. */
const ENOUGH_S = 0.08;
const WINDOW = 25;
/** Loudest sample (of 32768) of a piece that counts as a pause. */
const QUIET = 500;

export class HostDelay {
  constructor() {
    this.#begin("");
  }

  #begin(id) {
    this.id = id;
    this.leftOut = 0;
    this.seen = 0;
    this.least = Infinity;
    this.spare = 0;
  }

  /** Where a piece belongs in its line (ms), null when it is left out. */
  place(clock, id, atMs, pcm, rate) {
    if (this.id !== id) this.#begin(id);
    const at = atMs - this.leftOut;
    if (clock.line?.id !== id) return at;
    const ahead = clock.line.began + at / 1000 - clock.time();
    const seconds = pcm.length / rate;
    this.least = Math.min(this.least, ahead);
    this.seen += 1;
    if (this.seen >= WINDOW) {
      this.spare = Math.max(0, this.least - ENOUGH_S);
      this.seen = 0;
      this.least = Infinity;
    }
    const idle = this.spare >= seconds && pcm.every((sample) => sample < QUIET && sample > -QUIET);
    if (ahead <= MOST_S && !idle) return at;
    this.spare -= seconds;
    this.leftOut += seconds * 1000;
    return null;
  }
}
