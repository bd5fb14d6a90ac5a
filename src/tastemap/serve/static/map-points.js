// Draws the points: on the graphics processor by WebGL, or pixel by pixel where there is none or an
// emulated one, which is slower than that.
import { rgb } from "./map-colours.js";

const VERTEX = `
attribute vec2 place; attribute float size; attribute vec3 colour;
uniform vec2 scale, shift; uniform float grow; varying vec3 tint; varying float radius;
void main() {
  gl_Position = vec4(place * scale + shift, 0.0, 1.0);
  radius = size * grow * 0.5; gl_PointSize = radius * 2.0 + 1.0; tint = colour;
}`;
const FRAGMENT = `
precision mediump float; varying vec3 tint; varying float radius;
uniform vec3 edge;
void main() {
  float r = length(gl_PointCoord - 0.5) * (radius * 2.0 + 1.0);
  float inside = clamp(radius + 0.5 - r, 0.0, 1.0);
  vec3 colour = radius > 2.5 ? mix(edge, tint, clamp(radius - r, 0.0, 1.0)) : tint;
  gl_FragColor = vec4(colour, 1.0) * inside;
}`;

// Points that the graphics processor draws.
class GlPoints {
  constructor(gl, x, y, sizes) {
    Object.assign(this, { gl, x, y, sizes });
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
    this.at = Object.fromEntries(["scale", "shift", "grow", "edge"].map((name) => [name, gl.getUniformLocation(program, name)]));
    this.buffers = Object.fromEntries([["place", 2, gl.FLOAT], ["size", 1, gl.FLOAT], ["colour", 3, gl.UNSIGNED_BYTE]]
      .map(([name, width, type]) => {
        const buffer = gl.createBuffer();
        gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
        const at = gl.getAttribLocation(program, name);
        gl.enableVertexAttribArray(at);
        gl.vertexAttribPointer(at, width, type, type === gl.UNSIGNED_BYTE, 0, 0);
        return [name, buffer];
      }));
  }

  // order: the points to draw, the last on top; colours: of all points, 3 n bytes.
  show(order, colours) {
    const { gl, x, y } = this;
    this.n = order.length;
    const place = new Float32Array(2 * this.n);
    const tints = new Uint8Array(3 * this.n);
    order.forEach((i, at) => {
      [place[2 * at], place[2 * at + 1]] = [x[i], y[i]];
      for (let c = 0; c < 3; c++) tints[3 * at + c] = colours[3 * i + c];
    });
    const sizes = Float32Array.from(order, (i) => this.sizes[i]);
    for (const [name, values] of [["place", place], ["size", sizes], ["colour", tints]]) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
    }
  }

  // most: so many of the points, the last ones.
  draw({ width, height, perUnit, cx, cy }, { ratio, grow, most, edge }) {
    const { gl } = this;
    gl.viewport(0, 0, width * ratio, height * ratio);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const [sx, sy] = [(2 * perUnit) / width, (2 * perUnit) / height];
    gl.uniform2f(this.at.scale, sx, sy);
    gl.uniform2f(this.at.shift, -cx * sx, -cy * sy);
    gl.uniform1f(this.at.grow, grow * ratio);
    gl.uniform3f(this.at.edge, ...rgb(edge).map((c) => c / 255));
    gl.drawArrays(gl.POINTS, this.n - most, most);
  }
}

const BORDER = 96; // pixels around the picture, so that a dot at its edge needs no clipping
const STEPS_OF_PIXEL = 4; // dots stand at quarters of a pixel
const FINE = 8; // dots of a larger radius, in pixels, stand at whole ones
const SPECK = 1.4; // smaller dots are squares of whole pixels
const MAX_STORED = 3e6; // pixels of the dots that are stored
const SOLID = 256; // shares are in 256ths

// Points that are written into a picture, each from a dot that is drawn once.
class PixelPoints {
  constructor(context, x, y, sizes) {
    Object.assign(this, { context, x, y, sizes, dots: [], stored: 0 });
  }

  // All that a frame reads of a point lies in the order in which it is read.
  show(order, colours) {
    this.n = order.length;
    this.places = new Float32Array(2 * this.n);
    this.sorted = Float32Array.from(order, (i) => this.sizes[i]);
    this.tints = new Uint32Array(this.n);
    order.forEach((i, at) => {
      [this.places[2 * at], this.places[2 * at + 1]] = [this.x[i], this.y[i]];
      this.tints[at] = (colours[3 * i + 2] << 16) | (colours[3 * i + 1] << 8) | colours[3 * i];
    });
  }

  resize(width, height) {
    if (this.picture?.width === width + 2 * BORDER && this.picture.height === height + 2 * BORDER) return;
    this.picture = this.context.createImageData(width + 2 * BORDER, height + 2 * BORDER);
    this.pixels = new Uint32Array(this.picture.data.buffer);
    this.dots = []; // they hold steps from pixel to pixel, which depend on the width
    this.stored = 0;
  }

  // A dot with its middle (fx, fy) quarters after a pixel: the steps from that pixel to each of its
  // pixels, how far each is covered, and how much of it is fill and not edge. Kept under a key.
  dot(key, radius, fx, fy) {
    const reach = Math.ceil(radius + 1);
    const [steps, covers, fills] = [[], [], []];
    for (let dy = -reach; dy <= reach; dy++) {
      for (let dx = -reach; dx <= reach; dx++) {
        const r = Math.hypot(dx - fx / STEPS_OF_PIXEL, dy - fy / STEPS_OF_PIXEL);
        const cover = Math.round(SOLID * Math.min(Math.max(radius + 0.5 - r, 0), 1));
        if (!cover) continue;
        steps.push(dy * this.picture.width + dx);
        covers.push(cover);
        fills.push(radius > 2.5 ? Math.round(SOLID * Math.min(Math.max(radius - r, 0), 1)) : SOLID);
      }
    }
    if ((this.stored += steps.length) > MAX_STORED) {
      this.dots = [];
      this.stored = steps.length;
    }
    const made = { steps: Int32Array.from(steps), covers: Uint16Array.from(covers), fills: Uint16Array.from(fills) };
    this.dots[key] = made;
    return made;
  }

  draw(view, { ratio, grow, most, edge }) {
    const { context, places, sorted, n } = this;
    const [width, height] = [Math.round(view.width * ratio), Math.round(view.height * ratio)];
    this.resize(width, height);
    this.pixels.fill(0);
    const [red, green, blue] = rgb(edge);
    const rim = (blue << 16) | (green << 8) | red;
    const perUnit = view.perUnit * ratio;
    const left = width / 2 - view.cx * perUnit;
    const top = height / 2 + view.cy * perUnit;
    const half = (grow * ratio) / 2;
    for (let at = n - most; at < n; at++) {
      const px = left + places[2 * at] * perUnit;
      const py = top - places[2 * at + 1] * perUnit;
      const r = Math.min(sorted[at] * half, BORDER - 4);
      if (px < -r || px > width + r || py < -r || py > height + r) continue;
      if (r < SPECK) this.speck(px, py, r, this.tints[at]);
      else this.stamp(px, py, r, this.tints[at], rim);
    }
    context.putImageData(this.picture, -BORDER, -BORDER, BORDER, BORDER, width, height);
  }

  speck(px, py, r, tint) {
    const side = Math.max(Math.round(2 * r), 1);
    const row = this.picture.width;
    let to = (Math.round(py - side / 2) + BORDER) * row + Math.round(px - side / 2) + BORDER;
    for (let a = 0; a < side; a++, to += row) {
      for (let b = 0; b < side; b++) this.pixels[to + b] = tint | 0xff000000;
    }
  }

  stamp(px, py, r, tint, rim) {
    const { pixels } = this;
    const fine = r < FINE ? STEPS_OF_PIXEL : 1;
    const steps = Math.round(r * fine);
    const qx = fine > 1 ? Math.floor(px * fine) : Math.round(px);
    const qy = fine > 1 ? Math.floor(py * fine) : Math.round(py);
    const ix = Math.floor(qx / fine);
    const iy = Math.floor(qy / fine);
    const [fx, fy] = [qx - ix * fine, qy - iy * fine];
    const key = (((steps * STEPS_OF_PIXEL) / fine) * STEPS_OF_PIXEL + fx) * STEPS_OF_PIXEL + fy;
    const dot = this.dots[key] ?? this.dot(key, steps / fine, fx, fy);
    const middle = (iy + BORDER) * this.picture.width + ix + BORDER;
    for (let k = 0; k < dot.steps.length; k++) {
      const to = middle + dot.steps[k];
      const fill = dot.fills[k];
      const cover = dot.covers[k];
      const source = fill === SOLID ? tint : mixed(rim, tint, fill);
      const under = pixels[to];
      if (cover === SOLID) pixels[to] = source | 0xff000000;
      else if (!(under >>> 24)) pixels[to] = source | (Math.min(cover, 255) << 24);
      else pixels[to] = mixed(under, source, cover) | (Math.max(under >>> 24, Math.min(cover, 255)) << 24);
    }
  }
}

// A colour so many 256ths of the way from one to another; red and blue are mixed in one step.
function mixed(from, to, share) {
  const rest = SOLID - share;
  const outer = (((from & 0xff00ff) * rest + (to & 0xff00ff) * share) >>> 8) & 0xff00ff;
  return outer | ((((from & 0xff00) * rest + (to & 0xff00) * share) >>> 8) & 0xff00);
}

// Whether WebGL is drawn by a graphics processor; a canvas that has been asked once is of that kind.
function isEmulated() {
  const gl = document.createElement("canvas").getContext("webgl", { failIfMajorPerformanceCaveat: true });
  const names = gl?.getExtension("WEBGL_debug_renderer_info");
  const isSoft = !gl || /swiftshader|llvmpipe|software|basic render/i.test(names ? gl.getParameter(names.UNMASKED_RENDERER_WEBGL) : "");
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return isSoft;
}

export function pointsOn(canvas, x, y, sizes) {
  const gl = isEmulated() ? null : canvas.getContext("webgl", { antialias: false, premultipliedAlpha: true });
  if (gl) return new GlPoints(gl, x, y, sizes);
  return new PixelPoints(canvas.getContext("2d", { willReadFrequently: true }), x, y, sizes);
}
