/** The records of calls: filters, a table, more of it, and the whole as CSV. */

import { h } from "../voice/icons.js";

const VENDORS = ["twilio", "telnyx", "plivo", "vonage", "genesys", "asterisk", "audiosocket", "sip"];
const LANGUAGES = ["fr", "nl", "de", "en"];

export class Records {
  #before = null;

  /** @param {() => {link: object, view: object, words: object}} page what the page has now */
  constructor($, page) {
    this.$ = $;
    this.page = page;
    $("filters").addEventListener("submit", (event) => {
      event.preventDefault();
      this.show();
    });
    $("more").addEventListener("click", () => this.#load(this.#before));
    $("csv").addEventListener("click", () => this.#save());
  }

  /** Word the choices in the page's language. */
  speak() {
    const { view, words } = this.page();
    const choices = (id, values) => {
      const chosen = this.$(id).value;
      this.$(id).replaceChildren(h("option", { value: "" }, words.any), ...values.map(([value, text]) => h("option", { value }, text)));
      this.$(id).value = chosen;
    };
    choices("vendors", VENDORS.map((vendor) => [vendor, vendor]));
    choices("spoken", LANGUAGES.map((code) => [code, view.tongue(code)]));
    choices("handed", [["yes", words.yes], ["no", words.no]]);
    this.$("heads").replaceChildren(...view.heads().map((text) => h("th", { scope: "col" }, text)));
    if (!this.$("records").hidden) this.show();
  }

  show() {
    this.$("rows").replaceChildren();
    return this.#load(null);
  }

  #query(before) {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(this.$("filters"))) {
      if (!value) continue;
      // Days are those of the reader; "until" includes its day.
      const day = name === "since" || name === "until" ? new Date(`${value}T00:00`) : null;
      if (name === "until") day.setDate(day.getDate() + 1);
      query.set(name, day ? day.toISOString() : value);
    }
    if (before) query.set("before", before);
    return query.size ? `?${query}` : "";
  }

  async #load(before) {
    const { link, view } = this.page();
    if (!link) return;
    try {
      const found = await link.json(`/records${this.#query(before)}`);
      this.$("rows").append(...found.records.map((record) => view.record(record)));
      this.#before = found.before;
      this.$("more").hidden = found.before === null;
      this.$("no-records").hidden = this.$("rows").children.length > 0;
      this.#complain("");
    } catch (error) {
      console.warn("calls:", error);
      this.#complain(this.page().words.error);
    }
  }

  async #save() {
    try {
      const response = await this.page().link.request(`/records.csv${this.#query(null)}`);
      const address = URL.createObjectURL(await response.blob());
      h("a", { href: address, download: "calls.csv" }).click();
      setTimeout(() => URL.revokeObjectURL(address), 10_000);
    } catch (error) {
      console.warn("calls:", error);
      this.#complain(this.page().words.error);
    }
  }

  #complain(words) {
    this.$("records-trouble").hidden = !words;
    this.$("records-trouble").textContent = words;
  }
}
