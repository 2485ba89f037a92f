/** The live questions: what is asked, by whom, why it comes when it comes, and what to do with it. */

import { $, button, el, t } from "./common.js";
import { known } from "./texts.js";

/** Scores are drawn against this; a question that waits for long, asked by many, is about there. */
const FULL = 4;

export class Queue {
  /** `send(message)` to the show; `languages` of answers are set with the show. */
  constructor(send) {
    this.send = send;
    this.questions = [];
    this.tab = "waiting";
    this.languages = [];
    /** The question the host words an answer to; its form outlives every redraw. */
    this.writing = null;
    this.tabs = ["waiting", "host"].map((name) => {
      const node = button("", () => this.#choose(name));
      node.role = "tab";
      node.dataset.tab = name;
      return node;
    });
    $("tabs").append(...this.tabs);
    this.show([]);
  }

  show(questions) {
    this.questions = questions;
    const of = { waiting: questions.filter((q) => q.status !== "host"), host: questions.filter((q) => q.status === "host") };
    for (const node of this.tabs) {
      const count = of[node.dataset.tab].length;
      const warn = node.dataset.tab === "host" && count ? " warn" : "";
      node.replaceChildren(t(`${node.dataset.tab}_tab`), el("span", `count${warn}`, String(count)));
      node.ariaSelected = String(node.dataset.tab === this.tab);
    }
    const shown = of[this.tab];
    $("empty").textContent = t(this.tab === "host" ? "empty_host" : "empty");
    $("empty").hidden = shown.length > 0;
    this.#draw(shown);
  }

  /** Redraw without losing focus: rows are kept by their question and only filled anew. */
  #draw(shown) {
    const list = $("queue");
    const rows = new Map([...list.children].map((row) => [row.dataset.id, row]));
    const held = this.writing && !shown.some((q) => q.id === this.writing.id) ? rows.get(this.writing.id) : null;
    const next = shown.map((question) => this.#fill(rows.get(question.id) ?? this.#row(question), question));
    if (held) next.unshift(held);
    const moved = next.length !== list.children.length || next.some((row, at) => list.children[at] !== row);
    if (moved && !list.contains(document.activeElement)) list.replaceChildren(...next);
    else if (moved) {
      for (const row of next) if (row.parentNode !== list) list.append(row);
      for (const row of [...list.children]) if (!next.includes(row)) row.remove();
    }
  }

  #row({ id }) {
    const row = el("li", {}, el("p", "asked"), el("p", "also"), el("div", "score"), el("div", "about"));
    row.dataset.id = id;
    const act = (key, message, name = "small") => {
      const node = button(t(key), () => this.send({ ...message(), id }), name);
      node.dataset.act = key;
      return node;
    };
    const edit = button(t("edit"), () => this.#write(id), "small");
    edit.dataset.act = "edit";
    row.append(
      el("div", "row",
        act("approve", () => ({ type: "approve" }), "small main"),
        edit,
        act("pin", () => ({ type: "pin", on: !row.classList.contains("pinned") })),
        act("skip", () => ({ type: "skip" }), "small bare"),
      ),
      el("div", "writing-place"),
    );
    return row;
  }

  #fill(row, question) {
    const [asked, also, score, about] = row.children;
    row.className = [question.status, question.pinned ? "pinned" : ""].filter(Boolean).join(" ");
    asked.textContent = question.text;
    also.textContent = question.words.join(" · ");
    also.hidden = !question.words.length;
    score.replaceChildren(
      ...Object.entries(question.why).map(([name, value]) => {
        const part = el("i");
        part.style.width = `${Math.min(100, (100 * Math.min(value, FULL)) / FULL)}%`;
        part.style.opacity = name === "intent" ? 1 : 0.55;
        part.title = t(`why_${name}`);
        return part;
      }),
    );
    score.title = question.score.toFixed(1);
    const chips = [
      ...question.languages.map((code) => el("span", "chip lang", code.toUpperCase())),
      question.askers > 1 ? el("span", "chip", `${question.names.join(", ")} ×${question.askers}`) : el("span", "chip", question.names.join(", ")),
      question.product ? el("span", "chip", question.product) : null,
      question.reason ? el("span", "chip warn", known(question.reason) ? t(question.reason) : question.reason) : null,
      question.pinned ? el("span", "chip good", t("pinned")) : null,
      question.status === "taken" ? el("span", "chip good", t("taken")) : null,
      ...Object.keys(question.why).filter((name) => name !== "intent" && name !== "age").map((name) => el("span", "chip", t(`why_${name}`))),
      el("span", "muted", `${question.age_s} s`),
    ];
    about.replaceChildren(...chips.filter((chip) => chip && chip.textContent));
    const pin = row.querySelector('[data-act="pin"]');
    pin.textContent = t(question.pinned ? "unpin" : "pin");
    return row;
  }

  #choose(name) {
    this.tab = name;
    this.show(this.questions);
  }

  // ------------------------------------------------------------------ the host's own answer

  #write(id) {
    this.#close();
    const row = document.querySelector(`#queue li[data-id="${CSS.escape(id)}"]`);
    const text = el("textarea", { "aria-label": t("your_answer"), maxlength: 800, placeholder: t("your_answer") });
    const language = el("select", { "aria-label": t("language") });
    language.append(...this.languages.map((code) => el("option", { value: code }, code.toUpperCase())));
    const note = el("p", { class: "muted", role: "status" }, t("drafting"));
    const vouch = button(t("vouch"), () => this.#send(true), "small");
    vouch.hidden = true;
    const form = el("form", { class: "writing", onsubmit: (event) => (event.preventDefault(), this.#send(false)) },
      text, note,
      el("div", "row", language, el("button", { type: "submit", class: "small main" }, t("send_answer")), vouch, button(t("cancel"), () => this.#close(), "small bare")));
    row.querySelector(".writing-place").replaceChildren(form);
    this.writing = { id, text, language, note, vouch, form };
    text.addEventListener("input", () => (vouch.hidden = true));
    text.focus();
    this.send({ type: "draft", id });
  }

  #send(vouched) {
    const { id, text, language } = this.writing;
    if (text.value.trim()) this.send({ type: "answer", id, text: text.value, language: language.value, vouched });
  }

  #close() {
    this.writing?.form.remove();
    this.writing = null;
    this.show(this.questions);
  }

  draft({ id, text, language, reason }) {
    if (this.writing?.id !== id) return;
    const { text: field, note, language: choice } = this.writing;
    if (language) choice.value = language;
    note.textContent = text ? "" : reason === "gone" ? t("refused_gone") : t("no_draft");
    if (text && !field.value) field.value = text;
  }

  refused({ id, reason, detail, may_vouch }) {
    if (this.writing?.id !== id) return false;
    this.writing.note.className = "trouble";
    this.writing.note.textContent = refusal(reason, detail);
    this.writing.vouch.hidden = !may_vouch;
    return true;
  }

  accepted({ id }) {
    if (this.writing?.id !== id) return false;
    this.#close();
    return true;
  }
}

/** Why the host's words were not taken. */
export function refusal(reason, detail) {
  const key = reason === "repeated" ? "refused_empty" : `refused_${reason}`;
  return known(key) ? t(key, { d: detail }) : known(reason) ? t(reason) : `${reason} ${detail}`;
}
