/**
 * One clock for sound and mouth: the audio clock where sound plays, the page's clock until then
 * (browsers keep a page silent before its first click; OBS does not). It never jumps back.
 */

export class AudioClock {
  constructor({ muted = false } = {}) {
    this.muted = muted;
    this.context = null;
    this.shift = 0;
    this.base = performance.now() / 1000;
    this.sources = new Set();
    this.line = null;
    this.until = 0;
  }

  /** Try to let sound out; must be called in a click where the browser wants one. */
  async start() {
    if (this.muted) return false;
    if (!this.context) {
      this.context = new AudioContext({ latencyHint: "interactive" });
      /** All speech goes through here. */
      this.output = new GainNode(this.context);
      this.output.connect(this.context.destination);
    }
    if (this.context.state !== "running") {
      const before = this.time();
      await Promise.race([this.context.resume(), new Promise((r) => setTimeout(r, 1000))]);
      if (this.context.state !== "running") return false;
      this.shift = Math.max(before, this.#pageTime()) - this.context.currentTime;
    }
    return true;
  }

  get audible() {
    return this.context?.state === "running";
  }

  #pageTime() {
    return performance.now() / 1000 - this.base;
  }

  /** Seconds; what is scheduled at a time is sent to the loudspeaker then. */
  time() {
    return this.audible ? this.context.currentTime + this.shift : this.#pageTime();
  }

  /** Seconds; what sounds from the loudspeaker now was scheduled for this time. */
  heard() {
    return this.time() - (this.audible ? this.context.outputLatency || 0 : 0);
  }

  /** Schedule a chunk of a line; returns the time at which the line began (its zero). */
  play(id, atMs, rate, pcm, leadMs) {
    const now = this.time();
    if (this.line?.id !== id) {
      this.line = { id, began: Math.max(now + leadMs / 1000, this.until) };
    }
    let at = this.line.began + atMs / 1000;
    if (at < now) {
      // It came late: the rest of the line moves, mouth and sound together.
      this.line.began += now + 0.02 - at;
      at = now + 0.02;
    }
    this.until = at + pcm.length / rate;
    if (this.audible && pcm.length) {
      const buffer = this.context.createBuffer(1, pcm.length, rate);
      const samples = buffer.getChannelData(0);
      for (let i = 0; i < pcm.length; i += 1) samples[i] = pcm[i] / 32768;
      const source = this.context.createBufferSource();
      source.buffer = buffer;
      source.connect(this.output);
      source.onended = () => this.sources.delete(source);
      source.start(at - this.shift);
      this.sources.add(source);
    }
    return this.line.began;
  }

  /** Silence at once; returns the time of it. */
  cancel() {
    for (const source of this.sources) source.stop();
    this.sources.clear();
    this.line = null;
    this.until = 0;
    return this.time();
  }
}
