/**
 * Service worker: keeps the shell so that the page opens without network. Network first, so a new
 * version of the server is seen at once.  Speech, the shop's facts and pictures are never cached:
 * an answer from yesterday is a wrong answer.
 */

const CACHE = "voice-shell-1";
const SHELL = [
  "/", "/manifest.webmanifest", "/static/tokens.css", "/static/page/page.css", "/static/page/page.js",
  "/static/page/texts.js", "/static/voice-button.js", "/static/icons/icon.svg", "/static/icons/icon-192.png",
  "/static/fonts/figtree-latin-wght-normal.woff2", "/static/fonts/bricolage-grotesque-latin-wght-normal.woff2",
  ...[
    "audio", "capture-worklet", "core", "endpoint", "i18n", "icons", "link", "log", "panel", "pcm", "playback-queue",
    "playback-worklet", "resampler", "session", "state", "styles", "wave",
  ].map((name) => `/static/voice/${name}.js`),
];
/** Longer than this the shell from the cache is better than a white page. */
const PATIENCE_MS = 3000;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(SHELL)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const clean = async () => {
    const names = await caches.keys();
    await Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(clean());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin || !SHELL.includes(url.pathname)) return;
  event.respondWith(answer(request, url.pathname));
});

async function answer(request, path) {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (response.ok) await cache.put(path, response.clone());
    return response;
  } catch (error) {
    const kept = await cache.match(path);
    if (kept) return kept;
    throw error;
  }
}
