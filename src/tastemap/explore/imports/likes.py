"""Likes that people bring, in a list or a file, matched with the items of a table of interactions.

A list of titles or ids says what is liked. A column ``liked`` says it too, and below 0 what is not
wanted. Of ratings, the upper quarter of their scale are likes, as they are to models that learn
from the likes in ratings. So is what an export has without a rating: what was watched or played.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from tastemap.data.feedback import Feedback
from tastemap.data.scale import Scale
from tastemap.explore.imports.entries import (
    MAX_ENTRIES,
    YOUR_EXPORT,
    Entry,
    Export,
    moments,
    oldest_first,
    unreadable,
)
from tastemap.explore.imports.files import read_file
from tastemap.explore.imports.matching import Candidates, rows_of_ids
from tastemap.explore.imports.ratings import (
    EPISODES,
    WANTED,
    Match,
    Remark,
    as_written,
    matched,
)
from tastemap.support.counts import counted

LIKE = 1.0


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


def read_likes(
    content: bytes, max_bytes: int, max_entries: int = MAX_ENTRIES, *, name: str = ""
) -> Likes:
    r"""What somebody likes, from a list of titles or ids, a table, or an export of ratings.

    Args:
        content, max_bytes, max_entries, name: As those of `read_file`.

    Raises:
        DataError: If nothing can be found in it.

    Example:
        >>> [entry.name for entry in read_likes(b"Heat (1995)\nAlien\n", 1_000).entries]
        ['Heat (1995)', 'Alien']
        >>> likes = read_likes(b"title,rating\nHeat,5\nUp,1\n", 1_000)
        >>> likes.rule, [entry.name for entry in likes.entries]
        ('Ratings from 4 on are read as likes.', ['Heat'])
    """
    export = read_file(content, max_bytes, max_entries, name=name)
    if any(entry.liked is not None for entry in export.entries):
        return _of_marks(export)
    if export.has_ratings or any(entry.is_seen for entry in export.entries):
        return _of_ratings(export)
    entries = [entry for entry in export.entries if entry.name and not entry.written]
    if not entries:
        raise unreadable("no list of titles or ids", "write one a line")
    return Likes(
        export.source, "", [replace(entry, rating=LIKE) for entry in in_order(entries)], []
    )


def in_order(entries: list[Entry], *, newest_first: bool = False) -> list[Entry]:
    """Entries with the oldest first, as far as they have times; of equal times as they stand.

    Args:
        entries: The entries.
        newest_first: Whether they stand the other way around, so that of equal times the last is
            the oldest; else only where the first is newer than the last.
    """
    times = moments([entry.at for entry in entries])
    dated = [time for time in times if time is not None]
    if newest_first or (len(dated) == len(times) > 1 and dated[0] > dated[-1]):
        entries = [*reversed(entries)]
    return [entries[place] for place in oldest_first([entry.at for entry in entries])]


def _of_marks(export: Export) -> Likes:
    """What the column ``liked`` says; exports of the application have the newest first."""
    is_saved = export.service is YOUR_EXPORT
    has_times = any(entry.at for entry in export.entries)
    entries = in_order(export.entries, newest_first=is_saved and has_times)
    marked = [replace(entry, rating=entry.liked) for entry in entries if entry.liked]
    if not marked:
        raise unreadable("no titles or ids that are liked", "write 1 for what is liked")
    left_out = [entry.name for entry in export.entries if not entry.liked]
    sentence = counted(len(left_out), "row is neither", "rows are neither")
    remarks = [Remark(f"{sentence} liked nor unwanted", left_out)] if left_out else []
    return Likes(export.source if is_saved else "Your list", "", marked, remarks)


def _of_ratings(export: Export) -> Likes:
    """The high ratings as likes, and what was taken up without one; oldest first."""
    times = oldest_first([entry.at for entry in export.entries])
    entries = [export.entries[place] for place in times]
    episodes = [entry.name for entry in entries if entry.is_episode]
    entries = [entry for entry in entries if not entry.is_episode]
    rated = [e for e in entries if not (math.isnan(e.rating) or e.is_seen)]
    least, rules = math.inf, []
    if rated:
        scale = export.service.scale or Scale.infer(np.array([entry.rating for entry in rated]))
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
        (episodes, *EPISODES),
    )
    remarks = [Remark(counted(len(e), *words), e) for e, *words in kinds if e]
    return Likes(export.source, " ".join(rules), _not_disliked(likes, rated, least), remarks)


def _not_disliked(likes: list[Entry], rated: list[Entry], least: float) -> list[Entry]:
    """The likes, without what was taken up and then rated too low for one."""
    low = {(e.title, e.year, e.item_id) for e in rated if e.rating < least}
    return [e for e in likes if not e.is_seen or (e.title, e.year, e.item_id) not in low]


def review_likes(data: Feedback, likes: Likes) -> LikesReview:
    """Match what somebody likes with items; of an item that is named twice the last counts.

    Plays are of tracks, and the items may be their artists: what more of them fit counts.
    """
    result = _reviewed(data, likes)
    if not any(entry.creator for entry in likes.entries):
        return result
    of_creators = [replace(entry, title=entry.creator) for entry in likes.entries]
    other = _reviewed(data, replace(likes, entries=of_creators))
    return other if len(other.sure) > len(result.sure) else result


def _reviewed(data: Feedback, likes: Likes) -> LikesReview:
    """As `review_likes`, by the titles of the entries."""
    sure: dict[int, Match] = {}
    unsure: list[Match] = []
    unknown: list[Match] = []
    for match, candidates in _matched(data, likes.entries):
        if candidates.is_sure:
            sure.pop(match.rows[0], None)
            sure[match.rows[0]] = match
        else:
            (unsure if match.rows else unknown).append(match)
    remarks = list(likes.remarks)
    if unknown:
        names = [match.entry.name for match in unknown]
        sentence = counted(len(names), "title is not known", "titles are not known")
        remarks.insert(0, Remark(sentence, names))
    return LikesReview(likes.source, likes.rule, [*sure.values()], unsure, unknown, remarks)


def chosen_likes(data: Feedback, likes: Likes) -> tuple[dict[str, float], list[str]]:
    """The items that are meant, by id with 1 or -1, and the entries that name none."""
    chosen: dict[str, float] = {}
    unread = [entry for remark in likes.remarks for entry in remark.entries]
    for match, candidates in _matched(data, likes.entries):
        if candidates.is_whole:  # the best known of several items of a title is meant
            chosen[str(data.items.ids[match.rows[0]])] = match.rating
        else:
            unread.append(match.entry.name)
    return chosen, unread


def _matched(data: Feedback, entries: list[Entry]) -> list[tuple[Match, Candidates]]:
    """Each entry with the items that it may be; a line of a list may be an id."""
    by_name = rows_of_ids(data.items, [entry.title for entry in entries])
    matches = []
    for (match, answer), row in zip(matched(data, entries), by_name, strict=True):
        candidates = answer
        if row >= 0 and not answer.is_whole:
            candidates = Candidates([row], is_sure=True, is_likely=True, is_whole=True)
        matches.append(
            (replace(match, rating=match.entry.rating, rows=candidates.rows), candidates)
        )
    return matches
