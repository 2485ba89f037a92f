/**
 * Mouth shapes from sound alone: for the host's microphone and for voices that do not say which
 * sound they make when. Loudness opens the mouth, the two lowest formants shape it, hiss bares the
 * teeth, a hum behind a closed mouth seals the lips. Less sure than phones, and told so in the docs.
 */

export const HOP_S = 0.02;
/** Formants (Hz) of the open shapes, between those of men and women (Peterson and Barney 1952). */
const VOWELS = { aa: [760, 1300], E: [560, 1850], I: [320, 2400], O: [520, 920], U: [340, 850] };
/** Below the loudest of the last seconds by so much, in dB, it is silence. */
const QUIET_DB = 42;
const FLOOR_DB = -55;
/** The loudest sinks by so much a second: a host who moves away still moves the lips. */
const FORGET_DB_S = 3;
/** A weak sound with so much of its energy in the hum is a closed mouth. */
const HUM = 0.9;
/**
 * A dip: so much below a voice that was loud just now (it halves in DIP_HALF_S). Hummed or silent it
 * is a stop, and lips are shown shut. That shuts them for t and k too, which hardly anybody sees;
 * of p, b and m it shows twice as many (tuned on 35 sentences in four languages; bench/ear.py).
 */
const DIP = 0.85;
const DIP_HUM = 0.5;
const DIP_HALF_S = 0.12;
const LOUD = 0.4;

/** Listens to a voice, window after window. */
export class Ear {
  /** `rate`: samples a second. */
  constructor(rate) {
    this.rate = rate;
    // About 20 ms: longer windows smear closures, shorter ones blur the formants.
    this.size = Math.min(1024, Math.max(256, 2 ** Math.round(Math.log2(0.016 * rate))));
    this.real = new Float64Array(this.size);
    this.imag = new Float64Array(this.size);
    this.window = Float64Array.from({ length: this.size }, (_, at) => 0.5 - 0.5 * Math.cos((2 * Math.PI * at) / this.size));
    this.loudest = -30;
    this.voice = 0;
    this.past = new Float32Array(this.size);
  }

  /**
   * The cues of the next piece of a voice (Int16), as the timeline takes them, from `fromMs` on.
   * Pieces may be as short as a microphone's: what came before is remembered.
   */
  cues(pcm, fromMs = 0) {
    const hop = Math.round(HOP_S * this.rate);
    const cues = [];
    for (let at = 0; at < pcm.length; at += hop) {
      const piece = Float32Array.from(pcm.subarray(at, at + hop), (sample) => sample / 32768);
      this.past.copyWithin(0, piece.length);
      this.past.set(piece, this.size - piece.length);
      const { name, weight } = this.hear(this.past, piece.length / this.rate);
      const start = fromMs + (1000 * at) / this.rate;
      const end = start + (1000 * piece.length) / this.rate;
      const last = cues.at(-1);
      if (last?.[0] === name && Math.abs(last[3] - weight) < 0.12) last[2] = end;
      else cues.push([name, start, end, weight]);
    }
    return cues;
  }

  /**
   * The shape of one window (`size` samples, -1 to 1): `{name, weight}`. `stepS`: seconds since
   * the window before.
   */
  hear(samples, stepS = HOP_S) {
    const n = this.size;
    let power = 0;
    for (let at = 0; at < n; at += 1) {
      const s = samples[at] ?? 0;
      power += s * s;
      // High sounds are lifted as a mouth sends them: weaker by 6 dB an octave.
      this.real[at] = (s - 0.95 * (at ? (samples[at - 1] ?? 0) : s)) * this.window[at];
      this.imag[at] = 0;
    }
    const db = 10 * Math.log10(power / n + 1e-12);
    this.loudest = Math.max(db, this.loudest - FORGET_DB_S * stepS, FLOOR_DB + QUIET_DB);
    const level = Math.min(1, Math.max(0, (db - (this.loudest - QUIET_DB)) / QUIET_DB));
    this.voice = Math.max(level, this.voice * Math.pow(2, -stepS / DIP_HALF_S));
    const dip = this.voice > LOUD && level < DIP * this.voice;
    if (level < 0.12 || db < FLOOR_DB) return { name: dip ? "PP" : "sil", weight: 1 };
    fft(this.real, this.imag);
    const band = (low, high) => {
      let sum = 0;
      let moment = 0;
      const to = Math.min(n / 2 - 1, Math.floor((high * n) / this.rate));
      for (let bin = Math.max(1, Math.ceil((low * n) / this.rate)); bin <= to; bin += 1) {
        const energy = this.real[bin] ** 2 + this.imag[bin] ** 2;
        sum += energy;
        moment += energy * bin;
      }
      return { sum, middle: sum > 0 ? ((moment / sum) * this.rate) / n : (low + high) / 2 };
    };
    const hum = band(80, 400);
    const first = band(250, 1000);
    const second = band(800, 2900);
    const hiss = band(3400, 8000);
    const all = hum.sum + band(400, 8000).sum + 1e-12;
    if (hiss.sum / all > 0.5) return { name: hiss.middle > 4700 ? "SS" : "CH", weight: 0.6 + 0.4 * level };
    if (dip && hum.sum / all > DIP_HUM) return { name: "PP", weight: 1 };
    if (level < 0.62 && hum.sum / all > HUM) return { name: "PP", weight: 1 };
    if (level < 0.3) return { name: "nn", weight: 0.4 + level };
    let best = "aa";
    let least = Infinity;
    for (const [name, [f1, f2]] of Object.entries(VOWELS)) {
      // Octaves: an ear hears ratios.
      const away = Math.hypot(1.4 * Math.log2(first.middle / f1), Math.log2(second.middle / f2));
      if (away < least) [best, least] = [name, away];
    }
    return { name: best, weight: Math.min(1.1, 0.2 + Math.max(0, (level - 0.3) / 0.6)) };
  }
}

/** Follows a live sound: the host's microphone. Its shapes are those of the moment. */
export class Listener {
  /** `node`: an AudioNode, heard but not played. */
  constructor(node) {
    this.node = node;
    this.tap = new AnalyserNode(node.context, { fftSize: 2048, smoothingTimeConstant: 0 });
    node.connect(this.tap);
    this.ear = new Ear(node.context.sampleRate);
    this.samples = new Float32Array(2048);
    this.last = null;
  }

  /** The shape that sounds now, as a cue that ends now: the timeline blends it with the last ones. */
  cue(time) {
    this.tap.getFloatTimeDomainData(this.samples);
    const step = this.last === null ? HOP_S : Math.min(0.1, time - this.last);
    this.last = time;
    const { name, weight } = this.ear.hear(this.samples.subarray(this.samples.length - this.ear.size), step);
    return [name, 0, Math.max(1, 1000 * step), weight];
  }

  stop() {
    this.node.disconnect(this.tap);
  }
}

/** In place, radix 2. */
function fft(real, imag) {
  const n = real.length;
  for (let at = 1, j = 0; at < n; at += 1) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (at < j) {
      [real[at], real[j]] = [real[j], real[at]];
      [imag[at], imag[j]] = [imag[j], imag[at]];
    }
  }
  for (let size = 2; size <= n; size <<= 1) {
    const angle = (-2 * Math.PI) / size;
    const [wr, wi] = [Math.cos(angle), Math.sin(angle)];
    for (let begin = 0; begin < n; begin += size) {
      let [cr, ci] = [1, 0];
      for (let k = 0; k < size / 2; k += 1) {
        const a = begin + k;
        const b = a + size / 2;
        const tr = real[b] * cr - imag[b] * ci;
        const ti = real[b] * ci + imag[b] * cr;
        real[b] = real[a] - tr;
        imag[b] = imag[a] - ti;
        real[a] += tr;
        imag[a] += ti;
        [cr, ci] = [cr * wr - ci * wi, cr * wi + ci * wr];
      }
    }
  }
}
