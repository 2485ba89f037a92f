/** The calls' API: requests with a key, and one websocket that comes back by itself. */

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
const REQUEST_MS = 15_000;
const KEY_PROTOCOL = "openai-insecure-api-key.";
/** Bytes on their way to a slow network: beyond, the microphone's oldest words are not worth sending. */
const UPLOAD_MOST = 24_000;

export class ApiProblem extends Error {
  constructor(status, code) {
    super(code || `status ${status}`);
    this.status = status;
    this.code = code;
  }
}

export class CallsLink {
  #key;
  #agent;
  #socket = null;
  #wait = FIRST_WAIT;
  #timer = 0;
  #wanted = false;

  /** @param {{onMessage: (m: object) => void, onSound: (side: number, data: ArrayBuffer) => void, onLink: (up: boolean) => void}} handlers */
  constructor(key, agent, handlers) {
    this.#key = key;
    this.#agent = agent;
    Object.assign(this, handlers);
  }

  async request(path) {
    const headers = this.#key ? { Authorization: `Bearer ${this.#key}` } : {};
    const response = await fetch(`/api/calls${path}`, { headers, signal: AbortSignal.timeout(REQUEST_MS), cache: "no-store" });
    if (!response.ok) {
      const answer = await response.json().catch(() => ({}));
      throw new ApiProblem(response.status, answer.error?.code ?? "");
    }
    return response;
  }

  json = async (path) => (await this.request(path)).json();

  listen() {
    this.#wanted = true;
    this.#connect();
  }

  close() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** @param {ArrayBuffer} pcm 20 ms at 24 kHz */
  speak(pcm) {
    const socket = this.#socket;
    if (socket?.readyState === WebSocket.OPEN && socket.bufferedAmount < UPLOAD_MOST) socket.send(pcm);
  }

  #connect() {
    const url = new URL("/api/calls/live", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.searchParams.set("agent", this.#agent);
    const socket = new WebSocket(url, ["calls", ...(this.#key ? [KEY_PROTOCOL + this.#key] : [])]);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      if (typeof data !== "string") return this.onSound(new Uint8Array(data)[0], data);
      const message = JSON.parse(data);
      if (message.type === "ready") {
        this.#wait = FIRST_WAIT;
        this.onLink(true);
      }
      return this.onMessage(message);
    };
    socket.onclose = () => {
      if (!this.#wanted || this.#socket !== socket) return;
      this.onLink(false);
      this.#timer = setTimeout(() => this.#connect(), this.#wait * (0.75 + Math.random() / 2));
      this.#wait = Math.min(LONGEST_WAIT, this.#wait * 2);
    };
  }
}
