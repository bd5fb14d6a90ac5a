"""Score a fit on Spark on unseen ratings, with the metrics of `tastemap.evaluation`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tastemap.evaluation.evaluate import relevant_hits
from tastemap.metrics.ranking import METRICS
from tastemap.models.als import ALS
from tastemap.models.batch.recommend import best_items
from tastemap.spark.als import Fitted
from tastemap.spark.index import Indexed
from tastemap.spark.shards import csr, rows, shard

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

# A hash maps each pair of user and item to one of this many numbers.
N_HASHES = 1_000_000
LIST_LENGTH = 10


def split(frame: "DataFrame", test_size: float, seed: int) -> "tuple[DataFrame, DataFrame]":
    """Two parts of a table of ratings, drawn by a hash of user, item and seed.

    The draw does not depend on the partitions; a lost partition is drawn again in the same way.
    """
    from pyspark.sql import functions as F  # noqa: N812

    number = F.pmod(F.xxhash64("user_index", "item_index", F.lit(seed)), F.lit(N_HASHES))
    drawn = number < round(test_size * N_HASHES)
    return frame.where(~drawn), frame.where(drawn)


def score(
    model: ALS, data: Indexed, fitted: Fitted, train: "DataFrame", test: "DataFrame"
) -> pl.DataFrame:
    """Errors of predicted ratings, or for implicit feedback scores of the lists of ten.

    Predicted ratings are clipped to the scale. A list ranks all items that a user has not rated in
    training. Relevant items are defined as in `evaluate_ranking`.

    Returns:
        Frame ``metric, value``: ``mse, rmse, mae``, or the metrics of `METRICS` at ten; then the
        number of ratings, or of users with a relevant item.
    """
    from pyspark.sql import functions as F  # noqa: N812

    truth = test.groupBy("user_index").agg(
        F.collect_list("item_index").alias("items"), F.collect_list("value").alias("values")
    )
    users = truth.join(fitted.users, "user_index", "left")
    names = ["squared", "absolute"] if model.predicts_ratings else list(METRICS)
    if not model.predicts_ratings:
        seen = train.groupBy("user_index").agg(F.collect_list("item_index").alias("seen"))
        users = users.join(seen, "user_index", "left")
    scored = users.mapInArrow(
        _scorer(model, data, fitted), ", ".join(f"{name} double" for name in (*names, "n"))
    )
    sums = scored.agg(*(F.sum(name).alias(name) for name in (*names, "n"))).collect()[0]
    n = sums["n"] or float("nan")
    if model.predicts_ratings:
        mse = sums["squared"] / n
        values = {"mse": mse, "rmse": mse**0.5, "mae": sums["absolute"] / n, "ratings": n}
    else:
        values = {name: sums[name] / n for name in names} | {"users": n}
    return pl.DataFrame({"metric": list(values), "value": list(values.values())})


def _scorer(model: ALS, data: Indexed, fitted: Fitted) -> Any:
    """The function that each executor applies to its users."""
    scale, mu = data.scale if model.predicts_ratings else None, fitted.global_mean
    liked, k = data.liked_from(None), min(LIST_LENGTH, len(data.items))
    average = np.zeros_like(fitted.item_weights[:1])
    sent = data.frame.sparkSession.sparkContext.broadcast(np.vstack([fitted.item_weights, average]))

    def scored(batches: "Iterator[pa.RecordBatch]") -> "Iterator[pa.RecordBatch]":
        import pyarrow as pa

        for batch in batches:
            items = sent.value
            weights = rows(batch.column("weights"), items.shape[1])
            indptr, index = csr(batch.column("items"))
            value = csr(batch.column("values"))[1]
            user = np.repeat(np.arange(len(batch), dtype=np.int32), np.diff(indptr))
            nothing = np.zeros(len(batch) + 1, dtype=np.int64), np.zeros(0, dtype=np.int32)
            seen = nothing if scale else csr(batch.column("seen"))
            part = shard(items, mu, weights, seen)
            if scale is not None:
                error = value - scale.clip(part.predict_rows(user, index)).astype(np.float64)
                values = {"squared": error**2, "absolute": np.abs(error)}
            else:
                relevant = value >= liked
                values = _lists(part, user[relevant], index[relevant], k)
            values["n"] = np.ones(len(next(iter(values.values()))))
            yield pa.RecordBatch.from_pydict(values)

    return scored


def _lists(part: Any, user: Any, index: Any, k: int) -> dict[str, Any]:
    """Each metric for each user with a relevant item, by the protocol of `rank_unseen`."""
    users, n_relevant = np.unique(user, return_counts=True)
    if not len(users):
        return {name: np.zeros(0) for name in METRICS}
    lists = best_items(part, users, k, seen=(part.ratings_,), n_threads=1).items
    hits = relevant_hits(users, lists, user, index, part.ratings_.n_items)
    return {name: metric(hits, n_relevant) for name, metric in METRICS.items()}
