// Where else one can read of an item; the rules are those of tastemap/explore/links.py, which sends
// the sites. Nothing is fetched from there.
import { element } from "./dom.js";

// Links to an item's pages on other sites, or to a search there, with signs between them.
export function links(sites, name, year, ids) {
  const words = [name.split(" (")[0] || name, ...(year ? [year] : [])].join(" ");
  const made = [];
  for (const site of sites) {
    const id = String(ids[site.column] ?? "").trim().toUpperCase().replaceAll("-", "").replace(/^TT/, "").replace(/\.0$/, "");
    const isId = site.lengths.includes(id.length) && (id.length === 10 ? /^[0-9]{9}[0-9X]$/ : /^[0-9]+$/).test(id);
    if (!isId && !name) continue;
    const href = isId ? site.page.replace("{}", id.padStart(site.n_digits, "0")) : site.search.replace("{}", () => encodeURIComponent(words));
    made.push(made.length ? " · " : "", element("a", { href, rel: "external noreferrer noopener" }, isId ? site.name : `Search ${site.name}`));
  }
  return made;
}
