/** The desk's API: requests with a key, and a websocket that comes back by itself. */

/** Backoff of the websocket: first and longest wait in ms. */
const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
const REQUEST_MS = 15_000;
const KEY_PROTOCOL = "openai-insecure-api-key.";

export class ApiProblem extends Error {
  constructor(status, code) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

export class DeskApi {
  #key;
  #socket = null;
  #wait = FIRST_WAIT;
  #timer = 0;
  #wanted = false;

  constructor(key, { onCase, onLink }) {
    this.#key = key;
    this.onCase = onCase;
    this.onLink = onLink;
  }

  async #request(method, path, body) {
    const headers = this.#key ? { Authorization: `Bearer ${this.#key}` } : {};
    if (body) headers["Content-Type"] = "application/json";
    const response = await fetch(`/api/desk/${path}`, {
      method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(REQUEST_MS), cache: "no-store",
    });
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new ApiProblem(response.status, answer.error?.code ?? "");
    return answer;
  }

  cases = async () => (await this.#request("GET", "cases")).cases;
  open = (id) => this.#request("GET", `cases/${encodeURIComponent(id)}`);
  texts = (language) => this.#request("GET", `texts/${language}`);
  act = (id, action, body) => this.#request("POST", `cases/${encodeURIComponent(id)}/${action}`, body);

  /** Listen from now on; after every (re)connection `onLink(true)` asks the page to read anew. */
  listen() {
    this.#wanted = true;
    this.#connect();
  }

  close() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  #connect() {
    const url = new URL("/api/desk/live", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url, ["desk", ...(this.#key ? [KEY_PROTOCOL + this.#key] : [])]);
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === "ready") {
        this.#wait = FIRST_WAIT;
        this.onLink(true);
      } else if (message.type === "case") {
        this.onCase(message.case);
      }
    };
    socket.onclose = () => {
      if (!this.#wanted || this.#socket !== socket) return;
      this.onLink(false);
      this.#timer = setTimeout(() => this.#connect(), this.#wait * (0.75 + Math.random() / 2));
      this.#wait = Math.min(LONGEST_WAIT, this.#wait * 2);
    };
  }
}
