// The map of the application: the items, neighbours and predictions come from the server.
import { element } from "./dom.js";
import { TasteMap } from "./map.js";
import { say, send } from "./page.js";

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
  return shown(await answer.text(), i);
}

// The card that an answer holds; its form rates without leaving the map.
function shown(html, i) {
  const fresh = new DOMParser().parseFromString(html, "text/html").querySelector(".card");
  const made = document.adoptNode(fresh ?? element("p", {}, `This ${noun.singular} cannot be shown.`));
  const form = made.querySelector("form");
  if (form) {
    form.action = `/map/card/${encodeURIComponent(data.id[i])}`;
    form.addEventListener("change", () => rate(form, i));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      rate(form, i, event.submitter);
    });
  }
  return made;
}

async function rate(form, i, submitter) {
  const { ok, html } = await send(form, submitter);
  if (!ok) {
    say("That did not work. Load the page again.");
    return;
  }
  me = await json("/map/me");
  document.querySelector(".count b").textContent = me.n_marked;
  say(submitter?.dataset.answer ?? "You have moved, and so have your predictions.");
  map.refresh();
  form.closest(".card").replaceWith(shown(html, i));
}

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
