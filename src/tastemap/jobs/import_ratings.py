"""A person's own ratings from a file, for a call: what the items have of them, and what not."""

import math
from pathlib import Path

import polars as pl

from tastemap.data.ratings import Ratings
from tastemap.data.readers.archive import first_bytes
from tastemap.data.scale import Scale
from tastemap.errors import DataError
from tastemap.explore.exports import Entry, has_header, read_export, read_list
from tastemap.explore.import_ratings import Match, Review, review
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
        DataError: If the file cannot be read, a rating is off its scale, or no item is known.
    """
    source, scale, entries = _entries_of(path)
    rated = [entry for entry in entries if not math.isnan(entry.rating)]
    _check_ratings(path, rated, scale or data.scale)
    result = review(data, source, scale, rated)
    if not result.sure:
        raise DataError(
            f"file {path}",
            expected="titles or ids of the model's items",
            received=_titles([*result.unsure, *result.unknown]) or "no ratings",
            do="tastemap search WORDS --in MODEL finds titles",
        )
    # The last rating of an item counts.
    rating_of = {
        match.rows[0]: match.rating if scale else match.entry.rating for match in result.sure
    }
    ids = data.items.ids_at(list(rating_of))
    frame = pl.DataFrame([ids, pl.Series("rating", list(rating_of.values()), dtype=pl.Float64)])
    lines = [entry.title for entry in entries if math.isnan(entry.rating)]
    return frame, _notes(path, data, result, lines, len(frame))


def _entries_of(path: Path) -> tuple[str, Scale | None, list[Entry]]:
    """Whose ratings these are, their scale (None: the model's), the ratings."""
    is_zip = first_bytes(path) == b"PK\x03\x04"
    if path.suffix in TABLE_READERS:
        # Only plain columns: a list of genres names no item.
        frame = read_table(path)
        content = frame.select(pl.exclude(pl.List, pl.Struct)).write_csv().encode()
    else:
        content = path.read_bytes()
    try:
        if is_zip or has_header(text := content.decode("utf-8-sig", errors="replace")):
            return read_export(content, MAX_BYTES, MAX_RATINGS)
        entries = read_list(text, MAX_BYTES)
    except DataError as error:
        raise DataError(f"file {path}", expected=FORMS, received=error.received) from None
    if all(math.isnan(entry.rating) for entry in entries):
        received = shortened(text.strip().partition("\n")[0]) or "nothing"
        raise DataError(f"file {path}", expected=FORMS, received=received)
    return "Your list", None, entries


def _check_ratings(path: Path, entries: list[Entry], scale: Scale) -> None:
    """Refuse ratings off their scale, which cannot be brought to another."""
    beyond = [e for e in entries if not scale.lowest <= e.rating <= scale.highest]
    if beyond:
        raise DataError(
            f"file {path}",
            expected=f"ratings from {scale.lowest:g} to {scale.highest:g}",
            received=f"{beyond[0].rating:g} for {shortened(beyond[0].title or beyond[0].item_id)}",
            do="bring them to this scale",
        )


def _notes(path: Path, data: Ratings, result: Review, lines: list[str], n_used: int) -> list[str]:
    """What was read of the file, and what is left out."""
    n = sum(map(len, (result.sure, result.unsure, result.unknown)))
    notes = [f"{path.name} ({result.source}): {n_used:,} of {counted(n, 'rating')} used"]
    if result.converted:
        target = f"{data.scale.lowest:g}–{data.scale.highest:g}"
        notes.append(f"ratings brought from {result.converted} to {target}")
    if len(result.sure) > n_used:
        again = counted(len(result.sure) - n_used, "further rating")
        notes.append(f"{again} of an item that is rated twice: the last counts")
    if result.unknown:
        noun = "titles are" if len(result.unknown) > 1 else "title is"
        notes.append(f"{len(result.unknown):,} {noun} not known: {_titles(result.unknown)}")
    for match in result.unsure[:MAX_TITLES_NAMED]:
        names = " or ".join(data.items.titles[row] for row in match.rows)
        notes.append(f"left out, may be {names}: {_titles([match])}")
    if (more := len(result.unsure) - MAX_TITLES_NAMED) > 0:
        notes.append(f"left out: {more:,} more that may be several items")
    if lines:
        notes.append(f"{counted(len(lines), 'line')} without a rating: {shortened(lines[0])}")
    return notes


def _titles(matches: list[Match]) -> str:
    """The first titles, with their years, and how many more there are."""
    names = [
        f"{match.entry.title or match.entry.item_id}"
        + (f" ({match.entry.year})" if match.entry.year else "")
        for match in matches[:MAX_TITLES_NAMED]
    ]
    more = len(matches) - len(names)
    return shortened(", ".join(names)) + (f" and {more:,} more" if more else "")
