/** What the calls' page shows, made of elements: everything anybody said goes into text nodes. */

import { h } from "../voice/icons.js";
import { fill } from "./calls-texts.js";

const SEGMENTS = ["end_of_turn", "transcript", "clause", "audio", "send"];
const STATE_CHIP = { talking: "live", human: "human", waiting: "wait", leaving: "wait", transferring: "wait" };

export const clock = (seconds) => {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};

/** Seconds of a call now: what the server said, and what has passed since. */
export const age = (call) => call.seconds + (Date.now() - call.at) / 1000;

export class View {
  constructor(words, language) {
    Object.assign(this, { words, language });
  }

  tongue(code) {
    return this.words.languages[code] ?? code ?? "";
  }

  state(call) {
    return fill(this.words[call.state] ?? call.state, call);
  }

  turns(call) {
    return call.turns === 1 ? this.words.turn : fill(this.words.turns, { n: call.turns });
  }

  chips(call) {
    const chips = [h("span", { class: `chip ${STATE_CHIP[call.state] ?? ""}` }, this.state(call))];
    if (call.language) chips.push(h("span", { class: "chip" }, this.tongue(call.language)));
    if (call.listeners.length) chips.push(h("span", { class: "chip ear" }, fill(this.words.ears, { n: call.listeners.length })));
    return chips;
  }

  name(call) {
    return `${call.caller || "…"} · ${call.line || call.called}`;
  }

  row(call, current, open) {
    return h(
      "li", {},
      h(
        "button", { type: "button", "data-id": call.id, "aria-current": String(current), onclick: () => open(call.id) },
        h("span", { class: "line" }, h("b", {}, this.name(call)), h("span", { class: "age", "data-clock": call.id }, clock(age(call)))),
        h("span", { class: "line" }, ...this.chips(call)),
        h("span", { class: "about" }, [call.vendor, call.market, this.turns(call), call.last_answer_ms && `${call.last_answer_ms} ms`].filter(Boolean).join(" · ")),
      ),
    );
  }

  latency(call) {
    const segments = call.segments;
    if (!segments) return [];
    const total = SEGMENTS.reduce((sum, key) => sum + segments[key], 0);
    const label = (key) => this.words[key === "send" ? "sendStep" : key];
    const parts = SEGMENTS.filter((key) => segments[key] > 0).map((key) => {
      const part = h("span", {}, `${label(key)} ${segments[key]}`);
      part.style.flexGrow = segments[key];
      return part;
    });
    return [...parts, h("span", {}, `${total} ms`)];
  }

  line(line) {
    if (line.speaker === "note") return h("li", { class: "note", "data-line": line.id }, fill(line.text, this.words));
    const role = line.speaker === "caller" ? "user" : "assistant";
    const shown = line.translation || line.text;
    const parts = [
      h("span", { class: "name" }, this.words[line.speaker]),
      h("span", { lang: line.translation ? null : line.language }, line.final ? shown : `${shown} …`),
    ];
    if (line.translation) {
      const original = fill(this.words.original, { language: this.tongue(line.language), text: line.text });
      parts.push(h("span", { class: "other", lang: line.language }, original));
    }
    return h("li", { class: line.final ? role : `${role} partial`, "data-line": line.id }, ...parts);
  }

  moment(iso) {
    if (!iso) return "";
    return new Intl.DateTimeFormat(`${this.language}-BE`, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }).format(new Date(iso));
  }

  heads() {
    const { began, number, line, vendor, spoken, duration, turns, answers, handed, heardBy, reason } = this.words;
    return [began, number, line, vendor, spoken, duration, fill(turns, { n: "" }).trim(), answers, handed, heardBy, reason];
  }

  record(record) {
    const ms = record.p50_ms === null ? "–" : fill(this.words.ms, { p50: Math.round(record.p50_ms), p95: Math.round(record.p95_ms) });
    const handed = [record.handed_off, ...record.transfers.map((one) => `→ ${one.target} ${one.result}`.trim())].filter(Boolean).join(" ");
    const staff = record.listeners.map((one) => `${one.agent}: ${this.words.did[one.did] ?? one.did} ${one.seconds ? clock(one.seconds) : ""}`.trim()).join("; ");
    const cells = [
      this.moment(record.began_at), record.caller, record.line, record.vendor, record.languages.map((code) => this.tongue(code)).join(", "),
      clock(record.duration_s), String(record.turns), ms, handed || "–", staff || "–", record.reason,
    ];
    const heads = this.heads();
    return h("tr", {}, ...cells.map((text, at) => h("td", { "data-head": heads[at], class: [0, 1, 5, 7].includes(at) ? "number" : null }, text)));
  }
}
