// The cover of an item; the rules are those of tastemap/explore/covers.py, which sends its numbers,
// shapes and colours, and draws the same.
import { svg } from "./dom.js";

// Words in lines of letters as large as fit: { lines, size, widths }, widths in hundredths.
function lettering(title, rules) {
  const widthOf = (text) => [...text].reduce((sum, letter) => sum + (rules.widths[letter]
    ?? (letter.codePointAt(0) >= rules.firstSign ? rules.widthOfSign : rules.widthOfLetter)), 0);
  const trimmed = (text) => text.replace(/ +$/, "");
  const named = title.split(" (")[0].replace(/^ +/, "");
  const parts = (trimmed(named) || title).split(" ").filter((word) => word).flatMap((word) => partsOf(word, rules.minPart));
  const most = 100 * rules.lineWidth;
  let lines = [];
  let size = 0;
  let room = 0;
  for (size of rules.sizes) {
    lines = [];
    for (const part of parts) {
      const longer = (lines.at(-1) ?? "") + part;
      if (lines.length && widthOf(trimmed(longer)) <= Math.floor(most / size)) lines[lines.length - 1] = longer;
      else lines.push(part);
    }
    lines = lines.map(trimmed);
    room = Math.floor((100 * (rules.bottom - rules.top)) / (size * rules.lineHeight));
    const widest = Math.max(0, ...lines.map(widthOf)) * size;
    if (lines.length <= room && 100 * widest <= rules.maxSqueeze * most) break;
  }
  if (lines.length > room) lines = [...lines.slice(0, room - 1), `${lines[room - 1]} …`];
  return { lines, size, widths: lines.map((line) => Math.min(widthOf(line) * size, most)) };
}

// A word, cut after hyphens and strokes; the last part ends with the blank after the word.
function partsOf(word, least) {
  const letters = [...word];
  const parts = [];
  let start = 0;
  letters.forEach((letter, at) => {
    if (!"-/".includes(letter) || Math.min(at - start, letters.length - at - 1) < least) return;
    parts.push(letters.slice(start, at + 1).join(""));
    start = at + 1;
  });
  return [...parts, `${letters.slice(start).join("")} `];
}

export function cover(title, year, ink, shape, rules) {
  const [ground, colours] = rules.inks[ink];
  const sum = [...title].reduce((total, letter) => total + letter.codePointAt(0), 0);
  const { lines, size, widths } = lettering(title, rules);
  const spans = lines.map((line, at) => svg("tspan", { x: rules.left,
    y: (100 * (rules.top + size) + at * size * rules.lineHeight) / 100,
    textLength: widths[at] / 100, lengthAdjust: "spacingAndGlyphs" }, line));
  const dated = year ? [svg("text", { class: "cover-year", x: rules.left, y: 18, "font-size": 9 }, String(year))] : [];
  return svg("svg", { class: "cover", viewBox: `0 0 ${rules.width} ${rules.height}`, role: "img", "aria-label": `Cover: ${title}` },
    svg("path", { fill: ground, d: `M0 0h${rules.width}v${rules.height}H0z` }),
    svg("path", { fill: colours[sum % colours.length], "fill-rule": "evenodd", d: rules.shapes[shape] }),
    ...dated, svg("text", { "font-size": size }, ...spans));
}
