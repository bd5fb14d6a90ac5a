// Ordinal ratings of a person in one draw of a Bayesian model: the posterior of the row w and of the
// deviation delta of the cutpoints, given the items.
//
// It is log-concave (Pratt, "Concavity of the log likelihood", JASA 76, 1981), and taken as normal:
// Newton's steps lead to its mode, and from there third derivatives to its mean (Tierney and Kadane,
// "Accurate approximations for posterior moments and marginal densities", JASA 81, 1986).
import { cholesky, dot, forward, solve } from "./model.js";
import { between, density } from "./normal.js";

const [MAX_STEPS, MAX_HALVINGS, DECREMENT, MIN_GAIN] = [30, 30, 0.05, 1e-12]; // of Newton's method
const MIN_GAP = 0.01; // of cutpoints to begin at

// The likelihood of a person's ratings in a draw, as a function of theta = (w, delta). Of rating j, at
// level c, u = (kappa_c - f) / s and l = (kappa_c-1 - f) / s say how far its cutpoints are; of a
// number, u alone: how far it is itself.
export class Likelihood {
  constructor(model, { rows, z, level }, k) {
    const { D, C, items, N } = model;
    Object.assign(this, { n: rows.length, D, C, z, level });
    this.cuts = model.cuts.subarray(k * C, (k + 1) * C);
    this.X = new Float64Array(rows.length * D);
    this.offset = new Float64Array(rows.length);
    this.s = new Float64Array(rows.length);
    rows.forEach((i, j) => {
      const from = (k * N + i) * D;
      this.X.set(items.subarray(from, from + D), j * D);
      this.offset[j] = items[from];
      this.X[j * D] = 1;
      this.s[j] = model.scales[k] * model.itemScales[i];
    });
  }

  // The logarithm at theta, and of each rating the derivatives by u and l: a and -b, and second ones.
  at(theta) {
    const { n, D, C, X, s, level, cuts, offset } = this;
    const terms = { u: new Float64Array(n), l: new Float64Array(n), a: new Float64Array(n), b: new Float64Array(n) };
    let value = 0;
    for (let j = 0; j < n; j++) {
      let f = offset[j];
      for (let a = 0; a < D; a++) f += theta[a] * X[j * D + a];
      if (!C) {
        const u = (this.z[j] - f) / s[j];
        terms.a[j] = -u;
        value -= 0.5 * u * u;
        continue;
      }
      const c = level[j];
      const u = c < C ? (cuts[c] + theta[D + c] - f) / s[j] : Infinity;
      const l = c > 0 ? (cuts[c - 1] + theta[D + c - 1] - f) / s[j] : -Infinity;
      if (!(u > l)) return { value: -Infinity, terms };
      const p = Math.max(between(l, u), 1e-300);
      value += Math.log(p);
      terms.u[j] = u;
      terms.l[j] = l;
      terms.a[j] = c < C ? density(u) / p : 0;
      terms.b[j] = c > 0 ? density(l) / p : 0;
    }
    return { value, terms };
  }

  // theta with its cutpoints moved apart until they ascend: shared ones need not.
  inOrder(theta) {
    const moved = Float64Array.from(theta);
    for (let c = 0, last = -Infinity; c < this.C; c++) {
      last = Math.max(this.cuts[c] + theta[this.D + c], last + MIN_GAP);
      moved[this.D + c] = last - this.cuts[c];
    }
    return moved;
  }

  // Set `out` to minus the second derivatives of a rating's logarithm: by u twice, by l twice, by both.
  curvature({ u, l, a, b }, j, out) {
    out[0] = this.C ? 0 : 1;
    if (a[j] && this.C) out[0] = a[j] * (u[j] + a[j]);
    out[1] = b[j] ? b[j] * (b[j] - l[j]) : 0;
    out[2] = -a[j] * b[j];
  }

  // Add to A (E, E), lower triangle, and to the gradient g what the ratings say.
  add(terms, A, g) {
    const { n, D, C, X, s, level } = this;
    const E = D + C;
    const second = new Float64Array(3);
    for (let j = 0; j < n; j++) {
      this.curvature(terms, j, second);
      const uu = second[0];
      const ll = second[1];
      const ul = second[2];
      const w = 1 / (s[j] * s[j]);
      const from = j * D;
      const c = level[j];
      const both = (uu + ll + 2 * ul) * w;
      const slope = (terms.a[j] - terms.b[j]) / s[j];
      for (let a = 0; a < D; a++) {
        const scaled = both * X[from + a];
        g[a] -= slope * X[from + a];
        for (let b = 0; b <= a; b++) A[a * E + b] += scaled * X[from + b];
      }
      if (c < C) this.addCut(A, g, j, D + c, (uu + ul) * w, uu * w, terms.a[j] / s[j]);
      if (c > 0) this.addCut(A, g, j, D + c - 1, (ll + ul) * w, ll * w, -terms.b[j] / s[j]);
      if (c > 0 && c < C) A[(D + c) * E + D + c - 1] += ul * w;
    }
  }

  addCut(A, g, j, row, mixed, square, slope) {
    const { D, C, X } = this;
    const at = row * (D + C);
    for (let a = 0; a < D; a++) A[at + a] -= mixed * X[j * D + a];
    A[at + row] += square;
    g[row] += slope;
  }

  // Set U and L (E,) to A times the gradients of u and of l of a rating by theta; 0 without cutpoint.
  times(A, j, U, L) {
    const { D, C, X } = this;
    const E = D + C;
    const from = j * D;
    const c = this.level[j];
    const w = 1 / this.s[j];
    for (let e = 0; e < E; e++) {
      let sum = 0;
      for (let a = 0; a < D; a++) sum -= A[e * E + a] * X[from + a];
      U[e] = 0;
      if (c < C) U[e] = (sum + A[e * E + D + c]) * w;
      else if (!C) U[e] = sum * w;
      L[e] = c > 0 ? (sum + A[e * E + D + c - 1]) * w : 0;
    }
  }

  // The gradient of u (or of l) of a rating by theta, times a vector.
  along(vector, j, isLower) {
    const { D, C, X, s, level } = this;
    let sum = 0;
    for (let a = 0; a < D; a++) sum -= vector[a] * X[j * D + a];
    if (C) sum += vector[D + level[j] - (isLower ? 1 : 0)];
    return sum / s[j];
  }
}

// The mode of the posterior, by Newton's steps that are halved until they lead upwards.
export function newton(likelihood, prior, P, start) {
  const E = prior.length;
  let mode = Float64Array.from(start);
  let now = logPosterior(likelihood, prior, P, mode);
  if (now.value === -Infinity) { // the start puts cutpoints out of order
    mode = likelihood.inOrder(prior);
    now = logPosterior(likelihood, prior, P, mode);
  }
  let L;
  for (let step = 0; step < MAX_STEPS; step++) {
    const [A, g] = [P.slice(), now.pull];
    likelihood.add(now.terms, A, g);
    L = cholesky(A, E);
    const move = solve(L, g);
    const gain = dot(move, g);
    if (gain < MIN_GAIN) break;
    let next;
    for (let half = 0, by = 1; half < MAX_HALVINGS; half++, by /= 2) {
      const theta = mode.slice();
      for (let e = 0; e < E; e++) theta[e] += by * move[e];
      next = { theta, ...logPosterior(likelihood, prior, P, theta) };
      if (next.value >= now.value) break;
    }
    if (!(next.value >= now.value)) break;
    [mode, now] = [next.theta, next];
    if (gain < DECREMENT) break; // the steps converge quadratically: the next one is nothing
  }
  return { mode, terms: now.terms, L };
}

// The logarithm of the posterior at theta, and the gradient of the prior's, its pull.
function logPosterior(likelihood, prior, P, theta) {
  const E = prior.length;
  const pull = new Float64Array(E);
  let { value, terms } = likelihood.at(theta);
  for (let a = 0; a < E; a++) {
    let sum = 0;
    for (let b = 0; b < E; b++) sum += P[a * E + b] * (prior[b] - theta[b]);
    pull[a] = sum;
    value -= 0.5 * sum * (prior[a] - theta[a]);
  }
  return { value, terms, pull };
}

// From the mode to the mean: half V = (L L')^-1 times the third derivatives along V. As
// tastemap/kernels/gibbs/fold_in.py, with the same letters.
export function toMean({ n, D, C, X, s, level }, mode, { u, l, a, b }, L) {
  const E = mode.length;
  const H = Array.from({ length: C }, (_, c) => forward(L, Float64Array.from({ length: E }, (_zero, e) => Number(e === D + c))));
  const push = new Float64Array(E);
  const y = new Float64Array(E);
  for (let j = 0; j < n; j++) {
    const from = j * D;
    for (let e = 0; e < E; e++) {
      let sum = e < D ? X[from + e] : 0;
      for (let m = 0; m < e; m++) sum -= L[e * E + m] * y[m];
      y[e] = sum / L[e * E + e];
    }
    const c = level[j];
    const [upper, lower] = [a[j] > 0 ? H[c] : null, b[j] > 0 ? H[c - 1] : null];
    // Variances of u and of l, and their covariance, times the noise.
    let uu = dot(y, y);
    let [ll, ul] = [uu, uu];
    for (let m = D; m < E; m++) {
      const above = upper ? upper[m] : 0;
      const below = lower ? lower[m] : 0;
      uu += above * (above - 2 * y[m]);
      ll += below * (below - 2 * y[m]);
      ul += above * below - (above + below) * y[m];
    }
    // Second derivatives of the logarithm, their sign changed, and third ones.
    const second = upper ? a[j] * (u[j] + a[j]) : 0;
    const secondBelow = lower ? b[j] * (b[j] - l[j]) : 0;
    const uuu = upper ? (u[j] + 2 * a[j]) * second - a[j] : 0;
    const lll = lower ? (l[j] - 2 * b[j]) * secondBelow + b[j] : 0;
    const uul = upper && lower ? -(u[j] + 2 * a[j]) * a[j] * b[j] : 0;
    const ull = upper && lower ? a[j] * b[j] * b[j] + a[j] * secondBelow : 0;
    const w = 0.5 / s[j] ** 3;
    const up = w * (uuu * uu + 2 * uul * ul + ull * ll);
    const down = w * (uul * uu + 2 * ull * ul + lll * ll);
    for (let k = 0; k < D; k++) push[k] -= (up + down) * X[from + k];
    if (upper) push[D + c] += up;
    if (lower) push[D + c - 1] += down;
  }
  const move = solve(L, push);
  return mode.map((value, e) => value + move[e]);
}

// (I - M B)^-1 M t, of two by two: M holds the curvature of a rating by u and l, B is V along both,
// and t the move along both. Where a cutpoint is missing, its U or L is 0.
export function withoutRating(likelihood, j, [uu, ll, ul], U, L, move) {
  const hasLower = likelihood.level[j] > 0;
  const hasUpper = !(likelihood.level[j] >= likelihood.C);
  const along = (vector, isLower) => ((isLower ? hasLower : hasUpper) ? likelihood.along(vector, j, isLower) : 0);
  const [Buu, Blu, Bll] = [along(U, false), along(U, true), along(L, true)];
  const [tu, tl] = [along(move, false), along(move, true)];
  const [x, y] = [uu * tu + ul * tl, ul * tu + ll * tl];
  const [a, b, c, d] = [1 - uu * Buu - ul * Blu, -uu * Blu - ul * Bll, -ul * Buu - ll * Blu, 1 - ul * Blu - ll * Bll];
  const determinant = a * d - b * c;
  return [(d * x - b * y) / determinant, (a * y - c * x) / determinant];
}

// (L L')^-1, all of it: M' M with M = L^-1.
export function inverse(L, d) {
  const [M, V] = [new Float64Array(d * d), new Float64Array(d * d)];
  for (let a = 0; a < d; a++) {
    const pivot = 1 / L[a * d + a];
    M[a * d + a] = pivot;
    for (let b = 0; b < a; b++) {
      let sum = 0;
      for (let c = b; c < a; c++) sum += L[a * d + c] * M[c * d + b];
      M[a * d + b] = -sum * pivot;
    }
  }
  for (let a = 0; a < d; a++) {
    for (let b = 0; b <= a; b++) {
      let sum = 0;
      for (let c = a; c < d; c++) sum += M[c * d + a] * M[c * d + b];
      V[a * d + b] = V[b * d + a] = sum;
    }
  }
  return V;
}

export function times(A, vector) {
  const d = vector.length;
  const product = new Float64Array(d);
  for (let a = 0; a < d; a++) for (let b = 0; b < d; b++) product[a] += A[a * d + b] * vector[b];
  return product;
}
