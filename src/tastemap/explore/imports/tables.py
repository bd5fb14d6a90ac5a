"""Tables that services export, as CSV: whose they are, and what each row says.

The columns are those that the services write today. The sources of their names: for Letterboxd
https://letterboxd.com/about/importing-data/ and the files of its zip; for MovieLens the README of
its releases, and the file that https://movielens.org/profile/settings/import-export gives; for
IMDb, Trakt, Simkl, TMDb, Criticker, Goodreads and Last.fm, exports as programs that read them quote
them, such as TraktRater (https://github.com/damienhaynes/TraktRater).
"""

import csv
import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from tastemap.data.readers.timestamps import is_time
from tastemap.data.readers.values import is_missing
from tastemap.explore.imports.entries import (
    CRITICKER,
    GOODREADS,
    IMDB,
    LASTFM,
    LETTERBOXD,
    MAX_CHARACTERS,
    MOVIELENS,
    SIMKL,
    TMDB,
    TRAKT,
    YOUR_EXPORT,
    YOUR_LIST,
    Entry,
    Export,
    Service,
    title_and_year,
    unreadable,
)
from tastemap.support.boundary import shortened
from tastemap.support.formulas import restored_text
from tastemap.support.numerals import number

#: A file has at most so many columns.
MAX_COLUMNS = 100
# Names of columns, in small letters, by what they hold; of several in a file the first counts.
COLUMNS = {
    "title": ("title", "name", "film name", "track"),
    "original": ("original title",),
    "year": ("year", "original publication year"),
    "edition": ("year published",),
    "released": ("release date",),
    "rating": ("your rating", "my rating", "rating", "score"),
    "liked": ("liked",),
    "at": (
        *("date rated", "rated_at", "watched_at", "last_watched_at", "watched date"),
        *("watcheddate", "date read", "timestamp", "date", "utc_time", "uts", "date added"),
        "created",
    ),
    "creator": ("artist",),
    "shelf": ("exclusive shelf", "watchlist"),
    "kind": ("title type", "type"),
    "episode": ("episode number",),
    "item_id": ("item_id",),
    "number": ("movieid", "movie_id"),
    "imdb_id": ("const", "imdb_id", "imdbid", "imdb id", "imdb"),
    "tmdb_id": ("tmdb_id", "tmdbid", "tmdb id", "tmdb"),
    "user": ("userid", "user_id"),
}
# A column that only the exports of a service have.
SERVICES = {
    "letterboxd uri": LETTERBOXD,
    "simkl_id": SIMKL,
    "trakt_id": TRAKT,
    "watched_at": TRAKT,
    "tmdb id": TMDB,
    "const": IMDB,
    "your rating": IMDB,
    "film name": CRITICKER,
    "my rating": GOODREADS,
    "exclusive shelf": GOODREADS,
    "artist": LASTFM,
    "item_id": YOUR_EXPORT,
    **dict.fromkeys(COLUMNS["number"], MOVIELENS),
}
# Columns of which one makes a table of a text, and no list.
HEADER_COLUMNS = {
    *(name for kind in ("rating", "liked", "title", "item_id", "number") for name in COLUMNS[kind]),
    *SERVICES,
}
# Where a column stands that a list of IMDb's has and its ratings have not.
LIST_COLUMN = "position"
WATCHLIST = "watchlist"
DELIMITERS = (",", ";", "\t")
# Last.fm's scrobbles are often written without a header, in this order.
SCROBBLE_HEADER = "artist,album,track,date"
# Longer lines are none of them.
MAX_LINE = 2_000
# Likes and dislikes in words.
MARKS = {"true": 1.0, "yes": 1.0, "false": -1.0, "no": -1.0}


@dataclass(frozen=True)
class Layout:
    """Where a table has what, by the names of its columns.

    Attributes:
        places: The places of the columns of each kind in `COLUMNS`, the first counts.
        service: Whose table it is.
        is_list: Whether it is a list of what somebody wants to see, its rated rows aside.
    """

    places: dict[str, int]
    service: Service
    is_list: bool

    @classmethod
    def of(cls, header: list[str], file_name: str) -> "Layout":
        """The layout of a table with this header.

        Raises:
            DataError: If it has too many columns, or none of titles and ids.
        """
        if len(header) > MAX_COLUMNS:
            raise unreadable(f"more than {MAX_COLUMNS} columns")
        names = {name.strip().lower(): place for place, name in enumerate(header) if name}
        places = {
            kind: next(names[name] for name in spellings if name in names)
            for kind, spellings in COLUMNS.items()
            if any(name in names for name in spellings)
        }
        if "title" not in places and "creator" in places:
            places["title"] = places["creator"]
        if not places.keys() & {"title", "item_id", "number", "imdb_id"}:
            named = shortened(", ".join(names) or "nothing")
            raise unreadable(
                f"no column of ratings, or none of titles: {named}",
                "name a column title and a column rating",
            )
        service = next((SERVICES[name] for name in SERVICES if name in names), YOUR_LIST)
        is_list = LIST_COLUMN in names or WATCHLIST in file_name.rpartition("/")[2].lower()
        return cls(places, service, is_list)

    def cell(self, row: list[str], kind: str) -> str:
        """What a row has in the column of a kind, "" where there is none."""
        place = self.places.get(kind)
        text = row[place] if place is not None and place < len(row) else ""
        return restored_text(text.strip()[:MAX_CHARACTERS].strip())


def is_table(text: str) -> bool:
    """Whether the first line of a text names columns.

    Example:
        >>> is_table("Name;Year;Rating"), is_table("Heat (1995) = 5")
        (True, False)
    """
    return bool(_names(text, _delimiter(text)) & HEADER_COLUMNS)


def read_table(text: str, max_entries: int, file_name: str = "") -> Export:
    """The rows of a table, no more than shows that they are too many.

    Args:
        text: The table, its header first.
        max_entries: Rows that it may have.
        file_name: The name of its file, which says whether it is a list of wishes.

    Raises:
        DataError: If it cannot be read, or has the ratings of several people.
    """
    text = text.lstrip()
    lines = io.StringIO(text, newline="")
    try:
        rows = csv.reader(lines, delimiter=_delimiter(text), skipinitialspace=True)
        layout = Layout.of(next(rows, []), file_name)
        cells = list(islice((row for row in rows if any(row)), max_entries + 1))
    except csv.Error as error:
        raise unreadable(f"line {rows.line_num:,}: {error}", "save it as CSV again") from None
    if len(users := {layout.cell(row, "user") for row in cells} - {""}) > 1:
        raise unreadable(
            f"the ratings of {len(users):,} people", "keep the rows of one of them, by userId"
        )
    entries = (_entry(row, layout) for row in cells)
    return Export(layout.service, [entry for entry in entries if entry.name or entry.written])


def titles_of(movies: str, links: str) -> dict[str, tuple[str, str, str]]:
    r"""The title of each number of MovieLens, and its ids at IMDb and TMDb, from its tables.

    Example:
        >>> titles_of("movieId,title\n6,Heat\n", "movieId,imdbId,tmdbId\n6,0113277,949\n")
        {'6': ('Heat', '0113277', '949')}
    """
    titles = _columns(movies, ("movieid", "title"))
    linked = {row[0]: row for row in _columns(links, ("movieid", "imdbid", "tmdbid"))}
    rows = ((key, title, linked.get(key, ["", "", ""])) for key, title in titles)
    return {key: (title, link[1], link[2]) for key, title, link in rows}


def named(entries: Iterable[Entry], titles: dict[str, tuple[str, str, str]]) -> list[Entry]:
    """Entries that have numbers of MovieLens, with the titles of these."""

    def with_title(entry: Entry) -> Entry:
        if entry.title or entry.item_id not in titles:
            return entry
        title, imdb_id, tmdb_id = titles[entry.item_id]
        title, year = title_and_year(title)
        return replace(entry, title=title, year=year, imdb_id=imdb_id, tmdb_id=tmdb_id)

    return [*map(with_title, entries)]


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


def _names(text: str, delimiter: str) -> set[str]:
    """The fields of the first line, in small letters."""
    first = text.lstrip().partition("\n")[0].partition("\r")[0]
    return {word.strip().strip('"').lower() for word in first.split(delimiter, MAX_COLUMNS)}


def _delimiter(text: str) -> str:
    """What parts the names of columns; a comma where nothing does."""
    return max(DELIMITERS, key=lambda mark: len(_names(text, mark) & HEADER_COLUMNS))


def _columns(text: str, names: tuple[str, ...]) -> Iterator[list[str]]:
    """Some columns of a table, row by row; nothing where it lacks one or cannot be read."""
    try:
        rows = csv.reader(io.StringIO(text.lstrip(), newline=""))
        header = [name.strip().lower() for name in next(rows, [])]
        if not all(name in header for name in names):
            return
        places = [header.index(name) for name in names]
        for row in rows:
            if len(row) > max(places):
                yield [row[place].strip()[:MAX_CHARACTERS] for place in places]
    except csv.Error:
        return


def _entry(row: list[str], layout: Layout) -> Entry:
    """A row; where the place of the rating is empty, or 0 says so, it is only seen."""
    written = layout.cell(row, "rating")
    rating = number(written)
    title, year = title_and_year(layout.cell(row, "title"))
    if layout.service is GOODREADS:
        title = title if "#" not in title else title.partition(" (")[0]
    liked = _mark(layout.cell(row, "liked")) if "liked" in layout.places else None
    # Goodreads writes 0 for what has no rating.
    is_blank = is_missing(written) or (layout.service is GOODREADS and rating == 0)
    is_rated = "rating" in layout.places or layout.service not in (YOUR_LIST, YOUR_EXPORT)
    is_seen = is_blank and is_rated and liked is None
    number_of_film = layout.cell(row, "number")
    shelf = layout.cell(row, "shelf") or (WATCHLIST if layout.is_list else "")
    return Entry(
        title=title,
        year=_year(row, layout) or year,
        rating=math.nan if rating is None or is_blank else rating,
        item_id=layout.cell(row, "item_id") or number_of_film,
        written=written if rating is None and not is_blank else "",
        is_seen=is_seen,
        at=layout.cell(row, "at"),
        creator=layout.cell(row, "creator"),
        shelf=shelf,
        original=layout.cell(row, "original"),
        imdb_id=layout.cell(row, "imdb_id"),
        tmdb_id=layout.cell(row, "tmdb_id"),
        kind="episode" if layout.cell(row, "episode") else layout.cell(row, "kind"),
        liked=liked,
        is_numbered="item_id" not in layout.places and bool(number_of_film),
    )


def _year(row: list[str], layout: Layout) -> int | None:
    """The year of a title; that of an edition where the table has no column of the first."""
    texts = [layout.cell(row, "year"), layout.cell(row, "released")[:4]]
    if "year" not in layout.places:
        texts.append(layout.cell(row, "edition"))
    years = (number(text) for text in texts)
    return next((int(year) for year in years if year), None)


def _mark(text: str) -> float:
    """A like as 1, a dislike as -1, anything else as 0."""
    value = number(text) or 0.0
    return MARKS.get(text.lower(), float((value > 0) - (value < 0)))
