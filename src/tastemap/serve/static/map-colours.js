// The colours of the points. Each stands out from the ground by 3 to 1 or more, and any two of a
// palette differ for people who see red and green alike, too.

const VIRIDIS = ["#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779",
  "#6ece58", "#b5de2b", "#fde725"].map(rgb);
// The half of viridis that is read on a light ground, from pale to dark, and the one for a dark
// ground, from dim to bright: what is much stands out on both.
const ON_PAPER = VIRIDIS.slice(0, 6).reverse();
const ON_NIGHT = VIRIDIS.slice(4);
// Of Okabe and Ito's colours those that are dark enough, and for a dark ground those that are light
// enough, with others of Tol's between.
const GENRES_ON_PAPER = ["#0072B2", "#D55E00", "#009E73", "#882255", "#5e3c00", "#332288", "#222222"];
const GENRES_ON_NIGHT = ["#3d9fe0", "#ff8a3d", "#2fc79a", "#9bd8ff", "#f7f3a0", "#b05a2a", "#e6e9ed"];

export const isDark = () => matchMedia("(prefers-color-scheme: dark)").matches;
export const genreColours = () => (isDark() ? GENRES_ON_NIGHT : GENRES_ON_PAPER);
export const otherColour = () => (isDark() ? "#7d8894" : "#86909b");
export const stops = () => (isDark() ? ON_NIGHT : ON_PAPER);
// Of points that a filter leaves out.
const ghostColour = () => (isDark() ? "#2c343c" : "#e6e9ec");

export function rgb(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

function along(scale, share) {
  const at = Math.min(Math.max(share, 0), 1) * (scale.length - 1);
  const low = Math.min(Math.floor(at), scale.length - 2);
  return scale[low].map((c, i) => Math.round(c + (at - low) * (scale[low + 1][i] - c)));
}

// Colours (3 n bytes) of the points: by genre, or along a scale between the `ends` of a column.
export function colouring(items, column, predicted) {
  const n = items.x.length;
  const colours = new Uint8Array(3 * n);
  const grey = rgb(otherColour());
  if (column === "genre") {
    const palette = genreColours().map(rgb);
    const of = new Map(items.genreNames.map((name, at) => [name, palette[at]]));
    for (let i = 0; i < n; i++) colours.set(of.get(items.genre[i]) ?? grey, 3 * i);
    return { colours };
  }
  const values = column === "predicted" ? predicted : items[column];
  const measured = column === "popularity" ? (value) => Math.log10(Math.max(value, 1)) : (value) => value;
  const isKnown = (value) => value !== null && !Number.isNaN(value);
  const sorted = Float64Array.from(values.filter(isKnown)).sort();
  const within = column === "popularity" ? [0, 1] : [0.05, 0.95];
  const [low, high] = within.map((share) => sorted[Math.round(share * (sorted.length - 1))] ?? 0);
  const [from, to] = [measured(low), measured(high)];
  const scale = stops();
  for (let i = 0; i < n; i++) {
    colours.set(isKnown(values[i]) ? along(scale, (measured(values[i]) - from) / (to - from || 1)) : grey, 3 * i);
  }
  return { colours, ends: [low, high] };
}

// The same, with what is not shown as a ghost.
export function ghosted(colours, shown) {
  const ghost = rgb(ghostColour());
  shown.forEach((is, i) => { if (!is) colours.set(ghost, 3 * i); });
  return colours;
}
