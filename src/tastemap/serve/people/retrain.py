"""Fit a model anew with the ratings that people gave."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tastemap.data.ratings import Ratings
from tastemap.data.vocabulary import Id
from tastemap.errors import DataError
from tastemap.models.base.recommender import Recommender
from tastemap.models.registry import load_model
from tastemap.serve.model.catalogue import RowsOfIds
from tastemap.serve.people.profiles import api_id
from tastemap.serve.people.store import Store

# Somebody of the store whose id the data cannot have is called by their number: as text with these
# words before it, as a whole number below zero.
WORDS = "person "
#: Beside test errors that were measured before an update: on how many ratings the model was fitted.
MEASURED_ON = "ratings_when_measured"


@dataclass(frozen=True)
class Update:
    """What an update has changed.

    Attributes:
        persons: Persons of the store with a rating.
        ratings: Their ratings.
        withdrawn: Training ratings taken back, of persons forgotten or no longer in the store.
        n_ratings: Ratings that the model is fitted on now.
    """

    persons: int
    ratings: int
    withdrawn: int
    n_ratings: int


def update_model(path: Path, store_url: str, *, seed: int = 0, progress: bool = True) -> Update:
    """Fit a saved model anew on its own ratings and those of a store, and save it in its place.

    A server that serves it takes the newer one into use by itself. What people took back is left
    out, and so is everybody who has been forgotten since an earlier update. A map is drawn anew
    where there was one. Test errors stay as they were measured, with the number of ratings that the
    model was fitted on then.

    Raises:
        ArtifactError, DataError: If the model or the store cannot be used.
        UnsupportedError: If the model cannot be fitted again.
    """
    model: Recommender = load_model(path)
    store = Store(store_url)
    try:
        merged, update = merged_ratings(model.ratings_, store)
    finally:
        store.close()
    mapped = model.item_map_ is not None
    measured = {MEASURED_ON: len(model.ratings_)} | model.metrics_ if model.metrics_ else {}
    model.fit(merged, seed=seed, progress=progress)
    model.metrics_ = measured
    if mapped:
        from tastemap.explore.item_map import item_map

        as_saved: Any = model
        item_map(as_saved)
    model.save(path)
    return update


def merged_ratings(ratings: Ratings, store: Store) -> tuple[Ratings, Update]:
    """The ratings of a model and those of a store, where the store's win.

    Raises:
        DataError: If nothing is left.
    """
    users, items = RowsOfIds(ratings.users), RowsOfIds(ratings.items)
    text = ratings.users.is_text
    kept = ~_numbered(ratings)
    rows: list[tuple[Id, int, float, int]] = []
    persons = 0
    for person, number, stored in store.everything():
        name = api_id(person)
        user = -1 if name is None else users.row(name)
        own = _name(name, number, text=text) if user < 0 else ratings.users.ids[user]
        if user >= 0:
            mine = ratings.by_user[user]
            replaced = [items.row(one.item) for one in stored.ratings]
            kept[mine] &= ~(stored.forgotten | np.isin(ratings.item_index[mine], replaced))
        given = [one for one in stored.ratings if one.rating is not None]
        given = [one for one in given if items.row(one.item) >= 0]
        persons += bool(given)
        rows += [(own, items.row(one.item), one.rating or 0.0, one.moment) for one in given]
    if not rows and not kept.any():
        raise DataError(
            "ratings", expected="at least one", received="none, everything is withdrawn"
        )
    return _joined(ratings, kept, rows), Update(
        persons, len(rows), int((~kept).sum()), int(kept.sum()) + len(rows)
    )


def _joined(ratings: Ratings, kept: Any, rows: list[tuple[Id, int, float, int]]) -> Ratings:
    """The kept ratings and the rows, in one table; the items keep their rows."""
    base = ratings.take(kept)
    if not rows:
        return base
    own, item, rating, moment = zip(*rows, strict=True)
    fresh = pl.DataFrame(
        {
            "user_id": pl.Series(own, dtype=ratings.users.ids.dtype),
            "item_id": ratings.items.ids_at(np.array(item)),
            "rating": pl.Series(rating, dtype=pl.Float32),
        }
        | ({} if ratings.timestamp is None else {"timestamp": pl.Series(moment, dtype=pl.Int64)})
    )
    merged = base.merged_with(replace(Ratings.from_frame(fresh), scale=ratings.scale))
    return replace(merged, scale=ratings.scale)


def _numbered(ratings: Ratings) -> Any:
    """Which ratings an earlier update took from the store, for persons without an id (n,)."""
    ids = ratings.users.ids
    found = ids.str.starts_with(WORDS) if ratings.users.is_text else ids < 0
    return found.to_numpy()[ratings.user_index]


def _name(name: str | None, number: int, *, text: bool) -> Id:
    """The id in the data of somebody who is not one of its users."""
    if text:
        return f"{WORDS}{number}" if name is None else name
    if name is not None and name.isascii() and name.isdigit() and str(int(name)) == name:
        value = int(name)
        return value if value < 2**63 else -number
    return -number
