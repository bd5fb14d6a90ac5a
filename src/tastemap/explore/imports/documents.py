"""Exports that are no tables: JSON of Trakt and Simkl, XML of MyAnimeList and Criticker.

The forms are those of https://trakt.docs.apiary.io, https://simkl.docs.apiary.io, MyAnimeList's
"Export My List" and Criticker's recent ratings.
"""

import math
from xml.parsers import expat

import msgspec

from tastemap.explore.imports.entries import (
    CRITICKER,
    MAX_CHARACTERS,
    MYANIMELIST,
    SIMKL,
    TRAKT,
    Entry,
    Export,
    Service,
    title_and_year,
    unreadable,
)
from tastemap.support.numerals import number

# Names of elements, in small letters, by what they hold.
ELEMENTS = {
    "series_title": "title",
    "manga_title": "title",
    "filmname": "title",
    "my_score": "rating",
    "rating": "rating",
    "score": "rating",
    "my_status": "shelf",
    "my_finish_date": "at",
    "reviewdate": "at",
}
# The elements that are entries, and whose they are.
RECORDS = {"anime": MYANIMELIST, "manga": MYANIMELIST, "film": CRITICKER}
NO_DATE = "0000-00-00"


class _Ids(msgspec.Struct):
    """Ids of other services."""

    imdb: str | None = None
    tmdb: str | int | None = None


class _Work(msgspec.Struct):
    """A film or a series."""

    title: str
    year: int | None = None
    ids: _Ids = msgspec.field(default_factory=_Ids)


class _Record(msgspec.Struct):
    """An entry of a history, of ratings or of a watchlist; other fields are not read."""

    type: str = ""
    movie: _Work | None = None
    show: _Work | None = None
    rating: float | None = None
    user_rating: float | None = None
    status: str = ""
    watched_at: str | None = None
    last_watched_at: str | None = None
    rated_at: str | None = None
    listed_at: str | None = None

    @property
    def work(self) -> _Work | None:
        """The film, else the series."""
        return self.movie or self.show


class _Backup(msgspec.Struct):
    """A backup of Simkl's."""

    movies: list[_Record] | None = None
    shows: list[_Record] | None = None
    anime: list[_Record] | None = None


def read_json(content: bytes) -> Export | None:
    """The entries of a file of Trakt's or Simkl's; None if it is something else.

    Example:
        >>> heat = b'[{"watched_at": "2024-01-02", "movie": {"title": "Heat", "year": 1995}}]'
        >>> read_json(heat).source, read_json(heat).entries[0].name
        ('Trakt', 'Heat (1995)')
        >>> read_json(b'[{"title": "Heat", "rating": 5}]') is None
        True
    """
    if content.lstrip()[:1] not in (b"[", b"{"):
        return None
    try:
        decoded = msgspec.json.decode(content, type=list[_Record] | _Backup)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if isinstance(decoded, _Backup):
        parts = (decoded.movies, decoded.shows, decoded.anime)
        service, records = SIMKL, [record for part in parts for record in part or ()]
    else:
        service, records = TRAKT, decoded
    if not records or not all(record.work for record in records):
        return None
    return Export(service, [_of_record(record) for record in records])


def _of_record(record: _Record) -> Entry:
    work, rating = record.work or _Work(""), record.rating or record.user_rating
    is_listed = record.listed_at is not None and rating is None
    # To have seen an episode is to have seen of the series; to rate one says nothing of it.
    kind = "film" if record.movie else "series"
    return Entry(
        work.title[:MAX_CHARACTERS],
        work.year,
        math.nan if rating is None else rating,
        is_seen=rating is None,
        at=record.watched_at or record.last_watched_at or record.rated_at or "",
        shelf="watchlist" if is_listed else record.status,
        imdb_id=work.ids.imdb or "",
        tmdb_id=str(work.ids.tmdb or "") if record.movie else "",
        kind=kind if rating is None else record.type or kind,
    )


def read_xml(content: bytes, max_entries: int) -> Export | None:
    """The entries of a list of MyAnimeList's or Criticker's; None if it is no XML.

    Args:
        content: The file.
        max_entries: Entries that it may hold; one more is read, which shows that there are more.

    Raises:
        DataError: If it is damaged, has declarations, or is of another kind.

    Example:
        >>> film = b"<recentratings><film><filmname>Heat (1995)</filmname><rating>80</rating>"
        >>> read_xml(film + b"</film></recentratings>", 9).entries[0].rating
        80.0
    """
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return None
    document = _Document(max_entries)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = document.begin
    parser.EndElementHandler = document.end
    parser.CharacterDataHandler = document.text
    parser.StartDoctypeDeclHandler = _refuse_declaration
    parser.EntityDeclHandler = _refuse_declaration
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise unreadable(f"XML that is damaged: {error}", "export it again") from None
    if document.service is None:
        raise unreadable(
            "XML that is no list of MyAnimeList or Criticker", "bring the file as it was exported"
        )
    return Export(document.service, document.entries)


def _refuse_declaration(*_: object) -> None:
    raise unreadable("XML with declarations", "bring the file as it was exported")


class _Document:
    """The entries of an XML file, as they are met."""

    def __init__(self, max_entries: int) -> None:
        self.entries: list[Entry] = []
        self.service: Service | None = None
        self._max_entries = max_entries
        self._record: dict[str, str] | None = None
        self._kind = ""

    def begin(self, name: str, _: object) -> None:
        """An element begins."""
        name = name.lower()
        if name in RECORDS and self._record is None:
            self.service, self._record = RECORDS[name], {}
        self._kind = ELEMENTS.get(name, "")

    def text(self, text: str) -> None:
        """Text within an element."""
        if self._record is not None and self._kind:
            before = self._record.get(self._kind, "")
            self._record[self._kind] = (before + text)[: 2 * MAX_CHARACTERS]

    def end(self, name: str) -> None:
        """An element ends; with that of an entry, this is read."""
        self._kind = ""
        if name.lower() in RECORDS and self._record is not None:
            if len(self.entries) <= self._max_entries:
                self.entries.append(_of_element(self._record, self.service is MYANIMELIST))
            self._record = None


def _of_element(record: dict[str, str], is_zero_blank: bool) -> Entry:
    cells = {kind: text.strip()[:MAX_CHARACTERS] for kind, text in record.items()}
    title, year = title_and_year(cells.get("title", ""))
    written = cells.get("rating", "")
    rating = number(written)
    is_seen = not written or (is_zero_blank and rating == 0)
    at = cells.get("at", "")
    return Entry(
        title,
        year,
        math.nan if rating is None or is_seen else rating,
        written=written if rating is None else "",
        is_seen=is_seen,
        at="" if at == NO_DATE else at,
        shelf=cells.get("shelf", ""),
    )
