"""Ratings that people bring, matched with the items of a table of ratings.

The application shows the matches to the person before they are kept; the command line uses those
that are sure. Both say the same of what is left out: `Review.remarks`.
"""

import math
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from tastemap.data.feedback import Feedback
from tastemap.data.ratings import Ratings
from tastemap.data.scale import Scale
from tastemap.explore.exports import Entry
from tastemap.explore.histories import oldest_first
from tastemap.explore.matching import (
    MAX_WORDS_GUESSED,
    items_alike,
    matching_rows,
    rows_of_ids,
    title_index,
)
from tastemap.explore.title_search import title_words
from tastemap.support.counts import counted

# What is said of entries that are wanted.
WANTED = ("title is still to be read", "titles are still to be read")


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
        wanted: Entries of what is still to be read; they are not matched.
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
    wanted: list[Entry] = field(default_factory=list)

    @property
    def n_entries(self) -> int:
        """The number of entries, readable or not."""
        lists = (self.sure, self.unsure, self.unknown, self.repeated, self.seen)
        n_matches = sum(map(len, lists))
        return n_matches + len(self.off_scale) + len(self.unreadable) + len(self.wanted)

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
                [*map(as_written, self.off_scale)],
                f"rating is not {ends}",
                f"ratings are not {ends}",
            ),
            (
                [*map(as_written, self.unreadable)],
                "line has no rating that can be read",
                "lines have no rating that can be read",
            ),
            (
                [*map(as_written, repeated)],
                "further rating of an item that is rated twice, the last counts",
                "further ratings of items that are rated twice, the last counts",
            ),
            ([*map(as_written, moved)], f"rating is {steps}", f"ratings are {steps}"),
            ([entry.name for entry in self.wanted], *WANTED),
        )
        return [Remark(counted(len(e), *words), e) for e, *words in kinds if e]


def as_written(entry: Entry) -> str:
    """An entry as a person might write it.

    Example:
        >>> as_written(Entry("Heat", 1995, 4.5)), as_written(Entry("", None, math.nan, "7", "good"))
        ('Heat (1995) = 4.5', '7 = good')
    """
    rating = entry.written if math.isnan(entry.rating) else f"{entry.rating:g}"
    return f"{entry.name} = {rating}" if rating else entry.name


def review(data: Feedback, source: str, scale: Scale | None, entries: list[Entry]) -> Review:
    """Match the entries of a file with the items of a table, the oldest first where times are.

    Where the table has no ratings, those of the file stay on their own scale. Plays are of tracks,
    and the items may be their artists: what more of them fit counts.
    """
    entries = [entries[place] for place in oldest_first([entry.at for entry in entries])]
    result = _reviewed(data, source, scale, entries)
    if not any(entry.creator for entry in entries):
        return result
    of_creators = [replace(entry, title=entry.creator) for entry in entries]
    other = _reviewed(data, source, scale, of_creators)
    n, n_other = (len(r.sure) + len(r.seen) for r in (result, other))
    return other if n_other > n else result


def _reviewed(data: Feedback, source: str, scale: Scale | None, entries: list[Entry]) -> Review:
    """As `review`, by the titles of the entries, in their order."""
    index, target = title_index(data.items), _scale_of(data, scale, entries)
    origin = scale or target
    is_other = (origin.lowest, origin.highest) != (target.lowest, target.highest)
    converted = f"{origin.lowest:g}–{origin.highest:g}" if is_other else ""
    unreadable = [entry for entry in entries if math.isnan(entry.rating) and not entry.is_seen]
    wanted = [entry for entry in entries if entry.is_wanted]
    entries = [
        entry
        for entry in entries
        if not entry.is_wanted and (entry.is_seen or not math.isnan(entry.rating))
    ]
    within, off_scale = _within(entries, origin)
    result = Review(source, origin, converted, [], [], [], [], off_scale, unreadable)
    n_guessed, last, seen = 0, dict[int, Match](), dict[int, Match]()
    for entry, id_row in zip(within, rows_of_ids(data.items, within), strict=True):
        rows, is_sure = matching_rows(index, entry, id_row)
        if not rows and entry.title and n_guessed < MAX_WORDS_GUESSED:
            n_guessed += len(title_words(entry.title))
            rows = items_alike(data.items, entry.title)
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
    result.wanted.extend(wanted)
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
    index, counts = title_index(data.items), data.by_item.counts
    ratings: dict[str, float] = {}
    entries, off_scale = _within(entries, data.scale)
    ends = f"ratings go from {data.scale.lowest:g} to {data.scale.highest:g}"
    unread = [f"{as_written(entry)} ({ends})" for entry in off_scale]
    for entry, id_row in zip(entries, rows_of_ids(data.items, entries), strict=True):
        rows, _ = matching_rows(index, entry, id_row)
        # The best known of several items of a title is meant.
        best = max(rows, key=lambda row: int(counts[row]), default=-1)
        if best < 0 or math.isnan(entry.rating):
            unread.append(as_written(entry) if math.isnan(entry.rating) else entry.title)
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
