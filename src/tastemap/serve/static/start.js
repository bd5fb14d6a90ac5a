// Opens the exported site on its data.
import { LikeSite } from "./like-site.js";
import { Site } from "./site.js";

const Kind = window.TASTEMAP.hasRatings ? Site : LikeSite;
window.tastemap = new Kind(window.TASTEMAP);

// Opened from a server it can be kept for when there is no network; a file is there anyway.
if (location.protocol.startsWith("http") && navigator.serviceWorker) {
  navigator.serviceWorker.register("worker.js").catch(() => { /* no secure address: no keeping */ });
}
