/** The desk: people see who waits, take a conversation over, and give it back. */

import { chooseLanguage } from "../voice/i18n.js";
import { h } from "../voice/icons.js";
import { DeskApi } from "./desk-api.js";
import { TEXTS, fill } from "./desk-texts.js";
import { View } from "./desk-view.js";

const THEMES = ["", "dark", "light"];
const PROBLEMS = { taken: "errorTaken", not_yours: "errorNotYours", not_live: "errorNotLive" };
/** Ages in the list are counted anew so often. */
const AGES_MS = 30_000;

const $ = (id) => document.getElementById(id);
const state = { cases: new Map(), item: null, language: "en", agent: "", labels: {} };
let api = null;
let view = null;

/** Storage may be forbidden: then the choice lives for the visit. */
function remember(store, key, value) {
  try {
    if (value === undefined) return store().getItem(key);
    store().setItem(key, value);
  } catch (error) {
    console.info("desk: choices are not remembered", error.name);
  }
  return null;
}
const local = () => localStorage;
const session = () => sessionStorage;

// --------------------------------------------------------------- words and looks

async function speak(language) {
  state.language = language;
  const words = TEXTS[language];
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = words[element.dataset.text];
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", words[element.dataset.label]);
  $("empty").textContent = words.empty;
  $("theme").setAttribute("aria-label", words.theme);
  $("theme").title = words.theme;
  $("languages").replaceChildren(
    ...Object.keys(TEXTS).map((code) =>
      h("button", { type: "button", lang: code, "aria-pressed": String(code === language), onclick: () => (remember(local, "desk-language", code), speak(code)) }, code.toUpperCase()),
    ),
  );
  if (api) state.labels = await api.texts(language);
  view = new View(words, state.labels, language, state.agent);
  render();
}

function theme(next) {
  if (next) document.documentElement.dataset.theme = next;
  else delete document.documentElement.dataset.theme;
}

// ------------------------------------------------------------------------ sign in

function sign(trouble = "") {
  $("agent").value ||= state.agent || remember(local, "desk-agent") || "";
  $("sign-trouble").textContent = trouble;
  $("sign-trouble").hidden = !trouble;
  if (!$("sign").open) $("sign").showModal();
}

async function enter(agent, key) {
  api?.close();
  const fresh = new DeskApi(key, { onCase: changed, onLink: linked });
  try {
    state.labels = await fresh.texts(state.language);
  } catch (error) {
    if (error.status === 401 || error.status === 403) return sign(TEXTS[state.language].wrongKey);
    return sign(TEXTS[state.language].error);
  }
  api = fresh;
  state.agent = agent;
  remember(local, "desk-agent", agent);
  remember(session, "desk-key", key);
  $("who").textContent = agent;
  $("sign").close();
  await speak(state.language);
  api.listen();
}

// --------------------------------------------------------------------------- data

async function linked(up) {
  $("link").classList.toggle("off", !up);
  $("link").textContent = up ? view.words.connected : view.words.offline;
  if (!up) return;
  try {
    const cases = await api.cases();
    state.cases = new Map(cases.map((item) => [item.id, item]));
    const wanted = state.item?.id ?? new URLSearchParams(location.search).get("case");
    if (wanted) state.item = await api.open(wanted).catch(() => null);
    render();
  } catch (error) {
    complain(error);
  }
}

/** The server tells of a case that changed, whole. */
function changed(item) {
  const known = state.cases.has(item.id);
  if (item.state === "closed") state.cases.delete(item.id);
  else state.cases.set(item.id, item);
  if (!known && item.state === "waiting") $("announce").textContent = fill(view.words.arrived, { about: view.about(item) });
  if (state.item?.id === item.id) state.item = item;
  render();
}

async function open(id) {
  try {
    state.item = await api.open(id);
  } catch (error) {
    return complain(error);
  }
  complain(null);
  $("words").value = "";
  document.body.classList.add("reading");
  render();
  if ($("composer").hidden) $("scroll").scrollTop = 0;
  $("case").focus({ preventScroll: true });
}

function leave() {
  state.item = null;
  document.body.classList.remove("reading");
  render();
}

async function act(action, body = {}) {
  const { id } = state.item;
  try {
    changed(await api.act(id, action, { agent: state.agent, ...body }));
    complain(null);
    return true;
  } catch (error) {
    complain(error);
    if (error.status === 409) changed(await api.open(id));
    return false;
  }
}

function complain(error) {
  if (error?.status === 401) return sign(view.words.wrongKey);
  if (error) console.warn("desk:", error);
  $("trouble").hidden = !error;
  $("trouble").textContent = error ? view.words[PROBLEMS[error.code] ?? "error"] : "";
  return undefined;
}

// --------------------------------------------------------------------------- page

const RANK = { urgent: 0, high: 1, normal: 2, low: 3 };
const order = (a, b) => RANK[a.priority] - RANK[b.priority] || Date.parse(a.created) - Date.parse(b.created);

function render() {
  if (!view) return;
  const focused = document.activeElement?.dataset?.id;
  const items = [...state.cases.values()].sort(order);
  $("queue").replaceChildren(...items.map((item) => view.row(item, item.id === state.item?.id, open)));
  if (focused) $("queue").querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
  $("empty").hidden = items.length > 0;
  const waiting = items.filter((item) => item.state === "waiting").length;
  document.title = waiting ? `(${waiting}) ${view.words.title}` : view.words.title;
  $("open").hidden = !state.item;
  $("nothing").hidden = Boolean(state.item);
  if (state.item) renderCase(state.item);
}

function renderCase(item) {
  const mine = item.state === "claimed" && item.agent === state.agent;
  const scroll = $("scroll");
  const atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
  $("case-title").textContent = `${item.reference} · ${item.name || view.about(item)}`;
  $("chips").replaceChildren(...view.chips(item));
  $("actions").replaceChildren(...buttons(item, mine));
  const details = $("packet").querySelector("details")?.open ?? false;
  $("packet").replaceChildren(...view.packet(item));
  const opened = $("packet").querySelector("details");
  if (opened) opened.open = details;
  reconcile($("talk"), view.talk(item));
  const talking = mine && item.live && item.control === "human";
  const begins = talking && $("composer").hidden;
  $("composer").hidden = !talking;
  const names = {
    name: item.name || view.words.customer,
    internal: view.label("languages", item.internal_language),
    language: view.label("languages", item.language),
  };
  const same = item.language === item.internal_language;
  $("words-label").textContent = fill(same ? view.words.same : view.words.words, names);
  $("words").lang = item.internal_language;
  if (begins || (atEnd && item.lines.length)) scroll.scrollTop = scroll.scrollHeight;
}

/** Change only lines that differ, so that a screen reader hears the new ones and nothing twice. */
function reconcile(list, fresh) {
  fresh.forEach((line, at) => {
    const old = list.children[at];
    if (!old) list.append(line);
    else if (!old.isEqualNode(line)) old.replaceWith(line);
  });
  while (list.children.length > fresh.length) list.lastElementChild.remove();
}

function buttons(item, mine) {
  const button = (key, action, main = false) =>
    h("button", { type: "button", class: main ? "main" : "", onclick: () => act(action) }, view.words[key]);
  if (item.state === "waiting") return [button("claim", "claim", true), ...(item.live ? [] : [button("close", "hand-back")])];
  if (!mine) return [];
  if (!item.live) return [button("close", "hand-back", true), button("putBack", "put-back")];
  return [button("handBack", "hand-back", true), button("putBack", "put-back")];
}

// ------------------------------------------------------------------------- events

$("sign-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const agent = $("agent").value.trim();
  if (agent) enter(agent, $("key").value.trim());
});
$("sign").addEventListener("cancel", (event) => {
  if (!api) event.preventDefault();
});
$("who").addEventListener("click", () => sign());
$("back").addEventListener("click", leave);
$("theme").addEventListener("click", () => {
  const next = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme ?? "") + 1) % THEMES.length];
  remember(local, "theme", next);
  theme(next);
});
$("composer").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = $("words").value.trim();
  if (!text || $("send").disabled) return;
  $("send").disabled = true;
  try {
    if (await act("reply", { id: crypto.randomUUID?.() ?? `m-${Date.now()}`, text })) $("words").value = "";
  } finally {
    $("send").disabled = false;
    $("words").focus();
  }
});
$("words").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("composer").requestSubmit();
});
$("queue").addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const rows = [...$("queue").querySelectorAll("button")];
  const next = rows[rows.indexOf(document.activeElement) + step];
  if (next) {
    event.preventDefault();
    next.focus();
  }
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && state.item && !$("sign").open && document.activeElement !== $("words")) leave();
});
setInterval(render, AGES_MS);

theme(remember(local, "theme") ?? "");
const wishes = [new URLSearchParams(location.search).get("lang"), remember(local, "desk-language"), ...navigator.languages];
await speak(chooseLanguage(...wishes.filter((wish) => wish && TEXTS[wish.slice(0, 2)]), "en"));
const known = remember(local, "desk-agent");
if (known) await enter(known, remember(session, "desk-key") ?? "");
else sign();
