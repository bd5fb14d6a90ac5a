"""Titles as people say them: catalogues put the article last, people put it first."""

from collections.abc import Iterable

# Articles that are nothing else at the end of a title, in small letters.
ARTICLES = frozenset(
    (
        *(
            "the",
            "an",
            "le",
            "la",
            "les",
            "un",
            "une",
            "el",
            "los",
            "las",
            "una",
            "il",
            "lo",
            "gli",
        ),
        *("gli", "uno", "der", "das", "ein", "eine", "het", "een", "det", "et", "ett", "um", "uma"),
    )
)
# Articles that are words of their own elsewhere ("Eat, Sleep, Die"): of these the title has no
# other comma.
DOUBTFUL_ARTICLES = frozenset(("a", "o", "os", "as", "die", "den", "de", "en"))
# Of "l'" the apostrophe stands for the blank.
ELIDED = ("l'", "l’")
# Before another name of the same work, within brackets.
ALIAS = "a.k.a. "
# A longer text is no title, and is left as it is.
MAX_CHARACTERS = 500


def spoken(title: str) -> str:
    """A title with its article in front, if a comma and its article are at its end.

    So are the other names of the same work that stand in brackets, and what ends before a bracket.
    All else stays as it is. An article is one of English, French, Italian, Spanish, German,
    Portuguese, Dutch or a language of Scandinavia, with a capital.

    Args:
        title: With or without its year in brackets.

    Returns:
        The same words; ``spoken(spoken(title)) == spoken(title)``.

    Example:
        >>> spoken("Shawshank Redemption, The (1994)")
        'The Shawshank Redemption (1994)'
        >>> spoken("Cité des enfants perdus, La (City of Lost Children, The) (1995)")
        'La Cité des enfants perdus (The City of Lost Children) (1995)'
        >>> spoken("Avventura, L'"), spoken("Girl, Interrupted"), spoken("Plan A")
        ("L'Avventura", 'Girl, Interrupted', 'Plan A')
    """
    if "," not in title or len(title) > MAX_CHARACTERS:
        return title
    return "".join(map(_spoken_part, _parts(title)))


def spoken_all(titles: Iterable[str | None]) -> list[str]:
    """Titles as people say them; what is missing is "".

    Example:
        >>> spoken_all(["Postino, Il", None])
        ['Il Postino', '']
    """
    return [spoken(title) if title else "" for title in titles]


def _parts(title: str) -> list[str]:
    """A title cut before and after each bracket; the brackets are parts of their own.

    Example:
        >>> _parts("Hate (Haine, La)")
        ['Hate ', '(', 'Haine, La', ')']
    """
    parts, start = [], 0
    for place, letter in enumerate(title):
        if letter in "()":
            parts += [title[start:place], letter]
            start = place + 1
    return [part for part in (*parts, title[start:]) if part]


def _spoken_part(part: str) -> str:
    """What stands outside of brackets, or within them, with its article in front."""
    text = part.strip()
    rest, article = _without_article(text)
    if not article or _without_article(rest)[1]:
        return part
    alias = rest[: len(ALIAS)] if rest.casefold().startswith(ALIAS) else ""
    joint = "" if article.casefold() in ELIDED else " "
    before, _, after = part.partition(text)
    return f"{before}{alias}{article}{joint}{rest[len(alias) :]}{after}"


def _without_article(text: str) -> tuple[str, str]:
    """What stands before the article at the end, and the article; all and "" if there is none."""
    rest, _, word = text.rpartition(", ")
    small = word.casefold()
    if not rest.strip() or not word[:1].isupper():
        return text, ""
    is_article = small in ARTICLES or small in ELIDED
    if small == "i":  # Italian, of several; its nouns end in i as well, and "You, I" does not
        is_article = any(near.endswith("i") for near in rest.split()[:2])
    elif small in DOUBTFUL_ARTICLES:
        is_article = "," not in rest
    return (rest, word) if is_article else (text, "")
