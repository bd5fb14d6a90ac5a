// Parts of a page that have changed take the place of those that stand there, but nothing that is in
// use moves: not what lies under the pointer, has the focus, or was just used. Such a part waits until
// it is left. A part is an element with `data-swap`; parts may hold parts.
import { element } from "./dom.js";

const SETTLE_MS = 60;
const NEWER = "There are new picks for this row.";

const keyOf = (part) => part.dataset?.swap;

export class Renewal {
  constructor(root) {
    this.root = root;
    this.fresh = null; // the parts that wait, as they would be now
    this.held = null; // the part that was just used
    this.done = new WeakMap(); // of each part, what it was last made to be
    for (const kind of ["pointerover", "focusin", "focusout", "pointerdown"]) {
      document.addEventListener(kind, (event) => this.onMove(event));
    }
  }

  onMove({ type, target }) {
    const isUse = type === "pointerdown" || type === "focusin";
    if (isUse && this.held && !this.held.contains(target) && !target.closest?.(".toast")) this.held = null;
    if (this.fresh) this.soon();
  }

  // A part is in use from now on, until the person uses another or `release` is called.
  hold(node) { this.held = node.closest("[data-swap]"); }

  release() {
    this.held = null;
    if (this.fresh) this.soon();
  }

  // The page is another: nothing waits any more.
  drop() {
    this.fresh = null;
    this.held = null;
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.settle(), SETTLE_MS);
  }

  // What `root` would be now: an element, which is used up. `now` says that the person has asked.
  take(fresh, now = false) {
    this.fresh = fresh;
    this.settle(now);
  }

  settle(now = false) {
    clearTimeout(this.timer);
    if (!this.fresh) return;
    let waits = false;
    this.steady(() => {
      for (const part of outermost(this.root)) waits = !this.renewFrom(part, this.fresh, now) || waits;
    });
    if (!waits) this.fresh = null;
    this.renewed?.();
  }

  isInUse(part) {
    return part === this.held || part.contains(this.held) || part.matches(":hover") || part.contains(document.activeElement);
  }

  // Make a part what it would be now; whether that is done.
  renew(part, other, now = false) {
    if (this.done.get(part) === other) return true;
    const isSame = part.isEqualNode(other);
    if (isSame || now || !this.isInUse(part)) {
      if (!isSame) part.replaceChildren(...copies(other));
      this.done.set(part, other);
      return true;
    }
    const inner = outermost(part);
    if (!inner.length) {
      if (itemsOf(part) !== itemsOf(other)) this.announce(part, other);
      return false;
    }
    const isSideBySide = inner.every((child) => child.parentElement === part);
    const isDone = isSideBySide ? this.merge(part, other) : inner.map((child) => this.renewFrom(child, other)).every(Boolean);
    if (isDone) this.done.set(part, other);
    return isDone;
  }

  renewFrom(part, whole, now = false) {
    const other = pairOf(part, whole);
    return !other || this.renew(part, other, now);
  }

  // Parts side by side: what is in use stays where it is, and the others stand around it in their order.
  merge(whole, other) {
    const present = new Map([...whole.children].filter(keyOf).map((child) => [keyOf(child), child]));
    const loose = [[...whole.children], [...other.children]].map((all) => all.filter((child) => !keyOf(child)));
    const staysLoose = loose[0].some((child) => this.isInUse(child))
      || (loose[0].length === loose[1].length && loose[0].every((child, at) => child.isEqualNode(loose[1][at])));
    const gone = staysLoose ? [] : loose[0];
    let place = whole.firstElementChild;
    let isDone = true;
    for (const child of [...other.children]) {
      const node = present.get(keyOf(child));
      present.delete(keyOf(child));
      if (node) isDone = this.renew(node, child) && isDone;
      if (node && (node === place || this.isInUse(node))) place = node.nextElementSibling;
      else if (node) whole.insertBefore(node, place);
      else if (keyOf(child) || !staysLoose) whole.insertBefore(child.cloneNode(true), place);
    }
    for (const node of [...gone, ...present.values()]) {
      if (this.isInUse(node) && !node.matches("[data-first]")) isDone = false; // what was asked first makes way
      else node.remove();
    }
    return isDone;
  }

  // A row in use says that it has changed, in the place of its note, so that nothing moves.
  announce(part, other) {
    const note = part.querySelector(":scope > .note");
    if (!note || note.querySelector("button")) return;
    note.style.minHeight = `${note.getBoundingClientRect().height}px`;
    const button = element("button", { type: "button", class: "inline" }, "Show them");
    note.replaceChildren(`${NEWER} `, button);
    button.addEventListener("click", () => {
      const newest = (this.fresh && pairOf(part, this.fresh)) ?? other;
      part.replaceChildren(...copies(newest));
      this.done.set(part, newest);
      this.renewed?.();
      const heading = part.querySelector("h2");
      heading?.setAttribute("tabindex", "-1");
      heading?.focus({ preventScroll: true });
    });
  }

  // Change the page, and leave what is in use where it is in the window.
  steady(change) {
    const anchor = this.anchor();
    const top = anchor?.getBoundingClientRect().top;
    const main = document.querySelector("main");
    document.documentElement.style.overflowAnchor = "none";
    change();
    main.style.paddingTop = "";
    if (anchor?.isConnected) {
      const off = () => top - anchor.getBoundingClientRect().top;
      scrollBy({ top: -off(), behavior: "instant" });
      // At the top of the page there is nothing to scroll: there has to be more room above.
      if (off() > 0.5) main.style.paddingTop = `${parseFloat(getComputedStyle(main).paddingTop) + off()}px`;
    }
    document.documentElement.style.overflowAnchor = "";
  }

  // What must not move: what is under the pointer, else what has the focus, else what is looked at.
  anchor() {
    const under = [...document.querySelectorAll("main :hover")].pop();
    if (under) return under;
    const focused = document.activeElement?.closest("main *");
    const { top, bottom } = focused?.getBoundingClientRect() ?? {};
    if (focused && bottom > 0 && top < innerHeight) return focused;
    return document.elementFromPoint(innerWidth / 2, innerHeight / 2)?.closest("main [data-swap]");
  }
}

const pairOf = (part, whole) => whole.querySelector(`[data-swap="${CSS.escape(keyOf(part))}"]`);

const copies = (part) => [...part.cloneNode(true).childNodes];

const itemsOf = (part) => [...part.querySelectorAll(".card[data-item], form.rate[data-item]")].map((card) => card.dataset.item).join("\n");

// The parts within an element that lie in no other part within it.
function outermost(root) {
  return [...root.querySelectorAll("[data-swap]")].filter((part) => {
    const around = part.parentElement.closest("[data-swap]");
    return !around || around === root || !root.contains(around);
  });
}
