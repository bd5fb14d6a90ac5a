// Draws the map: the shade, the points, and over them marks and names. It draws only what changed.
import { ghosted, rgb } from "./map-colours.js";
import { Density } from "./map-density.js";
import { Labels } from "./map-labels.js";
import { drawHere, drawNear, drawOwn, drawTrail, outline, ring } from "./map-marks.js";
import { pointsOn } from "./map-points.js";
import { unitPlace } from "./map-view.js";

const NAMED = 40; // so many of the marked items have names
const FAINT = 0.3;
const [SLOW_MS, PAUSE_MS, STILL_MS] = [40, 400, 200]; // between two frames
const FEWEST = 4000; // points that a slow machine draws while the map moves

export class Scene {
  // map: see map.js.
  constructor(map) {
    const { x, y } = map.items;
    this.map = map;
    this.labels = new Labels();
    this.points = pointsOn(map.canvas, x, y, map.sizes);
    this.density = new Density(map.shade, x, y);
  }

  // colours: {ink, quiet, paper, mine}; tints: of the points, 3 n bytes.
  show(colours, tints) {
    const { popular, shown } = this.map;
    this.colours = colours;
    const order = [...popular].reverse();
    const top = order.filter((i) => shown[i]);
    const isCut = top.length < order.length;
    this.nameable = isCut ? [...top].reverse() : popular;
    this.points.show(isCut ? [...order.filter((i) => !shown[i]), ...top] : order, isCut ? ghosted(tints, shown) : tints);
    this.density.colour(rgb(colours.ink));
    this.draw();
  }

  resize() {
    const { view, canvas, over } = this.map;
    this.ratio = Math.min(devicePixelRatio || 1, 2);
    for (const surface of [canvas, over]) {
      surface.width = Math.round(view.width * this.ratio);
      surface.height = Math.round(view.height * this.ratio);
    }
    this.paint();
  }

  draw() {
    this.pending ??= requestAnimationFrame(() => this.map.paint());
  }

  // While the view moves on a slow machine, only the items with most ratings are drawn, as many as
  // a smooth motion allows; all of them when it rests.
  budget() {
    const { map } = this;
    const now = performance.now();
    const seen = [map.view.cx, map.view.cy, map.view.zoom].join();
    const moves = seen !== this.seen;
    const taken = now - this.painted;
    [this.seen, this.painted] = [seen, now];
    clearTimeout(this.resting);
    if (!moves) return map.n;
    map.settle();
    if (taken > SLOW_MS && taken < PAUSE_MS) this.most = Math.max((this.most ?? map.n) * 0.6, FEWEST);
    if (this.most < map.n) this.resting = setTimeout(() => this.draw(), STILL_MS);
    return Math.min(this.most ?? map.n, map.n);
  }

  paint() {
    cancelAnimationFrame(this.pending);
    this.pending = undefined;
    const { map, ratio, colours } = this;
    const { view } = map;
    const { width, height } = view;
    if (!width || !height || !map.root.isConnected) return;
    const most = Math.round(this.budget());
    const grow = Math.min(Math.max(view.zoom ** 0.35, 0.8), 5) * Math.min(Math.max(width / 800, 0.6), 1.1);
    this.density.place(view);
    map.canvas.style.opacity = map.marked.length || map.near.rows.length ? FAINT : 1;
    this.points.draw(view, { ratio, grow, most, edge: colours.paper });
    const c = map.over.getContext("2d");
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, width, height);
    const radius = (i) => (map.sizes[i] * grow) / 2;
    if (map.near.of >= 0) {
      const rows = [map.near.of, ...map.near.rows];
      drawNear(c, map.place(map.near.of), map.near.rows.map((i) => map.place(i)), rows.map(radius), colours);
    }
    for (const i of map.marked) ring(c, map.place(i), radius(i) + 2, colours.mine, 2);
    this.labels.begin(c, { width, height, ratio, colours });
    this.drawYou(c);
    this.writeNames(radius);
    if (map.loop) outline(c, map.loop, colours.mine);
  }

  drawYou(c) {
    const { map } = this;
    const { you } = map;
    if (!you) return;
    const unit = (place) => map.view.toPixels(...unitPlace(map.items.frame, place));
    drawOwn(c, you.rows.map((i) => map.place(i)), map.view.zoom < 1.5 ? 4 : 5.5, this.colours);
    if (!you.place) return;
    const at = unit(you.place);
    drawTrail(c, [...you.trail.map(unit), at], this.colours);
    drawHere(c, at, this.colours);
    this.labels.write("You are here", at[0], at[1] - 14, "you");
    this.labels.keepFree([at[0] - 12, at[1] - 12, at[0] + 12, at[1] + 12]);
  }

  writeNames(radius) {
    const { labels, map } = this;
    const { view, items } = map;
    const { width, height } = view;
    labels.keepFree([width - 62, 0, width, 150]); // the buttons
    if (!map.tip.hidden && map.tipBox) labels.keepFree(map.tipBox);
    const first = [...(map.near.of >= 0 ? [map.near.of, ...map.near.rows] : []), ...map.marked.slice(0, NAMED)];
    const names = { view, x: items.x, y: items.y, name: (i) => items.title[i], radius };
    if (first.length) labels.writeItems(first, { ...names, most: 30, tries: first.length });
    const regions = labels.writeRegions(map.regions, view);
    if (!first.length) {
      const room = Math.max(5, Math.round((width * height) / (view.zoom < 1.5 ? 42000 : 16000)));
      labels.writeItems(this.nameable, { ...names, most: room });
    }
    if (!regions.length && view.zoom > 2) this.writeWhere();
  }

  // Close up, where no name of a region is in sight: the one that one is in, at the top.
  writeWhere() {
    const { regions, view: { cx, cy, width } } = this.map;
    const away = (region) => Math.hypot(region.x - cx, region.y - cy) / region.reach;
    const around = regions.filter((region) => away(region) < 2).sort((a, b) => a.reach - b.reach || away(a) - away(b));
    if (around.length) this.labels.write(around[0].name, width / 2, 26, "region");
  }
}
