// What the map draws with: points by WebGL, or on a plain canvas where there is none; colours;
// names that find room.

const VIRIDIS = ["#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779",
  "#6ece58", "#b5de2b", "#fde725"].map(rgb);
// Okabe and Ito's colours, the dark ones lighter on a dark ground.
const ON_LIGHT = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#333333"];
const ON_DARK = ["#3d9fe0", "#ff8a3d", "#2fc79a", "#e58bc0", "#F0C04a", "#9bd8ff", "#e6e9ed"];
export const isDark = () => matchMedia("(prefers-color-scheme: dark)").matches;
export const genreColours = () => (isDark() ? ON_DARK : ON_LIGHT);
export const otherColour = () => (isDark() ? "#5d6873" : "#b6bfc9");
export const STOPS = VIRIDIS.map((c) => `rgb(${c.join(",")})`);

function rgb(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

export function viridis(share) {
  const at = Math.min(Math.max(share, 0), 1) * (VIRIDIS.length - 1);
  const low = Math.min(Math.floor(at), VIRIDIS.length - 2);
  return VIRIDIS[low].map((c, i) => Math.round(c + (at - low) * (VIRIDIS[low + 1][i] - c)));
}

// Colours (3 n bytes) of the points: by genre, or along a scale from `low` to `high`.
export function colouring(items, column, predicted) {
  const n = items.x.length;
  const colours = new Uint8Array(3 * n);
  const grey = rgb(otherColour());
  if (column === "genre") {
    const palette = genreColours().map(rgb);
    const of = new Map(items.genreNames.map((name, at) => [name, palette[at]]));
    for (let i = 0; i < n; i++) colours.set(of.get(items.genre[i]) ?? grey, 3 * i);
    return { colours, names: items.genreNames };
  }
  const values = column === "predicted" ? predicted : items[column];
  const measured = column === "popularity" ? Math.log10 : (value) => value;
  const sorted = Float64Array.from(values.filter((v) => v !== null && !Number.isNaN(v))).sort();
  const within = column === "popularity" ? [0, 1] : [0.05, 0.95];
  const [low, high] = within.map((share) => sorted[Math.round(share * (sorted.length - 1))] ?? 0);
  const [from, to] = [low, high].map((v) => measured(column === "popularity" ? Math.max(v, 1) : v));
  for (let i = 0; i < n; i++) {
    const value = values[i];
    const share = (measured(column === "popularity" ? Math.max(value, 1) : value) - from) / (to - from || 1);
    colours.set(value === null || Number.isNaN(value) ? grey : viridis(share), 3 * i);
  }
  return { colours, ends: [low, high] };
}

const VERTEX = `
attribute vec2 place; attribute float size; attribute vec3 colour;
uniform vec2 scale, shift; uniform float grow; varying vec3 tint; varying float radius;
void main() {
  gl_Position = vec4(place * scale + shift, 0.0, 1.0);
  radius = size * grow * 0.5; gl_PointSize = radius * 2.0 + 1.0; tint = colour;
}`;
const FRAGMENT = `
precision mediump float; varying vec3 tint; varying float radius;
uniform vec3 edge; uniform float alpha;
void main() {
  float r = length(gl_PointCoord - 0.5) * (radius * 2.0 + 1.0);
  float inside = clamp(radius + 0.5 - r, 0.0, 1.0);
  vec3 colour = radius > 2.5 ? mix(edge, tint, clamp(radius - r, 0.0, 1.0)) : tint;
  gl_FragColor = vec4(colour, 1.0) * inside * alpha;
}`;

// Points on the graphics processor: `order` is the order to draw in; of it the last `most`.
class GlPoints {
  constructor(gl, items, sizes, order) {
    this.gl = gl;
    this.n = order.length;
    this.order = order;
    const program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    gl.useProgram(program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.at = (name) => gl.getUniformLocation(program, name);
    const place = new Float32Array(2 * this.n);
    const size = new Float32Array(this.n);
    order.forEach((i, at) => { place.set([items.x[i], items.y[i]], 2 * at); size[at] = sizes[i]; });
    this.attribute(program, "place", place, 2, gl.FLOAT);
    this.attribute(program, "size", size, 1, gl.FLOAT);
    this.colourBuffer = this.attribute(program, "colour", new Uint8Array(3 * this.n), 3, gl.UNSIGNED_BYTE);
  }

  attribute(program, name, values, width, type) {
    const { gl } = this;
    const buffer = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
    const at = gl.getAttribLocation(program, name);
    gl.enableVertexAttribArray(at);
    gl.vertexAttribPointer(at, width, type, type === gl.UNSIGNED_BYTE, 0, 0);
    return buffer;
  }

  colour(colours) {
    const { gl } = this;
    const sorted = new Uint8Array(3 * this.n);
    this.order.forEach((i, at) => sorted.set(colours.subarray(3 * i, 3 * i + 3), 3 * at));
    gl.bindBuffer(gl.ARRAY_BUFFER, this.colourBuffer);
    gl.bufferData(gl.ARRAY_BUFFER, sorted, gl.STATIC_DRAW);
  }

  draw({ width, height, ratio, perUnit, cx, cy, grow, most, edge, alpha }) {
    const { gl } = this;
    gl.viewport(0, 0, width * ratio, height * ratio);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const [sx, sy] = [(2 * perUnit) / width, (2 * perUnit) / height];
    gl.uniform2f(this.at("scale"), sx, sy);
    gl.uniform2f(this.at("shift"), -cx * sx, -cy * sy);
    gl.uniform1f(this.at("grow"), grow * ratio);
    gl.uniform1f(this.at("alpha"), alpha);
    gl.uniform3f(this.at("edge"), ...rgb(edge).map((c) => c / 255));
    gl.drawArrays(gl.POINTS, this.n - most, most);
  }
}

// The same on a plain canvas.
class PlainPoints {
  constructor(context, items, sizes, order) {
    Object.assign(this, { context, items, sizes, order, styles: [] });
  }

  colour(colours) {
    const known = new Map();
    this.styles = Array.from({ length: colours.length / 3 }, (_, i) => {
      const key = (colours[3 * i] << 16) | (colours[3 * i + 1] << 8) | colours[3 * i + 2];
      if (!known.has(key)) known.set(key, `#${key.toString(16).padStart(6, "0")}`);
      return known.get(key);
    });
  }

  draw({ width, height, ratio, perUnit, cx, cy, grow, most, edge, alpha }) {
    const { context, items } = this;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.globalAlpha = alpha;
    context.strokeStyle = edge;
    context.lineWidth = 0.8;
    for (let at = this.order.length - most; at < this.order.length; at++) {
      const i = this.order[at];
      const x = width / 2 + (items.x[i] - cx) * perUnit;
      const y = height / 2 - (items.y[i] - cy) * perUnit;
      const r = (this.sizes[i] * grow) / 2;
      if (x < -r || x > width + r || y < -r || y > height + r) continue;
      context.fillStyle = this.styles[i];
      if (r < 1.6) {
        context.fillRect(x - r, y - r, 2 * r, 2 * r);
      } else {
        context.beginPath();
        context.arc(x, y, r, 0, 2 * Math.PI);
        context.fill();
        if (r > 2.5) context.stroke();
      }
    }
    context.globalAlpha = 1;
  }
}

export function pointsOn(canvas, items, sizes, order) {
  const gl = canvas.getContext("webgl", { antialias: false, premultipliedAlpha: true });
  if (gl) return new GlPoints(gl, items, sizes, order);
  return new PlainPoints(canvas.getContext("2d"), items, sizes, order);
}

// Names of points: those first in `rows`, each where no other name stands. `place(i)` is in pixels.
export function writeNames(context, rows, { place, name, radius, width, height, ink, paper, most }) {
  const taken = [];
  context.font = "600 12.5px system-ui, sans-serif";
  context.textAlign = "center";
  context.lineJoin = "round";
  let looked = 0;
  for (const i of rows) {
    if (taken.length >= most) break;
    const [x, y] = place(i);
    if (x < 4 || x > width - 4 || y < 16 || y > height - 4) continue;
    if (++looked > 40 * most) break;
    const text = name(i);
    const half = context.measureText(text).width / 2 + 6;
    const middle = Math.min(Math.max(x, half), width - half);
    const top = y - radius(i) - 5;
    const box = [middle - half, top - 14, middle + half, top + 4];
    const free = taken.every((b) => box[0] > b[2] || box[2] < b[0] || box[1] > b[3] || box[3] < b[1]);
    if (!free) continue;
    taken.push(box);
    context.lineWidth = 3.5;
    context.strokeStyle = paper;
    context.strokeText(text, middle, top);
    context.fillStyle = ink;
    context.fillText(text, middle, top);
  }
  return taken.length;
}
