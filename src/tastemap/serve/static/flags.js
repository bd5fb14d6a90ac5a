// Seen, later, not for me, not seen: a button is sent where it stands, and stays pressed. Pressed
// again it takes that back. Nothing on the page moves.

import { say } from "./page.js";

const SAID = {
  seen: "is kept as seen", later: "is kept for later: you find it under You",
  unwanted: "is not for you, and what is like it comes a little later",
  unseen: "is not asked for again",
};

// Send a form of flags; whether that went well.
export async function sendFlag(form, button) {
  try {
    const body = new URLSearchParams(new FormData(form, button));
    const answer = await fetch(form.action, { method: "POST", body, headers: { "X-Live": "1" } });
    if (answer.ok) return true;
  } catch { /* there is no network */ }
  say("That was not kept. Please try again.");
  return false;
}

function press(form, pressed) {
  for (const button of form.querySelectorAll("[data-flag]")) {
    const isPressed = button === pressed;
    button.setAttribute("aria-pressed", String(isPressed));
    button.value = isPressed ? "" : button.dataset.flag;
  }
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const button = event.submitter;
  if (!form.matches("[data-flags]") || !button?.dataset.flag || form.closest("[data-first]")) return;
  event.preventDefault();
  const wasSet = button.value !== "";
  if (!await sendFlag(form, button)) return;
  press(form, wasSet ? button : null);
  say(wasSet ? `${form.dataset.title} ${SAID[button.dataset.flag]}. Press again to undo.` : `${form.dataset.title}: taken back.`);
});
