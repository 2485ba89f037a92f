/** Line icons, 24 × 24, drawn for this project; the colour is the text's. */

const PATHS = {
  bars: '<path d="M4 10v4M8 6.5v11M12 3.5v17M16 7.5v9M20 10.5v3"/>',
  mic: '<rect x="9" y="3" width="6" height="11" rx="3"/><path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3"/>',
  micOff:
    '<path d="M15 10.5V6a3 3 0 0 0-5.7-1.3M9 9v2a3 3 0 0 0 4.6 2.5M5.5 11.5a6.5 6.5 0 0 0 10.3 5.3M18.2 13.4c.2-.6.3-1.2.3-1.9M12 18v3M4 4l16 16"/>',
  stop: '<rect x="6.5" y="6.5" width="11" height="11" rx="2.5" fill="currentColor"/>',
  pause: '<path d="M9 6v12M15 6v12" stroke-width="3.2"/>',
  speaker: '<path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11"/>',
  speakerOff: '<path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM16 9.8l4.5 4.5M20.5 9.8 16 14.3"/>',
  dots: '<g fill="currentColor" stroke="none"><circle cx="5.5" cy="12" r="2"/><circle cx="12" cy="12" r="2"/><circle cx="18.5" cy="12" r="2"/></g>',
  spinner: '<path d="M12 3.5a8.5 8.5 0 1 1-8.5 8.5"/>',
  retry: '<path d="M20 11a8 8 0 1 0-2 6.3M20 5v6h-6"/>',
  warning: '<path d="M12 4 2.8 19.5h18.4zM12 10v4.5M12 17.2v.1"/>',
  hand: '<path d="M7 12V6.8a1.6 1.6 0 0 1 3.2 0V11M10.2 11V5a1.6 1.6 0 0 1 3.2 0v6M13.4 11V6.4a1.6 1.6 0 0 1 3.2 0V13M16.6 10.8a1.6 1.6 0 0 1 3.2 0V15a6 6 0 0 1-6 6h-1.3a6 6 0 0 1-4.6-2.1L4 14.2a1.7 1.7 0 0 1 2.5-2.3L7 12.5"/>',
  spark: '<path d="M12 3.5c.7 4.6 3.2 7.3 8 8.5-4.8 1.2-7.3 3.9-8 8.5-.7-4.6-3.2-7.3-8-8.5 4.8-1.2 7.3-3.9 8-8.5z" fill="currentColor" stroke="none"/>',
  close: '<path d="M6.5 6.5l11 11M17.5 6.5l-11 11"/>',
  down: '<path d="M5.5 9l6.5 6.5L18.5 9"/>',
  send: '<path d="M5 12h14M13 6l6 6-6 6"/>',
  source: '<path d="M6 4.5h8.5L18.5 8v11.5H6zM14 4.5V8.5h4.5M9 12.5h6.5M9 16h4.5"/>',
  globe: '<circle cx="12" cy="12" r="8.5"/><path d="M3.5 12h17M12 3.5c2.6 2.3 3.8 5.2 3.8 8.5s-1.2 6.2-3.8 8.5c-2.6-2.3-3.8-5.2-3.8-8.5s1.2-6.2 3.8-8.5z"/>',
};

/** @param {keyof PATHS} name; @returns {SVGElement} hidden from screen readers */
export function icon(name) {
  const template = document.createElement("template");
  template.innerHTML = `<svg class="icon" data-icon="${name}" viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.9" stroke-linecap="round" stroke-linejoin="round">${PATHS[name]}</svg>`;
  return template.content.firstChild;
}

/** Make an element: `h("button", {class: "x", onclick: f}, "text", child)`. Text stays text. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}
