/** The looks of the voice button. Colours follow the page's `color-scheme`, light or dark. */

const CSS = `
:host {
  --_accent: var(--voice-accent, #ffc933);
  --_on-accent: var(--voice-on-accent, #16181d);
  --_surface: var(--voice-surface, light-dark(#ffffff, #1a1c21));
  --_ink: var(--voice-ink, light-dark(#16181d, #f4f3ef));
  --_raised: light-dark(#f3f3ef, #26292f);
  --_line: light-dark(#dedcd5, #3b3f47);
  --_edge: light-dark(#85878d, #7c818b);
  --_muted: light-dark(#5b5f69, #abafb8);
  --_radius: var(--voice-radius, 28px);
  --_good: light-dark(#0a7450, #55dba8);
  --_busy: light-dark(#4a50c4, #b3b8ff);
  --_loud: light-dark(#c03a0a, #ff9d6e);
  --_wait: light-dark(#855600, #ffd06b);
  --_bad: light-dark(#b3261e, #ff938a);
  position: fixed; inset: auto 0 0 0; z-index: var(--voice-z, 2147483000);
  display: block; pointer-events: none; color: var(--_ink);
  font-family: inherit; font-size: 16px; line-height: 1.45; text-align: start;
}
:host([hidden]) { display: none; }
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
p { margin: 0; }
button, input, select { font: inherit; color: inherit; }
button { cursor: pointer; }
.icon { width: 1.25em; height: 1.25em; flex: none; display: block; }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
:focus-visible { outline: 3px solid var(--_busy); outline-offset: 2px; }

.root {
  --_state: var(--_ink); --level: 0;
  display: flex; flex-direction: column; align-items: center; gap: 12px;
  padding: 0 16px max(20px, env(safe-area-inset-bottom));
}
:host([placement="end"]) .root { align-items: flex-end; }
:host([placement="start"]) .root { align-items: flex-start; }
.root > * { pointer-events: auto; }
.root[data-state="listening"] { --_state: var(--_good); }
.root[data-state="thinking"] { --_state: var(--_busy); }
.root[data-state="speaking"] { --_state: var(--_loud); }
.root[data-state="paused"] { --_state: var(--_muted); }
.root:is([data-state="connecting"], [data-state="reconnecting"]) { --_state: var(--_wait); }
.root[data-state="error"] { --_state: var(--_bad); }

/* The launcher */
.launcher {
  display: flex; align-items: center; gap: 14px; min-height: 64px; padding: 8px 26px 8px 8px;
  border: 1px solid light-dark(transparent, #4a4e57); border-radius: 999px; text-align: start;
  background: light-dark(#16181d, #2b2e35); color: #fff;
  box-shadow: 0 2px 4px rgb(0 0 0 / .16), 0 14px 36px rgb(0 0 0 / .26);
  transition: transform .18s ease, box-shadow .18s ease;
}
.launcher:hover { transform: translateY(-2px); box-shadow: 0 2px 4px rgb(0 0 0 / .16), 0 20px 44px rgb(0 0 0 / .32); }
.launcher b { display: block; font-size: 17px; font-weight: 650; letter-spacing: -.005em; }
.launcher small { display: block; font-size: 13px; color: #c9cbd1; }
.bead {
  display: grid; place-items: center; width: 48px; height: 48px; border-radius: 50%; font-size: 20px;
  background: var(--_accent); color: var(--_on-accent);
}
.panel:not([hidden]) + .launcher { display: none; }

/* The panel */
.panel {
  position: relative; display: flex; flex-direction: column; width: min(620px, 100%);
  height: min(640px, calc(100dvh - 40px)); overflow: hidden; container-type: inline-size;
  background: var(--_surface); border: 1px solid var(--_line); border-radius: var(--_radius);
  box-shadow: 0 2px 6px rgb(0 0 0 / .08), 0 30px 80px rgb(0 0 0 / .3);
  animation: rise .26s cubic-bezier(.2, .9, .3, 1);
}
header { display: flex; align-items: center; gap: 10px; padding: 12px 12px 10px 18px; border-bottom: 1px solid var(--_line); }
.badge { display: inline-flex; align-items: center; gap: 7px; font-weight: 650; font-size: 15px; white-space: nowrap; }
.badge .icon { color: var(--_on-accent); background: var(--_accent); border-radius: 50%; width: 26px; height: 26px; padding: 5px; }
.pickers { display: flex; gap: 8px; margin-inline-start: auto; min-width: 0; }
.corner { display: flex; }
.select { position: relative; display: flex; align-items: center; }
.select > .icon { position: absolute; inset-inline-start: 12px; width: 18px; height: 18px; pointer-events: none; }
select {
  min-height: 44px; max-width: 148px; padding: 0 14px 0 37px; font-size: 14px; text-overflow: ellipsis;
  border: 1px solid var(--_line); border-radius: 999px; background: var(--_surface); appearance: none; cursor: pointer;
}
select:hover { border-color: var(--_edge); }
.modes { display: flex; padding: 3px; border-radius: 999px; background: var(--_raised); }
.modes label { position: relative; display: grid; cursor: pointer; }
.modes span { display: grid; place-items: center; min-height: 38px; padding: 0 13px; border-radius: 999px; font-size: 14px; color: var(--_muted); text-align: center; line-height: 1.1; }
.modes input { position: absolute; inset: -3px 0; width: 100%; height: calc(100% + 6px); margin: 0; opacity: 0; cursor: pointer; }
.modes input:checked + span { background: light-dark(var(--_surface), #42464f); color: var(--_ink); font-weight: 600; box-shadow: 0 1px 3px rgb(0 0 0 / .18); }
.modes input:focus-visible + span { outline: 3px solid var(--_busy); }
.round {
  display: grid; place-items: center; flex: none; width: 44px; height: 44px; padding: 0;
  border: 0; border-radius: 50%; background: transparent; font-size: 17px;
}
.round:hover:not(:disabled) { background: var(--_raised); }
.round:disabled { opacity: .4; cursor: default; }

/* The conversation */
.log { flex: 1; min-height: 0; overflow-y: auto; overscroll-behavior: contain; padding: 16px 20px 8px; scrollbar-width: thin; }
.log:focus-visible { outline-offset: -3px; }
.disclosure { font-size: 13px; color: var(--_muted); text-align: center; text-wrap: balance; max-width: 56ch; margin: 0 auto 16px; }
.turn { position: relative; margin-bottom: 16px; animation: arrive .24s ease; }
.mine { display: flex; justify-content: flex-end; }
.user {
  max-width: 82%; padding: 9px 16px; border-radius: 20px 20px 5px 20px; overflow-wrap: anywhere;
  background: var(--_accent); color: var(--_on-accent); transition: background .2s, color .2s;
}
.mine[data-final="false"] .user { background: var(--_raised); color: var(--_muted); }
.assistant { font-size: 18px; line-height: 1.5; letter-spacing: -.003em; max-width: 58ch; overflow-wrap: break-word; }
.clause { background: linear-gradient(var(--_mark), var(--_mark)) no-repeat 0 100% / 0 .5em; --_mark: light-dark(color-mix(in srgb, var(--_accent) 62%, transparent), color-mix(in srgb, var(--_accent) 38%, transparent)); }
.clause.current { background-size: 100% .5em; transition: background-size .5s ease; }
.root:is([data-state="paused"], [data-state="reconnecting"]) .clause.current { --_mark: var(--_line); }
.clause:is([data-kind="opener"], [data-kind="filler"]) { color: var(--_muted); }
.cut { color: var(--_muted); font-size: 14px; font-style: italic; }
.waiting { display: inline-flex; gap: 5px; padding: 8px 2px; }
.waiting i { width: 7px; height: 7px; border-radius: 50%; background: currentColor; animation: hop 1s infinite; }
.waiting i:nth-child(2) { animation-delay: .14s; }
.waiting i:nth-child(3) { animation-delay: .28s; }
.cards { display: flex; gap: 12px; overflow-x: auto; margin: 12px -20px 0; padding: 2px 20px 6px; scroll-snap-type: x proximity; scrollbar-width: thin; }
.cards:empty, .chips:empty { display: none; }
.card {
  flex: 0 0 168px; padding: 8px 8px 12px; border: 1px solid var(--_line); border-radius: 18px; scroll-snap-align: center;
  color: inherit; text-decoration: none; background: var(--_surface); animation: arrive .3s ease;
  transition: border-color .15s, transform .15s;
}
a.card:hover { border-color: var(--_edge); transform: translateY(-2px); }
.card p { padding: 0 6px; }
.card:only-child { flex-basis: 100%; display: grid; grid-template: 1fr auto auto auto 1fr / 120px 1fr; column-gap: 8px; padding-bottom: 8px; }
.card:only-child .picture { grid-row: 1 / span 5; margin: 0; }
.card .name { grid-row: 2; }
.card .price { grid-row: 3; }
.card .stock { grid-row: 4; }
.picture { display: grid; place-items: center; aspect-ratio: 1; margin-bottom: 9px; overflow: hidden; border-radius: 12px; background: var(--_raised); color: var(--_muted); }
.picture img { width: 100%; height: 100%; object-fit: cover; }
.name { font-size: 15px; line-height: 1.3; }
.name::first-letter, .chip span::first-letter { text-transform: uppercase; }
.price { margin-top: 2px; font-size: 15px; }
.price b { font-size: 17px; }
.price s { color: var(--_muted); font-size: 14px; }
.stock { margin-top: 2px; font-size: 13px; color: var(--_good); }
.chips { display: flex; flex-wrap: wrap; gap: 8px; margin-top: 10px; }
.chip { font-size: 13px; border: 1px solid var(--_line); border-radius: 18px; max-width: 100%; }
.chip summary {
  display: flex; align-items: center; gap: 6px; min-height: 34px; padding: 0 13px 0 9px; cursor: pointer;
  list-style: none; border-radius: 18px; color: var(--_muted); position: relative;
}
.chip summary::after { content: ""; position: absolute; inset: -5px 0; }
.chip summary::-webkit-details-marker { display: none; }
.chip summary:hover, .chip[open] summary { color: var(--_ink); }
.chip summary span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.chip[open] { flex-basis: 100%; background: var(--_raised); }
.chip p { padding: 0 13px 10px; }
.chip a { color: inherit; }

/* Notices */
.notice {
  display: flex; align-items: center; gap: 10px; margin: 0 14px 8px; padding: 8px 8px 8px 14px; border-radius: 16px; font-size: 14px;
  background: light-dark(#fdf0d2, #3a2f14); color: light-dark(#4d3500, #ffe3a6); animation: arrive .24s ease;
}
.notice p { flex: 1; padding: 5px 0; }
.root[data-state="error"] .notice { background: light-dark(#fde7e4, #40201d); color: light-dark(#6f120b, #ffd0cb); }
.retry { min-height: 44px; padding: 0 16px; border: 1px solid currentColor; border-radius: 999px; background: transparent; font-weight: 600; white-space: nowrap; }

/* State, orb and wave */
.status { display: flex; flex-wrap: wrap; align-items: center; justify-content: center; gap: 0 8px; padding: 8px 16px 0; min-height: 32px; text-align: center; }
.status-icon { color: var(--_state); font-size: 17px; }
.status strong { color: var(--_state); font-weight: 650; }
.hint { color: var(--_muted); font-size: 14px; }
.hint:empty { display: none; }
.stage { display: flex; align-items: center; gap: 12px; padding: 10px 16px 16px; }
.dial { position: relative; flex: 1; display: grid; place-items: center; min-height: 88px; isolation: isolate; }
.wave { position: absolute; inset: 0; z-index: -1; width: 100%; height: 100%; color: var(--_state); }
.root:is([data-state="idle"], [data-state="error"]) .wave { opacity: 0; }
.stage .round { width: 52px; height: 52px; font-size: 19px; background: var(--_surface); border: 1px solid var(--_line); }
.stage .round:hover:not(:disabled) { border-color: var(--_edge); background: var(--_raised); }
.stage .round:disabled { opacity: 1; color: light-dark(#a3a5aa, #686c75); }
.end { color: var(--_bad); }
.orb {
  position: relative; display: grid; place-items: center; width: 80px; height: 80px; padding: 0; border: 0; border-radius: 50%;
  background: var(--_accent); color: var(--_on-accent); font-size: 27px; touch-action: none; user-select: none; -webkit-user-select: none; -webkit-touch-callout: none;
  box-shadow: 0 6px 18px rgb(0 0 0 / .16); transition: background .2s, color .2s, transform .12s;
}
.orb:hover { filter: brightness(1.04); }
.orb:active { transform: scale(.96); }
.orb[aria-disabled="true"] { cursor: default; }
.halo, .ring { position: absolute; width: 92px; height: 92px; border-radius: 50%; pointer-events: none; }
.halo { background: color-mix(in srgb, var(--_state) 24%, var(--_surface)); opacity: 0; transform: scale(calc(1 + var(--level) * .34)); transition: transform .09s linear, opacity .2s; }
.root:is([data-state="listening"], [data-state="speaking"]) .halo { opacity: 1; }
.ring { border: 3px solid transparent; }
.root:is([data-state="listening"], [data-state="speaking"], [data-state="paused"], [data-state="error"]) .ring { border-color: var(--_state); }
.root:is([data-state="connecting"], [data-state="reconnecting"], [data-state="thinking"]) .ring {
  border-color: color-mix(in srgb, var(--_state) 22%, transparent); border-top-color: var(--_state); border-right-color: var(--_state); animation: turn 1.1s linear infinite;
}
.root[data-talking="true"] .orb { background: var(--_good); color: var(--_surface); transform: scale(1.06); }
.root:is([data-state="connecting"], [data-state="reconnecting"]) .orb,
.root[data-deaf="true"][data-state="ready"] .orb { background: var(--_raised); color: var(--_muted); }
.root[data-state="error"] .orb { background: var(--_raised); color: var(--_bad); }
.root[data-state="idle"] .halo { opacity: 1; background: color-mix(in srgb, var(--_accent) 36%, var(--_surface)); animation: breathe 3s ease-in-out infinite; }
.root:is([data-state="connecting"], [data-state="reconnecting"]) :is(.status-icon, .bead) .icon { animation: turn 1.1s linear infinite; }
.root[data-state="thinking"] :is(.status-icon, .bead) circle { animation: hop 1s infinite; }
.root[data-state="thinking"] circle:nth-child(2) { animation-delay: .14s; }
.root[data-state="thinking"] circle:nth-child(3) { animation-delay: .28s; }

/* Typing instead */
.composer { display: flex; gap: 6px; margin: 0 14px 14px; padding: 3px; border: 1px solid var(--_edge); border-radius: 999px; background: var(--_surface); }
.composer:focus-within { border-color: var(--_ink); box-shadow: 0 0 0 1px var(--_ink); }
.composer input { flex: 1; min-width: 0; min-height: 44px; padding: 0 4px 0 17px; border: 0; background: none; outline: none; }
.composer input::placeholder { color: var(--_muted); opacity: 1; }
.send { background: var(--_ink); color: var(--_surface); }
.send:hover:not(:disabled) { background: var(--_ink); filter: brightness(1.2); }

@container (max-width: 560px) {
  header { flex-wrap: wrap; padding: 8px 8px 10px 16px; gap: 4px 8px; }
  .corner { margin-inline-start: auto; }
  .pickers { order: 3; width: 100%; margin: 0; padding-inline-end: 8px; }
  .select { flex: 1 1 34%; min-width: 0; }
  select { width: 100%; max-width: none; }
  .modes { flex: 1 1 62%; }
  .modes label { flex: 1; }
  .modes span { padding: 0 8px; font-size: 13px; }
  .status { min-height: 58px; align-content: center; }
  .hint { flex-basis: 100%; }
  .log { padding-inline: 16px; }
  .cards { margin-inline: -16px; padding-inline: 16px; }
  .composer { margin-inline: 12px; }
  .assistant { font-size: 17px; }
}
/* Beside the page where there is room, so that the products stay in sight … */
@media (min-width: 1000px) {
  :host(:not([placement="center"])) .panel {
    position: fixed; inset: 16px 16px 16px auto; width: var(--voice-panel-width, 420px); height: auto; max-height: 860px; margin-block: auto 0;
    box-shadow: 0 2px 6px rgb(0 0 0 / .06), 0 12px 40px rgb(0 0 0 / .14);
  }
  :host([placement="start"]) .panel { inset: 16px auto 16px 16px; }
}
/* … and a sheet from below on a phone. */
@media (max-width: 640px) {
  .root { padding-inline: 0; }
  .launcher { margin-inline: 16px; }
  .root:has(.panel:not([hidden])) { padding-bottom: 0; }
  .card { flex-basis: 258px; display: grid; grid-template: 1fr auto auto auto 1fr / 84px 1fr; column-gap: 4px; padding: 7px; }
  .card:only-child { flex-basis: 100%; grid-template-columns: 96px 1fr; padding: 7px; }
  .picture { grid-row: 1 / span 5; margin: 0; align-self: center; }
  .panel { width: 100%; height: min(660px, 84dvh); border-radius: var(--_radius) var(--_radius) 0 0; border-width: 1px 0 0; padding-bottom: env(safe-area-inset-bottom); }
}
@media (max-height: 560px) {
  .panel { height: calc(100dvh - 12px); }
  .dial { min-height: 68px; }
  .orb { width: 60px; height: 60px; }
  .halo, .ring { width: 70px; height: 70px; }
  .stage { padding-block: 4px 8px; }
}
@keyframes rise { from { opacity: 0; transform: translateY(24px); } }
@keyframes arrive { from { opacity: 0; transform: translateY(6px); } }
@keyframes turn { to { transform: rotate(1turn); } }
@keyframes hop { 0%, 60%, 100% { transform: none; } 30% { transform: translateY(-4px); } }
@keyframes breathe { 50% { transform: scale(1.14); } }
@media (prefers-reduced-motion: reduce) {
  *, *::before, *::after { animation: none !important; transition: none !important; }
  .halo { transform: scale(1.12); }
}
@media (prefers-contrast: more) {
  :host { --_line: var(--_ink); --_edge: var(--_ink); --_muted: var(--_ink); }
  .orb { outline: 2px solid var(--_ink); }
}
@media (forced-colors: active) {
  .launcher, .orb, .send, .user, .bead, .modes input:checked + span { border: 2px solid ButtonText; }
  .clause.current { text-decoration: underline; }
}
`;

/** @returns {CSSStyleSheet} one sheet for each element: a page's CSP does not touch it */
export function sheet() {
  const styles = new CSSStyleSheet();
  styles.replaceSync(CSS);
  return styles;
}
