"""The tasks: splits of MovieLens, written to folders that adapters read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import next_item
import numpy as np

import tastemap as tm
from tastemap.arrays import F64
from tastemap.data.splits import Split, forecast_split

LIKED = 4


@dataclass(frozen=True)
class Task:
    """What is asked of the models, on which part of which data.

    Attributes:
        name: By which the command line calls it.
        title: What the tables call it.
        data: The data set, ``ml-100k``, ``ml-1m``, or ``ml-1m-order``: 1M in the published order,
            and which of its times are known.
        ask: ``ratings`` of the test pairs; ``lists`` of the users with test items; ``next``, lists
            for one test item each, the next; or ``everyone``, lists of all users, whose quality is
            not scored.
        split: Function from the data to a training and a test part.
        gaps: Function from the data and a split to the seconds (n_users,) since a user was there
            last, where lists are scored by these.
    """

    name: str
    title: str
    data: str
    ask: str
    split: Callable[[Any], Split]
    gaps: Callable[[Any, Split], F64] | None = None


def _likes(ratings: Any) -> Split:
    return tm.per_user_split(ratings.take(ratings.rating >= LIKED), 0.2, 0)


_LISTS = "likes (4 and more), 80/20 within each user (seed 0), all unseen items ranked"
TASKS = [
    Task("u1", "ML-100K, fold u1", "ml-100k", "ratings", lambda all_: tm.published_fold(all_, 1)),
    Task(
        "lab",
        "ML-100K, the lab's split (80/20, seed 0)",
        "ml-100k",
        "ratings",
        lambda all_: tm.train_test_split(all_, 0.2, 0),
    ),
    Task(
        "forecast",
        "ML-100K, forecast (the last fifth of each user's ratings)",
        "ml-100k",
        "ratings",
        lambda all_: forecast_split(all_, 0.2),
    ),
    Task(
        "ml-1m",
        "ML-1M, 90/10 at random (seed 0)",
        "ml-1m",
        "ratings",
        lambda all_: tm.train_test_split(all_, 0.1, 0),
    ),
    Task("lists-100k", f"ML-100K, lists of ten: {_LISTS}", "ml-100k", "lists", _likes),
    Task("lists-1m", f"ML-1M, lists of ten: {_LISTS}", "ml-1m", "lists", _likes),
    Task(
        "next-1m",
        "ML-1M, the next item: the last of each user in the published order, all unseen ranked",
        "ml-1m-order",
        "next",
        lambda data: tm.leave_last_out(data[0]),
        lambda data, split: next_item.gaps_of(*split, data[1]),
    ),
    Task(
        "everyone",
        "ML-1M, ten items for each of the 6,040 users, 64 factors, rated items left out",
        "ml-1m",
        "everyone",
        lambda all_: Split(all_, all_),
    ),
]


def inner(split: Split, ask: str) -> Split:
    """The training part of a split, split again: what settings are chosen on."""
    if ask == "next":
        return tm.leave_last_out(split.train)
    if ask == "lists":
        return tm.per_user_split(split.train, 0.2, 1)
    return tm.train_test_split(split.train, 0.1, 1)


def write_task(split: Split, folder: Path) -> None:
    """The training ratings, the pairs of the test part without their ratings, and side tables."""
    folder.mkdir(parents=True, exist_ok=True)
    train = split.train
    np.savez(folder / "train.npz", ratings=train.rating, **_pairs(train))
    np.savez(folder / "pairs.npz", **_pairs(split.test))
    sizes = {"n_users": train.n_users, "n_items": train.n_items}
    np.savez(folder / "side.npz", scale=_scale(train), **sizes, **_side(train))
    for vocabulary in (train.users, train.items):
        table = vocabulary.ids.to_frame() if vocabulary.table is None else vocabulary.table
        table.write_parquet(folder / f"{vocabulary.kind}s.parquet")


def _pairs(ratings: Any) -> dict[str, Any]:
    columns = {"users": ratings.user_index, "items": ratings.item_index}
    columns |= {"times": ratings.timestamp, "positions": ratings.position}
    return {name: values for name, values in columns.items() if values is not None}


def _scale(ratings: Any) -> Any:
    """Lowest and highest rating and the step between ratings, 0 for a continuous scale."""
    scale = ratings.scale
    return np.array([scale.lowest, scale.highest, scale.step or 0.0])


def _side(ratings: Any) -> dict[str, Any]:
    """Columns about users and items as arrays of numbers and text; genres as a table of 0 and 1."""
    found: dict[str, Any] = {}
    users, items = ratings.user_table, ratings.item_table
    for name in ("age", "gender", "occupation", "zip_code"):
        if users is not None and name in users.columns:
            found[name] = users[name].cast(str).fill_null("").to_numpy().astype(str)
    if items is not None and {"release_year", "genres"} <= set(items.columns):
        found["year"] = items["release_year"].fill_null(0).to_numpy()
        lists = [row or [] for row in items["genres"].to_list()]
        names = sorted({name for row in lists for name in row})
        found["genres"] = np.array([[float(name in row) for name in names] for row in lists])
    if "age" in found:
        # As myFM's own example has it: ages in fives, the first letter of the zip code.
        found["age"] = users["age"].fill_null(0).to_numpy() // 5
        found["zip_code"] = np.array([code[:1] for code in found["zip_code"]])
    return found
