"""Fit a model anew with the ratings that people gave."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tastemap.arrays import Mask
from tastemap.data.ratings import Ratings
from tastemap.data.vocabulary import Id
from tastemap.errors import DataError
from tastemap.models.base.recommender import Recommender
from tastemap.models.registry import load_model
from tastemap.serve.model.catalogue import RowsOfIds
from tastemap.serve.people.profiles import api_user_id
from tastemap.serve.people.store import Store

# A profile whose key is no user id of the data is called by its number: as text with these words
# before it, else as a whole number below zero.
NAME_PREFIX = "person "
#: Beside test errors that were measured before an update: on how many ratings the model was fitted.
N_RATINGS_KEY = "ratings_when_measured"


@dataclass(frozen=True)
class Update:
    """What an update has changed.

    Attributes:
        profiles: Profiles of the store with a rating.
        ratings: Their ratings.
        withdrawn: Training ratings taken back, of people forgotten or no longer in the store.
        n_ratings: Ratings that the model is fitted on now.
    """

    profiles: int
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
    had_map = model.item_map_ is not None
    measured = {N_RATINGS_KEY: len(model.ratings_)} | model.metrics_ if model.metrics_ else {}
    model.fit(merged, seed=seed, progress=progress)
    model.metrics_ = measured
    if had_map:
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
    is_text, remains = ratings.users.is_text, ~_numbered(ratings)
    given: list[tuple[Id, int, float, int]] = []  # user id, item row, rating, moment
    n_profiles = 0
    for key, number, profile in store.everything():
        user_id = api_user_id(key)
        user = -1 if user_id is None else users.row(user_id)
        name = _name(user_id, number, is_text=is_text) if user < 0 else ratings.users.ids[user]
        rows = items.rows([rating.item for rating in profile.ratings])
        if user >= 0:
            trained = ratings.by_user[user]
            is_replaced = np.isin(ratings.item_index[trained], rows)
            remains[trained] &= ~(profile.forgotten | is_replaced)
        before = len(given)
        given += [
            (name, row, rating, moment)
            for row, (_, rating, moment) in zip(rows.tolist(), profile.ratings, strict=True)
            if row >= 0 and rating is not None
        ]
        n_profiles += len(given) > before
    if not given and not remains.any():
        raise DataError(
            "ratings", expected="at least one", received="none, everything is withdrawn"
        )
    n_remain = int(remains.sum())
    update = Update(n_profiles, len(given), len(ratings) - n_remain, n_remain + len(given))
    return _joined(ratings, remains, given), update


def _joined(ratings: Ratings, remains: Mask, given: list[tuple[Id, int, float, int]]) -> Ratings:
    """The ratings that remain and those given, in one table; the items keep their rows."""
    base = ratings.take(remains)
    if not given:
        return base
    user_id, item, rating, moment = zip(*given, strict=True)
    fresh = pl.DataFrame(
        {
            "user_id": pl.Series(user_id, dtype=ratings.users.ids.dtype),
            "item_id": ratings.items.ids_at(np.array(item)),
            "rating": pl.Series(rating, dtype=pl.Float32),
        }
        | ({} if ratings.timestamp is None else {"timestamp": pl.Series(moment, dtype=pl.Int64)})
    )
    merged = base.merged_with(replace(Ratings.from_frame(fresh), scale=ratings.scale))
    return replace(merged, scale=ratings.scale)


def _numbered(ratings: Ratings) -> Mask:
    """Which ratings an earlier update took from the store, of profiles without a user id (n,)."""
    ids = ratings.users.ids
    is_numbered = ids.str.starts_with(NAME_PREFIX) if ratings.users.is_text else ids < 0
    return is_numbered.to_numpy()[ratings.user_index]


def _name(user_id: str | None, number: int, *, is_text: bool) -> Id:
    """The id in the data of a profile that is not one of its users."""
    if is_text:
        return f"{NAME_PREFIX}{number}" if user_id is None else user_id
    if user_id is not None and user_id.isascii() and user_id.isdigit():
        value = int(user_id)
        if str(value) == user_id and value < 2**63:
            return value
    return -number
