"""Items that an entry of a person's file may be: by the id, by title and year, by a title alike."""

from typing import NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
import polars as pl

from tastemap.data.vocabulary import Vocabulary
from tastemap.explore.exports import Entry, without_brackets
from tastemap.explore.title_search import ARTICLES, search_titles, title_words

#: For titles of so many words in all that nothing fits exactly, similar ones are looked for.
MAX_WORDS_GUESSED = 1_000
MAX_CANDIDATES = 4
# A title is offered whose spelling is at least so similar, in [0, 1].
MIN_SIMILARITY = 0.8

Key: TypeAlias = tuple[str, ...]


class TitleIndex(NamedTuple):
    """The rows of items by the words of their titles, and the year of each row."""

    rows_of: dict[Key, list[int]]
    years: list[int | None]


def matching_rows(index: TitleIndex, entry: Entry, id_row: int) -> tuple[list[int], bool]:
    """The items that an entry may be, and whether it is certainly the first of them.

    ``id_row`` is the row of the item that has the id which the file gives, -1 if there is none.
    """
    if not entry.title:
        return ([id_row], True) if id_row >= 0 else ([], False)
    same = index.rows_of.get(_key(entry.title), [])
    years = {row: index.years[row] for row in same}
    fits = [
        row
        for row, year in years.items()
        if entry.year is None or year is None or abs(year - entry.year) <= 1
    ]
    exact = [row for row in fits if entry.year is not None and years[row] == entry.year]
    if id_row in fits:
        return [id_row], True
    if len(exact) == 1 or len(fits) == 1:
        return (exact if len(exact) == 1 else fits), True
    return (fits or same)[:MAX_CANDIDATES], False


def items_alike(items: Vocabulary, title: str) -> list[int]:
    """Rows of items with the words of a title, or words spelt much like them."""
    if not title_words(title):
        return []
    matches = search_titles(items, title, MAX_CANDIDATES)
    is_near = (pl.col("match") != "spelling") | (pl.col("score") >= MIN_SIMILARITY)
    return items.index(matches.filter(is_near)["item_id"]).tolist()


def rows_of_ids(items: Vocabulary, entries: list[Entry]) -> list[int]:
    """The row of the item with the id of each entry, -1 if there is none: 007 is not 7."""
    texts = pl.Series([entry.item_id for entry in entries], dtype=pl.String)
    rows = items.index(texts, missing="negative")
    is_same = (items.ids_at(np.maximum(rows, 0)).cast(pl.String) == texts).to_numpy()
    return np.where(is_same & (texts != "").to_numpy(), rows, -1).tolist()


def title_index(items: Vocabulary) -> TitleIndex:
    """Rows by the words of their titles, with and without what stands in brackets."""
    index = _indices.get(items)
    if index is None:
        columns = items.frame.columns
        ids = items.ids.cast(pl.String)
        titles = items.frame["title"].cast(pl.String) if "title" in columns else ids
        years = items.frame["year"].cast(pl.Int32, strict=False) if "year" in columns else None
        index = TitleIndex({}, [None] * len(items) if years is None else years.to_list())
        for row, (title, id_text) in enumerate(zip(titles, ids, strict=True)):
            name = title or id_text
            for key in {_key(name), _key(without_brackets(name))}:
                if key:
                    index.rows_of.setdefault(key, []).append(row)
        _indices[items] = index
    return index


# The index of each vocabulary that has been asked for, for as long as the vocabulary lives.
_indices: WeakKeyDictionary[Vocabulary, TitleIndex] = WeakKeyDictionary()


def _key(title: str) -> Key:
    words = title_words(title)
    return tuple(word for word in words if word not in ARTICLES) or tuple(words)
