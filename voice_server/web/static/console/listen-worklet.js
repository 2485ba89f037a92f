/**
 * Audio thread: the voices of a call at 24 kHz → device rate → loudspeaker, mixed.
 *
 * A listener wants to hear now: what waits longer than LATE_S is thrown away down to FRESH_S.
 * In: `{side, samples}` and `{stop: true}`. Out: `{receivedMs, waitingMs, dropped}` once a second.
 */

import { WIRE_RATE } from "../voice/pcm.js";
import { Resampler } from "../voice/resampler.js";

/** Sound of one voice before it is begun: three packets, which jitter on a good network eats. */
const START_S = 0.06;
const LATE_S = 0.4;
const FRESH_S = 0.12;

class Voice {
  constructor() {
    this.resampler = new Resampler(WIRE_RATE, sampleRate);
    this.pieces = [];
    this.used = 0;
    this.waiting = 0;
    this.playing = false;
    this.dropped = 0;
    this.received = 0;
  }

  push(samples) {
    const piece = this.resampler.process(samples);
    this.pieces.push(piece);
    this.waiting += piece.length;
    this.received += piece.length;
    if (this.waiting > LATE_S * sampleRate) {
      while (this.pieces.length > 1 && this.waiting > FRESH_S * sampleRate) this.#next();
      this.dropped += 1;
    }
  }

  #next() {
    this.waiting -= this.pieces.shift().length - this.used;
    this.used = 0;
  }

  mix(out) {
    if (!this.playing && this.waiting < START_S * sampleRate) return;
    this.playing = true;
    for (let at = 0; at < out.length; ) {
      const piece = this.pieces[0];
      if (!piece) {
        this.playing = false;
        return;
      }
      const length = Math.min(out.length - at, piece.length - this.used);
      for (let i = 0; i < length; i += 1) out[at + i] += piece[this.used + i];
      at += length;
      this.used += length;
      this.waiting -= length;
      if (this.used === piece.length) {
        this.pieces.shift();
        this.used = 0;
      }
    }
  }
}

class Listen extends AudioWorkletProcessor {
  constructor() {
    super();
    this.voices = new Map();
    this.running = true;
    this.blocks = 0;
    this.port.onmessage = ({ data }) => {
      if (data.stop) this.running = false;
      else this.#voice(data.side).push(data.samples);
    };
  }

  #voice(side) {
    if (!this.voices.has(side)) this.voices.set(side, new Voice());
    return this.voices.get(side);
  }

  process(_inputs, outputs) {
    const [first, ...others] = outputs[0];
    for (const voice of this.voices.values()) voice.mix(first);
    for (const channel of others) channel.set(first);
    this.blocks += 1;
    if (this.blocks * first.length >= sampleRate) {
      this.blocks = 0;
      const voices = [...this.voices.values()];
      const longest = (field) => Math.max(0, ...voices.map((voice) => (voice[field] / sampleRate) * 1000));
      const dropped = voices.reduce((sum, voice) => sum + voice.dropped, 0);
      this.port.postMessage({ receivedMs: longest("received"), waitingMs: longest("waiting"), dropped });
    }
    return this.running;
  }
}

registerProcessor("call-listen", Listen);
