/** `/console/shows/{show}`: the host's desk. `#key=` carries an API key where one is needed. */

import { ShowLink } from "./link.js";
import { Stage, el } from "./stage.js";
import { pageLanguage, say } from "./texts.js";

const CHAT_LINES = 60;
const show = decodeURIComponent(location.pathname.split("/").pop());
const language = pageLanguage();
const t = (key, fields) => say(language, key, fields);
const $ = (id) => document.getElementById(id);
document.documentElement.lang = language;

const key = new URLSearchParams(location.hash.slice(1)).get("key");
const protocols = key ? ["realtime", `openai-insecure-api-key.${key}`] : [];
const preview = new Stage($("preview"), { show, language, muted: true });
const handlers = { show: begin, state, queue, segment, chat: line, chat_hidden: line, upcoming: ({ text }) => ($("next").textContent = text), finished: () => ($("state").textContent = t("over")) };
const link = new ShowLink(`/api/live/${encodeURIComponent(show)}/console`, {
  on: (message) => handlers[message.type]?.(message),
  onState: (connected) => { if (!connected) $("state").textContent = t("lost"); },
  protocols,
});
new ShowLink(`/live/${encodeURIComponent(show)}/stage?preview`, {
  on: (message) => preview.on(message),
  onSpeech: (header, pcm) => preview.onSpeech(header, pcm),
});

document.title = $("title").textContent = t("console");
$("sheet-title").textContent = t("sheet");
$("queue-title").textContent = t("queue");
$("empty").textContent = t("empty");
$("text").ariaLabel = $("text").placeholder = t("say");
$("send").textContent = t("say");
$("language").ariaLabel = t("captions");

function button(text, act, name = "") {
  const node = el("button", name, text);
  node.type = "button";
  node.addEventListener("click", act);
  return node;
}

const controls = {
  begin: button(t("begin"), () => link.send({ type: "begin" }), "main"),
  mute: button(t("mute"), () => link.send({ type: "mute" })),
  take_over: button(t("takeover"), () => link.send({ type: "take_over" })),
  resume: button(t("resume"), () => link.send({ type: "resume" }), "main"),
  next: button(t("next_line"), () => link.send({ type: "next" }), "main"),
  stop: button(t("stop"), () => confirm(t("stoppable")) && link.send({ type: "stop" }), "stop"),
};
$("buttons").append(...Object.values(controls));

function begin(message) {
  $("title").textContent = `${message.shop} · ${message.title[language] ?? message.id}`;
  $("sheet").replaceChildren(
    ...message.segments.map((segment) => {
      const item = el("li");
      item.dataset.id = segment.id;
      const words = el("div", "", segment.title[language] ?? Object.values(segment.title)[0] ?? segment.id);
      words.append(el("small", "", `${Math.floor(segment.seconds / 60)}:${String(segment.seconds % 60).padStart(2, "0")}`));
      item.append(words, button(t("jump"), () => link.send({ type: "jump", id: segment.id })));
      return item;
    }),
  );
  document.body.classList.toggle("prompter", message.prompter);
  controls.next.hidden = !message.prompter;
  $("language").replaceChildren(...message.languages.map((code) => Object.assign(el("option", "", code.toUpperCase()), { value: code })));
}

function segment({ id }) {
  for (const item of $("sheet").children) {
    if (item.dataset.id === id) item.setAttribute("aria-current", "true");
    else item.removeAttribute("aria-current");
  }
}

function state({ state: now, line: said, audience, counts, sources }) {
  const live = now === "on_air" || now === "lull" || now === "closing";
  $("state").className = live ? "live" : "";
  $("state").textContent = [
    live ? t("onair") : now,
    t("viewers", { n: audience }),
    t("answered", { a: counts.answered, q: counts.questions }),
  ].join(" · ");
  $("line").textContent = said;
  controls.begin.hidden = now !== "idle";
  controls.resume.hidden = now !== "muted" && now !== "host";
  controls.mute.hidden = !live;
  controls.take_over.hidden = !live;
  controls.stop.hidden = now === "ended";
  $("sources").replaceChildren(
    ...sources.flatMap(({ name, connected, reason }) => [el(connected ? "span" : "b", "", `${name}${reason ? `: ${reason}` : ""}`), document.createTextNode(" ")]),
  );
}

function queue({ questions }) {
  $("empty").hidden = questions.length > 0;
  $("queue").replaceChildren(
    ...questions.map((question) => {
      const { id, status, pinned } = question;
      const item = el("li", [status, pinned ? "pinned" : ""].join(" "));
      item.append(el("p", "", question.text));
      item.append(
        el("small", "", [
          question.names.join(", "),
          question.askers > 1 ? `×${question.askers}` : "",
          question.language.toUpperCase(),
          question.intent,
          question.product,
          `${question.age_s} s`,
          question.score.toFixed(1),
          status === "host" ? `${t("forhost")}: ${t(question.reason || "unknown")}` : "",
        ].filter(Boolean).join(" · ")),
      );
      const row = el("div", "row");
      row.append(
        button(t("approve"), () => link.send({ type: "approve", id }), "main"),
        button(t("skip"), () => link.send({ type: "skip", id })),
        button(t("pin"), () => link.send({ type: "pin", id, on: !pinned })),
      );
      item.append(row);
      return item;
    }),
  );
}

function line({ type, author, text, reason }) {
  const item = el("li", type === "chat_hidden" ? "hidden-one" : "");
  item.append(el("b", "", `${author}: `), document.createTextNode(text));
  if (reason) item.append(el("small", "", ` (${reason})`));
  $("chat").prepend(item);
  while ($("chat").children.length > CHAT_LINES) $("chat").lastElementChild.remove();
}

/** What the show has brought so far, fetched when the host opens it. */
async function report() {
  if (!$("report").open) return;
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  const response = await fetch(`/api/live/${encodeURIComponent(show)}/report.json`, { headers });
  if (!response.ok) return;
  const r = await response.json();
  const body = $("report-body");
  const percent = Math.round(r.answered_share * 100);
  const seconds = r.wait_s.p50 === null ? "–" : `${r.wait_s.p50} s / ${r.wait_s.p95} s`;
  body.replaceChildren(
    el("p", "", `${t("answered", { a: r.answered, q: r.questions })} (${percent} %) · ${seconds}`),
    el("h3", "", t("perminute")),
  );
  const bars = el("div", "bars");
  const most = Math.max(1, ...r.per_minute);
  for (const count of r.per_minute) {
    const bar = el("i");
    bar.style.height = `${(100 * count) / most}%`;
    bar.title = String(count);
    bars.append(bar);
  }
  body.append(bars, el("h3", "", t("unmet")));
  const list = el("ul");
  list.append(...r.unanswered.map((q) => el("li", "", `${q.text} (×${q.askers}, ${t(q.reason === "waiting" ? "taken" : q.reason)})`)));
  body.append(list);
  if (!key) {
    const link = el("a", "", "CSV");
    link.href = `/api/live/${encodeURIComponent(show)}/report.csv`;
    body.append(link);
  }
}
$("report-title").textContent = t("report");
$("report").addEventListener("toggle", report);

$("say").addEventListener("submit", (event) => {
  event.preventDefault();
  link.send({ type: "say", text: $("text").value, language: $("language").value });
  $("text").value = "";
});
