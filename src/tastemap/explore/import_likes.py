"""Likes that people bring, in a list or a file, matched with the items of a table of interactions.

A list of titles or ids says what is liked. A column ``liked`` says it too, and below 0 what is not
wanted. Of ratings, the upper quarter of their scale are likes, as they are to models that learn
from the likes in ratings. So is what an export has without a rating: what was watched or played.
"""

import csv
import io
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from tastemap.arrays import AnyArray
from tastemap.data.scale import Scale
from tastemap.data.vocabulary import Vocabulary
from tastemap.explore.exports import (
    ENTRY_COLUMNS,
    MAX_CHARACTERS,
    MAX_ENTRIES,
    Entry,
    column_places,
    first_names,
    is_export,
    read_entries,
    read_list,
    title_and_year,
    unreadable,
)
from tastemap.explore.histories import oldest_first
from tastemap.explore.import_ratings import WANTED, Match, Remark, as_written
from tastemap.explore.matching import (
    MAX_WORDS_GUESSED,
    items_alike,
    matching_rows,
    rows_of_ids,
    title_index,
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
    text = content.decode("utf-8-sig", errors="replace")
    names = first_names(text)
    if LIKED_COLUMN not in names and is_export(content):
        return _of_export(*read_entries(content, max_bytes, max_entries, with_seen=True))
    if names & {LIKED_COLUMN, *ENTRY_COLUMNS["title"], *ENTRY_COLUMNS["item_id"]}:
        return _of_table(text, max_entries)
    if text.count("\n") > max_entries:
        raise unreadable(f"more than {max_entries:,} lines; bring them in parts")
    entries = read_list(text, max_bytes)
    if not entries or "\0" in text:
        raise unreadable("no list of titles or ids")
    if all(math.isnan(entry.rating) for entry in entries):
        return Likes("Your list", "", [replace(entry, rating=LIKE) for entry in entries], [])
    return _of_export("Your list", None, entries)


def review_likes(items: Vocabulary, likes: Likes) -> LikesReview:
    """Match what somebody likes with items; of an item that is named twice the last counts.

    Plays are of tracks, and the items may be their artists: what more of them fit counts.
    """
    result = _reviewed(items, likes)
    if not any(entry.creator for entry in likes.entries):
        return result
    of_creators = [replace(entry, title=entry.creator) for entry in likes.entries]
    other = _reviewed(items, replace(likes, entries=of_creators))
    return other if len(other.sure) > len(result.sure) else result


def _reviewed(items: Vocabulary, likes: Likes) -> LikesReview:
    """As `review_likes`, by the titles of the entries."""
    sure: dict[int, Match] = {}
    unsure: list[Match] = []
    unknown: list[Match] = []
    n_guessed = 0
    for entry, matching, is_sure in _matched(items, likes.entries):
        rows = matching
        if not rows and entry.title and n_guessed < MAX_WORDS_GUESSED:
            n_guessed += len(title_words(entry.title))
            rows = items_alike(items, entry.title)
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
    index, by_id = title_index(items), rows_of_ids(items, entries)
    by_name = rows_of_ids(items, [replace(entry, item_id=entry.title) for entry in entries])
    for entry, id_row, name_row in zip(entries, by_id, by_name, strict=True):
        rows, is_sure = matching_rows(index, entry, id_row)
        if not rows and name_row >= 0:  # a line of a list may be an id
            rows, is_sure = [name_row], True
        yield entry, rows, is_sure


def _of_export(source: str, scale: Scale | None, entries: list[Entry]) -> Likes:
    """The high ratings among these as likes, and what was taken up without one; oldest first."""
    entries = [entries[place] for place in oldest_first([entry.at for entry in entries])]
    rated = [e for e in entries if not (math.isnan(e.rating) or e.is_seen)]
    least, rules = math.inf, []
    if rated:
        scale = scale or Scale.infer(np.array([entry.rating for entry in rated]))
        least = scale.liked_from()
        rules.append(f"Ratings from {least:g} on are read as likes.")
    if any(entry.is_seen and not entry.is_wanted for entry in entries):
        rules.append("What stands there without a rating is read as liked.")
    likes = [
        replace(entry, rating=LIKE)
        for entry in entries
        if not entry.is_wanted and (entry.is_seen or entry.rating >= least)
    ]
    low = [as_written(entry) for entry in rated if entry.rating < least]
    bad = [as_written(e) for e in entries if math.isnan(e.rating) and not e.is_seen]
    wanted = [entry.name for entry in entries if entry.is_wanted]
    kinds = (
        (low, "rating is too low for a like", "ratings are too low for a like"),
        (
            bad,
            "line has no rating that can be read",
            "lines have no rating that can be read",
        ),
        (wanted, *WANTED),
    )
    remarks = [Remark(counted(len(e), *words), e) for e, *words in kinds if e]
    return Likes(source, " ".join(rules), _not_disliked(likes, rated, least), remarks)


def _not_disliked(likes: list[Entry], rated: list[Entry], least: float) -> list[Entry]:
    """The likes, without what was taken up and then rated too low for one."""
    low = {(e.title, e.year, e.item_id) for e in rated if e.rating < least}
    return [e for e in likes if not e.is_seen or (e.title, e.year, e.item_id) not in low]


def _of_table(text: str, max_entries: int) -> Likes:
    """The rows of a table of titles or ids, maybe with a column ``liked``, oldest first."""
    try:
        rows = csv.reader(io.StringIO(text.lstrip(), newline=""))
        places = column_places(next(rows, []))
        cells = list(islice(rows, max_entries + 1))
    except csv.Error as error:
        raise unreadable(str(error)) from None
    if len(cells) > max_entries:
        raise unreadable(f"more than {max_entries:,} rows; bring them in parts")
    entries, moments, left_out = [], [], []
    for row in cells:
        entry, moment = _entry_of(row, places)
        if entry.rating:
            entries.append(entry)
            moments.append(moment)
        elif entry.name:
            left_out.append(entry.name)
    if not entries:
        raise unreadable("no titles or ids that are liked")
    is_export = {LIKED_COLUMN, "item_id"} <= places.keys()
    order = [*range(len(entries))]
    if (is_export and "timestamp" in places) or moments[0] > moments[-1]:
        order.reverse()  # the newest first, also among equal times
    order.sort(key=lambda at: moments[at])
    sentence = counted(len(left_out), "row is neither", "rows are neither")
    remarks = [Remark(f"{sentence} liked nor unwanted", left_out)] if left_out else []
    usual = "Your own export" if is_export else "Your list"
    return Likes(usual, "", [entries[at] for at in order], remarks)


def _entry_of(row: list[str], places: dict[str, int]) -> tuple[Entry, tuple[float, str]]:
    """A row's title, id and mark (0 if it has none), and what orders it in time."""

    def cell(*names: str) -> str:
        place = next((places[name] for name in names if name in places), None)
        text = row[place] if place is not None and place < len(row) else ""
        return restored_text(text.strip()[:MAX_CHARACTERS])

    title, year = title_and_year(cell(*ENTRY_COLUMNS["title"]))
    year_column = number(cell(*ENTRY_COLUMNS["year"]))
    mark = LIKE
    if LIKED_COLUMN in places:
        written = cell(LIKED_COLUMN).lower()
        mark = MARKS.get(written, float(np.sign(number(written) or 0.0)))
    item_id = cell(*ENTRY_COLUMNS["item_id"])
    moment = cell(*MOMENT_COLUMNS)
    entry = Entry(title, int(year_column) if year_column else year, mark, item_id)
    if not entry.name:
        entry = replace(entry, rating=0.0)
    return entry, (number(moment) or 0.0, moment)
