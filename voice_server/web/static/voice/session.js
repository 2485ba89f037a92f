/**
 * One conversation: joins the link, the core and the audio, and tells the view what to show.
 *
 * Handlers: `state(state, reason)`, `entry(entry)`, `gone(id)`, `card(card)`, `notice(key | null)`,
 * `level("input" | "output", 0…1)`, `problem({code, message})`, `refresh()`.
 */

import { Microphone, MicrophoneError, Player, closeContext, openContext, wake } from "./audio.js";
import { Core } from "./core.js";
import { ephemeralKey, realtimeUrl } from "./endpoint.js";
import { Link } from "./link.js";
import { meter, parseFrame } from "./pcm.js";
import { stateOf } from "./state.js";

/** The server wants the played position about every 100 ms. */
const ACK_MS = 100;
/** Frames of 20 ms kept from before the talk key was pressed: people speak a little early … */
const PREROLL_FRAMES = 10;
/** … and let go a little early, and the microphone itself is late. */
const TAIL_MS = 140;
/** A shorter press is a slip, not a question. */
const SHORTEST_PRESS_MS = 350;
/** The pause between two clauses must not flash "thinking". */
const SETTLE_MS = 300;

export class VoiceSession {
  /**
   * @param {object} options
   * @param {string} options.server base URL (ws, wss, http or https)
   * @param {string} [options.shop]
   * @param {"auto"|string} options.language
   * @param {string} options.locale language of the interface
   * @param {"hands-free"|"press"} options.mode
   * @param {string} [options.keyUrl] the shop's own page that hands out an ephemeral key
   * @param {object} handlers see above
   */
  constructor(options, handlers) {
    Object.assign(this, options);
    this.handlers = handlers;
    this.core = new Core();
    this.context = null;
    this.player = null;
    this.microphone = null;
    this.muted = false;
    this.silent = false;
    this.talking = false;
    this.pressedAt = 0;
    this.preroll = [];
    this.lastAck = 0;
    this.shown = "idle";
    this.texts = [];
    this.link = new Link({
      address: () => realtimeUrl(this, this.core.audible),
      key: () => ephemeralKey(this.keyUrl),
      resumption: () => {
        const query = this.core.resumption();
        return query && { query, lifeMs: this.core.tokenLifeMs };
      },
      handlers: {
        state: (...change) => this.#linkState(...change),
        message: (event) => this.#follow(this.core.receive(event)),
        audio: (buffer) => this.#frame(buffer),
        fresh: () => this.#fresh(),
      },
    });
  }

  get state() {
    return stateOf({
      ...this.core.facts,
      responding: this.core.responding,
      link: this.link.state,
      asking: this.asking,
      open: this.mode === "press" ? this.talking : Boolean(this.microphone) && !this.muted,
    });
  }

  get running() {
    return this.link.state !== "off" && this.link.state !== "failed";
  }

  /** Begin, inside the handler of a tap or key. With a text, that is the first question. */
  async start(text = "") {
    this.handlers.notice(null);
    this.#follow(this.core.forget());
    this.core.empty = true;
    if (text) this.#ask(text);
    this.context ??= openContext();
    this.context.onstatechange = () => this.#soundState();
    const hearing = this.microphone ? Promise.resolve() : this.openMicrophone();
    try {
      this.player ??= await Player.open(this.context, (report) => this.#played(report));
      this.player.silent = this.silent;
    } catch (error) {
      this.handlers.problem({ code: "no_sound", message: String(error) });
      // On an insecure address the microphone's notice says it better.
      if (isSecureContext) this.handlers.notice("noSound");
    }
    this.core.audible = Boolean(this.player);
    this.settled = hearing;
    this.link.open();
  }

  /** Ask for the microphone (again). The conversation goes on by text where there is none. */
  async openMicrophone() {
    const attempt = (this.micAttempt = (this.micAttempt ?? 0) + 1);
    this.asking = true;
    try {
      const microphone = await Microphone.open(
        this.context,
        (frame) => this.#spoken(frame),
        () => this.#lostMicrophone("micLost"),
      );
      // The conversation may have ended while the browser was asking.
      if (attempt !== this.micAttempt) microphone.close();
      else {
        this.microphone = microphone;
        this.asking = false;
        this.handlers.notice(null, "mic");
      }
    } catch (error) {
      if (attempt !== this.micAttempt) return;
      const reason = error instanceof MicrophoneError ? error.reason : "micBusy";
      this.handlers.problem({ code: reason, message: String(error.cause ?? error) });
      this.#lostMicrophone(reason);
    }
    this.#show();
  }

  #lostMicrophone(reason) {
    this.#releaseMicrophone();
    this.handlers.notice(reason);
    this.#show();
  }

  #releaseMicrophone() {
    this.micAttempt = (this.micAttempt ?? 0) + 1;
    this.asking = false;
    this.microphone?.close();
    this.microphone = null;
    this.talking = false;
    this.preroll = [];
    this.handlers.level("input", 0);
  }

  /** Hang up and give the microphone back. */
  end() {
    this.link.close();
    this.#follow(this.core.forget());
    this.#releaseMicrophone();
    this.player?.close();
    this.player = null;
    if (this.context) closeContext(this.context);
    this.context = null;
    this.handlers.level("output", 0);
    this.#show();
  }

  /** Ask by text. */
  say(text) {
    if (this.link.state === "off" || this.link.state === "failed") return this.start(text);
    this.interrupt();
    this.#ask(text);
    if (this.link.state !== "connecting") this.#sendTexts();
    return Promise.resolve();
  }

  #ask(text) {
    const id = `item_${crypto.getRandomValues(new Uint32Array(3)).join("")}`;
    this.#follow(this.core.typed(id, text));
    this.texts.push({ id, text });
  }

  #sendTexts() {
    if (!this.texts.length) return;
    for (const { id, text } of this.texts) {
      const item = { id, type: "message", role: "user", content: [{ type: "input_text", text }] };
      this.link.send({ type: "conversation.item.create", item });
    }
    this.texts = [];
    this.#request();
  }

  #request() {
    this.core.asked();
    this.link.send({ type: "response.create" });
    this.#show();
  }

  /** Cut the reply off. */
  interrupt() {
    const { reply, facts, responding } = this.core;
    if (!facts.playing && !responding && !facts.awaiting && !facts.held) return;
    if (facts.awaiting || this.core.unfinished) this.link.send({ type: "response.cancel" });
    else if (facts.playing) {
      // All of it was sent, not all of it was heard: the server cannot know otherwise.
      this.link.send({
        type: "conversation.item.truncate", item_id: reply.entry.id, content_index: 0,
        audio_end_ms: Math.round(reply.positionMs),
      });
    }
    this.#follow(this.core.interrupted());
  }

  /** Press-to-talk: the key or button goes down. */
  press() {
    if (this.link.state !== "open" || !this.microphone || this.talking) return;
    clearTimeout(this.releasing);
    this.interrupt();
    this.link.send({ type: "input_audio_buffer.clear" });
    this.pressedAt = performance.now();
    this.talking = true;
    for (const pcm of this.preroll.splice(0)) this.link.sendAudio(pcm);
    this.#show();
  }

  /** Press-to-talk: it comes up. */
  release() {
    if (!this.talking || this.pressedAt === 0) return;
    const slip = performance.now() - this.pressedAt < SHORTEST_PRESS_MS;
    this.pressedAt = 0;
    this.releasing = setTimeout(() => {
      this.talking = false;
      if (slip) {
        this.link.send({ type: "input_audio_buffer.clear" });
        this.handlers.notice("holdLonger");
        this.#show();
      } else {
        this.handlers.notice(null);
        this.link.send({ type: "input_audio_buffer.commit" });
        this.#request();
      }
    }, TAIL_MS);
  }

  setMuted(muted) {
    this.muted = muted;
    if (muted) this.handlers.level("input", 0);
    this.#show();
  }

  setSilent(silent) {
    this.silent = silent;
    if (this.player) this.player.silent = silent;
  }

  setMode(mode) {
    this.mode = mode;
    this.talking = false;
    this.#configure({ turn_detection: this.#turnDetection() });
    this.#show();
  }

  setLanguage(language) {
    this.language = language;
    this.#configure({ transcription: this.#transcription() });
  }

  /** Any gesture may bring back sound that the system has taken away. */
  wake() {
    if (this.context) wake(this.context);
  }

  #transcription() {
    return { language: this.language === "auto" ? null : this.language };
  }

  #turnDetection() {
    return this.mode === "press" ? null : { type: "semantic_vad" };
  }

  #configure(input) {
    if (!this.running || this.link.state === "connecting") return;
    this.link.send({ type: "session.update", session: { type: "realtime", audio: { input } } });
  }

  #linkState(state, reason, detail) {
    if (state === "failed") {
      this.core.facts.playing = false;
      this.player?.flush();
      this.#releaseMicrophone();
      this.handlers.problem({ code: reason, message: detail || `no connection: ${reason}` });
      this.handlers.notice(reason);
    } else if (state === "off" && this.context) this.end();
    this.#show();
    this.handlers.refresh();
  }

  #fresh() {
    this.#follow(this.core.forget());
    this.handlers.notice("startedAfresh");
  }

  #opened(resumed) {
    if (resumed) return;
    const input = {
      format: { type: "audio/pcm", rate: 24000 },
      transcription: this.#transcription(),
      turn_detection: this.#turnDetection(),
    };
    const output_modalities = [this.player ? "audio" : "text"];
    this.link.send({
      type: "session.update", session: { type: "realtime", output_modalities, audio: { input } },
    });
    const first = this.core.empty;
    this.#sendTexts();
    // The greeting waits until the visitor has answered the browser's question.
    const { session } = this.core;
    this.settled?.then(() => {
      if (first && this.core.empty && this.link.state === "open" && session === this.core.session) {
        this.#request();
      }
    });
  }

  #frame(buffer) {
    const frame = parseFrame(buffer);
    if (frame) this.#follow(this.core.frame(frame));
  }

  #spoken({ pcm, rms }) {
    const muted = this.muted && this.mode !== "press";
    this.handlers.level("input", muted ? 0 : meter(rms));
    if (this.mode === "press") {
      if (this.talking) this.link.sendAudio(pcm);
      else {
        this.preroll.push(pcm);
        if (this.preroll.length > PREROLL_FRAMES) this.preroll.shift();
      }
      // Muted is silence, not absence: the server's clock of the user's audio must go on.
    } else this.link.sendAudio(muted ? new ArrayBuffer(pcm.byteLength) : pcm);
  }

  #played({ responseId, positionMs, rms, idle }) {
    this.handlers.level("output", idle ? 0 : meter(rms));
    const orders = this.core.played(responseId, positionMs, idle);
    const now = performance.now();
    const wanted = this.link.state === "open" && this.core.extensions.has("playback");
    if (wanted && (idle || now - this.lastAck >= ACK_MS)) {
      this.lastAck = now;
      this.link.send({
        type: "voice_server.playback", response_id: responseId, position_ms: Math.round(positionMs),
      });
    }
    this.#follow(orders);
  }

  #soundState() {
    const blocked = this.context.state !== "running" && this.context.state !== "closed";
    this.handlers.notice(blocked ? "tapForSound" : null, "tapForSound");
  }

  #follow(orders) {
    for (const order of orders) {
      switch (order.kind) {
        case "entry": this.handlers.entry(order.entry); break;
        case "gone": this.handlers.gone(order.id); break;
        case "card": this.handlers.card(order.card); break;
        case "flush":
          this.player?.flush();
          this.handlers.level("output", 0);
          break;
        case "sound": this.player?.play(order.responseId, order.offsetMs, order.samples); break;
        case "ended": this.player?.ended(order.responseId); break;
        case "session": this.#opened(order.resumed); break;
        case "problem":
          this.handlers.problem(order);
          this.handlers.notice("serverProblem");
          break;
        default: throw new Error(`unknown order ${order.kind}`);
      }
    }
    this.#show();
  }

  #show() {
    clearTimeout(this.settling);
    const { state } = this;
    if (state === this.shown) return;
    if (this.shown === "speaking" && state === "thinking") {
      this.settling = setTimeout(() => this.#enter(this.state), SETTLE_MS);
    } else this.#enter(state);
  }

  #enter(state) {
    this.shown = state;
    this.handlers.state(state);
  }
}
