// Names on the map: of items and of regions, each where no other name stands, with a rim of the
// ground's colour. A name is drawn once and then copied, since drawing text is slow.

const STYLES = {
  item: { font: "600 12.5px system-ui, sans-serif", height: 16, rim: 3.5, colour: "ink" },
  you: { font: "700 14px system-ui, sans-serif", height: 18, rim: 4, colour: "mine" },
  region: { font: "italic 650 15.5px system-ui, sans-serif", height: 21, rim: 5, colour: "quiet" },
};
const MAX_SPRITES = 800;
const RIM = 9; // pixels around a box in which nothing should lie
// A region is named while it fills this share of the view, or less from the finest level on.
const [SMALLEST_SHARE, LARGEST_SHARE] = [0.042, 0.105];

export const short = (text) => (text.length > 28 ? `${text.slice(0, 26).trimEnd()}…` : text);

export class Labels {
  constructor() { this.sprites = new Map(); }

  // colours: {ink, quiet, mine, paper}; ratio: pixels of the canvas in one of the page.
  begin(context, { width, height, ratio, colours }) {
    Object.assign(this, { context, width, height, colours, taken: [] });
    const look = [ratio, colours.ink, colours.paper].join();
    if (look !== this.look || this.sprites.size > MAX_SPRITES) this.sprites.clear();
    Object.assign(this, { look, ratio });
  }

  // Leave a box free of names: [left, top, right, bottom].
  keepFree(box) { this.taken.push(box); }

  sprite(text, kind) {
    const ready = this.sprites.get(kind + text);
    if (ready) return ready;
    const { font, height, rim, colour } = STYLES[kind];
    const canvas = document.createElement("canvas");
    const c = canvas.getContext("2d");
    c.font = font;
    const width = Math.ceil(c.measureText(text).width) + 2 * rim;
    canvas.width = width * this.ratio;
    canvas.height = height * this.ratio;
    c.scale(this.ratio, this.ratio);
    Object.assign(c, { font, textAlign: "center", textBaseline: "middle", lineJoin: "round", lineWidth: rim });
    c.strokeStyle = this.colours.paper;
    c.strokeText(text, width / 2, height / 2);
    c.fillStyle = this.colours[colour];
    c.fillText(text, width / 2, height / 2);
    const made = { canvas, width, height };
    this.sprites.set(kind + text, made);
    return made;
  }

  // Write a name with its middle at x and its bottom at y, if there is room for it.
  write(text, x, y, kind = "item") {
    const { canvas, width, height } = this.sprite(text, kind);
    const left = Math.min(Math.max(x - width / 2, 2), Math.max(this.width - width - 2, 2));
    const box = [left, y - height, left + width, y];
    if (box[1] < 0 || box[3] > this.height || !isFree(this.taken, box)) return false;
    this.taken.push(box);
    const { ratio } = this;
    this.context.drawImage(canvas, Math.round(left * ratio) / ratio, Math.round(box[1] * ratio) / ratio, width, height);
    return true;
  }

  // Names of rows, the first ones first, above their points; how many there was room for.
  writeItems(rows, { view, x, y, name, radius, most, tries = 40 * most }) {
    const { perUnit, cx, cy } = view;
    let [written, looked] = [0, 0];
    for (const i of rows) {
      if (written >= most || looked > tries) break;
      const px = this.width / 2 + (x[i] - cx) * perUnit;
      const py = this.height / 2 - (y[i] - cy) * perUnit;
      if (px < 4 || px > this.width - 4 || py < 16 || py > this.height - 4) continue;
      looked += 1;
      written += this.write(short(name(i)), px, py - radius(i) - 1);
    }
    return written;
  }

  // Names of regions: large ones from afar, small ones from near by. Returns those written.
  writeRegions(regions, view) {
    const extent = Math.min(this.width, this.height);
    const finest = Math.min(...regions.map(({ reach }) => reach));
    const names = new Set(); // a name stands once
    return regions.filter(({ name, x, y, reach }) => {
      if (names.has(name)) return false;
      const share = (reach * view.perUnit) / extent;
      if (share < SMALLEST_SHARE || (share > LARGEST_SHARE && reach > finest)) return false;
      const [px, py] = view.toPixels(x, y);
      if (px < 0 || px > this.width || py < 0 || py > this.height || !this.write(name, px, py + 10, "region")) return false;
      names.add(name);
      return true;
    });
  }
}

export function isFree(taken, box) {
  return taken.every((b) => box[0] > b[2] || box[2] < b[0] || box[1] > b[3] || box[3] < b[1]);
}

// Where a box of a size stands beside a point: inside the bounds, on the side on which it covers fewest
// of some others and of the lines to them, and not the point itself. Returns [left, top].
export function freerSide([x, y], [width, height], bounds, others, gap = 14) {
  const inside = (value, size, bound) => Math.min(Math.max(value, 4), Math.max(bound - size - 4, 4));
  const places = [gap, 3 * gap].flatMap((away) => [x + away, x - away - width, x - width / 2, x - width / 4, x - (3 * width) / 4]
    .flatMap((left) => [y + 4, y + away, y - away - height, y - height / 2]
      .map((top) => [inside(left, width, bounds[0]), inside(top, height, bounds[1]), away])));
  const holds = ([left, top], px, py, rim) => px > left - rim && px < left + width + rim && py > top - rim && py < top + height + rim;
  const cost = (place) => {
    let covered = holds(place, x, y, RIM) ? 50 : place[2] / 100;
    for (const [ox, oy] of others) {
      for (const [share, weight] of [[1, 4], [0.8, 1], [0.6, 1], [0.4, 1]]) {
        if (holds(place, x + (ox - x) * share, y + (oy - y) * share, RIM)) covered += weight;
      }
    }
    return covered;
  };
  return places.map((place) => [cost(place), place]).reduce((a, b) => (b[0] < a[0] ? b : a))[1].slice(0, 2);
}
