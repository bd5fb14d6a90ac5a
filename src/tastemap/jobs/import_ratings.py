"""A person's own ratings from a file, for a call: what the items have of them, and what not."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import polars as pl

from tastemap.data.feedback import Feedback
from tastemap.data.ratings import Ratings
from tastemap.data.vocabulary import Id
from tastemap.errors import DataError
from tastemap.explore.imports.documents import read_json
from tastemap.explore.imports.likes import read_likes, review_likes
from tastemap.explore.imports.ratings import Match, Remark, Review, read_ratings, review
from tastemap.jobs.tables import TABLE_READERS, read_table
from tastemap.support.boundary import shortened
from tastemap.support.counts import counted
from tastemap.support.titles import spoken

MAX_BYTES = 100_000_000
# So many of the titles that are left out are named.
MAX_TITLES_NAMED = 5
FORMS = (
    "columns rating and title or item_id, an export of MovieLens, Letterboxd, IMDb, Trakt, Simkl,"
    " Criticker, TMDb, Goodreads or MyAnimeList, a history of Last.fm, or lines “title = 5”"
)

Answer = TypeVar("Answer")


def ratings_of_file(path: Path, data: Ratings) -> tuple[pl.DataFrame, list[str]]:
    """A person's ratings of the items, as far as these are known, and what is left out.

    Args:
        path: An export, a list, a history, or a table of item ids or titles and ratings.
        data: The ratings that give the items and the scale.

    Returns:
        Frame ``item_id, rating``, the ratings on the scale of the data, null for what was only
        seen, and notes.

    Raises:
        DataError: If the file cannot be read, or no item of it is known.
    """
    result, notes = _reviewed(path, data)
    matches = [*result.sure, *result.seen]
    ids = data.items.ids_at([match.rows[0] for match in matches])
    ratings = [None if match.entry.is_seen else match.rating for match in matches]
    return pl.DataFrame([ids, pl.Series("rating", ratings, dtype=pl.Float64)]), notes


def history_of_file(path: Path, data: Feedback) -> tuple[list[Id], list[str]]:
    """What somebody has liked, or taken up without rating it, oldest first, and what is left out.

    Args:
        path: As in `ratings_of_file`, or a list of titles or ids.
        data: The interactions that give the items.

    Raises:
        DataError: If the file cannot be read, or no item of it is known or liked.
    """
    likes = _read(path, lambda content: read_likes(content, MAX_BYTES, name=path.name))
    result = review_likes(data, likes)
    liked = [match for match in result.sure if match.rating > 0]
    n_left_out = sum(len(remark.entries) for remark in likes.remarks)
    n = len(likes.entries) + n_left_out
    notes = [f"{path.name} ({result.source}): {len(liked):,} of {n:,} taken as liked"]
    notes += [result.rule.removesuffix(".").lower()] if result.rule else []
    if n_unwanted := len(result.sure) - len(liked):
        notes.append(f"{counted(n_unwanted, 'item')} not wanted: not part of a history")
    notes += _left_out(data, result.remarks, result.unsure)
    if not liked:
        raise _nothing(path, notes)
    return data.items.ids_at([match.rows[0] for match in liked]).to_list(), notes


def _reviewed(path: Path, data: Feedback) -> tuple[Review, list[str]]:
    """The entries of a file that are items, and notes on the others."""
    export = _read(path, lambda content: read_ratings(content, MAX_BYTES, name=path.name))
    result = review(data, export)
    notes = _notes(path, data, result)
    if not result.sure and not result.seen:
        raise _nothing(path, notes)
    return result, notes


def _nothing(path: Path, notes: list[str]) -> DataError:
    return DataError(
        f"file {path}",
        expected="titles or ids of the model's items, and their ratings",
        received="; ".join(notes[1:]),
        do="tastemap search WORDS --in MODEL finds titles",
    )


def _read(path: Path, read: Callable[[bytes], Answer]) -> Answer:
    """What a reader of the bytes of a file makes of a file of any kind."""
    if path.is_dir():
        raise DataError(f"file {path}", expected=f"a file: {FORMS}", received="a folder")
    content = path.read_bytes()
    if path.suffix in TABLE_READERS and read_json(content) is None:
        # Only plain columns: a list of genres names no item.
        frame = read_table(path)
        content = frame.select(pl.exclude(pl.List, pl.Struct)).write_csv().encode()
    try:
        return read(content)
    except DataError as error:
        raise DataError(
            f"file {path}", expected=FORMS, received=error.received, do=error.do
        ) from None


def _notes(path: Path, data: Feedback, result: Review) -> list[str]:
    """What was read of the file, and what is left out."""
    others = [*result.unsure, *result.unknown]
    n_seen = len(result.seen) + sum(match.entry.is_seen for match in others)
    n = result.n_entries - n_seen - len(result.wanted) - len(result.episodes)
    parts = [f"{len(result.sure):,} of {counted(n, 'rating')} used"] * bool(n or not n_seen)
    if n_seen:
        shelves = Counter(match.entry.shelf for match in result.seen if match.entry.shelf)
        shown = ", ".join(f"{count:,} {shelf}" for shelf, count in shelves.items())
        words = "is" if len(result.seen) == 1 else "are"
        sentence = f"{len(result.seen):,} of {n_seen:,} without a rating {words} taken as seen"
        parts.append(sentence + (f" ({shown})" if shown else ""))
    notes = [f"{path.name} ({result.source}): {'; '.join(parts)}"]
    if result.converted and result.sure and isinstance(data, Ratings):
        target = f"{data.scale.lowest:g}–{data.scale.highest:g}"
        notes.append(f"ratings brought from {result.converted} to {target}")
    return notes + _left_out(data, result.remarks, result.unsure)


def _left_out(data: Feedback, remarks: Sequence[Remark], unsure: Sequence[Match]) -> list[str]:
    """What is said of entries that are left out or changed, and of those that may be several."""
    notes = [shortened(remark.shown(MAX_TITLES_NAMED)) for remark in remarks]
    for match in unsure[:MAX_TITLES_NAMED]:
        names = " or ".join(spoken(data.items.titles[row]) for row in match.rows)
        notes.append(f"left out, may be {names}: {shortened(match.entry.name)}")
    if (more := len(unsure) - MAX_TITLES_NAMED) > 0:
        notes.append(f"left out: {more:,} more that may be several items")
    return notes
