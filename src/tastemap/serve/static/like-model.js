// A model of likes in the browser: scores are sums over what a person likes, of which
// tastemap/serve/exported_likes.py writes the terms. Row numbers throughout.
import { assigned, decoded, MIN_SHARED_GENRES, RankedItems, shared } from "./model.js";

export class LikeModel extends RankedItems {
  // data: what tastemap/serve/exported_likes.py writes under "model".
  constructor(data) {
    super(decoded(data.popularity, Uint32Array), decoded(data.frequency, Uint32Array));
    this.ordered = data.ordered;
    this.terms = data.terms.map((term) => ({
      weights: decoded(term.weights, Int16Array), step: decoded(term.step, Float32Array),
      indptr: term.indptr && decoded(term.indptr, Uint32Array),
      columns: term.columns && decoded(term.columns, Uint32Array),
      placeWeights: term.place_weights, power: term.power,
      scale: term.scale && decoded(term.scale, Float32Array),
    }));
    this.neighbours = decoded(data.neighbours, Int32Array);
    this.similarity = decoded(data.similarity, Float32Array);
  }

  // What the like at a place, 1 for the latest, of n likes is multiplied by in a term.
  factor({ placeWeights, power }, place, n) {
    return (placeWeights ? placeWeights[place - 1] ?? 0 : 1) * n ** power;
  }

  // Scores (n,) of every item, from the rows of what is liked, the oldest first.
  score(liked) {
    const scores = new Float64Array(this.n);
    for (const term of this.terms) {
      const { weights, step, indptr, columns } = term;
      liked.forEach((row, at) => {
        const by = this.factor(term, liked.length - at, liked.length) * step[row];
        if (!by) return;
        const [start, end] = indptr ? [indptr[row], indptr[row + 1]] : [row * this.n, (row + 1) * this.n];
        for (let j = start; j < end; j++) scores[columns ? columns[j] : j - start] += by * weights[j];
      });
    }
    return scores;
  }

  // The weight of a pair in a term.
  weight({ weights, step, indptr, columns }, row, item) {
    if (!columns) return step[row] * weights[row * this.n + item];
    const at = columns.subarray(indptr[row], indptr[row + 1]).indexOf(item);
    return at < 0 ? 0 : step[row] * weights[indptr[row] + at];
  }

  // What each like adds to the score of an item, the largest first; those that add nothing left out.
  explain(liked, item) {
    const n = liked.length;
    return liked.map((row, at) => {
      const placesBack = n - at;
      const contribution = this.terms.reduce((sum, term) =>
        sum + this.factor(term, placesBack, n) * this.weight(term, row, item), 0);
      return { row, placesBack, contribution };
    }).filter((part) => part.contribution)
      .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
  }

  // For each item of a row the like that is its reason, or -1: one that adds to the score, and is
  // among the neighbours or shares two genres.
  reasons(liked, items, genres) {
    const parts = items.map((item) => new Map(this.explain(liked, item).map(({ row, contribution }) => [row, contribution])));
    const lifts = parts.map((part) => liked.map((row) => part.get(row) ?? 0));
    const isNear = (row, other) => this.similar(row, Infinity).some((s) => s.row === other);
    const possible = items.map((item, at) => liked.map((_, j) => j).filter((j) => lifts[at][j] > 0
      && ((this.ordered ? isNear(liked[j], item) : isNear(item, liked[j]))
        || shared(genres(item), genres(liked[j])) >= MIN_SHARED_GENRES)));
    return assigned(lifts, possible).map((j) => (j < 0 ? -1 : liked[j]));
  }

  // Similarities of an item with every item: of people going on to it, or mutual weights; null where
  // the terms do not say them.
  get likeness() {
    const [term] = this.terms;
    const { weights, step, scale, columns } = term;
    if (columns || (!this.ordered && !scale)) return null;
    const towards = (i, j) => step[i] * weights[i * this.n + j];
    if (scale) {
      return (i) => Float64Array.from({ length: this.n }, (_, j) => {
        const size = Math.sqrt(Math.abs(towards(i, j) * towards(j, i)) / (scale[i] * scale[j]));
        return Math.sign(towards(i, j)) * Math.min(size, 1);
      });
    }
    return (i) => {
      const most = weights.subarray(i * this.n, (i + 1) * this.n)
        .reduce((max, w, j) => (j === i ? max : Math.max(max, Math.abs(w))), 0) || 1;
      return Float64Array.from({ length: this.n }, (_, j) => (j === i ? 0 : weights[i * this.n + j] / most));
    };
  }

  // The items most similar to an item, or that people go on to.
  similar(item, k) {
    const size = this.neighbours.length / this.n;
    return [...this.neighbours.subarray(item * size, (item + 1) * size)]
      .map((row, at) => ({ row, similarity: this.similarity[item * size + at] }))
      .filter(({ row }) => row >= 0).slice(0, k);
  }
}
