// The map of the items: pan, zoom, search, hover, pick, draw around. It knows nothing of servers or
// models; what it needs of them it gets as `hooks`.
import { counted, element, labelOf, saveCsv, svg } from "./dom.js";
import { colouring, genreColours, otherColour, pointsOn, STOPS, writeNames } from "./paint.js";
import { wordsOf } from "./search.js";

const MARKED = 500; // so many of the items that a search finds are marked

export class TasteMap {
  // items: columns x, y, id, title, year, genres, genre, popularity, average, preserved.
  // hooks: near(i) -> [{row, similarity}] or a promise of it; open(i) -> an element to show (or a
  // promise); predicted() -> one number an item, or null, where there are predictions; here() ->
  // [x, y] or null; note: text; noun: what an item is called, {singular, plural, indefinite};
  // oneCounted, counted: what its popularity counts; hasTitles.
  constructor(root, items, hooks) {
    this.colours = { genre: "genre", year: "year", popularity: `number of ${hooks.counted}`,
      average: "average rating", predicted: "your predicted rating" };
    Object.assign(this, { root, hooks, noun: hooks.noun, items: unitPlaces(items) });
    this.n = items.x.length;
    const rows = Array.from({ length: this.n }, (_, i) => i);
    this.popular = rows.sort((a, b) => items.popularity[b] - items.popularity[a] || a - b);
    const most = Math.max(items.popularity[this.popular[0]], 1);
    const shrink = Math.min(Math.sqrt(2500 / this.n), 1);
    this.sizes = Float32Array.from(items.popularity, (n) => (4 + 12 * Math.sqrt(n / most)) * Math.max(shrink, 0.35));
    this.grid = new Grid(this.items, this.n);
    this.view = { cx: 0, cy: 0, zoom: 1 };
    this.marked = [];
    this.words = [];
    this.near = { of: -1, rows: [] };
    this.build();
    this.points = pointsOn(this.canvas, this.items, this.sizes, [...this.popular].reverse());
    this.listen();
    this.recolour();
    new ResizeObserver(() => this.resize()).observe(this.stage);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolour());
  }

  build() {
    const known = (column) => column === "predicted" ? this.hooks.predicted
      : column === "genre" ? this.items.genreNames.length : this.items[column].some((v) => v !== null);
    const options = Object.entries(this.colours).filter(([column]) => known(column));
    this.menu = element("select", {}, ...options.map(([value, text]) => element("option", { value }, text)));
    this.box = element("input", { type: "search", placeholder: this.hooks.hasTitles ? "words of a title" : "id", autocomplete: "off" });
    this.found = element("ul", { class: "map-found" });
    this.lasso = element("button", { type: "button", "aria-pressed": "false" }, `Draw around ${this.noun.plural}`);
    const button = (text, label, act) => {
      const made = element("button", { type: "button", "aria-label": label, title: label }, text);
      made.addEventListener("click", act);
      return made;
    };
    const zooms = element("span", { class: "map-zoom" },
      button("+", "Zoom in", () => this.zoomBy(1.6)), button("−", "Zoom out", () => this.zoomBy(1 / 1.6)),
      button("⤢", "Show everything", () => this.fly(0, 0, 1)));
    this.canvas = element("canvas", { "aria-hidden": "true" });
    this.over = element("canvas", {
      tabindex: "0", role: "img",
      "aria-label": `Map of ${this.n} ${this.noun.plural}; arrow keys move it, plus and minus zoom, Enter opens the ${this.noun.singular} in the middle`,
    });
    this.tip = element("div", { class: "map-tip", hidden: true });
    this.stage = element("div", { class: "map-stage" }, this.canvas, this.over, this.tip, zooms);
    this.legend = element("div", { class: "map-legend" });
    this.panel = element("div", { class: "map-panel", "aria-live": "polite" },
      element("p", { class: "note" }, this.hooks.note ?? ""));
    this.root.replaceChildren(
      element("div", { class: "map-tools" },
        element("label", {}, "Search", this.box), element("label", {}, "Colour by", this.menu), this.lasso),
      this.found, element("div", { class: "map-sides" },
        element("div", {}, this.stage, this.legend), this.panel));
  }

  // ---- what happens ----

  listen() {
    const { over } = this;
    this.menu.addEventListener("change", () => this.recolour());
    this.box.addEventListener("input", () => this.search());
    this.lasso.addEventListener("click", () => {
      this.drawing = !this.drawing;
      this.lasso.setAttribute("aria-pressed", this.drawing);
      over.classList.toggle("drawing", this.drawing);
    });
    const pointers = new Map();
    let moved = 0;
    over.addEventListener("pointerdown", (event) => {
      try { over.setPointerCapture(event.pointerId); } catch { /* a pointer made by a script */ }
      pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
      moved = 0;
      this.loop = this.drawing ? [[event.offsetX, event.offsetY]] : null;
    });
    over.addEventListener("pointermove", (event) => {
      const [x, y] = [event.offsetX, event.offsetY];
      const last = pointers.get(event.pointerId);
      if (!last) return this.point(x, y);
      moved += Math.abs(x - last[0]) + Math.abs(y - last[1]);
      if (this.loop) this.loop.push([x, y]);
      else if (pointers.size === 2) this.pinch(pointers, event.pointerId, x, y);
      else this.pan(x - last[0], y - last[1]);
      pointers.set(event.pointerId, [x, y]);
      return this.draw();
    });
    const up = (event) => {
      if (!pointers.delete(event.pointerId)) return;
      if (this.loop && moved > 8) this.enclose();
      else if (moved < 6 && event.type === "pointerup") {
        const i = this.at(event.offsetX, event.offsetY, 18);
        if (i >= 0) this.open(i);
      }
      this.loop = null;
      this.draw();
    };
    over.addEventListener("pointerup", up);
    over.addEventListener("pointercancel", up);
    over.addEventListener("pointerleave", () => this.point(-1e6, -1e6));
    over.addEventListener("dblclick", (event) => this.zoomBy(2, event.offsetX, event.offsetY));
    over.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomBy(Math.exp(-event.deltaY / (event.deltaMode ? 12 : 400)), event.offsetX, event.offsetY, true);
    }, { passive: false });
    over.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
    if (step) this.pan(...step);
    else if (event.key === "+" || event.key === "=") this.zoomBy(1.6);
    else if (event.key === "-") this.zoomBy(1 / 1.6);
    else if (event.key === "0" || event.key === "Escape") this.fly(0, 0, 1);
    else if (event.key === "Enter") {
      const i = this.at(this.width / 2, this.height / 2, Math.max(this.width, this.height) / 2);
      if (i >= 0) this.open(i);
    } else return;
    event.preventDefault();
    this.draw();
  }

  search() {
    const asked = wordsOf(this.box.value);
    const rows = [];
    for (const i of asked.length ? this.popular : []) { // a title's words are found out once
      this.words[i] ??= ` ${wordsOf(labelOf(this.items, i)).join(" ")}`;
      if (asked.every((word) => this.words[i].includes(` ${word}`))) rows.push(i);
      if (rows.length === MARKED) break;
    }
    this.marked = rows;
    this.found.replaceChildren(...rows.slice(0, 6).map((i) => {
      const choice = element("button", { type: "button" }, labelOf(this.items, i));
      choice.addEventListener("click", () => this.open(i, true));
      return element("li", {}, choice);
    }));
    this.draw();
  }

  // Show an item beside the map; from a search, fly to it.
  async open(i, fly = false) {
    this.chosen = i;
    const near = await this.hooks.near(i);
    if (fly) this.fly(this.items.x[i], this.items.y[i], this.zoomAround(i, near));
    this.showNear(i);
    const shown = await this.hooks.open(i);
    if (this.chosen !== i) return;
    const list = element("ol", { class: "map-near" }, ...near.map(({ row, similarity }) => {
      const name = element("button", { type: "button" }, labelOf(this.items, row));
      name.addEventListener("click", () => this.open(row, true));
      return element("li", {}, name, ` ${similarity.toFixed(2)}`);
    }));
    const kept = this.items.preserved[i];
    const said = kept === null ? "" : ` The map has ${Math.round(kept * 100)} % of them nearby.`;
    this.panel.replaceChildren(shown, element("h3", {}, "Most similar, by the model"),
      element("p", { class: "note" }, `Cosine of the factors.${said}`), list);
    this.draw();
  }

  // The zoom at which an item and the nearer half of its neighbours fit into the view.
  zoomAround(i, near) {
    const { x, y } = this.items;
    const away = near.map(({ row }) => Math.hypot(x[row] - x[i], y[row] - y[i])).sort((a, b) => a - b);
    return Math.min(Math.max(0.7 / (away[Math.floor(away.length / 2)] || 0.1), 1.5), 12);
  }

  async showNear(i) {
    const near = await this.hooks.near(i);
    if (this.hovered === i || this.chosen === i) {
      this.near = { of: i, rows: near.map(({ row }) => row) };
      this.draw();
    }
  }

  point(x, y) {
    const i = this.at(x, y, 14);
    this.over.classList.toggle("on-point", i >= 0);
    if (i === this.hovered) return;
    this.hovered = i;
    this.tip.hidden = i < 0;
    clearTimeout(this.waiting);
    if (i >= 0) {
      this.describe(i, x, y);
      this.waiting = setTimeout(() => this.showNear(i), 120);
    } else if (this.chosen !== undefined) this.showNear(this.chosen);
    else this.near = { of: -1, rows: [] };
    this.draw();
  }

  describe(i, x, y) {
    const { items } = this;
    const predicted = this.hooks.predicted?.();
    const average = items.average[i] === null ? "" : `, average ${items.average[i].toFixed(2)}`;
    const lines = [
      (items.genres[i] ?? []).join(", "),
      `${counted(items.popularity[i], this.hooks)}${average}`,
      predicted ? `predicted for you ${predicted[i].toFixed(2)}` : "",
      items.preserved[i] === null ? "" : `keeps ${Math.round(items.preserved[i] * 100)} % of its neighbours on the map`,
    ];
    this.tip.replaceChildren(element("b", {}, labelOf(items, i)),
      ...lines.filter(Boolean).map((line) => element("span", {}, line)));
    const left = x > this.width - 260;
    this.tip.style.transform = `translate(${left ? x - 14 : x + 14}px, ${Math.min(y + 10, this.height - 110)}px)`
      + (left ? " translateX(-100%)" : "");
  }

  // List what lies inside the loop.
  enclose() {
    const inside = this.popular.filter((i) => within(this.loop, this.place(i)));
    this.marked = inside;
    const save = element("button", { type: "button" }, "Save as CSV");
    const hasAverage = this.items.average.some((v) => v !== null);
    const columns = ["id", "title", "year", "popularity", ...(hasAverage ? ["average"] : [])];
    const predicted = this.hooks.predicted?.();
    save.addEventListener("click", () => saveCsv(`${this.noun.plural}.csv`, [
      ["item_id", "title", "year", this.hooks.counted, ...(hasAverage ? ["average"] : []), ...(predicted ? ["predicted_rating"] : [])],
      ...inside.map((i) => [...columns.map((c) => this.items[c][i]), ...(predicted ? [predicted[i]] : [])])]));
    const rows = inside.slice(0, 100).map((i) => {
      const name = element("button", { type: "button" }, labelOf(this.items, i));
      name.addEventListener("click", () => this.open(i, true));
      return element("li", {}, name);
    });
    this.panel.replaceChildren(element("h3", {}, `${inside.length.toLocaleString("en")} ${this.noun.plural} inside`),
      save, element("ol", { class: "map-near" }, ...rows),
      inside.length > 100 ? element("p", { class: "note" }, "The first 100; the file has all.") : "");
    this.lasso.click();
  }

  // ---- the view ----

  get perUnit() {
    const { across, up } = this.items.frame;
    return (this.view.zoom * Math.min(this.width / across, this.height / up)) / 2.16;
  }

  place(i) { return this.toPixels(this.items.x[i], this.items.y[i]); }

  toPixels(x, y) {
    return [this.width / 2 + (x - this.view.cx) * this.perUnit, this.height / 2 - (y - this.view.cy) * this.perUnit];
  }

  toUnits(x, y) {
    return [this.view.cx + (x - this.width / 2) / this.perUnit, this.view.cy - (y - this.height / 2) / this.perUnit];
  }

  at(x, y, reach) {
    const [ux, uy] = this.toUnits(x, y);
    return this.grid.nearest(ux, uy, reach / this.perUnit);
  }

  pan(dx, dy) {
    this.view.cx -= dx / this.perUnit;
    this.view.cy += dy / this.perUnit;
    this.tip.hidden = true;
  }

  zoomBy(factor, x = this.width / 2, y = this.height / 2, now = false) {
    this.tip.hidden = true; // what it stood at has moved away
    this.hovered = -1;
    const zoom = Math.min(Math.max(this.view.zoom * factor, 0.5), 4000);
    const [ux, uy] = this.toUnits(x, y);
    const share = this.view.zoom / zoom;
    const to = [ux + (this.view.cx - ux) * share, uy + (this.view.cy - uy) * share, zoom];
    if (!now) return this.fly(...to);
    [this.view.cx, this.view.cy, this.view.zoom] = to;
    return this.draw();
  }

  pinch(pointers, id, x, y) {
    const [other] = [...pointers].filter(([key]) => key !== id).map(([, at]) => at);
    const [ox, oy] = pointers.get(id);
    const before = Math.hypot(ox - other[0], oy - other[1]);
    const after = Math.hypot(x - other[0], y - other[1]);
    if (before > 0) this.zoomBy(after / before, (x + other[0]) / 2, (y + other[1]) / 2, true);
    this.pan((x - ox) / 2, (y - oy) / 2);
  }

  fly(cx, cy, zoom) {
    const from = { ...this.view };
    const start = performance.now();
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const flight = (this.flight = {});
    const step = (now) => {
      if (this.flight !== flight) return;
      const t = still ? 1 : Math.min((now - start) / 450, 1);
      const ease = t * t * (3 - 2 * t);
      this.view.zoom = from.zoom * (zoom / from.zoom) ** ease;
      this.view.cx = from.cx + (cx - from.cx) * ease;
      this.view.cy = from.cy + (cy - from.cy) * ease;
      this.paint();
      if (t < 1) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  // ---- drawing ----

  resize() {
    this.width = this.stage.clientWidth;
    this.height = this.stage.clientHeight;
    this.ratio = Math.min(devicePixelRatio || 1, 2);
    for (const canvas of [this.canvas, this.over]) {
      canvas.width = this.width * this.ratio;
      canvas.height = this.height * this.ratio;
    }
    this.paint();
  }

  // Take the person's predictions and place anew, after a rating.
  refresh() {
    this.recolour();
  }

  recolour() {
    const column = this.menu.value;
    const predicted = column === "predicted" ? this.hooks.predicted() : null;
    if (column === "predicted" && !predicted) {
      this.legend.replaceChildren(`Rate ${this.noun.indefinite} to see your predictions.`);
      this.points.colour(colouring(this.items, "average").colours);
    } else {
      const { colours, names, ends } = colouring(this.items, column, predicted);
      this.points.colour(colours);
      this.legend.replaceChildren(...(names ? keys(names) : ramp(column, this.colours[column], ends)));
    }
    this.draw();
  }

  draw() {
    this.pending ??= requestAnimationFrame(() => this.paint());
  }

  // While the view moves on a slow machine, only the items with most ratings are drawn, as many as
  // a smooth motion allows; all of them when it rests.
  budget() {
    const now = performance.now();
    const moved = [this.view.cx, this.view.cy, this.view.zoom].join();
    const moving = moved !== this.seen;
    const taken = now - this.painted;
    [this.seen, this.painted] = [moved, now];
    clearTimeout(this.resting);
    if (!moving) return this.n;
    if (taken > 40 && taken < 400) this.most = Math.max((this.most ?? this.n) * 0.6, 4000);
    this.resting = setTimeout(() => this.draw(), 180);
    return Math.min(this.most ?? this.n, this.n);
  }

  paint() {
    this.pending = undefined;
    if (!this.width) return;
    const most = Math.round(this.budget());
    const style = getComputedStyle(this.root);
    const [ink, paper, mine] = ["--ink", "--paper", "--mine"].map((name) => style.getPropertyValue(name).trim());
    const grow = Math.min(Math.max(this.view.zoom ** 0.35, 0.8), 5) * Math.min(Math.max(this.width / 800, 0.6), 1.1);
    const { width, height, ratio, perUnit } = this;
    const faint = this.marked.length || this.near.rows.length;
    this.points.draw({ ...this.view, width, height, ratio, perUnit, grow, most, edge: paper, alpha: faint ? 0.3 : 0.92 });
    const c = this.over.getContext("2d");
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, width, height);
    const radius = (i) => (this.sizes[i] * grow) / 2;
    this.drawNear(c, ink, radius);
    for (const i of this.marked) ring(c, this.place(i), radius(i) + 2, mine, 2);
    const first = [...(this.near.of >= 0 ? [this.near.of, ...this.near.rows] : []), ...this.marked.slice(0, 40)];
    const room = Math.max(6, Math.round((width * height) / 16000));
    this.named = writeNames(c, first.length ? first : this.popular, {
      place: (i) => this.place(i), name: (i) => short(this.items.title[i]), radius, width, height, ink, paper,
      most: first.length ? 30 : room,
    });
    this.drawHere(c, mine, paper);
    if (this.loop) outline(c, this.loop, mine);
  }

  drawNear(c, ink, radius) {
    if (this.near.of < 0) return;
    const from = this.place(this.near.of);
    c.strokeStyle = ink;
    c.lineWidth = 1.2;
    for (const i of this.near.rows) {
      const to = this.place(i);
      c.beginPath();
      c.moveTo(...from);
      c.lineTo(...to);
      c.stroke();
      ring(c, to, radius(i) + 1.5, ink, 1.5);
    }
    ring(c, from, radius(this.near.of) + 3, ink, 2.5);
  }

  drawHere(c, mine, paper) {
    const here = this.hooks.here?.();
    this.here = here ? unitPlace(this.items, here) : null;
    if (!this.here) return;
    const [x, y] = this.toPixels(...this.here);
    ring(c, [x, y], 10, paper, 7);
    ring(c, [x, y], 10, mine, 4);
    c.fillStyle = mine;
    c.beginPath();
    c.arc(x, y, 3.5, 0, 2 * Math.PI);
    c.fill();
    c.font = "700 14px system-ui, sans-serif";
    c.textAlign = x > this.width - 120 ? "right" : "left";
    const at = x > this.width - 120 ? x - 18 : x + 18;
    c.lineWidth = 4;
    c.strokeStyle = paper;
    c.strokeText("You are here", at, y + 5);
    c.fillText("You are here", at, y + 5);
  }
}

function keys(names) {
  const colours = genreColours();
  const dot = (fill) => svg("svg", { width: 12, height: 12, "aria-hidden": "true" },
    svg("circle", { cx: 6, cy: 6, r: 5, fill }));
  return [...names.map((name, i) => element("span", {}, dot(colours[i]), name)),
    element("span", {}, dot(otherColour()), "other")];
}

function ramp(column, name, [low, high]) {
  const shown = (v) => (column === "year" ? String(Math.round(v))
    : column === "popularity" ? Math.round(v).toLocaleString("en") : v.toFixed(1));
  const stops = STOPS.map((colour, i) =>
    svg("stop", { offset: i / (STOPS.length - 1), "stop-color": colour }));
  const bar = svg("svg", { width: 160, height: 12, "aria-hidden": "true" },
    svg("linearGradient", { id: "map-ramp" }, ...stops),
    svg("rect", { width: 160, height: 12, rx: 3, fill: "url(#map-ramp)" }));
  return [`${name}: ${shown(low)}`, bar, shown(high)];
}

function ring(c, [x, y], r, colour, width) {
  c.strokeStyle = colour;
  c.lineWidth = width;
  c.beginPath();
  c.arc(x, y, r, 0, 2 * Math.PI);
  c.stroke();
}

function outline(c, loop, colour) {
  c.strokeStyle = colour;
  c.lineWidth = 2;
  c.setLineDash([5, 4]);
  c.beginPath();
  loop.forEach(([x, y], at) => (at ? c.lineTo(x, y) : c.moveTo(x, y)));
  c.closePath();
  c.stroke();
  c.setLineDash([]);
}

const short = (text) => (text.length > 28 ? `${text.slice(0, 26).trimEnd()}…` : text);

// Whether a point lies inside a polygon (even-odd rule).
function within(loop, [x, y]) {
  let inside = false;
  for (let a = 0, b = loop.length - 1; a < loop.length; b = a++) {
    const [[ax, ay], [bx, by]] = [loop[a], loop[b]];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

// The same items with places in [-1, 1].
function unitPlaces(items) {
  const ends = (values) => values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
  const [[left, right], [low, high]] = [ends(items.x), ends(items.y)];
  const frame = { x: (left + right) / 2, y: (low + high) / 2, half: Math.max(right - left, high - low) / 2 || 1 };
  frame.across = Math.max((right - left) / 2 / frame.half, 0.1);
  frame.up = Math.max((high - low) / 2 / frame.half, 0.1);
  const inside = (values, middle) => Float32Array.from(values, (v) => (v - middle) / frame.half);
  return { ...items, frame, x: inside(items.x, frame.x), y: inside(items.y, frame.y) };
}

function unitPlace({ frame }, [x, y]) {
  return [(x - frame.x) / frame.half, (y - frame.y) / frame.half];
}

// The points by the cells of a grid over [-1, 1].
class Grid {
  constructor(items, n) {
    this.items = items;
    this.side = Math.max(1, Math.ceil(Math.sqrt(n / 2)));
    this.cells = new Map();
    for (let i = 0; i < n; i++) {
      const key = this.cell(items.x[i]) * this.side + this.cell(items.y[i]);
      if (!this.cells.has(key)) this.cells.set(key, []);
      this.cells.get(key).push(i);
    }
  }

  cell(v) { return Math.min(Math.max(Math.floor(((v + 1) / 2) * this.side), 0), this.side - 1); }

  // The point nearest to a place, within a reach; -1 where there is none.
  nearest(x, y, reach) {
    let [best, least] = [-1, reach * reach];
    for (let a = this.cell(x - reach); a <= this.cell(x + reach); a++) {
      for (let b = this.cell(y - reach); b <= this.cell(y + reach); b++) {
        for (const i of this.cells.get(a * this.side + b) ?? []) {
          const d = (this.items.x[i] - x) ** 2 + (this.items.y[i] - y) ** 2;
          if (d < least) [best, least] = [i, d];
        }
      }
    }
    return best;
  }
}
