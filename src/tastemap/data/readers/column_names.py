"""The names of columns: plain, in words, and those that say that a table has no ratings."""

import re
import unicodedata
from collections.abc import Iterable

#: Common names of columns that say how strongly, how often or in which way a user chose an item.
WEIGHT_NAMES = (
    "weight plays playcount playcounts listens listencount listeningcount clicks clickcount views"
    " viewcount purchases purchasecount visits quantity qty count counts frequency freq times hours"
    " minutes amount interactions n"
)
EVENT_NAMES = (
    "event eventtype eventname action actiontype behavior behaviour behaviortype behaviourtype"
    " interaction interactiontype activity type"
)
LIKED_NAMES = "liked like isliked likes thumbs thumb thumbsup favorite favourite loved"
# Columns of these names are of interactions, whatever is in them.
_OF_INTERACTIONS = frozenset(f"{WEIGHT_NAMES} {EVENT_NAMES} {LIKED_NAMES}".split())


def columns_of_interactions(columns: Iterable[str]) -> list[str]:
    """The columns whose names say that they hold counts, kinds of events, or likes."""
    return [column for column in columns if plain(column) in _OF_INTERACTIONS]


def plain(name: str) -> str:
    """A name in small letters, without accents and what stands between words.

    Example:
        >>> plain("Calificación"), plain("My Rating"), plain("user_id")
        ('calificacion', 'myrating', 'userid')
    """
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if letter.isalnum())


def words_of(name: str) -> list[str]:
    """The words of a name, in small letters without accents.

    Example:
        >>> words_of("movieRating"), words_of("Anime_ID"), words_of("My Rating")
        (['movie', 'rating'], ['anime', 'id'], ['my', 'rating'])
    """
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    return [word for word in map(plain, re.split(r"[\W_]+", parted)) if word]
