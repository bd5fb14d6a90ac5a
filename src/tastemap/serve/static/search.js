// Find titles by their words: any case, accents and order; the beginning of a word is enough; close
// spellings where none fits. The rules are those of tastemap/explore/search.py.

const ARTICLES = new Set(
  "a an the le la les l un une der die das el los il".split(" "));
const PLAIN = { ø: "o", æ: "ae", œ: "oe", ł: "l", đ: "d", ð: "d", þ: "th", ß: "ss" };

// The words of a title in plain small letters.
export function wordsOf(text) {
  return String(text).toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "")
    .replace(/[øæœłđðþß]/g, (c) => PLAIN[c]).replace(/&/g, " and ")
    .replace(/['’`*]|\.(?=[\p{L}\p{N}_](?![\p{L}\p{N}_]))/gu, "")
    .split(/[^\p{L}\p{N}]+/u).filter((word) => word);
}

// The genres that words name, and the other words; spoken: the genre that each way to name one means.
export function genresIn(words, spoken) {
  const named = new Set();
  const rest = [];
  for (let at = 0; at < words.length;) {
    const lengths = [3, 2, 1].filter((n) => at + n <= words.length);
    const n = lengths.find((length) => Object.hasOwn(spoken, words.slice(at, at + length).join("")));
    if (n) named.add(spoken[words.slice(at, at + n).join("")]);
    else rest.push(words[at]);
    at += n ?? 1;
  }
  return { named: [...named], rest };
}

export class TitleIndex {
  // written: titles that the data has in another form, by row; "Avventura, L'" of L'Avventura.
  constructor(titles, popularity, written = {}) {
    const most = Math.max(Math.log1p(popularity.reduce((a, b) => Math.max(a, b), 1)), 1);
    this.fame = Array.from(popularity, (n) => Math.log1p(n) / most);
    this.words = titles.map((title, row) => {
      const words = wordsOf(title);
      const joined = words.slice(1).map((word, at) => words[at] + word);
      return [...words, ...joined, ...(written[row] ? wordsOf(written[row]) : [])];
    });
    this.letters = titles.map((title) => {
      const words = wordsOf(title.replace(/\s*\(\d{4}\)$/, ""));
      const named = words.filter((word) => !ARTICLES.has(word));
      return Math.max(1, (named.length ? named : words).join("").length);
    });
  }

  // Rows of the titles that hold every word of the query, best first; if there are none, and if
  // asked for, of those spelt alike, which are guesses.
  search(query, k, spelling = true) {
    const words = wordsOf(query);
    const named = words.filter((word) => !ARTICLES.has(word));
    const asked = named.length ? named : words;
    if (!asked.length) return { rows: [], areGuesses: false };
    const letters = asked.join("").length;
    let found = [];
    this.words.forEach((own, row) => {
      if (!asked.every((word) => own.some((other) => other.startsWith(word)))) return;
      const exact = asked.every((word) => own.includes(word));
      found.push({ row, exact, score: Math.min(letters / this.letters[row], 1) });
    });
    const areGuesses = !found.length && spelling;
    if (areGuesses) found = this.speltLike(asked);
    const relevance = ({ row, exact, score }) => (exact && score === 1 ? 2 + this.fame[row]
      : ((score + this.fame[row]) / 2) * (exact ? 1 : 0.75));
    found.sort((a, b) => relevance(b) - relevance(a) || a.row - b.row);
    return { rows: found.slice(0, k).map((one) => one.row), areGuesses: areGuesses && found.length > 0 };
  }

  // Titles with words that share most pairs of letters with those of the query.
  speltLike(asked) {
    const pairs = asked.map(pairsOf);
    const found = [];
    this.words.forEach((own, row) => {
      const alike = pairs.map((mine) => Math.max(0, ...own.map((word) => dice(mine, pairsOf(word)))));
      const score = alike.reduce((sum, v) => sum + v, 0) / alike.length;
      if (score >= 0.5) found.push({ row, exact: false, score });
    });
    return found;
  }
}

function pairsOf(word) {
  const padded = ` ${word} `;
  return new Set(Array.from({ length: padded.length - 1 }, (_, at) => padded.slice(at, at + 2)));
}

function dice(a, b) {
  let shared = 0;
  for (const pair of a) shared += b.has(pair);
  return (2 * shared) / (a.size + b.size);
}
