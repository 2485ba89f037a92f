/** The product's card: picture, name, price, what it was, stock, flash sale, QR code, link. */

import { say } from "./texts.js";

/** An element with a class and text; never HTML. */
export function el(tag, name, text = "") {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text) node.textContent = text;
  return node;
}

/** Fill `node` with a card; returns the timer of its flash sale, null without one. */
export function fillCard(node, card, flash, { show, language }) {
  if (card.picture) {
    const picture = el("img", "card-picture");
    picture.src = card.picture;
    picture.alt = card.name;
    node.append(picture);
  }
  const body = el("div", "card-body");
  body.append(el("h2", "card-name", card.name));
  const price = el("p", "card-price");
  const flashPrice = flash?.price[language] ?? (flash ? Object.values(flash.price)[0] : "");
  price.append(el("strong", "", flashPrice || card.price));
  const was = flashPrice ? card.price : card.was_price;
  if (was) price.append(el("s", "", was));
  body.append(price);
  const [box, timer] = flash ? flashBox(flash, language) : [null, null];
  if (box) body.append(box);
  body.append(el("p", `card-stock is-${card.stock}`, say(language, card.stock, { n: card.count })));
  node.append(body);
  const qr = el("img", "card-qr");
  qr.src = `/live/${encodeURIComponent(show)}/qr/${encodeURIComponent(card.product_id)}.svg`;
  qr.alt = "";
  const foot = el("div", "card-foot");
  const link = el("a", "card-link", say(language, "order"));
  if (/^https?:/.test(card.url)) link.href = card.url;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  foot.append(qr, link);
  node.append(foot);
  return timer;
}

function flashBox({ code, seconds }, language) {
  const box = el("p", "card-flash", say(language, "flash"));
  const left = el("time", "", "");
  const ends = performance.now() + seconds * 1000;
  const show = () => {
    const s = Math.max(0, Math.round((ends - performance.now()) / 1000));
    left.textContent = `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
  };
  show();
  box.append(left);
  if (code) box.append(el("b", "", `${say(language, "code")} ${code}`));
  return [box, setInterval(show, 500)];
}
