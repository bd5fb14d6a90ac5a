// A model of biases and factors in the browser: the closed forms of tastemap/models/factors.py,
// with the same letters. Row numbers throughout; ids and titles belong to the page.

const KNOWN_TO_MANY = 400; // so many of the most rated items are looked at for the next to rate
const [NEAREST, KNOWN, NEAR, STEPS] = [25, 20, 0.05, 20]; // of `crowd` and `placeAmid`
const [MIN_LIFT, NEAR_SHARE, MIN_NEAR, SHARE_OF_ROW] = [0.005, 0.05, 10, 3 / 8]; // of reasons
export const MIN_SHARED_GENRES = 2;

// Base64 of little-endian numbers as a typed array.
export function decoded(text, Numbers) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at++) bytes[at] = letters.charCodeAt(at);
  return new Numbers(bytes.buffer);
}

// Whole numbers times the step of their column, as tastemap/serve/exported_draws.py writes them.
export function stepped({ numbers, step }, Numbers) {
  const steps = decoded(step, Float32Array);
  return Float32Array.from(decoded(numbers, Numbers), (number, at) => number * steps[at % steps.length]);
}

// Items that are ranked by scores: what models of ratings and of likes share.
export class RankedItems {
  // popularity: how many know each item; frequency: how often each is in the data.
  constructor(popularity, frequency = popularity) {
    this.popularity = popularity;
    this.frequency = frequency;
    this.n = popularity.length;
    this.information = selfInformation(frequency);
    this.placeholders = new Set(); // rows that stand for no item
  }

  // The popularity up to which items are of the long tail: a third of all ratings or likes, as
  // tastemap/serve/model/catalogue.py has it.
  get tail() {
    const counts = [...this.popularity].sort((a, b) => a - b);
    const most = counts.reduce((sum, n) => sum + n, 0) / 3;
    let [sum, at] = [0, 0];
    while (at < counts.length && sum + counts[at] <= most) sum += counts[at++];
    return counts[Math.max(at - 1, 0)];
  }

  // Scores to rank by: predictions, and a bonus for the little known (or the well known).
  // What a bonus adds to cautious scores counts n / (n + shrinkage), and is measured by the spread of
  // the predictions; shrinkage 0 is for others.
  ranking(scores, novelty, shrinkage = 0, predicted = scores) {
    if (!novelty || !this.information.spread) return scores;
    const { values, mean, spread } = this.information;
    const weight = (novelty * deviation(predicted)) / spread;
    return scores.map((score, i) => {
      const bonus = weight * (values[i] - mean);
      const n = this.popularity[i];
      return score + (bonus > 0 && shrinkage ? (bonus * n) / (n + shrinkage) : bonus);
    });
  }

  // Rows of the k highest scores among those allowed, best first; ties go to the lower row.
  top(scores, allowed, k) {
    const rows = [];
    for (let i = 0; i < this.n; i++) if (allowed(i)) rows.push(i);
    return rows.sort((a, b) => scores[b] - scores[a] || a - b).slice(0, k);
  }
}

export class FactorModel extends RankedItems {
  // data: what tastemap/serve/static_site.py writes under "model".
  constructor(data) {
    super(decoded(data.popularity, Uint32Array));
    this.mean = data.global_mean;
    this.scale = data.scale;
    this.size = data.size; // 1 + f
    // rows (b_i, q_i), in few bytes where draws of them say more
    this.X = data.draws ? stepped(data.item_weights, Int16Array) : decoded(data.item_weights, Float32Array);
    this.middle = decoded(data.average_item, Float32Array);
    this.prior = decoded(data.prior_mean, Float64Array);
    this.P = decoded(data.prior_precision, Float64Array);
    this.growth = data.prior_growth && decoded(data.prior_growth, Float64Array);
    this.exponent = data.prior_exponent; // a part of the penalty grows with n to this power
    // Of `cautious`; tastemap/models/base/uncertainty.py has the equations.
    this.caution = data.caution;
    this.shrinkage = data.shrinkage;
    this.noise = data.noise;
    this.axes = decoded(data.axes, Float64Array);
    this.gains = decoded(data.gains, Float64Array);
    this.misfits = decoded(data.misfits, Float32Array);
    this.shrinkageOfFactors = data.shrinkage_of_factors; // at so many ratings half of an item's factors is noise
  }

  clip(value) {
    return Math.min(Math.max(value, this.scale.lowest), this.scale.highest);
  }

  bias(i) {
    return this.X[i * this.size];
  }

  // x_i = (1, q_i)
  row(i) {
    const x = Float64Array.from(this.X.subarray(i * this.size, (i + 1) * this.size));
    x[0] = 1;
    return x;
  }

  // The Cholesky factor of X'X + P for the rated rows, and what each rating says beyond the prior.
  design(rows, ratings, exponent = this.exponent) {
    const d = this.size;
    const n = Math.max(rows.length, 1) ** exponent;
    const A = this.P.map((value, at) => value + (this.growth ? n * this.growth[at] : 0));
    const X = rows.map((i) => this.row(i));
    for (const x of X) {
      for (let a = 0; a < d; a++) for (let b = 0; b <= a; b++) A[a * d + b] += x[a] * x[b];
    }
    const residual = rows.map((i, j) => ratings[j] - this.mean - this.bias(i) - dot(X[j], this.prior));
    return { L: cholesky(A, d), X, residual };
  }

  // w = m + (X'X + P)^-1 X'(r - mu - b - X m); the average user where nothing is rated.
  foldIn(rows, ratings) {
    if (!rows.length) return Float64Array.from(this.prior);
    const { L, X, residual } = this.design(rows, ratings);
    const right = new Float64Array(this.size);
    X.forEach((x, j) => x.forEach((value, a) => { right[a] += value * residual[j]; }));
    return solve(L, right).map((move, a) => this.prior[a] + move);
  }

  // A person in the model, from ratings: weights, raw predictions, and what lists are sorted by.
  person(rows, ratings) {
    const weights = this.foldIn(rows, ratings);
    const scores = this.score(weights);
    return { weights, scores, cautious: this.caution ? this.cautious(rows, weights, scores) : scores };
  }

  // Raw predictions (n,) of every item.
  score(w) {
    const d = this.size;
    const scores = new Float64Array(this.n);
    for (let i = 0; i < this.n; i++) {
      let sum = this.mean + w[0] + this.X[i * d];
      for (let a = 1; a < d; a++) sum += w[a] * this.X[i * d + a];
      scores[i] = sum;
    }
    return scores;
  }

  // The probability of each rating; a model of factors has none.
  distribution() { return null; }

  // Scores less some standard errors: what is certain of the item and of the person.
  cautious(rows, w, scores) {
    const d = this.size;
    const { L } = this.design(rows, rows.map(() => 0));
    const y = Float64Array.from(w);
    y[0] = 1;
    const squares = this.gains.map((_, k) => dot(this.axes.subarray(k * d, (k + 1) * d), y) ** 2);
    const ofItems = new Map(); // by the number of ratings
    return scores.map((score, i) => {
      const n = this.popularity[i];
      if (!ofItems.has(n)) ofItems.set(n, squares.reduce((sum, c, k) => sum + c / (n * this.gains[k] + 1), 0));
      const z = forward(L, this.row(i));
      return score - this.caution * Math.sqrt(this.noise * (dot(z, z) + ofItems.get(n)) + this.misfits[i]);
    });
  }

  // How much more for this person than for the average one, where enough have rated an item.
  relative(scores) {
    this.averages ??= this.score(this.prior);
    const n = this.popularity;
    const lifts = scores.map((score, i) => score - this.averages[i]);
    const mean = lifts.reduce((sum, lift, i) => sum + n[i] * lift, 0) / n.reduce((sum, v) => sum + v, 0);
    return lifts.map((lift, i) => ((lift - mean) * n[i]) / (n[i] + this.shrinkage));
  }

  predict(w, item) {
    return this.mean + this.bias(item) + dot(this.row(item), w);
  }

  // The parts of the predicted rating of an item; they sum to it.
  explain(rows, ratings, item) {
    const x = this.row(item);
    const parts = [
      { part: "global mean", contribution: this.mean },
      { part: "item bias", contribution: this.bias(item) },
      { part: "average user", contribution: dot(x, this.prior) },
    ];
    let rated = [];
    if (rows.length) {
      const { L, X, residual } = this.design(rows, ratings);
      const z = solve(L, x);
      rated = rows.map((row, j) => (
        { part: "your rating", row, rating: ratings[j], contribution: dot(z, X[j]) * residual[j] }));
      rated.sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
    }
    const total = [...parts, ...rated].reduce((sum, p) => sum + p.contribution, 0);
    const correction = this.clip(total) - total;
    const kept = { part: "kept inside the scale", contribution: correction };
    return [...parts, ...rated, ...(Math.abs(correction) > 1e-6 ? [kept] : [])];
  }

  // How far each rating lifts each item above the average item.
  lifts(rows, ratings, items) {
    const { L, X, residual } = this.design(rows, ratings);
    const moves = X.map((x, j) => solve(L, x).map((v) => v * residual[j]));
    return items.map((item) => {
      const beyond = this.row(item).map((v, a) => (a ? v - this.middle[a] : 0));
      return moves.map((move) => dot(beyond, move));
    });
  }

  // The rows that count as similar to an item in reasons: the most similar twentieth.
  near(item) {
    this.neighbourhoods ??= new Map();
    if (!this.neighbourhoods.has(item)) {
      let listed = 0;
      for (let i = 0; i < this.n; i++) listed += this.popularity[i] > 0 && !this.placeholders.has(i);
      const similar = this.similar(item, Math.max(Math.floor(NEAR_SHARE * listed), MIN_NEAR));
      this.neighbourhoods.set(item, new Set(similar.filter((s) => s.similarity > 0).map((s) => s.row)));
    }
    return this.neighbourhoods.get(item);
  }

  // For each item of a row the place of the rating that is its reason, or -1: one that the person
  // likes, that lifts the item and is of a similar one, as tastemap/serve/answers/reasons.py has it.
  // genres: the genres of a row.
  reasons(rows, ratings, items, genres) {
    if (!rows.length) return items.map(() => -1);
    const middle = (this.scale.lowest + this.scale.highest) / 2;
    const lifts = this.lifts(rows, ratings, items);
    const possible = items.map((item, at) => rows.map((_, j) => j).filter((j) =>
      ratings[j] > middle && rows[j] !== item && lifts[at][j] > MIN_LIFT
      && (this.near(item).has(rows[j]) || shared(genres(item), genres(rows[j])) >= MIN_SHARED_GENRES)));
    return assigned(lifts, possible);
  }

  // What the prediction would be without one of the ratings.
  without(rows, ratings, row, item) {
    const keep = rows.map((_, j) => j).filter((j) => rows[j] !== row);
    const w = this.foldIn(keep.map((j) => rows[j]), keep.map((j) => ratings[j]));
    return this.clip(this.predict(w, item));
  }

  // The popular and informative items that are not yet rated, one after the other: the largest
  // log2(number of ratings) * log(1 + x' S x), S the covariance of the person's weights after the
  // items chosen before; as tastemap/serve/discover.py, where the source is named.
  rateNext(rows, allowed, k) {
    const asked = this.top(this.popularity, allowed, KNOWN_TO_MANY);
    const known = asked.map((i) => Math.log2(this.popularity[i] + 1));
    const { L } = this.design(rows, rows.map(() => 0), 0);
    const X = asked.map((i) => this.row(i));
    const spread = X.map((x) => solve(L, x)); // rows S x_j
    const chosen = [];
    while (chosen.length < Math.min(k, asked.length)) {
      let [best, most] = [-1, -Infinity];
      X.forEach((x, j) => {
        const gain = known[j] * Math.log1p(dot(x, spread[j]));
        if (gain > most && !chosen.includes(j)) [best, most] = [j, gain];
      });
      chosen.push(best);
      // The covariance after a rating of it, by Sherman and Morrison.
      const Sx = Float64Array.from(spread[best]);
      const scale = 1 + dot(X[best], Sx);
      X.forEach((x, j) => {
        const share = dot(x, Sx) / scale;
        spread[j].forEach((_, a) => { spread[j][a] -= Sx[a] * share; });
      });
    }
    return chosen.map((j) => asked[j]);
  }

  // How like an item every item is, for a varied list; null where items cannot be compared.
  get likeness() { return this.size > 1 ? (item) => this.cosinesWith(this.X.subarray(item * this.size + 1, (item + 1) * this.size), this.length(item)) : null; }

  // Similarity of one item with every item, as tastemap/models/base/factors.py has it: the cosine of
  // the factors times how far those of both can be believed. Null where there are no factors.
  similarities(item) {
    const d = this.size;
    if (d === 1) return null;
    const cosines = this.cosinesWith(this.X.subarray(item * d + 1, (item + 1) * d), this.length(item));
    return cosines.map((cosine, i) => (i === item ? 1 : cosine * this.reliability(i) * this.reliability(item)));
  }

  reliability(i) {
    const n = Math.max(this.popularity[i], 1);
    return Math.sqrt(n / (n + this.shrinkageOfFactors));
  }

  // Cosine of a direction in the space of factors with every item.
  cosinesWith(q, length) {
    const d = this.size;
    this.norms ??= Float64Array.from({ length: this.n }, (_, i) => this.length(i));
    return Float64Array.from({ length: this.n }, (_, i) => {
      let sum = 0;
      for (let a = 1; a < d; a++) sum += q[a - 1] * this.X[i * d + a];
      const lengths = length * this.norms[i];
      return lengths ? Math.min(Math.max(sum / lengths, -1), 1) : 0;
    });
  }

  // How much each of some items counts for the place of a person on the map, as
  // tastemap/serve/answers/item_map.py has it. liking: how much the person likes an item, by row.
  crowd(items, liking) {
    const evidence = items.map((i) => this.popularity[i] / (this.popularity[i] + KNOWN));
    const weights = items.map((i, at) => (liking.get(i) ?? 0) * evidence[at]);
    const most = Math.max(...weights);
    if (!(most > 0) || this.size === 1) return weights;
    const toward = new Float64Array(this.size - 1);
    items.forEach((i, at) => {
      weights[at] /= most;
      const length = this.length(i);
      if (!weights[at] || !length) return;
      for (let a = 1; a < this.size; a++) toward[a - 1] += (weights[at] / length) * this.X[i * this.size + a];
    });
    const cosines = this.cosinesWith(toward, Math.hypot(...toward) || 1);
    const largest = items.reduce((high, i) => Math.max(high, Math.abs(cosines[i])), 1e-9);
    const worth = items.map((i, at) => (cosines[i] / largest) * evidence[at]);
    const order = worth.map((_, at) => at).sort((a, b) => worth[b] - worth[a] || a - b);
    for (const at of order.slice(0, NEAREST)) weights[at] = Math.max(weights[at], worth[at]);
    return weights;
  }

  length(i) {
    let sum = 0;
    for (let a = 1; a < this.size; a++) sum += this.X[i * this.size + a] ** 2;
    return Math.sqrt(sum);
  }

  // The k items most similar to an item, that have been rated by somebody.
  similar(item, k) {
    const similarities = this.similarities(item);
    if (!similarities) return [];
    const rows = this.top(similarities, (i) => i !== item && this.popularity[i] > 0 && !this.placeholders.has(i), k);
    return rows.map((row) => ({ row, similarity: similarities[row] }));
  }
}

// For each item one of its possible ratings, or -1. Items with the fewest come first; a rating that is
// the reason of k others counts 1 / (1 + k), and is that of three eighths of a row at most.
export function assigned(lifts, possible) {
  const uses = new Map();
  const used = (j) => uses.get(j) ?? 0;
  const most = Math.max(Math.floor(SHARE_OF_ROW * possible.length), 1);
  const chosen = possible.map(() => -1);
  const order = possible.map((_, at) => at).sort((a, b) => possible[a].length - possible[b].length || a - b);
  for (const at of order) {
    let strongest = -Infinity;
    for (const j of possible[at]) {
      const strength = lifts[at][j] / (1 + used(j));
      if (used(j) < most && strength > strongest) [chosen[at], strongest] = [j, strength];
    }
    if (chosen[at] >= 0) uses.set(chosen[at], used(chosen[at]) + 1);
  }
  return chosen;
}

export const shared = (a, b) => a.filter((name) => b.includes(name)).length;

// Where a person stands on the map: amid the densest part of a crowd (mean shift). places: [x, y] of
// each item on the map; counts: how much each counts, from `crowd`.
export function placeAmid(places, counts) {
  const members = places.map((_, at) => at).filter((at) => counts[at] > 0);
  const crowd = members.map((at) => places[at]);
  const extent = [0, 1].map((axis) => places.reduce(([low, high], p) =>
    [Math.min(low, p[axis]), Math.max(high, p[axis])], [Infinity, -Infinity]));
  const width = Math.max(...extent.map(([low, high]) => high - low), 1e-9) * NEAR;
  const weights = ([x, y]) => crowd.map(([a, b], at) =>
    counts[members[at]] * Math.exp(-((a - x) ** 2 + (b - y) ** 2) / (2 * width ** 2)));
  const total = (values) => values.reduce((sum, v) => sum + v, 0);
  let best = crowd[0];
  let most = -1;
  for (const place of crowd) {
    const crowded = total(weights(place));
    if (crowded > most) [best, most] = [place, crowded];
  }
  for (let step = 0; step < STEPS; step++) {
    const w = weights(best);
    best = [0, 1].map((axis) => crowd.reduce((sum, p, j) => sum + w[j] * p[axis], 0) / total(w));
  }
  return best;
}

export function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

// Lower triangle L of A = L L', A given by its lower triangle (d by d, row by row).
export function cholesky(A, d) {
  const L = Float64Array.from(A);
  for (let a = 0; a < d; a++) {
    for (let b = 0; b <= a; b++) {
      let sum = L[a * d + b];
      for (let c = 0; c < b; c++) sum -= L[a * d + c] * L[b * d + c];
      L[a * d + b] = a === b ? Math.sqrt(sum) : sum / L[b * d + b];
    }
  }
  return L;
}

// L^-1 y
export function forward(L, y) {
  const d = y.length;
  const z = Float64Array.from(y);
  for (let a = 0; a < d; a++) {
    for (let b = 0; b < a; b++) z[a] -= L[a * d + b] * z[b];
    z[a] /= L[a * d + a];
  }
  return z;
}

// (L L')^-1 y
export function solve(L, y) {
  const d = y.length;
  const z = forward(L, y);
  for (let a = d - 1; a >= 0; a--) {
    for (let b = a + 1; b < d; b++) z[a] -= L[b * d + a] * z[b];
    z[a] /= L[a * d + a];
  }
  return z;
}

function deviation(values) {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  return Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
}

// -log2 of each item's share of the ratings, with its mean and spread.
function selfInformation(popularity) {
  const total = popularity.reduce((sum, n) => sum + n, 0) + popularity.length;
  const values = Float64Array.from(popularity, (n) => -Math.log2((n + 1) / total));
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  return { values, mean, spread: deviation(values) };
}
