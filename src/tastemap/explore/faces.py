"""The face of each item: its genres, the most telling first, and the cover that is drawn for it."""

from collections import Counter
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import polars as pl

from tastemap.arrays import F64, I64, FloatArray
from tastemap.data.nouns import item_noun
from tastemap.data.vocabulary import Vocabulary
from tastemap.explore.covers import SHAPES, cover_svg, inks_of, shape_of
from tastemap.metrics.similarity import unit_rows
from tastemap.models.base.factors import HasFactors
from tastemap.models.base.recommender import Recommender
from tastemap.support.titles import spoken

# The genres of so many neighbours on the map are counted, and as many more of the catalogue.
N_NEIGHBOURS, SHRINKAGE = 30, 5.0


class Faces:
    """What items look like, in row order.

    Args:
        items: The items.
        places: Where they lie on the map, float64 (n, 2), NaN where that is not known; see
            `places_of`.
        noun: What an item without a title is called before its id.

    Attributes:
        genres: The genres of each item, the most telling first; see `telling_genres`.

    Example:
        >>> table = pl.DataFrame({"item_id": [1], "title": ["Alien"], "genres": [["Horror"]]})
        >>> faces = Faces(Vocabulary(table["item_id"], "item", table), np.full((1, 2), np.nan))
        >>> faces.cover(0).startswith('<svg class="cover"'), faces.genres
        (True, [('Horror',)])
    """

    def __init__(self, items: Vocabulary, places: FloatArray, noun: str = "item") -> None:
        self._items, self._places, self._noun = items, places, noun
        self.genres = telling_genres(genres_of(items), places)

    @classmethod
    def of(cls, model: Recommender) -> "Faces":
        """Those of the items of a fitted model."""
        data = model.fitted_data
        return cls(data.items, places_of(model), item_noun(data).singular)

    @cached_property
    def inks(self) -> I64:
        """int64 (n,), the colour of each item: a row of `inks`."""
        return inks_of(with_places_of_genres(self._places, self.genres))

    @cached_property
    def shapes(self) -> I64:
        """int64 (n,), the shape of each item: a row of `SHAPES`."""
        rows = {name: row for row, name in enumerate(SHAPES)}
        of_genres = {genres: rows[shape_of(genres)] for genres in set(self.genres)}
        return np.array([of_genres[genres] for genres in self.genres], dtype=np.int64)

    def cover(self, row: int) -> str:
        """The cover of an item, as an SVG element."""
        frame = self._items.frame
        title = frame["title"][row] if "title" in frame.columns else None
        text = str(self._items.ids[row])
        if title:
            name = spoken(str(title))
        else:
            name = text if self._items.has_titles else f"{self._noun} {text}"
        year = frame["year"][row] if "year" in frame.columns else None
        return cover_svg(name, year, int(self.inks[row]), [*SHAPES][self.shapes[row]])


def genres_of(items: Vocabulary) -> list[tuple[str, ...]]:
    """The genres of each item as the data has them; none where it says none."""
    frame = items.frame
    if "genres" not in frame.columns or not isinstance(frame["genres"].dtype, pl.List):
        return [()] * len(items)
    return [tuple(filter(None, names or ())) for names in frame["genres"].to_list()]


def places_of(model: Recommender) -> F64:
    """Where each item lies: on the model's map, else along its two leading principal components.

    Returns:
        float64 (n_items, 2); NaN for items that are nowhere.
    """
    data = model.fitted_data
    places = np.full((data.n_items, 2), np.nan)
    if model.item_map_ is not None:
        frame = model.item_map_
        rows = data.items.index(frame["item_id"], missing="negative")
        places[rows[rows >= 0]] = frame.select("x", "y").to_numpy()[rows >= 0]
    elif isinstance(model, HasFactors) and model.item_factors.shape[1] > 1:
        learnt = np.flatnonzero(model.item_factors.any(axis=1) & (data.by_item.counts > 0))
        directions = unit_rows(model.item_factors[learnt].astype(np.float64))
        centred = directions - directions.mean(axis=0) if len(learnt) else directions
        _, axes = np.linalg.eigh(centred.T @ centred)
        leading = axes[:, :-3:-1]
        places[learnt] = centred @ (leading * np.where(leading.sum(axis=0) < 0, -1.0, 1.0))
    return places


def telling_genres(genres: Sequence[tuple[str, ...]], places: FloatArray) -> list[tuple[str, ...]]:
    """The genres of each item in the order of how much they say of it.

    That is how many times more frequent a genre is among the item's neighbours on the map than in
    the catalogue: "Star Wars" is Sci-Fi before it is Action, and before Romance. Of genres that say
    as much, and of items that have no place, the rarer goes first.

    Args:
        genres: Those of each item, (n,).
        places: Where the items lie, (n, 2), NaN where that is not known.
    """
    counts = Counter(genre for names in genres for genre in names)
    ranked = sorted(counts, key=lambda genre: (counts[genre], genre))
    rank = {genre: place for place, genre in enumerate(ranked)}
    lifts = _lifts(genres, places, rank) if rank else np.zeros((len(genres), 0))
    once: dict[tuple[str, ...], tuple[str, ...]] = {}
    ordered = []
    for row, names in enumerate(genres):
        best = tuple(sorted(set(names), key=lambda genre: (-lifts[row, rank[genre]], rank[genre])))
        ordered.append(once.setdefault(best, best))
    return ordered


def _lifts(genres: Sequence[tuple[str, ...]], places: FloatArray, rank: dict[str, int]) -> F64:
    """How many times more frequent each genre is around an item than everywhere, (n, genres)."""
    from scipy.spatial import cKDTree

    has = np.zeros((len(genres), len(rank)), dtype=np.float32)
    for row, names in enumerate(genres):
        has[row, [rank[genre] for genre in names]] = 1
    drawn = np.flatnonzero(np.isfinite(places).all(axis=1) & has.any(axis=1))
    lifts = np.ones(has.shape)
    n = min(N_NEIGHBOURS, len(drawn) - 1)
    if n < 1:
        return lifts
    _, near = cKDTree(places[drawn]).query(places[drawn], n + 1)
    base = has[drawn].mean(axis=0)
    around = np.zeros((len(drawn), len(rank)))
    for column in near.T:
        around += has[drawn[column]]
    # The item itself is among them, unless many lie at the very same place.
    around = np.maximum(around - has[drawn], 0.0)
    expected = np.maximum(base, 1e-9)
    lifts[drawn] = (around + SHRINKAGE * base) / ((n + SHRINKAGE) * expected)
    return np.round(lifts, 6)


def with_places_of_genres(places: FloatArray, genres: Sequence[tuple[str, ...]]) -> F64:
    """Places (n, 2), with one for items that have none: amid those of their first genre.

    Without any place the genres stand around a middle, so that each has a colour of its own.
    """
    names = np.array([first[0] if first else "" for first in genres])
    filled = np.array(places, dtype=np.float64)
    missing = ~np.isfinite(places).all(axis=1)
    counts = Counter(names.tolist())
    counts.pop("", None)
    frequent = sorted(counts, key=lambda name: (-counts[name], name))
    for number, name in enumerate(frequent):
        same = names == name
        turn = 2 * np.pi * number / len(frequent)
        amid = np.array([np.cos(turn), np.sin(turn)]) * (1 + number % 4)
        if not missing.all():
            if not (same & ~missing).any():
                continue
            amid = np.median(places[same & ~missing], axis=0)
        filled[same & missing] = amid
    return filled
