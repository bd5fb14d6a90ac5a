"""Find items by title: any case, accents and word order; similar spellings if no title fits."""

import difflib
import re
import threading
import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from functools import cached_property
from itertools import islice, pairwise
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.arrays import F64, I32, I64, AnyArray
from tastemap.data.vocabulary import Vocabulary
from tastemap.errors import ArgumentError
from tastemap.support.texts import Texts
from tastemap.support.titles import spoken

# Words that do not distinguish titles.
ARTICLES = frozenset(
    ("a", "an", "the", "le", "la", "les", "l", "un", "une", "der", "die", "das", "el", "los", "il")
)
# The least similarity (difflib's ratio) of two words, and of the words of a title on average.
MIN_SIMILARITY_OF_WORD, MIN_SIMILARITY_OF_TITLE = 0.7, 0.5
# A title that has a word's beginning alone is worth so much of one that has the word.
WEIGHT_OF_BEGINNING = 0.75
# Most words with which a word is compared.
MAX_CANDIDATES = 100
# So many characters of a title or a query are read; to take off accents takes their square.
MAX_CHARACTERS = 500
# Spellings are compared of queries of at most so many words, and of words of so many letters.
MAX_SPELT_WORDS, MAX_SPELT_LETTERS = 32, 40
# So many titles are put into the index at a time: their words are Python strings so long.
MAX_TITLES_AT_ONCE = 4096
# Of a longer query, so many words count; there is no longer title among films.
MAX_WORDS = 40
# Letters that Unicode does not split into a plain letter and an accent.
_PLAIN = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th"})
_INSIDE_WORD = re.compile(r"['’`*]|\.(?=\w\b)")  # Schindler's, M*A*S*H, E.T.
_SEPARATOR = re.compile(r"[\W_]+")
_YEAR = re.compile(r"\(\d{4}\)$")


def search_titles(
    items: Vocabulary, query: str, k: int = 10, popularity: npt.ArrayLike | None = None
) -> pl.DataFrame:
    """The items whose titles hold the words of a query.

    Case, accents, punctuation, word order and articles do not matter, and the beginning of a word
    is enough. If no title holds all words, the answer has titles whose words are spelt in a similar
    way.

    Args:
        items: The items; their ``titles`` are searched, with the year if it is known.
        query: A few words, such as ``"jedi return"`` or ``"amelie 2001"``; of more than forty, the
            first forty.
        k: Largest number of answers.
        popularity: Number of ratings of each item, (n,). With it, how well an item is known says as
            much of its place as how much of the title the query has; a whole title stays first.

    Returns:
        Frame ``item_id, title, match, score``, best first, possibly empty. ``match`` is ``"words"``
        if the title has all words, ``"prefix"`` if some are the beginning of a word, or
        ``"spelling"``. ``score`` in (0, 1] is 1 if the query is the whole title; it falls with each
        letter of the title that the query leaves out.

    Raises:
        ArgumentError: If the query has no letter or digit, or ``k`` is below 1.

    Example:
        >>> table = pl.DataFrame({"item_id": [1, 2], "title": ["Amélie", "Usual Suspects, The"]})
        >>> films = Vocabulary(table["item_id"], "item", table)
        >>> search_titles(films, "the usual suspects")["title"].to_list()
        ['Usual Suspects, The']
        >>> search_titles(films, "ameli").select("title", "match").rows()
        [('Amélie', 'prefix')]
        >>> search_titles(films, "sespects")["match"].to_list()
        ['spelling']
    """
    if k < 1:
        raise ArgumentError("k", expected="at least 1", received=repr(k))
    words = title_words(query)[:MAX_WORDS]
    if not words:
        raise ArgumentError("query", expected="at least one letter or digit", received=repr(query))
    index = _index_of(items)
    required = [word for word in words if word not in ARTICLES] or words
    rows, score, match = index.with_all(required)
    if not len(rows):
        rows, score = index.spelt_like(required)
        match = np.full(len(rows), "spelling")
    order = np.lexsort((rows, -score, match != "words"))
    if popularity is not None:
        order = np.lexsort((rows, -_relevance(rows, score, match, np.asarray(popularity))))
    order = order[:k]
    return pl.DataFrame(
        {
            "item_id": items.ids_at(rows[order]),
            "title": items.titles.gather(rows[order]),
            "match": pl.Series(match[order], dtype=pl.String),
            "score": score[order],
        }
    )


def _relevance(rows: I64, score: F64, match: npt.NDArray[np.str_], popularity: AnyArray) -> F64:
    """How well titles fit a query and how well they are known, on average; a whole title is 2."""
    fame = np.log1p(popularity[rows]) / max(np.log1p(popularity.max(initial=1)), 1.0)
    relevance = (score + fame) / 2 * np.where(match == "words", 1.0, WEIGHT_OF_BEGINNING)
    return np.where((score == 1) & (match == "words"), 2.0 + fame, relevance)


class TitleIndex:
    """The words of many titles, and which titles hold them.

    Attributes:
        words: The distinct words, sorted, and pairs of neighbouring words joined into one
            (``spiderman`` for Spider-Man).
        indptr, indices: Word ``w`` occurs in titles ``indices[indptr[w]:indptr[w + 1]]``.
        length: Number of letters of each title, articles and the year left out, (n,).
    """

    def __init__(self, titles: Iterable[str]) -> None:
        """Take titles in row order."""
        lengths, parts = array("d"), [pl.DataFrame(schema={"word": pl.String, "row": pl.Int32})]
        numbered = enumerate(titles)
        while some := list(islice(numbered, MAX_TITLES_AT_ONCE)):
            words: list[str] = []
            rows = array("i")
            for row, title in some:
                of_title, length = _words_of(title)
                words += of_title
                rows.extend([row] * len(of_title))
                lengths.append(length)
            part = {"word": pl.Series(words, dtype=pl.String), "row": np.frombuffer(rows, np.int32)}
            parts.append(pl.DataFrame(part))
        sorted_words = pl.concat(parts).sort("word", "row")
        runs = sorted_words["word"].rle().struct.unnest()
        self.words = Texts(runs["value"])
        self.length = np.maximum(np.frombuffer(lengths, np.float64), 1.0)
        self.indptr = np.concatenate([[0], np.cumsum(runs["len"].to_numpy(), dtype=np.int64)])
        self.indices: I32 = sorted_words["row"].to_numpy()

    @cached_property
    def _by_pair(self) -> dict[str, I32]:
        """Words (their places in ``words``) by the pairs of letters in them."""
        holders: dict[str, array[int]] = {}
        for at, word in enumerate(self.words):
            for pair in _letter_pairs(word):
                holders.setdefault(pair, array("i")).append(at)
        return {pair: np.array(places, dtype=np.int32) for pair, places in holders.items()}

    @cached_property
    def _n_pairs(self) -> F64:
        """Number of pairs of letters of each word."""
        places = np.concatenate([np.empty(0, dtype=np.int32), *self._by_pair.values()])
        return np.bincount(places, minlength=len(self.words)).astype(np.float64)

    def with_all(self, query: list[str]) -> tuple[I64, F64, npt.NDArray[np.str_]]:
        """Titles that hold every word of the query or a word that begins with it.

        Returns:
            Rows, scores, and ``"words"`` or ``"prefix"`` for each.
        """
        matching = np.ones(len(self.length), dtype=bool)
        exact = matching.copy()
        for word in query:
            first = bisect_left(self.words, word)
            last = bisect_left(self.words, word + "\U0010ffff")
            begins = np.zeros(len(matching), dtype=bool)
            begins[self.indices[self.indptr[first] : self.indptr[last]]] = True
            same = np.zeros(len(matching), dtype=bool)
            if first < len(self.words) and self.words[first] == word:
                same[self._holders(first)] = True
            matching &= begins
            exact &= same
        rows = np.flatnonzero(matching)
        letters = sum(map(len, query))
        return (
            rows,
            np.minimum(letters / self.length[rows], 1.0),
            np.where(exact[rows], "words", "prefix"),
        )

    def spelt_like(self, query: list[str]) -> tuple[I64, F64]:
        """Titles whose words are spelt like those of the query: rows and scores.

        Each word of the query takes its most similar word in the title; the score is the mean of
        these similarities, weighted by the letters of the words, times the share of the letters.
        """
        total = np.zeros(len(self.length))
        letters = sum(map(len, query))
        for word in query if len(query) <= MAX_SPELT_WORDS else ():
            best = np.zeros(len(total))
            for at, similarity in self._similar_words(word):
                holders = self._holders(at)
                best[holders] = np.maximum(best[holders], similarity)
            total += best * len(word) / letters
        rows = np.flatnonzero(total >= MIN_SIMILARITY_OF_TITLE)
        # Most of the score is the spelling; the shorter of two equally similar titles goes first.
        covered = np.minimum(letters / self.length[rows], 1.0)
        return rows, total[rows] * (0.8 + 0.2 * covered)

    def _holders(self, word: int) -> I32:
        return self.indices[self.indptr[word] : self.indptr[word + 1]]

    def _similar_words(self, word: str) -> list[tuple[int, float]]:
        """Words spelt like ``word``, with difflib's similarity; letter pairs give candidates."""
        if len(word) > MAX_SPELT_LETTERS:
            return []
        pairs = _letter_pairs(word)
        shared = np.zeros(len(self.words))
        for pair in pairs & self._by_pair.keys():
            shared[self._by_pair[pair]] += 1
        dice = 2 * shared / (self._n_pairs + len(pairs))
        sharing = np.flatnonzero(shared)
        candidates = sharing[np.argsort(-dice[sharing], kind="stable")[:MAX_CANDIDATES]]
        matcher = difflib.SequenceMatcher(b=word, autojunk=False)
        # The first two are bounds of the third, which is slow on words of the same few letters.
        ratios = (matcher.real_quick_ratio, matcher.quick_ratio, matcher.ratio)
        similar = []
        for at in candidates.tolist():
            matcher.set_seq1(self.words[at])
            if all(ratio() >= MIN_SIMILARITY_OF_WORD for ratio in ratios):
                similar.append((at, matcher.ratio()))
        return similar


def _words_of(title: str) -> tuple[set[str], int]:
    """The words by which a title is found, and its number of letters that count."""
    words = title_words(title)
    dated = len(words) > 1 and _YEAR.search(title) is not None
    named = [w for w in (words[:-1] if dated else words) if w not in ARTICLES]
    joined = [a + b for a, b in pairwise(words)]
    # "Avventura, L'" is looked for as L'Avventura, too.
    others = title_words(spoken(title)) if "l" in words else ()
    return {*words, *joined, *others}, sum(map(len, named or words))


# The index of each vocabulary that has been searched, for as long as the vocabulary lives.
_indexes: WeakKeyDictionary[Vocabulary, TitleIndex] = WeakKeyDictionary()
_making_index = threading.Lock()


def _index_of(items: Vocabulary) -> TitleIndex:
    """The index of a vocabulary; the first search makes it, and others wait for that alone."""
    index = _indexes.get(items)
    if index is None:
        with _making_index:
            index = _indexes.get(items) or TitleIndex(items.titles)
            _indexes[items] = index
    return index


def title_words(text: str) -> list[str]:
    """The words of a title in plain small letters, without accents and punctuation.

    Example:
        >>> title_words("Amélie & L'Étranger")
        ['amelie', 'and', 'letranger']
    """
    plain = text[:MAX_CHARACTERS].casefold()
    if not plain.isascii():  # most titles are: they have no accents to take off
        decomposed = unicodedata.normalize("NFKD", plain)
        plain = "".join(c for c in decomposed if not unicodedata.combining(c)).translate(_PLAIN)
    plain = _INSIDE_WORD.sub("", plain.replace("&", " and "))
    return _SEPARATOR.sub(" ", plain).split()


def _letter_pairs(word: str) -> set[str]:
    """Neighbouring letters, with a blank before the first and after the last."""
    padded = f" {word} "
    return {padded[at : at + 2] for at in range(len(padded) - 1)}
