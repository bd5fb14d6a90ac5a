"""Ratings on Spark with row numbers in place of ids; vocabularies and scale on the driver."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from tastemap.data.feedback import Source
from tastemap.data.ratings import Ratings
from tastemap.data.scale import Scale
from tastemap.data.vocabulary import Vocabulary
from tastemap.errors import DataError
from tastemap.spark.read import Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# A vocabulary with at most this number of rows is sent to every executor; a larger one is joined.
MAX_ROWS_OF_BROADCAST = 2_000_000
# A scale with more distinct ratings than this is continuous.
MAX_VALUES_OF_SCALE = 1000
# Bytes of a rating on the driver: two row numbers and a float of four bytes each; then a time.
BYTES_OF_RATING, BYTES_OF_TIME = 12, 8


@dataclass(frozen=True)
class Indexed:
    """Ratings on Spark, and their vocabularies and scale on the driver.

    Attributes:
        frame: Columns ``user_index, item_index`` (int), ``rating`` (float), and optionally
            ``timestamp`` (long); the executors hold it.
        users, items: The vocabularies: ids in ascending order, as everywhere in tastemap.
        scale: The scale of the ratings.
        n: Number of ratings.
        source: Name and notes.
    """

    frame: "DataFrame"
    users: Vocabulary
    items: Vocabulary
    scale: Scale
    n: int
    source: Source

    def collect(self) -> Ratings:
        """The ratings on the driver, ordered by user and item."""
        frame = to_polars(self.frame).sort("user_index", "item_index")
        return Ratings(
            user_index=frame["user_index"].to_numpy(),
            item_index=frame["item_index"].to_numpy(),
            rating=frame["rating"].to_numpy(),
            timestamp=frame["timestamp"].to_numpy() if "timestamp" in frame.columns else None,
            users=self.users,
            items=self.items,
            scale=self.scale,
            source=self.source,
        )


def index_table(session: "SparkSession", table: Table) -> Indexed:
    """Vocabularies of users and items, and the table with their row numbers."""
    from pyspark.sql import functions as F  # noqa: N812

    frame = table.frame
    vocabularies: dict[str, Vocabulary] = {}
    for kind in ("user", "item"):
        key = f"{kind}_id"
        ids = to_polars(table.frame.select(key).distinct())[key].sort()
        vocabularies[f"{kind}s"] = Vocabulary(ids, kind)
        rows = pl.DataFrame([ids]).with_row_index(f"{kind}_index")
        numbered = session.createDataFrame(
            rows.with_columns(pl.col(f"{kind}_index").cast(pl.Int32)).to_arrow()
        )
        small = len(ids) <= MAX_ROWS_OF_BROADCAST
        frame = frame.join(F.broadcast(numbered) if small else numbered, key)
    columns = [name for name in ("rating", "timestamp") if name in frame.columns]
    frame = frame.select("user_index", "item_index", *columns).persist()
    n, *ends = frame.agg(F.count("*"), F.min("rating"), F.max("rating")).collect()[0]
    table.persisted.unpersist()
    values = to_polars(frame.select("rating").distinct().limit(MAX_VALUES_OF_SCALE))["rating"]
    values = pl.concat([values, pl.Series(ends, dtype=values.dtype)])
    scale = Scale.infer(values.to_numpy())
    source = Source(table.name, table.notes)
    return Indexed(frame, **vocabularies, scale=scale, n=n, source=source)


def refuse_what_the_driver_cannot_hold(data: Indexed, width: int) -> None:
    """Stop before the work if the artifact would not fit into the driver's memory.

    Args:
        data: The ratings.
        width: Numbers of each user and item, 1 + f.

    Raises:
        DataError: With the estimate, and the setting to raise.
    """
    context = data.frame.sparkSession.sparkContext
    limit = context.getConf().get("spark.driver.maxResultSize", "1g")
    jvm = context._jvm
    utils = jvm.org.apache.spark.network.util.JavaUtils if jvm else None
    max_bytes = int(utils.byteStringAsBytes(limit)) if utils else 0
    bytes_each = BYTES_OF_RATING + ("timestamp" in data.frame.columns) * BYTES_OF_TIME
    needed = max(bytes_each * data.n, 4 * width * len(data.users))
    if max_bytes and needed > max_bytes:
        raise DataError(
            f"{data.n:,} ratings of {len(data.users):,} users",
            expected=f"a model that passes through the driver in {limit} at a time",
            received=f"about {needed / 2**30:.1f} GiB",
            do=f"--conf spark.driver.maxResultSize={needed // 2**30 + 1}g, and three times that "
            "as spark.driver.memory",
        )


def to_polars(frame: "DataFrame") -> pl.DataFrame:
    """A frame of Spark, on the driver, in Polars."""
    return pl.DataFrame(pl.from_arrow(frame.toArrow()))
