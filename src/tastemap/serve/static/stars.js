// The stars that a person sets: a group of radio buttons, one a value of the scale; where the scale
// has too many values, a number. The same markup as templates/parts.html.
import { element } from "./dom.js";

export const MOST_RADIOS = 12;

export function spoken(value, scale) {
  return `${value} of ${scale.highest}`;
}

// A form that calls `rate(value)` when a value is chosen and `rate(null)` to take it back.
export function stars(scale, own, title, name, rate) {
  const legend = element("legend", { class: "hidden" }, `Your rating of ${title}`);
  const group = scale.levels && scale.levels.length <= MOST_RADIOS
    ? radios(scale, own, name, rate) : numberBox(scale, own, title, rate);
  const clear = element("button", { type: "button", class: "clear", "aria-label": `Remove your rating of ${title}`,
    title: "Remove your rating" }, "×");
  clear.addEventListener("click", () => rate(null));
  const field = element("fieldset", { class: starClass(scale) }, legend, ...group);
  return element("div", { class: own === undefined ? "rate" : "rate rated" }, field,
    own === undefined ? null : element("span", { class: "own" }, String(own)),
    own === undefined ? null : clear);
}

export function starClass(scale) {
  return scale.step === 0.5 ? "stars halves" : "stars";
}

function radios(scale, own, name, rate) {
  return scale.levels.map((value) => {
    const radio = element("input", { type: "radio", name, value: String(value), "aria-label": spoken(value, scale) });
    radio.checked = value === own;
    radio.addEventListener("change", () => rate(value));
    return element("label", {}, radio);
  });
}

function numberBox(scale, own, title, rate) {
  const box = element("input", { type: "number", min: String(scale.lowest), max: String(scale.highest),
    step: scale.step === null ? "any" : String(scale.step), "aria-label": `Your rating of ${title}`,
    value: own === undefined ? "" : String(own) });
  box.addEventListener("change", () => {
    const value = Number(box.value);
    if (box.value !== "" && value >= scale.lowest && value <= scale.highest) rate(value);
  });
  const ends = `${scale.lowest} to ${scale.highest}`.replaceAll("-", "−");
  return [box, element("span", { class: "quiet" }, ` ${ends}`)];
}
