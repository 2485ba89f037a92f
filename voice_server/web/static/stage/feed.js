/**
 * `/stage/{show}/feed`: the stage as the server's own browser draws it, sent back as H.264 and PCM.
 *
 * Picture and sound leave with times of one clock, the page's. The avatar is drawn for whole slots of
 * 1/25 s; which slot a captured picture shows stands in it, as black and white fields in a strip below
 * the stage that is cut off before encoding. So lips and voice agree however late the picture comes.
 *
 * Frames to the server: kind (u8), key (u8), width and height (u16 LE), time in ms (f64 LE), payload.
 */

import { AudioClock } from "./clock.js";
import { ShowLink } from "./link.js";
import { Stage } from "./stage.js";

const FPS = 25;
const STRIP = 16;
const FIELD = 16;
const SLOT_BITS = 32;
const FIELDS = SLOT_BITS + 8;
/** A key frame every two seconds, as the platforms ask for. */
const KEY_EVERY = 2 * FPS;
/** Slots without a picture of their own repeat the one before, up to so many: then it was a hole. */
const LONGEST_REPEAT = 3 * FPS;
/** Pictures that wait for the encoder; beyond it does not keep up, and new ones are not taken. */
const WAITING = 8;
const HEADER = 14;
const KIND = { config: 1, video: 2, sound: 3, hush: 4 };

const options = new URLSearchParams(location.search);
const show = decodeURIComponent(location.pathname.split("/")[2]);
const language = options.get("lang") ?? "en";
const [width, height] = (options.get("size") ?? "1280x720").split("x").map(Number);
const url = new URL(`/live/${encodeURIComponent(show)}/feed`, location.href);
url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
url.searchParams.set("token", options.get("token") ?? "");

/** Sound is not played here but sent, with the time at which it would be heard. */
class FeedClock extends AudioClock {
  constructor(post) {
    super({ muted: true });
    this.post = post;
    this.slot = 0;
  }

  /** The beginning of the slot that is drawn now. */
  heard() {
    this.slot = Math.floor(this.time() * FPS + 1e-6);
    return this.slot / FPS;
  }

  play(id, atMs, rate, pcm, leadMs) {
    const began = super.play(id, atMs, rate, pcm, leadMs);
    if (pcm.length) this.post(KIND.sound, began * 1000 + atMs, pcm, { size: [rate / 100, 0] });
    return began;
  }

  cancel() {
    const time = super.cancel();
    this.post(KIND.hush, time * 1000);
    return time;
  }
}

/** Eight bits that a wrong reading would not have. */
const check = (slot) => ((slot ^ (slot >>> 8) ^ (slot >>> 16) ^ (slot >>> 24)) & 255) ^ 0x5a;

function drawStamp(ctx, slot) {
  for (let at = 0; at < FIELDS; at += 1) {
    const bit = at < SLOT_BITS ? (slot >>> at) & 1 : (check(slot) >>> (at - SLOT_BITS)) & 1;
    ctx.fillStyle = bit ? "#fff" : "#000";
    ctx.fillRect(at * FIELD, 0, FIELD, STRIP);
  }
}

/** The slot that a captured picture shows, null when it cannot be read. */
async function readStamp(frame, luma) {
  const rect = { x: 0, y: height, width: FIELDS * FIELD, height: STRIP };
  const [layout] = await frame.copyTo(luma, { rect });
  const row = layout.offset + (layout.stride * STRIP) / 2;
  let slot = 0;
  let sum = 0;
  for (let at = 0; at < FIELDS; at += 1) {
    const bit = luma[row + at * FIELD + FIELD / 2] > 126 ? 1 : 0;
    if (at < SLOT_BITS) slot |= bit << at;
    else sum |= bit << (at - SLOT_BITS);
  }
  slot >>>= 0;
  return sum === check(slot) ? slot : null;
}

async function main() {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  // The server is gone, or wants another page: this browser ends.
  socket.onclose = () => window.close();
  await new Promise((opened) => (socket.onopen = opened));

  const post = (kind, ms, payload = null, { key = false, size = [width, height] } = {}) => {
    const bytes = payload ? new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength) : [];
    const message = new Uint8Array(HEADER + bytes.length);
    const view = new DataView(message.buffer);
    view.setUint8(0, kind);
    view.setUint8(1, key ? 1 : 0);
    view.setUint16(2, size[0], true);
    view.setUint16(4, size[1], true);
    view.setFloat64(6, ms, true);
    message.set(bytes, HEADER);
    socket.send(message);
  };
  const tell = (message) => socket.send(JSON.stringify(message));
  const fail = (error) => tell({ type: "failed", words: `${error.name}: ${error.message}` });

  const root = document.getElementById("stage");
  root.style.width = `${width}px`;
  root.style.height = `${height}px`;
  const stage = new Stage(root, {
    show,
    language,
    captions: options.get("captions") ?? language,
    muted: true,
    backdrop: options.get("backdrop") ?? "auto",
    exact: true,
  });
  const clock = (stage.clock = new FeedClock(post));
  new ShowLink(`/live/${encodeURIComponent(show)}/stage`, {
    on: (message) => stage.on(message),
    onSpeech: (header, pcm) => stage.onSpeech(header, pcm),
  });

  const canvas = document.getElementById("stamp");
  canvas.width = FIELDS * FIELD;
  canvas.height = STRIP;
  canvas.style.top = `${height}px`;
  const stamp = canvas.getContext("2d");
  let stamped = -1;
  // Asked for after the stage's own, so it runs after it: slot and avatar are of one frame.
  const mark = () => {
    requestAnimationFrame(mark);
    if (clock.slot === stamped) return;
    stamped = clock.slot;
    drawStamp(stamp, stamped);
  };
  requestAnimationFrame(mark);

  try {
    await encode({ post, tell, fail, socket });
  } catch (error) {
    fail(error);
  }
}

async function encode({ post, tell, fail, socket }) {
  const config = {
    codec: "avc1.4d401f",
    width,
    height,
    framerate: FPS,
    bitrate: Number(options.get("bitrate") ?? 2_500_000),
    latencyMode: "quality",
    avc: { format: "avc" },
  };
  if (!(await VideoEncoder.isConfigSupported(config)).supported) {
    throw new Error("this Chromium has no H.264 encoder");
  }
  const encoder = new VideoEncoder({
    error: fail,
    output: (chunk, about) => {
      const found = about?.decoderConfig?.description;
      if (found) post(KIND.config, 0, new Uint8Array(found));
      const data = new Uint8Array(chunk.byteLength);
      chunk.copyTo(data);
      post(KIND.video, chunk.timestamp / 1000, data, { key: chunk.type === "key" });
    },
  });
  encoder.configure(config);
  let keyAt = 0;
  socket.onmessage = () => (keyAt = 0); // all that the server says is: a key frame, please

  const counts = { repeated: 0, left_out: 0, unread: 0 };
  let last = null;
  let before = -1;
  const put = (frame, slot) => {
    const picture = new VideoFrame(frame, {
      visibleRect: { x: 0, y: 0, width, height },
      timestamp: Math.round((slot * 1e6) / FPS),
    });
    const keyFrame = slot >= keyAt;
    if (keyFrame) keyAt = slot + KEY_EVERY;
    encoder.encode(picture, { keyFrame });
    picture.close();
  };
  const stream = await navigator.mediaDevices.getDisplayMedia({
    preferCurrentTab: true,
    video: { width, height: outerHeight, frameRate: 60, cursor: "never" },
    audio: false,
  });
  const [track] = stream.getVideoTracks();
  track.onended = () => fail(new Error("the capture of the page ended"));
  const frames = new MediaStreamTrackProcessor({ track, maxBufferSize: 8 }).readable.getReader();
  const luma = new Uint8Array(FIELDS * FIELD * STRIP * 4);
  setInterval(() => tell({ type: "counts", ...counts }), 1000);
  for (;;) {
    const { value: frame, done } = await frames.read();
    if (done) return;
    const slot = await readStamp(frame, luma);
    if (slot === null) counts.unread += 1;
    if (slot === null || slot <= before || encoder.encodeQueueSize > WAITING) {
      frame.close();
      continue;
    }
    const missing = last ? slot - before - 1 : 0;
    if (missing > LONGEST_REPEAT) counts.left_out += missing;
    else {
      for (let at = before + 1; at < slot && last; at += 1) put(last, at);
      counts.repeated += missing;
    }
    put(frame, slot);
    before = slot;
    last?.close();
    last = frame;
  }
}

main();
