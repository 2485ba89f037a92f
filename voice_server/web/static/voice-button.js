/**
 * `<voice-button>`: speak to the shop. One script tag, no dependency:
 *
 *   <script type="module" src="https://host/static/voice-button.js"></script>
 *   <voice-button server="wss://host" shop="demo" language="auto" mode="hands-free"
 *                 key-url="/my/voice-key"></voice-button>
 *
 * Attributes: `server` (default: where this script came from), `shop`, `language` (auto fr nl de
 * en), `mode` (hands-free, press), `key-url` (answers POST with {"value": "ek_…"}), `lang` (of the
 * interface), `placement` (center, start, end), `open`.
 * Events (they bubble and leave the shadow tree): `voice-state` {state}, `voice-transcript` {role,
 * text, final, id}, `voice-card` {product_id, name, price …}, `voice-error` {code, message}.
 * Methods: `open()`, `close()`, `start()`, `ask(text)`, `end()`.
 * Theme: `--voice-accent`, `--voice-on-accent`, `--voice-surface`, `--voice-ink`, `--voice-radius`,
 * `--voice-z`; parts launcher, panel, log, user, assistant, card, chip, orb, status, input.
 */

import { LANGUAGES, chooseLanguage, texts } from "./voice/i18n.js";
import { Log } from "./voice/log.js";
import { STATE_ICONS, buildPanel, setIcon } from "./voice/panel.js";
import { h } from "./voice/icons.js";
import { VoiceSession } from "./voice/session.js";
import { sheet } from "./voice/styles.js";
import { Wave } from "./voice/wave.js";

const HERE = new URL(import.meta.url);
/** States in which a tap on the orb stops the reply. */
const REPLYING = new Set(["thinking", "speaking", "paused"]);
/** Notices that are over as soon as the conversation goes on. */
const PASSING = new Set(["holdLonger", "serverProblem", "startedAfresh", "busy", "unreachable", "lost", "key"]);
const MICROPHONE = new Set(["micDenied", "micMissing", "micBusy", "micLost"]);
const RETRY = new Set(["busy", "unreachable", "lost", "key"]);

class VoiceButton extends HTMLElement {
  static observedAttributes = ["language", "mode", "lang"];

  constructor() {
    super();
    this.attachShadow({ mode: "open", delegatesFocus: false });
    this.shadowRoot.adoptedStyleSheets = [sheet()];
    this.ui = buildPanel();
    this.shadowRoot.append(this.ui.root);
    this.state = "idle";
    this.notice = null;
    this.wave = new Wave(this.ui.wave);
    this.session = null;
  }

  connectedCallback() {
    const server = this.getAttribute("server") || HERE.origin;
    const base = new URL(server, location.href);
    base.protocol = base.protocol.replace("ws", "http");
    this.log ??= new Log(this.ui.log, () => this.words, base.href);
    this.session ??= new VoiceSession(
      {
        server, shop: this.getAttribute("shop") ?? "", language: this.language, locale: this.locale,
        mode: this.mode, keyUrl: this.getAttribute("key-url") ?? "",
      },
      this.#handlers(),
    );
    if (!this.wired) this.#wire();
    this.#speak();
    if (this.hasAttribute("open")) this.open();
  }

  disconnectedCallback() {
    this.end();
  }

  attributeChangedCallback(name, before, after) {
    if (!this.session || before === after) return;
    if (name === "language") this.session.setLanguage(this.language);
    if (name === "mode") this.session.setMode(this.mode);
    this.session.locale = this.locale;
    this.#speak();
  }

  get language() {
    const wish = this.getAttribute("language");
    return wish in LANGUAGES ? wish : "auto";
  }

  get mode() {
    return this.getAttribute("mode") === "press" ? "press" : "hands-free";
  }

  /** The language of the interface: the chosen one, the element's, the page's, the browser's. */
  get locale() {
    const around = this.closest("[lang]")?.getAttribute("lang");
    return chooseLanguage(this.language, this.getAttribute("lang"), around, navigator.language);
  }

  get words() {
    return texts(this.locale);
  }

  /** Show the panel; the conversation begins with `start()` or the visitor's tap. */
  open() {
    this.ui.panel.hidden = false;
    this.toggleAttribute("open", true);
    this.ui.launcher.setAttribute("aria-expanded", "true");
    this.ui.orb.focus({ preventScroll: true });
    this.#show();
  }

  /** Hide the panel. A running conversation goes on, shown by the launcher. */
  close() {
    this.ui.panel.hidden = true;
    this.toggleAttribute("open", false);
    this.ui.launcher.setAttribute("aria-expanded", "false");
    this.ui.launcher.focus({ preventScroll: true });
    this.#show();
  }

  /** Open the panel and start talking; call it in the handler of a tap. */
  start() {
    this.open();
    if (!this.session.running) this.session.start();
  }

  /** Ask a question by text, as if it had been typed. */
  ask(text) {
    this.open();
    this.session.say(text);
  }

  end() {
    if (this.session?.running) this.session.end();
    this.#setNotice(null);
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  #handlers() {
    return {
      state: (state) => {
        this.state = state;
        if (PASSING.has(this.notice) && !["error", "connecting", "ready", "listening"].includes(state)) {
          this.#setNotice(null);
        }
        this.#show();
        this.#tell("voice-state", { state });
      },
      entry: (entry) => {
        this.log.show(entry);
        const user = entry.role === "user";
        const text = user ? entry.text : entry.clauses.map((clause) => clause.text).join(" ");
        const final = user ? entry.final : entry.status !== "active";
        if (text) this.#tell("voice-transcript", { id: entry.id, role: entry.role, text, final });
      },
      gone: (id) => this.log.remove(id),
      card: (card) => this.#tell("voice-card", card),
      // With a second word: clear the notice only if its key begins with that.
      notice: (key, only = "") => {
        if (key || this.notice?.startsWith(only)) this.#setNotice(key);
      },
      problem: ({ code, message }) => this.#tell("voice-error", { code, message }),
      refresh: () => this.#show(),
      level: (kind, value) => this.#level(kind, value),
    };
  }

  #level(kind, value) {
    const shown = kind === "output" ? ["speaking"] : ["listening", "paused"];
    if (!shown.includes(this.state)) return;
    this.wave.level(value);
    this.ui.root.style.setProperty("--level", value.toFixed(2));
  }

  #wire() {
    this.wired = true;
    const { ui } = this;
    ui.launcher.addEventListener("click", () => {
      if (ui.panel.hidden) this.start();
      else this.close();
    });
    ui.minimise.addEventListener("click", () => this.close());
    ui.mute.addEventListener("click", () => this.#toggleMute());
    ui.end.addEventListener("click", () => {
      if (this.session.running) this.end();
      else this.close();
    });
    ui.sound.addEventListener("click", () => {
      this.session.setSilent(!this.session.silent);
      this.#speak();
    });
    ui.language.addEventListener("change", () => this.setAttribute("language", ui.language.value));
    for (const { input } of [ui.handsFree, ui.press]) {
      input.addEventListener("change", () => this.setAttribute("mode", input.value));
    }
    ui.noticeRetry.addEventListener("click", () => {
      if (MICROPHONE.has(this.notice)) this.session.openMicrophone();
      else this.session.start();
    });
    ui.composer.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = ui.input.value.trim();
      if (text) this.session.say(text);
      ui.input.value = "";
    });
    this.#wireOrb();
    this.shadowRoot.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("pointerdown", () => this.session.wake());
    document.addEventListener("visibilitychange", () => this.session.wake());
  }

  /** The orb: tap to start, stop or mute; hold to talk in press mode, by pointer or key. */
  #wireOrb() {
    const { orb } = this.ui;
    let held = false;
    const down = (event) => {
      if (this.mode !== "press" || !this.session.running || !this.session.microphone) return;
      held = true;
      if (event.pointerId !== undefined) orb.setPointerCapture(event.pointerId);
      this.session.press();
    };
    const up = () => this.session.release();
    const isTalkKey = ({ key, repeat }) => !repeat && (key === " " || key === "Enter");
    orb.addEventListener("pointerdown", (event) => event.button === 0 && down(event));
    orb.addEventListener("pointerup", up);
    orb.addEventListener("pointercancel", up);
    orb.addEventListener("blur", up);
    orb.addEventListener("contextmenu", (event) => event.preventDefault());
    orb.addEventListener("keydown", (event) => isTalkKey(event) && down(event));
    orb.addEventListener("keyup", (event) => isTalkKey(event) && up());
    orb.addEventListener("click", () => {
      // A held button has done its work; a click without it comes from a screen reader or switch.
      if (held) held = false;
      else this.#tap();
    });
  }

  #tap() {
    if (!this.session.running) this.session.start();
    else if (this.mode === "press" && this.session.microphone) {
      if (this.session.talking) this.session.release();
      else this.session.press();
    } else if (REPLYING.has(this.state)) this.session.interrupt();
    else this.#toggleMute();
  }

  #toggleMute() {
    if (!this.session.running) return;
    if (!this.session.microphone) this.session.openMicrophone();
    else this.session.setMuted(!this.session.muted);
    this.#show();
  }

  #key(event) {
    if (event.key !== "Escape" || this.ui.panel.hidden) return;
    event.stopPropagation();
    if (REPLYING.has(this.state)) this.session.interrupt();
    else if (this.session.running) this.end();
    else this.close();
  }

  #setNotice(key) {
    this.notice = key;
    const { ui, words } = this;
    ui.notice.hidden = !key;
    ui.noticeText.textContent = key ? words[key] : "";
    ui.noticeRetry.textContent = words.retry;
    ui.noticeRetry.hidden = !MICROPHONE.has(key) && !RETRY.has(key);
    this.#show();
  }

  /** Put every text in the interface's language. */
  #speak() {
    const { ui, words } = this;
    ui.launchHint.textContent = words.launchHint;
    ui.badge.textContent = words.assistant;
    ui.disclosure.textContent = words.disclosure;
    ui.panel.setAttribute("aria-label", words.panel);
    ui.languageLabel.textContent = words.language;
    ui.modes.setAttribute("aria-label", words.mode);
    ui.handsFree.text.textContent = words.handsFree;
    ui.press.text.textContent = words.press;
    ui.input.placeholder = words.type;
    ui.wave.setAttribute("aria-label", words.level);
    ui.language.replaceChildren(
      h("option", { value: "auto" }, words.auto),
      ...Object.entries(LANGUAGES).map(([value, name]) => h("option", { value, lang: value }, name)),
    );
    ui.language.value = this.language;
    for (const { input } of [ui.handsFree, ui.press]) input.checked = input.value === this.mode;
    const silent = this.session?.silent ?? false;
    setIcon(ui.sound, silent ? "speakerOff" : "speaker");
    name(ui.sound, silent ? words.soundOn : words.soundOff);
    name(ui.minimise, words.minimise);
    name(ui.end, words.end);
    name(ui.send, words.send);
    name(ui.input, words.type);
    this.#setNotice(this.notice);
  }

  /** Show the state: text, icon, colour, motion, and what the orb does now. */
  #show() {
    const { ui, words, state, session } = this;
    if (!session) return;
    ui.root.dataset.state = state;
    ui.root.dataset.mode = this.mode;
    const deaf = !session.microphone || (session.muted && this.mode !== "press");
    ui.root.dataset.deaf = session.running && deaf;
    ui.root.dataset.talking = session.talking;
    setIcon(ui.statusIcon, STATE_ICONS[state]);
    ui.statusText.textContent = words[state];
    ui.hint.textContent = this.#hint();
    const [symbol, label] = this.#orb();
    setIcon(ui.orbIcon, symbol);
    name(ui.orb, label);
    ui.orb.setAttribute("aria-disabled", String(state === "connecting" || state === "reconnecting"));
    setIcon(ui.mute, deaf ? "micOff" : "mic");
    name(ui.mute, deaf ? words.unmute : words.mute);
    ui.mute.setAttribute("aria-pressed", String(session.muted));
    ui.mute.disabled = !session.running || (this.mode === "press" && Boolean(session.microphone));
    ui.launchText.textContent = session.running ? words[state] : words.launch;
    setIcon(ui.bead, session.running ? STATE_ICONS[state] : "bars");
    this.wave.run(session.running && !ui.panel.hidden);
    if (state !== "speaking" && state !== "listening") ui.root.style.setProperty("--level", "0");
  }

  #hint() {
    const { words, state, session } = this;
    if (state === "idle") return words.hintIdle;
    if (state === "connecting" && session.asking && session.link.state === "open") return words.hintAllow;
    if (state === "reconnecting") return words.hintReconnecting;
    if (state === "speaking") return session.microphone && !session.muted ? words.hintInterrupt : "";
    if (state === "listening" && this.mode === "press") return words.hintTalking;
    if (state === "listening") return words.hintHandsFree;
    if (state !== "ready") return "";
    if (!session.microphone) return words.hintText;
    return this.mode === "press" ? words.hintPress : words.hintMuted;
  }

  #orb() {
    const { words, state, session } = this;
    if (state === "idle") return ["bars", words.start];
    if (state === "error") return ["retry", words.retry];
    if (state === "connecting" || state === "reconnecting") return ["bars", words[state]];
    if (this.mode === "press" && session.microphone) return ["mic", words.talk];
    if (REPLYING.has(state)) return ["stop", words.stop];
    return session.microphone && !session.muted ? ["mic", words.mute] : ["micOff", words.unmute];
  }
}

/** A name for eyes (tooltip) and ears (label). */
function name(element, text) {
  element.setAttribute("aria-label", text);
  element.title = text;
}

if (!customElements.get("voice-button")) customElements.define("voice-button", VoiceButton);
