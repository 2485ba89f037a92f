/** PCM16 little-endian ↔ float samples, and the binary frames of `docs/realtime-extensions.md`. */

/** The rate of the Realtime protocol's `audio/pcm` format, in Hz. */
export const WIRE_RATE = 24000;
/** One frame to the server: 20 ms. */
export const FRAME_SAMPLES = WIRE_RATE / 50;
/** Bytes before the samples of a binary frame from the server. */
const HEADER_BYTES = 8;
const AUDIO = 1;

/** @param {Float32Array} samples −1 … 1, louder is clipped; @returns {Int16Array} */
export function toPcm16(samples) {
  const pcm = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i += 1) {
    pcm[i] = Math.round(Math.max(-1, Math.min(1, samples[i])) * 32767);
  }
  return pcm;
}

/** @param {DataView} view bytes of PCM16 LE; @returns {Float32Array} */
export function fromPcm16(view) {
  const samples = new Float32Array(view.byteLength >> 1);
  for (let i = 0; i < samples.length; i += 1) samples[i] = view.getInt16(2 * i, true) / 32768;
  return samples;
}

/**
 * Read a binary message of the server.
 * @param {ArrayBuffer} buffer
 * @returns {{stream: number, offsetMs: number, samples: Float32Array} | null} null when it is of a
 *   type this client does not know, which the protocol allows.
 */
export function parseFrame(buffer) {
  if (buffer.byteLength < HEADER_BYTES) return null;
  const view = new DataView(buffer);
  if (view.getUint8(0) !== AUDIO) return null;
  return {
    stream: view.getUint16(2, true),
    offsetMs: view.getUint32(4, true),
    samples: fromPcm16(new DataView(buffer, HEADER_BYTES)),
  };
}

/** Audio of a server that speaks no binary: the base64 of `response.output_audio.delta`. */
export function parseBase64(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return fromPcm16(new DataView(bytes.buffer));
}

/** Root mean square of some samples, 0 … 1. */
export function loudness(samples) {
  let sum = 0;
  for (let i = 0; i < samples.length; i += 1) sum += samples[i] * samples[i];
  return samples.length ? Math.sqrt(sum / samples.length) : 0;
}

/** Loudness on a scale for eyes: −54 dBFS and below is 0, −10 dBFS and above is 1. */
export function meter(rms) {
  return Math.max(0, Math.min(1, (20 * Math.log10(rms + 1e-7) + 54) / 44));
}
