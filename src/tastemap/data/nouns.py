"""What is rated, in a word: films, books, songs."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple, Protocol, TypeVar

from tastemap.data.feedback import Feedback
from tastemap.errors import ArgumentError

TableT = TypeVar("TableT", bound=Feedback)


class Fitted(Protocol):
    """What has learnt from ratings or interactions."""

    ratings_: Any


ModelT = TypeVar("ModelT", bound=Fitted)

MAX_CHARACTERS = 30


class Noun(NamedTuple):
    """A noun in its forms."""

    singular: str
    plural: str

    @property
    def indefinite(self) -> str:
        """With its article.

        Example:
            >>> ITEM.indefinite, Noun("book", "books").indefinite
            ('an item', 'a book')
        """
        return f"{'an' if self.singular[0] in 'aeiou' else 'a'} {self.singular}"


ITEM, FILM = Noun("item", "items"), Noun("film", "films")
# Words in the name of a column, and what they say of its ids.
NOUNS = {
    **dict.fromkeys(("movie", "film", "filme"), FILM),
    **dict.fromkeys(("book", "isbn", "buch"), Noun("book", "books")),
    **dict.fromkeys(("song", "track"), Noun("song", "songs")),
    **dict.fromkeys(("product", "asin"), Noun("product", "products")),
    **{
        word: Noun(word, f"{word}s")
        for word in ("artist", "album", "joke", "game", "recipe", "restaurant", "beer", "wine")
    },
    **{word: Noun(word, f"{word}s") for word in ("article", "course", "podcast", "paper", "hotel")},
    "anime": Noun("anime", "anime"),
    "series": Noun("series", "series"),
}
# Words in the name of a column or a file, and what they say that people did; all are nouns, too.
ACTIVITIES = {
    word: Noun(word, f"{word}s")
    for word in ("play", "click", "view", "visit", "purchase", "order", "download", "like")
} | dict.fromkeys(("listen", "scrobble", "stream"), Noun("play", "plays"))


def item_noun(ratings: Feedback) -> Noun:
    """The noun of the items; where nothing is known of it, item.

    Example:
        >>> import polars as pl
        >>> from tastemap.data.feedback import Source
        >>> from tastemap.data.ratings import Ratings
        >>> table = pl.DataFrame({"user_id": [1], "item_id": [7], "rating": [5]})
        >>> books = Ratings.from_frame(table, source=Source("b", noun="book"))
        >>> item_noun(books).plural, item_noun(Ratings.from_frame(table)).plural
        ('books', 'items')
    """
    return noun_called(ratings.source.noun) if ratings.source.noun else ITEM


def with_noun(ratings: TableT, word: str) -> TableT:
    """The ratings or interactions with a word for their items.

    Raises:
        ArgumentError: If it is no word.
    """
    named = ratings.replaced(source=replace(ratings.source, noun=noun_called(word).singular))
    # What has been worked out of the rows stays as it is.
    vars(named).update({k: v for k, v in vars(ratings).items() if k not in vars(named)})
    return named


def named_anew(model: ModelT, word: str | None) -> ModelT:
    """A fitted model whose items are called by a word; as it is, without one.

    Raises:
        ArgumentError: If it is no word.
    """
    if word:
        model.ratings_ = with_noun(model.ratings_, word)
    return model


def noun_called(word: str) -> Noun:
    """A noun from either of its forms.

    Raises:
        ArgumentError: If it is no word.

    Example:
        >>> noun_called("jokes").singular, noun_called("cheese").plural, noun_called("story").plural
        ('joke', 'cheeses', 'stories')
    """
    singular = " ".join(word.split()).lower()
    letters = singular.replace(" ", "").replace("-", "")
    if not letters.isalpha() or len(singular) > MAX_CHARACTERS:
        raise ArgumentError(
            "noun",
            expected=f"what an item is called, in at most {MAX_CHARACTERS} letters",
            received=repr(word[: 2 * MAX_CHARACTERS]),
        )
    if usual := noun_in(singular):
        return NOUNS[usual]
    if singular.endswith("s") and not singular.endswith("ss"):
        return Noun(singular.removesuffix("s"), singular)
    if singular.endswith("y") and singular[-2:-1] not in tuple("aeiou"):
        return Noun(singular, f"{singular[:-1]}ies")
    return Noun(singular, singular + ("es" if singular.endswith(("s", "x", "ch", "sh")) else "s"))


def noun_in(name: str) -> str:
    """The noun that the name of a column or file says, in the singular; "" if it says none.

    Example:
        >>> noun_in("Book-ID"), noun_in("movieId"), noun_in("jokes.csv"), noun_in("item")
        ('book', 'film', 'joke', '')
    """
    nouns = {NOUNS[word].singular for word in _words(name) if word in NOUNS}
    return nouns.pop() if len(nouns) == 1 else ""


def activity_in(name: str) -> Noun | None:
    """What people did, if the name of a column or a file says it.

    Example:
        >>> activity_in("play_count").plural, activity_in("clicks.csv").plural, activity_in("n")
        ('plays', 'clicks', None)
    """
    nouns = {ACTIVITIES[word] for word in _words(name) if word in ACTIVITIES}
    return nouns.pop() if len(nouns) == 1 else None


def noun_of_notes(notes: Iterable[str]) -> str:
    """The noun of ratings whose source says none, since an earlier version has written it.

    These noted which column they took for the items in the words that are looked for here.
    """
    for note in notes:
        if note.startswith("read as MovieLens"):
            return FILM.singular
        if note.startswith("column ") and note.endswith(" read as item"):
            return noun_in(note.removeprefix("column ").removesuffix(" read as item"))
    return ""


def _words(name: str) -> list[str]:
    """The words of a column's name, in small letters and in the singular.

    Example:
        >>> _words("movieId"), _words("Book-ID"), _words("SONGS")
        (['movie', 'id'], ['book', 'id'], ['song'])
    """
    parted = "".join(
        f" {letter}" if letter.isupper() and before.islower() else letter
        for before, letter in zip(f" {name}", name, strict=False)
    )
    letters = "".join(letter if letter.isalpha() else " " for letter in parted)
    words = letters.lower().split()
    return [word if word in NOUNS else word.removesuffix("s") for word in words]
