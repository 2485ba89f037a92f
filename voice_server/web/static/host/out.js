/** Where the show goes: push to a platform, record; drawn only where the server can. */

import { $, api, button, el, own, t, trouble } from "./common.js";

const LOOK_MS = 3000;

export class Out {
  constructor() {
    this.body = $("out-body");
    this.note = el("p", { class: "trouble", role: "alert" });
    this.list = el("div");
    this.#look();
  }

  async #look() {
    const { status, body } = await api(own("out"));
    if (status === 404 || status === 405) return; // this server sends nothing out
    if (status === 200) {
      if ($("out").hidden) this.#build();
      $("out").hidden = false;
      this.#show(body.outlets ?? []);
    }
    setTimeout(() => this.#look(), LOOK_MS);
  }

  #build() {
    const address = el("input", { type: "text", "aria-label": t("push_hint"), placeholder: t("push_hint"), required: true, autocomplete: "off", spellcheck: "false" });
    const portrait = el("input", { type: "checkbox" });
    const layout = () => ({ layout: portrait.checked ? "portrait" : "landscape" });
    this.body.replaceChildren(
      this.list,
      el("form", { onsubmit: (event) => (event.preventDefault(), this.#start({ push: address.value.trim(), ...layout() }, address)) },
        address, el("button", { type: "submit", class: "small" }, t("push"))),
      el("div", "row", button(t("record"), () => this.#start({ record: true, ...layout() }), "small"), el("label", "row", portrait, t("portrait"))),
      this.note,
    );
  }

  async #start(wish, field) {
    const answer = await api(own("out"), { method: "POST", body: wish });
    this.note.textContent = answer.status === 202 ? "" : trouble(answer);
    if (answer.status === 202 && field) field.value = ""; // a key is not left on the screen
  }

  #show(outlets) {
    this.list.replaceChildren(
      ...outlets.map((outlet) => {
        const stop = button(t("halt"), () => api(`${own("out")}?what=${encodeURIComponent(outlet.what)}`, { method: "DELETE" }), "small stop");
        const good = outlet.connected || outlet.running;
        const facts = Object.entries(outlet).filter(([name, value]) => !["kind", "what", "connected", "running"].includes(name) && value !== "" && value !== null && typeof value !== "object");
        return el("div", "outlet", el("span", `chip ${good ? "good" : ""}`, outlet.kind), el("span", "", outlet.what), el("span", "muted", facts.map(([name, value]) => `${name} ${typeof value === "number" ? Math.round(value * 10) / 10 : value}`).join(" · ")), stop);
      }),
    );
  }
}
