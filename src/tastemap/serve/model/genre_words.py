"""The genres that a query names, as people say them: "science fiction", "kids", "comedies"."""

from collections.abc import Sequence

from tastemap.explore.title_search import title_words

# Other words for a genre, by its joined letters.
SYNONYMS = {
    "animation": ("animated", "cartoon", "cartoons"),
    "childrens": ("children", "kids", "for kids", "for children"),
    "documentary": ("documentaries",),
    "filmnoir": ("noir", "films noirs"),
    "musical": ("musicals",),
    "romance": ("romantic", "love story", "love stories"),
    "scifi": ("science fiction", "sf"),
    "sciencefiction": ("scifi", "sci fi", "sf"),
    "thriller": ("suspense",),
    "war": ("war films", "war movies"),
}
# The longest of these, in words.
MAX_WORDS_OF_GENRE = 3
# A shorter name of a genre has no plural.
MIN_LETTERS_OF_PLURAL = 4


def genres_in(words: Sequence[str], genres: Sequence[str]) -> tuple[list[str], list[str]]:
    """The genres that some words name, and the other words.

    Args:
        words: The words of a query, as `title_words` gives them.
        genres: The names of the genres that there are.

    Example:
        >>> genres_in(["funny", "science", "fiction"], ["Comedy", "Sci-Fi"])
        (['Sci-Fi'], ['funny'])
        >>> genres_in(["comedies"], ["Comedy", "Sci-Fi"])
        (['Comedy'], [])
    """
    spoken = spoken_genres(genres)
    named, rest, at = dict[str, None](), list[str](), 0
    while at < len(words):
        for n in range(min(MAX_WORDS_OF_GENRE, len(words) - at), 0, -1):
            if (name := spoken.get("".join(words[at : at + n]))) is not None:
                named[name] = None
                at += n
                break
        else:
            rest.append(words[at])
            at += 1
    return list(named), rest


def spoken_genres(genres: Sequence[str]) -> dict[str, str]:
    """The genre that is meant by each way to name one, in small letters without blanks."""
    return {form: name for name in reversed(genres) for form in _spoken(name)}


def _spoken(genre: str) -> set[str]:
    """How a genre may be called, without blanks."""
    joined = "".join(title_words(genre))
    forms = {joined, *("".join(form.split()) for form in SYNONYMS.get(joined, ()))}
    if len(joined) >= MIN_LETTERS_OF_PLURAL:  # "Star Wars" is no film of war
        forms.add(joined[:-1] + "ies" if joined.endswith("y") else f"{joined}s")
    return forms
