/** Audio thread: microphone → mono → 24 kHz → PCM16 frames of 20 ms, each with its loudness. */

import { FRAME_SAMPLES, WIRE_RATE, loudness, toPcm16 } from "./pcm.js";
import { Resampler } from "./resampler.js";

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(sampleRate, WIRE_RATE);
    this.frame = new Float32Array(FRAME_SAMPLES);
    this.filled = 0;
    this.running = true;
    this.port.onmessage = () => {
      this.running = false;
    };
  }

  process(inputs) {
    const channels = inputs[0];
    if (channels.length > 0) this.#take(this.resampler.process(mixed(channels)));
    return this.running;
  }

  #take(samples) {
    for (let used = 0; used < samples.length; ) {
      const part = samples.subarray(used, used + FRAME_SAMPLES - this.filled);
      this.frame.set(part, this.filled);
      this.filled += part.length;
      used += part.length;
      if (this.filled === FRAME_SAMPLES) this.#send();
    }
  }

  #send() {
    const pcm = toPcm16(this.frame).buffer;
    this.port.postMessage({ pcm, rms: loudness(this.frame) }, [pcm]);
    this.filled = 0;
  }
}

/** Some headsets give the voice on one of two channels only: the average keeps it. */
function mixed(channels) {
  if (channels.length === 1) return channels[0];
  const mono = new Float32Array(channels[0].length);
  for (const channel of channels) {
    for (let i = 0; i < mono.length; i += 1) mono[i] += channel[i] / channels.length;
  }
  return mono;
}

registerProcessor("voice-capture", Capture);
