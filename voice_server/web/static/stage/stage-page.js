/**
 * `/stage/{show}`: the transparent page for OBS. `?avatar=`, `?lang=`, `?captions=`, `?muted`,
 * `?backdrop=auto` (or a scene; transparent without), `?market=NL`.
 */

import { ShowLink } from "./link.js";
import { Stage } from "./stage.js";
import { pageLanguage } from "./texts.js";

const show = decodeURIComponent(location.pathname.split("/").pop());
const options = new URLSearchParams(location.search);
const language = pageLanguage();
const stage = new Stage(document.getElementById("stage"), {
  show,
  language,
  captions: options.get("captions") ?? language,
  avatar: options.get("avatar") ?? "",
  muted: options.has("muted"),
  backdrop: options.get("backdrop") ?? "",
  market: options.get("market") ?? "",
});
new ShowLink(`/live/${encodeURIComponent(show)}/stage`, {
  on: (message) => stage.on(message),
  onSpeech: (header, pcm) => stage.onSpeech(header, pcm),
});
// OBS lets sound out at once, a browser after the first click.
stage.clock.start();
addEventListener("pointerdown", () => stage.clock.start());
window.stage = stage;
