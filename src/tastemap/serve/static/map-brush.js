// Which items are shown: those of some years, chosen by two sliders under a histogram, and of all
// genres that are pressed. The genres are the legend of their colours, too.
import { element, svg } from "./dom.js";

const [MAX_BARS, MAX_GENRES] = [40, 20];

export class Brush {
  // items: columns year and genres, and genreList, the most frequent first. onChange: called when
  // something else is shown.
  constructor(items, noun, onChange) {
    Object.assign(this, { items, noun, onChange });
    const years = items.year.filter((year) => year !== null);
    this.years = years.length ? [years.reduce((a, b) => Math.min(a, b)), years.reduce((a, b) => Math.max(a, b))] : null;
    if (this.years?.[0] === this.years?.[1]) this.years = null;
    this.genreList = items.genreList.slice(0, MAX_GENRES);
    this.genres = new Set();
    [this.from, this.to] = this.years ?? [];
    this.clear = element("button", { type: "button", class: "small", hidden: true }, `Show all ${noun.plural}`);
    this.clear.addEventListener("click", () => this.set({}));
    this.chips = new Map(this.genreList.map((name) => [name, this.chip(name)]));
    this.element = element("div", { class: "map-brush" }, this.years ? this.range() : null,
      this.chips.size ? element("div", { class: "map-genres", role: "group", "aria-label": "Genres" }, ...this.chips.values()) : null,
      this.clear);
  }

  chip(name) {
    const made = element("button", { type: "button", class: "chip", "aria-pressed": "false" }, name);
    made.addEventListener("click", () => {
      if (!this.genres.delete(name)) this.genres.add(name);
      this.changed();
    });
    return made;
  }

  // Put the colour of each genre beside its name, or none.
  colourChips(colours) {
    for (const [name, chip] of this.chips) {
      const fill = colours?.get(name);
      chip.querySelector("svg")?.remove();
      if (fill) chip.prepend(svg("svg", { width: 11, height: 11, "aria-hidden": "true" }, svg("circle", { cx: 5.5, cy: 5.5, r: 5, fill })));
    }
  }

  range() {
    const [low, high] = this.years;
    const slider = (name, label) => {
      const made = element("input", { type: "range", min: String(low), max: String(high), step: "1", "aria-label": label });
      made.addEventListener("input", () => {
        const value = Number(made.value);
        this[name] = name === "from" ? Math.min(value, this.to) : Math.max(value, this.from);
        this.changed();
      });
      return made;
    };
    this.sliders = [slider("from", "First year"), slider("to", "Last year")];
    this.said = element("output", {}, "");
    const [picture, bars] = yearBars(this.items.year, low, high);
    this.bars = bars;
    return element("div", { class: "map-years" }, element("div", { class: "map-years-said" }, "Years ", this.said),
      element("div", { class: "map-range" }, picture, ...this.sliders));
  }

  get isOn() { return this.genres.size > 0 || (this.years !== null && (this.from > this.years[0] || this.to < this.years[1])); }

  // What is chosen, as an address keeps it.
  get state() {
    const isCut = this.years && (this.from > this.years[0] || this.to < this.years[1]);
    return { from: isCut ? this.from : undefined, to: isCut ? this.to : undefined, genres: [...this.genres] };
  }

  set({ from, to, genres = [] }) {
    if (this.years) {
      const [low, high] = this.years;
      this.from = Math.min(Math.max(from ?? low, low), high);
      this.to = Math.min(Math.max(to ?? high, this.from), high);
    }
    this.genres = new Set(genres.filter((name) => this.chips.has(name)));
    this.changed();
  }

  changed() {
    this.refresh();
    this.onChange();
  }

  refresh() {
    for (const [name, chip] of this.chips) chip.setAttribute("aria-pressed", String(this.genres.has(name)));
    this.clear.hidden = !this.isOn;
    if (!this.years) return;
    [this.sliders[0].value, this.sliders[1].value] = [String(this.from), String(this.to)];
    // Where both stand at the right end, the first has to be reached.
    this.sliders[0].classList.toggle("above", this.from > (this.years[0] + this.years[1]) / 2);
    this.said.textContent = `${this.from} to ${this.to}`;
    for (const { bar, first, last } of this.bars) bar.classList.toggle("out", last < this.from || first > this.to);
  }

  // Whether each item is shown (n,), 1 or 0.
  mask() {
    const { items } = this;
    const isCut = this.state.from !== undefined;
    return Uint8Array.from(items.x, (_, i) => {
      const year = items.year[i];
      if (isCut && (year === null || year < this.from || year > this.to)) return 0;
      for (const name of this.genres) if (!(items.genres[i] ?? []).includes(name)) return 0;
      return 1;
    });
  }
}

// Bars of how many items are of each few years: the picture, and its bars with their years.
function yearBars(years, low, high) {
  const step = Math.ceil((high - low + 1) / MAX_BARS);
  const n = Math.ceil((high - low + 1) / step);
  const counts = new Array(n).fill(0);
  for (const year of years) if (year !== null) counts[Math.floor((year - low) / step)] += 1;
  const most = Math.max(...counts, 1);
  const bars = counts.map((count, at) => {
    const height = 30 * Math.sqrt(count / most); // few are seen beside many
    return { first: low + at * step, last: low + (at + 1) * step - 1,
      bar: svg("rect", { x: (at * 200) / n, width: Math.max(200 / n - 1, 1), y: 32 - height, height }) };
  });
  return [svg("svg", { viewBox: "0 0 200 32", preserveAspectRatio: "none", "aria-hidden": "true" }, ...bars.map(({ bar }) => bar)), bars];
}
