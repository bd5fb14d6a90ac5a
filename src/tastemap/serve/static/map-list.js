// The list beside the map: what is in view, what a search finds or what somebody drew around. It is
// the map for those who do not see it.
import { element, labelOf, saveCsv } from "./dom.js";

const LISTED = 30;
const DRAWN_AROUND = 100;

export class MapList {
  // map: see map.js.
  constructor(map) {
    this.map = map;
    this.heading = element("h2", {}, "In view");
    this.said = element("p", { class: "note", role: "status" });
    this.rows = element("ol", { class: "map-near" });
    this.actions = element("div");
    this.element = element("section", { class: "map-list", "aria-label": `List of ${map.noun.plural}` }, this.heading, this.said, this.actions, this.rows);
    this.element.addEventListener("focusout", () => { if (this.isDue) queueMicrotask(() => this.inView()); });
  }

  fill(heading, said, rows, ...actions) {
    this.heading.textContent = heading;
    if (this.said.textContent !== said) this.said.textContent = said;
    this.actions.replaceChildren(...actions);
    this.rows.replaceChildren(...rows.map((i) => element("li", {}, this.map.opener(i))));
  }

  // What is in view and shown; not while somebody walks through the list, which would move.
  inView() {
    const { map } = this;
    this.isDue = this.rows.contains(document.activeElement);
    if (this.isDue || this.isFixed) return;
    const { x, y } = map.items;
    const [left, bottom, right, top] = map.view.box;
    const rows = [];
    let n = 0;
    for (const i of map.popular) {
      if (!map.shown[i] || x[i] < left || x[i] > right || y[i] < bottom || y[i] > top) continue;
      n += 1;
      if (n <= LISTED) rows.push(i);
    }
    const counted = `${n.toLocaleString("en")} ${n === 1 ? map.noun.singular : map.noun.plural}`;
    const said = n > LISTED ? `${counted}; the ${LISTED} best known:` : n ? `${counted}:` : `Nothing here. Zoom out, or show more years and genres.`;
    this.fill("In view", said, rows);
  }

  // What lies inside a loop, until it is let go.
  inside(rows) {
    const { map } = this;
    this.isFixed = true;
    const save = element("button", { type: "button" }, "Save as CSV");
    save.addEventListener("click", () => this.save(rows));
    const end = element("button", { type: "button" }, "Let go");
    end.addEventListener("click", () => map.letGo());
    this.fill(`${rows.length.toLocaleString("en")} ${map.noun.plural} inside`,
      rows.length > DRAWN_AROUND ? `The first ${DRAWN_AROUND}; the file has all.` : "", rows.slice(0, DRAWN_AROUND),
      element("div", { class: "actions" }, save, end));
  }

  save(rows) {
    const { items, hooks, noun } = this.map;
    const hasAverage = items.average.some((v) => v !== null);
    const columns = ["id", "title", "year", "popularity", ...(hasAverage ? ["average"] : [])];
    const predicted = hooks.predicted?.();
    saveCsv(`${noun.plural}.csv`, [
      ["item_id", "title", "year", hooks.counted, ...(hasAverage ? ["average"] : []), ...(predicted ? ["predicted_rating"] : [])],
      ...rows.map((i) => [...columns.map((c) => items[c][i]), ...(predicted ? [predicted[i]] : [])])]);
  }
}

// What is found of the item that is chosen: its neighbours, and how many of them the map has near.
export function neighbours(map, i, near) {
  const rows = near.map(({ row, similarity }) => element("li", {}, map.opener(row), ` ${similarity.toFixed(2)}`));
  const preserved = map.items.preserved[i];
  const said = preserved === null ? "" : ` The map has ${Math.round(preserved * 100)} % of them nearby.`;
  return [element("h3", {}, "Most similar, by the model"), element("p", { class: "note" }, `How alike, up to 1.${said}`),
    element("ol", { class: "map-near" }, ...rows)];
}

// What stands beside the pointer.
export function described(map, i, counted) {
  const { items, hooks } = map;
  const predicted = hooks.predicted?.();
  const average = items.average[i] === null ? "" : `, average ${items.average[i].toFixed(2)}`;
  const lines = [
    (items.genres[i] ?? []).join(", "),
    `${counted(items.popularity[i], hooks)}${average}`,
    predicted ? `predicted for you ${predicted[i].toFixed(2)}` : "",
    items.preserved[i] === null ? "" : `keeps ${Math.round(items.preserved[i] * 100)} % of its neighbours on the map`,
  ];
  return [element("b", {}, labelOf(items, i)), ...lines.filter(Boolean).map((line) => element("span", {}, line))];
}
