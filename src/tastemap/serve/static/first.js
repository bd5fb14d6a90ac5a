// The first minute where scripts run: "not seen" brings another item to the same place, you move on the
// map, and after the last answer the picks come. Without scripts the forms do the same.
import { sendFlag } from "./flags.js";

const results = document.querySelector('[data-swap="results"]');
const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
const HEADERS = { "X-Live": "1", Accept: "text/html" };
const placeOf = (root) => root?.querySelector(".you");

// Put a part of a fresh page in the place of the one that stands there.
function renew(name, fresh) {
  const other = fresh.querySelector(`[data-swap="${name}"]`);
  const part = document.querySelector(`[data-swap="${name}"]`);
  if (part && other) part.replaceChildren(...document.adoptNode(other).childNodes);
}

async function another(form, button) {
  const card = form.closest(".card");
  const place = [...card.parentElement.children].indexOf(card);
  if (!await sendFlag(form, button)) return;
  const answer = await fetch(location.href, { headers: HEADERS });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const cards = fresh.querySelectorAll("[data-first] .card");
  if (cards.length < card.parentElement.children.length) card.remove(); // there is no other
  else {
    const next = document.adoptNode(cards[place]);
    card.replaceWith(next);
    next.querySelector("h3 a")?.focus({ preventScroll: true });
  }
  renew("first-map", fresh);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-first] [data-flags]") || !event.submitter) return;
  event.preventDefault();
  another(form, event.submitter);
});

// You move from where you stood to where you stand.
let last = placeOf(results)?.dataset;
function move() {
  const you = placeOf(results);
  if (you && last && !isCalm) {
    const [dx, dy] = [last.x - you.dataset.x, last.y - you.dataset.y];
    if (dx || dy) you.animate([{ transform: `translate(${dx}px, ${dy}px)` }, { transform: "none" }], { duration: 700, easing: "ease-out" });
  }
  last = you?.dataset ?? last;
}

let wasFirst = Boolean(results?.querySelector("[data-first]"));
function arrive() {
  const isFirst = Boolean(results.querySelector("[data-first]"));
  const hasPicks = !isFirst && Boolean(results.querySelector("#row-top-picks"));
  if (wasFirst && hasPicks) {
    results.classList.add("arrive");
    setTimeout(() => results.classList.remove("arrive"), 1200);
    const heading = results.querySelector("h2"); // what had the focus is gone
    heading.setAttribute("tabindex", "-1");
    heading.focus({ preventScroll: true });
    scrollTo({ top: 0, behavior: isCalm ? "instant" : "smooth" });
  }
  wasFirst = isFirst && !hasPicks;
}

if (results) {
  new MutationObserver(() => {
    move();
    arrive();
  }).observe(results, { childList: true, subtree: true });
}
