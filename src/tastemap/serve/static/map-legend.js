// What the colours of the map say.
import { element, svg } from "./dom.js";
import { genreColours, otherColour, stops } from "./map-colours.js";

const spot = (fill) => svg("svg", { width: 12, height: 12, "aria-hidden": "true" }, svg("circle", { cx: 6, cy: 6, r: 5, fill }));

export const colourOfGenres = (names) => new Map(names.map((name, at) => [name, genreColours()[at]]));

// Genres have their colours beside their names in the brush; here is the rest.
export const otherKey = () => element("span", {}, spot(otherColour()), "other genres");

export function yoursKey() {
  return element("span", { class: "map-yours" }, svg("svg", { width: 12, height: 12, "aria-hidden": "true" },
    svg("path", { d: "M6 0 12 6 6 12 0 6Z" })), "yours");
}

// A column along a scale of colours, between its ends.
export function ramp(column, name, [low, high]) {
  const shown = (v) => (column === "year" ? String(Math.round(v))
    : column === "popularity" ? Math.round(v).toLocaleString("en") : v.toFixed(1));
  const scale = stops();
  const parts = scale.map((colour, i) => svg("stop", { offset: i / (scale.length - 1), "stop-color": `rgb(${colour.join(",")})` }));
  const bar = svg("svg", { width: 160, height: 12, "aria-hidden": "true" },
    svg("linearGradient", { id: "map-ramp" }, ...parts),
    svg("rect", { width: 160, height: 12, rx: 3, fill: "url(#map-ramp)" }));
  return [element("span", {}, `${name}: ${shown(low)}`, bar, shown(high))];
}
