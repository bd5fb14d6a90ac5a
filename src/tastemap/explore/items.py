"""What the map shows of each item: its place, and what is known and counted of it."""

import numpy as np
import polars as pl

from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError

#: What the items of a map can be coloured by.
COLOURS = ("popularity", "average", "year", "genre")
#: So many genres have a colour of their own; the palette holds no more that all can tell apart.
N_GENRES = 7
OTHER = "other"


def map_items(map_frame: pl.DataFrame, ratings: Ratings) -> pl.DataFrame:
    """The items of a map with what is known of each.

    Args:
        map_frame: ``item_id, x, y``, maybe with ``preserved``.
        ratings: The ratings that popularity and average are taken from.

    Returns:
        The map's rows and columns, then ``title`` (without the year where that is known), ``year``,
        ``genres``, ``genre`` (see `main_genres`), ``popularity`` (number of ratings) and
        ``average`` (mean rating, null without ratings). What the item table lacks is null.

    Raises:
        ArgumentError: If a column is missing, or an item of the map is not in the ratings.
    """
    need(map_frame, ("item_id", "x", "y"), "map")
    rows = ratings.items.index(map_frame["item_id"])
    known = ratings.items.frame[rows]
    titles = ratings.items.titles.gather(rows)
    empty = pl.Series([None] * len(rows))
    column = {name: known[name] for name in known.columns}
    genres = column.get("genres", empty.cast(pl.List(pl.String)))
    popularity = ratings.by_item.counts
    total = np.bincount(ratings.item_index, ratings.rating, minlength=ratings.n_items)
    average = np.divide(total, popularity, out=np.full(len(total), np.nan), where=popularity > 0)
    return map_frame.with_columns(
        pl.coalesce(column.get("title", empty.cast(pl.String)), titles).alias("title"),
        column.get("year", empty.cast(pl.Int32)).alias("year"),
        genres.alias("genres"),
        main_genres(genres).alias("genre"),
        pl.Series("popularity", popularity[rows]),
        pl.Series("average", average[rows], nan_to_null=True),
    )


def main_genres(genres: pl.Series) -> pl.Series:
    """One genre for each item, so that it can have one colour.

    Of the genres of an item that are among the seven most frequent, the least frequent: it says
    most about the item (Romance rather than Drama). ``"other"`` where there is none.

    Args:
        genres: Lists of genres, (n,); null where unknown.

    Example:
        >>> main_genres(pl.Series([["Drama"], ["Drama", "Romance"], None])).to_list()
        ['Drama', 'Romance', 'other']
    """
    single = genres.explode(empty_as_null=True).drop_nulls()
    counts = single.value_counts(name="n").sort(["n", single.name], descending=[True, False])
    ranked = counts[single.name].head(N_GENRES).to_list()
    places = {genre: place for place, genre in enumerate(ranked)}
    names = [
        max((g for g in row or () if g in places), key=places.__getitem__, default=OTHER)
        for row in genres.to_list()
    ]
    return pl.Series("genre", names, dtype=pl.String)


def need(frame: pl.DataFrame, columns: tuple[str, ...], what: str) -> None:
    """Refuse a frame that lacks one of the columns.

    Raises:
        ArgumentError: Naming the columns that are missing.
    """
    missing = [name for name in columns if name not in frame.columns]
    if missing or not len(frame):
        raise ArgumentError(
            f"{what} frame",
            expected=f"rows with columns {', '.join(columns)}",
            received=f"no column {', '.join(missing)}" if missing else "no rows",
        )


def need_colour(colour: str) -> None:
    """Refuse what the items of a map cannot be coloured by.

    Raises:
        ArgumentError: Listing what they can be coloured by.
    """
    if colour not in COLOURS:
        raise ArgumentError(
            "colour", expected=f"one of {', '.join(COLOURS)}", received=repr(colour)
        )
