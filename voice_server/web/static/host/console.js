/** `/console/shows/{show}`: the host's desk. `#key=` carries an API key where one is needed. */

import { ShowLink } from "../stage/link.js";
import { Stage } from "../stage/stage.js";
import { Alarms } from "./alarms.js";
import { $, button, clock, el, language, named, page, protocols, show, speak, t, themes } from "./common.js";
import { HostMicrophone } from "./microphone.js";
import { Out } from "./out.js";
import { Queue, refusal } from "./queue.js";
import { known } from "./texts.js";

const CHAT_LINES = 60;
const VIEWS = ["stage", "queue", "sheet", "chat"];
const SAID_MS = 4000;

speak();
themes($("theme"));
const alarms = new Alarms($("alarms"));
const preview = new Stage($("preview"), { show, language, muted: true });
const handlers = {
  show: begin,
  sheet: begin,
  state,
  queue: ({ questions }) => queue.show(questions),
  segment,
  chat: line,
  chat_hidden: line,
  line: ({ by_host }) => (byHost = by_host),
  upcoming: ({ text }) => ($("next").textContent = text ? `${t("coming")}: ${text}` : ""),
  draft: (message) => queue.draft(message),
  accepted: (message) => queue.accepted(message) || said(t("accepted")),
  refused,
  busy: () => said(t("refused_busy"), true),
  host_voice: ({ on }) => on || microphone.ended(),
  finished: () => ($("state").textContent = t("st_ended")),
};
let byHost = false;
let now = "";
let running = { id: "", at: 0 };
let segments = [];

const link = new ShowLink(`/api/live/${encodeURIComponent(show)}/console`, {
  on: (message) => handlers[message.type]?.(message),
  onState: (connected) => {
    if (connected) microphone.again();
    else $("state").textContent = t("lost");
  },
  protocols,
});
link.sendBytes = (bytes) => {
  // What piles up in a slow line would come too late: the newest sound is worth more.
  if (link.socket.readyState === WebSocket.OPEN && link.socket.bufferedAmount < 24000) link.socket.send(bytes);
};
const send = (message) => link.send(message);
const queue = new Queue(send);
const microphone = new HostMicrophone(link, (text) => said(text, true));
new Out();
new ShowLink(`/live/${encodeURIComponent(show)}/stage?preview`, {
  on: (message) => {
    preview.on(message);
    if (message.type === "line") handlers.line(message);
  },
  onSpeech: (header, pcm) => preview.onSpeech(header, pcm),
});

$("text").placeholder = t("say_hint");
$("text").ariaLabel = t("say");
$("language").ariaLabel = t("language");

const controls = {
  begin: button(t("begin"), () => send({ type: "begin" }), "main"),
  next: button(t("next_line"), () => send({ type: "next" }), "main"),
  resume: button(t("resume"), () => send({ type: "resume" }), "main"),
  mic: button(t("mic"), () => (microphone.open ? microphone.stop() : microphone.start())),
  mute: button(t("mute"), () => send({ type: "mute" })),
  take_over: button(t("takeover"), () => send({ type: "take_over" })),
  stop: button(t("stop"), () => confirm(t("stoppable")) && send({ type: "stop" }), "stop"),
};
$("buttons").append(...Object.values(controls));
$("views").append(
  ...VIEWS.map((name) => {
    const node = button(t(name), () => view(name));
    node.dataset.view = name;
    return node;
  }),
);
view("queue");

function view(name) {
  document.body.dataset.view = name;
  for (const node of $("views").children) node.ariaPressed = String(node.dataset.view === name);
}

// ------------------------------------------------------------------ the show

function begin(message) {
  const title = `${message.shop} · ${named(message.title, message.id)}`;
  $("title").textContent = title;
  alarms.name(title);
  segments = message.segments;
  queue.languages = message.languages;
  $("sheet").replaceChildren(...segments.map(segmentRow));
  $("policy").textContent = known(`policy_${message.policy}`) ? t(`policy_${message.policy}`) : "";
  document.body.classList.toggle("prompter", message.prompter);
  $("prompter").textContent = t("prompter");
  $("prompter").hidden = !message.prompter;
  controls.next.hidden = !message.prompter;
  if (message.prompter && innerWidth <= 700) view("stage");
  $("language").replaceChildren(...message.languages.map((code) => el("option", { value: code }, code.toUpperCase())));
  mark();
}

function segmentRow(entry) {
  const picture = entry.picture ? el("img", { src: entry.picture, alt: "", loading: "lazy" }) : el("span", "none");
  const item = el("li", "", picture, el("div", "", el("b", "", named(entry.title, entry.id)), el("small", "", clock(entry.seconds))), button("▸", () => send({ type: "jump", id: entry.id }), "icon bare", t("jump")), el("i", "done"));
  item.dataset.id = entry.id;
  return item;
}

function segment({ id, began_at }) {
  running = { id, at: performance.now() / 1000 - Math.max(0, Date.now() / 1000 - began_at) };
  mark();
}

function mark() {
  const at = segments.findIndex((entry) => entry.id === running.id);
  [...$("sheet").children].forEach((item, place) => {
    if (place === at) item.setAttribute("aria-current", "true");
    else item.removeAttribute("aria-current");
    item.classList.toggle("past", at >= 0 && place < at);
    item.querySelector(".done").style.width = "0";
  });
}

/** How far the running segment is, and what is left of the show. */
setInterval(() => {
  const at = segments.findIndex((entry) => entry.id === running.id);
  const total = segments.reduce((sum, entry) => sum + entry.seconds, 0);
  const live = now === "on_air" || now === "lull";
  if (!live && now !== "") running.at += 0.5; // a pause does not count
  if (at < 0 || now === "idle") {
    $("clock").textContent = `${t("total")} ${clock(total)}`;
    return;
  }
  const spent = Math.min(performance.now() / 1000 - running.at, segments[at].seconds);
  const before = segments.slice(0, at).reduce((sum, entry) => sum + entry.seconds, 0);
  $("clock").textContent = `${clock(before + spent)} / ${clock(total)}`;
  $("sheet").children[at].querySelector(".done").style.width = `${(100 * spent) / segments[at].seconds}%`;
}, 500);

function state({ state: next, line: text, audience, counts, sources, alarms: standing }) {
  now = next;
  const live = now === "on_air" || now === "lull" || now === "closing";
  $("state").className = live ? "live" : now;
  $("state").replaceChildren(
    el("b", "", t(`st_${now}`)),
    el("span", "", audience === 1 ? t("viewer") : t("viewers", { n: audience })),
    el("span", "", t("answered", { a: counts.answered, q: counts.questions })),
  );
  $("line").replaceChildren(text, byHost && text ? el("span", "chip", t("by_host")) : "");
  const over = now === "ended" || now === "closing";
  controls.begin.hidden = now !== "idle";
  controls.resume.hidden = (now !== "muted" && now !== "host") || microphone.open;
  controls.mute.hidden = !(now === "on_air" || now === "lull");
  controls.take_over.hidden = controls.mute.hidden;
  controls.mic.hidden = now === "idle" || over;
  controls.mic.textContent = t(microphone.open ? "mic_off" : "mic");
  controls.mic.classList.toggle("main", microphone.open);
  controls.stop.hidden = now === "ended" || now === "idle";
  $("sources").replaceChildren(
    ...sources.flatMap(({ name, connected, reason }) => [el(connected ? "span" : "b", "", `${name}${reason ? `: ${reason}` : ""}`), " "]),
  );
  alarms.show(standing ?? []);
}

function line({ type, author, text, reason }) {
  const item = el("li", type === "chat_hidden" ? "hidden-one" : "", el("b", "", `${author}: `), text);
  if (reason) item.append(el("small", "", ` (${reason})`));
  $("chat").prepend(item);
  while ($("chat").children.length > CHAT_LINES) $("chat").lastElementChild.remove();
}

// ------------------------------------------------------------------ the host's words

let saidTimer = 0;

function said(text, wrong = false, ...more) {
  clearTimeout(saidTimer);
  $("say-answer").replaceChildren(el("p", { class: wrong ? "trouble" : "muted", role: "status" }, text), ...more);
  if (!wrong) saidTimer = setTimeout(() => $("say-answer").replaceChildren(), SAID_MS);
}

let lastSaid = null;

function refused(message) {
  if (message.id === "mic") {
    microphone.ended();
    said(t("mic_taken"), true);
  } else if (!queue.refused(message)) {
    const again = message.may_vouch && lastSaid ? [button(t("vouch"), () => send({ ...lastSaid, vouched: true }), "small")] : [];
    if (lastSaid && !$("text").value) $("text").value = lastSaid.text;
    said(refusal(message.reason, message.detail), true, ...again);
  }
}

$("say").addEventListener("submit", (event) => {
  event.preventDefault();
  lastSaid = { type: "say", text: $("text").value, language: $("language").value };
  send(lastSaid);
  $("text").value = "";
});
document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|TEXTAREA|SELECT|BUTTON)$/.test(event.target.tagName);
  if (!typing && event.code === "Space" && !controls.next.hidden) {
    event.preventDefault();
    send({ type: "next" });
  }
});
window.host = { link, queue, microphone, page };
