// A Bayesian model in the browser: draws of the posterior, in each of which a person is described
// by the ratings anew. The letters are those of tastemap/models/base/posterior_draws.py. The library
// samples the person, too: its predictions lie around these by chance.
import { decoded, FactorModel, stepped } from "./model.js";
import { density, quickCdf } from "./normal.js";
import { inverse, Likelihood, newton, times, toMean, withoutRating } from "./probit.js";

const WIDTH_DRAWS = 2; // so many give the width of a distribution, which hardly varies
const SIMILARITY_DRAWS = 16; // so many an average cosine
const REASON_DRAWS = 8; // and so many a reason
const MAX_EFFECTS = 3000; // so many leave-one-out steps make an explanation, of fewer draws if need be
const MAX_FACTOR = 4; // of `scaledToSum`

// The n draws of numbers that it has coded, end to end.
function drawsOf({ bits, mean, spread, codes }, n) {
  const [means, spreads, bytes] = [stepped(mean, Int16Array), stepped(spread, Uint8Array), decoded(codes, Uint8Array)];
  const size = means.length;
  const mask = 2 ** bits - 1;
  const place = 3 - Math.log2(bits); // of a byte: the numbers in one are 2 to this power
  const values = new Float32Array(n * size);
  for (let k = 0, at = 0; k < n; k++) {
    for (let i = 0; i < size; i++, at++) {
      const code = (bytes[at >> place] >> (bits * (at & ((1 << place) - 1)))) & mask;
      values[at] = means[i] + spreads[i] * (code - mask / 2);
    }
  }
  return values;
}

export class PosteriorModel extends FactorModel {
  // data: what tastemap/serve/static_site.py writes under "model". The posterior means are a model of
  // factors: for similar items, for what to rate next and for the map.
  constructor(data) {
    super(data);
    const { draws } = data;
    this.K = draws.n;
    this.D = draws.size; // 1 + f + 1
    this.C = draws.n_cuts;
    this.F = draws.n_scores;
    this.N = this.n + 1; // rows of items in a draw; the last is the average item
    this.items = drawsOf(draws.items, this.K);
    this.link = drawsOf(draws.link, this.K);
    this.scoreAxes = stepped(draws.axes, Int8Array);
    for (const name of ["average", "cuts", "scales", "averages"]) this[name] = decoded(draws[name], Float32Array);
    this.itemScales = decoded(draws.item_scales, Float32Array);
    this.priors = decoded(draws.prior, Float32Array);
    this.precisions = products(stepped(draws.precision, Int16Array), this.D);
    this.cutPrecisions = decoded(draws.cut_precision, Float32Array);
    ({ centre: this.centre, deviation: this.deviation, reliable_at: this.reliableAt, caution: this.caution } = draws);
    const { levels } = this.scale;
    this.gaps = this.C ? Float64Array.from({ length: this.C }, (_, c) => levels[c + 1] - levels[c]) : [];
  }

  get method() {
    return `${this.K} draws of the model's posterior, in each of which your ratings say anew what you are like; predictions are averages over them.`;
  }

  // ---- a person ----

  // A person, from ratings: in each draw `theta` (w, delta), its covariance V and the cutpoints. The
  // last one is kept: explanations ask again, and with another rating it is near.
  person(rows, ratings) {
    if (!isSame(this.last?.rows, rows) || !isSame(this.last?.ratings, ratings)) {
      const rated = this.rated(rows, ratings);
      const draws = [];
      for (let k = 0; k < this.K; k++) draws.push(this.described(rated, k, this.last?.draws[k] ?? draws[k - 1]));
      const { scores, errors } = this.expected(draws);
      this.last = { rows, ratings, rated, draws, scores, errors, weights: this.foldIn(rows, ratings), cautious: this.cautiousOf(scores, errors) };
    }
    return this.last;
  }

  // The ratings as levels and as standardised numbers, and the implicit scores of what was rated.
  rated(rows, ratings) {
    const { levels } = this.scale;
    const nearest = (r) => levels.reduce((best, level, c) => (Math.abs(level - r) < Math.abs(levels[best] - r) ? c : best), 0);
    const sums = new Float64Array(this.F);
    for (const i of rows) for (let f = 0; f < this.F; f++) sums[f] += this.scoreAxes[i * this.F + f];
    return { rows, sums, scores: this.scoresOf(sums, rows.length), level: this.C ? ratings.map(nearest) : [],
      z: ratings.map((r) => (r - this.centre) / this.deviation) };
  }

  // The implicit scores (F,) of n items that were rated, from the sums of their axes.
  scoresOf(sums, n) {
    const others = Math.max(n - 1, 0);
    const share = this.reliableAt > 0 ? others / (others + this.reliableAt) : 1;
    return sums.map((sum, f) => this.average[f] + share * (sum / Math.sqrt(Math.max(n, 1)) - this.average[f]));
  }

  // The mean of the person's row before the ratings, in a draw.
  priorOf(scores, k) {
    const prior = Float64Array.from(this.priors.subarray(k * this.D, (k + 1) * this.D));
    const link = this.link.subarray(k * this.F * this.D, (k + 1) * this.F * this.D);
    for (let f = 0; f < this.F; f++) for (let a = 0; a < this.D; a++) prior[a] += scores[f] * link[f * this.D + a];
    return prior;
  }

  // The precision of (w, delta) before the ratings, in a draw.
  precisionOf(k) {
    const { D, C } = this;
    const E = D + C;
    const P = new Float64Array(E * E);
    for (let a = 0; a < D; a++) for (let b = 0; b < D; b++) P[a * E + b] = this.precisions[(k * D + a) * D + b];
    for (let c = 0; c < C; c++) for (let e = 0; e < C; e++) P[(D + c) * E + D + e] = this.cutPrecisions[(k * C + c) * C + e];
    return P;
  }

  // The posterior of (w, delta) in a draw; `before` is another, to start from.
  described(rated, k, before) {
    const { D, C } = this;
    const likelihood = new Likelihood(this, rated, k);
    const prior = new Float64Array(D + C);
    prior.set(this.priorOf(rated.scores, k));
    const P = this.precisionOf(k);
    const { mode, terms, L } = newton(likelihood, prior, P, before?.mode ?? prior);
    const theta = C ? toMean(likelihood, mode, terms, L) : mode;
    const cuts = Float64Array.from({ length: C }, (_, c) => this.cuts[k * C + c] + theta[D + c]);
    let V;
    return { k, mode, theta, cuts, likelihood, terms, P, prior, get V() { return (V ??= inverse(L, D + C)); } };
  }

  // ---- predictions ----

  // The predictor of an item in a draw: d_j + w . x_j
  predictor(k, theta, i) {
    const { D, items } = this;
    const from = (k * this.N + i) * D;
    let f = items[from] + theta[0];
    for (let a = 1; a < D; a++) f += theta[a] * items[from + a];
    return f;
  }

  // Variances of the latent value beyond each cutpoint, and what the draw leaves open of the expected
  // rating, for an item in a draw.
  widths({ k, theta, cuts, V }, i, out) {
    const { D, C, items } = this;
    const E = D + C;
    const from = (k * this.N + i) * D;
    const noise = (this.scales[k] * this.itemScales[i]) ** 2;
    const y = out.y; // of the cutpoints V x, of which x_0 = 1
    let f = items[from] + theta[0];
    for (let a = 1; a < D; a++) f += theta[a] * items[from + a];
    let variance = V[0];
    for (let e = 1; e < E; e++) {
      let sum = V[e * E]; // V is symmetric: its lower triangle does
      for (let b = 1; b < Math.min(e, D); b++) sum += V[e * E + b] * items[from + b];
      if (e < D) variance += items[from + e] * (2 * sum + V[e * E + e] * items[from + e]);
      else y[e] = sum;
    }
    if (!C) {
      out.open = variance;
      return;
    }
    let slope = 0;
    let mixed = 0;
    let ofCuts = 0;
    for (let c = 0; c < C; c++) {
      out.variance[c] = noise + variance - 2 * y[D + c] + V[(D + c) * E + D + c];
      const width = 1 / Math.sqrt(out.variance[c]);
      const by = this.gaps[c] * density((cuts[c] - f) * width) * width;
      out.by[c] = by;
      slope += by;
      mixed += by * y[D + c];
    }
    for (let c = 0; c < C; c++) for (let e = 0; e < C; e++) ofCuts += out.by[c] * out.by[e] * V[(D + c) * E + D + e];
    out.open = slope * slope * variance - 2 * slope * mixed + ofCuts;
  }

  buffers() {
    return { y: new Float64Array(this.D + this.C), variance: new Float64Array(this.C), by: new Float64Array(this.C), open: 0 };
  }

  // Expected ratings (n,) of all items, averaged over the draws, and their standard errors: what is
  // not certain of the items and of the person, without the noise of a rating.
  expected(draws) {
    const { n, C, gaps } = this;
    const few = evenly(draws, WIDTH_DRAWS);
    const out = this.buffers();
    const width = new Float64Array(n * C);
    const open = new Float64Array(n);
    for (const draw of few) {
      for (let i = 0; i < n; i++) {
        this.widths(draw, i, out);
        open[i] += out.open / few.length;
        for (let c = 0; c < C; c++) width[i * C + c] += out.variance[c] / few.length;
      }
    }
    for (let at = 0; at < width.length; at++) width[at] = 1 / Math.sqrt(width[at]);
    const scores = new Float64Array(n);
    const squares = new Float64Array(n);
    for (const draw of draws) this.addExpected(draw, width, scores, squares);
    for (let i = 0; i < n; i++) {
      scores[i] /= draws.length;
      squares[i] /= draws.length;
    }
    const unit = C ? 1 : this.deviation;
    const errors = scores.map((mean, i) => unit * Math.sqrt(Math.max(squares[i] - mean * mean, 0) + open[i]));
    const first = C ? this.scale.highest : this.centre;
    return { scores: scores.map((value) => first + unit * value), errors };
  }

  // Add the expected ratings (n,) in a draw, but for what is the same for all, and their squares.
  addExpected({ k, theta, cuts }, width, scores, squares) {
    const { n, N, D, C, items, gaps } = this;
    for (let i = 0, from = k * N * D; i < n; i++, from += D) {
      let f = items[from] + theta[0];
      for (let a = 1; a < D; a++) f += theta[a] * items[from + a];
      let value = C ? 0 : f;
      for (let c = 0; c < C; c++) value -= gaps[c] * quickCdf((cuts[c] - f) * width[i * C + c]);
      scores[i] += value;
      squares[i] += value * value;
    }
  }

  // What lists for people are sorted by: a low quantile of the expected ratings.
  cautiousOf(scores, errors) { return scores.map((score, i) => score - this.caution * errors[i]); }

  // The probability of each level of the scale (levels,) for an item; null where there are none.
  distribution({ draws }, i) {
    const { C } = this;
    if (!C) return null;
    const out = this.buffers();
    const below = new Float64Array(C + 2);
    below[C + 1] = 1;
    for (const draw of draws) {
      const f = this.predictor(draw.k, draw.theta, i);
      this.widths(draw, i, out);
      for (let c = 0; c < C; c++) below[c + 1] += quickCdf((draw.cuts[c] - f) / Math.sqrt(out.variance[c])) / draws.length;
    }
    return Array.from({ length: C + 1 }, (_, c) => Math.max(below[c + 1] - below[c], 0));
  }

  // ---- reasons ----

  // What each rating changes of the prediction of an item: the prediction less that without the
  // rating, averaged over at most so many draws.
  effects({ draws, rated }, i, most) {
    const out = this.buffers();
    const n = rated.rows.length;
    const E = this.D + this.C;
    const effects = new Float64Array(n);
    const theta = new Float64Array(E);
    const few = evenly(draws, most);
    for (const draw of few) {
      draw.steps ??= this.steps(draw, rated);
      this.widths(draw, i, out);
      const now = this.value(draw.k, draw.theta, i, out.variance);
      for (let j = 0; j < n; j++) {
        for (let e = 0; e < E; e++) theta[e] = draw.theta[e] + draw.steps[j * E + e];
        effects[j] += (now - this.value(draw.k, theta, i, out.variance)) / few.length;
      }
    }
    return effects;
  }

  // The expected rating of an item at (w, delta) in a draw, but for what is the same for all.
  value(k, theta, i, variance) {
    const { C, D, cuts, gaps } = this;
    const f = this.predictor(k, theta, i);
    if (!C) return this.deviation * f;
    let value = 0;
    for (let c = 0; c < C; c++) value -= gaps[c] * quickCdf((cuts[k * C + c] + theta[D + c] - f) / Math.sqrt(variance[c]));
    return value;
  }

  // How (w, delta) moves in a draw without each rating, (n, E): a Newton's step from the mode. The
  // curvature without it is one of lower rank (Woodbury); what was rated, of which the prior tells,
  // changes too.
  steps({ k, V, P, prior, terms, likelihood }, rated) {
    const { D, C } = this;
    const E = D + C;
    const n = rated.rows.length;
    const steps = new Float64Array(n * E);
    const second = new Float64Array(3);
    const U = new Float64Array(E);
    const L = new Float64Array(E);
    const shift = new Float64Array(E);
    rated.others ??= rated.rows.map((row) =>
      this.scoresOf(rated.sums.map((sum, f) => sum - this.scoreAxes[row * this.F + f]), n - 1));
    for (let j = 0; j < n; j++) {
      const others = this.priorOf(rated.others[j], k);
      for (let a = 0; a < D; a++) shift[a] = others[a] - prior[a];
      likelihood.times(V, j, U, L);
      likelihood.curvature(terms, j, second);
      const move = times(V, times(P, shift));
      for (let e = 0; e < E; e++) move[e] += terms.b[j] * L[e] - terms.a[j] * U[e];
      const weights = withoutRating(likelihood, j, second, U, L, move);
      for (let e = 0; e < E; e++) steps[j * E + e] = move[e] + weights[0] * U[e] + weights[1] * L[e];
    }
    return steps;
  }

  // What each rating changes of the prediction of an item; of a single one that is all that is known.
  changes(person, item) {
    const n = person.rows.length;
    if (n === 1) return [person.scores[item] - this.averages[item]];
    person.changes ??= new Map();
    if (!person.changes.has(item)) person.changes.set(item, [...this.effects(person, item, Math.max(MAX_EFFECTS / n, REASON_DRAWS))]);
    return person.changes.get(item);
  }

  // The parts of the predicted rating; they sum to it, as in the library's model.
  explain(rows, ratings, item) {
    const person = this.person(rows, ratings);
    const total = person.scores[item];
    const average = this.averages[item];
    const scaled = scaledToSum(this.changes(person, item), total - average);
    const rated = rows.map((row, j) => ({ part: "your rating", row, rating: ratings[j], contribution: scaled[j] }));
    rated.sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
    const rest = scaled.reduce((left, effect) => left - effect, total - average);
    return [
      { part: "global mean", contribution: this.centre },
      { part: "item bias", contribution: average - this.centre }, ...rated,
      ...[["your ratings together", rest], ["kept inside the scale", this.clip(total) - total]]
        .filter(([, contribution]) => Math.abs(contribution) > 1e-6)
        .map(([part, contribution]) => ({ part, contribution }))];
  }

  without(rows, ratings, row, item) {
    const person = this.person(rows, ratings);
    return this.clip(person.scores[item] - this.changes(person, item)[rows.indexOf(row)]);
  }

  // How far each rating lifts each item beyond the average item; otherwise high ratings lift every one.
  lifts(rows, ratings, items) {
    const person = this.person(rows, ratings);
    person.usual ??= this.effects(person, this.n, REASON_DRAWS);
    return items.map((item) => this.effects(person, item, REASON_DRAWS).map((effect, j) => effect - person.usual[j]));
  }

  // Cosines of the factors of one item with those of every item, averaged over some draws.
  similarities(item) {
    const { n, N, D, K, items } = this;
    const sums = new Float64Array(n);
    const few = evenly(Array.from({ length: K }, (_, k) => k), SIMILARITY_DRAWS);
    this.lengths ??= few.map((k) => Float64Array.from({ length: n }, (_, i) => lengthOf(items, (k * N + i) * D + 1, D - 2)));
    few.forEach((k, at) => {
      const lengths = this.lengths[at];
      if (!lengths[item]) return;
      const q = items.slice((k * N + item) * D + 1, (k * N + item + 1) * D - 1).map((x) => x / (lengths[item] * few.length));
      for (let i = 0, from = k * N * D + 1; i < n; i++, from += D) {
        let product = 0;
        for (let a = 0; a < D - 2; a++) product += q[a] * items[from + a];
        if (lengths[i]) sums[i] += product / lengths[i];
      }
    });
    return sums.map((value) => Math.min(Math.max(value, -1), 1));
  }
}

function lengthOf(numbers, from, n) {
  let sum = 0;
  for (let at = from; at < from + n; at++) sum += numbers[at] ** 2;
  return Math.sqrt(sum);
}

// L L' of lower triangles L (d, d) that stand end to end, row by row.
function products(triangles, d) {
  const size = (d * (d + 1)) / 2;
  const all = new Float32Array((triangles.length / size) * d * d);
  const start = (a) => (a * (a + 1)) / 2;
  for (let k = 0; k * size < triangles.length; k++) {
    const L = triangles.subarray(k * size, (k + 1) * size);
    for (let a = 0; a < d; a++) {
      for (let b = 0; b <= a; b++) {
        let sum = 0;
        for (let c = 0; c <= b; c++) sum += L[start(a) + c] * L[start(b) + c];
        all[(k * d + a) * d + b] = all[(k * d + b) * d + a] = sum;
      }
    }
  }
  return all;
}

// Effects that sum to a total as nearly as they can, none of which changes its sign: those above 0 are
// multiplied by a factor and those below 0 divided by it, as tastemap/models/bayesian has it.
function scaledToSum(effects, total) {
  const above = effects.reduce((sum, x) => sum + Math.max(x, 0), 0);
  const below = effects.reduce((sum, x) => sum + Math.max(-x, 0), 0);
  const root = Math.abs(total) + Math.sqrt(total * total + 4 * above * below);
  const [top, bottom] = total >= 0 ? [root, 2 * above] : [2 * below, root];
  const factor = Math.min(Math.max(bottom > 0 ? top / bottom : MAX_FACTOR, 1 / MAX_FACTOR), MAX_FACTOR);
  return effects.map((effect) => (effect > 0 ? effect * factor : effect / factor));
}

// At most `most` of a list, evenly spaced.
const evenly = (list, most) => list.filter((_, at) => !(at % Math.ceil(list.length / most)));

const isSame = (a, b) => a?.length === b.length && b.every((value, at) => value === a[at]);
