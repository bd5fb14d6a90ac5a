// A model of biases and factors in the browser: the closed forms of tastemap/models/factors.py,
// with the same letters. Row numbers throughout; ids and titles belong to the page.

const KNOWN_TO_MANY = 400; // so many of the most rated items are looked at for the next to rate
const [NEAREST, NEAR, STEPS] = [25, 0.05, 20]; // of `placeAmid`

// Base64 of little-endian numbers as a typed array.
export function decoded(text, Numbers) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at++) bytes[at] = letters.charCodeAt(at);
  return new Numbers(bytes.buffer);
}

// Items that are ranked by scores: what models of ratings and of likes share.
export class RankedItems {
  // popularity: how many know each item; frequency: how often each is in the data.
  constructor(popularity, frequency = popularity) {
    this.popularity = popularity;
    this.n = popularity.length;
    this.information = selfInformation(frequency);
  }

  // Scores to rank by: predictions, and a bonus for the little known (or the well known).
  ranking(scores, novelty) {
    if (!novelty || !this.information.spread) return scores;
    const { values, mean, spread } = this.information;
    const weight = (novelty * deviation(scores)) / spread;
    return scores.map((score, i) => score + weight * (values[i] - mean));
  }

  // Rows of the k highest scores among those allowed, best first; ties go to the lower row.
  top(scores, allowed, k) {
    const rows = [];
    for (let i = 0; i < this.n; i++) if (allowed(i)) rows.push(i);
    return rows.sort((a, b) => scores[b] - scores[a] || a - b).slice(0, k);
  }
}

export class FactorModel extends RankedItems {
  // data: what tastemap/serve/export.py writes under "model".
  constructor(data) {
    super(decoded(data.popularity, Uint32Array));
    this.mean = data.global_mean;
    this.scale = data.scale;
    this.size = data.size; // 1 + f
    this.X = decoded(data.item_weights, Float32Array); // rows (b_i, q_i)
    this.middle = decoded(data.average_item, Float32Array);
    this.prior = decoded(data.prior_mean, Float64Array);
    this.P = decoded(data.prior_precision, Float64Array);
    this.growth = data.prior_growth && decoded(data.prior_growth, Float64Array);
    this.exponent = data.prior_exponent; // a part of the penalty grows with n to this power
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
    return { weights, scores, cautious: scores };
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

  // For each item, the rating that lifts it most above the average item: its place among the rated
  // rows, or -1 where none does; one above the middle of the scale before any other.
  lifted(rows, ratings, items) {
    if (!rows.length) return items.map(() => -1);
    return this.lifts(rows, ratings, items).map((lifts, at) => {
      let [best, most] = [-1, 0];
      lifts.forEach((lift, j) => {
        if (lift <= 0.005 || rows[j] === items[at]) return;
        const said = lift + (ratings[j] > (this.scale.lowest + this.scale.highest) / 2 ? 1e6 : 0);
        if (said > most) [best, most] = [j, said];
      });
      return best;
    });
  }

  // How far each rating lifts each item above the average one.
  lifts(rows, ratings, items) {
    const { L, X, residual } = this.design(rows, ratings);
    const moves = X.map((x, j) => solve(L, x).map((v) => v * residual[j]));
    return items.map((item) => {
      const beyond = this.row(item).map((v, a) => (a ? v - this.middle[a] : 0));
      return moves.map((move) => dot(beyond, move));
    });
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

  // Cosine of the factors of one item with every item; null where there are no factors.
  cosines(item) {
    const d = this.size;
    if (d === 1) return null;
    this.norms ??= Float64Array.from({ length: this.n }, (_, i) => this.length(i));
    const q = this.X.subarray(item * d + 1, (item + 1) * d);
    return this.cosinesWith(q, this.norms[item]);
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

  length(i) {
    let sum = 0;
    for (let a = 1; a < this.size; a++) sum += this.X[i * this.size + a] ** 2;
    return Math.sqrt(sum);
  }

  // The k items most similar to an item, that have been rated by somebody.
  similar(item, k) {
    const cosines = this.cosines(item);
    if (!cosines) return [];
    const rows = this.top(cosines, (i) => i !== item && this.popularity[i] > 0, k);
    return rows.map((row) => ({ row, similarity: cosines[row] }));
  }
}

// Where a person stands on the map: amid the densest part of the items that point their way (mean
// shift), as tastemap/serve/people.py has it. places: [x, y] of each item on the map; cosines: of
// the person's factors with each.
export function placeAmid(places, cosines) {
  const order = places.map((_, at) => at).sort((a, b) => cosines[b] - cosines[a] || a - b);
  const crowd = order.slice(0, NEAREST).map((at) => places[at]);
  const extent = [0, 1].map((axis) => places.reduce(([low, high], p) =>
    [Math.min(low, p[axis]), Math.max(high, p[axis])], [Infinity, -Infinity]));
  const width = Math.max(...extent.map(([low, high]) => high - low), 1e-9) * NEAR;
  const weights = ([x, y]) => crowd.map(([a, b]) => Math.exp(-((a - x) ** 2 + (b - y) ** 2) / (2 * width ** 2)));
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
function forward(L, y) {
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
