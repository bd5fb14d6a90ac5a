"""Spellings of a title: the ways in which catalogues and services write one and the same.

A spelling is a text of plain small letters and digits without blanks, so that what differs in case,
accents, punctuation, articles, ampersands, or in numbers as words, figures or Roman numerals, is
spelt alike. Each has a `Kind`, which says how much it tells.
"""

from collections.abc import Iterable, Iterator
from enum import IntEnum
from functools import lru_cache
from itertools import pairwise

from tastemap.explore.title_search import ARTICLES, title_words


class Kind(IntEnum):
    """How much a spelling tells of a title, the most first.

    TITLE is the title; ALIAS is another name of it, in brackets or after "a.k.a."; PART is a part
    that names it as well ("The Empire Strikes Back"); HINT is a part that other titles may have.
    """

    TITLE = 0
    ALIAS = 1
    PART = 2
    HINT = 3


ENGLISH_ARTICLES = frozenset(("a", "an", "the"))
_UNITS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_TENS_OF_ROMAN, _UNITS_OF_ROMAN = (
    ("", "x", "xx", "xxx"),
    ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix"),
)
ROMAN = {
    ten + unit: (10 * tens + value)
    for tens, ten in enumerate(_TENS_OF_ROMAN)
    for value, unit in enumerate(_UNITS_OF_ROMAN)
    if ten + unit
}
# Words that are numbers: what they are in one, and their value.
NUMBER_WORDS = {
    **{word: ("unit", value) for value, word in enumerate(_UNITS)},
    **{word: ("tens", 10 * place) for place, word in enumerate(_TENS, start=2)},
    "hundred": ("multiple", 100),
    "thousand": ("multiple", 1_000),
    **{numeral: ("roman", value) for numeral, value in ROMAN.items()},
}
# Words before a number that some leave out: The Godfather, Part II.
COUNTERS = frozenset(("part", "vol", "volume", "chapter", "episode", "pt", "no", "number"))
# Words that are written in several ways.
WORDS = {
    "doctor": "dr",
    "mister": "mr",
    "saint": "st",
    "versus": "vs",
    "okay": "ok",
    "colour": "color",
    "colours": "colors",
    "grey": "gray",
    "theatre": "theater",
    "centre": "center",
    "honour": "honor",
    "favourite": "favorite",
    "neighbour": "neighbor",
    "neighbours": "neighbors",
}
# Digits that stand for a letter within a word: Se7en, Fant4stic, S1m0ne.
_LETTERS_OF_DIGITS = str.maketrans("013457", "oieasv")
# Signs that are words or numbers of their own.
_SIGNS = str.maketrans(
    {
        "½": " 1/2",
        "⅓": " 1/3",
        "¼": " 1/4",
        "¹": " 1",
        "²": " 2",
        "³": " 3",
        "+": " and ",
        "@": " at ",
    }
)
# A part tells a title where it has so many letters, or digits.
MIN_LETTERS_OF_PART = 8
# In a title of so many letters a slip can be told from another title.
MIN_LETTERS_OF_SLIP = 6
# A subtitle of so many words describes, as those of remakes and sequels do not.
MIN_WORDS_OF_DESCRIPTION = 6
APOSTROPHES = ("'", "’")
EPISODE, OR, AKA = "episode", "or", "aka"
_DASHES = (": ", " - ", " – ", " — ")


@lru_cache(maxsize=1 << 16)
def spelling(text: str) -> str:
    """A title as all its ways to be written have it in common, with an article in front.

    Example:
        >>> spelling("Twelve Monkeys") == spelling("12 Monkeys")
        True
        >>> spelling("Godfather: Part II, The") == spelling("The Godfather 2")
        True
        >>> spelling("Wallace & Gromit") == spelling("Wallace and Gromit")
        True
    """
    return "".join(_words(text))


def spellings(title: str, original: str = "") -> dict[str, Kind]:
    """The spellings of a title, and how much each tells of it.

    Args:
        title: The title, without its year.
        original: The title in the language that it was made in, where that is said apart.

    Example:
        >>> list(spellings("Seven (a.k.a. Se7en)"))
        ['7', '7akase7en', 'se7en']
        >>> spellings("Wallace & Gromit: The Wrong Trousers")["thewrongtrousers"].name
        'PART'
        >>> spellings("Star Wars: Episode IV - A New Hope")["starwars"].name
        'PART'
    """
    outside, inside = bracketed(title)
    outside = article_in_front(outside)
    result: dict[str, Kind] = {}
    for text in (outside, title):
        if key := spelling(text):
            result.setdefault(key, Kind.TITLE)
    for text in (*_aliases(outside, inside), original):
        if key := spelling(text):
            result.setdefault(key, Kind.ALIAS)
    for name in filter(None, (outside, *inside, original)):
        for text, kind in _parts(name):
            if (key := spelling(text)) and not key.isdecimal():
                result[key] = min(kind, result.get(key, kind))
    return result


def bracketed(title: str) -> tuple[str, list[str]]:
    """A title without what stands in brackets, and this.

    Example:
        >>> bracketed("Shanghai Triad (Yao a yao yao) (a.k.a. X)")
        ('Shanghai Triad', ['Yao a yao yao', 'a.k.a. X'])
        >>> bracketed("A) (b")
        ('A) (b', [])
    """
    *parts, end = title.split(")")
    outside, inside = [], []
    for part in parts:
        before, bracket, within = part.partition("(")
        outside.append(before.rstrip() if bracket else f"{part})")
        inside += [within] if bracket else []
    text = "".join(outside) + end
    return (text if text.strip() else title), inside


def is_typing_slip(text: str, title: str) -> bool:
    """Whether a text has the words of a title, but for a letter or two.

    Example:
        >>> is_typing_slip("Star Wrs", "Star Wars"), is_typing_slip("Dead Man", "Dead Man Walking")
        (True, False)
        >>> is_typing_slip("Rocky II", "Rocky III")
        False
    """
    pairs = [[w for w in _words(side) if w not in ENGLISH_ARTICLES] for side in (text, title)]
    if len(pairs[0]) != len(pairs[1]) or len("".join(pairs[0])) < MIN_LETTERS_OF_SLIP:
        return False
    slips = [(a, b) for a, b in zip(*pairs, strict=True) if a != b]
    return len(slips) == 1 and _is_slip(*slips[0])


def _is_slip(word: str, other: str) -> bool:
    """Whether two words differ by a letter, or two neighbours changed places; numbers never."""
    if word.isdecimal() or other.isdecimal() or min(len(word), len(other)) < 3:
        return False
    short, long = sorted((word, other), key=len)
    if long == f"{short}s":
        return False
    n_same = next(
        (n for n, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short)
    )
    rest, other_rest = short[n_same:], long[n_same:]
    if len(short) == len(long):
        swapped = other_rest[1:2] + other_rest[:1] + other_rest[2:]
        return rest[1:] == other_rest[1:] or rest == swapped
    return len(long) == len(short) + 1 and rest == other_rest[1:]


def _aliases(outside: str, inside: Iterable[str]) -> Iterator[str]:
    """Other names of a title: what stands in brackets or after "a.k.a.", and other spellings."""
    names = [outside]
    for text in (outside, *inside):
        if not _is_roman(text.strip()):  # "(I)" tells films of a title and a year apart
            names += [article_in_front(name) for name in _around_aka(text)]
    yield from names[1:]
    for name in names:
        yield _without_article(name)
        yield _without_digits(name)
    yield " ".join(word for word in outside.split() if word.casefold() not in ENGLISH_ARTICLES)
    yield _without_number(outside)


def _around_aka(text: str) -> list[str]:
    """The names before and after "a.k.a."."""
    if AKA not in text.casefold().replace(".", ""):
        return [text.strip(" ,;/")]
    name, names = list[str](), list[str]()
    for word in text.split():
        if word.strip(",;").casefold().replace(".", "") == AKA:
            names.append(" ".join(name))
            name = []
        else:
            name.append(word)
    return [n.strip(" ,;/") for n in (*names, " ".join(name)) if n.strip(" ,;/")]


def article_in_front(title: str) -> str:
    """A title with the article in front that catalogues put behind.

    Example:
        >>> article_in_front("Usual Suspects, The"), article_in_front("Avventura, L'")
        ('The Usual Suspects', "L'Avventura")
    """
    before, comma, after = title.rpartition(", ")
    if not comma or not _is_article(after):
        return title
    return f"{after}{'' if after.endswith(APOSTROPHES) else ' '}{before}"


def _without_article(title: str) -> str:
    """A title without the article before it, "" if it has none."""
    first, blank, rest = title.partition(" ")
    if blank and _is_article(first):
        return rest
    article, apostrophe, rest = title.replace("’", "'").partition("'")  # L'Avventura
    return rest if apostrophe and _is_article(article) else ""


def _is_article(word: str) -> bool:
    return word.rstrip("'’").casefold() in ARTICLES


def _without_digits(title: str) -> str:
    """A title with letters in place of digits within words, "" if it has none."""
    words = title.split()
    plain = [
        word.translate(_LETTERS_OF_DIGITS) if word[:1].isalpha() and word[-1:].isalpha() else word
        for word in words
    ]
    return " ".join(plain) if plain != words else ""


def _without_number(title: str) -> str:
    """A title without its place in a series before a subtitle, "" if it has none.

    Example:
        >>> _without_number("Star Wars: Episode IV - A New Hope")
        'Star Wars: A New Hope'
        >>> _without_number("Star Trek II: The Wrath of Khan"), _without_number("Rocky II")
        ('Star Trek: The Wrath of Khan', '')
    """
    parts = _split(title)
    plain = [part for part in parts if not _is_episode(part)]
    series, blank, last = plain[0].rpartition(" ") if plain else ("", "", "")
    if len(plain) > 1 and blank and spelling(last).isdecimal():
        plain[0] = series
    return ": ".join(plain) if len(plain) > 1 and plain != parts else ""


def _is_episode(part: str) -> bool:
    words = title_words(part)
    return len(words) == 2 and words[0] == EPISODE


def _split(title: str) -> list[str]:
    """A title at its colons and dashes."""
    parts = [title]
    for mark in (mark for mark in _DASHES if mark in title):
        parts = [piece for part in parts for piece in part.split(mark)]
    return [part.strip() for part in parts if part.strip()]


def _parts(title: str) -> Iterator[tuple[str, Kind]]:
    """The parts of a title by which others may call it."""
    parts = _split(title)
    is_episode = any(map(_is_episode, parts))
    names = [part for part in parts if not _is_episode(part)]
    if len(names) > 1 and not spelling(" ".join(names[1:])).isdecimal():
        end = names[-1]
        yield end, _kind_of_end(end)
        is_described = len(title_words(" ".join(names[1:]))) >= MIN_WORDS_OF_DESCRIPTION
        is_sure = is_episode or is_described or title_words(names[-2])[-1:] == [OR]
        yield names[0], Kind.PART if is_sure else Kind.HINT
        yield _without_article(names[0]), Kind.HINT  # Il Postino: The Postman
        if title_words(names[0])[-1:] == [OR]:
            yield names[0].rpartition(" ")[0], Kind.PART
    words = title.split()
    for place, word in enumerate(words[:3]):  # Monty Python's Life of Brian
        rest = " ".join(words[place + 1 :])
        if word.endswith(("'s", "’s", "s'")) and rest:
            yield rest, _kind_of_end(rest)
            break
    places = [place for place, word in enumerate(words) if word.strip(",:").casefold() == OR]
    if places and len(words) - places[0] > MIN_WORDS_OF_DESCRIPTION:
        yield " ".join(words[: places[0]]).rstrip(",:;"), Kind.PART


def _kind_of_end(end: str) -> Kind:
    """A long end of a title is as good as its whole; a short one is the title of many."""
    words = [word for word in title_words(end) if word not in ENGLISH_ARTICLES]
    is_long = len(words) > 1 and sum(map(len, words)) >= MIN_LETTERS_OF_PART
    return Kind.PART if is_long else Kind.HINT


def _words(title: str) -> list[str]:
    """The words of a title, in the spelling that all have in common."""
    words = title_words(article_in_front(title).translate(_SIGNS))
    return _without_counters([*_with_figures(WORDS.get(word, word) for word in words)])


def _with_figures(words: Iterable[str]) -> Iterator[str]:
    """Words with numbers as figures: "twenty one" and "xxi" are 21."""
    value, room = -1, 0  # the number so far, -1 where there is none; the next part is below room
    for word, following in pairwise([*words, ""]):
        kind, size = _number_word(word)
        if kind == "multiple" and value >= 0:
            value = value // 1_000 * 1_000 + value % 1_000 * size if size < 1_000 else value * size
            room = size
        elif kind in ("unit", "tens"):
            joins = value >= 0 and 0 < size < room
            if value >= 0 and not joins:
                yield str(value)
            value = value + size if joins else size
            room = 10 if kind == "tens" else 0
        elif word == "and" and room >= 100 and _number_word(following)[0] in ("unit", "tens"):
            continue  # one hundred and one
        else:
            if value >= 0:
                yield str(value)
            value, room = -1, 0
            yield str(size) if kind == "roman" else word
    if value >= 0:
        yield str(value)


def _number_word(word: str) -> tuple[str, int]:
    """What a word is in a number: unit, tens, multiple, roman, or "" for none; and its value."""
    return NUMBER_WORDS.get(word, ("", 0))


def _is_roman(word: str) -> bool:
    return word.casefold() in ROMAN


def _without_counters(words: list[str]) -> list[str]:
    """Words without "part" and its like before a number."""
    return [
        word
        for word, following in pairwise([*words, ""])
        if not (word in COUNTERS and following.isdecimal())
    ]
