// Which part of the map is seen: its middle, how close it is, and the way between places and pixels.
// Places lie in [-1, 1]; `frame` says how far the map reaches across and up.

const [FARTHEST, NEAREST_ZOOM, FLIGHT_MS] = [0.5, 4000, 450];

// The same items with places in [-1, 1], and the frame that they had.
export function unitPlaces(items) {
  const ends = (values) => values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
  const [[left, right], [low, high]] = [ends(items.x), ends(items.y)];
  const frame = { x: (left + right) / 2, y: (low + high) / 2, half: Math.max(right - left, high - low) / 2 || 1 };
  frame.across = Math.max((right - left) / 2 / frame.half, 0.1);
  frame.up = Math.max((high - low) / 2 / frame.half, 0.1);
  const inside = (values, middle) => Float32Array.from(values, (v) => (v - middle) / frame.half);
  return { ...items, frame, x: inside(items.x, frame.x), y: inside(items.y, frame.y) };
}

export function unitPlace({ x, y, half }, [px, py]) {
  return [(px - x) / half, (py - y) / half];
}

export class MapView {
  constructor(frame) {
    Object.assign(this, { frame, cx: 0, cy: 0, zoom: 1, width: 0, height: 0 });
  }

  get perUnit() {
    return (this.zoom * Math.min(this.width / this.frame.across, this.height / this.frame.up)) / 2.16;
  }

  toPixels(x, y) {
    return [this.width / 2 + (x - this.cx) * this.perUnit, this.height / 2 - (y - this.cy) * this.perUnit];
  }

  toUnits(x, y) {
    return [this.cx + (x - this.width / 2) / this.perUnit, this.cy - (y - this.height / 2) / this.perUnit];
  }

  // The ends of what is seen: left, bottom, right, top.
  get box() {
    return [...this.toUnits(0, this.height), ...this.toUnits(this.width, 0)];
  }

  // Whether a place is seen, so many pixels or more from the edge.
  holds(x, y, margin = 0) {
    const [px, py] = this.toPixels(x, y);
    return px >= margin && px <= this.width - margin && py >= margin && py <= this.height - margin;
  }

  // A part of the map is always seen, so that nobody is lost beside it.
  set(cx, cy, zoom) {
    this.zoom = Math.min(Math.max(zoom, FARTHEST), NEAREST_ZOOM);
    const within = (value, size, reach) => {
      const most = reach + (0.4 * size) / (this.perUnit || 1);
      return Math.min(Math.max(value, -most), most);
    };
    this.cx = within(cx, this.width, this.frame.across);
    this.cy = within(cy, this.height, this.frame.up);
  }

  pan(dx, dy) {
    this.set(this.cx - dx / this.perUnit, this.cy + dy / this.perUnit, this.zoom);
  }

  // What the view is after coming closer by a factor, with the place at a pixel where it was.
  closer(factor, x, y) {
    const zoom = Math.min(Math.max(this.zoom * factor, FARTHEST), NEAREST_ZOOM);
    const [ux, uy] = this.toUnits(x, y);
    const share = this.zoom / zoom;
    return [ux + (this.cx - ux) * share, uy + (this.cy - uy) * share, zoom];
  }

  // Move there smoothly, or at once for who wants less motion; `step` after each frame.
  fly(cx, cy, zoom, step) {
    const from = { cx: this.cx, cy: this.cy, zoom: this.zoom };
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const flight = (this.flight = {});
    let begin;
    const move = (now) => {
      if (this.flight !== flight) return;
      begin ??= now;
      const t = still ? 1 : Math.min((now - begin) / FLIGHT_MS, 1);
      const ease = t * t * (3 - 2 * t);
      this.set(from.cx + (cx - from.cx) * ease, from.cy + (cy - from.cy) * ease, from.zoom * (zoom / from.zoom) ** ease);
      step();
      if (t < 1) requestAnimationFrame(move);
    };
    requestAnimationFrame(move);
  }

  // A hand on the map ends a flight.
  stop() { this.flight = undefined; }
}
