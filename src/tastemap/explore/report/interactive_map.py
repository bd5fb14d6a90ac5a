"""The map of the items as a page: hover, colour, search; no network."""

from html import escape
from typing import Any

import polars as pl

from tastemap.data.feedback import Feedback
from tastemap.data.nouns import item_noun
from tastemap.explore.figures import style
from tastemap.explore.item_map import OTHER, map_items, need_colour
from tastemap.explore.report.page import Fragment, asset, document, embedded_json
from tastemap.support.counts import counted
from tastemap.support.extras import lab_package

#: Most items on a page; items with most ratings come first. Each item is an SVG element. WebGL
#: allows more, but not every browser has it, and Plotly's WebGL needs `eval`.
MAX_ITEMS = 10_000

_MARKUP = """<div class="map card">
<form class="map-controls">
<label>Colour <select>{options}</select></label>
<label>Search <input type="search" placeholder="words of a title" autocomplete="off"></label>
<output aria-live="polite"></output>
</form>
<div class="map-plot" role="group" aria-label="{label}"></div>
<ol class="map-found"></ol>
<noscript><p>The map needs JavaScript.</p></noscript>
<script type="application/json">{data}</script>
</div>"""
_OPTIONS = {
    "popularity": "popularity",
    "average": "average rating",
    "year": "year",
    "genre": "genre",
}


def interactive_map(
    map_frame: pl.DataFrame,
    ratings: Feedback,
    colour: str = "popularity",
    title: str = "",
) -> str:
    """The map as a complete HTML page that opens from a file, with no network.

    Args, Raises:
        As `map_fragment`; ``title`` is the page's heading; if it is empty, the map's.
    """
    part = map_fragment(map_frame, ratings, colour)
    noun = item_noun(ratings)
    title = title or f"Map of the {noun.plural}"
    shown = f"{counted(len(map_frame), *noun)} of {ratings.source.name}"
    if len(map_frame) > MAX_ITEMS:
        shown = f"The {MAX_ITEMS:,} {noun.plural} with most {ratings.noun} of {shown}"
    note = (
        f"{shown}. {noun.plural.capitalize()} that the same people like lie close together. "
        "Drag over an area to look closer, double-click to come back."
    )
    body = (
        f'<main class="wide"><header><h1>{escape(title)}</h1>'
        f'<p class="subtitle">{escape(note)}</p></header>\n{part.html}</main>'
    )
    return document(title, body, part.scripts)


def map_fragment(
    map_frame: pl.DataFrame, ratings: Feedback, colour: str = "popularity"
) -> Fragment:
    """The map as a part of a page, such as a report.

    Pointing at an item shows its id, title, year, genres, popularity, average (of ratings) and how
    well the map keeps its neighbours; a menu changes the colour; a search box marks the items whose
    titles have a word that begins with each word of the query.

    Args:
        map_frame: ``item_id, x, y``, maybe ``preserved``, as `project_items` gives it.
        ratings: The ratings or interactions that give titles, popularity and averages.
        colour: The first colour: ``"popularity"``, ``"average"`` (of ratings alone), ``"year"`` or
            ``"genre"``.

    Raises:
        ArgumentError: If the colour is none of these, or the map and the table do not fit.
        MissingPackageError: If Plotly is not installed.
    """
    need_colour(colour, ratings)
    plotly: str = lab_package("plotly.offline").get_plotlyjs()
    everything = map_items(map_frame, ratings)
    items = everything.sort("popularity", descending=True, maintain_order=True).head(MAX_ITEMS)
    options = "".join(
        f'<option value="{key}"{" selected" if key == colour else ""}>{name}</option>'
        for key, name in _OPTIONS.items()
        if key == colour or _is_known(items, key)
    )
    shown = counted(len(items), *item_noun(ratings))
    html = _MARKUP.format(
        options=options,
        label=escape(f"Map of {shown}; the search box lists them as text"),
        data=embedded_json(_columns(items) | {"noun": ratings.noun}),
    )
    return Fragment(html, (plotly, asset("map.js")))


def _is_known(items: pl.DataFrame, colour: str) -> bool:
    """Whether any item has a value of this colour."""
    return bool((items[colour].is_not_null() & (items[colour].cast(pl.String) != OTHER)).any())


def _columns(items: pl.DataFrame) -> dict[str, Any]:
    """The data of the script: a list for each column; ids are text, so that none is rounded."""
    counts = items["genre"].value_counts().sort(["count", "genre"], descending=[True, False])
    named = [genre for genre in counts["genre"] if genre != OTHER]
    colours = list(zip(named, style.PALETTE, strict=False))
    return {
        "id": items["item_id"].cast(pl.String).to_list(),
        "title": items["name"].to_list(),
        **{name: items[name].to_list() for name in ("year", "genres", "genre")},
        "popularity": items["popularity"].to_list(),
        "average": items["average"].round(3).to_list(),
        "preserved": items["preserved"].to_list() if "preserved" in items else [None] * len(items),
        "x": items["x"].round(3).to_list(),
        "y": items["y"].round(3).to_list(),
        "genreColours": [*colours, (OTHER, style.PALE)],
        "ends": {key: _ends(items[key]) for key in ("average", "year")},
    }


def _ends(values: pl.Series) -> list[float | None]:
    """The ends of a colour scale: few values lie outside."""
    return [values.quantile(0.1), values.quantile(0.95)]
