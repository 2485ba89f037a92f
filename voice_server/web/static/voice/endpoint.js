/** Where the server is, and the key that opens it. */

/** With sound; without it there is nothing to time captions by. */
const EXTENSIONS = "binary,captions,citations,playback,resume";
const SILENT_EXTENSIONS = "citations,resume";
/** The shop's own page answers from memory or asks our server once. */
const KEY_DEADLINE_MS = 8_000;

/**
 * @param {object} options
 * @param {string} options.server a host (ws, wss, http, https) or a whole path that ends in /realtime
 * @param {string} [options.shop]
 * @param {string} options.language "auto" or a code
 * @param {string} options.locale the interface's language: with "auto" the visitor is greeted in it
 * @param {boolean} audible whether replies can be played
 * @returns {URL} of `/v1/realtime`, without resume query
 */
export function realtimeUrl({ server, shop, language, locale }, audible) {
  const url = new URL(server, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  if (!url.pathname.endsWith("/realtime")) {
    url.pathname = `${url.pathname.replace(/\/$/, "")}/v1/realtime`;
  }
  url.searchParams.set("extensions", audible ? EXTENSIONS : SILENT_EXTENSIONS);
  if (shop) url.searchParams.set("shop", shop);
  url.searchParams.set("language", language === "auto" ? locale : language);
  return url;
}

/**
 * Ask the shop for an ephemeral key (`ek_…`), as `/v1/realtime/client_secrets` makes them.
 * @param {string} keyUrl "" where the server needs no key
 * @returns {Promise<string | null>}
 */
export async function ephemeralKey(keyUrl) {
  if (!keyUrl) return null;
  const signal = AbortSignal.timeout(KEY_DEADLINE_MS);
  const response = await fetch(keyUrl, { method: "POST", signal });
  if (!response.ok) throw new Error(`${keyUrl} answered ${response.status}`);
  const { value } = await response.json();
  if (typeof value !== "string") throw new Error(`${keyUrl} gave no "value"`);
  return value;
}
