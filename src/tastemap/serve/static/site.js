// The exported site: the whole application in the browser, from one file of data. Pages are parts
// of the address after "#"; ratings stay in the browser's own storage.
import { gauge, histogram, push } from "./charts.js";
import { cover } from "./covers.js";
import { counted, element, labelOf, saveCsv } from "./dom.js";
import { links } from "./links.js";
import { TasteMap } from "./map.js";
import { around, controlsOf, focusOn, hintOf, listen, offScale, paint } from "./marks.js";
import { capped, Mix } from "./mix.js";
import { decoded, FactorModel, placeAmid } from "./model.js";
import { Notice } from "./notice.js";
import { PosteriorModel } from "./posterior.js";
import { Renewal } from "./renew.js";
import { TitleIndex, genresIn, wordsOf } from "./search.js";
import { starAnswer, stars } from "./stars.js";
import { shortlistLength, spreadOf, varied } from "./varied.js";

export const PER_ROW = 8;
// "Hidden gems": so many ratings are enough to tell, or a third of the most of the long tail; at the
// novelty below.
const [ENOUGH, PARTS_OF_TAIL, SURPRISING] = [30, 3, 1];
const TRAIL = 6; // places on the map before the present one
const [ALMOST_EVERYBODY, WITNESSES] = [0.85, 20]; // of a note
const GROWTH = 8; // of a shortlist that a cap leaves short
const YOURS = 0.25; // "more you than others": of this share of the highest predictions
const REASONED = ["top-picks", "more-yours", "loved-by-few"]; // rows whose cards say why they are there

export class Site {
  constructor(data) {
    this.data = data;
    this.items = data.items;
    this.noun = data.noun;
    if (!data.hasTitles) this.items.title = this.items.id.map((id) => `${this.noun.singular} ${id}`);
    this.words = { ...data.words, oneCounted: data.words.one_counted };
    for (const name of ["ink", "shape"]) this.items[name] = decoded(this.items[name], Uint8Array);
    this.model = this.modelOf(data);
    this.items.popularity = this.model.popularity;
    this.model.placeholders = new Set(this.items.placeholders);
    const labels = this.items.id.map((_, i) => labelOf(this.items, i));
    this.index = new TitleIndex(labels, this.model.popularity, this.items.written);
    this.rowById = new Map(this.items.id.map((id, i) => [id, i]));
    this.key = `tastemap ${data.fingerprint}`;
    this.ratings = new Map(this.stored());
    this.asked = { q: "", genre: "", from: "", to: "", least: "", novelty: 0, diversity: 0, mix: 0, most: "" };
    this.main = document.querySelector("main");
    this.renewal = new Renewal(this.main);
    this.notice = new Notice(document.querySelector(".toast"), () => this.renewal.release());
    listen({
      set: (control, mark) => this.rate(this.rowById.get(control.dataset.item), mark, control),
      hint: (control) => this.notice.say(hintOf(control), { beside: around(control) }),
      refuse: (control) => this.notice.say(offScale(control), { beside: around(control) }),
    });
    addEventListener("hashchange", () => this.show(true));
    addEventListener("storage", (event) => { if (event.key === this.key || event.key === null) this.follow(); });
    this.show();
  }

  modelOf(data) {
    this.items.histogram = decoded(data.items.histogram, Uint32Array);
    this.scale = { ...data.model.scale };
    return data.model.draws ? new PosteriorModel(data.model) : new FactorModel(data.model);
  }

  // ---- the person ----

  isMark(rating) { return rating >= this.scale.lowest && rating <= this.scale.highest; }

  stored() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.key) ?? "[]");
      return kept.map(([id, rating]) => [this.rowById.get(id), rating])
        .filter(([row, rating]) => row !== undefined && this.isMark(rating));
    } catch {
      return [];
    }
  }

  keep() {
    const kept = [...this.ratings].map(([row, rating]) => [this.items.id[row], rating]);
    try {
      localStorage.setItem(this.key, JSON.stringify(kept));
    } catch { /* a browser that keeps nothing: the ratings last as long as the page */ }
  }

  get rows() { return [...this.ratings.keys()]; }

  get values() { return [...this.ratings.values()]; }

  // The person in the model, computed anew after each rating.
  get person() {
    this.folded ??= this.model.person(this.rows, this.values);
    return this.folded;
  }

  // Where the person stands on the map, or stood after the first n ratings.
  here(n = this.ratings.size) {
    if (!this.data.map) return null;
    const middle = (this.model.scale.lowest + this.model.scale.highest) / 2;
    const liked = [...this.ratings].slice(0, n).filter(([, value]) => value > middle);
    const { row, x, y } = this.data.map;
    const counts = this.model.crowd([...row], new Map(liked.map(([item, value]) => [item, value - middle])));
    return counts.some((count) => count > 0) ? placeAmid([...row].map((_, at) => [x[at], y[at]]), counts) : null;
  }

  // The person on the map: their place, the last ones before it, and what they have rated.
  get onTheMap() {
    const n = this.ratings.size;
    const before = Math.min(TRAIL, Math.max(n - 1, 0));
    const way = Array.from({ length: before + 1 }, (_, at) => this.here(n - before + at));
    const place = way.pop();
    const trail = way.filter((step, at) => step && String(step) !== String(way[at + 1] ?? place));
    return { place, trail, rows: this.rows.map((row) => this.placeOnMap.get(row)).filter((at) => at !== undefined) };
  }

  // Set or take back a mark, in the control where it was said; the rest of the page comes in around it.
  rate(row, value, control = null) {
    const title = labelOf(this.items, row);
    const [previous, before] = [new Map(this.ratings), this.ratings.get(row) ?? null];
    if (control) this.renewal.hold(control);
    this.set(row, value);
    this.changed([row]);
    const undo = () => {
      this.ratings = previous;
      this.changed([row]);
      this.say(before === null ? `Undone: ${title} is as it was.` : `Undone. ${this.answer(title, before, value)}`);
      focusOn(control?.isConnected ? control : controlsOf(this.items.id[row])[0]);
    };
    this.notice.say(`${this.answer(title, value, before)} ${this.words.changed}`.trim(), { undo, beside: control && around(control) });
  }

  // Keep the marks, and show them where they are shown.
  changed(rows, isKept = false) {
    this.folded = undefined;
    if (!isKept) this.keep();
    for (const row of rows) controlsOf(this.items.id[row]).forEach((control) => paint(control, this.ratings.get(row) ?? null));
    if (this.map && this.page === "map") {
      this.count();
      this.map.refresh();
    } else this.show(false, true);
  }

  // Another tab has changed the marks.
  follow() {
    const rows = this.rows;
    this.ratings = new Map(this.stored());
    this.changed([...new Set([...rows, ...this.rows])], true);
  }

  set(row, value) {
    if (value === null) this.ratings.delete(row);
    else this.ratings.set(row, value);
  }

  answer(title, value) { return starAnswer(title, value); }

  say(text) { this.notice.say(text); }

  // ---- pages ----

  // The page of the address; `isRenewed` says that it stands already, and what has changed comes in.
  show(moved = false, isRenewed = false) {
    this.isRenewed = isRenewed;
    const [, page = "", argument = ""] = /^#\/(\w*)\/?([^?]*)/.exec(location.hash) ?? [];
    const pages = { "": "discover", item: "item", film: "item", map: "mapPage", you: "you", model: "about" };
    this.page = pages[page] ? page : "";
    this.main.className = ["you", "model"].includes(this.page) ? "narrow" : "";
    document.querySelectorAll(".top nav a").forEach((link) => {
      if (link.hash === `#/${this.page}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    });
    this.count();
    this[pages[this.page]](decodeURIComponent(argument));
    if (!moved) return;
    scrollTo(0, 0);
    this.main.focus({ preventScroll: true });
  }

  count() {
    document.querySelector(".count").replaceChildren(element("b", {}, String(this.nMarked)), ` ${this.marked}`);
  }

  get nMarked() { return this.ratings.size; }

  get marked() { return "rated"; }

  fill(title, ...parts) {
    document.title = `${title} · ${this.data.name}`;
    const shown = parts.filter((part) => part);
    if (this.isRenewed) {
      this.renewal.take(element("div", {}, ...shown));
      return;
    }
    this.renewal.drop();
    this.main.replaceChildren(...shown);
  }

  discover() {
    const results = element("div", { "data-swap": "results" }, ...this.found());
    this.fill("Discover",
      element("h1", {}, "What will you like?"),
      element("p", { class: "lead", "data-swap": "lead" }, this.ratings.size ? this.words.live : this.words.first),
      this.filters(), results);
  }

  filters() {
    const { asked } = this;
    const field = (name, label, properties, kind = "input") => {
      const box = element(kind, { ...properties, value: String(asked[name]) });
      box.addEventListener("input", () => { asked[name] = box.value; this.fillResults(); });
      return element("label", { class: properties.class ?? "" }, label, box);
    };
    const genres = element("select", {}, element("option", { value: "" }, "all"),
      ...this.items.genreList.map((name) => element("option", { value: name, selected: name === asked.genre }, name)));
    genres.addEventListener("change", () => { asked.genre = genres.value; this.fillResults(); });
    const slide = (name, low, high, min, kind = "slide") => {
      const slider = element("input", { type: "range", min, max: "1", step: "0.1", value: String(asked[name]), "aria-label": `From ${low} to ${high}` });
      slider.addEventListener("input", () => { asked[name] = Number(slider.value); this.fillResults(); });
      return element("div", { class: kind }, element("span", { class: "quiet" }, element("span", {}, low), element("span", {}, high)), slider);
    };
    const form = element("form", { class: "filters", role: "search" },
      field("q", this.data.hasTitles ? "Search" : "Search by id", { type: "search", placeholder: this.searched, class: "grow", autocomplete: "off" }),
      this.items.genreList.length ? element("label", {}, "Genre", genres) : null,
      slide("novelty", "familiar", "surprising", "-1"), this.model.likeness ? slide("diversity", "alike", "varied", "0") : null,
      ...(this.items.genreList.length ? [slide("mix", "the best", "my mix of genres", "0", "slide mix"), this.caps()] : []),
      ...(this.hasYears ? [field("from", "From year", { type: "number" }), field("to", "to year", { type: "number" })] : []),
      field("least", `At least … ${this.words.counted}`, { type: "number", min: "0" }));
    form.addEventListener("submit", (event) => event.preventDefault());
    return form;
  }

  // At most how many of one genre, and the way back to lists without a mix and a cap.
  caps() {
    const { asked } = this;
    const options = ["", "1", "2", "3"].map((n) => element("option", { value: n, selected: n === asked.most }, n ? `${n} of one genre` : "any number"));
    const box = element("select", {}, ...options);
    box.addEventListener("change", () => { asked.most = box.value; this.fillResults(); });
    return element("label", { class: "mix" }, "At most", box);
  }

  // What the mix of the lists is, and the way back.
  mixed() {
    const { mix, most } = this.asked;
    const words = [mix ? "a mix of genres like your own" : "", most ? `at most ${most} of one genre` : ""].filter(Boolean);
    if (!words.length) return null;
    const reset = element("button", { class: "small", type: "button" }, "Reset the mix");
    reset.addEventListener("click", () => { Object.assign(this.asked, { mix: 0, most: "" }); this.discover(); });
    return element("p", { class: "note" }, `Your picks have ${words.join(" and ")}. `, reset);
  }

  get hasYears() { return this.items.year.some((year) => year !== null); }

  // What a search looks for, in words.
  get searched() {
    return [this.data.hasTitles ? "title" : "id", this.hasYears && "year", this.items.genreList.length && "genre"]
      .filter(Boolean).join(", ");
  }

  fits(i) {
    const { genre, from, to, least } = this.asked;
    const year = this.items.year[i];
    return !this.model.placeholders.has(i) && (!genre || (this.items.genres[i] ?? []).includes(genre))
      && (!from || (year !== null && year >= Number(from))) && (!to || (year !== null && year <= Number(to)))
      && this.model.popularity[i] >= Number(least || 0);
  }

  // The k best items for the person: rows in order; varied, if that is wanted and can be.
  recommend(k, allowed = () => true, scores = this.person.scores, novelty = this.asked.novelty) {
    // Of whom nothing is known there is nothing to be cautious of.
    const isSure = this.ratings.size > 0 && scores === this.person.scores && this.model.caution;
    const ranking = isSure ? this.model.ranking(this.person.cautious, novelty, this.model.shrinkage, scores)
      : this.model.ranking(scores, novelty);
    return this.listed(ranking, (i) => !this.ratings.has(i) && this.fits(i) && allowed(i), k);
  }

  // The k best of some items in an order: varied, in the person's own mix of genres, within a cap.
  listed(ranking, allowed, k) {
    const { likeness } = this.model;
    const { genres } = this.items;
    const diversity = likeness ? this.asked.diversity : 0;
    const weight = this.liked.length ? this.asked.mix : 0; // else nothing is known of a taste
    const most = Number(this.asked.most || 0);
    if (!(diversity || weight || most)) return this.model.top(ranking, allowed, k);
    if (diversity) this.spread ??= spreadOf(this.model.frequency, likeness);
    if (weight) this.mix ??= new Mix(genres, this.items.likes ?? this.model.popularity);
    for (let size = shortlistLength(k); ; size *= GROWTH) {
      const rows = this.model.top(ranking, allowed, size);
      if (!rows.length) return rows;
      const picks = varied(rows, ranking, k, { diversity, likeness, spread: this.spread, weight,
        mix: weight ? this.mix.towards(this.liked, weight, k) : null, cap: most ? capped(genres, most) : null });
      if (picks.length === k || rows.length < size) return picks;
    }
  }

  // What the person likes, as lists are calibrated to it.
  get liked() { return this.rows.filter((row) => this.ratings.get(row) >= this.scale.liked_from); }

  // Titles that hold the words, then items of a genre that is named and hold the others; the rules
  // are those of tastemap/serve/model/catalogue.py.
  search(q) {
    const { named, rest } = genresIn(wordsOf(q), this.items.genreWords);
    const titles = this.index.search(q, 400, !named.length);
    if (!named.length) return titles;
    const fits = (i) => !titles.rows.includes(i) && named.every((name) => (this.items.genres[i] ?? []).includes(name));
    const others = rest.length ? this.index.search(rest.join(" "), 400, false).rows.filter(fits)
      : this.model.top(this.model.popularity, fits, 400);
    return { rows: [...titles.rows, ...others], areGuesses: false };
  }

  // What is searched for, or the rows of the first page.
  found() {
    const q = this.asked.q.trim();
    if (!q) return [this.mixed(), ...this.shelves()].filter(Boolean);
    const { rows: all, areGuesses } = this.search(q);
    const rows = all.filter((i) => this.fits(i)).slice(0, 40);
    const heading = !rows.length ? `Nothing found for “${q}”`
      : areGuesses ? `Nothing is called “${q}”. Spelt alike:` : `Found for “${q}”`;
    return [this.shelf("found", heading, "", rows, false)];
  }

  fillResults() {
    this.renewal.drop();
    this.main.querySelector("[data-swap=results]").replaceChildren(...this.found());
  }

  // The rows of the first page.
  shelves() {
    const unrated = (i) => !this.ratings.has(i) && this.fits(i);
    const some = this.ratings.size > 0;
    const known = some ? this.person.scores : Float64Array.from(this.items.damped);
    const picks = this.recommend(PER_ROW, () => true, known);
    const { tail } = this.model;
    const few = (i) => this.model.popularity[i] >= Math.min(ENOUGH, Math.floor(tail / PARTS_OF_TAIL))
      && this.model.popularity[i] <= tail && this.items.damped[i] >= this.data.mean_rating && !picks.includes(i);
    return [
      this.shelf("top-picks", some ? "Top picks for you" : "Highest rated",
        some ? "From your ratings." : "By everybody’s ratings; rate something, and the picks are yours.", picks),
      ...(some && this.model.size > 1 ? [this.shelf("more-yours", "More you than others",
        "What you would like, and like more than people do.", this.moreYours(known, picks))] : []),
      this.shelf("rate-next", "Rate these next", "Known to many, and what you say of them would tell most about you.",
        this.model.rateNext(this.rows, unrated, PER_ROW)),
      this.shelf("popular", "Popular", "The most rated.", this.model.top(this.model.popularity, unrated, PER_ROW)),
      this.shelf("loved-by-few", "Hidden gems", "Liked as much as they are little known.",
        this.recommend(PER_ROW, few, known, SURPRISING))];
  }

  // Of the items with the highest predictions, but no picks, those that others like less.
  moreYours(scores, picks) {
    const n = Math.max(Math.floor(YOURS * scores.length), 1);
    const least = [...scores].sort((a, b) => b - a)[n - 1];
    const fits = (i) => scores[i] >= least && this.model.popularity[i] > 0 && !picks.includes(i)
      && !this.ratings.has(i) && this.fits(i);
    return this.model.top(this.model.relative(scores), fits, picks.length);
  }

  shelf(name, title, note, rows, slides = true) {
    const why = this.ratings.size && REASONED.includes(name) ? this.whys(rows) : [];
    const cards = rows.map((i, at) => this.card(i, why[at]));
    return element("section", { "aria-label": title, id: `row-${name}`, "data-swap": `row-${name}` }, element("h2", {}, title),
      note ? element("p", { class: "note" }, note) : null,
      element("ul", { class: slides ? "shelf slides" : "shelf" }, ...cards));
  }

  // why: why an item is recommended, or nothing.
  card(i, why = null, tag = "li") {
    const { items } = this;
    const year = items.year[i] ? element("span", { class: "year" }, ` ${items.year[i]}`) : null;
    const link = element("a", { href: `#/item/${encodeURIComponent(items.id[i])}` }, items.title[i]);
    return element(tag, { class: "card", "data-item": items.id[i] },
      this.cover(i), element(tag === "li" ? "h3" : "h2", {}, link, year), element("p", { class: "meta" }, this.meta(i)),
      this.guess(i), why, this.control(i));
  }

  cover(i) {
    const { title, year, ink, shape } = this.items;
    return cover(title[i], year[i], ink[i], shape[i], this.data.covers);
  }

  meta(i) {
    const average = this.items.average[i] === null ? "" : ` · average ${this.items.average[i].toFixed(1)}`;
    return `${(this.items.genres[i] ?? []).slice(0, 3).join(", ")}${average} · ${counted(this.model.popularity[i], this.words)}`.replace(/^ · /, "");
  }

  guess(i) {
    if (!this.ratings.size) return null;
    const value = this.model.clip(this.person.scores[i]);
    return element("p", { class: "guess", "data-predicted": String(value) }, gauge(value, this.scale),
      element("b", {}, value.toFixed(1)), "predicted");
  }

  // Why each item of a row is there: a rating of the person's own, or what is true of it, or null.
  whys(rows) {
    const genres = (i) => this.items.genres[i] ?? [];
    return this.model.reasons(this.rows, this.values, rows, genres).map((best, at) => {
      if (best >= 0) {
        return element("p", { class: "why" }, "because of your ", element("span", { class: "own" }, String(this.values[best])),
          ` for ${this.items.title[this.rows[best]]}`);
      }
      const note = this.note(rows[at]);
      return note && element("p", { class: "why" }, note);
    });
  }

  // What almost everybody says of an item who has rated it.
  note(i) {
    const { levels, lowest, highest } = this.scale;
    if (!levels || this.model.popularity[i] < WITNESSES) return null;
    const counts = this.items.histogram.subarray(i * levels.length, (i + 1) * levels.length);
    const likes = levels.filter((level) => level > (lowest + highest) / 2);
    const n = counts.subarray(levels.length - likes.length).reduce((sum, count) => sum + count, 0);
    if (n < ALMOST_EVERYBODY * this.model.popularity[i]) return null;
    return `almost everybody gives it ${likes[0]}${likes.length > 1 ? " or more" : ""}`;
  }

  control(i) { return stars(this.scale, this.ratings.get(i), labelOf(this.items, i), this.items.id[i]); }

  item(id) {
    const i = this.rowById.get(id);
    if (i === undefined) {
      this.fill("Not found", element("h1", {}, `No such ${this.noun.singular}`), element("p", {}, element("a", { href: "#/" }, `To the ${this.noun.plural}`)));
      return;
    }
    const { items } = this;
    const facts = [["genres", (items.genres[i] ?? []).join(", ")], ...this.factsOf(i)].filter(([, value]) => value);
    const elsewhere = this.links(i);
    const similar = this.model.similar(i, 10);
    this.fill(labelOf(items, i),
      element("div", { class: "face" }, this.cover(i),
        element("h1", {}, items.title[i], items.year[i] ? element("span", { class: "year" }, ` ${items.year[i]}`) : null)),
      this.control(i),
      element("div", { class: "two", "data-swap": "item" },
        element("div", {}, this.panel(i)),
        element("div", {},
          element("dl", { class: "facts" }, ...facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
            ...(elsewhere.length ? [element("dt", {}, "elsewhere"), element("dd", {}, ...elsewhere)] : [])),
          this.picture(i), ...(similar.length ? this.similarHeading() : []),
          element("ul", { class: "plain" }, ...similar.map(({ row, similarity }) => element("li", {},
            element("a", { href: `#/item/${encodeURIComponent(items.id[row])}` }, labelOf(items, row)),
            element("span", { class: "quiet number", "data-similarity": String(similarity) }, similarity.toFixed(2))))),
          this.placeOnMap?.has(i) ? element("p", {}, element("a", { href: `#/map/${encodeURIComponent(id)}` }, "Show it on the map")) : null)));
  }

  links(i) {
    const ids = Object.fromEntries(Object.entries(this.items.ids).map(([column, values]) => [column, values[i]]));
    return links(this.data.sites, this.data.hasTitles ? this.items.title[i] : "", this.items.year[i], ids);
  }

  factsOf(i) {
    return [["ratings", this.model.popularity[i].toLocaleString("en")], ["average", this.items.average[i]?.toFixed(2)]];
  }

  // How often each rating was given to an item.
  picture(i) {
    const { levels } = this.scale;
    const counts = levels ? [...this.items.histogram.subarray(i * levels.length, (i + 1) * levels.length)] : [];
    return counts.length && this.model.popularity[i] ? histogram(levels, counts, this.ratings.get(i)) : null;
  }

  similarHeading() { return [element("h2", {}, `Similar ${this.noun.plural}`)]; }

  panel(i) {
    if (!this.ratings.size) {
      return element("div", { class: "panel" }, element("h2", {}, "Your predicted rating"),
        element("p", {}, `Rate ${this.noun.indefinite}, this one or another, and a prediction stands here, with its reasons.`));
    }
    const parts = this.model.explain(this.rows, this.values, i);
    const total = parts.reduce((sum, part) => sum + part.contribution, 0);
    return element("div", { class: "panel" }, element("h2", {}, "Your predicted rating"),
      element("p", { class: "big" }, total.toFixed(2), element("small", {}, ` of ${this.scale.highest}`)),
      ...this.certainty(i, total),
      element("h3", { id: "why" }, "Why"), this.reasons(parts, i, total));
  }

  // How probable each rating is, or how far a prediction is from the rating on the average.
  certainty(i, predicted) {
    const probabilities = this.model.distribution(this.person, i);
    if (probabilities) {
      return [element("p", { class: "note" }, "How probable each rating is, by the model:"),
        histogram(this.scale.levels, probabilities, null, "model", "Your rating, by the model")];
    }
    const error = this.data.metrics.rmse ?? this.data.metrics.test_rmse;
    return [element("p", { class: "guess" }, gauge(predicted, this.scale, error ?? 0),
      error ? `give or take ${error.toFixed(2)}, the typical error on test ratings` : "")];
  }

  reasons(parts, item, total) {
    const names = { "global mean": "average of all ratings", "item bias": `how this ${this.noun.singular} is liked beyond it`,
      "average user": "what the average person adds", "your ratings together": "your ratings together", "kept inside the scale": "kept inside the scale" };
    const most = Math.max(...parts.filter((p) => p.part !== "global mean").map((p) => Math.abs(p.contribution)));
    const rows = parts.map((part) => {
      const name = part.row === undefined ? names[part.part] : element("span", {}, "your ",
        element("span", { class: "own" }, String(part.rating)), " for ",
        element("a", { href: `#/item/${encodeURIComponent(this.items.id[part.row])}` }, labelOf(this.items, part.row)));
      const without = part.row === undefined ? "" : this.model.without(this.rows, this.values, part.row, item).toFixed(2);
      return element("tr", { "data-part": part.part, "data-contribution": String(part.contribution) },
        element("td", {}, name), element("td", { class: "direction" }, part.part === "global mean" ? "" : push(part.contribution, most)),
        element("td", { class: "number" }, signed(part.contribution)), element("td", { class: "number quiet" }, without));
    });
    return element("div", { class: "table", tabindex: "0", role: "region", "aria-label": "Parts of the prediction" }, element("table", { class: "reasons" },
      element("caption", {}, "The parts add up exactly to the prediction."),
      element("thead", {}, element("tr", {}, element("th", {}, "part"), element("th", { class: "direction" }, element("span", { class: "hidden" }, "direction")),
        element("th", { class: "number" }, "adds"), element("th", { class: "number" }, "without it"))),
      element("tbody", {}, ...rows),
      element("tfoot", {}, element("tr", {}, element("td", {}, "predicted"), element("td", { class: "direction" }),
        element("td", { class: "number" }, total.toFixed(2)), element("td", {})))));
  }

  mapPage(id) {
    if (!this.data.map) {
      this.fill("Map", element("h1", {}, "Map"), element("p", {}, "This model has no map: it has no factors to draw."));
      return;
    }
    const root = element("div", { class: "map" });
    this.fill("Map", element("h1", {}, `The map of ${this.noun.plural}`),
      element("p", { class: "lead" }, `${capital(this.noun.plural)} that the same people like lie close together. ${this.data.map.truth}`), root);
    const onMap = ({ row, similarity }) => ({ row: this.placeOnMap.get(row), similarity });
    this.map = new TasteMap(root, this.mapItems, {
      near: (at) => this.model.similar(this.data.map.row[at], 10).map(onMap).filter(({ row }) => row !== undefined),
      open: (at) => this.card(this.data.map.row[at], this.ratings.size ? this.whys([this.data.map.row[at]])[0] : null, "div"),
      predicted: () => (this.ratings.size ? this.data.map.row.map((i) => this.model.clip(this.person.scores[i])) : null),
      you: () => this.onTheMap, address: { start: "#/map?", bare: "#/map" },
      noun: this.noun, hasTitles: this.data.hasTitles, note: this.words.map_note,
      oneCounted: this.words.oneCounted, counted: this.words.counted,
    });
    this.map.restore(id || undefined);
  }

  // The items that are on the map, in its own order.
  get mapItems() {
    if (!this.onMap) {
      const { row, x, y, preserved } = this.data.map;
      const pick = (column) => row.map((i) => this.items[column][i]);
      const columns = Object.fromEntries(["id", "title", "year", "genres", "genre", "popularity", "average"].map((c) => [c, pick(c)]));
      this.onMap = { ...columns, genreNames: this.items.genreNames, genreList: this.items.genresByFrequency, regions: this.data.map.regions, x, y, preserved };
    }
    return this.onMap;
  }

  get placeOnMap() {
    this.places ??= new Map((this.data.map?.row ?? []).map((i, at) => [i, at]));
    return this.places;
  }

  you() {
    const save = element("button", { type: "button" }, "Save as CSV");
    save.addEventListener("click", () => saveCsv(`my-${this.words.mark}s.csv`, [["item_id", "title", this.column, "name"],
      ...[...this.ratings].map(([row, mark]) => [this.items.id[row], ...this.titles(row, mark)])]));
    const forget = element("button", { type: "button", class: "danger" }, "Forget me");
    forget.addEventListener("click", () => {
      this.ratings.clear();
      this.folded = undefined;
      try { localStorage.removeItem(this.key); } catch { /* nothing was kept */ }
      this.say("Everything about you is deleted.");
      this.show();
    });
    this.fill("You", element("h1", {}, "You"),
      element("p", { class: "lead", "data-swap": "you-lead" }, this.summary),
      element("p", { class: "note" }, `Your ${this.words.mark}s are kept in this browser and go nowhere.`),
      this.ratings.size || this.isRenewed ? element("div", { class: "actions" }, save, forget) : null,
      element("div", { "data-swap": "you-lists" }, ...this.lists()));
  }

  // The title as the data has it, the mark, and the title as people say it.
  titles(row, mark) {
    if (!this.data.hasTitles) return ["", mark, ""];
    const name = labelOf(this.items, row);
    const written = this.items.written[row];
    return [written ? name.replace(this.items.title[row], () => written) : name, mark, name];
  }

  get column() { return "rating"; }

  get summary() { return this.ratings.size ? `You have rated ${this.ratings.size}.` : "You have rated nothing yet."; }

  // Lists of what the person has marked, the newest first.
  lists() { return [this.list(this.rows)]; }

  list(rows) {
    return element("ul", { class: "rated-list" }, ...[...rows].reverse().map((row) => element("li", {},
      element("a", { href: `#/item/${encodeURIComponent(this.items.id[row])}` }, labelOf(this.items, row)), this.control(row))));
  }

  about() {
    const { data } = this;
    const facts = [["model", data.learnt_by], ["data", data.name], [this.rowsAre, data.n_ratings.toLocaleString("en")],
      ["people", data.n_users.toLocaleString("en")], [this.noun.plural, this.items.id.length.toLocaleString("en")],
      ...Object.entries(data.metrics).map(([name, value]) => [name.replaceAll("_", " "), value.toFixed(4)])];
    this.fill("The model", element("h1", {}, "The model"),
      element("p", {}, `This page computes everything itself: ${this.method}`),
      element("dl", { class: "facts" }, ...facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)])));
  }

  get rowsAre() { return "ratings"; }

  get method() {
    if (this.model.method) return this.model.method;
    return `your factors are the ridge solution for your ratings against the fixed factors of the ${this.noun.plural}, in closed form, after every rating.`;
  }
}

const capital = (word) => word[0].toUpperCase() + word.slice(1);

export const signed = (value, digits = 3) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(digits);
