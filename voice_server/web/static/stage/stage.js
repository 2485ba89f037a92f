/** The stage itself: avatar on a canvas, card, lower third, captions, AI label. Used by all pages. */

import { Avatar } from "./avatar.js";
import { AudioClock } from "./clock.js";
import { RIG_HEIGHT, RIG_WIDTH, drawAvatar } from "./painter.js";
import { say } from "./texts.js";

const FRAME_S = 1 / 30;
/** How long a sentence stays after it was said. */
const CAPTION_MS = 1500;
const LOWER_THIRD_MS = 9000;

/** An element with a class and text; never HTML. */
export function el(tag, name, text = "") {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text) node.textContent = text;
  return node;
}

export class Stage {
  /** `root` gets the stage; `show` its id; `captions` a language or "" for none. */
  constructor(root, { show, language, captions = language, muted = false, avatar = "" }) {
    this.show = show;
    this.language = language;
    this.captions = captions;
    this.wantedAvatar = avatar;
    this.clock = new AudioClock({ muted });
    this.root = root;
    this.root.classList.add("stage");
    this.canvas = el("canvas", "avatar");
    this.canvas.setAttribute("role", "img");
    this.parts = {
      label: el("p", "ai-label"),
      teaser: el("p", "teaser"),
      third: el("p", "lower-third"),
      caption: el("p", "caption"),
      card: el("article", "card"),
    };
    for (const name of ["teaser", "third", "caption", "card"]) this.parts[name].hidden = true;
    this.parts.caption.setAttribute("aria-live", "polite");
    this.root.append(this.canvas, ...Object.values(this.parts));
    this.avatar = null;
    this.picture = null;
    this.lastFrame = -1;
    this.frames = 0;
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
      line_end: () => this.#lineEnd(message),
      cancel: () => this.#cancel(),
      card: () => this.#card(message),
      segment: () => this.#segment(message),
      teaser: () => this.#teaser(message),
      finished: () => this.#finished(),
    }[message.type];
    handler?.();
  }

  /** Take a piece of speech. */
  onSpeech({ id, at_ms, rate, lead_ms, visemes }, pcm) {
    const began = this.clock.play(id, at_ms, rate, pcm, lead_ms);
    this.avatar?.timeline.add(visemes, began);
  }

  setCaptions(language) {
    this.captions = language;
    this.#caption(this.current);
  }

  async #begin(message) {
    this.info = message;
    this.parts.label.textContent = say(this.language, "ai");
    this.share = message.avatar_share ?? 1;
    const look = this.wantedAvatar || message.avatar;
    const response = await fetch(`/avatars/${encodeURIComponent(look)}/rig.json`);
    if (!response.ok) throw new Error(`no avatar ${look}`);
    this.avatar = new Avatar(await response.json());
    this.canvas.setAttribute("aria-label", `${this.avatar.rig.title}, ${say(this.language, "ai")}`);
  }

  #line(message) {
    this.current = message;
    this.avatar?.express(message, this.clock.time());
    this.#caption(message);
  }

  #caption(line) {
    clearTimeout(this.captionTimer);
    const text = this.captions && line ? (line.captions[this.captions] ?? line.text) : "";
    this.parts.caption.textContent = text;
    this.parts.caption.lang = line?.captions[this.captions] ? this.captions : (line?.language ?? "");
    this.parts.caption.hidden = !text;
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
    if (card.picture) {
      const picture = el("img", "card-picture");
      picture.src = card.picture;
      picture.alt = card.name;
      node.append(picture);
      this.#loadPicture(card.picture);
    }
    const body = el("div", "card-body");
    body.append(el("h2", "card-name", card.name));
    const price = el("p", "card-price");
    const flashPrice = flash?.price[this.language] ?? (flash ? Object.values(flash.price)[0] : "");
    price.append(el("strong", "", flashPrice || card.price));
    const was = flashPrice ? card.price : card.was_price;
    if (was) price.append(el("s", "", was));
    body.append(price);
    if (flash) body.append(this.#flash(flash));
    body.append(el("p", `card-stock is-${card.stock}`, say(this.language, card.stock, { n: card.count })));
    node.append(body);
    const qr = el("img", "card-qr");
    qr.src = `/live/${encodeURIComponent(this.show)}/qr/${encodeURIComponent(card.product_id)}.svg`;
    qr.alt = "";
    const foot = el("div", "card-foot");
    const link = el("a", "card-link", say(this.language, "order"));
    if (/^https?:/.test(card.url)) link.href = card.url;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    foot.append(qr, link);
    node.append(foot);
    node.classList.remove("enter");
    void node.offsetWidth; // restarts the animation
    node.classList.add("enter");
  }

  #flash({ code, seconds }) {
    const box = el("p", "card-flash", say(this.language, "flash"));
    const left = el("time", "", "");
    const ends = performance.now() + seconds * 1000;
    const show = () => {
      const s = Math.max(0, Math.round((ends - performance.now()) / 1000));
      left.textContent = `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
    };
    show();
    this.flashTimer = setInterval(show, 500);
    box.append(left);
    if (code) box.append(el("b", "", `${say(this.language, "code")} ${code}`));
    return box;
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

  #finished() {
    this.parts.caption.textContent = say(this.language, "over");
    this.parts.caption.hidden = false;
    this.parts.card.hidden = true;
  }

  #resize() {
    const box = this.root.getBoundingClientRect();
    const ratio = Math.min(window.devicePixelRatio || 1, 1.5);
    this.canvas.width = Math.max(1, Math.round(box.width * ratio));
    this.canvas.height = Math.max(1, Math.round(box.height * ratio));
    this.root.classList.toggle("portrait", box.height > box.width);
    this.lastFrame = -1;
  }

  /** Where the avatar stands: left of the card in landscape, in the middle in portrait. */
  #place() {
    const { width, height } = this.canvas;
    const portrait = height > width;
    const scale = portrait ? Math.min((width * 1.06) / RIG_WIDTH, height / RIG_HEIGHT) : (height * 1.1) / RIG_HEIGHT;
    const middle = portrait ? width * 0.5 : width * 0.36;
    const top = portrait ? height * 0.12 : height - RIG_HEIGHT * scale * 0.955;
    const share = this.share ?? 1;
    if (share < 1) {
      // A platform allows only so much of the picture: a co-host in the corner.
      const small = scale * share;
      return { scale: small, x: width * 0.02, y: height - RIG_HEIGHT * small * 0.955 };
    }
    return { scale, x: middle - (RIG_WIDTH * scale) / 2, y: top };
  }

  #frame() {
    requestAnimationFrame(() => this.#frame());
    const time = this.clock.heard();
    if (!this.avatar || (this.lastFrame >= 0 && time - this.lastFrame < FRAME_S - 0.004)) return;
    this.lastFrame = time;
    this.frames += 1;
    const ctx = this.canvas.getContext("2d");
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const { scale, x, y } = this.#place();
    ctx.setTransform(scale, 0, 0, scale, x, y);
    this.avatar.update(time);
    drawAvatar(ctx, this.avatar.rig, this.avatar, this.picture);
  }
}
