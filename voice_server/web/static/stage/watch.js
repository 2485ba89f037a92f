/** `/watch/{show}`: the stage for viewers, with a chat box, captions in their language, a buy link. */

import { ShowLink } from "./link.js";
import { Stage, el } from "./stage.js";
import { pageLanguage, say } from "./texts.js";

const MESSAGES = 120;
const show = decodeURIComponent(location.pathname.split("/").pop());
const language = pageLanguage();
const $ = (id) => document.getElementById(id);
document.documentElement.lang = language;

const options = new URLSearchParams(location.search);
const stage = new Stage($("stage"), {
  show,
  language,
  avatar: options.get("avatar") ?? "",
  backdrop: options.get("backdrop") ?? "auto",
  market: options.get("market") ?? "",
});
const link = new ShowLink(`/live/${encodeURIComponent(show)}/watch`, {
  on: (message) => {
    stage.on(message);
    if (message.type === "show") begin(message);
    if (message.type === "chat") add(message);
    if (message.type === "chat_removed") remove(message);
  },
  onSpeech: (header, pcm) => stage.onSpeech(header, pcm),
  onState: (connected) => ($("status").textContent = connected ? "" : say(language, "lost")),
});

$("chat-title").textContent = say(language, "chat");
$("captions-label").textContent = say(language, "captions");
$("name").placeholder = $("name").ariaLabel = say(language, "name");
$("text").placeholder = $("text").ariaLabel = say(language, "write");
$("send").textContent = say(language, "send");
$("listen").textContent = say(language, "listen");
$("name").value = localStorage.getItem("viewer-name") ?? "";

function begin(message) {
  document.title = message.title[language] ?? message.shop;
  const names = new Intl.DisplayNames([language], { type: "language" });
  const options = message.languages.map((code) => {
    const option = el("option", "", names.of(code));
    option.value = code;
    return option;
  });
  const none = el("option", "", say(language, "off"));
  none.value = "";
  $("captions").replaceChildren(...options, none);
  $("captions").value = message.languages.includes(stage.captions) ? stage.captions : message.language;
  stage.setCaptions($("captions").value);
}

function add({ id, platform, author_id, author, text }) {
  const list = $("messages");
  const low = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  const item = el("li");
  item.dataset.id = id;
  item.dataset.platform = platform;
  item.dataset.author = author_id;
  item.append(el("b", "", author || "…"), document.createTextNode(text));
  list.append(item);
  while (list.children.length > MESSAGES) list.firstElementChild.remove();
  if (low) list.scrollTop = list.scrollHeight;
}

/** What moderators take back disappears here too. */
function remove({ kind, target, platform }) {
  for (const item of [...$("messages").children]) {
    const { id, author, platform: from } = item.dataset;
    if (from !== platform) continue;
    if (kind === "clear" || (kind === "delete" && id === target) || (kind === "ban" && author === target)) item.remove();
  }
}

$("captions").addEventListener("change", () => stage.setCaptions($("captions").value));
$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text) return;
  localStorage.setItem("viewer-name", $("name").value);
  link.send({ type: "chat", text, name: $("name").value, language });
  $("text").value = "";
});
const listen = async () => ($("listen").hidden = await stage.clock.start());
$("listen").addEventListener("click", listen);
listen();
window.stage = stage;
