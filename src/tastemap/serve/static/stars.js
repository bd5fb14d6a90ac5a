// The stars that a person sets: a group of radio buttons, one a value of the scale; where the scale
// has too many values, a number. The same markup as templates/parts.html; marks.js has what they do.
import { element } from "./dom.js";

export const MOST_RADIOS = 12;

export function spoken(value, scale) {
  return `${value} of ${scale.highest}`;
}

// The control of an item, with its own rating or undefined.
export function stars(scale, own, title, item) {
  const legend = element("legend", { class: "hidden" }, `Your rating of ${title}`);
  const parts = scale.levels && scale.levels.length <= MOST_RADIOS ? radios(scale, own) : numberBox(scale, own, title);
  const written = own === undefined ? "" : String(own);
  return element("form", { class: written ? "rate rated" : "rate", "data-item": item, "data-title": title, "data-own": written, autocomplete: "off" },
    element("fieldset", { class: starClass(scale) }, legend, ...parts),
    element("span", { class: "own" }, written),
    element("button", { class: "clear", name: "remove", "aria-label": `Remove your rating of ${title}`, title: "Remove your rating" }, "×"));
}

// What is said when a rating is set or taken back.
export function starAnswer(title, rating) {
  return rating === null ? `Removed your rating of ${title}.` : `${title}: ${rating}.`;
}

export function starClass(scale) {
  return scale.step === 0.5 ? "stars halves" : "stars";
}

function radios(scale, own) {
  return scale.levels.map((value) => {
    const radio = element("input", { type: "radio", name: "rating", value: String(value), "aria-label": spoken(value, scale) });
    radio.checked = value === own;
    return element("label", {}, radio);
  });
}

function numberBox(scale, own, title) {
  const box = element("input", { type: "number", name: "rating", min: String(scale.lowest), max: String(scale.highest),
    step: scale.step === null ? "any" : String(scale.step), "aria-label": `Your rating of ${title}`,
    value: own === undefined ? "" : String(own) });
  const ends = `${scale.lowest} to ${scale.highest}`.replaceAll("-", "−");
  return [box, element("span", { class: "quiet" }, ` ${ends}`)];
}
