/** The calls: who is on the phone now, what is said, and what people do about it. */

import { chooseLanguage } from "../voice/i18n.js";
import { h } from "../voice/icons.js";
import { meter } from "../voice/pcm.js";
import { CallAudio } from "./calls-audio.js";
import { CallsLink } from "./calls-link.js";
import { Records } from "./calls-records.js";
import { TEXTS, fill } from "./calls-texts.js";
import { View, age, clock } from "./calls-view.js";

const THEMES = ["", "dark", "light"];
/** A second tap hangs up; after so long the button has forgotten the first. */
const SURE_MS = 4000;

const $ = (id) => document.getElementById(id);
const state = { calls: new Map(), open: "", lines: new Map(), language: "en", agent: "", hears: "", speaks: "", sure: 0 };
const audio = new CallAudio();
let link = null;
let view = null;

function remember(store, key, value) {
  try {
    if (value === undefined) return store().getItem(key);
    store().setItem(key, value);
  } catch (error) {
    console.info("calls: choices are not remembered", error.name);
  }
  return null;
}
const local = () => localStorage;
const session = () => sessionStorage;
const records = new Records($, () => ({ link, view, words: view.words, complain }));

// --------------------------------------------------------------- words and looks

function speak(language) {
  state.language = language;
  const words = TEXTS[language];
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = words[element.dataset.text];
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", words[element.dataset.label]);
  document.title = words.title;
  $("theme").setAttribute("aria-label", words.theme);
  $("theme").title = words.theme;
  $("languages").replaceChildren(
    ...Object.keys(TEXTS).map((code) =>
      h("button", { type: "button", lang: code, "aria-pressed": String(code === language), onclick: () => (remember(local, "desk-language", code), speak(code)) }, code.toUpperCase()),
    ),
  );
  view = new View(words, language);
  $("talk").replaceChildren();
  render();
  records.speak();
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
  link?.close();
  silence();
  const fresh = new CallsLink(key, agent, { onMessage: told, onSound: (side, data) => audio.play(side, data), onLink: linked });
  try {
    await fresh.json("");
  } catch (error) {
    if (error.status === 401 || error.status === 403) return sign(view.words.wrongKey);
    return sign(view.words.error);
  }
  link = fresh;
  state.agent = agent;
  remember(local, "desk-agent", agent);
  remember(session, "desk-key", key);
  $("who").textContent = agent;
  $("sign").close();
  link.listen();
  if (location.hash === "#records") tab("records");
}

// --------------------------------------------------------------------------- data

function linked(up) {
  $("link").classList.toggle("off", !up);
  $("link").textContent = up ? view.words.connected : view.words.offline;
  if (!up) silence();
}

const MESSAGES = {
  ready({ calls }) {
    state.calls = new Map(calls.map((call) => [call.id, stamped(call)]));
    const wanted = state.open || new URLSearchParams(location.search).get("call");
    if (wanted && state.calls.has(wanted)) watch(wanted);
    else if (state.open) ended(state.open);
  },
  call({ call }) {
    if (!state.calls.has(call.id)) $("announce").textContent = fill(view.words.arrived, call);
    state.calls.set(call.id, stamped(call));
    if (state.speaks === call.id && call.state !== "human") silence();
    if (state.speaks === "whisper" && state.open === call.id && !call.agent) unmouth();
  },
  gone({ call }) {
    state.calls.delete(call);
    if (state.open === call) ended(call);
  },
  talk({ call, lines }) {
    if (call === state.open) state.lines = new Map(lines.map((line) => [line.id, line]));
  },
  line({ call, line }) {
    if (call !== state.open) return;
    if (line.text) state.lines.set(line.id, line);
    else state.lines.delete(line.id);
  },
  open({ call }) {
    if (call === state.open) state.hears = "yes";
  },
  refused({ code }) {
    complain(view.words[code === "taken" ? "taken_" : code] ?? view.words.error);
    if (code === "taken" || code === "not_talking" || code === "listening_off") silence();
  },
};

function told(message) {
  MESSAGES[message.type]?.(message);
  render();
}

const stamped = (call) => ({ ...call, at: Date.now() });

function ended() {
  silence();
  complain(view.words.over);
}

// ------------------------------------------------------------------------ actions

function watch(id) {
  state.open = id;
  state.lines = new Map();
  $("talk").replaceChildren();
  link.send({ type: "watch", call: id });
}

function open(id) {
  if (id !== state.open) silence();
  watch(id);
  complain("");
  document.body.classList.add("reading");
  render();
  $("case").focus({ preventScroll: true });
}

function leave() {
  if (state.speaks && state.speaks !== "whisper") return; // a caller is not left by a slip of a key
  silence();
  link?.send({ type: "watch", call: "" });
  state.open = "";
  document.body.classList.remove("reading");
  render();
}

/** Stop hearing and speaking. */
function silence() {
  state.hears = "";
  state.speaks = "";
  audio.close();
}

/** Stop speaking, hear on. */
function unmouth() {
  audio.mute();
  state.speaks = "";
}

async function listen() {
  await audio.open();
  state.hears = "asked";
  link.send({ type: "listen" });
  render();
}

function stop() {
  link.send({ type: "listen", on: false });
  silence();
  render();
}

/** Speak: to the caller ("take"), or to the colleague who has the call ("whisper"). */
async function talk(kind) {
  const id = state.open;
  try {
    await audio.speak(({ pcm, rms }) => {
      link.speak(pcm);
      const level = $("level");
      if (level) level.value = meter(rms);
    }, () => { complain(view.words.micMissing); give(); });
  } catch (error) {
    console.warn("calls:", error);
    return complain(view.words[error.reason] ?? view.words.error);
  }
  if (id !== state.open) return audio.mute();
  state.speaks = kind === "take" ? id : "whisper";
  if (kind === "take") state.hears = "yes";
  link.send({ type: kind });
  return render();
}

function give() {
  const whispered = state.speaks === "whisper";
  link.send(whispered ? { type: "whisper", on: false } : { type: "give" });
  if (whispered) unmouth();
  else silence();
  render();
}

function hangUp() {
  if (Date.now() - state.sure < SURE_MS) {
    link.send({ type: "hang-up" });
    state.sure = 0;
  } else {
    state.sure = Date.now();
    setTimeout(render, SURE_MS + 50);
  }
  render();
}

function complain(words) {
  $("trouble").hidden = !words;
  $("trouble").textContent = words || "";
}

// --------------------------------------------------------------------------- page

function render() {
  if (!view) return;
  const focused = document.activeElement?.dataset?.id;
  const calls = [...state.calls.values()].sort((a, b) => age(b) - age(a));
  $("queue").replaceChildren(...calls.map((call) => view.row(call, call.id === state.open, open)));
  if (focused) $("queue").querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
  $("empty").hidden = calls.length > 0;
  document.title = calls.length ? `(${calls.length}) ${view.words.title}` : view.words.title;
  const call = state.calls.get(state.open);
  $("open").hidden = !state.open;
  $("nothing").hidden = Boolean(state.open);
  if (!state.open) return;
  if (call) {
    $("case-title").textContent = view.name(call);
    $("chips").replaceChildren(...view.chips(call), h("span", { class: "chip", "data-clock": call.id }, clock(age(call))));
    $("latency").replaceChildren(...view.latency(call));
    $("latency").hidden = !call.segments;
    if (call.segments) $("latency").setAttribute("aria-label", fill(view.words.latency, { total: $("latency").lastElementChild.textContent.replace(" ms", "") }));
  }
  replaceButtons(call ? buttons(call) : []);
  banner(call);
  $("composer").hidden = !call;
  const scroll = $("scroll");
  const atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
  reconcile($("talk"), [...state.lines.values()].map((line) => view.line(line)));
  if (atEnd) scroll.scrollTop = scroll.scrollHeight;
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

function replaceButtons(fresh) {
  const key = document.activeElement?.dataset?.key;
  $("actions").replaceChildren(...fresh);
  if (key) $("actions").querySelector(`[data-key="${key}"]`)?.focus();
}

function buttons(call) {
  const button = (key, act, { main = false, pressed, danger, words = view.words[key] } = {}) =>
    h("button", { type: "button", "data-key": key, class: [main && "main", danger].filter(Boolean).join(" ") || null, "aria-pressed": pressed === undefined ? null : String(pressed), onclick: act }, words);
  const made = [];
  if (call.yours) made.push(button("give", give, { main: true }));
  else if (call.state === "talking") made.push(button("take", () => talk("take"), { main: true }));
  if (!call.yours && call.listening !== "off") {
    made.push(state.hears ? button("listen", stop, { pressed: true, words: view.words.stop }) : button("listen", listen));
    if (state.hears && call.agent) made.push(button("whisper", () => (state.speaks ? give() : talk("whisper")), { pressed: state.speaks === "whisper" }));
  }
  const settled = call.state === "talking" || call.yours;
  if (settled && call.human) made.push(button("transfer", () => link.send({ type: "transfer" })));
  if (settled && call.queue) made.push(button("queue", () => link.send({ type: "transfer", blind: true })));
  const sure = Date.now() - state.sure < SURE_MS;
  made.push(button("hangUp", hangUp, { danger: sure ? "danger sure" : "danger", words: sure ? view.words.sure : view.words.hangUp }));
  return made;
}

function banner(call) {
  const words = view.words;
  let text = "";
  if (call?.yours) text = words.yours;
  else if (state.speaks === "whisper") text = fill(words.whispering, call ?? {});
  else if (state.hears) text = state.hears === "yes" ? words.listening : words.telling;
  $("banner").hidden = !text;
  $("banner").classList.toggle("talking", Boolean(call?.yours));
  const shown = $("banner").dataset.shown;
  if (shown === text) return;
  $("banner").dataset.shown = text;
  const level = state.speaks ? [h("meter", { id: "level", min: 0, max: 1, value: 0, "aria-label": words.level })] : [];
  $("banner").replaceChildren(h("span", {}, text), ...level);
}

function tab(name) {
  for (const one of ["live", "records"]) {
    $(one).hidden = one !== name;
    $(`tab-${one}`).setAttribute("aria-pressed", String(one === name));
  }
  history.replaceState(null, "", name === "records" ? "#records" : location.pathname + location.search);
  if (name === "records") records.show();
}

// ------------------------------------------------------------------------- events

$("sign-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const agent = $("agent").value.trim();
  if (agent) enter(agent, $("key").value.trim());
});
$("sign").addEventListener("cancel", (event) => {
  if (!link) event.preventDefault();
});
$("who").addEventListener("click", () => sign());
$("back").addEventListener("click", leave);
$("tab-live").addEventListener("click", () => tab("live"));
$("tab-records").addEventListener("click", () => tab("records"));
$("theme").addEventListener("click", () => {
  const next = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme ?? "") + 1) % THEMES.length];
  remember(local, "theme", next);
  theme(next);
});
$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("words").value.trim();
  if (text) link.send({ type: "note", text });
  $("words").value = "";
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
  if (event.key === "Escape" && state.open && !$("sign").open && document.activeElement !== $("words")) leave();
});
setInterval(() => {
  for (const element of document.querySelectorAll("[data-clock]")) {
    const call = state.calls.get(element.dataset.clock);
    if (call) element.textContent = clock(age(call));
  }
}, 1000);

theme(remember(local, "theme") ?? "");
const wishes = [new URLSearchParams(location.search).get("lang"), remember(local, "desk-language"), ...navigator.languages];
speak(chooseLanguage(...wishes.filter((wish) => wish && TEXTS[wish.slice(0, 2)]), "en"));
/** For tests: how late the sound is. */
window.callAudio = audio;
const known = remember(local, "desk-agent");
if (known) await enter(known, remember(session, "desk-key") ?? "");
else sign();
