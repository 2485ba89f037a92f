/**
 * Keeps the host's live voice close: after a stall its sound arrives in a heap, and played in full it
 * would stay late for good. What would be heard later than MOST_S from now is left out.
 */

const MOST_S = 0.3;

export class HostDelay {
  constructor() {
    this.id = "";
    this.leftOut = 0;
  }

  /** Where a piece belongs in its line (ms), null when it is left out. */
  place(clock, id, atMs, seconds) {
    if (this.id !== id) Object.assign(this, { id, leftOut: 0 });
    const line = clock.line?.id === id ? clock.line : null;
    const at = atMs - this.leftOut;
    if (line && line.began + at / 1000 - clock.time() > MOST_S) {
      this.leftOut += seconds * 1000;
      return null;
    }
    return at;
  }
}
