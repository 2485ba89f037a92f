/** `/console/shows/{show}/sheet`: the editor of a show's run-sheet. */

import { $, api, button, clock, el, key, language, named, own, show, speak, t, themes, trouble } from "./common.js";
import { SegmentPanel } from "./segment-panel.js";
import { Settings } from "./sheet-settings.js";
import { SheetModel, duration } from "./sheet-model.js";
import { known } from "./texts.js";

/** Below this width the open segment stands in the list, above it beside it. */
const NARROW = matchMedia("(max-width: 900px)");

class Editor {
  constructor(info) {
    this.info = info;
    this.version = info.version;
    this.model = new SheetModel(info.table);
    this.problems = new Map();
    this.selected = 0;
    this.field = this.field.bind(this);
    this.panel = new SegmentPanel($("panel"), this);
    this.settings = new Settings($("settings-body"), this);
    NARROW.addEventListener("change", () => this.draw());
    this.draw();
  }

  // ------------------------------------------------------------------ drawing

  draw() {
    $("side").append($("panel")); // rescued before its row goes
    this.#title();
    $("segments").replaceChildren(...this.model.table.segment.map((segment, at) => this.#row(segment, at)));
    this.selected = Math.min(this.selected, this.model.table.segment.length - 1);
    this.#place();
    this.panel.open(this.selected);
    this.settings.draw();
    this.times();
    this.mark(document);
  }

  /** Something was typed: times, names and buttons follow; fields stay as they are. */
  changed() {
    this.#title();
    this.times();
    this.model.table.segment.forEach((segment, at) => {
      const name = $("segments").children[at]?.querySelector(".name b");
      if (name) name.textContent = this.#name(segment);
    });
  }

  #title() {
    const title = named(this.model.table.show.title, show);
    $("title").textContent = title;
    document.title = `${title} · ${t("editor")}`;
    $("undo").disabled = !this.model.past.length;
    $("redo").disabled = !this.model.future.length;
    $("save").disabled = !this.model.changed;
    if (this.model.changed) $("status").textContent = t("unsaved");
    else if ($("status").textContent === t("unsaved")) $("status").textContent = "";
  }

  #name(segment) {
    const product = this.info.products.find(({ id }) => id === segment.product);
    return named(segment.title) || (product ? named(product.name) : segment.product || t("no_product"));
  }

  #row(segment, at) {
    const product = this.info.products.find(({ id }) => id === segment.product);
    const handle = button("⠿", () => {}, "handle", t("drag"));
    handle.addEventListener("keydown", (event) => this.#keyed(event, at));
    handle.addEventListener("pointerdown", (event) => this.#grab(event, at));
    const name = button("", () => this.select(at), "name");
    name.append(el("b", "", this.#name(segment)), el("small", ""));
    name.ariaExpanded = String(at === this.selected);
    return el("li", "", el("div", "line", handle, product?.picture ? el("img", { src: product.picture, alt: "", loading: "lazy", draggable: "false" }) : el("span", "none"), name, button("×", () => this.#remove(at), "icon bare", `${t("remove")}: ${this.#name(segment)}`)));
  }

  #place() {
    [...$("segments").children].forEach((item, at) => item.classList.toggle("open", at === this.selected));
    if (NARROW.matches) $("segments").children[this.selected]?.append($("panel"));
  }

  select(at) {
    this.selected = NARROW.matches && at === this.selected ? -1 : at;
    if (this.selected < 0) $("side").append($("panel"));
    this.#place();
    this.panel.open(this.selected);
    [...$("segments").children].forEach((item, place) => (item.querySelector(".name").ariaExpanded = String(place === this.selected)));
    this.times();
  }

  times() {
    const { starts, total } = this.model.times();
    const { segment } = this.model.table;
    $("total").textContent = `${t("total")} ${clock(total)}`;
    $("axis").replaceChildren(
      ...segment.map((entry, at) => {
        const part = el("i");
        part.style.flex = `${Math.max(1, duration(entry))} 1 0`;
        part.className = [at === this.selected ? "open" : "", entry.id === this.info.on_air ? "live" : ""].join(" ").trim();
        part.title = `${clock(starts[at])} ${this.#name(entry)}`;
        if (entry.flash && typeof entry.flash.starts_s === "number") {
          const sale = el("b");
          const length = Math.max(1, duration(entry));
          sale.style.left = `${(100 * Math.min(entry.flash.starts_s, length)) / length}%`;
          sale.style.width = `${(100 * Math.max(0, Math.min(entry.flash.lasts_s ?? 120, length - entry.flash.starts_s))) / length}%`;
          part.append(sale);
        }
        return part;
      }),
    );
    segment.forEach((entry, at) => {
      const small = $("segments").children[at]?.querySelector(".name small");
      small?.replaceChildren(
        `${clock(starts[at])} · ${clock(duration(entry))}`,
        ...[
          entry.flash ? el("span", "chip", t("flash")) : "",
          entry.id === this.info.on_air ? el("span", "chip warn", t("st_on_air")) : "",
          [...this.problems.keys()].some((place) => place.startsWith(`segment.${at}.`)) ? el("span", "chip warn", "!") : "",
        ].filter(Boolean),
      );
    });
  }

  // ------------------------------------------------------------------ fields and what is wrong

  field(label, place, value, change, { placeholder = "", lang = null, inputmode = null, tag = "input" } = {}) {
    const input = el(tag, { "data-place": place, placeholder, lang, inputmode, autocomplete: "off" });
    input.value = value;
    input.addEventListener("change", () => change(input.value));
    return el("label", "field", label, input, el("span", { class: "trouble", "data-problem": place }));
  }

  /** Show what is wrong at the fields in `root`. */
  mark(root) {
    for (const node of root.querySelectorAll("[data-problem]")) node.textContent = this.problems.get(node.dataset.problem) ?? "";
    for (const node of root.querySelectorAll("[data-place]")) {
      if (this.problems.has(node.dataset.place)) node.ariaInvalid = "true";
      else node.removeAttribute("aria-invalid");
    }
  }

  #wrong(problems) {
    this.problems = new Map(problems.map((problem) => [problem.place, sentence(problem)]));
    const first = problems.map(({ place }) => Number(/^segment\.(\d+)\./.exec(place)?.[1] ?? -1)).find((at) => at >= 0);
    if (first !== undefined && !problems.some(({ place }) => place.startsWith(`segment.${this.selected}.`))) this.selected = first;
    const script = /^segment\.\d+\.points\.(\w+)/.exec(problems[0].place);
    if (script) this.panel.language = script[1];
    if (problems.some(({ place }) => place.startsWith("show."))) $("settings").open = true;
    this.draw();
    this.#notice(t("wrong", { n: problems.length }), true);
    document.querySelector('[aria-invalid="true"]')?.focus();
  }

  #notice(text, wrong, ...more) {
    $("notice").replaceChildren(...(text ? [el("p", wrong ? "trouble" : "", text), ...more] : []));
  }

  // ------------------------------------------------------------------ order

  #change(act) {
    this.model.change(act);
    this.problems.clear(); // places have moved
    this.draw();
  }

  #keyed(event, at) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    this.#move(at, at + step);
    $("segments").children[Math.max(0, Math.min(at + step, this.model.table.segment.length - 1))].querySelector(".handle").focus();
  }

  #move(from, to) {
    if (to < 0 || to >= this.model.table.segment.length || from === to) return;
    this.model.move(from, to);
    this.problems.clear();
    if (this.selected === from) this.selected = to;
    this.draw();
    $("announce").textContent = t("moved", { name: this.#name(this.model.table.segment[to]), n: to + 1 });
  }

  /** Drag by mouse, pen or finger: rows make room while the pointer moves. */
  #grab(event, at) {
    if (event.button !== 0) return;
    const list = $("segments");
    const row = list.children[at];
    event.target.setPointerCapture(event.pointerId);
    row.classList.add("dragged");
    const follow = (moved) => {
      const others = [...list.children].filter((item) => item !== row);
      const next = others.find((item) => {
        const box = item.getBoundingClientRect();
        return moved.clientY < box.top + Math.min(box.height, 70) / 2;
      });
      if ((next ?? null) !== row.nextElementSibling) {
        list.insertBefore(row, next ?? null);
        event.target.setPointerCapture(event.pointerId);
      }
    };
    const drop = () => {
      event.target.removeEventListener("pointermove", follow);
      row.classList.remove("dragged");
      this.#move(at, [...list.children].indexOf(row));
    };
    event.target.addEventListener("pointermove", follow);
    event.target.addEventListener("pointerup", drop, { once: true });
    event.target.addEventListener("pointercancel", drop, { once: true });
  }

  #remove(at) {
    if (this.model.table.segment[at].id === this.info.on_air) {
      this.#notice(t("p_on_air"), true);
      return;
    }
    this.#change(({ segment }) => segment.splice(at, 1));
  }

  add(product) {
    const entry = product ? { product, duration_s: 90 } : { duration_s: 30, points: { [this.model.table.show.language]: [""] } };
    this.selected = this.model.table.segment.length;
    this.#change(({ segment }) => segment.push(entry));
    $("segments").lastElementChild?.scrollIntoView({ block: "nearest" });
  }

  pick(then) {
    const dialog = $("picker");
    const list = (words) => {
      const found = this.info.products.filter((product) => [product.id, ...Object.values(product.name)].some((name) => name.toLowerCase().includes(words.toLowerCase())));
      $("found").replaceChildren(
        ...found.map((product) =>
          el("li", "", el("button", { type: "button", "data-product": product.id, onclick: () => (dialog.close(), then(product.id)) }, product.picture ? el("img", { src: product.picture, alt: "", loading: "lazy" }) : "", named(product.name, product.id), el("small", "", `${product.price} ${this.info.currency}`))),
        ),
      );
    };
    $("find").value = "";
    $("find").oninput = () => list($("find").value);
    list("");
    dialog.showModal();
    $("find").focus();
  }

  // ------------------------------------------------------------------ keeping

  async save() {
    document.activeElement?.blur(); // a field that is being typed in counts
    if (!this.model.changed) return;
    $("save").disabled = true;
    this.#kept(await api(own("sheet"), { method: "PUT", body: { table: this.model.table, version: this.version } }));
  }

  async restore(number) {
    $("history").close();
    this.#kept(await api(own("sheet/restore"), { method: "POST", body: { restore: number, version: this.version } }), true);
  }

  #kept(answer, fresh = false) {
    const { status, body } = answer;
    $("save").disabled = false;
    if (status === 200) {
      const before = this.info.table?.show ?? {};
      this.info = body;
      this.version = body.version;
      this.problems.clear();
      if (fresh) this.model.load(body.table);
      else this.model.saved(body.table);
      this.draw();
      const live = body.state && body.state !== "idle" && body.state !== "ended";
      const later = live && ["language", "languages", "avatar", "chat", "policy"].some((name) => JSON.stringify(before[name]) !== JSON.stringify(body.table.show[name]));
      this.#notice([t(live ? "saved_live" : "saved"), later ? t("saved_later") : ""].join(" "), false);
    } else if (status === 422) this.#wrong(body.problems);
    else if (status === 409) {
      this.#notice(t("conflict", { n: body.conflict }), true,
        button(t("load_theirs"), () => location.reload(), "small"),
        button(t("keep_mine"), () => ((this.version = body.conflict), this.save()), "small"));
    } else this.#notice(t("not_saved", { w: trouble(answer) }), true);
  }

  history() {
    $("history-list").replaceChildren(
      ...this.info.history.map(({ version, saved_at, removed, segments }) => {
        const when = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" }).format(new Date(saved_at * 1000));
        const words = version === 0 ? t("version_pack") : t("version_of", { n: version, when });
        return el("li", "", el("span", "", `${words} · ${t("segments_n", { n: segments })}`), removed || version === this.version ? "" : button(t("restore"), () => this.restore(version), "small"));
      }),
    );
    $("history").showModal();
  }
}

/** What is wrong with a field, in the host's language where we have words for it. */
function sentence({ place, code, words, limit }) {
  if (place.endsWith(".code")) return t("p_code");
  const short = place.endsWith("_s") && !Number.isNaN(Number(limit)) ? clock(Number(limit)) : limit.replace(/\.0$/, "");
  return known(`p_${code}`) ? t(`p_${code}`, { l: short }) : words;
}

speak();
themes($("theme"));
$("find").placeholder = $("find").ariaLabel = t("search");
const answer = await api(own("sheet"));
if (answer.status === 200) {
  const editor = new Editor(answer.body);
  window.editor = editor;
  $("add").addEventListener("click", () => editor.pick((product) => editor.add(product)));
  $("pause").addEventListener("click", () => editor.add(""));
  $("undo").addEventListener("click", () => (editor.model.undo(), editor.draw()));
  $("redo").addEventListener("click", () => (editor.model.redo(), editor.draw()));
  $("save").addEventListener("click", () => editor.save());
  $("versions").addEventListener("click", () => editor.history());
  for (const name of ["picker", "history"]) $(`${name}-close`).addEventListener("click", () => $(name).close());
  addEventListener("beforeunload", (event) => editor.model.changed && event.preventDefault());
  addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA)$/.test(event.target.tagName);
    if ((event.ctrlKey || event.metaKey) && event.key === "s") {
      event.preventDefault();
      editor.save();
    } else if ((event.ctrlKey || event.metaKey) && event.key === "z" && !typing) {
      event.preventDefault();
      if (event.shiftKey) editor.model.redo();
      else editor.model.undo();
      editor.draw();
    }
  });
} else $("notice").append(el("p", "trouble", trouble(answer)), key ? "" : "");
