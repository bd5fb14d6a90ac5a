"""Ratings that people bring, matched with the items of a table of ratings.

The application shows the matches to the person before they are kept; the command line uses those
that are sure. Both say the same of what is left out: `Review.remarks`.
"""

import math
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
import polars as pl

from tastemap.data.feedback import Feedback
from tastemap.data.ratings import Ratings
from tastemap.data.scale import Scale
from tastemap.data.vocabulary import Vocabulary
from tastemap.explore.exports import Entry, without_brackets
from tastemap.explore.title_search import ARTICLES, search_titles, title_words
from tastemap.support.counts import counted

#: For titles of so many words in all that nothing fits exactly, similar ones are looked for.
MAX_WORDS_GUESSED = 1_000
MAX_CANDIDATES = 4
# A title is offered whose spelling is at least so similar, in [0, 1].
MIN_SIMILARITY = 0.8

Key: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class Match:
    """An entry, its rating on the scale of the items, and the rows of the items that it may be."""

    entry: Entry
    rating: float
    rows: list[int]


class Remark(NamedTuple):
    """What is said of some entries of a file.

    Attributes:
        sentence: What became of them.
        entries: Each of them, for people.
    """

    sentence: str
    entries: list[str]

    def shown(self, most: int | None = None) -> str:
        """The sentence, and the entries, of which at most so many are named.

        Example:
            >>> Remark("3 titles are not known", ["Up", "Us", "It"]).shown(2)
            '3 titles are not known: Up; Us and 1 more'
        """
        names, more = self.entries[:most], len(self.entries[most:]) if most else 0
        return f"{self.sentence}: {'; '.join(names)}" + (f" and {more:,} more" if more else "")


@dataclass(frozen=True)
class Review:
    """What a file holds. Every entry stands in one of the lists.

    Attributes:
        source: Whose export it is.
        scale: The scale of its ratings.
        converted: The scale that ratings were brought from, or "" where they stay as they are.
        sure: Entries with exactly one item of that title and year, an item each.
        unsure: Entries that may be one of several items, the likeliest first.
        unknown: Entries without any.
        repeated: Entries of an item that is rated again further down.
        off_scale: Entries with a rating that is not on the scale; they are not matched.
        unreadable: Entries without a rating that can be read; they are not matched.
        seen: Entries of an item that is seen without a rating, an item each, none that is rated.
    """

    source: str
    scale: Scale
    converted: str
    sure: list[Match]
    unsure: list[Match]
    unknown: list[Match]
    repeated: list[Match]
    off_scale: list[Entry]
    unreadable: list[Entry]
    seen: list[Match] = field(default_factory=list)

    @property
    def n_entries(self) -> int:
        """The number of entries, readable or not."""
        lists = (self.sure, self.unsure, self.unknown, self.repeated, self.seen)
        n_matches = sum(map(len, lists))
        return n_matches + len(self.off_scale) + len(self.unreadable)

    @property
    def remarks(self) -> list[Remark]:
        """What is said of the entries that are left out, or changed, for certain."""
        ends = f"from {self.scale.lowest:g} to {self.scale.highest:g}"
        matched = [*self.sure, *self.unsure, *self.unknown]
        rated = [match for match in matched if not match.entry.is_seen]
        moved = [m.entry for m in rated if m.rating != m.entry.rating and not self.converted]
        repeated = [match.entry for match in self.repeated]
        steps = "brought to a step of the scale"
        kinds = (
            (
                [match.entry.name for match in self.unknown],
                "title is not known",
                "titles are not known",
            ),
            (
                [*map(_written, self.off_scale)],
                f"rating is not {ends}",
                f"ratings are not {ends}",
            ),
            (
                [*map(_written, self.unreadable)],
                "line has no rating that can be read",
                "lines have no rating that can be read",
            ),
            (
                [*map(_written, repeated)],
                "further rating of an item that is rated twice, the last counts",
                "further ratings of items that are rated twice, the last counts",
            ),
            ([*map(_written, moved)], f"rating is {steps}", f"ratings are {steps}"),
        )
        return [Remark(counted(len(e), *words), e) for e, *words in kinds if e]


def _written(entry: Entry) -> str:
    """An entry as a person might write it.

    Example:
        >>> _written(Entry("Heat", 1995, 4.5)), _written(Entry("", None, math.nan, "7", "good"))
        ('Heat (1995) = 4.5', '7 = good')
    """
    rating = entry.written if math.isnan(entry.rating) else f"{entry.rating:g}"
    return f"{entry.name} = {rating}" if rating else entry.name


def review(data: Feedback, source: str, scale: Scale | None, entries: list[Entry]) -> Review:
    """Match the entries of a file with the items of a table.

    Where the table has no ratings, those of the file stay on their own scale.
    """
    index, target = _index_of(data.items), _scale_of(data, scale, entries)
    origin = scale or target
    is_other = (origin.lowest, origin.highest) != (target.lowest, target.highest)
    converted = f"{origin.lowest:g}–{origin.highest:g}" if is_other else ""
    unreadable = [entry for entry in entries if math.isnan(entry.rating) and not entry.is_seen]
    entries = [entry for entry in entries if entry.is_seen or not math.isnan(entry.rating)]
    within, off_scale = _within(entries, origin)
    result = Review(source, origin, converted, [], [], [], [], off_scale, unreadable)
    n_guessed, last, seen = 0, dict[int, Match](), dict[int, Match]()
    for entry, id_row in zip(within, _rows_of_ids(data.items, within), strict=True):
        rows, is_sure = _rows(index, entry, id_row)
        if not rows and entry.title and n_guessed < MAX_WORDS_GUESSED:
            n_guessed += len(title_words(entry.title))
            rows = _alike(data.items, entry.title)
        rating = math.nan if entry.is_seen else on_scale(entry.rating, origin, target)
        match = Match(entry, rating, rows)
        if is_sure and entry.is_seen:
            seen.pop(rows[0], None)  # what is seen again stands where it was seen last
            seen[rows[0]] = match
        elif is_sure:
            if rows[0] in last:
                result.repeated.append(last.pop(rows[0]))
            last[rows[0]] = match
        else:
            (result.unsure if rows else result.unknown).append(match)
    result.sure.extend(last.values())
    result.seen.extend(match for row, match in seen.items() if row not in last)
    return result


def _scale_of(data: Feedback, scale: Scale | None, entries: list[Entry]) -> Scale:
    """The scale of the table's ratings, else of the file's."""
    if isinstance(data, Ratings):
        return data.scale
    ratings = [entry.rating for entry in entries if not math.isnan(entry.rating)]
    return scale or Scale.infer(np.array(ratings or [1.0], dtype=np.float32))


def chosen(data: Ratings, entries: list[Entry]) -> tuple[dict[str, float], list[str]]:
    """The ratings of a written list, by item id, and the lines that name no item for sure."""
    index, counts = _index_of(data.items), data.by_item.counts
    ratings: dict[str, float] = {}
    entries, off_scale = _within(entries, data.scale)
    ends = f"ratings go from {data.scale.lowest:g} to {data.scale.highest:g}"
    unread = [f"{_written(entry)} ({ends})" for entry in off_scale]
    for entry, id_row in zip(entries, _rows_of_ids(data.items, entries), strict=True):
        rows, _ = _rows(index, entry, id_row)
        # The best known of several items of a title is meant.
        best = max(rows, key=lambda row: int(counts[row]), default=-1)
        if best < 0 or math.isnan(entry.rating):
            unread.append(_written(entry) if math.isnan(entry.rating) else entry.title)
        else:
            rating = on_scale(entry.rating, data.scale, data.scale)
            ratings[str(data.items.ids[best])] = rating
    return ratings, unread


def _within(entries: list[Entry], scale: Scale) -> tuple[list[Entry], list[Entry]]:
    """The entries whose ratings lie on a scale or are missing, and the others, which are none.

    Example:
        >>> heat, alien = Entry("Heat", None, 5), Entry("Alien", None, 400)
        >>> _within([heat, alien], Scale(1, 5, 1)) == ([heat], [alien])
        True
    """
    outside = [e for e in entries if not scale.lowest <= e.rating <= scale.highest]
    outside = [entry for entry in outside if not math.isnan(entry.rating)]
    beyond = {id(entry) for entry in outside}
    return [entry for entry in entries if id(entry) not in beyond], outside


def on_scale(rating: float, source: Scale, target: Scale) -> float:
    """A rating of one scale on another: in the same place between the ends, at the nearest step.

    Example:
        >>> on_scale(4.5, Scale(0.5, 5, 0.5), Scale(1, 5, 1))
        5.0
        >>> on_scale(1, Scale(1, 10, 1), Scale(1, 5, 1))
        1.0
    """
    width = (source.highest - source.lowest) or 1.0
    share = min(max((rating - source.lowest) / width, 0.0), 1.0)
    value = target.lowest + share * (target.highest - target.lowest)
    if target.step:
        value = target.lowest + round((value - target.lowest) / target.step + 1e-9) * target.step
    return float(min(max(value, target.lowest), target.highest))


# ---- matching ----


class _Index(NamedTuple):
    """The rows of items by the words of their titles, and the year of each row."""

    rows_of: dict[Key, list[int]]
    years: list[int | None]


def _rows(index: _Index, entry: Entry, id_row: int) -> tuple[list[int], bool]:
    """The items that an entry may be, and whether it is certainly the first of them.

    ``id_row`` is the row of the item that has the id which the file gives, -1 if there is none.
    """
    if not entry.title:
        return ([id_row], True) if id_row >= 0 else ([], False)
    same = index.rows_of.get(_key(entry.title), [])
    years = {row: index.years[row] for row in same}
    fits = [
        row
        for row, year in years.items()
        if entry.year is None or year is None or abs(year - entry.year) <= 1
    ]
    exact = [row for row in fits if entry.year is not None and years[row] == entry.year]
    if id_row in fits:
        return [id_row], True
    if len(exact) == 1 or len(fits) == 1:
        return (exact if len(exact) == 1 else fits), True
    return (fits or same)[:MAX_CANDIDATES], False


def _alike(items: Vocabulary, title: str) -> list[int]:
    """Rows of items with the words of a title, or words spelt much like them."""
    if not title_words(title):
        return []
    matches = search_titles(items, title, MAX_CANDIDATES)
    is_near = (pl.col("match") != "spelling") | (pl.col("score") >= MIN_SIMILARITY)
    return items.index(matches.filter(is_near)["item_id"]).tolist()


def _rows_of_ids(items: Vocabulary, entries: list[Entry]) -> list[int]:
    """The row of the item with the id of each entry, -1 if there is none: 007 is not 7."""
    texts = pl.Series([entry.item_id for entry in entries], dtype=pl.String)
    rows = items.index(texts, missing="negative")
    is_same = (items.ids_at(np.maximum(rows, 0)).cast(pl.String) == texts).to_numpy()
    return np.where(is_same & (texts != "").to_numpy(), rows, -1).tolist()


def _index_of(items: Vocabulary) -> _Index:
    """Rows by the words of their titles, with and without what stands in brackets."""
    index = _indices.get(items)
    if index is None:
        columns = items.frame.columns
        ids = items.ids.cast(pl.String)
        titles = items.frame["title"].cast(pl.String) if "title" in columns else ids
        years = items.frame["year"].cast(pl.Int32, strict=False) if "year" in columns else None
        index = _Index({}, [None] * len(items) if years is None else years.to_list())
        for row, (title, id_text) in enumerate(zip(titles, ids, strict=True)):
            name = title or id_text
            for key in {_key(name), _key(without_brackets(name))}:
                if key:
                    index.rows_of.setdefault(key, []).append(row)
        _indices[items] = index
    return index


# The index of each vocabulary that has been asked for, for as long as the vocabulary lives.
_indices: WeakKeyDictionary[Vocabulary, _Index] = WeakKeyDictionary()


def _key(title: str) -> Key:
    words = title_words(title)
    return tuple(word for word in words if word not in ARTICLES) or tuple(words)
