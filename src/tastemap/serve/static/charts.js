// Small pictures of numbers, as the server draws them in templates/parts.html.
import { svg } from "./dom.js";

// Where a prediction lies on the scale: a line, a diamond and, if given, an error band.
export function gauge(value, scale, band = 0) {
  const at = (v) => {
    const inside = Math.min(Math.max(v, scale.lowest), scale.highest);
    return 4 + 92 * ((inside - scale.lowest) / (scale.highest - scale.lowest || 1));
  };
  const x = at(value);
  const range = band ? [svg("line", { class: "gauge-band", x1: at(value - band), x2: at(value + band), y1: 8, y2: 8 })] : [];
  return svg("svg", { viewBox: "0 0 100 16", "aria-hidden": "true" },
    svg("line", { class: "gauge-line", x1: 4, x2: 96, y1: 8, y2: 8 }), ...range,
    svg("path", { class: "gauge-mark", d: `M${x} 0.5l7 7.5-7 7.5-7-7.5z` }));
}

// How often each value of the scale was given, or how probable it is; the person's own is marked.
export function histogram(levels, counts, own, kind = "bar", text = "Ratings") {
  const most = Math.max(...counts) || 1;
  const total = counts.reduce((sum, n) => sum + n, 0) || 1;
  const step = 300 / levels.length;
  const unit = levels.length < 8 ? " %" : "";
  const share = (count) => Math.round((100 * count) / total);
  const bars = levels.flatMap((level, i) => {
    const height = 90 * (counts[i] / most);
    const middle = (i + 0.5) * step;
    const number = svg("text", { class: "count", x: middle, y: 102 - height, "text-anchor": "middle" });
    number.textContent = counts[i] ? `${share(counts[i])}${unit}` : "";
    const name = svg("text", { x: middle, y: 124, "text-anchor": "middle" });
    name.textContent = String(level);
    return [svg("rect", { class: level === own ? "mine" : kind, x: i * step + 2, y: 108 - height, width: step - 4, height, rx: 2 }), number, name];
  });
  return svg("svg", { class: "bars", viewBox: "0 0 300 130", role: "img",
    "aria-label": `${text}: ${levels.map((level, i) => `${level}: ${share(counts[i])} %`).join(", ")}` }, ...bars);
}

// How far a part moves a prediction: to the right up, to the left down.
export function push(contribution, most) {
  const length = 46 * (Math.abs(contribution) / (most || 1));
  return svg("svg", { class: "push", viewBox: "0 0 100 10", "aria-hidden": "true", preserveAspectRatio: "none" },
    svg("line", { x1: 50, x2: 50, y1: 0, y2: 10 }),
    svg("rect", { class: contribution < 0 ? "down" : "up", x: contribution < 0 ? 50 - length : 50, y: 2, width: length, height: 6 }));
}
