// A room of Together: the address to copy, and the page as it is once something has changed.
import { say, swap } from "./page.js";

const address = document.querySelector("[data-copied]");
document.querySelector("[data-copy]").addEventListener("click", async () => {
  address.select();
  try {
    await navigator.clipboard.writeText(address.value);
    say("The address is copied.");
  } catch {
    say("Copy the marked address."); // the browser keeps its clipboard to itself
  }
});

let asking = false;
let again = false;

async function refresh() {
  again = asking;
  if (asking) return;
  asking = true;
  try {
    const answer = await fetch(location.href, { headers: { "X-Live": "1", Accept: "text/html" } });
    if (answer.ok) {
      swap(await answer.text());
      say("Somebody has rated: the picks are new.");
    }
  } catch { /* the stream tells of the next change */ }
  asking = false;
  if (again) refresh();
}

const { state } = document.querySelector("[data-state]").dataset;
const stream = new EventSource(`${location.pathname}/events?state=${state}`);
stream.addEventListener("message", refresh);
stream.addEventListener("over", () => {
  stream.close();
  say("This room is gone.");
});
