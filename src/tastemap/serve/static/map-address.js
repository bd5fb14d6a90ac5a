// The view as a part of the address: what is seen, what is chosen, and what is left out.

const NAMES = ["x", "y", "zoom"];

// state: {x, y, zoom, item, colour, from, to, genres}; what is as at the start is left out.
export function addressOf({ x, y, zoom, item, colour, from, to, genres = [] }) {
  const fields = new URLSearchParams();
  if (x || y || zoom !== 1) Object.entries({ x, y, zoom }).forEach(([name, v]) => fields.set(name, String(Number(v.toPrecision(4)))));
  if (item !== undefined) fields.set("item", item);
  if (colour) fields.set("colour", colour);
  if (from !== undefined || to !== undefined) fields.set("years", `${from ?? ""}-${to ?? ""}`);
  genres.forEach((name) => fields.append("genre", name));
  return fields.toString();
}

// The state that an address holds; what is no number in it, or is missing, is left out.
export function stateOf(text) {
  const fields = new URLSearchParams(text);
  const number = (value) => (value && Number.isFinite(Number(value)) ? Number(value) : undefined);
  const state = Object.fromEntries(NAMES.map((name) => [name, number(fields.get(name))]));
  const [from, to] = (fields.get("years") ?? "").split("-").map(number);
  return { ...state, item: fields.get("item") ?? undefined, colour: fields.get("colour") ?? undefined, from, to,
    genres: fields.getAll("genre") };
}

// The part of this page's address that follows a beginning, such as "#" or "#/map?".
export const addressAfter = (start) => (location.hash.startsWith(start) ? location.hash.slice(start.length) : "");
