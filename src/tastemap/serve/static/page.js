// What makes a page lively where scripts run; without them every form works all the same. What a person
// says of an item is shown at once where they said it, kept by the queue until the server has it, and
// can be undone; then the parts of the page that it changes come in, around what is in use.
import { element } from "./dom.js";
import { heartAnswer } from "./hearts.js";
import { around, controlsOf, focusOn, hintOf, listen, offScale, ownOf, paint } from "./marks.js";
import { Notice } from "./notice.js";
import { Queue } from "./queue.js";
import { Renewal } from "./renew.js";
import { starAnswer } from "./stars.js";

const REFRESH_MS = 120;

const LIVE = { "X-Live": "1", Accept: "text/html" }; // a refusal, too, is to come as a page
const { person, csrf, changed, hasRatings } = document.body.dataset;
const answerOf = hasRatings ? starAnswer : heartAnswer;
const renewal = new Renewal(document);
const notice = new Notice(document.querySelector(".toast"), () => renewal.release());
const queue = new Queue(person, csrf, hear);

export const say = (text) => notice.say(text);

// Put the parts of an answer in the place of those of this page.
export function swap(html, now = true) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const count = fresh.querySelector(".count");
  count?.remove(); // it does not count what waits
  if (count && !queue.changes.length) document.querySelector(".count").replaceChildren(...count.childNodes);
  renewal.take(fresh, now);
  return fresh;
}

// ---- marks ----

let offer = null; // the change that can be undone: its id, and what the server says was there before

function set(control, mark) {
  const { item, title } = control.dataset;
  const before = ownOf(control);
  const id = change(control, mark, before);
  offer = { id, before: {} };
  const undo = () => {
    const restored = offer.before;
    change(control, before, mark, { ...(before !== null && restored.moment ? { moment: restored.moment } : {}),
      ...(before === null && restored.flag ? { flag: restored.flag } : {}) });
    notice.say(before === null ? `Undone: ${title} is as it was.` : `Undone. ${answerOf(title, before, mark)}`);
    focusOn(control.isConnected ? control : controlsOf(item)[0]);
  };
  notice.say(answerOf(title, mark, before), { undo, beside: around(control) });
}

// Show a mark at once, and have it kept.
function change(control, mark, before, more = {}) {
  const { item, title } = control.dataset;
  renewal.hold(control);
  shift(before, mark);
  for (const each of new Set([control, ...controlsOf(item)])) paint(each, mark);
  const fields = { item, ...(mark === null ? { remove: 1 } : { rating: mark }), ...more };
  return queue.add({ item, title, mark, before, fields });
}

// The number of marks in the head of the page, before the server has said it.
function shift(before, mark) {
  const counter = document.querySelector(".count b");
  const counts = (value) => value !== null && (Boolean(hasRatings) || value > 0);
  const n = Number(counter.textContent);
  if (Number.isFinite(n)) counter.textContent = n + counts(mark) - counts(before);
}

listen({
  set,
  hint: (control) => notice.say(hintOf(control), { beside: around(control) }),
  refuse: (control) => notice.say(offScale(control), { beside: around(control) }),
});

// Other forms that change something are kept and sent like marks; what their buttons name as
// `data-undo`, as fields of a form, takes it back.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-live]") || event.defaultPrevented) return;
  event.preventDefault();
  const said = event.submitter?.dataset ?? {};
  const { csrf: _, ...fields } = Object.fromEntries(new FormData(form, event.submitter));
  if (event.submitter?.name !== "rating") delete fields.rating; // of the stars beside it
  const title = form.dataset.title ?? "";
  renewal.hold(form);
  queue.add({ item: fields.item, title, fields });
  const undo = () => {
    queue.add({ item: fields.item, title, fields: { item: fields.item, ...Object.fromEntries(new URLSearchParams(said.undo)) } });
    notice.say("Undone.");
    if (event.submitter.isConnected) event.submitter.focus();
  };
  notice.say(said.answer ?? "Kept.", { undo: said.undo ? undo : null, beside: form });
});

// ---- what becomes of changes, in this tab and in others ----

function hear(kind, change, answer, isOther = false) {
  if (kind === "person") location.assign(location.pathname + location.search);
  else if (kind === "lost") putBackAll(change);
  else if (kind === "refused") putBack(change, answer);
  else if (isOther && change.mark !== undefined && !answer) follow(change);
  if (change?.id === offer?.id && kind === "waiting" && answer) notice.add("It waits for the network.");
  if (change?.id === offer?.id && kind === "kept") {
    offer.before = answer?.before ?? {};
    notice.add(changed);
  }
  overlay();
  if (kind === "kept" || kind === "refused") settle(change, answer);
}

// What another tab has set.
function follow({ item, mark, previous }) {
  shift(previous, mark);
  controlsOf(item).forEach((control) => paint(control, mark));
}

function putBackAll(changes) {
  changes.filter(({ mark }) => mark !== undefined).reverse().forEach(({ item, mark, before }) => follow({ item, mark: before, previous: mark }));
  const n = changes.length === 1 ? "one change was" : `${changes.length} changes were`;
  notice.say(`The server no longer knows this page, so ${n} not kept. Load the page again.`);
}

function putBack({ item, title, mark, before }, { message }) {
  if (mark !== undefined && !queue.of(item)) follow({ item, mark: before, previous: mark });
  notice.say(`${title || "That"} was not kept: ${message}.`);
}

// Show what waits on the cards that stand here.
function overlay() {
  const waiting = new Map(queue.changes.filter(({ mark }) => mark !== undefined).map((change) => [change.item, change]));
  for (const control of document.querySelectorAll("form.rate[data-item]")) {
    const change = waiting.get(control.dataset.item);
    if (change && ownOf(control) !== change.mark) paint(control, change.mark);
    const sign = control.querySelector(".waiting");
    if (change && !sign) control.append(element("span", { class: "waiting" }, "waiting for the network"));
    else if (!change) sign?.remove();
  }
}
renewal.renewed = overlay;

// Once all is kept, the page as it is now is fetched.
let refreshing;
function settle(change, answer) {
  if (queue.changes.some(({ id }) => id !== change.id)) return;
  const n = answer?.n_marked;
  if (n !== undefined) document.querySelector(".count b").textContent = n ?? "–";
  document.dispatchEvent(new CustomEvent("tastemap:kept"));
  clearTimeout(refreshing);
  if (document.querySelector("main [data-swap]:not([data-swap=said])")) refreshing = setTimeout(load, REFRESH_MS);
}

// ---- forget me: what waits goes first ----

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.getAttribute("action") !== "/you/forget" || !form.elements.sure) return;
  event.preventDefault();
  await queue.forget();
  form.submit();
});

// ---- the page as it is now: after changes, as one types, and as filters are set ----

const filters = document.querySelector("form[data-filter]");
const SLIDERS = ["novelty", "diversity", "mix"]; // of which 0 is said by silence
let typing;
let latest = 0;
let isAsked = false; // the filters say something that the page does not show yet
let isStale = false; // the page could not be fetched

function filteredAddress() {
  const fields = [...new FormData(filters)].filter(([name, value]) => value && !(SLIDERS.includes(name) && Number(value) === 0));
  return fields.length ? `${location.pathname}?${new URLSearchParams(fields)}` : location.pathname;
}

async function load() {
  const turn = ++latest;
  const address = isAsked ? filteredAddress() : location.href;
  try {
    const answer = await fetch(address, { headers: LIVE });
    const html = await answer.text();
    if (turn !== latest) return;
    isStale = false;
    if (!answer.ok) return;
    if (isAsked) history.replaceState(null, "", address);
    swap(html, isAsked);
    isAsked = false;
  } catch {
    if (turn !== latest) return;
    isStale = true;
    if (isAsked) notice.say("There is no network just now: the page stays as it was, and follows when the network is back.");
  }
}

function look() {
  clearTimeout(typing);
  isAsked = true;
  load();
}

filters?.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(look, 130);
});
filters?.addEventListener("submit", (event) => {
  event.preventDefault();
  look();
});
addEventListener("online", () => { if (isStale) load(); });
addEventListener("pageshow", (event) => { if (event.persisted) load(); });

// ---- what an earlier page has left ----

const lost = queue.claim();
if (lost && !document.querySelector("[data-forgotten]")) notice.say(`${lost === 1 ? "One change" : `${lost} changes`} that waited here belonged to somebody else, and ${lost === 1 ? "was" : "were"} not sent.`);
for (const { before, mark } of queue.changes) if (mark !== undefined) shift(before, mark);
overlay();
queue.drain();
