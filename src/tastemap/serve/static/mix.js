// Lists in a mix like somebody's own, and within caps: the rule of tastemap/kernels/reranking.py, with the
// same letters. Row numbers throughout.

const [SMOOTHING, PSEUDO_LIKES] = [0.01, 2]; // of the shares of a list; likes of an average person

export class Mix {
  // genres: the names of each item; counts: how many like each, of whom an average person is made.
  constructor(genres, counts) {
    const names = [...new Set(genres.flatMap((list) => list ?? []))].sort();
    const place = new Map(names.map((name, g) => [name, g]));
    this.size = names.length + 1; // items without a genre share the last place
    this.ids = genres.map((list) => (list?.length ? [...new Set(list)].map((name) => place.get(name)) : [names.length]));
    const some = counts.some((n) => n > 0);
    this.average = new Float64Array(this.size);
    let total = 0;
    this.ids.forEach((ids, i) => {
      const n = some ? counts[i] : 1;
      for (const g of ids) this.average[g] += n / ids.length;
      total += n;
    });
    this.average = this.average.map((n) => (PSEUDO_LIKES * n) / total);
  }

  // Shares of the genres in what is liked, drawn towards the average.
  taste(liked) {
    const p = Float64Array.from(this.average);
    for (const i of liked) for (const g of this.ids[i]) p[g] += 1 / this.ids[i].length;
    return p.map((share) => share / (PSEUDO_LIKES + liked.length));
  }

  // What says how much an item costs that joins a list of k: (row, how many are in it) => a cost, and
  // `add`, which is told of each pick.
  towards(liked, weight, k) {
    const p = this.taste(liked);
    const q = new Float64Array(this.size);
    const { ids } = this;
    return {
      rise(i, filled) {
        const empty = k - filled - 1;
        return ids[i].reduce((sum, g) => {
          if (!(p[g] > 0)) return sum;
          const before = ((1 - SMOOTHING) * (q[g] + empty * p[g])) / k + SMOOTHING * p[g];
          return sum - k * weight * p[g] * Math.log(1 + ((1 - SMOOTHING) / ids[i].length / k) / before);
        }, 0);
      },
      add(i) { for (const g of ids[i]) q[g] += 1 / ids[i].length; },
    };
  }
}

// A cap: at most so many items of one genre. genres: the names of each item.
export function capped(genres, most) {
  const counts = new Map();
  const names = (i) => new Set(genres[i] ?? []);
  return {
    fits: (i) => [...names(i)].every((name) => (counts.get(name) ?? 0) < most),
    add(i) { for (const name of names(i)) counts.set(name, (counts.get(name) ?? 0) + 1); },
  };
}
