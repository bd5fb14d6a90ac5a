// What a person says of items, by pointing and by keys: stars, a number, or hearts; the same in the
// application and in the exported site. A control is a form of the class "rate" that names its item
// and the title; `data-own` holds what is said at present.

const ARROWS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"]);

export const controlOf = (node) => node?.closest?.("form.rate[data-item]") ?? null;

export const ownOf = (control) => (control.dataset.own ? Number(control.dataset.own) : null);

// The card that a control is part of, or its line of a list, or the control.
export const around = (control) => control.closest(".card, li") ?? control;

// All controls of an item within a part of the page.
export function controlsOf(item, root = document) {
  return [...root.querySelectorAll(`form.rate[data-item="${CSS.escape(item)}"]`)];
}

// Show a mark: a rating, 1 or -1 for a like or a dislike, or null for none.
export function paint(control, mark) {
  delete control.dataset.choosing;
  control.dataset.own = mark === null ? "" : String(mark);
  const isSame = (value) => mark !== null && Number(value) === mark;
  for (const radio of control.querySelectorAll("input[type=radio]")) radio.checked = isSame(radio.value);
  const text = mark === null ? "" : String(mark);
  const box = control.querySelector("input[type=number]");
  if (box) box.value = text;
  for (const button of control.querySelectorAll("[data-weight]")) {
    const pressed = isSame(button.dataset.weight);
    button.setAttribute("aria-pressed", String(pressed));
    [button.name, button.value] = pressed ? ["remove", "1"] : ["rating", button.dataset.weight];
  }
  const written = control.querySelector(".own");
  if (!written) return;
  written.textContent = text;
  control.classList.toggle("rated", mark !== null);
}

// What is said while something is chosen, and nothing once it is left.
export function hintOf(control) {
  if (control.dataset.choosing === undefined) return "";
  return `${control.dataset.title}: Enter, Space or Tab keeps your choice; Escape takes it back.`;
}

export function offScale(control) {
  const { min, max } = control.querySelector("input[type=number]");
  return `A rating of ${control.dataset.title} is a number from ${min} to ${max}, and was not kept.`;
}

// Put the focus on what is chosen in a control, or on its first part.
export function focusOn(control) {
  const inputs = ["input:checked", "[aria-pressed=true]", "input:not([type=hidden])", "button"];
  inputs.map((kind) => control?.querySelector(kind)).find((part) => part)?.focus();
}

// What is chosen and not yet said: a number, null for nothing, or undefined where it cannot be said.
function chosen(control) {
  const box = control.querySelector("input[type=number], input:checked");
  if (box?.type !== "number") return box ? Number(box.value) : null;
  if (box.value === "") return box.validity.badInput ? undefined : null;
  return box.checkValidity() ? Number(box.value) : undefined;
}

// Call `set(control, mark)` when a person says something of an item, `hint(control)` when an arrow
// chooses a star that is not said yet, and when it is left, and `refuse(control)` for a number off the
// scale. Buttons of a control that are none of these are left to others.
export function listen({ set, hint, refuse }) {
  document.documentElement.classList.add("js");
  let keyed = null; // where an arrow has just moved the choice: no click, whatever the browser sends

  const commit = (control) => {
    if (control.dataset.choosing === undefined) return;
    const mark = chosen(control);
    if (mark !== undefined && mark !== null && mark !== ownOf(control)) say(control, mark);
    else leave(control);
    if (mark === undefined) refuse(control);
  };
  const leave = (control) => {
    paint(control, ownOf(control));
    hint(control);
  };
  const say = (control, mark) => {
    rest(control);
    set(control, mark);
  };
  const clear = (control) => {
    focusOn(control); // the button goes away
    set(control, null);
  };

  document.addEventListener("keydown", (event) => {
    const control = controlOf(event.target);
    if (!control || !event.target.matches(".stars input")) return;
    if (event.key === "Enter") {
      event.preventDefault();
      commit(control);
    } else if (event.key === " " && event.target.checked) {
      event.preventDefault();
      commit(control);
    } else if (event.key === "Escape" && control.dataset.choosing !== undefined) {
      event.preventDefault();
      event.stopPropagation();
      leave(control);
    } else if (ARROWS.has(event.key)) {
      keyed = control;
      setTimeout(() => { keyed = null; });
    }
  });
  document.addEventListener("input", (event) => {
    const control = controlOf(event.target);
    if (!control || event.target.name !== "rating") return;
    control.dataset.choosing = "";
    if (event.target.type === "number") return;
    if (keyed !== control) commit(control);
    else hint(control);
  });
  document.addEventListener("click", (event) => {
    const control = controlOf(event.target);
    if (control && keyed !== control && event.target.matches("input[type=radio]:checked")) commit(control);
  });
  document.addEventListener("focusout", (event) => {
    const control = controlOf(event.target);
    const group = control?.querySelector("fieldset");
    if (!group || group.contains(event.relatedTarget)) return;
    if (event.relatedTarget) commit(control);
    else setTimeout(() => { if (!group.contains(document.activeElement)) commit(control); });
  });
  addEventListener("pagehide", () => document.querySelectorAll("form.rate[data-choosing]").forEach(commit));
  document.addEventListener("submit", (event) => {
    const control = controlOf(event.target);
    const { weight } = event.submitter?.dataset ?? {};
    const isClear = event.submitter?.matches(".clear");
    if (!control || (event.submitter?.name && !weight && !isClear)) return;
    event.preventDefault();
    if (weight) set(control, Number(weight) === ownOf(control) ? null : Number(weight));
    else if (isClear) clear(control);
    else commit(control);
  });
  watchPointer();
}

// ---- a star is painted when a pointer moves to it, not when it comes to lie under a pointer ----

let aimed = null; // the stars that the pointer is on
let resting = null; // the star that has just been set
let last = "";

function rest(control) {
  resting = control.querySelector("label:hover");
  aim(null);
}

function aim(stars) {
  if (aimed === stars) return;
  aimed?.classList.remove("aimed");
  aimed = stars;
  aimed?.classList.add("aimed");
}

function watchPointer() {
  document.addEventListener("pointermove", (event) => {
    const place = `${event.clientX} ${event.clientY}`;
    if (event.pointerType === "touch" || place === last) return;
    last = place;
    const label = event.target.closest?.(".stars label") ?? null;
    if (label && label === resting) return;
    resting = null;
    aim(label?.parentElement ?? null);
  });
  document.addEventListener("pointerleave", () => aim(null));
}
