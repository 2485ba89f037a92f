/** The demo shop: products, example questions, and the marks that the conversation leaves on them. */

import { h } from "../voice/icons.js";
import { chooseLanguage } from "../voice/i18n.js";
import { TEXTS, fill } from "./texts.js";

/** Products shown before "show all": three rows on a desktop. */
const FIRST = 12;
/** Where in the catalogue the three pictures of the hero come from. */
const HERO = [0, 0.55, 0.8];
/** How long a product stays marked after it was mentioned. */
const MENTION_MS = 30_000;
const THEMES = ["", "dark", "light"];
const BUBBLE = `<svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.9" stroke-linecap="round" stroke-linejoin="round"><path d="M4 5.5h16v11h-8.5L7 20.5v-4H4zM9 9.8v2.4M12 8.8v4.4M15 9.8v2.4"/></svg>`;

const $ = (id) => document.getElementById(id);
const voice = $("voice");
/** "/s/<shop>/" is the page of one of several shops; "/" that of this host, or the default one. */
const SHOP = /^\/s\/([^/]+)\//.exec(location.pathname)?.[1] ?? "";
const FACTS = SHOP ? `/s/${SHOP}/api/shop` : "/api/shop";
if (SHOP) voice.setAttribute("shop", decodeURIComponent(SHOP));
let shop = { name: "Voice shop", languages: Object.keys(TEXTS), default_language: "en", tagline: {}, examples: {}, products: [] };
let language = "en";
let all = false;

/** Storage may be forbidden (private windows, strict settings): then the choice lives for the visit. */
function remember(key, value) {
  try {
    if (value === undefined) return localStorage.getItem(key);
    localStorage.setItem(key, value);
  } catch (error) {
    console.info("voice shop: choices are not remembered", error.name);
  }
  return null;
}

async function load() {
  try {
    const response = await fetch(FACTS, { signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(`${FACTS} answered ${response.status}`);
    shop = await response.json();
  } catch (error) {
    console.warn("voice shop: no products", error);
    $("offline").hidden = false;
    addEventListener("online", load, { once: true });
    return;
  } finally {
    choose();
  }
  $("offline").hidden = true;
}

function choose() {
  const wishes = [new URLSearchParams(location.search).get("lang"), remember("language"), ...navigator.languages];
  const served = wishes.filter((wish) => wish && shop.languages.includes(wish.slice(0, 2)));
  render(chooseLanguage(...served, shop.default_language));
}

function render(chosen) {
  language = chosen;
  const words = TEXTS[language];
  document.documentElement.lang = language;
  document.title = shop.name;
  $("shop-name").textContent = shop.name;
  $("tagline").textContent = shop.tagline[language] ?? "";
  for (const element of document.querySelectorAll("[data-text]")) {
    element.textContent = words[element.dataset.text];
  }
  $("languages").setAttribute("aria-label", words.language);
  $("theme").setAttribute("aria-label", words.theme);
  $("theme").title = words.theme;
  $("languages").replaceChildren(...shop.languages.map(languageButton));
  $("examples").replaceChildren(...(shop.examples[language] ?? []).map(example));
  const pictured = shop.products.filter(({ image }) => image);
  // Neighbours in a catalogue look alike: take them from far apart.
  const collage = HERO.map((part) => pictured[Math.floor(part * pictured.length)]).filter(Boolean);
  $("hero-pictures").replaceChildren(...collage.map(({ image }) => h("img", { src: image, alt: "" })));
  $("grid").replaceChildren(...shop.products.slice(0, all ? undefined : FIRST).map(tile));
  $("more").hidden = all || shop.products.length <= FIRST;
  $("more").textContent = fill(words.more, { count: shop.products.length });
  voice.setAttribute("lang", language);
}

function languageButton(code) {
  const choose = () => {
    remember("language", code);
    render(code);
  };
  const pressed = String(code === language);
  return h("button", { type: "button", lang: code, "aria-pressed": pressed, onclick: choose }, code.toUpperCase());
}

function example(text) {
  return h("li", {}, h("button", { type: "button", onclick: () => voice.ask(text) }, text));
}

function tile(product) {
  const words = TEXTS[language];
  const name = product.name[language] ?? product.name[shop.default_language];
  const locale = `${language}-BE`;
  const money = (value) =>
    new Intl.NumberFormat(locale, {
      // As the assistant says it: "89 €", not "89,00 €".
      style: "currency", currency: product.currency, trailingZeroDisplay: "stripIfInteger",
    }).format(value);
  const price = h(
    "p", { class: product.was_price ? "price sale" : "price" },
    product.from ? h("small", {}, `${words.from} `) : null, h("b", {}, money(product.price)),
    product.was_price ? h("s", {}, money(product.was_price)) : null,
  );
  const flag = product.available ? product.was_price && words.sale : words.soldOut;
  const ask = h("button", {
    type: "button", class: "ask", title: fill(words.ask, { name }), "aria-label": fill(words.ask, { name }),
    onclick: () => voice.ask(fill(words.question, { name })),
  });
  ask.innerHTML = BUBBLE;
  return h(
    "li", { class: "tile", id: `product-${product.id}` },
    h("div", { class: "picture" },
      product.image ? h("img", { src: product.image, alt: "", loading: "lazy", width: "400", height: "400" }) : null,
      flag ? h("span", { class: "flag" }, flag) : null,
      h("span", { class: "flag said" }, words.said)),
    h("div", { class: "body" }, ask, h("h3", {}, name), price),
  );
}

/** A product is being talked about: show where it stands. */
function mention({ detail }) {
  if (!all && !$(`product-${detail.product_id}`)) showAll();
  const element = $(`product-${detail.product_id}`);
  if (!element) return;
  element.classList.add("mentioned");
  setTimeout(() => element.classList.remove("mentioned"), MENTION_MS);
}

function showAll() {
  all = true;
  render(language);
}

function wire() {
  voice.addEventListener("voice-card", mention);
  $("more").addEventListener("click", () => {
    const next = $("grid").children.length;
    showAll();
    $("grid").children[next]?.querySelector("button").focus();
  });
  $("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const shown = root.dataset.theme || (dark ? "dark" : "light");
    root.dataset.theme = shown === "dark" ? "light" : "dark";
    remember("theme", root.dataset.theme);
  });
  const theme = remember("theme");
  if (THEMES.includes(theme) && theme) document.documentElement.dataset.theme = theme;
  const secure = location.protocol === "https:" ? "wss:" : "ws:";
  $("snippet").textContent = [
    '<script type="module"',
    `  src="${location.origin}/static/voice-button.js">`,
    "</script>",
    "<voice-button",
    `  server="${secure}//${location.host}"`,
    ...(SHOP ? [`  shop="${voice.getAttribute("shop")}"`] : []),
    '  language="auto" mode="hands-free">',
    "</voice-button>",
  ].join("\n");
  $("copy").addEventListener("click", async () => {
    const { copy, copied } = TEXTS[language];
    await navigator.clipboard.writeText($("snippet").textContent);
    $("copy").textContent = copied;
    setTimeout(() => ($("copy").textContent = copy), 2000);
  });
  if ("serviceWorker" in navigator) {
    navigator.serviceWorker
      .register("/sw.js")
      .catch((error) => console.info("voice shop: no offline shell", error.message));
  }
}

wire();
load();
