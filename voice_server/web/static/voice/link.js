/**
 * The websocket to `/v1/realtime`, kept alive through the network changes of a phone.
 *
 * A dropped socket is opened again with the resume query, with growing pauses, until the server's
 * token has expired; then, or when the server refuses the token, a new session is opened once.
 * Handlers: `state("connecting" | "open" | "reconnecting" | "failed" | "off", reason, detail)`,
 * `message(event)`, `audio(ArrayBuffer)`, `fresh()` (the old session is gone for good).
 */

/** From socket to first event; the server answers in milliseconds, a lost packet costs seconds. */
const OPEN_DEADLINE_MS = 10_000;
/** After a request for a reply the server must say something (its own fillers come at 1.2 s). */
const ANSWER_DEADLINE_MS = 8_000;
/** Unsent audio that means the network is gone: 64 kB is 1.3 s of speech. */
const STUCK_BYTES = 64_000;
const STUCK_CHECK_MS = 1_000;
/** Audio kept while reconnecting, in frames of 20 ms: older frames are dropped, speech is short-lived. */
const KEPT_FRAMES = 100;
/** Typed texts and the like kept while reconnecting; more than a person types in a minute. */
const KEPT_EVENTS = 32;
/** A first connection that fails is tried this often: then the server really is not there. */
const FIRST_ATTEMPTS = 3;
const BUSY = 1013;
const RESUME_FAILED = 4004;

/** Pause before attempt n (0, 1, …): 0.25 s doubling to 8 s, ± 20 % so that crowds spread. */
export function backoffMs(attempt, random = Math.random) {
  return Math.min(8000, 250 * 2 ** attempt) * (0.8 + 0.4 * random());
}

export class Link {
  /**
   * @param {object} options
   * @param {() => URL} options.address the URL without resume query
   * @param {() => Promise<string | null>} options.key a fresh ephemeral key, or null where none is needed
   * @param {() => {query: object, lifeMs: number} | null} options.resumption what to resume
   * @param {object} options.handlers see above
   */
  constructor({ address, key, resumption, handlers }) {
    Object.assign(this, { address, key, resumption, handlers });
    this.state = "off";
    this.socket = null;
    this.attempt = 0;
    this.lostAt = 0;
    this.freshTried = false;
    this.events = [];
    this.frames = [];
    this.timers = {};
    this.onOnline = () => this.#onOnline();
    this.onOffline = () => this.#dropped("offline");
  }

  open() {
    this.attempt = 0;
    this.freshTried = false;
    globalThis.addEventListener("online", this.onOnline);
    globalThis.addEventListener("offline", this.onOffline);
    this.#enter("connecting");
    return this.#connect();
  }

  /** End the session: the server may forget it. */
  close() {
    this.#stop();
    this.#enter("off");
  }

  /** Send an event; while reconnecting it waits for its turn. */
  send(event) {
    const text = JSON.stringify(event);
    if (this.state === "open") this.socket.send(text);
    else if (this.state !== "off" && this.events.length < KEPT_EVENTS) this.events.push(text);
    if (event.type === "response.create") this.expectAnswer();
  }

  /** Send 20 ms of PCM16; while reconnecting the last two seconds wait. */
  sendAudio(buffer) {
    if (this.state === "open") this.socket.send(buffer);
    else if (this.state === "reconnecting") {
      this.frames.push(buffer);
      if (this.frames.length > KEPT_FRAMES) this.frames.shift();
    }
  }

  /** The server owes an answer now: silence means that the line is dead though nobody said so. */
  expectAnswer() {
    if (this.timers.answer) return;
    this.timers.answer = setTimeout(() => this.#dropped("silent"), ANSWER_DEADLINE_MS);
  }

  #enter(state, reason = "", detail = "") {
    if (state === this.state) return;
    this.state = state;
    this.handlers.state(state, reason, detail);
  }

  async #connect() {
    this.#clear("retry");
    const number = (this.generation = (this.generation ?? 0) + 1);
    let key = null;
    try {
      key = await this.key();
    } catch (error) {
      if (number === this.generation) this.#fail("key", error);
      return;
    }
    if (number !== this.generation || this.state === "off") return;
    const url = this.address();
    const resumption = this.state === "reconnecting" ? this.resumption() : null;
    for (const [name, value] of Object.entries(resumption?.query ?? {})) {
      url.searchParams.set(name, value);
    }
    const protocols = ["realtime", ...(key ? [`openai-insecure-api-key.${key}`] : [])];
    let socket;
    try {
      socket = new WebSocket(url, protocols);
    } catch (error) {
      // A forbidden port, or ws:// from an https page: trying again would not help.
      this.#fail("unreachable", error);
      return;
    }
    if (socket.readyState === WebSocket.CLOSED) {
      this.#fail("unreachable", `the page's Content-Security-Policy forbids ${url.origin}`);
      return;
    }
    socket.binaryType = "arraybuffer";
    socket.onmessage = (message) => this.#received(socket, message);
    socket.onclose = ({ code }) => socket === this.socket && this.#closed(code);
    this.socket = socket;
    this.timers.open = setTimeout(() => this.#dropped("slow"), OPEN_DEADLINE_MS);
  }

  #received(socket, { data }) {
    if (socket !== this.socket) return;
    this.#clear("answer");
    if (typeof data !== "string") {
      this.handlers.audio(data);
      return;
    }
    const event = JSON.parse(data);
    if (event.type === "session.created" || event.type === "voice_server.resumed") this.#opened();
    if (event.type === "error" && event.error.code === "resume_failed") return;
    this.handlers.message(event);
  }

  #opened() {
    this.#clear("open");
    this.attempt = 0;
    this.lostAt = 0;
    this.freshTried = false;
    this.#enter("open");
    const { events, frames } = this;
    this.events = [];
    this.frames = [];
    for (const frame of frames) this.socket.send(frame);
    for (const text of events) this.socket.send(text);
    this.#watch();
  }

  #watch() {
    this.#clear("watch");
    let stuck = 0;
    this.timers.watch = setInterval(() => {
      stuck = this.socket.bufferedAmount > STUCK_BYTES ? stuck + 1 : 0;
      if (stuck >= 2) this.#dropped("stuck");
    }, STUCK_CHECK_MS);
  }

  #closed(code) {
    if (code === 1000 && this.state === "open") this.close();
    // A server that has just been restarted still loads: it is tried again while we may come back.
    else if (code === BUSY && this.state !== "reconnecting") this.#fail("busy");
    else if (code === RESUME_FAILED) this.#startAfresh();
    else this.#dropped("closed");
  }

  /** The socket is gone, or as good as gone: try again as long as that makes sense. */
  #dropped(reason) {
    if (this.state === "off" || this.state === "failed") return;
    this.#abandon();
    if (this.state === "connecting") {
      if (this.attempt + 1 >= FIRST_ATTEMPTS) this.#fail("unreachable");
      else this.#retry();
      return;
    }
    this.lostAt ||= Date.now();
    const resumption = this.resumption();
    if (!resumption || Date.now() - this.lostAt > resumption.lifeMs) {
      this.#startAfresh();
      return;
    }
    this.#enter("reconnecting", reason);
    this.#retry();
  }

  #retry() {
    const pause = backoffMs(this.attempt);
    this.attempt += 1;
    this.timers.retry = setTimeout(() => {
      // Offline the attempt is bound to fail; `online` will call, and time still runs out.
      if (navigator.onLine === false) this.#dropped("offline");
      else this.#connect();
    }, pause);
  }

  #startAfresh() {
    if (this.freshTried || navigator.onLine === false) {
      this.#fail("lost");
      return;
    }
    this.freshTried = true;
    this.#abandon();
    this.events = [];
    this.frames = [];
    this.attempt = 0;
    this.handlers.fresh();
    this.#enter("connecting");
    this.#connect();
  }

  #onOnline() {
    if (this.state !== "reconnecting" && this.state !== "connecting") return;
    this.#abandon();
    this.attempt = 0;
    this.#connect();
  }

  #fail(reason, detail = "") {
    this.#stop();
    this.#enter("failed", reason, String(detail));
  }

  /** Let go of the present socket; nothing it still says counts. */
  #abandon() {
    for (const name of ["open", "answer", "watch", "retry"]) this.#clear(name);
    const { socket } = this;
    this.socket = null;
    socket?.close();
  }

  #stop() {
    this.generation = (this.generation ?? 0) + 1;
    this.#abandon();
    this.events = [];
    this.frames = [];
    globalThis.removeEventListener("online", this.onOnline);
    globalThis.removeEventListener("offline", this.onOffline);
  }

  #clear(name) {
    clearTimeout(this.timers[name]);
    this.timers[name] = null;
  }
}
