// Draws each map of the page from the JSON inside it. Titles are text throughout: they reach the
// page by textContent, and Plotly, which reads tags in labels, only after `plain`.
"use strict";

(() => {
  const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
  const INK = isDark ? "#e6e9ed" : "#1c2733";
  const QUIET = isDark ? "#a3adb8" : "#5b6775";
  const GROUND = isDark ? "#1b2127" : "#ffffff";
  const RIM = isDark ? "#8a95a1" : "white"; // keeps dark dots apart from a dark ground
  const MARK = isDark ? "#f0883e" : "#D55E00";
  const MOST_NAMES = 14;
  const FONT = { family: "system-ui, sans-serif", size: 13, color: INK };
  const HALO = [2, 2, 3, 4].map((width) => `0 0 ${width}px ${GROUND}`).join(", ");
  const SCALES = {
    popularity: { title: "popularity", log: true },
    average: { title: "average rating", format: ",.3~r" },
    year: { title: "year", format: "d" },
  };

  const plain = (text) =>
    String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  // Plain small letters, a blank before each word: " schindlers list".
  const folded = (text) =>
    ` ${text}`.normalize("NFKD").replace(/[\p{M}'’]/gu, "").toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, " ");
  const number = (value) => value.toLocaleString("en");
  // "1 rating", "2,000 interactions": the noun is in the plural.
  const counted = (n, noun) => `${number(n)} ${n === 1 ? noun.replace(/s$/, "") : noun}`;
  const short = (text) => (text.length > 30 ? `${text.slice(0, 28).trimEnd()}…` : text);

  function described(items, i) {
    const year = items.year[i] === null ? "" : ` (${items.year[i]})`;
    const genres = (items.genres[i] || []).map(plain).join(", ");
    const average = items.average[i] === null ? "" : `, average ${items.average[i].toFixed(2)}`;
    const kept = items.preserved[i] === null
      ? "" : `, keeps ${Math.round(100 * items.preserved[i])} % of its neighbours here`;
    const lines = [
      `<b>${plain(items.title[i])}</b>${year}`,
      genres,
      `${counted(items.popularity[i], items.noun)}${average}`,
      `<span style="color:${QUIET}">id ${plain(items.id[i])}${kept}</span>`,
    ];
    return lines.filter((line) => line).join("<br>");
  }

  // The marker colours of one numeric column: popularity by its logarithm.
  function numericColour(items, column, rows) {
    const scale = SCALES[column];
    const bar = {
      title: { text: scale.log ? `${scale.title} (number of ${items.noun})` : scale.title, side: "top" }, orientation: "h", thickness: 10, len: 0.6,
      x: 0.5, y: 0, yref: "container", yanchor: "bottom", ypad: 4, outlinewidth: 0,
      tickformat: scale.format,
    };
    if (!scale.log) {
      const [cmin, cmax] = items.ends[column];
      return { color: rows.map((i) => items[column][i]), cmin, cmax, colorscale: "Viridis", colorbar: bar };
    }
    const steps = [1, 3, 10, 30, 100, 300, 1000, 3000, 10000, 30000, 100000, 300000, 1000000, 3000000, 10000000];
    return {
      color: rows.map((i) => Math.log10(Math.max(items[column][i], 1))),
      colorscale: "Viridis",
      colorbar: { ...bar, tickvals: steps.map(Math.log10), ticktext: steps.map(number) },
    };
  }

  function drawMap(root) {
    const items = JSON.parse(root.querySelector("script").textContent);
    const everything = items.id.map((_, i) => i);
    const popularFirst = [...everything].sort((a, b) => items.popularity[b] - items.popularity[a]);
    const popularLast = [...popularFirst].reverse(); // drawn last, they lie on top
    const hover = everything.map((i) => described(items, i));
    const words = everything.map((i) => folded(`${items.title[i]} ${items.year[i] ?? ""}`));
    const most = Math.max(1, ...items.popularity);
    const plot = root.querySelector(".map-plot");
    // On a phone, names need more of the map's width and points must be smaller.
    const crowding = Math.min(Math.max(700 / plot.clientWidth, 1), 2.2);
    const shrink = Math.min(Math.sqrt(2000 / items.id.length), 1) / Math.sqrt(crowding);
    const sizes = items.popularity.map((n) => (5 + 11 * Math.sqrt(n / most)) * shrink);
    const menu = root.querySelector("select");
    const box = root.querySelector("input");
    const said = root.querySelector("output");
    const list = root.querySelector("ol");
    const pick = (column, rows) => rows.map((i) => column[i]);

    const points = (rows, marker, more) => ({
      type: "scatter", mode: "markers", x: pick(items.x, rows), y: pick(items.y, rows),
      text: pick(hover, rows), hovertemplate: "%{text}<extra></extra>",
      marker: { size: pick(sizes, rows), line: { width: 0.4, color: RIM }, ...marker },
      ...more,
    });

    // The rows to name: in order, each far enough from those named before it.
    function spaced(rows) {
      const width = Math.max(...items.x) - Math.min(...items.x) || 1;
      const height = Math.max(...items.y) - Math.min(...items.y) || 1;
      const named = [];
      for (const i of rows) {
        if (named.length >= MOST_NAMES) break;
        const free = named.every((j) =>
          Math.abs(items.x[i] - items.x[j]) > 0.26 * crowding * width ||
          Math.abs(items.y[i] - items.y[j]) > 0.045 * crowding * height);
        if (free) named.push(i);
      }
      return named;
    }

    function found() {
      const asked = folded(box.value).split(/\s+/).filter((word) => word);
      if (!asked.length) return null;
      return popularFirst.filter((i) => asked.every((word) => words[i].includes(` ${word}`)));
    }

    function traces(rows) {
      const opacity = rows ? 0.15 : 0.85;
      const column = menu.value;
      const drawn = column === "genre"
        ? items.genreColours.map(([name, color]) =>
            points(popularLast.filter((i) => items.genre[i] === name), { color, opacity },
              { name: plain(name), showlegend: true }))
        : [points(popularLast, { ...numericColour(items, column, popularLast), opacity },
            { showlegend: false })];
      if (rows) {
        const ring = { color: "rgba(213,94,0,0.35)", opacity: 1, line: { width: 2, color: MARK } };
        drawn.push(points(rows, ring, { showlegend: false }));
      }
      const named = spaced(rows || popularFirst);
      const [left, right] = [Math.min(...items.x), Math.max(...items.x)];
      const inward = (x) =>
        x < left + 0.2 * (right - left) ? "right" : x > right - 0.2 * (right - left) ? "left" : "center";
      drawn.push({
        type: "scatter", mode: "text", x: pick(items.x, named), y: pick(items.y, named),
        text: named.map((i) => plain(short(items.title[i]))),
        textposition: named.map((i) => `top ${inward(items.x[i])}`),
        textfont: { ...FONT, size: 12, shadow: HALO }, hoverinfo: "skip", showlegend: false,
      });
      return drawn;
    }

    function showFound(rows) {
      said.textContent = rows ? `${number(rows.length)} of ${number(items.id.length)} items` : "";
      list.replaceChildren(...(rows || []).slice(0, 10).map((i) => {
        const entry = document.createElement("li");
        const year = items.year[i] === null ? "" : ` (${items.year[i]})`;
        const average = items.average[i] === null ? "" : `, average ${items.average[i].toFixed(2)}`;
        entry.textContent =
          `${items.title[i]}${year}: ${counted(items.popularity[i], items.noun)}${average}`;
        return entry;
      }));
    }

    const layout = {
      font: FONT, hovermode: "closest", dragmode: "zoom", uirevision: "kept",
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: 8, r: 8, t: 32, b: 64 },
      xaxis: { visible: false }, yaxis: { visible: false, scaleanchor: "x" },
      legend: { orientation: "h", x: 0.5, xanchor: "center", y: 0, yref: "container",
        yanchor: "bottom" },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: "#8a95a1", activecolor: INK },
      hoverlabel: { align: "left", bgcolor: GROUND, bordercolor: QUIET, font: FONT },
    };
    // Named one by one: Plotly's own set has a button that sends the data to its makers.
    const config = {
      displaylogo: false, responsive: true, plotlyServerURL: "",
      modeBarButtons: [["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d", "toImage"]],
    };

    function draw() {
      const rows = found();
      Plotly.react(plot, traces(rows), layout, config);
      showFound(rows);
    }

    let waiting;
    box.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(draw, 120);
    });
    menu.addEventListener("change", draw);
    root.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
    draw();
  }

  document.querySelectorAll(".map").forEach(drawMap);
})();
