/** What holds for the whole show: title, languages, avatar, chats, policy. */

import { $, el, t } from "./common.js";
import { known } from "./texts.js";

export class Settings {
  constructor(root, editor) {
    this.root = root;
    this.editor = editor;
  }

  get show() {
    return this.editor.model.table.show;
  }

  #set(name, value) {
    this.editor.model.change(({ show }) => {
      if (value === "" || value === undefined) delete show[name];
      else show[name] = value;
    });
    this.editor.changed();
  }

  draw() {
    const { info, field } = this.editor;
    const { show } = this;
    const titles = el("div", "fields", ...info.languages.map((code) =>
      field(`${t("title")} ${code.toUpperCase()}`, `show.title.${code}`, show.title?.[code] ?? "", (text) => this.#set("title", without({ ...show.title, [code]: text.trim() })), { lang: code })));
    const policies = info.policies.map(({ id }) => [id, known(`policy_${id}`) ? t(`policy_${id}`) : id]);
    this.root.replaceChildren(
      titles,
      el("div", "fields",
        this.#choice(t("language"), "language", info.languages.map((code) => [code, code.toUpperCase()]), show.language, (code) => {
          this.#set("language", code);
          this.editor.draw();
        }),
        this.#choice(t("avatar"), "avatar", info.avatars.map((id) => [id, id]), show.avatar ?? "lea"),
        field(t("answer_share"), "show.answer_share", String(show.answer_share ?? 0.5), (text) => this.#set("answer_share", Number(text.replace(",", "."))), { inputmode: "decimal" }),
      ),
      this.#languages(),
      this.#choice(t("policy"), "policy", policies, show.policy ?? "default"),
      this.#check(t("loop"), "loop", show.loop ?? false),
      this.#check(t("auto_answer"), "auto_answer", show.auto_answer ?? true),
      field(t("sources"), "show.chat", (show.chat ?? []).join("\n"), (text) => this.#set("chat", text.split("\n").map((line) => line.trim()).filter(Boolean)), { tag: "textarea", placeholder: t("sources_hint") }),
      ...(show.chat ?? []).map((_, at) => el("p", { class: "trouble", "data-problem": `show.chat.${at}` })),
    );
    $("settings").dataset.ready = "yes";
  }

  #languages() {
    const { info } = this.editor;
    const spoken = new Set([this.show.language, ...(this.show.languages ?? [])]);
    const boxes = info.languages.map((code) => {
      const box = el("input", { type: "checkbox", checked: spoken.has(code), disabled: code === this.show.language, value: code });
      box.addEventListener("change", () => {
        this.#set("languages", info.languages.filter((each) => (each === code ? box.checked : spoken.has(each))));
        this.editor.draw();
      });
      return el("label", "check", box, code.toUpperCase());
    });
    return el("fieldset", "", el("legend", "", t("languages")), el("div", "row", ...boxes), el("p", { class: "trouble", "data-problem": "show.languages" }));
  }

  #choice(label, name, options, value, change = (next) => this.#set(name, next)) {
    const select = el("select", { "data-place": `show.${name}` });
    select.append(...options.map(([id, words]) => el("option", { value: id }, words)));
    select.value = value;
    select.addEventListener("change", () => change(select.value));
    return el("label", "field", label, select, el("span", { class: "trouble", "data-problem": `show.${name}` }));
  }

  #check(label, name, value) {
    const box = el("input", { type: "checkbox", checked: value });
    box.addEventListener("change", () => this.#set(name, box.checked));
    return el("label", "check", box, label);
  }
}

/** A table without its empty texts. */
const without = (texts) => Object.fromEntries(Object.entries(texts).filter(([, text]) => text));
