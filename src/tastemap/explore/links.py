"""Where else one can read of an item: its page on another site, or a search there.

Nothing is fetched from there: these are links for people to follow. The exported site makes the
same from `link_rules` (static/links.js).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote


class Site(NamedTuple):
    """Another site.

    Attributes:
        name: What people call it.
        search: The address of a search, with {} for the words.
        column: The column of the item table that holds the site's id of an item, or "".
        lengths: How many digits such an id has; of ten, the last may be an X.
        page: The address of an item, with {} for its id.
        n_digits: Shorter ids have zeros before them.
    """

    name: str
    search: str
    column: str = ""
    lengths: Sequence[int] = ()
    page: str = ""
    n_digits: int = 0


class Link(NamedTuple):
    """A link to another site: what it says, and where it leads."""

    text: str
    address: str


IMDB = Site(
    "IMDb",
    "https://www.imdb.com/find/?s=tt&q={}",
    "imdb_id",
    range(1, 10),
    "https://www.imdb.com/title/tt{}/",
    7,
)
TMDB = Site(
    "TMDb",
    "https://www.themoviedb.org/search?query={}",
    "tmdb_id",
    range(1, 10),
    "https://www.themoviedb.org/movie/{}",
)
OPEN_LIBRARY = Site(
    "Open Library",
    "https://openlibrary.org/search?q={}",
    "isbn",
    (10, 13),
    "https://openlibrary.org/isbn/{}",
)
# The sites that know the items of a noun.
SITES = {
    "film": (IMDB, TMDB),
    "series": (IMDB,),
    "book": (OPEN_LIBRARY,),
    **{
        noun: (Site("MusicBrainz", f"https://musicbrainz.org/search?type={kind}&query={{}}"),)
        for noun, kind in (("song", "recording"), ("album", "release_group"), ("artist", "artist"))
    },
}
# Columns that say no more than a link does; the addresses of MovieLens 100K lead nowhere any more.
COLUMNS_OF_LINKS = frozenset(("imdb_id", "tmdb_id", "imdb_url"))


def links_of(
    noun: str, name: str, year: int | None, facts: Mapping[str, object], item_id: object = ""
) -> list[Link]:
    """Links to an item's pages on other sites; to a search where its id there is not known.

    Args:
        noun: What it is, in the singular.
        name: Its title as people say it, or "" if it has none.
        year: Its year, if known.
        facts: What else is known of it, by column.
        item_id: Its id: that of a book may be its ISBN.

    Example:
        >>> links_of("film", "Toy Story", 1995, {"imdb_id": "0114709"})[0]
        Link(text='IMDb', address='https://www.imdb.com/title/tt0114709/')
        >>> links_of("book", "Emma", None, {})
        [Link(text='Search Open Library', address='https://openlibrary.org/search?q=Emma')]
        >>> links_of("joke", "A man walks into a bar", None, {})
        []
    """
    words = " ".join([name.partition(" (")[0] or name, *([str(year)] if year else [])])
    links = []
    for site in SITES.get(noun, ()):
        if identity := _identity(site, facts, item_id):
            links.append(Link(site.name, site.page.format(identity)))
        elif name:
            address = site.search.format(quote(words, safe="!'()*"))
            links.append(Link(f"Search {site.name}", address))
    return links


def _identity(site: Site, facts: Mapping[str, object], item_id: object) -> str:
    """The site's id of an item, digits alone; "" where there is none that can be one."""
    if not site.column:
        return ""
    written = [facts.get(site.column), *([item_id] if site is OPEN_LIBRARY else [])]
    for value in written:
        text = str(value or "").strip().upper().replace("-", "")
        digits = text.removeprefix("TT").removesuffix(".0")
        numbers = digits.removesuffix("X") if len(digits) == len("0195153448") else digits
        if len(digits) in site.lengths and numbers.isascii() and numbers.isdecimal():
            return digits.zfill(site.n_digits)
    return ""


def link_rules(noun: str) -> list[dict[str, Any]]:
    """What a script needs to make the same links for the items of a noun, ready for JSON."""
    return [site._asdict() | {"lengths": [*site.lengths]} for site in SITES.get(noun, ())]
