"""Items that nobody has rated, put into the model that is being served, without a fit."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import polars as pl

from tastemap.arrays import Mask
from tastemap.data.vocabulary import Vocabulary
from tastemap.errors import ArgumentError, ArtifactError
from tastemap.serve.model.reload import LiveModel
from tastemap.serve.schemas import Basis, Id, Named
from tastemap.support import numerals
from tastemap.support.atomic import alone_at
from tastemap.support.boundary import reason, shortened

# Seconds that an addition waits for another one, or for an update, to be written.
MAX_SECONDS_OF_WAITING = 5.0
# So many values that cannot be used are named.
MAX_NOTES_OF_VALUES = 10

Fact: TypeAlias = bool | int | float | str | Sequence[int | float | str | bool] | None


class NewItem(NamedTuple):
    """An item to add.

    Attributes:
        item_id: Its id as text.
        facts: What is known of it, by column of the item table; its title too.
    """

    item_id: str
    facts: Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class AddedItem(Named):
    """What became of a new item.

    Attributes:
        item_id: Its id in the data.
        title: Its title with the year, or its id as text.
        status: ``added``, or ``unchanged`` where the model has had it as it was sent.
        basis: What its predictions rest on, as in `ItemCard`.
    """

    item_id: Id
    title: str
    status: Literal["added", "unchanged"]
    basis: Basis


@dataclass(frozen=True, slots=True)
class AddedItems:
    """What became of new items, in their order.

    Attributes:
        added, unchanged: How many are new, and how many were there.
        items: The items.
        notes: What is not used of their facts, and whether facts help to place items.
    """

    added: int
    unchanged: int
    items: list[AddedItem]
    notes: list[str]


def add_items(live: LiveModel, items: Sequence[NewItem]) -> AddedItems:
    """Put new items into the served model, save it, and serve it.

    The model is copied, so what is being answered goes on with the old one. Other processes that
    serve the folder take the new one when they next look. An item that is there already with the
    same facts is left as it is, so the same call may be repeated.

    Raises:
        ArgumentError: If an id is not one of the model's kind or comes twice, an item is there with
            other facts, or a fact has no column.
        UnsupportedError: If the model cannot take items that nobody has rated.
        ArtifactError: If the model cannot be saved now, or the folder holds a newer model that
            cannot be loaded.
    """
    try:
        with alone_at(live.path, MAX_SECONDS_OF_WAITING):
            live.reload()  # another process may have added some
            is_new, notes = _add(live, items)
    except OSError as error:
        raise ArtifactError(
            "items", expected="a model that can be saved", received=reason(error), do="try again"
        ) from error
    model = live.current
    rows = model.catalogue.rows_of.rows([item.item_id for item in items])
    columns: Any = (
        model.data.items.ids_at(rows).to_list(),
        model.data.items.titles.gather(rows).to_list(),
        np.where(is_new, "added", "unchanged").tolist(),
        model.basis_of(rows),
    )
    n_added = int(is_new.sum())
    answers = [AddedItem(*about) for about in zip(*columns, strict=True)]
    return AddedItems(n_added, len(items) - n_added, answers, list(notes))


def _add(live: LiveModel, items: Sequence[NewItem]) -> tuple[Mask, tuple[str, ...]]:
    """Which items were new, (n,), and what was said of their facts; the new ones are served."""
    _require_newest(live)
    model = live.current
    table = model.data.items.frame
    names = list(dict.fromkeys(name for item in items for name in item.facts))
    _require_columns(names, model.data.items)
    columns = [_column(name, items, table.schema[name]) for name in names]
    rows = model.catalogue.rows_of.rows([item.item_id for item in items])
    for place in np.flatnonzero(rows >= 0).tolist():
        _require_same(items[place], table, int(rows[place]), {c.name: c[place] for c in columns})
    is_new = rows < 0
    if not is_new.any():
        return is_new, ()
    ids = pl.Series(model.data.items.key, [item.item_id for item in items])
    larger = copy(model.model).add_items(pl.DataFrame([ids, *columns]).filter(is_new))
    larger.save(live.path)
    live.reload()
    if live.failure is not None:  # what lies there must be a model that can be served
        model.model.save(live.path)
    _require_newest(live)
    return is_new, (*_unusable(items, columns), *larger.facts_)


def _require_newest(live: LiveModel) -> None:
    """Refuse to write over a newer model that could not be loaded, or is just being copied."""
    if live.is_newest:
        return
    if live.failure is None:
        raise ArtifactError(
            f"model in {live.path}",
            expected="the files of one model",
            received="files of another, or none",
            do="try again when it is whole",
        )
    raise ArtifactError(
        f"model in {live.path}",
        expected="one that can be loaded",
        received=live.failure,
        do="save a sound one there first",
    )


def _require_columns(names: list[str], items: Vocabulary) -> None:
    """Refuse a fact that the table of items has no column for: nothing is learnt of it."""
    columns = [name for name in items.frame.columns if name != items.key]
    for name in names:
        if name not in columns:
            raise ArgumentError(
                "facts of a new item",
                expected=", ".join(columns) or "none: the model's items have no facts",
                received=shortened(repr(name)),
                do="leave it out, or fit a model on items that have it",
            )


def _require_same(item: NewItem, table: pl.DataFrame, row: int, facts: Mapping[str, Any]) -> None:
    """Refuse an item that is in the model with other facts than these."""
    record = table.row(row, named=True)
    for name in item.facts:
        value = facts[name]
        if (value.to_list() if isinstance(value, pl.Series) else value) != record[name]:
            raise ArgumentError(
                "new item",
                expected="an id that the model has not, or an item as it has it",
                received=f"the item {item.item_id!r} is there, with another {name}",
                do="leave it out; other facts come in by a fit",
            )


def _column(name: str, items: Sequence[NewItem], dtype: pl.DataType) -> pl.Series:
    """A fact of each item in the type of its column; null where it cannot be one of its values."""
    values = [_value(item.facts.get(name), dtype) for item in items]
    return pl.Series(name, values, dtype=dtype, strict=False)


def _value(fact: Any, dtype: Any) -> Any:
    """A fact as a column of some type takes it, or None."""
    if fact is None:
        return None
    if isinstance(dtype, pl.List | pl.Array):
        listed = fact.split("|") if isinstance(fact, str) else fact
        listed = listed if isinstance(listed, list) else [listed]
        return [_value(part, dtype.inner) for part in listed if part is not None]
    if isinstance(fact, list):
        return "|".join(map(str, fact)) if dtype == pl.String else None
    if not dtype.is_numeric():
        return fact if dtype == pl.Boolean else str(fact)
    value = numerals.number(fact) if isinstance(fact, str) else fact
    is_whole = value is None or float(value).is_integer()
    return None if dtype.is_integer() and not is_whole else value


def _unusable(items: Sequence[NewItem], columns: Sequence[pl.Series]) -> list[str]:
    """Which facts are no values of their columns and count as missing, the first of them."""
    notes = [
        f"{column.name} of {item.item_id}: {shortened(repr(item.facts[column.name]))} is left out"
        for column in columns
        for item, value in zip(items, column.to_list(), strict=True)
        if value is None and item.facts.get(column.name) is not None
    ]
    return [shortened(note) for note in notes[:MAX_NOTES_OF_VALUES]]
