/** What the host's pages share: the show's name, its key, the API, words, elements. */

import { pageLanguage } from "../stage/texts.js";
import { words } from "./texts.js";

export const show = decodeURIComponent(location.pathname.split("/")[3] ?? "");
export const language = pageLanguage(["fr", "nl", "de", "en"]);
export const t = words(language);
export const $ = (id) => document.getElementById(id);
export const key = new URLSearchParams(location.hash.slice(1)).get("key");
/** Subprotocols by which a page's websocket shows its key. */
export const protocols = key ? ["realtime", `openai-insecure-api-key.${key}`] : [];
document.documentElement.lang = language;

/** `el("p", "name", "text")` or with attributes: `el("input", {type: "text"})`; never HTML. */
export function el(tag, given = "", ...children) {
  const node = document.createElement(tag);
  if (typeof given === "string") {
    if (given) node.className = given;
  } else {
    for (const [name, value] of Object.entries(given)) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value === true) node.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
    }
  }
  node.append(...children.filter((child) => child !== null && child !== "" && child !== undefined));
  return node;
}

export function button(text, act, name = "", label = "") {
  return el("button", { type: "button", class: name, onclick: act, "aria-label": label || null, title: label || null }, text);
}

/** The page of a show, with the key handed on. */
export const page = (path) => `${path}${location.search}${location.hash}`;

/** What the API answers: `{status, body}`; status 0 when it cannot be reached. */
export async function api(path, { method = "GET", body } = {}) {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  try {
    const response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal: AbortSignal.timeout(20000) });
    const text = await response.text();
    const type = response.headers.get("Content-Type") ?? "";
    return { status: response.status, body: type.includes("json") ? JSON.parse(text) : text };
  } catch (error) {
    console.warn("host: no answer from", path, error.name);
    return { status: 0, body: t("unreachable") };
  }
}

/** What went wrong, in a sentence. */
export const trouble = ({ status, body }) => (status === 0 ? t("unreachable") : (body?.error?.message ?? body?.error ?? body ?? String(status)));

export const own = (path) => `/api/live/${encodeURIComponent(show)}/${path}`;

/** 90 → "1:30"; 3700 → "1:01:40". */
export function clock(seconds) {
  const s = Math.max(0, Math.round(seconds));
  const two = (n) => String(n).padStart(2, "0");
  return s < 3600 ? `${Math.floor(s / 60)}:${two(s % 60)}` : `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

/** "1:30" or "90" → 90; NaN for what is neither. */
export function seconds(text) {
  const parts = text.trim().split(":");
  if (parts.length > 3 || parts.some((part) => !/^\d+([.,]\d+)?$/.test(part))) return NaN;
  return parts.reduce((sum, part) => sum * 60 + Number(part.replace(",", ".")), 0);
}

export const named = (titles, fallback = "") => titles?.[language] ?? Object.values(titles ?? {})[0] ?? fallback;

/** Fill in every `data-text` of the page. */
export function speak() {
  for (const node of document.querySelectorAll("[data-text]")) node.textContent = t(node.dataset.text);
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", t(node.dataset.label));
  for (const link of document.querySelectorAll("a[data-page]")) link.href = page(link.dataset.page.replace("{show}", encodeURIComponent(show)));
}

const THEMES = ["", "dark", "light"];

/** The button that changes between the system's colours, dark and light. */
export function themes(node) {
  const stored = () => {
    try {
      return localStorage.getItem("host-theme") ?? "";
    } catch {
      return ""; // storage is forbidden: the choice lives for the visit
    }
  };
  const set = (theme) => {
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
  };
  let now = stored();
  set(now);
  node.title = t("theme");
  node.ariaLabel = t("theme");
  node.addEventListener("click", () => {
    now = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
    set(now);
    try {
      localStorage.setItem("host-theme", now);
    } catch {
      return; // see above
    }
  });
}
