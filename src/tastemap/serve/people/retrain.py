"""Fit a model anew with the ratings that people gave, or with their interactions."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import polars as pl

from tastemap.data.feedback import Feedback
from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.data.vocabulary import Id, Vocabulary
from tastemap.errors import DataError
from tastemap.models.base.artifact import manifest_text
from tastemap.models.base.recommender import Recommender
from tastemap.models.registry import load_model
from tastemap.serve.model.catalogue import RowsOfIds
from tastemap.serve.people.provenance import TRAINING, Names, of_store, record_of, rows_in
from tastemap.serve.people.store import Store
from tastemap.support.atomic import alone_at

#: Ratings, or interactions.
Data = TypeVar("Data", bound=Feedback)
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
        noun: What they are: ``"ratings"`` or ``"interactions"``.
    """

    profiles: int
    ratings: int
    withdrawn: int
    n_ratings: int
    noun: str = "ratings"


class Given(NamedTuple):
    """A rating or a weight: number and user id of its profile, row of the item, when."""

    number: int
    user_id: Id
    kind: str
    item: int
    rating: float
    moment: int


def update_model(path: Path, store_url: str, *, seed: int = 0, progress: bool = True) -> Update:
    """Fit a saved model anew on its own ratings and those of a store, and save it in its place.

    A model of interactions takes the interactions of the store in the same way.

    A server that serves it takes the newer one into use by itself. Items that it has put in keep
    their places, also those that came while the model was fitted. What people took back is left
    out, and so is everybody who has been forgotten since an earlier update. A map is drawn anew
    where there was one. Test errors stay as they were measured, with the number of ratings that the
    model was fitted on then.

    Raises:
        ArtifactError: If the model cannot be loaded.
        StoreError: If there is no store, it cannot be read, or it is for models of another kind.
            Nothing is changed then.
        DataError: If no rating is left.
        UnsupportedError: If the model cannot be fitted again.
    """
    text = manifest_text(path)
    model: Recommender = load_model(path)
    store = Store(store_url, readonly=True)
    try:
        store.refuse_other(model.fitted_data.noun)
        merged, update = merged_ratings(model.fitted_data, store)
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
    with alone_at(path):
        if manifest_text(path) != text:
            model = _with_added_items(model, path)
        model.save(path)
    return update


def _with_added_items(model: Recommender, path: Path) -> Recommender:
    """The model with the items that were put into the saved one while it was fitted."""
    items: Vocabulary = load_model(path).fitted_data.items
    added = items.frame.filter(~items.ids.is_in(model.fitted_data.items.ids.implode()))
    if not len(added) or not model.capabilities.new_items:
        return model
    return model.add_items(added)


def merged_ratings(ratings: Data, store: Store) -> tuple[Data, Update]:
    """The ratings of a model and those of a store, where the store's win.

    Of interactions those of the store hold all that a person has done with an item, added up.

    What an earlier update took from this store is taken anew; what it took from another store
    stays. Where each rating came from is recorded in `Source.merged`.

    Raises:
        DataError: If nothing is left.
        StoreError: If the store cannot be read.
    """
    identity, profiles = store.identity, list(store.everything())
    record = record_of(ratings, identity, profiles)
    names = Names(ratings, record, identity, profiles)
    items = RowsOfIds(ratings.items)
    remains = ~rows_in(ratings, of_store(record, identity))
    given: list[Given] = []
    for key, number, profile in profiles:
        name = names.name(key, number)
        rows = items.rows([rating.item for rating in profile.ratings])
        if (user := names.rows.row(str(name.user_id))) >= 0:
            trained = ratings.by_user[user]
            is_replaced = np.isin(ratings.item_index[trained], rows)
            remains[trained] &= ~(profile.forgotten | is_replaced)
        given += [
            Given(number, *name, row, stored.rating, stored.moment)
            for row, stored in zip(rows.tolist(), profile.ratings, strict=True)
            if row >= 0 and stored.rating is not None
        ]
    merged = _joined(ratings.take(remains), given)
    if not len(merged):
        raise DataError(
            ratings.noun, expected="at least one", received="none, everything is withdrawn"
        )
    of_others = record.filter(~pl.col("store").is_in([identity, ""]))
    of_others = of_others.join(merged.to_frame(), on=["user_id", "item_id"], how="semi")
    fresh = _record(ratings, identity, given)
    of_others = of_others.join(fresh, on=["user_id", "item_id"], how="anti")
    source = replace(ratings.source, merged=pl.concat([of_others, fresh]))
    merged = _without_leavers(merged, record).replaced(source=source)
    n_withdrawn = int((~rows_in(ratings, merged.to_frame())).sum())
    n_profiles = len({rating.number for rating in given})
    return merged, Update(n_profiles, len(given), n_withdrawn, len(merged), merged.noun)


def _joined(base: Data, given: list[Given]) -> Data:
    """What remains and what is given, in one table; the items keep their rows."""
    if not given:
        return base
    columns: dict[str, Any] = {
        "user_id": pl.Series([r.user_id for r in given], dtype=base.users.ids.dtype),
        "item_id": base.items.ids_at([r.item for r in given]),
        base.value_name: pl.Series([r.rating for r in given], dtype=pl.Float32),
    }
    if base.timestamp is not None:
        columns["timestamp"] = pl.Series([r.moment for r in given], dtype=pl.Int64)
    if base.position is not None:  # those of a profile are in order
        columns["position"] = pl.int_range(len(given), dtype=pl.Int32, eager=True)
    return base.merged_with(_table(base, pl.DataFrame(columns)))


def _table(base: Feedback, frame: pl.DataFrame) -> Any:
    """A frame of what is given as a table of the same kind."""
    if isinstance(base, Ratings):
        return Ratings.from_frame(frame).replaced(scale=base.scale)
    return Interactions.from_frame(frame)


def _record(ratings: Feedback, store: str, given: list[Given]) -> pl.DataFrame:
    """The record of the ratings that a store gave."""
    schema: dict[str, Any] = {
        "number": pl.Int64,
        "user_id": ratings.users.ids.dtype,
        "kind": pl.String,
    }
    record = pl.DataFrame([rating[:3] for rating in given], schema=schema, orient="row")
    items = ratings.items.ids_at([rating.item for rating in given])
    return record.select(pl.lit(store).alias("store"), "number", "user_id", items, "kind")


def _without_leavers(ratings: Data, record: pl.DataFrame) -> Data:
    """The ratings without the ids that came with a store and have no rating any more."""
    came = record.filter(pl.col("kind") != TRAINING)["user_id"].unique()
    stays = np.ones(ratings.n_users, dtype=bool)
    stays[ratings.users.index(came)] = False
    stays[ratings.user_index] = True
    if stays.all():
        return ratings
    rows = np.cumsum(stays, dtype=np.int32) - np.int32(1)
    table = None if ratings.user_table is None else ratings.user_table.filter(stays)
    users = Vocabulary(ratings.users.ids.filter(stays), "user", table)
    return ratings.replaced(users=users, user_index=rows[ratings.user_index])
