// The map of the items: what is chosen, searched and shown. It knows nothing of servers or models;
// what it needs of them it gets as `hooks`.
import { counted, element, labelOf } from "./dom.js";
import { addressAfter, addressOf, stateOf } from "./map-address.js";
import { Brush } from "./map-brush.js";
import { colouring } from "./map-colours.js";
import { followGestures } from "./map-gestures.js";
import { insideLoop, PointIndex } from "./map-index.js";
import { freerSide } from "./map-labels.js";
import { colourOfGenres, otherKey, ramp, yoursKey } from "./map-legend.js";
import { described, MapList, neighbours } from "./map-list.js";
import { Scene } from "./map-scene.js";
import { Sheet } from "./map-sheet.js";
import { MapView, unitPlace, unitPlaces } from "./map-view.js";
import { wordsOf } from "./search.js";

const MARKED = 500; // so many of the items that a search finds are marked
const [REST_MS, HOVER_MS] = [200, 120];
const MARGIN = 36; // pixels between a chosen item and the edge of what is seen
const ROOM_ABOVE = 150; // pixels of the map that a sheet leaves free at least

export class TasteMap {
  // items: columns x, y, id, title, year, genres, genre, popularity, average, preserved; genreNames,
  // which have colours, and genreList; regions: [{name, x, y, reach}].
  // hooks: near(i) -> [{row, similarity}] or a promise of it; open(i) -> an element to show (or a
  // promise); predicted() -> one number an item, or null, where there are predictions; you() ->
  // {place, trail, rows} or null; note: text; noun: what an item is called, {singular, plural,
  // indefinite}; oneCounted, counted: what its popularity counts; hasTitles; address: what a link
  // to a view begins with, and the address of the map alone, {start, bare}.
  constructor(root, items, hooks) {
    this.columns = { genre: "genre", year: "year", popularity: `number of ${hooks.counted}`,
      average: "average rating", predicted: "your predicted rating" };
    Object.assign(this, { root, hooks, noun: hooks.noun, items: unitPlaces(items), marked: [], words: [], near: { of: -1, rows: [] }, hovered: -1 });
    this.n = items.x.length;
    this.popular = Array.from({ length: this.n }, (_, i) => i).sort((a, b) => items.popularity[b] - items.popularity[a] || a - b);
    const most = Math.max(items.popularity[this.popular[0]], 1);
    const shrink = Math.max(Math.min(Math.sqrt(2500 / this.n), 1), 0.35);
    this.sizes = Float32Array.from(items.popularity, (n) => (4 + 12 * Math.sqrt(n / most)) * shrink);
    const { frame, x, y } = this.items;
    this.regions = (items.regions ?? []).map((region) => {
      const [ux, uy] = unitPlace(frame, [region.x, region.y]);
      return { name: region.name, x: ux, y: uy, reach: region.reach / frame.half };
    });
    this.index = new PointIndex(x, y);
    this.view = new MapView(frame);
    this.shown = new Uint8Array(this.n).fill(1);
    this.you = hooks.you();
    this.build();
    this.scene = new Scene(this);
    this.listen();
    this.recolour();
    new ResizeObserver(() => this.resize()).observe(this.stage);
  }

  // ---- the parts ----

  build() {
    const has = (column) => (column === "predicted" ? this.hooks.predicted
      : column === "genre" ? this.items.genreNames.length : this.items[column].some((v) => v !== null));
    const options = Object.entries(this.columns).filter(([column]) => has(column));
    this.menu = element("select", {}, ...options.map(([value, text]) => element("option", { value }, text)));
    this.box = element("input", { type: "search", placeholder: this.hooks.hasTitles ? "words of a title" : "id", autocomplete: "off" });
    this.finds = element("ul", { class: "map-found" });
    this.lasso = element("button", { type: "button", "aria-pressed": "false" }, `Draw around ${this.noun.plural}`);
    this.link = element("button", { type: "button" }, "Copy link");
    const button = (text, label, act) => {
      const made = element("button", { type: "button", "aria-label": label, title: label }, text);
      made.addEventListener("click", act);
      return made;
    };
    this.zooms = element("span", { class: "map-zoom" },
      button("+", "Zoom in", () => this.zoomBy(1.6)), button("−", "Zoom out", () => this.zoomBy(1 / 1.6)),
      button("⤢", "Show everything", () => this.fly(0, 0, 1)));
    this.shade = element("canvas", { "aria-hidden": "true", class: "map-shade" });
    this.canvas = element("canvas", { "aria-hidden": "true" });
    this.over = element("canvas", {
      tabindex: "0", role: "img",
      "aria-label": `Map of ${this.n} ${this.noun.plural}; arrow keys move it, plus and minus zoom, Enter opens the ${this.noun.singular} in the middle; a list of those in view follows`,
    });
    this.tip = element("div", { class: "map-tip", hidden: true });
    this.stage = element("div", { class: "map-stage" }, this.shade, this.canvas, this.over, this.tip, this.zooms);
    this.legend = element("div", { class: "map-legend" });
    this.sheet = new Sheet(`The chosen ${this.noun.singular}`, () => this.deselect());
    this.list = new MapList(this);
    this.brush = new Brush(this.items, this.noun, () => this.filter());
    this.brush.refresh();
    this.shared = element("p", { class: "note", role: "status" });
    this.root.replaceChildren(
      element("div", { class: "map-tools" },
        element("label", {}, "Search", this.box), element("label", {}, "Colour by", this.menu), this.lasso, this.link),
      this.shared, this.finds, element("div", { class: "map-sides" },
        element("div", {}, this.stage, this.brush.element, this.legend),
        element("div", { class: "map-panel" }, this.sheet.element, this.list.element,
          element("p", { class: "note" }, this.hooks.note ?? ""))));
  }

  listen() {
    followGestures(this.over, this);
    this.menu.addEventListener("change", () => { this.recolour(); this.settle(); });
    this.box.addEventListener("input", () => this.search());
    this.link.addEventListener("click", () => this.share());
    this.lasso.addEventListener("click", () => this.drawLoops(!this.drawing));
    // A page of the exported site comes and goes: its map hears nothing after that.
    const gone = new AbortController();
    const heard = (act) => (event) => { if (this.root.isConnected) act(event); else gone.abort(); };
    const { signal } = gone;
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", heard(() => this.recolour()), { signal });
    document.addEventListener("keydown", heard((event) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      if (this.drawing) this.drawLoops(false);
      else if (this.list.isFixed) this.letGo();
      else this.deselect();
    }), { signal });
  }

  // A button with the title of an item, which chooses it.
  opener(i) {
    const made = element("button", { type: "button" }, labelOf(this.items, i));
    made.addEventListener("click", () => this.open(i).then(() => this.sheet.element.focus({ preventScroll: true })));
    return made;
  }

  // ---- choosing ----

  search() {
    const query = wordsOf(this.box.value);
    const rows = [];
    for (const i of query.length ? this.popular : []) { // a title's words are worked out once
      this.words[i] ??= ` ${wordsOf(labelOf(this.items, i)).join(" ")}`;
      if (query.every((word) => this.words[i].includes(` ${word}`))) rows.push(i);
      if (rows.length === MARKED) break;
    }
    this.marked = rows;
    this.finds.replaceChildren(...rows.slice(0, 6).map((i) => element("li", {}, this.opener(i))),
      ...(query.length && !rows.length ? [element("li", { class: "note" }, `No ${this.noun.singular} on the map has these words.`)] : []));
    this.draw();
  }

  // Show an item beside the map; the view moves where the item is out of sight, or comes closer to
  // it and its neighbours if asked to.
  async open(i, closer = false) {
    if (i === undefined) return;
    this.chosen = i;
    const near = await this.hooks.near(i);
    if (this.chosen !== i) return;
    this.near = { of: i, rows: near.map(({ row }) => row) };
    const card = await this.hooks.open(i);
    if (this.chosen !== i) return;
    this.sheet.show(card, ...neighbours(this, i, near));
    this.bringIntoView(i, closer ? this.zoomAround(i, near) : this.view.zoom, closer);
    this.settle();
    this.draw();
  }

  openMiddle() {
    const { width, height } = this.view;
    const i = this.at(width / 2, height / 2, Math.max(width, height) / 2);
    if (i >= 0) this.open(i);
  }

  // A tap on an item chooses it; one on empty ground lets it go.
  tap(x, y) {
    const i = this.at(x, y, 18);
    if (i >= 0) this.open(i);
    else this.deselect();
  }

  deselect() {
    if (this.chosen === undefined) return;
    if (this.sheet.element.contains(document.activeElement)) this.over.focus({ preventScroll: true });
    this.chosen = undefined;
    this.near = { of: -1, rows: [] };
    this.sheet.close();
    this.settle();
    this.draw();
  }

  // The zoom at which an item and the nearer half of its neighbours fit into the view.
  zoomAround(i, near) {
    const { x, y } = this.items;
    const away = near.map(({ row }) => Math.hypot(x[row] - x[i], y[row] - y[i])).sort((a, b) => a - b);
    return Math.min(Math.max(0.7 / (away[Math.floor(away.length / 2)] || 0.1), 1.5), 12);
  }

  // Move the view so that an item is seen, above a sheet that lies over the map.
  bringIntoView(i, zoom, always = false) {
    const { view } = this;
    if (!view.width) this.resize();
    const [top, bottom] = this.free();
    const [x, y] = this.place(i);
    const isSeen = x >= MARGIN && x <= view.width - MARGIN && y >= top + MARGIN && y <= bottom - MARGIN;
    if (isSeen && !always) return;
    const lower = (top + bottom - view.height) / 2 / ((view.perUnit * zoom) / view.zoom);
    this.fly(this.items.x[i], this.items.y[i] + lower, zoom);
  }

  // The part of the map, from top to bottom in pixels, that neither the head of the page nor a sheet
  // covers; the page scrolls where it is too little.
  free() {
    const { height } = this.view;
    if (!this.sheet.isOver) return [0, height];
    const head = document.querySelector(".top")?.getBoundingClientRect().bottom ?? 0;
    const { top } = this.sheet.element.getBoundingClientRect();
    const room = () => {
      const from = this.stage.getBoundingClientRect().top;
      return [Math.max(head - from, 0), Math.min(top - from, height)];
    };
    if (room()[1] - room()[0] < ROOM_ABOVE) scrollBy(0, this.stage.getBoundingClientRect().top - head - 8);
    return room();
  }

  async hover(i) {
    const near = await this.hooks.near(i);
    if (this.hovered !== i) return;
    this.near = { of: i, rows: near.map(({ row }) => row) };
    this.placeTip(i);
    this.draw();
  }

  point(x, y) {
    const i = this.at(x, y, 14);
    this.over.classList.toggle("on-point", i >= 0);
    if (i === this.hovered) return;
    this.hovered = i;
    this.tip.hidden = i < 0;
    clearTimeout(this.waiting);
    if (i >= 0) {
      this.tip.replaceChildren(...described(this, i, counted));
      this.placeTip(i);
      this.waiting = setTimeout(() => this.hover(i), HOVER_MS);
    } else if (this.chosen !== undefined) this.showChosen(this.chosen);
    else this.near = { of: -1, rows: [] };
    this.draw();
  }

  async showChosen(i) {
    const near = await this.hooks.near(i);
    if (this.hovered >= 0 || this.chosen !== i) return;
    this.near = { of: i, rows: near.map(({ row }) => row) };
    this.draw();
  }

  // Beside an item, on the side where it covers none of the neighbours, if there is one.
  placeTip(i) {
    const { width, height } = this.view;
    const others = this.near.of === i ? this.near.rows.map((row) => this.place(row)) : [];
    if (this.here) { // with its name above it
      const [x, y] = this.view.toPixels(...unitPlace(this.items.frame, this.here));
      others.push([x, y], [x - 45, y - 24], [x + 45, y - 24]);
    }
    const size = [this.tip.offsetWidth, this.tip.offsetHeight];
    const [left, top] = freerSide(this.place(i), size, [width, height], others);
    this.tip.style.transform = `translate(${left}px, ${top}px)`;
    this.tipBox = [left, top, left + size[0], top + size[1]];
  }

  hideTip() {
    this.tip.hidden = true; // what it stood at has moved away
    this.hovered = -1;
  }

  // ---- drawing around ----

  drawLoops(on) {
    this.drawing = on;
    this.lasso.setAttribute("aria-pressed", String(on));
    this.over.classList.toggle("drawing", on);
  }

  enclose() {
    const inside = this.popular.filter((i) => this.shown[i] && insideLoop(this.loop, this.place(i)));
    this.marked = inside;
    this.list.inside(inside);
    this.drawLoops(false);
  }

  letGo() {
    this.list.isFixed = false;
    this.marked = [];
    this.list.inView();
    this.draw();
  }

  // ---- the view ----

  // Where the person stands, or null.
  get here() { return this.you?.place ?? null; }

  place(i) { return this.view.toPixels(this.items.x[i], this.items.y[i]); }

  at(x, y, reach) {
    return this.index.nearest(...this.view.toUnits(x, y), reach / this.view.perUnit, this.shown);
  }

  pan(dx, dy) {
    this.view.pan(dx, dy);
    this.hideTip();
  }

  zoomBy(factor, x = this.view.width / 2, y = this.view.height / 2, now = false) {
    this.hideTip();
    const to = this.view.closer(factor, x, y);
    if (!now) return this.fly(...to);
    this.view.set(...to);
    return this.draw();
  }

  fly(cx, cy, zoom) {
    this.hideTip();
    this.view.fly(cx, cy, zoom, () => this.paint());
  }

  resize() {
    [this.view.width, this.view.height] = [this.stage.clientWidth, this.stage.clientHeight];
    this.scene.resize();
    this.settle();
  }

  // Once the view has come to rest: the list beside it and the address say what is seen.
  settle() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      if (!this.root.isConnected || !this.view.width) return;
      this.list.inView();
      if (this.hooks.address) history.replaceState(history.state, "", this.address);
    }, REST_MS);
  }

  get address() {
    const { start, bare } = this.hooks.address;
    const colour = this.menu.selectedIndex > 0 ? this.menu.value : undefined;
    const { cx, cy, zoom } = this.view;
    const text = addressOf({ x: cx, y: cy, zoom, colour, item: this.items.id[this.chosen], ...this.brush.state });
    return text ? start + text : bare;
  }

  // Show what the address says, or an item; true where there is something to show.
  restore(item) {
    const { start } = this.hooks.address;
    const state = stateOf(addressAfter(start.slice(start.indexOf("#"))));
    if (state.colour && [...this.menu.options].some(({ value }) => value === state.colour)) this.menu.value = state.colour;
    this.brush.set(state);
    const hasPlace = state.x !== undefined && state.y !== undefined && state.zoom !== undefined;
    if (hasPlace) this.view.set(state.x, state.y, state.zoom);
    const i = this.items.id.indexOf(state.item ?? item);
    if (i >= 0) requestAnimationFrame(() => this.open(i, !hasPlace));
    else this.deselect();
  }

  async share() {
    const address = new URL(this.hooks.address ? this.address : location.href, location.href).href;
    try {
      await navigator.clipboard.writeText(address);
      this.shared.textContent = "The link to this view is copied.";
    } catch { // a page that is not served safely may not write there
      const field = element("input", { type: "text", readOnly: true, value: address, "aria-label": "Link to this view" });
      this.shared.replaceChildren(field);
      field.select();
    }
  }

  // ---- drawing ----

  // Take the person's predictions and place anew, after a rating.
  refresh() {
    this.you = this.hooks.you();
    this.recolour();
  }

  filter() {
    this.shown = this.brush.mask();
    if (this.hovered >= 0 && !this.shown[this.hovered]) this.hideTip();
    this.recolour();
    this.settle();
  }

  recolour() {
    const style = getComputedStyle(this.root);
    const [ink, quiet, paper, mine] = ["ink", "quiet", "raised", "mine"].map((name) => style.getPropertyValue(`--${name}`).trim());
    const column = this.menu.value;
    const predicted = column === "predicted" ? this.hooks.predicted() : null;
    const isUnknown = column === "predicted" && !predicted;
    const { colours, ends } = colouring(this.items, isUnknown ? "average" : column, predicted);
    this.brush.colourChips(column === "genre" ? colourOfGenres(this.items.genreNames) : null);
    this.legend.replaceChildren(
      ...(isUnknown ? [`Rate ${this.noun.indefinite} to see your predictions.`]
        : column === "genre" ? [otherKey()] : ramp(column, this.columns[column], ends)),
      ...(this.you?.rows.length ? [yoursKey()] : []));
    this.scene.show({ ink, quiet, paper, mine }, colours);
  }

  draw() { this.scene.draw(); }

  paint() { this.scene.paint(); }
}
