/** The stage itself: avatar on a canvas, card, lower third, captions, AI label. Used by all pages. */

import { Avatar } from "./avatar.js";
import { Pace, cueAt, cues } from "./captions.js";
import { el, fillCard } from "./card.js";
import { AudioClock } from "./clock.js";
import { HostDelay } from "./host-delay.js";
import { Ear, Listener } from "./ear.js";
import { FACE_REGION, HEAD_REGION, RIG_HEIGHT, RIG_WIDTH, drawAvatar, settle } from "./painter.js";
import { say } from "./texts.js";

/** 30 frames a second: the next one is asked for only after this, which halves what idles. */
const REST_MS = 20;
/** A frame is seen about so much after it is drawn: it shows the mouth of that moment. */
const SEEN_LATER_S = 0.02;
/** How long a sentence stays after it was said. */
const CAPTION_MS = 1500;
const LOWER_THIRD_MS = 9000;
/** Who presents where a 3D model cannot or may not. */
const FALLBACK = "lea";

export { el };

export class Stage {
  /** `root` gets the stage; `show` its id; `captions` a language or "" for none; `backdrop` a scene. */
  constructor(root, { show, language, captions = language, muted = false, avatar = "", backdrop = "", market = "", exact = false }) {
    this.show = show;
    this.language = language;
    this.captions = captions;
    this.wantedAvatar = avatar;
    /** "" is transparent, "auto" the show's room, else the name of a scene. */
    this.wantedBackdrop = backdrop;
    this.wantedMarket = market;
    /** For a recording: looks at every frame of the page, draws what its clock says to the letter. */
    this.exact = exact;
    this.clock = new AudioClock({ muted });
    this.root = root;
    this.root.classList.add("stage");
    this.canvas = el("canvas", "avatar");
    this.canvas.setAttribute("role", "img");
    this.pace = new Pace();
    this.hostDelay = new HostDelay();
    this.parts = {
      label: el("p", "ai-label"),
      teaser: el("p", "teaser"),
      third: el("p", "lower-third"),
      caption: el("p", "caption"),
      card: el("article", "card"),
      credit: el("p", "credit"),
    };
    for (const name of ["teaser", "third", "caption", "card", "credit"]) this.parts[name].hidden = true;
    this.parts.caption.setAttribute("aria-live", "polite");
    this.room = el("canvas", "backdrop");
    this.room.hidden = !backdrop;
    this.root.append(this.room, this.canvas, ...Object.values(this.parts));
    this.avatar = null;
    this.picture = null;
    this.frames = 0;
    this.drawn = 0;
    this.info = null;
    new ResizeObserver(() => this.#resize()).observe(this.root);
    this.#resize();
    requestAnimationFrame(() => this.#frame());
  }

  /** Take a message of the show. */
  on(message) {
    const handler = {
      show: () => this.#begin(message),
      line: () => this.#line(message),
      captions: () => this.#translated(message),
      line_audio: () => this.current?.id === message.id && this.pace.complete(),
      line_end: () => this.#lineEnd(message),
      cancel: () => this.#cancel(),
      card: () => this.#card(message),
      segment: () => this.#segment(message),
      teaser: () => this.#teaser(message),
      backdrop: () => this.#backdrop(message),
      finished: () => this.#finished(),
    }[message.type];
    handler?.();
  }

  /**
   * Take a piece of speech. A line that comes without mouth shapes (the host's microphone, a voice
   * without timing) is listened to before it sounds.
   */
  onSpeech({ id, at_ms: sent, rate, lead_ms, visemes, host }, pcm) {
    const at_ms = host ? this.hostDelay.place(this.clock, id, sent, pcm, rate) : sent;
    if (at_ms === null) return;
    const began = this.clock.play(id, at_ms, rate, pcm, lead_ms);
    if (this.current?.id === id) this.pace.sound(began, began + at_ms / 1000 + pcm.length / rate);
    if (visemes.length) this.timed = id;
    if (this.ear?.line !== id) this.ear = Object.assign(new Ear(rate), { line: id });
    this.avatar?.timeline.add(this.timed === id ? visemes : this.ear.cues(pcm, at_ms), began);
  }

  /** Move the lips to a microphone of this machine (a MediaStream); it is heard, not played. */
  async listen(stream) {
    this.deafen();
    if (!(await this.clock.start())) throw new Error("this page may not use sound yet: click on it");
    this.listener = new Listener(this.clock.context.createMediaStreamSource(stream));
  }

  /** Stop that. */
  deafen() {
    this.listener?.stop();
    this.listener = null;
  }

  setCaptions(language) {
    this.captions = language;
    this.#caption(this.current);
  }

  async #begin(message) {
    this.info = message;
    this.parts.label.textContent = say(this.language, "ai");
    this.share = message.avatar_share ?? 1;
    this.#lay();
    const look = this.wantedAvatar || message.avatar;
    const response = await fetch(`/avatars/${encodeURIComponent(look)}/rig.json`);
    if (response.status === 403) {
      // Its licence forbids it. The host reads why; the show goes on with our own.
      this.#warn((await response.json()).error);
      return this.#wear(await this.#rig(FALLBACK));
    }
    if (!response.ok) throw new Error(`no avatar ${look}`);
    const rig = await response.json();
    if (rig.kind !== "vrm") return this.#wear(rig);
    const { VrmAvatar, hasWebGL } = await import("./vrm/vrm-avatar.js");
    if (!hasWebGL()) return this.#wear(await this.#rig(rig.fallback ?? FALLBACK));
    // A canvas that was drawn on in two dimensions cannot become one of three.
    const canvas = this.canvas.cloneNode();
    this.canvas.replaceWith(canvas);
    this.canvas = canvas;
    this.context = null;
    try {
      this.avatar = null;
      this.#wear(rig, await VrmAvatar.load(rig, look, canvas));
    } catch (error) {
      const flat = canvas.cloneNode();
      this.canvas.replaceWith(flat);
      this.canvas = flat;
      this.#wear(await this.#rig(rig.fallback ?? FALLBACK));
      throw error; // the page's log has it
    }
  }

  async #rig(look) {
    return (await fetch(`/avatars/${encodeURIComponent(look)}/rig.json`)).json();
  }

  #wear(rig, avatar = new Avatar(rig)) {
    this.avatar?.dispose?.();
    this.avatar = avatar;
    this.parts.credit.textContent = rig.credit ?? "";
    this.parts.credit.hidden = !rig.credit;
    this.canvas.setAttribute("aria-label", `${rig.title}, ${say(this.language, "ai")}`);
    this.#lay();
  }

  /** Words for the host, on the stage itself: whoever sets it up looks there. */
  #warn(words) {
    console.warn(words);
    this.parts.third.textContent = words;
    this.parts.third.hidden = false;
    clearTimeout(this.thirdTimer);
    this.thirdTimer = setTimeout(() => (this.parts.third.hidden = true), 2 * LOWER_THIRD_MS);
  }

  #line(message) {
    this.current = message;
    this.pace.begin(message.text, this.clock.time(), message.seconds);
    this.avatar?.express(message, this.clock.time());
    this.#caption(message);
  }

  #caption(line) {
    clearTimeout(this.captionTimer);
    const text = this.captions && line ? (line.captions[this.captions] ?? line.text) : "";
    this.parts.caption.lang = line?.captions[this.captions] ? this.captions : (line?.language ?? "");
    this.cues = cues(text);
    this.cue = -1;
    this.#follow(this.clock.heard());
    this.parts.caption.hidden = !text;
  }

  /** Show the words that are being said. */
  #follow(time) {
    const at = this.cues?.length > 1 ? cueAt(this.cues, this.pace.share(time)) : 0;
    if (at === this.cue) return;
    this.cue = at;
    this.parts.caption.textContent = this.cues?.[at] ?? "";
  }

  /** A translation came while the line is being said. */
  #translated({ id, captions }) {
    if (this.current?.id !== id) return;
    Object.assign(this.current.captions, captions);
    if (this.captions in captions) this.#caption(this.current);
  }

  #lineEnd({ id }) {
    if (this.current?.id !== id) return;
    this.current = null;
    this.captionTimer = setTimeout(() => this.#caption(null), CAPTION_MS);
  }

  #cancel() {
    this.avatar?.hush(this.clock.cancel());
    this.current = null;
    this.#caption(null);
  }

  #card({ cards, flash }) {
    const card = cards[this.language] ?? Object.values(cards)[0];
    const node = this.parts.card;
    node.replaceChildren();
    node.hidden = !card;
    clearInterval(this.flashTimer);
    this.cardNow = card ?? null;
    if (!card) return;
    if (card.picture) this.#loadPicture(card.picture);
    this.flashTimer = fillCard(node, card, flash, { show: this.show, language: this.language });
    node.classList.remove("enter");
    void node.offsetWidth; // restarts the animation
    node.classList.add("enter");
  }

  async #loadPicture(url) {
    const picture = new Image();
    picture.src = url;
    try {
      await picture.decode();
      this.picture = picture;
    } catch {
      this.picture = null; // the hands stay empty
    }
  }

  #segment({ title }) {
    const text = title[this.language] ?? Object.values(title)[0] ?? "";
    const third = this.parts.third;
    third.textContent = text;
    third.hidden = !text;
    clearTimeout(this.thirdTimer);
    this.thirdTimer = setTimeout(() => (third.hidden = true), LOWER_THIRD_MS);
  }

  #teaser({ waiting, names }) {
    const said = names.filter(Boolean).join(", ");
    this.parts.teaser.hidden = !waiting;
    this.parts.teaser.textContent = said
      ? say(this.language, "next", { names: said })
      : say(this.language, "waiting", { n: waiting });
  }

  /** Paint the room; it is painted again only when it or the stage's size changes. */
  async #backdrop(message = this.scene) {
    this.scene = message;
    if (!this.wantedBackdrop) return;
    const name = this.wantedBackdrop === "auto" ? message?.scene : this.wantedBackdrop;
    const market = this.wantedMarket || message?.market || "";
    if (!name) return;
    const ratio = Math.min(window.devicePixelRatio || 1, 1.5);
    const [w, h] = [Math.round(this.box.width * ratio), Math.round(this.box.height * ratio)];
    const key = [name, market, w, h].join();
    if (!w || !h || key === this.painted) return;
    this.painted = key;
    const { drawBackdrop } = await import("./backdrop/backdrop.js");
    await document.fonts.load('800 20px "Bricolage Grotesque"');
    if (key !== this.painted) return;
    Object.assign(this.room, { width: w, height: h });
    drawBackdrop(this.room, name, market);
  }

  #finished() {
    this.parts.caption.textContent = say(this.language, "over");
    this.parts.caption.hidden = false;
    this.parts.card.hidden = true;
  }

  #resize() {
    this.box = this.root.getBoundingClientRect();
    this.root.classList.toggle("portrait", this.box.height > this.box.width);
    this.#lay();
    this.#backdrop();
  }

  /**
   * Where the avatar stands: left of the card in landscape, in the middle in portrait. The canvas is
   * as large as it needs, no larger: what is not drawn costs nothing.
   */
  #lay() {
    const { width, height } = this.box;
    const portrait = height > width;
    let scale = portrait
      ? Math.min((width * 1.1) / RIG_WIDTH, (height * 0.92) / RIG_HEIGHT)
      : Math.min((height * 1.3) / RIG_HEIGHT, (width * 0.7) / RIG_WIDTH);
    let left = portrait ? (width - RIG_WIDTH * scale) / 2 : width * 0.655 - RIG_WIDTH * scale;
    let top = height - (portrait ? RIG_HEIGHT : 1030) * scale;
    const share = this.share ?? 1;
    if (share < 1) {
      // A platform allows only so much of the picture: a co-host in the corner.
      scale *= share;
      left = width * 0.02;
      top = height - RIG_HEIGHT * scale * 0.8;
    }
    const ratio = Math.min(window.devicePixelRatio || 1, 1.5);
    const x = Math.max(0, Math.floor(left));
    const y = Math.max(0, Math.floor(top));
    const w = Math.max(1, Math.ceil(Math.min(width, left + RIG_WIDTH * scale)) - x);
    const h = Math.max(1, Math.ceil(Math.min(height, top + RIG_HEIGHT * scale)) - y);
    Object.assign(this.canvas.style, { left: `${x}px`, top: `${y}px`, width: `${w}px`, height: `${h}px` });
    this.canvas.width = Math.round(w * ratio);
    this.canvas.height = Math.round(h * ratio);
    this.place = { scale: scale * ratio, x: (left - x) * ratio, y: (top - y) * ratio };
    this.pose = null;
    this.avatar?.resize?.(this.canvas.width, this.canvas.height);
  }

  #frame() {
    if (this.exact) requestAnimationFrame(() => this.#frame());
    else setTimeout(() => requestAnimationFrame(() => this.#frame()), REST_MS);
    const time = this.clock.heard();
    if (!this.avatar || time === this.time) return;
    this.time = time;
    const began = performance.now();
    this.#follow(time);
    if (this.listener) {
      const cue = this.listener.cue(time);
      this.avatar.timeline.add([cue], time - cue[2] / 1000);
    }
    this.avatar.update(time + (this.exact ? 0 : SEEN_LATER_S));
    this.#draw();
    this.frames += 1;
    this.drawn += performance.now() - began;
    this.onFrame?.(time);
  }

  /** Draw what differs from the frame before; the rest of the canvas stays as it is. */
  #draw() {
    if (this.avatar.draw) return this.avatar.draw();
    const ctx = (this.context ??= this.canvas.getContext("2d"));
    const { scale, x, y } = this.place;
    const rig = this.avatar.rig;
    const pose = settle(this.avatar, this.pose, scale);
    this.pose = pose;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.save();
    if (pose.level === "all") ctx.clearRect(0, 0, this.canvas.width, this.canvas.height);
    else {
      const region = pose.level === "head" ? HEAD_REGION : FACE_REGION;
      const [rx, ry] = [Math.floor(x + region[0] * scale), Math.floor(y + region[1] * scale)];
      const [rw, rh] = [Math.ceil(region[2] * scale), Math.ceil(region[3] * scale)];
      ctx.beginPath();
      ctx.rect(rx, ry, rw, rh);
      ctx.clip();
      ctx.clearRect(rx, ry, rw, rh);
    }
    ctx.setTransform(scale, 0, 0, scale, x, y);
    drawAvatar(ctx, rig, this.avatar, this.picture);
    ctx.restore();
  }
}
