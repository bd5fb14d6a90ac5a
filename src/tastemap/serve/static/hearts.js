// What a person says of an item where there are no ratings: a heart, or "not interested". The same
// markup as templates/parts.html; marks.js has what they do.
import { element, svg } from "./dom.js";

const HEART = "M12 20.5 4.2 12.6a5 5 0 0 1 7.1-7l.7.7.7-.7a5 5 0 0 1 7.1 7z";

// The control of an item: two buttons, of which `own`, 1 or -1 or undefined, is pressed.
export function hearts(own, title, item) {
  const button = (kind, weight, name, ...shown) => element("button", { class: kind, "data-weight": String(weight),
    "aria-pressed": String(own === weight), "aria-label": name }, ...shown);
  const heart = svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: HEART }));
  return element("form", { class: "rate", "data-item": item, "data-title": title, "data-own": own === undefined ? "" : String(own), autocomplete: "off" },
    element("fieldset", { class: "hearts" },
      element("legend", { class: "hidden" }, `What you think of ${title}`),
      button("like", 1, `Like ${title}`, heart, "Like"),
      button("unwanted", -1, `Not interested in ${title}`, "Not interested")));
}

// What is said when a mark is set or taken back.
export function heartAnswer(title, mark, before) {
  if (mark > 0 || before > 0) return `${mark > 0 ? "You like" : "You no longer like"} ${title}.`;
  return `${title} ${mark === null ? "may be suggested again." : "will not be suggested any more."}`;
}
