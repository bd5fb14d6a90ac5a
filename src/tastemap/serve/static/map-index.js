// Which point lies at a place: the points by the cells of a grid over [-1, 1], in flat arrays.

export class PointIndex {
  constructor(x, y) {
    const n = x.length;
    Object.assign(this, { x, y, side: Math.max(1, Math.ceil(Math.sqrt(n / 2))) });
    const cells = Int32Array.from(x, (v, i) => this.cell(v) * this.side + this.cell(y[i]));
    this.starts = new Int32Array(this.side ** 2 + 1);
    cells.forEach((cell) => { this.starts[cell + 1] += 1; });
    for (let cell = 0; cell < this.side ** 2; cell++) this.starts[cell + 1] += this.starts[cell];
    const next = this.starts.slice(0, -1);
    this.rows = new Int32Array(n);
    cells.forEach((cell, i) => { this.rows[next[cell]++] = i; });
  }

  cell(v) { return Math.min(Math.max(Math.floor(((v + 1) / 2) * this.side), 0), this.side - 1); }

  // The point nearest to a place, within a reach, of those that are shown; -1 where there is none.
  nearest(x, y, reach, shown = null) {
    let [best, least] = [-1, reach * reach];
    const [bottom, top] = [this.cell(y - reach), this.cell(y + reach)];
    for (let a = this.cell(x - reach); a <= this.cell(x + reach); a++) {
      for (let at = this.starts[a * this.side + bottom]; at < this.starts[a * this.side + top + 1]; at++) {
        const i = this.rows[at];
        const d = (this.x[i] - x) ** 2 + (this.y[i] - y) ** 2;
        if (d < least && (!shown || shown[i])) [best, least] = [i, d];
      }
    }
    return best;
  }
}

// Whether a point lies inside a polygon (even-odd rule).
export function insideLoop(loop, [x, y]) {
  let inside = false;
  for (let a = 0, b = loop.length - 1; a < loop.length; b = a++) {
    const [[ax, ay], [bx, by]] = [loop[a], loop[b]];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}
