/**
 * What is waiting to be heard, and how far the listener is: one clock for audio and captions.
 *
 * Pure: the worklet pulls blocks from it, tests do too.  All samples are at the device's rate;
 * positions are in ms of the reply's audio, as the server counts them.
 */

/** Audio gathered before sound begins: the server leads by 100 ms, a phone's network wavers by less. */
const PREBUFFER_MS = 60;
/** A reply shorter than the prebuffer, or a starved one, sounds after this wait at the latest. */
const PATIENCE_MS = 160;
/** Fade at a stop: long enough not to click, within one block of the audio thread. */
const FADE_MS = 2.5;
/** A server without pacing may send far ahead; beyond this the newest audio is dropped. */
const LIMIT_MS = 5 * 60 * 1000;

export class PlaybackQueue {
  /** @param {number} rate Hz of the device */
  constructor(rate) {
    this.rate = rate;
    this.chunks = [];
    this.cursor = 0;
    this.buffered = 0;
    this.waited = 0;
    this.playing = false;
    this.ended = null;
    this.stream = null;
    this.positionMs = 0;
    this.tail = null;
  }

  /** Samples → ms at the device's rate. */
  #ms(samples) {
    return (samples * 1000) / this.rate;
  }

  get bufferedMs() {
    return this.#ms(this.buffered);
  }

  /** Append audio of a reply; `offsetMs` is where its first sample lies in the reply. */
  push(stream, offsetMs, samples) {
    if (samples.length === 0 || this.bufferedMs > LIMIT_MS) return;
    this.chunks.push({ stream, offsetMs, samples });
    this.buffered += samples.length;
  }

  /** No more audio of this stream will come: what is left need not wait for company. */
  end(stream) {
    this.ended = stream;
  }

  /** Stop at once: nothing of what waits is kept; the sound fades within one block. */
  clear() {
    if (this.playing) this.tail = this.#read(Math.round((FADE_MS * this.rate) / 1000), false);
    this.chunks = [];
    this.cursor = 0;
    this.buffered = 0;
    this.waited = 0;
    this.playing = false;
  }

  /**
   * Fill a block with what is to be heard now, silence where there is nothing.
   * @param {Float32Array} block
   * @returns {boolean} whether this call emptied the queue (the reply's end, or a starved line)
   */
  pull(block) {
    block.fill(0);
    if (this.tail) this.#fade(block);
    if (!this.playing && !this.#ready(block.length)) return false;
    this.playing = true;
    const samples = this.#read(block.length, true);
    for (let i = 0; i < samples.length; i += 1) block[i] += samples[i];
    if (this.buffered > 0) return false;
    this.playing = false;
    this.waited = 0;
    return true;
  }

  #ready(blockLength) {
    if (this.buffered === 0) return false;
    this.waited += blockLength;
    return (
      this.bufferedMs >= PREBUFFER_MS ||
      this.ended === this.chunks[0].stream ||
      this.#ms(this.waited) >= PATIENCE_MS
    );
  }

  #read(length, advance) {
    const out = new Float32Array(Math.min(length, this.buffered));
    let { cursor } = this;
    let index = 0;
    for (let filled = 0; filled < out.length; ) {
      const { samples, stream, offsetMs } = this.chunks[index];
      const part = samples.subarray(cursor, cursor + out.length - filled);
      out.set(part, filled);
      filled += part.length;
      cursor += part.length;
      if (advance) {
        this.stream = stream;
        this.positionMs = offsetMs + this.#ms(cursor);
      }
      if (cursor === samples.length) {
        index += 1;
        cursor = 0;
      }
    }
    if (advance) {
      this.chunks.splice(0, index);
      this.cursor = cursor;
      this.buffered -= out.length;
    }
    return out;
  }

  #fade(block) {
    const { tail } = this;
    const length = Math.min(block.length, tail.length);
    for (let i = 0; i < length; i += 1) block[i] = tail[i] * (1 - (i + 1) / length);
    this.tail = null;
  }
}
