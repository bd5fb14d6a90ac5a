"""Likes that people bring, in a list or a file, matched with the items of a table of interactions.

A list of titles or ids says what is liked. A column ``liked`` says it too, and below 0 what is not
wanted. Of ratings, the upper quarter of their scale are likes, as they are to models that learn
from the likes in ratings.
"""

import csv
import io
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from tastemap.arrays import AnyArray
from tastemap.data.readers.archive import ZIP
from tastemap.data.scale import Scale
from tastemap.data.vocabulary import Vocabulary
from tastemap.explore.exports import (
    _COLUMNS,
    MAX_CHARACTERS,
    MAX_COLUMNS,
    MAX_ENTRIES,
    Entry,
    _dated,
    _places,
    _unreadable,
    has_header,
    read_export,
    read_list,
)
from tastemap.explore.import_ratings import (
    MAX_WORDS_GUESSED,
    Match,
    Remark,
    _alike,
    _index_of,
    _rows,
    _rows_of_ids,
    _written,
)
from tastemap.explore.title_search import title_words
from tastemap.support.counts import counted
from tastemap.support.formulas import restored_text
from tastemap.support.numerals import number

LIKE, DISLIKE = 1.0, -1.0
# Names of columns, in small letters.
LIKED_COLUMN = "liked"
MOMENT_COLUMNS = ("timestamp", "watched_at", "date")
MARKS = {"true": LIKE, "yes": LIKE, "false": DISLIKE, "no": DISLIKE}


@dataclass(frozen=True)
class Likes:
    """What a file says that somebody likes.

    Attributes:
        source: Whose export it is, in words.
        rule: Which ratings are read as likes, in a sentence; "" where there are none.
        entries: What is liked, with the rating 1, and what is not wanted, with -1; oldest first
            where the file has times.
        remarks: What is left out.
    """

    source: str
    rule: str
    entries: list[Entry]
    remarks: list[Remark]


@dataclass(frozen=True)
class LikesReview:
    """What a file holds, by the items.

    Attributes:
        source, rule: As in `Likes`.
        sure: Entries with exactly one item of that title and year, or of that id.
        unsure: Entries that may be one of several items, the likeliest first.
        unknown: Entries without any.
        remarks: What is left out.
    """

    source: str
    rule: str
    sure: list[Match]
    unsure: list[Match]
    unknown: list[Match]
    remarks: list[Remark]


def read_likes(content: bytes, max_bytes: int, max_entries: int = MAX_ENTRIES) -> Likes:
    r"""What somebody likes, from a list of titles or ids, a CSV file, or an export of ratings.

    Args:
        content: The file.
        max_bytes: Bytes that may be unpacked.
        max_entries: Entries that it may hold.

    Raises:
        DataError: If nothing can be found in it.

    Example:
        >>> [entry.name for entry in read_likes(b"Heat (1995)\nAlien\n", 1_000).entries]
        ['Heat (1995)', 'Alien']
        >>> likes = read_likes(b"title,rating\nHeat,5\nUp,1\n", 1_000)
        >>> likes.rule, [entry.name for entry in likes.entries]
        ('Ratings from 4 on are read as likes.', ['Heat'])
    """
    text = "" if content[:4] == ZIP else content.decode("utf-8-sig", errors="replace")
    if content[:4] == ZIP or has_header(text):
        source, scale, entries = read_export(content, max_bytes, max_entries)
        return _of_ratings(source, scale, entries)
    header = text.lstrip().partition("\n")[0].split(",", MAX_COLUMNS)
    names = {name.strip().strip('"').lower() for name in header}
    if names & {LIKED_COLUMN, *_COLUMNS["title"], *_COLUMNS["item_id"]}:
        return _of_table(text, max_entries)
    if text.count("\n") > max_entries:
        raise _unreadable(f"more than {max_entries:,} lines; bring them in parts")
    entries = read_list(text, max_bytes)
    if not entries or "\0" in text:
        raise _unreadable("no list of titles or ids")
    if all(math.isnan(entry.rating) for entry in entries):
        return Likes("Your list", "", [replace(entry, rating=LIKE) for entry in entries], [])
    return _of_ratings("Your list", None, entries)


def review_likes(items: Vocabulary, likes: Likes) -> LikesReview:
    """Match what somebody likes with items; of an item that is named twice the last counts."""
    sure: dict[int, Match] = {}
    unsure: list[Match] = []
    unknown: list[Match] = []
    n_guessed = 0
    for entry, matching, is_sure in _matched(items, likes.entries):
        rows = matching
        if not rows and entry.title and n_guessed < MAX_WORDS_GUESSED:
            n_guessed += len(title_words(entry.title))
            rows = _alike(items, entry.title)
        match = Match(entry, entry.rating, rows)
        if is_sure:
            sure.pop(rows[0], None)
            sure[rows[0]] = match
        else:
            (unsure if rows else unknown).append(match)
    remarks = list(likes.remarks)
    if unknown:
        names = [match.entry.name for match in unknown]
        sentence = counted(len(names), "title is not known", "titles are not known")
        remarks.insert(0, Remark(sentence, names))
    return LikesReview(likes.source, likes.rule, [*sure.values()], unsure, unknown, remarks)


def chosen_likes(
    items: Vocabulary, popularity: AnyArray, likes: Likes
) -> tuple[dict[str, float], list[str]]:
    """The items that are meant, by id with 1 or -1, and the entries that name none.

    Args:
        items: The items.
        popularity: How many know each, (n_items,).
        likes: What is liked.
    """
    chosen: dict[str, float] = {}
    unread = [entry for remark in likes.remarks for entry in remark.entries]
    for entry, rows, _ in _matched(items, likes.entries):
        # The best known of several items of a title is meant.
        best = max(rows, key=lambda row: int(popularity[row]), default=-1)
        if best < 0:
            unread.append(entry.name)
        else:
            chosen[str(items.ids[best])] = entry.rating
    return chosen, unread


def _matched(items: Vocabulary, entries: list[Entry]) -> Iterable[tuple[Entry, list[int], bool]]:
    """Each entry with the rows that it may be, and whether it is certainly the first."""
    index, by_id = _index_of(items), _rows_of_ids(items, entries)
    by_name = _rows_of_ids(items, [replace(entry, item_id=entry.title) for entry in entries])
    for entry, id_row, name_row in zip(entries, by_id, by_name, strict=True):
        rows, is_sure = _rows(index, entry, id_row)
        if not rows and name_row >= 0:  # a line of a list may be an id
            rows, is_sure = [name_row], True
        yield entry, rows, is_sure


def _of_ratings(source: str, scale: Scale | None, entries: list[Entry]) -> Likes:
    """The high ratings among these as likes."""
    rated = [entry for entry in entries if not math.isnan(entry.rating)]
    scale = scale or Scale.infer(np.array([entry.rating for entry in rated]))
    least = scale.liked_from()
    likes = [replace(entry, rating=LIKE) for entry in rated if entry.rating >= least]
    low = [_written(entry) for entry in rated if entry.rating < least]
    bad = [_written(entry) for entry in entries if math.isnan(entry.rating)]
    kinds = (
        (low, "rating is too low for a like", "ratings are too low for a like"),
        (
            bad,
            "line has no rating that can be read",
            "lines have no rating that can be read",
        ),
    )
    remarks = [Remark(counted(len(e), *words), e) for e, *words in kinds if e]
    return Likes(source, f"Ratings from {least:g} on are read as likes.", likes, remarks)


def _of_table(text: str, max_entries: int) -> Likes:
    """The rows of a table of titles or ids, maybe with a column ``liked``, oldest first."""
    try:
        rows = csv.reader(io.StringIO(text.lstrip(), newline=""))
        places = _places(next(rows, []))
        cells = list(islice(rows, max_entries + 1))
    except csv.Error as error:
        raise _unreadable(str(error)) from None
    if len(cells) > max_entries:
        raise _unreadable(f"more than {max_entries:,} rows; bring them in parts")
    entries, moments, left_out = [], [], []
    for row in cells:
        entry, moment = _entry_of(row, places)
        if entry.rating:
            entries.append(entry)
            moments.append(moment)
        elif entry.name:
            left_out.append(entry.name)
    if not entries:
        raise _unreadable("no titles or ids that are liked")
    is_export = {LIKED_COLUMN, "item_id"} <= places.keys()
    order = [*range(len(entries))]
    if (is_export and "timestamp" in places) or moments[0] > moments[-1]:
        order.reverse()  # the newest first, also among equal times
    order.sort(key=lambda at: moments[at])
    sentence = counted(len(left_out), "row is neither", "rows are neither")
    remarks = [Remark(f"{sentence} liked nor unwanted", left_out)] if left_out else []
    usual = "Your own export" if is_export else "Your list"
    source = "Letterboxd" if "letterboxd uri" in places else usual
    return Likes(source, "", [entries[at] for at in order], remarks)


def _entry_of(row: list[str], places: dict[str, int]) -> tuple[Entry, tuple[float, str]]:
    """A row's title, id and mark (0 if it has none), and what orders it in time."""

    def cell(*names: str) -> str:
        place = next((places[name] for name in names if name in places), None)
        text = row[place] if place is not None and place < len(row) else ""
        return restored_text(text.strip()[:MAX_CHARACTERS])

    title, year = _dated(cell(*_COLUMNS["title"]))
    year_column = number(cell(*_COLUMNS["year"]))
    mark = LIKE
    if LIKED_COLUMN in places:
        written = cell(LIKED_COLUMN).lower()
        mark = MARKS.get(written, float(np.sign(number(written) or 0.0)))
    item_id = cell(*_COLUMNS["item_id"])
    moment = cell(*MOMENT_COLUMNS)
    entry = Entry(title, int(year_column) if year_column else year, mark, item_id)
    if not entry.name:
        entry = replace(entry, rating=0.0)
    return entry, (number(moment) or 0.0, moment)
