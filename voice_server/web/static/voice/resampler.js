/**
 * Streaming, band-limited sample-rate conversion: a polyphase Kaiser-windowed sinc.
 *
 * Runs inside the audio worklets (capture: device rate → 24 kHz, playback: 24 kHz → device rate),
 * so it allocates only its output and keeps its history between calls.
 */

/** Zero crossings of the sinc on each side: 64 in all give a transition of 16 % of the band. */
const ZERO_CROSSINGS = 32;
/** Kaiser β for about 80 dB of stop-band attenuation, below the noise of any microphone. */
const KAISER_BETA = 8;
/** Cut-off as a part of the lower Nyquist frequency: the stop band then begins right at it. */
const CUTOFF = 0.92;

function gcd(a, b) {
  return b === 0 ? a : gcd(b, a % b);
}

/** Modified Bessel function of the first kind, order zero, by its power series. */
function bessel0(x) {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-12; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

export class Resampler {
  /**
   * @param {number} from input rate in Hz (a whole number)
   * @param {number} to output rate in Hz (a whole number)
   */
  constructor(from, to) {
    const divisor = gcd(from, to);
    this.up = to / divisor;
    this.down = from / divisor;
    const band = Math.min(1, to / from);
    this.half = Math.ceil(ZERO_CROSSINGS / band);
    this.phases = from === to ? null : this.#design(band * CUTOFF);
    this.reset();
  }

  /** Forget the past: the next input begins a new signal. */
  reset() {
    this.history = new Float32Array(this.half - 1);
    this.position = 0;
  }

  #design(cutoff) {
    const { up, half } = this;
    const scale = bessel0(KAISER_BETA);
    const phases = [];
    for (let phase = 0; phase < up; phase += 1) {
      const taps = new Float32Array(2 * half);
      let sum = 0;
      for (let k = 0; k < taps.length; k += 1) {
        const t = k - half + 1 - phase / up;
        const edge = 1 - (t / half) ** 2;
        const window = edge > 0 ? bessel0(KAISER_BETA * Math.sqrt(edge)) / scale : 0;
        const x = Math.PI * cutoff * t;
        taps[k] = cutoff * window * (x === 0 ? 1 : Math.sin(x) / x);
        sum += taps[k];
      }
      // Every phase gets a gain of exactly one, otherwise a constant would be modulated.
      for (let k = 0; k < taps.length; k += 1) taps[k] /= sum;
      phases.push(taps);
    }
    return phases;
  }

  /**
   * Convert the next piece of the signal.
   * @param {Float32Array} input samples at the input rate
   * @returns {Float32Array} what can be said so far at the output rate (half a filter behind)
   */
  process(input) {
    if (!this.phases) return input;
    const { up, down, half, phases } = this;
    const samples = new Float32Array(this.history.length + input.length);
    samples.set(this.history);
    samples.set(input, this.history.length);
    // position: input time of the next output, in 1/up samples from the start of `samples`,
    // where the tap window of output time t covers floor(t) … floor(t) + 2·half − 1.
    const available = samples.length - 2 * half + 1;
    const count = Math.max(0, Math.ceil((available * up - this.position) / down));
    const output = new Float32Array(count);
    let position = this.position;
    for (let n = 0; n < count; n += 1) {
      const start = Math.floor(position / up);
      const taps = phases[position % up];
      let sum = 0;
      for (let k = 0; k < taps.length; k += 1) sum += samples[start + k] * taps[k];
      output[n] = sum;
      position += down;
    }
    const used = Math.min(Math.floor(position / up), samples.length);
    this.history = samples.slice(used);
    this.position = position - used * up;
    return output;
  }
}
