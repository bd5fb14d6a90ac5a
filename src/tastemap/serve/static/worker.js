// Keeps the exported site for when there is no network. VERSION and FILES stand before this text.
const PREFIX = `tastemap ${self.registration.scope} `;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(PREFIX + VERSION).then((cache) => cache.addAll(FILES)).then(() => self.skipWaiting()));
});

// An older version of this site goes; what others keep at the same host does not.
self.addEventListener("activate", (event) => {
  event.waitUntil(caches.keys()
    .then((names) => Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== PREFIX + VERSION)
      .map((name) => caches.delete(name))))
    .then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET" || !event.request.url.startsWith(self.registration.scope)) return;
  const page = event.request.mode === "navigate" ? "index.html" : event.request;
  event.respondWith(caches.open(PREFIX + VERSION).then(async (cache) => (await cache.match(page)) ?? fetch(event.request)));
});
