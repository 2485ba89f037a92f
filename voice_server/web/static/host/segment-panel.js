/** One segment of a run-sheet: product, duration, flash sale, and the sentences of its script. */

import { api, button, clock, el, named, own, seconds, t } from "./common.js";
import { duration } from "./sheet-model.js";

const SCRIPT_MS = 500;

export class SegmentPanel {
  /** `editor` has `model`, `info`, `changed()`, `pick(then)`, `field(...)`. */
  constructor(root, editor) {
    this.root = root;
    this.editor = editor;
    this.at = -1;
    this.language = "";
  }

  get segment() {
    return this.editor.model.table.segment[this.at];
  }

  get languages() {
    const { show } = this.editor.model.table;
    return [...new Set([show.language, ...(show.languages ?? [])])];
  }

  open(at) {
    this.at = at;
    if (!this.languages.includes(this.language)) this.language = this.languages[0];
    this.draw();
  }

  draw() {
    this.root.hidden = !this.segment;
    if (!this.segment) return;
    this.root.replaceChildren(this.#product(), this.#basics(), this.#flash(), this.#script());
    this.editor.mark(this.root);
  }

  #change(act) {
    this.editor.model.change(() => act(this.segment));
    this.editor.changed();
  }

  #place(name) {
    return `segment.${this.at}.${name}`;
  }

  #product() {
    const { product = "" } = this.segment;
    const found = this.editor.info.products.find(({ id }) => id === product);
    const box = el("div", "product");
    if (found?.picture) box.append(el("img", { src: found.picture, alt: "" }));
    const live = this.editor.info.on_air === this.segment.id;
    box.append(
      el("div", "", el("h2", "", found ? named(found.name, product) : product || t("no_product")), found ? el("p", "muted", `${found.price} ${this.editor.info.currency}`) : "", live ? el("p", "trouble", t("on_air_now")) : "", el("p", { class: "trouble", "data-problem": this.#place("product") })),
      button(t("change"), () => this.editor.pick((id) => (this.#change((segment) => (segment.product = id)), this.draw())), "small"),
    );
    return box;
  }

  #basics() {
    const { field } = this.editor;
    const product = this.editor.info.products.find(({ id }) => id === this.segment.product);
    const box = el("div", "fields");
    box.append(
      field(t("minutes"), this.#place("duration_s"), clock(duration(this.segment)), (text) => this.#change((segment) => (segment.duration_s = number(text)))),
      ...this.languages.map((code) =>
        field(`${t("title")} ${code.toUpperCase()}`, this.#place(`title.${code}`), this.segment.title?.[code] ?? "", (text) => this.#change((segment) => put(segment, "title", code, text.trim())), { placeholder: product?.name[code] ?? "", lang: code }),
      ),
    );
    return box;
  }

  #flash() {
    const { flash } = this.segment;
    const { field } = this.editor;
    const redraw = (act) => (this.#change(act), this.draw());
    if (!flash) {
      const price = this.editor.info.products.find(({ id }) => id === this.segment.product)?.price ?? "";
      return el("div", "row", button(t("flash_add"), () => redraw((segment) => (segment.flash = { price: price && (Number(price) * 0.9).toFixed(2), starts_s: Math.min(30, Math.floor(duration(segment) / 3)), lasts_s: 120 })), "small"));
    }
    const set = (name, read) => (text) => this.#change((segment) => (segment.flash[name] = read(text)));
    return el("fieldset", "",
      el("legend", "", t("flash")),
      el("div", "fields",
        field(`${t("flash_price")} (${this.editor.info.currency})`, this.#place("flash.price"), String(flash.price), set("price", (text) => text.trim().replace(",", ".")), { inputmode: "decimal" }),
        field(t("flash_starts"), this.#place("flash.starts_s"), clock(flash.starts_s ?? 0), set("starts_s", number)),
        field(t("flash_lasts"), this.#place("flash.lasts_s"), clock(flash.lasts_s ?? 120), set("lasts_s", number)),
        field(t("flash_code"), this.#place("flash.code"), flash.code ?? "", set("code", (text) => text.trim().toUpperCase())),
      ),
      button(t("flash_remove"), () => redraw((segment) => delete segment.flash), "small bare"),
    );
  }

  // ------------------------------------------------------------------ the script

  #script() {
    const tabs = el("div", { class: "langs", role: "tablist" });
    for (const code of this.languages) {
      const tab = button(code.toUpperCase(), () => ((this.language = code), this.draw()));
      tab.role = "tab";
      tab.ariaSelected = String(code === this.language);
      if (this.segment.points?.[code]?.length) tab.append(el("span", "muted", String(this.segment.points[code].length)));
      tabs.append(tab);
    }
    this.list = el("ol");
    this.hint = el("p", "muted");
    this.actions = el("div", "row");
    this.lines = null;
    const box = el("fieldset", "script", el("legend", "", t("script")), tabs, this.hint, el("p", { class: "trouble", "data-problem": this.#place(`points.${this.language}`) }), this.list, this.actions);
    this.#fill();
    this.#read();
    return box;
  }

  #fill() {
    const points = this.segment.points?.[this.language] ?? [];
    const code = this.language;
    if (points.length) {
      this.hint.textContent = `${t("script_own")} ${t("script_fields", { f: this.editor.info.fields.map((name) => `{${name}}`).join(" ") })}`;
      this.list.replaceChildren(...points.map((text, at) => this.#point(text, at)));
      this.actions.replaceChildren(
        button("+", () => this.#points((list) => list.push(""), points.length), "icon"),
        this.segment.product ? button(t("script_drop"), () => (this.#change((segment) => delete segment.points?.[code]), this.draw()), "small bare") : "",
        el("p", "muted", t("script_captions")),
      );
      return;
    }
    this.hint.textContent = this.segment.product ? t("script_auto") : "";
    const auto = this.lines?.[code] ?? [];
    this.list.replaceChildren(...auto.map((line) => el("li", "auto", line.text || line.template)));
    this.actions.replaceChildren(
      this.segment.product
        ? button(t("script_take"), () => this.#take(), "small")
        : button("+", () => this.#points((list) => list.push(""), 0), "icon"),
    );
  }

  #point(text, at) {
    const place = this.#place(`points.${this.language}.${at}`);
    const area = el("textarea", { rows: 1, maxlength: 400, lang: this.language, "data-place": place, "aria-label": `${t("script")} ${at + 1}` });
    area.value = text;
    area.addEventListener("change", () => this.#points((list) => (list[at] = area.value.trim()), -1));
    area.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        this.#points((list) => ((list[at] = area.value.trim()), list.splice(at + 1, 0, "")), at + 1);
      } else if (event.key === "Backspace" && !area.value && at > 0) {
        event.preventDefault();
        this.#points((list) => list.splice(at, 1), at - 1);
      }
    });
    return el("li", "", area, button("×", () => this.#points((list) => list.splice(at, 1), Math.max(0, at - 1)), "icon bare", t("remove")), this.#said(at), el("p", { class: "trouble said", "data-problem": place }));
  }

  /** How a sentence will sound, or why it will not. */
  #said(at) {
    const line = this.lines?.[this.language]?.[at];
    const node = el("p", "said");
    if (!line || line.template !== this.segment.points?.[this.language]?.[at]) return node;
    if (line.missing) node.textContent = t("script_left_out", { f: `{${line.missing}}` });
    else if (line.doubt) node.textContent = t("script_doubt", { d: line.doubt, price: "{price}" });
    else if (line.text !== line.template) node.textContent = `${t("says")}: ${line.text}`;
    node.classList.toggle("trouble", Boolean(line.missing || line.doubt));
    return node;
  }

  #points(act, focus) {
    const code = this.language;
    this.#change((segment) => {
      segment.points ??= {};
      act((segment.points[code] ??= []));
      if (!segment.points[code].length) delete segment.points[code];
    });
    this.#fill();
    this.#read();
    if (focus >= 0) this.list.querySelectorAll("textarea")[focus]?.focus();
  }

  #take() {
    if (!this.lines) return;
    const lines = this.lines;
    this.#change((segment) => {
      segment.points ??= {};
      for (const code of this.languages) {
        if (!segment.points[code]?.length && lines[code]?.length) segment.points[code] = lines[code].map(({ template }) => template);
      }
    });
    this.draw();
  }

  /** Ask the server what will be said; typing on is not disturbed. */
  #read() {
    clearTimeout(this.timer);
    const at = this.at;
    this.timer = setTimeout(async () => {
      const { product = "", points = {} } = this.segment ?? {};
      const { status, body } = await api(own("sheet/script"), { method: "POST", body: { product, points } });
      if (status !== 200 || at !== this.at || !this.segment) return;
      this.lines = body;
      if (!this.segment.points?.[this.language]?.length) this.#fill();
      else [...this.list.children].forEach((item, place) => item.querySelector(".said").replaceWith(this.#said(place)));
    }, this.lines ? SCRIPT_MS : 0);
  }
}

/** "1:30" → 90; what is no time stays as it was typed, and the server says so at the field. */
function number(text) {
  const value = seconds(text);
  return Number.isNaN(value) ? text : value;
}

function put(segment, name, code, text) {
  segment[name] ??= {};
  if (text) segment[name][code] = text;
  else delete segment[name][code];
}
