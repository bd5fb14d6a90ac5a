// What a person says of an item where there are no ratings: a heart, or "not interested". The same
// markup as templates/parts.html.
import { element, svg } from "./dom.js";

const HEART = "M12 20.5 4.2 12.6a5 5 0 0 1 7.1-7l.7.7.7-.7a5 5 0 0 1 7.1 7z";

// Two buttons that call `mark(1)`, `mark(-1)`, or `mark(null)` to take back what is pressed.
export function hearts(own, title, mark) {
  const button = (kind, weight, name, ...shown) => {
    const pressed = own === weight;
    const made = element("button", { type: "button", class: kind, "aria-pressed": String(pressed), "aria-label": name }, ...shown);
    made.addEventListener("click", () => mark(pressed ? null : weight));
    return made;
  };
  const heart = svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: HEART }));
  return element("div", { class: "rate" }, element("fieldset", { class: "hearts" },
    element("legend", { class: "hidden" }, `What you think of ${title}`),
    button("like", 1, `Like ${title}`, heart, "Like"),
    button("unwanted", -1, `Not interested in ${title}`, "Not interested")));
}
