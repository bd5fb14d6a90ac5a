// Lists of items that are more than the best one by one: the rule of tastemap/kernels/reranking.py, with the same
// letters. Row numbers throughout.

// A list of k is picked from 10 k of the best items, at least 100, at most 4,096.
const [PLACES, SHORTEST, LONGEST] = [10, 100, 4096];
const COMPARED = 100; // so many of the most rated items tell how far similarities spread

export const shortlistLength = (k) => Math.max(Math.min(Math.max(PLACES * k, SHORTEST), LONGEST), k);

// The k items with the largest gain a z - b max s - d, one after the other, in the order of their
// scores. rows: a shortlist, the best first; scores: of every item; wishes: diversity, from 0 to 1, with
// likeness, (row) => similarities of every item with it, and spread, their standard deviation, by
// `spreadOf`; weight, from 0 to 1, with mix, of `Mix.towards`; cap, of `capped`. Each may be left out.
export function varied(rows, scores, k, { diversity = 0, likeness, spread = 0, weight = 0, mix = null, cap = null }) {
  const mean = rows.reduce((sum, i) => sum + scores[i], 0) / rows.length;
  const deviation = Math.sqrt(rows.reduce((sum, i) => sum + (scores[i] - mean) ** 2, 0) / rows.length);
  const z = rows.map((i) => (deviation > 0 ? (scores[i] - scores[rows[0]]) / deviation : 0));
  const [a, b] = [(1 - diversity) * (1 - weight), spread > 0 ? diversity / spread : 0];
  let nearest = rows.map(() => 0);
  const picks = [];
  while (picks.length < Math.min(k, rows.length)) {
    let [best, most] = [-1, -Infinity];
    z.forEach((value, j) => {
      if (picks.includes(j) || (cap && !cap.fits(rows[j]))) return;
      const gain = a * value - b * nearest[j] - (mix ? mix.rise(rows[j], picks.length) : 0);
      if (gain > most) [best, most] = [j, gain];
    });
    if (best < 0) break;
    cap?.add(rows[best]);
    mix?.add(rows[best]);
    if (b) {
      const similarities = likeness(rows[best]);
      const isFirst = !picks.length;
      nearest = rows.map((i, j) => (isFirst ? similarities[i] : Math.max(nearest[j], similarities[i])));
    }
    picks.push(best);
  }
  return picks.sort((x, y) => x - y).map((j) => rows[j]);
}

// The standard deviation of the similarities of the most rated items, which `frequency` counts.
export function spreadOf(frequency, likeness) {
  const rows = [...frequency.keys()].sort((i, j) => frequency[j] - frequency[i] || i - j).slice(0, COMPARED);
  const pairs = rows.flatMap((i, at) => {
    const similarities = likeness(i);
    return rows.slice(at + 1).map((j) => similarities[j]);
  });
  const mean = pairs.reduce((sum, s) => sum + s, 0) / pairs.length;
  return Math.sqrt(pairs.reduce((sum, s) => sum + (s - mean) ** 2, 0) / Math.max(pairs.length, 1));
}
