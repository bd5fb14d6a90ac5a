// Small helpers that every script here shares. Text stays text: no markup is ever parsed.

// An element with properties and children; text is always text.
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name in made && typeof value !== "string") made[name] = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// "2,048 ratings", "1 person": how well known an item is.
export const counted = (n, words) => `${n.toLocaleString("en")} ${n === 1 ? words.oneCounted : words.counted}`;

export const labelOf = (items, i) => items.title[i] + (items.year[i] ? ` (${items.year[i]})` : "");

// Save rows of text as a CSV file. Text that a spreadsheet would compute gets an apostrophe before it.
export function saveCsv(name, rows) {
  const isFormula = (value) => typeof value === "string" && /^'*[=+\-@\t\r\n＝＋－＠]/.test(value);
  const quoted = (value) => {
    const text = value === null || value === undefined ? "" : `${isFormula(value) ? "'" : ""}${value}`;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const text = rows.map((row) => row.map(quoted).join(",")).join("\r\n");
  const link = element("a", { download: name });
  link.href = URL.createObjectURL(new Blob([`${text}\r\n`], { type: "text/csv" }));
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
