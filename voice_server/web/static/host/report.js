/** `/console/shows/{show}/report`: what a show brought, to look at, to print, to take along. */

import { $, api, clock, el, key, language, named, own, show, speak, t, themes, trouble } from "./common.js";
import { bars, dots, shares } from "./plots.js";
import { known } from "./texts.js";

speak();
themes($("theme"));
let report = null;

const when = (unix) => new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(unix * 1000));
const asked = () => encodeURIComponent($("which").value || "now");

async function list() {
  const { status, body } = await api(own("reports"));
  $("which").ariaLabel = t("report");
  $("which").append(el("option", { value: "now" }, t("running")));
  if (status === 200) $("which").append(...body.map(({ name, began_at, questions, seconds }) => el("option", { value: name }, `${when(began_at)} · ${clock(seconds)} · ${questions} ${t("r_questions").toLowerCase()}`)));
  const wished = new URLSearchParams(location.search).get("name");
  if ([...$("which").options].some(({ value }) => value === wished)) $("which").value = wished;
}

async function load() {
  const answer = await api(own(`report.json?name=${asked()}`));
  $("notice").textContent = answer.status === 200 ? "" : trouble(answer);
  if (answer.status !== 200) return;
  report = answer.body;
  draw();
}

const pair = ({ p50, p95 }) => (p50 === null ? "–" : `${p50} s, ${p95} s`);
const reason = (word) => (known(word) ? t(word) : word);
const topic = (word) => word.replaceAll("_", " ");

function fact(label, value) {
  return el("div", "", el("b", "", String(value)), el("span", "", label));
}

function box(title, ...children) {
  return el("section", "box", el("h2", "", title), ...children);
}

function by(title, table, name) {
  const rows = Object.entries(table).slice(0, 12).map(([word, { asked: count, answered }]) => [name(word), count, answered]);
  return box(title, shares(rows, { label: title }));
}

function draw() {
  const r = report;
  const title = `${r.shop} · ${named(r.title, show)}`;
  $("title").textContent = `${t("report")} · ${title}`;
  document.title = `${title} · ${when(r.began_at)}`;
  const parts = [
    el("div", "wide", el("p", "muted", `${when(r.began_at)} · ${clock(r.seconds)}`)),
    el("div", "facts wide",
      fact(t("r_questions"), r.questions), fact(t("r_askers"), r.askers),
      fact(t("r_share"), r.questions ? `${Math.round(r.answered_share * 100)} %` : "–"),
      fact(t("r_wait"), pair(r.wait_s)), fact(t("r_ready"), pair(r.ready_s)), fact(t("r_by_host"), r.by_host)),
  ];
  if (!r.questions) parts.push(el("p", "wide", t("r_empty")));
  else {
    const languages = new Intl.DisplayNames([language], { type: "language" });
    const legend = el("p", "legend", el("span", "", el("i"), t("r_met")), el("span", "", el("i", "open"), t("r_open")));
    const minute = box(t("r_perminute"), legend, bars(r.per_minute, r.answered_per_minute, { label: t("r_perminute"), across: t("r_minute") }));
    const waits = box(`${t("r_waits")} (${t("r_seconds")})`, dots(r.waits, { label: t("r_waits"), across: t("r_minute"), length: r.seconds }));
    minute.classList.add("wide");
    waits.classList.add("wide");
    const unmet = box(t("r_unmet"), el("table", "",
      el("thead", "", el("tr", "", el("th", "", t("text")), el("th", "", ""), el("th", "", t("askers")), el("th", "", t("reason")))),
      el("tbody", "", ...r.unanswered.map((q) => el("tr", "", el("td", "", q.text), el("td", "", q.language.toUpperCase()), el("td", "n", String(q.askers)), el("td", "", reason(q.reason)))))));
    unmet.classList.add("wide");
    parts.push(minute);
    if (r.waits.length) parts.push(waits);
    parts.push(
      by(t("r_language"), r.by_language, (code) => (code ? languages.of(code) : "–")),
      by(t("r_product"), r.by_product, (id) => r.products[id] ?? (id || t("r_none"))),
      by(t("r_intent"), r.by_intent, (word) => topic(word) || t("r_none")));
    if (r.unanswered.length) parts.push(unmet);
  }
  $("report").replaceChildren(...parts);
}

function take(text, type, name) {
  const link = el("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

$("which").addEventListener("change", load);
$("print").addEventListener("click", () => print());
$("json").addEventListener("click", () => report && take(JSON.stringify(report, null, 2), "application/json", `${show}.json`));
$("csv").addEventListener("click", async () => {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  const response = await fetch(own(`report.csv?name=${asked()}`), { headers });
  if (response.ok) take(await response.text(), "text/csv", `${show}.csv`);
  else $("notice").textContent = trouble({ status: response.status, body: await response.text() });
});

await list();
await load();
if ($("which").value === "now") setInterval(() => $("which").value === "now" && load(), 15000);
