// What is known of the chosen item: beside the map, or on a phone in a sheet that slides over the
// lower part of the window. A swipe down, its button or Escape close it.
import { element } from "./dom.js";

const SWIPE = 60; // pixels

export class Sheet {
  constructor(label, onClose) {
    this.onClose = onClose;
    const close = element("button", { type: "button", class: "map-close", "aria-label": "Close", title: "Close (Escape)" }, "×");
    close.addEventListener("click", () => onClose());
    this.grip = element("div", { class: "map-grip" }, element("span", { "aria-hidden": "true" }), close);
    this.content = element("div", { "aria-live": "polite" });
    this.element = element("section", { class: "map-sheet", tabindex: "-1", hidden: true, "aria-label": label }, this.grip, this.content);
    this.swipe();
  }

  get isOpen() { return !this.element.hidden; }

  // Whether it lies over the page rather than beside the map.
  get isOver() { return this.isOpen && getComputedStyle(this.element).position === "fixed"; }

  show(...parts) {
    this.element.hidden = false;
    this.content.replaceChildren(...parts);
    this.element.scrollTop = 0;
  }

  close() {
    this.element.hidden = true;
    this.element.style.transform = "";
  }

  swipe() {
    let from = null;
    this.grip.addEventListener("pointerdown", (event) => {
      if (!this.isOver || event.target.closest("button")) return;
      from = event.clientY;
      try { this.grip.setPointerCapture(event.pointerId); } catch { /* a pointer made by a script */ }
    });
    this.grip.addEventListener("pointermove", (event) => {
      if (from !== null) this.element.style.transform = `translateY(${Math.max(event.clientY - from, 0)}px)`;
    });
    const end = (event) => {
      if (from === null) return;
      const isSwipe = event.type === "pointerup" && event.clientY - from > SWIPE;
      from = null;
      this.element.style.transform = "";
      if (isSwipe) this.onClose();
    };
    this.grip.addEventListener("pointerup", end);
    this.grip.addEventListener("pointercancel", end);
  }
}
