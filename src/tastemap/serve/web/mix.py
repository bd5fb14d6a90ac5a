"""``Mix``: what the first page is asked beside the best: somebody's own mix of genres, and caps."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode

import polars as pl

from tastemap.serve.model.loaded import LoadedModel
from tastemap.support import numerals

#: The caps to choose from, and the columns that they are offered for where the items have them,
#: each with the word for one of its values.
CAPS = (1, 2, 3)
COLUMNS = {
    "genres": "genre",
    "director": "director",
    "directors": "director",
    "author": "author",
    "authors": "author",
    "artist": "artist",
    "series": "series",
    "studio": "studio",
    "publisher": "publisher",
    "country": "country",
    "language": "language",
}
GENRES = "genres"


class Mix(NamedTuple):
    """What the address of the first page says of the mix of its lists.

    Attributes:
        weight: From 0 (the best) to 1 (the genres in the shares in which somebody likes them).
        at_most: A cap, ``"genres=2"``, or nothing.
        columns: The columns that caps are offered for, each with the word for one of its values.
        without: The address of the same page without a mix.
        numbers: The caps to choose from.
    """

    weight: float
    at_most: str
    columns: tuple[tuple[str, str], ...]
    without: str
    numbers: tuple[int, ...] = CAPS

    @classmethod
    def of(cls, model: LoadedModel, mix: str, at_most: str, fields: Mapping[str, Any]) -> Self:
        """From the parts of an address; what is not offered counts as nothing.

        Args:
            model: The model, whose items have the columns.
            mix, at_most: The parts.
            fields: The other fields of the form, of which those with a value stay.
        """
        columns = _columns(model)
        weight = min(max(numerals.number(mix) or 0.0, 0.0), 1.0)
        offered = {f"{column}={n}" for column, _ in columns for n in CAPS}
        others = {name: value for name, value in fields.items() if value}
        without = f"/?{urlencode(others)}" if others else "/"
        has_genres = any(column == GENRES for column, _ in columns)
        cap = at_most if at_most in offered else ""
        return cls(weight if has_genres else 0.0, cap, columns, without)

    @property
    def has_genres(self) -> bool:
        """Whether the items have genres, of which there is a mix."""
        return any(column == GENRES for column, _ in self.columns)

    @property
    def is_set(self) -> bool:
        """Whether lists are other than the best."""
        return bool(self.weight or self.at_most)

    @property
    def sentence(self) -> str:
        """What is asked, in words."""
        words = ["a mix of genres like your own"] if self.weight else []
        if self.at_most:
            column, _, n = self.at_most.partition("=")
            words.append(f"at most {n} of one {COLUMNS.get(column, column)}")
        return f"Your picks have {' and '.join(words)}."

    @property
    def wishes(self) -> dict[str, Any]:
        """The same, as `Service.rows` takes it."""
        column, _, n = self.at_most.partition("=")
        return {
            "calibrated": {GENRES: self.weight} if self.weight else None,
            "at_most": {column: int(n)} if column else None,
        }


def _columns(model: LoadedModel) -> tuple[tuple[str, str], ...]:
    """The columns of the items that caps are offered for: those with several plain values."""
    frame = model.data.items.frame
    columns = []
    for column in (name for name in COLUMNS if name in frame.columns):
        values = frame[column]
        if column == GENRES and not model.catalogue.genres:
            continue
        inner = values.dtype.inner if isinstance(values.dtype, pl.List) else values.dtype
        if inner == pl.String:
            columns.append((column, COLUMNS[column]))
    return tuple(columns)
