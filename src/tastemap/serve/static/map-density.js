// A shade under the points that says how many lie where: a small picture, drawn once and stretched by
// the browser, which fades as one comes closer.

const [CELLS, SPREAD, DARKEST] = [160, 2.2, 0.22]; // cells along a side; their blur; the most of ink
const REACH = 1.1; // the picture covers [-1.1, 1.1]
const [FADES_AT, GONE_AT] = [1.5, 4]; // zooms

// How many points lie around each cell of a grid, in [0, 1].
export function densityOf(x, y, cells = CELLS, spread = SPREAD) {
  const counts = new Float32Array(cells * cells);
  const at = (v) => Math.min(Math.max(Math.floor(((v + REACH) / (2 * REACH)) * cells), 0), cells - 1);
  for (let i = 0; i < x.length; i++) counts[(cells - 1 - at(y[i])) * cells + at(x[i])] += 1;
  const reach = Math.ceil(2.5 * spread);
  const weights = Array.from({ length: 2 * reach + 1 }, (_, k) => Math.exp(-((k - reach) ** 2) / (2 * spread ** 2)));
  const blurred = (values, step, other) => {
    const out = new Float32Array(values.length);
    for (let a = 0; a < cells; a++) {
      for (let b = 0; b < cells; b++) {
        let sum = 0;
        for (let k = Math.max(-reach, -b); k <= Math.min(reach, cells - 1 - b); k++) sum += weights[k + reach] * values[a * other + (b + k) * step];
        out[a * other + b * step] = sum;
      }
    }
    return out;
  };
  const smooth = blurred(blurred(counts, 1, cells), cells, 1);
  const most = smooth.reduce((a, b) => Math.max(a, b), 0) || 1;
  return smooth.map((v) => v / most);
}

export class Density {
  constructor(canvas, x, y) {
    this.canvas = canvas;
    canvas.width = canvas.height = CELLS;
    this.shares = densityOf(x, y);
  }

  colour([red, green, blue]) {
    const picture = new ImageData(CELLS, CELLS);
    this.shares.forEach((share, at) => picture.data.set([red, green, blue, 255 * DARKEST * Math.sqrt(share)], 4 * at));
    this.canvas.getContext("2d").putImageData(picture, 0, 0);
  }

  place(view) {
    const opacity = Math.min(Math.max((GONE_AT - view.zoom) / (GONE_AT - FADES_AT), 0), 1);
    this.canvas.hidden = !opacity;
    if (!opacity) return;
    const [left, top] = view.toPixels(-REACH, REACH);
    const size = 2 * REACH * view.perUnit;
    Object.assign(this.canvas.style, { opacity, transform: `translate(${left}px, ${top}px) scale(${size / CELLS})` });
  }
}
