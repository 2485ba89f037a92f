/** What the desk's page shows, made of elements: everything anybody said goes into text nodes. */

import { h } from "../voice/icons.js";
import { fill } from "./desk-texts.js";

const SAFE_LINK = /^https:\/\//;

export class View {
  /** `words`: the page's texts; `labels`: the server's, by section; `agent`: who works here. */
  constructor(words, labels, language, agent) {
    Object.assign(this, { words, labels, language, agent });
  }

  label(section, key) {
    return this.labels[section]?.[key] ?? key.replaceAll("_", " ");
  }

  about(item) {
    return item.intent ? this.label("intents", item.intent) : this.label("labels", "subject");
  }

  age(item) {
    const minutes = Math.max(0, Math.floor((Date.now() - Date.parse(item.created)) / 60_000));
    if (minutes < 1) return this.words.now;
    if (minutes < 60) return fill(this.words.minutes, { n: minutes });
    const hours = Math.floor(minutes / 60);
    return hours < 48 ? fill(this.words.hours, { n: hours }) : fill(this.words.days, { n: Math.floor(hours / 24) });
  }

  chips(item) {
    const chips = [];
    if (item.priority === "urgent" || item.priority === "high")
      chips.push(h("span", { class: `chip ${item.priority}` }, this.label("priority", item.priority)));
    if (item.live) chips.push(h("span", { class: "chip live" }, this.words.live));
    else chips.push(h("span", { class: "chip" }, this.words.gone));
    chips.push(h("span", { class: "chip" }, this.label("languages", item.language)));
    if (item.state === "claimed")
      chips.push(h("span", { class: "chip" }, item.agent === this.agent ? this.words.mine : fill(this.words.taken, item)));
    return chips;
  }

  row(item, current, open) {
    return h(
      "li", {},
      h(
        "button", { type: "button", "data-id": item.id, "aria-current": String(current), onclick: () => open(item.id) },
        h("span", { class: "line" }, h("b", {}, item.name || this.about(item)), h("span", { class: "age" }, this.age(item))),
        h("span", { class: "line" }, ...this.chips(item)),
        h("span", { class: "about" }, item.internal_summary),
      ),
    );
  }

  packet(item) {
    const label = (key) => this.label("labels", key);
    const rows = [
      ["reference", item.reference],
      ["intent", this.about(item)],
      ["identity", this.label("identity", String(item.identity_level))],
      ["name", item.name],
      ["phone", item.phone && h("a", { href: `tel:${item.phone.replace(/[^+\d]/g, "")}` }, item.phone)],
      ["email", item.email && h("a", { href: `mailto:${encodeURIComponent(item.email)}` }, item.email)],
      ["callback", item.callback_at && this.moment(item.callback_at)],
      ["slots", item.slots.map(([name, value]) => `${name}${this.words.colon}${value}`).join(", ")],
      ["done", item.done.join("; ")],
      ["refused", item.refused.join("; ")],
      ["rules", item.rules.join("; ")],
      ["citations", item.citations.join(", ")],
      ["recording", SAFE_LINK.test(item.recording) && h("a", { href: item.recording, rel: "noreferrer", target: "_blank" }, item.recording)],
    ].filter(([, value]) => value);
    const facts = rows.flatMap(([key, value]) => [h("dt", {}, label(key)), h("dd", {}, value)]);
    const parts = [h("p", { class: "summary", lang: item.internal_language }, item.internal_summary)];
    if (item.language !== item.internal_language)
      parts.push(h("details", {}, h("summary", {}, this.words.other), h("p", { lang: item.language }, item.summary)));
    return [...parts, h("dl", {}, ...facts), h("h3", {}, label("transcript"))];
  }

  moment(iso) {
    return new Intl.DateTimeFormat(`${this.language}-BE`, { weekday: "long", day: "numeric", month: "long", hour: "numeric", minute: "2-digit" }).format(new Date(iso));
  }

  /** One line of the conversation: what staff reads first, then what was really said. */
  line(line, item) {
    const language = (code) => this.label("languages", code);
    const name = line.role === "human" ? item.agent || this.label("labels", "human") : this.label("labels", line.role);
    const parts = [h("span", { class: "name" }, line.role === "note" ? "" : name)];
    if (line.role === "human") {
      parts.push(h("span", { lang: line.language }, line.text));
      if (line.translation)
        parts.push(h("span", { class: "other", lang: item.language }, `${fill(this.words.said, { language: language(item.language) })}${this.words.colon}${line.translation}`));
    } else {
      parts.push(h("span", { lang: line.translation ? item.internal_language : line.language }, line.translation || line.text));
      if (line.translation)
        parts.push(h("span", { class: "other", lang: line.language }, `${fill(this.words.original, { language: language(line.language) })}${this.words.colon}${line.text}`));
    }
    if (!line.translated) parts.push(h("span", { class: "status warn" }, this.words.untranslated));
    const status = line.status === "cut" && !line.heard ? this.words.cutAll : this.words[line.status];
    if (line.status && status) parts.push(h("span", { class: "status" }, fill(status, line)));
    return h("li", { class: line.role, "data-line": line.id }, ...parts);
  }

  talk(item) {
    const since = item.lines.length ? [h("li", { class: "since" }, this.words.since)] : [];
    return [...item.transcript.map((line) => this.line(line, item)), ...since, ...item.lines.map((line) => this.line(line, item))];
  }
}
