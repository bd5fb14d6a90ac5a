// The exported site of a model of likes: hearts in place of stars, and places in place of predictions.
import { push } from "./charts.js";
import { counted, element, labelOf } from "./dom.js";
import { heartAnswer, hearts } from "./hearts.js";
import { LikeModel } from "./like-model.js";
import { PER_ROW, signed, Site } from "./site.js";

const PER_FIRST_ROW = 24; // somebody new has one row
const FEW = 3; // "loved by few": with so many likes at least

export class LikeSite extends Site {
  modelOf(data) { return new LikeModel(data.model); }

  isMark(mark) { return mark === 1 || mark === -1; }

  // What is liked, the oldest first.
  get liked() { return this.rows.filter((row) => this.ratings.get(row) > 0); }

  get nMarked() { return this.liked.length; }

  get marked() { return "liked"; }

  get person() {
    if (!this.folded) {
      const scores = this.liked.length ? this.model.score(this.liked) : Float64Array.from(this.model.popularity);
      this.folded = { scores, cautious: scores };
    }
    return this.folded;
  }

  set(row, mark) {
    this.ratings.delete(row); // what is liked once more is the latest like
    if (mark !== null) this.ratings.set(row, mark);
  }

  answer(title, mark, before) { return heartAnswer(title, mark, before); }

  control(i) { return hearts(this.ratings.get(i), labelOf(this.items, i), this.items.id[i]); }

  guess() { return null; }

  whys(rows) {
    const genres = (i) => this.items.genres[i] ?? [];
    return this.model.reasons(this.liked, rows, genres).map((row) =>
      (row < 0 ? null : element("p", { class: "why" }, `because you like ${this.items.title[row]}`)));
  }

  shelves() {
    const isKnown = this.liked.length > 0;
    const unmarked = (i) => !this.ratings.has(i) && this.fits(i);
    const best = this.recommend(isKnown ? PER_ROW : PER_FIRST_ROW);
    const few = (i) => this.model.popularity[i] >= FEW && this.model.popularity[i] <= this.model.tail && !best.includes(i);
    return [
      this.shelf("top-picks", isKnown ? "Top picks for you" : "Most popular",
        isKnown ? "From your likes." : "What most people took up: nothing here is about you yet.", best),
      this.shelf("popular", "Popular", "What most people took up.", this.model.top(this.model.popularity, unmarked, PER_ROW)),
      this.shelf("loved-by-few", "Hidden gems", "Fits you best of what few have taken up.",
        this.recommend(PER_ROW, few, this.person.scores, 0)),
    ].filter((_, at) => isKnown || at === 0);
  }

  factsOf(i) {
    const before = this.model.popularity.reduce((n, value) => n + (value > this.model.popularity[i]), 0);
    return [["liked by", counted(this.model.popularity[i], this.words)],
      ["popularity", `No. ${(before + 1).toLocaleString("en")} of ${this.model.n.toLocaleString("en")}`]];
  }

  picture() { return null; }

  similarHeading() {
    if (!this.model.ordered) return super.similarHeading();
    return [element("h2", {}, "What people go on to"), element("p", { class: "note" },
      `The likeliest next ${this.noun.plural} right after this one, by the model; the first is 1.00.`)];
  }

  panel(i) {
    return element("div", { class: "panel" }, element("h2", {}, "For you"), this.standing(i), ...this.reasonsOf(i));
  }

  // The place of an item among the picks, in words.
  standing(i) {
    const mark = this.ratings.get(i);
    if (mark !== undefined) {
      return element("p", {}, mark > 0 ? "You like it: it counts for your picks, and is not one of them."
        : "You are not interested: it is none of your picks.");
    }
    if (!this.liked.length) {
      return element("p", {}, `Like ${this.noun.indefinite}, this one or another, and the place of this one among your picks stands here, with its reasons.`);
    }
    const { scores } = this.person;
    const before = scores.reduce((n, score, j) => n + (score > scores[i] && !this.ratings.has(j)), 0);
    const nListed = this.model.n - this.ratings.size;
    return element("p", { class: "big", "data-place": String(before + 1) }, `No. ${(before + 1).toLocaleString("en")}`,
      element("small", {}, ` of the ${nListed.toLocaleString("en")} ${this.noun.plural} that you have not marked`));
  }

  // What each like adds to the score of an item.
  reasonsOf(i) {
    const parts = this.ratings.has(i) ? [] : this.model.explain(this.liked, i);
    if (!parts.length) return [];
    const most = Math.abs(parts[0].contribution);
    const digits = Math.max(3, 1 - Math.floor(Math.log10(most)));
    const total = parts.reduce((sum, part) => sum + part.contribution, 0);
    const rows = parts.map(({ row, placesBack, contribution }) => element("tr", { "data-contribution": String(contribution) },
      element("td", {}, "you like ", element("a", { href: `#/item/${encodeURIComponent(this.items.id[row])}` }, labelOf(this.items, row)),
        this.model.ordered ? element("span", { class: "quiet" }, placesBack === 1 ? ", your latest" : `, ${placesBack} places back`) : null),
      element("td", { class: "direction" }, push(contribution, most)), element("td", { class: "number" }, signed(contribution, digits))));
    return [element("h3", { id: "why" }, "Why"),
      element("div", { class: "table", tabindex: "0", role: "region", "aria-label": "Parts of the score" }, element("table", { class: "reasons" },
        element("caption", {}, "The parts add up exactly to the score that your picks are sorted by."),
        element("thead", {}, element("tr", {}, element("th", {}, "part"), element("th", { class: "direction" }, element("span", { class: "hidden" }, "direction")),
          element("th", { class: "number" }, "adds"))),
        element("tbody", {}, ...rows),
        element("tfoot", {}, element("tr", {}, element("td", {}, "score"), element("td", { class: "direction" }), element("td", { class: "number" }, total.toFixed(digits))))))];
  }

  get column() { return "liked"; }

  get summary() {
    const n = this.liked.length;
    const others = this.ratings.size - n;
    if (!this.ratings.size) return "You like nothing yet.";
    return `You like ${n} ${n === 1 ? this.noun.singular : this.noun.plural}${others ? `, and are not interested in ${others}` : ""}.`;
  }

  lists() {
    const unwanted = this.rows.filter((row) => this.ratings.get(row) < 0);
    return [["Your likes", this.liked], ["Not interested", unwanted]].filter(([, rows]) => rows.length)
      .flatMap(([title, rows]) => [element("h2", {}, title), this.list(rows)]);
  }

  get rowsAre() { return "interactions"; }

  get method() { return `the score of ${this.noun.indefinite} is a sum over what you like, after every like.`; }
}
