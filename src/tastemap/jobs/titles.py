"""Items as people name them in a call: an id, a whole title, or the words of one."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import polars as pl

from tastemap.data.feedback import Feedback
from tastemap.data.nouns import item_noun
from tastemap.data.vocabulary import Id
from tastemap.errors import ArgumentError, UnknownIdError
from tastemap.explore.title_search import ARTICLES, search_titles, title_words
from tastemap.terminal import say

# So many titles are offered where several fit, of so many that are looked at.
MAX_OFFERED, MAX_MATCHES = 5, 200
# A title that is only spelt alike is taken if it is so similar, and so much more than the next.
MIN_SIMILARITY, MIN_LEAD = 0.8, 0.1


def item_ids(
    data: Feedback, words: Iterable[Any], argument: str, tell: Callable[[str], None] = say
) -> list[Id]:
    """The ids of items that people named; where a title was not given whole, a line says which.

    An id and a whole title come first. Else the title that has all the words and no others, apart
    from articles and the year; else the only one with all the words; else the only one that is
    spelt like them.

    Args:
        data: The ratings or interactions with the items.
        words: What people wrote: ids, titles, words of titles.
        argument: How a message names it.
        tell: Takes the line that says which title was taken.

    Raises:
        ArgumentError: If several titles fit equally well; they are listed.
        UnknownIdError: If none fits.

    Example:
        >>> from tastemap.data.ratings import Ratings
        >>> films = pl.DataFrame({"item_id": [1, 2], "title": ["Usual Suspects, The", "Heat"]})
        >>> rows = pl.DataFrame({"user_id": [7, 7], "item_id": [1, 2], "rating": [4.0, 5.0]})
        >>> ratings = Ratings.from_frame(rows, item_table=films)
        >>> item_ids(ratings, ["the usual suspects", 2], "--rate", tell=print)
        “the usual suspects” taken as “Usual Suspects, The”
        [1, 2]
    """
    return [_item_id(data, word, argument, tell) for word in words]


def rated_items(data: Feedback, ratings: Mapping[str, float]) -> dict[Id, float]:
    """The ratings of ``--rate`` by the ids of their items.

    Raises:
        ArgumentError: As `item_ids`, and if two words name the same item.
    """
    ids = item_ids(data, ratings, "--rate")
    rated: dict[Id, float] = {}
    for item, (word, rating) in zip(ids, ratings.items(), strict=True):
        if item in rated:
            noun = item_noun(data).singular
            raise ArgumentError("--rate", expected=f"each {noun} once", received=f"{word!r} again")
        rated[item] = rating
    return rated


def _item_id(data: Feedback, word: Any, argument: str, tell: Callable[[str], None]) -> Id:
    items = data.items
    row = int(items.index([word], missing="negative")[0])
    if row >= 0:
        item: Id = items.ids[row]
        return item
    text = str(word).strip()
    same = (items.titles.str.to_lowercase() == text.lower()).arg_true().to_list()
    if same:
        return _only(data, text, items.ids.gather(same), argument)
    matches = search_titles(items, text, k=MAX_MATCHES) if title_words(text) else None
    if matches is None or not len(best := _best(matches, text)):
        nearest = [] if matches is None else matches["title"].head(MAX_OFFERED).to_list()
        raise UnknownIdError(argument, word, nearest or items.nearest(word))
    item = _only(data, text, best["item_id"], argument)
    tell(f"“{text}” taken as “{best['title'][0]}”")
    return item


def _best(matches: pl.DataFrame, text: str) -> pl.DataFrame:
    """Of titles that fit some words, those that fit best; none where all are only a little alike.

    The best by spelling are one, or several that are nearly as good as each other.
    """
    words = matches.filter(pl.col("match") == "words")
    wanted = _named_words(text)
    is_whole = [
        wanted in (_named_words(title), _named_words(title.partition(" (")[0]))
        for title in words["title"]
    ]
    for part in (words.filter(is_whole), words.filter(pl.col("score") >= 1), words):
        if len(part):
            return part
    if matches["match"].first() != "spelling":
        return matches
    near = matches.filter(pl.col("score") >= MIN_SIMILARITY)
    return near.filter(pl.col("score") > near["score"][0] - MIN_LEAD) if len(near) else near


def _named_words(title: str) -> set[str]:
    """The words of a title without articles; in any order, as "Postino, Il" has them."""
    return {word for word in title_words(title) if word not in ARTICLES}


def _only(data: Feedback, text: str, ids: pl.Series, argument: str) -> Id:
    """The only one of several ids; else an error that lists their titles, the best-known first."""
    if len(ids) == 1:
        item: Id = ids[0]
        return item
    rows = data.items.index(ids)
    rows = rows[np.argsort(-data.by_item.counts[rows], kind="stable")][:MAX_OFFERED]
    offered = zip(data.items.ids_at(rows), data.items.titles.gather(rows), strict=True)
    shown = ", ".join(f"{title} (id {item})" for item, title in offered)
    raise ArgumentError(
        argument,
        expected=f"one {item_noun(data).singular}",
        received=f"{text!r}, which fits several",
        do=f"say which, by its id or whole title: {shown}{', …' if len(ids) > len(rows) else ''}",
    )
