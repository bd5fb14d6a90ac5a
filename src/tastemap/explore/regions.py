"""Names of the regions of a map: the genre and the decade that are more frequent there."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.ndimage import gaussian_filter, maximum_filter

from tastemap.arrays import F64, I64

#: Items around a place count by a normal curve of these widths, in shares of the map's longer side.
REACHES = (0.05, 0.025, 0.0125)
# On maps of fewer items the curves are up to twice as wide, to hold as many.
ITEMS_OF_REACHES, MAX_WIDENING = 2000, 2.0
# Cells along a side of the grid, and the part of it that lies beyond the map.
N_CELLS, MARGIN = 160, 0.05
# With so many ratings an item counts half: on the map, an item of few ratings lies anywhere.
EVIDENCE_RATINGS = 20.0
# What names a region: so many items around it at least, of which so large a share have it, so many
# standard errors more than anywhere. A second word is of half of the items.
MIN_WEIGHT, MIN_SHARE, MIN_STANDARD_ERRORS, MIN_SECOND_SHARE = 4.0, 0.3, 5.0, 0.5
# Between two regions, in widths.
MIN_DISTANCE = 2.5
MAX_REGIONS = 40
MIN_ITEMS_OF_FACT = 5
# The names of languages, countries and the like stand in such a column, if there is one.
LANGUAGE_COLUMNS = ("language", "original_language", "languages")


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the map and its name.

    Attributes:
        name: What is frequent there, such as "Film-Noir, 1940s".
        x, y: Its middle, on the map.
        reach: The width of what was looked at, on the map: a name of a large reach is seen from
            afar, one of a small reach from near by.
    """

    name: str
    x: float
    y: float
    reach: float


class Fact(NamedTuple):
    """What some items have in common: its kind, its name, and whether each item has it (n,)."""

    kind: str
    name: str
    holds: F64


class Window(NamedTuple):
    """The items around each cell of the grid, at one width in cells.

    Attributes:
        width: The width of the normal curve.
        cell: The cell of each item (n,), in a flat grid.
        weight: How much each item counts (n,).
        total: The weight around each cell (N_CELLS, N_CELLS).
        squares: The sum of their squares.
    """

    width: float
    cell: I64
    weight: F64
    total: F64
    squares: F64

    @classmethod
    def of(cls, width: float, cell: I64, weight: F64) -> "Window":
        """What lies around each cell, whatever it is."""
        total = around(cell, weight, width)
        squares = around(cell, weight**2, width / np.sqrt(2.0))
        return cls(width, cell, weight, total, squares)

    def share(self, fact: Fact) -> tuple[F64, F64]:
        """The share of a fact around each cell, and how much more that is than anywhere.

        The latter in standard errors of a share; both are 0 where too little lies around.
        """
        mean = float(self.weight @ fact.holds) / max(float(self.weight.sum()), 1e-9)
        part = around(self.cell, self.weight * fact.holds, self.width)
        enough = self.total >= MIN_WEIGHT
        share, errors = np.zeros_like(part), np.zeros_like(part)
        np.divide(part, self.total, out=share, where=enough)
        # As if some more items lay around, of everything in its share: a few that lie far off, and
        # weigh little, are certain of nothing, and a name stands where its items are thickest.
        error = np.sqrt(mean * (1 - mean) * (self.squares + MIN_WEIGHT))
        np.divide(part - mean * self.total, error, out=errors, where=enough & (error > 0))
        return share, errors


def name_regions(items: pl.DataFrame, table: pl.DataFrame | None = None) -> list[Region]:
    """Name what is over-represented where on a map.

    At each place and width, the share of each genre, decade and language among the items around is
    compared with its share of the whole map. A name stands where the difference, in standard
    errors, is at a peak, and is far beyond what chance brings to a map of so many places (5 or
    more); where few items lie, or the fact is true of less than three in ten, there is none. Items
    count n / (n + 20) for n ratings.

    Args:
        items: A map as `tastemap.explore.item_map.map_items` returns it.
        table: The items' own columns in the same rows, for languages.

    Returns:
        Regions of each width of `REACHES`, the most certain first; a name stands once at a width.
        Empty where nothing is known of the items, or nothing gathers.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> frame = pl.DataFrame(
        ...     {"x": rng.normal([0.0, 9.0] * 150), "y": rng.normal(size=300), "year": [1975] * 300,
        ...      "genres": [["War"], ["Comedy"]] * 150, "popularity": [90] * 300})
        >>> sorted({region.name for region in name_regions(frame)})
        ['Comedy', 'War']
    """
    facts = list(_facts(items, table))
    if not facts:
        return []
    x, y = items["x"].to_numpy().astype(np.float64), items["y"].to_numpy().astype(np.float64)
    side = max(float(np.ptp(x)), float(np.ptp(y)), 1e-9)
    popularity = items["popularity"].to_numpy().astype(np.float64)
    weight = popularity / (popularity + EVIDENCE_RATINGS)
    step = side * (1 + 2 * MARGIN) / N_CELLS
    corner = [(v.max() + v.min()) / 2 - step * N_CELLS / 2 for v in (x, y)]
    across, up = (((v - at) / step).astype(np.int64) for v, at in zip((x, y), corner, strict=True))
    cell = np.clip(up, 0, N_CELLS - 1) * N_CELLS + np.clip(across, 0, N_CELLS - 1)
    wider = float(np.clip(np.sqrt(ITEMS_OF_REACHES / len(items)), 1.0, MAX_WIDENING))
    regions = []
    for reach in [wider * reach for reach in REACHES]:
        window = Window.of(reach * side / step, cell, weight)
        for name, row, column in _named(window, facts):
            place = (corner[0] + (column + 0.5) * step, corner[1] + (row + 0.5) * step)
            regions.append(Region(name, float(place[0]), float(place[1]), reach * side))
    return regions


def around(cell: I64, weight: F64, width: float) -> F64:
    """The weight of the items around each cell of the grid, by a normal curve of 1 at its peak."""
    grid = np.bincount(cell, weight, minlength=N_CELLS**2).reshape(N_CELLS, N_CELLS)
    curve = gaussian_filter(grid, width, mode="constant", truncate=3.0)
    return np.asarray(curve * 2 * np.pi * width**2, dtype=np.float64)


def _named(window: Window, facts: list[Fact]) -> Iterator[tuple[str, int, int]]:
    """Names with their cells, the most certain first, none near another and none twice."""
    measured = [window.share(fact) for fact in facts]
    peaks = []
    for number, (share, errors) in enumerate(measured):
        is_peak = errors == maximum_filter(errors, size=int(2 * window.width) | 1)
        is_peak &= (errors >= MIN_STANDARD_ERRORS) & (share >= MIN_SHARE)
        peaks += [(errors[at], number, *at) for at in zip(*np.nonzero(is_peak), strict=True)]
    peaks.sort(key=lambda peak: (-peak[0], peak[1:]))
    names: set[frozenset[int]] = set()
    cells: list[tuple[int, int]] = []
    for _, number, row, column in peaks:
        pair = _pair(facts, measured, number, (row, column))
        distances = [np.hypot(row - a, column - b) for a, b in cells]
        if frozenset(pair) in names or min(distances, default=np.inf) < MIN_DISTANCE * window.width:
            continue
        names.add(frozenset(pair))
        cells.append((row, column))
        yield ", ".join(facts[k].name for k in pair), int(row), int(column)
        if len(names) == MAX_REGIONS:
            return


def _pair(
    facts: list[Fact], measured: list[tuple[F64, F64]], first: int, at: tuple[int, int]
) -> list[int]:
    """The fact of a peak with the next one that is true of most there, the genre first."""
    others = [
        (facts[k].kind == facts[first].kind, -errors[at], k)
        for k, (share, errors) in enumerate(measured)
        if k != first and errors[at] >= MIN_STANDARD_ERRORS and share[at] >= MIN_SECOND_SHARE
    ]
    both = [first, *(k for _, _, k in sorted(others)[:1])]
    kinds = [facts[k].kind for k in both]
    if kinds in (["decade", "decade"], ["language", "language"]):
        both = both[:1]
    return sorted(both, key=lambda k: facts[k].kind != "genre")


def _facts(items: pl.DataFrame, table: pl.DataFrame | None) -> Iterator[Fact]:
    """Genres, decades and languages that several items have, and not all."""
    columns = {"genre": items["genres"]}
    year = items["year"].cast(pl.Int64)
    columns["decade"] = pl.select((year // 10 * 10).cast(pl.String) + "s").to_series()
    for name in LANGUAGE_COLUMNS if table is not None else ():
        if table is not None and name in table.columns:
            columns["language"] = table[name]
            break
    for kind, column in columns.items():
        is_list = isinstance(column.dtype, pl.List)
        values = column if is_list else column.cast(pl.String).reshape((-1, 1)).arr.to_list()
        pairs = pl.DataFrame({"row": np.arange(len(column)), "value": values})
        pairs = pairs.explode("value").drop_nulls().with_columns(pl.col("value").cast(pl.String))
        for (value,), group in sorted(pairs.group_by("value"), key=lambda pair: pair[0]):
            holds = np.zeros(len(column))
            holds[group["row"].to_numpy()] = 1.0
            if MIN_ITEMS_OF_FACT <= holds.sum() < len(column):
                yield Fact(kind, str(value), holds)
