/**
 * Audio thread: replies at 24 kHz → device rate → loudspeaker, with the position that is heard.
 *
 * In: `{push: {stream, offsetMs, samples}}`, `{end: stream}`, `{clear: generation}`, `{stop: true}`.
 * Out: `{generation, received, stream, positionMs, rms, idle}` every 40 ms while sounding and once when it falls silent.
 */

import { WIRE_RATE, loudness } from "./pcm.js";
import { PlaybackQueue } from "./playback-queue.js";
import { Resampler } from "./resampler.js";

const REPORT_S = 0.04;

class Playback extends AudioWorkletProcessor {
  constructor() {
    super();
    this.queue = new PlaybackQueue(sampleRate);
    this.resampler = new Resampler(WIRE_RATE, sampleRate);
    this.stream = null;
    this.generation = 0;
    this.received = 0;
    this.running = true;
    this.sinceReport = 0;
    this.loudest = 0;
    this.port.onmessage = ({ data }) => this.#receive(data);
  }

  #receive({ push, end, clear, stop }) {
    if (push) {
      this.received += 1;
      if (push.stream !== this.stream) {
        this.stream = push.stream;
        this.resampler.reset();
      }
      this.queue.push(push.stream, push.offsetMs, this.resampler.process(push.samples));
    }
    if (end !== undefined) this.queue.end(end);
    if (clear) {
      this.generation = clear;
      this.queue.clear();
      this.resampler.reset();
    }
    if (stop) this.running = false;
  }

  process(_inputs, outputs) {
    const [first, ...others] = outputs[0];
    const emptied = this.queue.pull(first);
    for (const channel of others) channel.set(first);
    if (this.queue.playing || emptied) this.#report(first, emptied);
    return this.running;
  }

  #report(block, idle) {
    this.loudest = Math.max(this.loudest, loudness(block));
    this.sinceReport += block.length / sampleRate;
    if (this.sinceReport < REPORT_S && !idle) return;
    const { generation, received, loudest: rms } = this;
    const { stream, positionMs } = this.queue;
    this.port.postMessage({ generation, received, stream, positionMs, rms, idle });
    this.sinceReport = 0;
    this.loudest = 0;
  }
}

registerProcessor("voice-playback", Playback);
