/** The websocket of a show's page: JSON messages and speech, reconnecting with back-off. */

const FIRST_MS = 500;
const LONGEST_MS = 15000;
const OVER = 1000;

export class ShowLink {
  /** `on(message)` for JSON, `onSpeech(header, Int16Array)` for speech, `onState(connected)`. */
  constructor(path, { on, onSpeech = () => {}, onState = () => {}, protocols = [] }) {
    const url = new URL(path, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.url = url;
    this.handlers = { on, onSpeech, onState };
    this.protocols = protocols;
    this.wait = FIRST_MS;
    this.#open();
  }

  #open() {
    const socket = (this.socket = new WebSocket(this.url, this.protocols));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.wait = FIRST_MS;
      this.handlers.onState(true);
    };
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.handlers.on(JSON.parse(data));
      else this.handlers.onSpeech(...unpack(data));
    };
    socket.onclose = ({ code }) => {
      this.handlers.onState(false);
      if (code === OVER) return;
      setTimeout(() => this.#open(), this.wait * (0.5 + Math.random() / 2));
      this.wait = Math.min(this.wait * 2, LONGEST_MS);
    };
  }

  send(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }
}

/** A speech frame: length of the header (4 bytes, little-endian), header as JSON, PCM16. */
export function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  return [header, new Int16Array(buffer.slice(4 + length))];
}
