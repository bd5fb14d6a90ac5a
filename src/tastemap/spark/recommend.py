"""Lists for all users, written by Spark's executors as Parquet."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tastemap.errors import ArgumentError, UnsupportedError
from tastemap.models.base.factors import FactorModel
from tastemap.models.base.selection import allowed_items
from tastemap.models.batch.recommend import best_items
from tastemap.spark.shards import csr, rows, shard
from tastemap.support.atomic import new_folder

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import SparkSession

# The number of users in a task.
USERS_OF_TASK = 20_000


def recommend_all(
    session: "SparkSession",
    model: Any,
    out: str,
    k: int | None = None,
    *,
    exclude_seen: bool = True,
    where: str | None = None,
    new: bool = False,
) -> int:
    """The lists of `tastemap.recommend_all`, made by the executors and written as Parquet.

    Each executor gets the items' weights once, and its users' weights and rated items. One matrix
    product scores some hundred users. The lists equal those of ``recommend`` to the last digit.

    Args:
        session: The session.
        model: A fitted model of biases and factors.
        out: Folder of the Parquet files, or an address that Spark writes to; a complete folder
            replaces an older folder of Parquet files.
        k, exclude_seen, where, new: As in `tastemap.recommend_all`; without its column ``basis``.

    Returns:
        The number of rows written.
    """
    data = model.fitted_data
    if not isinstance(model, FactorModel):
        raise UnsupportedError(
            f"{model.learnt_by_} has no factors for executors to multiply",
            do="leave --engine spark out, or use als, ials or mf",
        )
    k = min(10, data.n_items) if k is None else k
    if not 1 <= k <= data.n_items:
        raise ArgumentError("k", expected=f"a whole number from 1 to {data.n_items}", received=k)
    allowed = allowed_items(
        data, seen=np.zeros(0, dtype=np.int32), candidates=None, exclude=None, where=where, new=new
    )
    frame = session.createDataFrame(_user_table(model, exclude_seen))
    tasks = max(session.sparkContext.defaultParallelism, -(-data.n_users // USERS_OF_TASK))
    frame = frame.repartitionByRange(tasks, "user_index").sortWithinPartitions("user_index")
    lists = frame.mapInArrow(_list_maker(session, model, k, allowed), _schema(data))
    _write(lists, out)
    return int(session.read.parquet(out).count())


def _user_table(model: FactorModel, exclude_seen: bool) -> "pa.Table":
    """A row for each user: row number, id, weights, and the rows of the items rated or seen."""
    import pyarrow as pa

    data, weights = model.ratings_, model.factors.user_weights[:-1]
    touched = data.touched
    groups = touched.by_user
    ends = np.arange(len(weights) + 1, dtype=np.int64) * weights.shape[1]
    indptr = groups.indptr if exclude_seen else np.zeros_like(groups.indptr)
    seen = touched.item_index[groups.indices][: indptr[-1]]
    return pa.table(
        {
            "user_index": pa.array(np.arange(len(weights), dtype=np.int32)),
            "user_id": data.users.ids.to_arrow().cast(_arrow_type(data.users)),
            "weights": _lists_of(ends, weights.ravel()),
            "seen": _lists_of(indptr, seen),
        }
    )


def _lists_of(indptr: Any, values: Any) -> "pa.Array":
    import pyarrow as pa

    return pa.LargeListArray.from_arrays(pa.array(indptr), pa.array(values))


def _arrow_type(vocabulary: Any) -> "pa.DataType":
    import pyarrow as pa

    return pa.string() if vocabulary.is_text else pa.int64()


def _schema(data: Any) -> str:
    user, item = ("string" if ids.is_text else "long" for ids in (data.users, data.items))
    return (
        f"user_id {user}, rank int, item_id {item}, title string, "
        "predicted_rating double, score float"
    )


def _list_maker(session: "SparkSession", model: FactorModel, k: int, allowed: Any) -> Any:
    """The function that each executor applies to its users."""
    data = model.ratings_
    mu, scale = model.global_mean, data.scale if model.predicts_ratings else None
    names = pl.DataFrame([data.items.ids, data.items.titles.rename("title")]).to_arrow()
    sent = session.sparkContext.broadcast((model.factors.item_weights, allowed, names))

    def made(batches: "Iterator[pa.RecordBatch]") -> "Iterator[pa.RecordBatch]":
        import pyarrow as pa

        items, mask, table = sent.value
        types = (pa.int64(), pa.string())
        for batch in batches:
            weights = rows(batch.column("weights"), items.shape[1])
            part = shard(items, mu, weights, csr(batch.column("seen")))
            users = np.arange(len(batch), dtype=np.int32)
            best = best_items(part, users, k, seen=(part.ratings_,), allowed=mask, n_threads=1)
            place = np.flatnonzero(best.items >= 0)
            index, score = best.items.ravel()[place], best.scores.ravel()[place]
            predicted = pa.nulls(len(score), pa.float64())
            if scale is not None:
                predicted = pa.array(scale.clip(score).astype(np.float64))
            ids = table.column(0).take(pa.array(index)).combine_chunks()
            yield pa.RecordBatch.from_pydict(
                {
                    "user_id": batch.column("user_id").take(pa.array(place // k)),
                    "rank": (place % k + 1).astype(np.int32),
                    "item_id": ids.cast(types[ids.type not in types[:1]]),
                    "title": table.column(1).take(pa.array(index)).combine_chunks().cast(types[1]),
                    "predicted_rating": predicted,
                    "score": score.astype(np.float32),
                }
            )

    return made


def _write(lists: Any, out: str) -> None:
    """Write beside the target and rename; in an object store Spark itself commits."""
    if "://" in out:
        lists.write.mode("overwrite").parquet(out)
        return
    target = Path(out).absolute()
    if target.is_file() or (target.is_dir() and not _is_parquet(target)):
        raise ArgumentError(
            "-o",
            expected="a new folder, or one of Parquet files to replace",
            received=f"{out}, which is something else",
        )
    with new_folder(target) as fresh:
        lists.write.mode("overwrite").parquet(str(fresh))
        # Hadoop's checksums and markers, which other readers of a folder cannot read.
        for mark in (*fresh.glob(".*"), *fresh.glob("_*")):
            mark.unlink()


def _is_parquet(folder: Path) -> bool:
    """Whether a folder holds only files that Spark writes, or is empty."""
    return all(part.name.startswith((".", "_", "part-")) for part in folder.iterdir())
