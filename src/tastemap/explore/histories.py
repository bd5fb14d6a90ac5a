"""What people have watched, read or played, as other services write it, without ratings."""

import csv
from collections.abc import Sequence

import msgspec
import polars as pl

from tastemap.data.readers.timestamps import evidence, is_time, read_times, time_form
from tastemap.support.numerals import number

# Names of columns, in small letters, of which an export of a history has one.
HISTORY_COLUMNS = {"letterboxd uri", "watched_at", "exclusive shelf", "artist"}
# Last.fm's scrobbles are often written without a header, in this order.
SCROBBLE_HEADER = "artist,album,track,date"
# Longer lines are none of them.
MAX_LINE = 2_000


class _Work(msgspec.Struct):
    """A film or a series of Trakt's."""

    title: str
    year: int | None = None


class Watched(msgspec.Struct):
    """An entry of Trakt's history, or of its ratings; other fields are not read."""

    movie: _Work | None = None
    show: _Work | None = None
    rating: float | None = None
    watched_at: str | None = None
    last_watched_at: str | None = None
    rated_at: str | None = None

    @property
    def work(self) -> _Work | None:
        """The film, else the series."""
        return self.movie or self.show

    @property
    def at(self) -> str:
        """When it was watched, else when it was rated."""
        return self.watched_at or self.last_watched_at or self.rated_at or ""


def read_trakt(content: bytes) -> list[Watched] | None:
    """The entries of one of Trakt's files of JSON; None if it is something else.

    Example:
        >>> heat = b'[{"watched_at": "2024-01-02", "movie": {"title": "Heat", "year": 1995}}]'
        >>> [(entry.work.title, entry.at) for entry in read_trakt(heat)]
        [('Heat', '2024-01-02')]
        >>> read_trakt(b'[{"title": "Heat", "rating": 5}]') is None
        True
    """
    try:
        entries = msgspec.json.decode(content, type=list[Watched])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return entries if entries and all(entry.work for entry in entries) else None


def with_header(text: str) -> str:
    """Scrobbles with the header that they lack; any other text as it is.

    Example:
        >>> with_header("Cher,Believe,Believe,02 Jan 2024 10:30").splitlines()[0]
        'artist,album,track,date'
        >>> with_header("Heat, 5")
        'Heat, 5'
    """
    line = text.partition("\n")[0].partition("\r")[0]
    if len(line) > MAX_LINE or "\0" in line:
        return text
    first = next(csv.reader([line]), [])
    is_scrobble = len(first) == 4 and is_time(first[3]) and number(first[3]) is None and first[0]
    return f"{SCROBBLE_HEADER}\n{text}" if is_scrobble else text


def oldest_first(times: Sequence[str]) -> list[int]:
    """The places of times as they are written, oldest first; as they stand if one is no time.

    Example:
        >>> oldest_first(["2024-01-03", "2023-12-31"]), oldest_first(["yesterday", "2024-01-01"])
        ([1, 0], [0, 1])
    """
    column = pl.Series("time", times, dtype=pl.String)
    seconds = None
    if len(times):
        seconds, _ = read_times("history", column, time_form(evidence(column)), named=False)
    if seconds is None or seconds.null_count():
        return [*range(len(times))]
    return seconds.arg_sort().to_list()
