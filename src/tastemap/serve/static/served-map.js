// The map of the application: the items, neighbours and predictions come from the server.
import { element } from "./dom.js";
import { TasteMap } from "./map.js";

const root = document.querySelector(".map");
const { noun: singular, nouns: plural, aNoun: indefinite, oneCounted, counted, note } = root.dataset;
const noun = { singular, plural, indefinite };
const json = async (address) => (await fetch(address)).json();

const [data, own] = await Promise.all([json("/map/data"), json("/map/me")]);
let me = own;
const at = new Map(data.id.map((id, i) => [id, i]));
const near = new Map(); // what has been asked for once

async function card(i) {
  const answer = await fetch(`/map/card/${encodeURIComponent(data.id[i])}`);
  return shown(await answer.text());
}

// The card that an answer holds; page.js keeps what is said on it.
function shown(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").querySelector(".card");
  return document.adoptNode(fresh ?? element("p", {}, `This ${noun.singular} cannot be shown.`));
}

document.addEventListener("tastemap:kept", async () => {
  me = await json("/map/me");
  map.refresh();
});

const map = new TasteMap(root, {
  id: data.id, x: data.x, y: data.y, title: root.dataset.hasTitles ? data.title : data.title.map((id) => `${singular} ${id}`), year: data.year, genre: data.genre,
  genres: data.genres.map((row) => row.map((at) => data.genre_list[at])), genreNames: data.genre_names, genreList: data.genre_list, regions: data.regions,
  popularity: data.n_ratings, average: data.average_rating, preserved: data.preserved,
}, {
  near: async (i) => {
    if (!near.has(i)) near.set(i, await json(`/map/near/${encodeURIComponent(data.id[i])}`));
    return near.get(i).map(([id, similarity]) => ({ row: at.get(id), similarity }))
      .filter(({ row }) => row !== undefined);
  },
  open: card,
  predicted: root.dataset.hasRatings ? () => me.predicted_rating : undefined,
  you: () => ({ place: me.place && [me.place.x, me.place.y], trail: me.trail.map(({ x, y }) => [x, y]), rows: me.marked }),
  address: { start: `${location.pathname}#`, bare: location.pathname },
  noun, oneCounted, counted, note, hasTitles: Boolean(root.dataset.hasTitles),
});

window.tastemapMap = map;
map.restore(root.dataset.item || undefined);
addEventListener("hashchange", () => map.restore());
