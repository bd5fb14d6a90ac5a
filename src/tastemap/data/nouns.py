"""What is rated, in a word: films, books, songs; from what was noted when the ratings were read."""

from typing import NamedTuple

from tastemap.data.feedback import Feedback


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


def item_noun(ratings: Feedback) -> Noun:
    """The noun of the items, from the name that their column had; where that says nothing, item.

    Example:
        >>> import polars as pl
        >>> from tastemap.data.feedback import Source
        >>> from tastemap.data.ratings import Ratings
        >>> table = pl.DataFrame({"user_id": [1], "item_id": [7], "rating": [5]})
        >>> books = Ratings.from_frame(table, source=Source("b", ("column Book-ID read as item",)))
        >>> item_noun(books).plural, item_noun(Ratings.from_frame(table)).plural
        ('books', 'items')
    """
    for note in ratings.source.notes:
        if note.startswith("read as MovieLens"):
            return FILM
        if note.startswith("column ") and note.endswith(" read as item"):
            for word in _words(note.removeprefix("column ").removesuffix(" read as item")):
                if word in NOUNS:
                    return NOUNS[word]
    return ITEM


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
