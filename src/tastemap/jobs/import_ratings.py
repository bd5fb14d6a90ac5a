"""A person's own ratings from a file, for a call: what the items have of them, and what not."""

from pathlib import Path

import polars as pl

from tastemap.data.ratings import Ratings
from tastemap.data.scale import Scale
from tastemap.errors import DataError
from tastemap.explore.exports import Entry, read_entries
from tastemap.explore.import_ratings import Review, review
from tastemap.jobs.tables import TABLE_READERS, read_table
from tastemap.support.boundary import shortened
from tastemap.support.counts import counted

MAX_BYTES, MAX_RATINGS = 100_000_000, 100_000
# So many of the titles that are left out are named.
MAX_TITLES_NAMED = 5
FORMS = (
    "columns rating and title or item_id, an export of Letterboxd, IMDb, Goodreads or MovieLens,"
    " or lines “title = 5”"
)


def ratings_of_file(path: Path, data: Ratings) -> tuple[pl.DataFrame, list[str]]:
    """A person's ratings of the items, as far as these are known, and what is left out.

    Args:
        path: An export, a list, or a table of item ids or titles and ratings.
        data: The ratings that give the items and the scale.

    Returns:
        Frame ``item_id, rating``, the ratings on the scale of the data, and notes.

    Raises:
        DataError: If the file cannot be read, or no rating of an item can be used.
    """
    source, scale, entries = _entries_of(path)
    result = review(data, source, scale, entries)
    notes = _notes(path, data, result)
    if not result.sure:
        raise DataError(
            f"file {path}",
            expected="titles or ids of the model's items, and their ratings",
            received="; ".join(notes[1:]),
            do="tastemap search WORDS --in MODEL finds titles",
        )
    ids = data.items.ids_at([match.rows[0] for match in result.sure])
    ratings = pl.Series("rating", [match.rating for match in result.sure], dtype=pl.Float64)
    return pl.DataFrame([ids, ratings]), notes


def _entries_of(path: Path) -> tuple[str, Scale | None, list[Entry]]:
    """Whose ratings these are, their scale (None: the model's), the ratings."""
    if path.is_dir():
        raise DataError(f"file {path}", expected=f"a file: {FORMS}", received="a folder")
    if path.suffix in TABLE_READERS:
        # Only plain columns: a list of genres names no item.
        frame = read_table(path)
        content = frame.select(pl.exclude(pl.List, pl.Struct)).write_csv().encode()
    else:
        content = path.read_bytes()
    try:
        return read_entries(content, MAX_BYTES, MAX_RATINGS)
    except DataError as error:
        raise DataError(f"file {path}", expected=FORMS, received=error.received) from None


def _notes(path: Path, data: Ratings, result: Review) -> list[str]:
    """What was read of the file, and what is left out."""
    n = result.n_entries
    notes = [f"{path.name} ({result.source}): {len(result.sure):,} of {counted(n, 'rating')} used"]
    if result.converted:
        target = f"{data.scale.lowest:g}–{data.scale.highest:g}"
        notes.append(f"ratings brought from {result.converted} to {target}")
    notes += [shortened(remark.shown(MAX_TITLES_NAMED)) for remark in result.remarks]
    for match in result.unsure[:MAX_TITLES_NAMED]:
        names = " or ".join(data.items.titles[row] for row in match.rows)
        notes.append(f"left out, may be {names}: {shortened(match.entry.name)}")
    if (more := len(result.unsure) - MAX_TITLES_NAMED) > 0:
        notes.append(f"left out: {more:,} more that may be several items")
    return notes
