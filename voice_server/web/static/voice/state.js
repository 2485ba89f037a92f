/** What the visitor is shown: one state, derived from facts, never stored twice. */

/** Every state the button can show, in the order a conversation meets them. */
export const STATES = [
  "idle", "connecting", "ready", "listening", "thinking", "speaking", "paused", "reconnecting", "error",
];

const LINK_STATES = {
  off: "idle", connecting: "connecting", reconnecting: "reconnecting", failed: "error",
};

/**
 * @param {object} facts
 * @param {"off"|"connecting"|"open"|"reconnecting"|"failed"} facts.link
 * @param {boolean} facts.held       the server paused the reply: perhaps the user interrupts
 * @param {boolean} facts.playing    a reply sounds
 * @param {boolean} facts.hearing    the server hears the user
 * @param {boolean} facts.awaiting   a reply is owed
 * @param {boolean} facts.responding a reply is under way
 * @param {boolean} facts.asking    the browser is asking the visitor for the microphone
 * @param {boolean} facts.open       the microphone is heard now (hands-free, or the key is held)
 * @returns {string} one of STATES
 */
export function stateOf({ link, held, playing, hearing, awaiting, responding, asking, open }) {
  if (link !== "open") return LINK_STATES[link];
  if (held) return "paused";
  if (playing) return "speaking";
  if (hearing) return "listening";
  if (awaiting || responding) return "thinking";
  if (asking) return "connecting";
  return open ? "listening" : "ready";
}
