"""The next item on MovieLens 1M: the usual record, and the same by the time since the last rating.

    python benchmarks/next_item.py --ratings FILE --order FILE [--models next-item,ease ...]
                                   [--validation] [--sittings] [--json]

``--order`` has the order of each user's ratings as published for sequential models, columns
``user_id, item_id, position``; ``--ratings`` has ``user_id, item_id, rating, timestamp``, of which
times may be missing. The last item of each user is the test, all unseen items are ranked, and
HR@10 and NDCG@10 are means over users. With ``--validation`` the last items are put away and the
second last are the test: all choices were made so. With ``--sittings`` the ratings that have a time
are cut where a user paused for more than 30 minutes, and each sitting is a user of its own: nothing
is known of anybody but what they did just now.

Beside the models stand controls. ``shuffled`` is the model on histories in a random order: what is
left of its gain is no order. ``neighbours`` repeat the latest item as far as unseen items can: they
are its neighbours, and those of no other, by the weights of ``ease``, and ``last week`` is what was
rated most in the seven days before the latest item. ``ease likes`` learns from the upper quarter of
the ratings, as is its default, ``ease`` from all. ``at request`` means that the model was told when
the user came back, as an application would.
"""

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import tastemap as tm
from tastemap.arrays import F64, FloatArray, IndexArray
from tastemap.data.histories import histories
from tastemap.data.ratings import Ratings
from tastemap.evaluation.evaluate import rank_unseen
from tastemap.metrics.gap import by_gap
from tastemap.models.base.recommender import Recommender

WEEK = 7 * 86_400
CONTROLS = ("last week", "neighbours", "shuffled")
NAMES = ("popularity", "ials", "ease", "ease likes", "next-item", "at request", *CONTROLS)


class Latest(Recommender):
    """Base of the controls: what they say follows from a user's latest item and its time."""

    latest: IndexArray

    def _fit(self, ratings: Ratings, validation: Ratings | None, seed: int, progress: bool) -> None:
        history = histories(ratings, seed)
        self.latest = history.indices[history.indptr[1:] - 1]  # everyone has a rating here

    def _user(self, user_index: int) -> int:
        return int(user_index)

    def _predict(self, user_index: IndexArray, item_index: IndexArray) -> FloatArray:
        pairs = zip(user_index, item_index, strict=True)
        return np.array([self._score(user)[item] for user, item in pairs])


class Neighbours(Latest):
    """The weights of `EASE` from the latest item."""

    def _fit(self, ratings: Ratings, validation: Ratings | None, seed: int, progress: bool) -> None:
        super()._fit(ratings, validation, seed, progress)
        self.weights = tm.EASE(threshold=ratings.scale.lowest).fit(ratings, progress=False)

    def _score(self, user: int) -> FloatArray:
        return self.weights.item_weights[self.ratings_.item_index[self.latest[user]]]


class LastWeek(Latest):
    """Numbers of ratings in the week before the latest item; popularity decides among equals."""

    def _fit(self, ratings: Ratings, validation: Ratings | None, seed: int, progress: bool) -> None:
        super()._fit(ratings, validation, seed, progress)
        order = np.argsort(ratings.timestamp, kind="stable")
        self.times, self.items = ratings.timestamp[order], ratings.item_index[order]

    def _score(self, user: int) -> FloatArray:
        end = self.ratings_.timestamp[self.latest[user]]
        low, high = np.searchsorted(self.times, [end - WEEK, end])
        recent = np.bincount(self.items[low:high], minlength=self.ratings_.n_items)
        return recent + self.ratings_.by_item.counts / (1.0 + len(self.ratings_))


def main() -> None:
    """Measure, and print tables or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ratings", type=Path, required=True)
    parser.add_argument("--order", type=Path, required=True)
    parser.add_argument("--models", default=",".join(NAMES), help="names with commas between them")
    parser.add_argument("--validation", action="store_true", help="judge the second last items")
    parser.add_argument("--sittings", action="store_true", help="sittings stand for users")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    args = parser.parse_args()
    ratings, has_time = table(args.ratings, args.order)
    if args.sittings:
        ratings = cut(ratings, has_time)
        has_time = ratings.to_frame().select("user_id", "item_id", known=pl.lit(True))
    if args.validation:
        ratings = tm.leave_last_out(ratings).train
    train, test = tm.leave_last_out(ratings)
    gap = gaps_of(train, test, has_time)
    rows = [row(name, train, test, gap) for name in args.models.split(",")]
    print(json.dumps(rows, indent=2)) if args.json else show(rows, train, gap, has_time)


def table(ratings: Path, order: Path) -> tuple[Ratings, pl.DataFrame]:
    """The ratings in the published order, and which of them have a time of their own.

    A missing time is that of the rating before, or else after, of the same user, or of the table's
    median: it is used for the trend, and no gap is taken from it.
    """
    frame = pl.read_parquet(order).join(pl.read_parquet(ratings), on=["user_id", "item_id"])
    frame = frame.sort("user_id", "position")
    has_time = frame.select("user_id", "item_id", known=pl.col("timestamp").is_not_null())
    time = pl.col("timestamp")
    filled = time.forward_fill().backward_fill().over("user_id")
    frame = frame.with_columns(timestamp=filled.fill_null(time.median().cast(pl.Int32)))
    return Ratings.from_frame(frame), has_time


def cut(ratings: Ratings, has_time: pl.DataFrame) -> Ratings:
    """The sittings of the ratings that have a time of their own."""
    rows = ratings.to_frame().join(has_time, on=["user_id", "item_id"], maintain_order="left")
    sittings = tm.sittings(Ratings.from_frame(rows.filter("known").drop("known")))
    print(f"{sittings.source.notes[-1]}.", file=sys.stderr)
    return sittings


def gaps_of(train: Ratings, test: Ratings, has_time: pl.DataFrame) -> F64:
    """Seconds (n_users,) from the latest training rating to the test; NaN if one was filled in."""
    history, times = histories(train), []
    for part in (train.take(history.indices[history.indptr[1:] - 1]), test):
        pairs = part.to_frame().join(
            has_time, on=["user_id", "item_id"], how="left", maintain_order="left"
        )
        time = np.full(train.n_users, np.nan)
        time[part.user_index] = np.where(pairs["known"], part.timestamp, np.nan)
        times.append(time)
    return times[1] - times[0]


def row(name: str, train: Ratings, test: Ratings, gap: F64) -> dict[str, Any]:
    """The seconds of the fit, and the metrics by the gap, of one model or control."""
    start = time.perf_counter()
    model = fitted(name, train)
    seconds = time.perf_counter() - start
    if name == "at request":
        model = model.later(gap)
    ranked = rank_unseen(model, test, 10, threshold=test.scale.lowest)
    values = ranked.per_user()
    metrics = {"hr": values["recall"], "ndcg": values["ndcg"]}
    classes = by_gap(gap[ranked.user_index], metrics).to_dicts()
    return {"model": name, "seconds": seconds, "classes": classes}


def fitted(name: str, train: Ratings) -> Recommender:
    """The model or control of this name, on the training part."""
    if name == "shuffled":
        return tm.NextItem().fit(shuffled(train), progress=False)
    everything = {"threshold": train.scale.lowest}  # a like is what was rated, as in such tables
    makers = {
        "neighbours": Neighbours,
        "last week": LastWeek,
        "ials": lambda: tm.make_model("ials", **everything),
        "ease": lambda: tm.EASE(**everything),
        "ease likes": tm.EASE,
        "at request": tm.NextItem,
    }
    return makers.get(name, lambda: tm.make_model(name))().fit(train, progress=False)


def shuffled(train: Ratings) -> Ratings:
    """The same ratings at the same times, but which item it was is drawn within each user."""
    drawn = np.random.default_rng(0).permutation(len(train))
    source = np.lexsort((drawn, train.user_index))
    place = np.argsort(train.user_index, kind="stable")
    item, rating = train.item_index.copy(), train.rating.copy()
    item[place], rating[place] = train.item_index[source], train.rating[source]
    return replace(train, item_index=item, rating=rating)


def show(rows: list[dict[str, Any]], train: Ratings, gap: F64, has_time: pl.DataFrame) -> None:
    """A table with a column for each class of gaps, in Markdown."""
    history = histories(train)
    times, users = train.timestamp[history.indices], train.user_index[history.indices]
    tied = (np.diff(times) == 0)[np.diff(users) == 0].mean()
    print(f"{has_time['known'].mean():.1%} of the ratings have a time.")
    print(f"{np.isfinite(gap).sum():,} of {len(gap):,} gaps are known; {tied:.1%} of neighbours in")
    print("training have the same time, filled-in times included. HR@10 / NDCG@10:\n")
    classes = [f"{c['gap']} ({c['users']:,})" for c in rows[0]["classes"]]
    print("| model | " + " | ".join(classes) + " | fit s |")
    print("|---|" + "---:|" * (len(classes) + 1))
    for line in rows:
        cells = [f"{c['hr']:.3f} / {c['ndcg']:.4f}" for c in line["classes"]]
        print(f"| {line['model']} | " + " | ".join(cells) + f" | {line['seconds']:.1f} |")


if __name__ == "__main__":
    main()
