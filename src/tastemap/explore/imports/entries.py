"""What a file says of one title, and the services that files come from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from tastemap.data.readers.timestamps import evidence, read_times, time_form
from tastemap.data.scale import Scale
from tastemap.errors import DataError

#: So many entries are read of a file.
MAX_ENTRIES = 100_000
#: So many characters of a cell or of a line are read.
MAX_CHARACTERS = 500
# How services write, in small letters without blanks and hyphens, that something is still to be
# seen or read.
SHELVES_OF_WISHES = frozenset(
    ("toread", "watchlist", "plantowatch", "plantoread", "planned", "wanttoread", "ptw")
)
# How they call the episode of a series, which is no title of its own.
EPISODES = frozenset(("episode", "tvepisode", "season", "tvseason"))


class Service(NamedTuple):
    """A service that exports ratings.

    Attributes:
        name: What people call it.
        scale: The scale of its ratings; None for that of the items.
    """

    name: str
    scale: Scale | None = None


YOUR_LIST, YOUR_EXPORT = Service("Your list"), Service("Your own export")
LETTERBOXD = Service("Letterboxd", Scale(0.5, 5.0, 0.5))
MOVIELENS = Service("MovieLens", Scale(0.5, 5.0, 0.5))
IMDB = Service("IMDb", Scale(1.0, 10.0, 1.0))
TRAKT = Service("Trakt", Scale(1.0, 10.0, 1.0))
SIMKL = Service("Simkl", Scale(1.0, 10.0, 1.0))
TMDB = Service("TMDb", Scale(0.5, 10.0, 0.5))
CRITICKER = Service("Criticker", Scale(0.0, 100.0, 1.0))
GOODREADS = Service("Goodreads", Scale(1.0, 5.0, 1.0))
MYANIMELIST = Service("MyAnimeList", Scale(1.0, 10.0, 1.0))
LASTFM = Service("Last.fm")


@dataclass(frozen=True)
class Entry:
    """What a file says of one title.

    Attributes:
        title, year: What is rated.
        rating: The number, NaN where there is none that can be read.
        item_id: The file's own id of it, or "".
        written: The rating as it is written, where it is no number; else "".
        is_seen: Whether the person has seen it without rating it.
        at, creator, shelf: When it was seen or rated, as it is written; who made it; the shelf or
            list that it stands on; "" where the file does not say.
        original: The title in the language that it was made in, "" where the file does not say.
        imdb_id, tmdb_id: Its ids at IMDb, such as ``tt0113277``, and TMDb, or "".
        kind: What it is, such as ``movie`` or ``TV Episode``, or "".
        liked: 1 for a like, -1 for a dislike, 0 for neither, None where the file has no such
            column.
        is_numbered: Whether ``item_id`` is a number of MovieLens, and not an id of the items.
    """

    title: str
    year: int | None
    rating: float
    item_id: str = ""
    written: str = ""
    is_seen: bool = False
    at: str = ""
    creator: str = ""
    shelf: str = ""
    original: str = ""
    imdb_id: str = ""
    tmdb_id: str = ""
    kind: str = ""
    liked: float | None = None
    is_numbered: bool = False

    @property
    def is_wanted(self) -> bool:
        """Whether it is still to be seen or read.

        Example:
            >>> Entry("Emma", None, math.nan, is_seen=True, shelf="to-read").is_wanted
            True
        """
        return self.is_seen and plain_word(self.shelf) in SHELVES_OF_WISHES

    @property
    def is_episode(self) -> bool:
        """Whether it is a part of a series."""
        return plain_word(self.kind) in EPISODES

    @property
    def name(self) -> str:
        """What is rated, for people: the title with its year, else the id.

        Example:
            >>> Entry("Heat", 1995, 4).name, Entry("", None, 4, "tt7").name
            ('Heat (1995)', 'tt7')
        """
        title = self.title or self.item_id or self.imdb_id
        return title + (f" ({self.year})" if self.year else "")


class Export(NamedTuple):
    """What a file holds.

    Attributes:
        service: Whose export it is.
        entries: Its entries, in the file's order.
    """

    service: Service
    entries: list[Entry]

    @property
    def source(self) -> str:
        """Whose export it is, for people."""
        return self.service.name

    @property
    def has_ratings(self) -> bool:
        """Whether some entry has a rating that can be read."""
        return any(not math.isnan(entry.rating) for entry in self.entries)


def plain_word(text: str) -> str:
    """A word as services spell it differently, in small letters alone.

    Example:
        >>> plain_word("Plan to Watch"), plain_word("TV Episode"), plain_word("to-read")
        ('plantowatch', 'tvepisode', 'toread')
    """
    return text.casefold().replace(" ", "").replace("-", "").replace("_", "")


def title_and_year(title: str) -> tuple[str, int | None]:
    """A title without the year in brackets at its end, and the year.

    Example:
        >>> title_and_year("Heat (1995)"), title_and_year("Heat")
        (('Heat', 1995), ('Heat', None))
    """
    text = title.rstrip()
    name, year, end = text[:-6], text[-5:-1], text[-6:-5] + text[-1:]
    if end == "()" and len(year) == 4 and year.isascii() and year.isdecimal():
        return name.rstrip(), int(year)
    return title, None


def moments(times: Sequence[str]) -> list[int | None]:
    """Times as they are written, in seconds since 1970; None where one cannot be read.

    Example:
        >>> moments(["2024-01-03", "", "2023-12-31T10:00:00Z"])
        [1704240000, None, 1704016800]
        >>> moments(["yesterday"])
        [None]
    """
    column = pl.Series("time", times, dtype=pl.String)
    if not len(times):
        return []
    seconds, _ = read_times("file", column, time_form(evidence(column)), named=False)
    return [None] * len(times) if seconds is None else seconds.to_list()


def oldest_first(times: Sequence[str]) -> list[int]:
    """The places of times as they are written, oldest first; as they stand if one is no time.

    Example:
        >>> oldest_first(["2024-01-03", "2023-12-31"]), oldest_first(["yesterday", "2024-01-01"])
        ([1, 0], [0, 1])
    """
    seconds = moments(times)
    if None in seconds:
        return [*range(len(times))]
    return sorted(range(len(times)), key=lambda place: seconds[place] or 0)


def unreadable(why: str, do: str = "") -> DataError:
    """The error of a file that cannot be read: why, and what to do."""
    return DataError("ratings", expected="a file or list that can be read", received=why, do=do)
