/** The conversation on screen: what the user said, what is being said, products and sources. */

import { h, icon } from "./icons.js";

/** Entries kept on screen; older ones leave, a session may last an hour. */
const KEPT = 60;

/**
 * A link or picture that is safe to put on a page: http(s) only, relative ones belong to the server.
 * @param {string} value
 * @param {string} base
 * @returns {string | null}
 */
export function safeUrl(value, base) {
  if (!value || !URL.canParse(value, base)) return null;
  const url = new URL(value, base);
  return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
}

export class Log {
  /**
   * @param {HTMLElement} list the element that holds the entries (role=log)
   * @param {() => Record<string, string>} words the texts in the present language
   * @param {string} base http(s) address of the server, for relative links
   */
  constructor(list, words, base) {
    Object.assign(this, { list, words, base });
    this.items = new Map();
    /** Scroll along with what is said, unless the reader has gone back to look at something. */
    this.follows = true;
    for (const name of ["wheel", "touchmove", "keyup"]) {
      list.addEventListener(name, () => (this.follows = this.#bottom() - list.scrollTop < 60), { passive: true });
    }
  }

  #bottom() {
    return this.list.scrollHeight - this.list.clientHeight;
  }

  clear() {
    for (const item of this.items.values()) item.element.remove();
    this.items.clear();
  }

  remove(id) {
    this.items.get(id)?.element.remove();
    this.items.delete(id);
  }

  /** Show an entry of the core, new or changed. */
  show(entry) {
    let item = this.items.get(entry.id);
    if (!item) {
      item = entry.role === "user" ? this.#user() : this.#assistant();
      this.items.set(entry.id, item);
      this.list.append(item.element);
      this.follows ||= entry.role === "user";
      if (this.items.size > KEPT) this.remove(this.items.keys().next().value);
    }
    if (entry.role === "user") this.#updateUser(item, entry);
    else this.#updateAssistant(item, entry);
    if (this.follows) this.#follow(item.clauses?.get(entry.current));
  }

  /** Go to the end, but never past the words that sound now: cards below them may be tall. */
  #follow(sounding) {
    let target = this.#bottom();
    if (sounding) {
      const above = sounding.getBoundingClientRect().top - this.list.getBoundingClientRect().top;
      target = Math.min(target, Math.max(this.list.scrollTop, this.list.scrollTop + above - 12));
    }
    this.list.scrollTop = target;
  }

  #user() {
    const text = h("p", { part: "user", class: "user" });
    const element = h("div", { class: "turn mine" }, h("span", { class: "sr" }, this.words().you), text);
    return { element, text };
  }

  #updateUser({ element, text }, entry) {
    element.dataset.final = entry.final;
    // Partials grow word by word: only the final text is for a screen reader.
    if (entry.final) element.removeAttribute("aria-hidden");
    else element.setAttribute("aria-hidden", "true");
    if (entry.text) text.textContent = entry.text;
    else if (!text.firstChild) {
      text.append(h("span", { class: "waiting", title: this.words().hearing }, ...[0, 1, 2].map(() => h("i"))));
    }
  }

  #assistant() {
    const text = h("p", { part: "assistant", class: "assistant" });
    const cards = h("div", { class: "cards" });
    const chips = h("div", { class: "chips" });
    const element = h(
      "div", { class: "turn theirs" },
      h("span", { class: "sr" }, this.words().assistant), text, cards, chips,
    );
    return { element, text, cards, chips, clauses: new Map() };
  }

  #updateAssistant(item, entry) {
    const { element, text, cards, chips } = item;
    element.dataset.status = entry.status;
    // The answer is heard: read aloud by a screen reader as well, it would be heard twice.
    text.setAttribute("aria-live", entry.status === "active" ? "off" : "polite");
    for (const [index, span] of item.clauses) {
      if (entry.clauses.some((clause) => clause.index === index)) continue;
      span.remove();
      item.clauses.delete(index);
    }
    for (const clause of entry.clauses) {
      let span = item.clauses.get(clause.index);
      if (!span) {
        span = h("span", { class: "clause", lang: clause.language || null, "data-kind": clause.kind });
        item.clauses.set(clause.index, span);
        text.append(span);
      }
      if (span.textContent !== `${clause.text} `) span.textContent = `${clause.text} `;
      span.classList.toggle("current", clause.index === entry.current && entry.status === "active");
    }
    if (entry.status === "cancelled" && !item.cut) {
      item.cut = h("span", { class: "cut" }, `— ${this.words().cut}`);
      text.append(item.cut);
    }
    for (const card of entry.cards.slice(cards.childElementCount)) cards.append(this.#card(card));
    for (const source of entry.citations.slice(chips.childElementCount)) chips.append(this.#chip(source));
  }

  #card(card) {
    const href = safeUrl(card.url, this.base);
    const image = safeUrl(card.image, this.base);
    const prices = h("p", { class: "price" }, h("b", {}, card.price));
    if (card.was_price) prices.append(" ", h("s", {}, card.was_price));
    return h(
      href ? "a" : "article",
      { class: "card", part: "card", href, target: href && "_blank", rel: href && "noopener" },
      h("span", { class: "picture" }, image ? h("img", { src: image, alt: "", loading: "lazy" }) : icon("spark")),
      h("p", { class: "name" }, card.name),
      prices,
      card.stock ? h("p", { class: "stock" }, card.stock) : null,
      href ? h("span", { class: "sr" }, this.words().seeProduct) : null,
    );
  }

  #chip({ title, excerpt, url }) {
    const href = safeUrl(url, this.base);
    const body = h("p", {}, excerpt || title, " ");
    if (href) body.append(h("a", { href, target: "_blank", rel: "noopener" }, new URL(href).host));
    return h(
      "details", { class: "chip", part: "chip" },
      h("summary", { "aria-label": `${this.words().sources}: ${title}` }, icon("source"), h("span", {}, title)),
      body,
    );
  }
}
