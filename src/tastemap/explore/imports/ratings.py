"""Ratings that people bring, matched with the items of a table of ratings.

The application shows the matches to the person before they are kept; the command line uses those
that are sure. Both say the same of what is left out: `Review.remarks`.
"""

import math
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from tastemap.arrays import AnyArray
from tastemap.data.feedback import Feedback
from tastemap.data.ratings import Ratings
from tastemap.data.scale import Scale
from tastemap.explore.imports.entries import (
    MAX_ENTRIES,
    YOUR_LIST,
    Entry,
    Export,
    moments,
    oldest_first,
    unreadable,
)
from tastemap.explore.imports.files import read_file
from tastemap.explore.imports.matching import Candidates, matcher_of
from tastemap.support.boundary import shortened
from tastemap.support.counts import counted

# What is said of entries that are wanted, of those that are parts of series, and of those that
# have a number of MovieLens alone, where the items have other ids.
WANTED = ("title is still to be seen or read", "titles are still to be seen or read")
EPISODES = ("episode of a series is left out", "episodes of series are left out")
NUMBERED = (
    "line has a number of MovieLens and no title (movies.csv in the same zip names it)",
    "lines have numbers of MovieLens and no titles (movies.csv in the same zip names them)",
)


@dataclass(frozen=True)
class Match:
    """An entry, its rating on the scale of the items, and the rows of the items that it may be.

    Attributes:
        entry: The entry.
        rating: Its rating on the scale of the items, NaN where it has none.
        rows: The rows of the items that it may be, the likeliest first.
        is_likely: Whether the first of them may be proposed.
        moment: When it was rated or seen, in seconds since 1970; None where the file does not say.
    """

    entry: Entry
    rating: float
    rows: list[int]
    is_likely: bool = False
    moment: int | None = None


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
        wanted: Entries of what is still to be seen or read, with the items that they may be.
        episodes: Parts of series; they are not matched.
    """

    source: str
    scale: Scale
    converted: str
    sure: list[Match] = field(default_factory=list)
    unsure: list[Match] = field(default_factory=list)
    unknown: list[Match] = field(default_factory=list)
    repeated: list[Match] = field(default_factory=list)
    off_scale: list[Entry] = field(default_factory=list)
    unreadable: list[Entry] = field(default_factory=list)
    seen: list[Match] = field(default_factory=list)
    wanted: list[Match] = field(default_factory=list)
    episodes: list[Entry] = field(default_factory=list)

    @property
    def n_entries(self) -> int:
        """The number of entries, readable or not."""
        matches = (self.sure, self.unsure, self.unknown, self.repeated, self.seen, self.wanted)
        entries = (self.off_scale, self.unreadable, self.episodes)
        return sum(map(len, matches)) + sum(map(len, entries))

    @property
    def remarks(self) -> list[Remark]:
        """What is said of the entries that are left out, or changed, for certain."""
        ends = f"from {self.scale.lowest:g} to {self.scale.highest:g}"
        matched = [*self.sure, *self.unsure, *self.unknown]
        rated = [match for match in matched if not match.entry.is_seen]
        moved = [m.entry for m in rated if m.rating != m.entry.rating and not self.converted]
        repeated = [match.entry for match in self.repeated]
        steps = "brought to a step of the scale"
        numbered = [m.entry for m in self.unknown if m.entry.is_numbered and not m.entry.title]
        unknown = [m.entry.name for m in self.unknown if m.entry not in numbered]
        kinds = (
            (unknown, "title is not known", "titles are not known"),
            ([entry.item_id for entry in numbered], *NUMBERED),
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
            ([match.entry.name for match in self.wanted], *WANTED),
            ([entry.name for entry in self.episodes], *EPISODES),
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


def read_ratings(
    content: bytes, max_bytes: int, max_entries: int = MAX_ENTRIES, *, name: str = ""
) -> Export:
    r"""The ratings in any file that people bring; arguments as those of `read_file`.

    Raises:
        DataError: If there are none in it, nor anything that was seen or is wanted.

    Example:
        >>> read_ratings(b"Heat (1995) = 4\nAlien = 5\n", 1_000).source
        'Your list'
        >>> read_ratings(b"Heat\n", 1_000)
        Traceback (most recent call last):
        ...
        tastemap.errors.DataError: ratings; expected a file or list that can be read; received ...
    """
    export = read_file(content, max_bytes, max_entries, name=name)
    if not export.has_ratings and not any(entry.is_seen for entry in export.entries):
        first = export.entries[0] if export.entries else None
        shown = "no ratings in it"
        if export.service is YOUR_LIST and first and not first.written:
            shown = shortened(first.name)
        raise unreadable(shown, "write a line “title = 5” for each, or name a column rating")
    return export


def review(data: Feedback, export: Export) -> Review:
    """Match the entries of a file with the items of a table, the oldest first where times are.

    Where the table has no ratings, those of the file stay on their own scale. Plays are of tracks,
    and the items may be their artists: what more of them fit counts.
    """
    places = oldest_first([entry.at for entry in export.entries])
    export = export._replace(entries=[export.entries[place] for place in places])
    result = _reviewed(data, export)
    if not any(entry.creator for entry in export.entries):
        return result
    of_creators = [replace(entry, title=entry.creator) for entry in export.entries]
    other = _reviewed(data, export._replace(entries=of_creators))
    n, n_other = (len(r.sure) + len(r.seen) for r in (result, other))
    return other if n_other > n else result


def _reviewed(data: Feedback, export: Export) -> Review:
    """As `review`, by the titles of the entries, in their order."""
    entries, scale = export.entries, export.service.scale
    target = _scale_of(data, scale, entries)
    origin = scale or target
    is_other = (origin.lowest, origin.highest) != (target.lowest, target.highest)
    converted = f"{origin.lowest:g}–{origin.highest:g}" if is_other else ""
    episodes = [entry for entry in entries if entry.is_episode]
    entries = [entry for entry in entries if not entry.is_episode]
    bad = [entry for entry in entries if math.isnan(entry.rating) and not entry.is_seen]
    entries = [entry for entry in entries if entry.is_seen or not math.isnan(entry.rating)]
    within, off_scale = _within(entries, origin)
    result = Review(
        export.source, origin, converted, off_scale=off_scale, unreadable=bad, episodes=episodes
    )
    matches = matched(data, within)
    for number, (match, candidates) in enumerate(matches):
        if not match.entry.is_seen:
            rating = on_scale(match.entry.rating, origin, target)
            matches[number] = replace(match, rating=rating), candidates
    _sort_into(result, matches)
    return result


def matched(data: Feedback, entries: list[Entry]) -> list[tuple[Match, Candidates]]:
    """Each entry with the items that it may be; without a rating on the items' scale."""
    candidates = matcher_of(data.items).candidates(entries, popularity_of(data))
    times = moments([entry.at for entry in entries])
    return [
        (Match(entry, math.nan, answer.rows, answer.is_likely, time), answer)
        for entry, answer, time in zip(entries, candidates, times, strict=True)
    ]


def popularity_of(data: Feedback) -> AnyArray:
    """How many have rated or chosen each item, (n_items,)."""
    return data.by_item.counts


def _sort_into(result: Review, matches: list[tuple[Match, Candidates]]) -> None:
    """Put each match into its list; of several of an item the last counts."""
    last, seen = dict[int, Match](), dict[int, Match]()
    for match, candidates in matches:
        row = match.rows[0] if match.rows else -1
        if match.entry.is_wanted:
            result.wanted.append(match)
        elif candidates.is_sure and match.entry.is_seen:
            seen.pop(row, None)  # what is seen again stands where it was seen last
            seen[row] = match
        elif candidates.is_sure:
            if row in last:
                result.repeated.append(last.pop(row))
            last[row] = match
        else:
            (result.unsure if match.rows else result.unknown).append(match)
    result.sure.extend(last.values())
    result.seen.extend(match for row, match in seen.items() if row not in last)


def _scale_of(data: Feedback, scale: Scale | None, entries: list[Entry]) -> Scale:
    """The scale of the table's ratings, else of the file's."""
    if isinstance(data, Ratings):
        return data.scale
    ratings = [entry.rating for entry in entries if not math.isnan(entry.rating)]
    return scale or Scale.infer(np.array(ratings or [1.0], dtype=np.float32))


def chosen(data: Ratings, entries: list[Entry]) -> tuple[dict[str, float], list[str]]:
    """The ratings of a written list, by item id, and the lines that name no item for sure."""
    ratings: dict[str, float] = {}
    entries, off_scale = _within([e for e in entries if not e.is_seen], data.scale)
    ends = f"ratings go from {data.scale.lowest:g} to {data.scale.highest:g}"
    unread = [f"{as_written(entry)} ({ends})" for entry in off_scale]
    for match, candidates in matched(data, entries):
        entry = match.entry
        if math.isnan(entry.rating) or not candidates.is_whole:
            unread.append(as_written(entry) if math.isnan(entry.rating) else entry.name)
        else:  # the best known of several items of a title is meant
            item_id = str(data.items.ids[match.rows[0]])
            ratings[item_id] = on_scale(entry.rating, data.scale, data.scale)
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
