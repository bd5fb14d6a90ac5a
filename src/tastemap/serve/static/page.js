// What makes a page lively where scripts run; without them every form works all the same.
// A rating is sent by itself, and the answer, the same page as it is now, takes the place of the
// parts that have changed.

const root = document.documentElement;
root.classList.add("js");
const toast = document.querySelector(".toast");
const LIVE = { "X-Live": "1", Accept: "text/html" }; // a refusal, too, is to come as a page
let saying;
let latest = 0;

export function say(text) {
  toast.textContent = text;
  clearTimeout(saying);
  saying = setTimeout(() => { toast.textContent = ""; }, 4000);
}

// Put the parts of an answer in the place of those of this page.
export function swap(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const slot = document.activeElement?.closest("[data-slot]")?.dataset.slot;
  const kind = slot && document.activeElement.classList[0];
  for (const part of document.querySelectorAll("[data-swap]")) {
    const other = fresh.querySelector(`[data-swap="${part.dataset.swap}"]`);
    if (other) part.replaceChildren(...document.adoptNode(other).childNodes);
  }
  const again = slot && document.querySelector(`[data-slot="${CSS.escape(slot)}"]`);
  (again?.querySelector("input:checked") ?? again?.querySelector("input:not([type=hidden])")
    ?? again?.querySelector(kind && `.${kind}`))?.focus();
  return fresh;
}

// Send a form; what comes back is a page, also where something was wrong.
export async function send(form, submitter) {
  const body = new URLSearchParams(new FormData(form, submitter));
  const answer = await fetch(form.action, { method: "POST", body, headers: LIVE });
  return { ok: answer.ok, html: await answer.text() };
}

async function rate(form, submitter) {
  const title = form.querySelector("legend")?.textContent.replace(/^Your rating of /, "") ?? "";
  const value = form.querySelector("input[name=rating]:checked, input[name=rating][type=number]")?.value;
  const { ok, html } = await send(form, submitter);
  if (!ok) {
    const told = new DOMParser().parseFromString(html, "text/html").querySelector(".said");
    say(told?.textContent ?? "That did not work. Load the page again.");
    return;
  }
  swap(html);
  say(submitter?.dataset.answer
    ?? (submitter?.name === "remove" ? `Removed your rating of ${title}.` : `${title}: ${value}. Your picks have changed.`));
}

let resting;
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-live]") || form.closest(".map")) return;
  event.preventDefault();
  clearTimeout(resting); // Enter in a field of a number has changed it, too
  rate(form, event.submitter);
});

// A star is set at once by a click; by the arrow keys, when they have come to rest.
document.addEventListener("change", (event) => {
  const form = event.target.closest?.("form[data-live]");
  if (!form || form.closest(".map") || event.target.name !== "rating") return;
  clearTimeout(resting);
  resting = setTimeout(() => rate(form), event.target.matches(":focus-visible") ? 350 : 0);
});

// Search as one types, and filters as they are set.
const filters = document.querySelector("form[data-filter]");
let typing;
async function filter() {
  const fields = [...new FormData(filters)].filter(([name, value]) => value && !(["novelty", "diversity", "mix"].includes(name) && Number(value) === 0));
  const address = `${filters.getAttribute("action") ?? location.pathname}?${new URLSearchParams(fields)}`;
  const turn = ++latest;
  const answer = await fetch(address, { headers: LIVE });
  const html = await answer.text();
  if (turn !== latest || !answer.ok) return;
  history.replaceState(null, "", fields.length ? address : location.pathname);
  swap(html);
}
filters?.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(filter, 130);
});
filters?.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  filter();
});
