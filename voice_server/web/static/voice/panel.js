/** The shadow DOM of the button: built once, then only changed. No behaviour in here. */

import { h, icon } from "./icons.js";

/** What the status line shows beside its text, by state. */
export const STATE_ICONS = {
  idle: "spark", connecting: "spinner", ready: "hand", listening: "mic", thinking: "dots",
  speaking: "speaker", paused: "pause", reconnecting: "retry", error: "warning",
};

/**
 * @returns {object} the elements by name; `root` holds them all
 */
export function buildPanel() {
  const button = (name, ...children) =>
    h("button", { type: "button", class: `round ${name}`, part: name }, ...children);
  const ui = {};
  ui.bead = h("span", { class: "bead" }, icon("bars"));
  ui.launchText = h("b");
  ui.launchHint = h("small");
  ui.launcher = h(
    "button",
    { type: "button", class: "launcher", part: "launcher", "aria-controls": "panel", "aria-expanded": "false" },
    ui.bead, h("span", { class: "words" }, ui.launchText, ui.launchHint),
  );

  ui.badge = h("span");
  ui.languageLabel = h("span", { class: "sr" });
  ui.language = h("select", {});
  ui.handsFree = modeChoice("hands-free");
  ui.press = modeChoice("press");
  ui.modes = h("div", { class: "modes", role: "radiogroup" }, ui.handsFree.label, ui.press.label);
  ui.sound = button("sound", icon("speaker"));
  ui.minimise = button("minimise", icon("down"));
  const header = h(
    "header", {},
    h("span", { class: "badge", part: "badge" }, icon("spark"), ui.badge),
    h("div", { class: "pickers" },
      h("label", { class: "select" }, icon("globe"), ui.languageLabel, ui.language), ui.modes),
    h("div", { class: "corner" }, ui.sound, ui.minimise),
  );

  ui.disclosure = h("p", { class: "disclosure" });
  ui.log = h("div", { class: "log", part: "log", role: "log", "aria-live": "polite", tabindex: "0" }, ui.disclosure);
  ui.noticeText = h("p");
  ui.noticeRetry = h("button", { type: "button", class: "retry" });
  ui.notice = h("div", { class: "notice", role: "alert", hidden: true }, icon("warning"), ui.noticeText, ui.noticeRetry);

  ui.statusIcon = h("span", { class: "status-icon" });
  ui.statusText = h("strong");
  ui.hint = h("span", { class: "hint" });
  ui.status = h("p", { class: "status", part: "status", role: "status" }, ui.statusIcon, ui.statusText, ui.hint);

  ui.wave = h("canvas", { class: "wave", part: "wave", role: "meter", "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": "0" });
  ui.mute = button("mute", icon("mic"));
  ui.orbIcon = h("span", { class: "orb-icon" }, icon("bars"));
  ui.orb = h("button", { type: "button", class: "orb", part: "orb" }, ui.orbIcon);
  ui.end = button("end", icon("close"));
  const dial = h("div", { class: "dial" }, ui.wave, h("span", { class: "halo" }), h("span", { class: "ring" }), ui.orb);
  const stage = h("div", { class: "stage" }, ui.mute, dial, ui.end);

  ui.input = h("input", { type: "text", autocomplete: "off", enterkeyhint: "send", maxlength: "500", part: "input" });
  ui.send = h("button", { type: "submit", class: "round send", part: "send" }, icon("send"));
  ui.composer = h("form", { class: "composer" }, ui.input, ui.send);

  ui.panel = h(
    "section", { class: "panel", part: "panel", id: "panel", role: "dialog", hidden: true },
    header, ui.log, ui.notice, ui.status, stage, ui.composer,
  );
  ui.root = h("div", { class: "root", "data-state": "idle" }, ui.panel, ui.launcher);
  return ui;
}

function modeChoice(value) {
  const input = h("input", { type: "radio", name: "mode", value });
  const text = h("span");
  return { input, text, label: h("label", {}, input, text) };
}

/** Put an icon in place of the one that is there. */
export function setIcon(holder, name) {
  const present = holder.querySelector("svg");
  if (present?.dataset.icon === name) return;
  if (present) present.replaceWith(icon(name));
  else holder.append(icon(name));
}
