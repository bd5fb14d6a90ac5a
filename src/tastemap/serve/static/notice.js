// A line at the foot of the window that says what was done, and offers to undo it for eight seconds.
// Time stands still while the pointer or the focus is on it.
import { element } from "./dom.js";

const UNDO_MS = 8000;
const SAY_MS = 5000;

export class Notice {
  // `ended` is called when the line goes.
  constructor(box, ended = () => {}) {
    this.box = box;
    this.ended = ended;
    this.undo = null;
    for (const [kinds, act] of [[["pointerenter", "focusin"], "pause"], [["pointerleave", "focusout"], "go"]]) {
      for (const kind of kinds) box.addEventListener(kind, () => this[act]());
    }
    document.addEventListener("keydown", (event) => this.onKey(event));
  }

  // Say something; `undo` is what takes it back, `beside` what the line should not cover.
  say(text, { undo = null, beside = null } = {}) {
    const isSame = text && !undo && !this.undo && this.box.textContent === text;
    this.undo = undo;
    if (isSame) { // not read out once more
      this.go();
      return;
    }
    this.box.replaceChildren(...(text ? [element("span", {}, text)] : []));
    if (undo) {
      const button = element("button", { type: "button", "aria-keyshortcuts": "Control+Z" }, "Undo");
      button.addEventListener("click", () => this.takeBack());
      this.box.append(button);
    }
    this.stayClear(beside);
    this.go();
  }

  // Say more of the same, which is read out alone.
  add(text) {
    if (!text || !this.box.firstChild || this.box.firstChild.textContent.endsWith(text)) return;
    this.box.firstChild.append(document.createTextNode(` ${text}`));
    this.go();
  }

  takeBack() {
    const { undo } = this;
    this.undo = null;
    undo?.();
  }

  pause() { clearTimeout(this.timer); }

  go() {
    clearTimeout(this.timer);
    if (!this.box.firstChild || this.box.matches(":hover") || this.box.contains(document.activeElement)) return;
    this.timer = setTimeout(() => {
      this.box.replaceChildren();
      this.undo = null;
      this.ended();
    }, this.undo ? UNDO_MS : SAY_MS);
  }

  // Control and Z, but where it undoes what was typed.
  onKey(event) {
    const isText = event.target.matches?.("textarea, select, input:not([type=radio], [type=range], [type=checkbox])");
    if (!this.undo || isText || event.shiftKey || event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.takeBack();
  }

  // At the top of the window, where it would lie on what was just used.
  stayClear(beside) {
    this.box.classList.remove("above");
    if (!beside) return;
    const [line, used] = [this.box, beside].map((part) => part.getBoundingClientRect());
    const apart = line.top > used.bottom || line.bottom < used.top || line.left > used.right || line.right < used.left;
    this.box.classList.toggle("above", !apart);
  }
}
