/** `/console/shows`: all run-sheets, to open, edit, duplicate, delete. */

import { $, api, button, clock, el, named, page, speak, t, themes, trouble } from "./common.js";

speak();
themes($("theme"));
document.title = t("shows");

async function act(path, options) {
  const answer = await api(path, options);
  $("notice").textContent = answer.status < 300 && answer.status ? "" : trouble(answer);
  await draw();
}

async function draw() {
  const answer = await api("/api/live");
  if (answer.status !== 200) {
    $("notice").textContent = trouble(answer);
    return;
  }
  $("shows").replaceChildren(
    ...answer.body.map((sheet) => {
      const path = `/api/live/${encodeURIComponent(sheet.id)}/sheet`;
      const there = `/console/shows/${encodeURIComponent(sheet.id)}`;
      const box = el("article", "box",
        el("h2", "", named(sheet.title, sheet.id)),
        el("p", "row", el("span", "chip lang", sheet.language.toUpperCase()), sheet.state ? el("span", `chip ${sheet.state === "on_air" || sheet.state === "lull" ? "warn" : ""}`, t(`st_${sheet.state}`)) : "", el("span", "muted", `${sheet.shop} · ${t("segments_n", { n: sheet.segments })} · ${clock(sheet.seconds)}`)),
        el("p", "row",
          el("a", { class: "button small main", href: page(there) }, t("to_console")),
          el("a", { class: "button small", href: page(`${there}/sheet`) }, t("edit_sheet")),
          el("a", { class: "button small", href: page(`${there}/report`) }, t("report"))),
        el("p", "row",
          button(t("duplicate"), () => act(`${path}/copy`, { method: "POST" }), "small bare"),
          sheet.of_pack ? el("span", "muted", t("of_pack")) : button(t("remove"), () => confirm(t("remove_sure")) && act(`${path}?version=${sheet.version}`, { method: "DELETE" }), "small bare stop")));
      box.dataset.show = sheet.id;
      return box;
    }),
  );
}

await draw();
