"""A table on Spark with row numbers in place of ids; vocabularies and scale on the driver."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tastemap.data.feedback import Source
from tastemap.data.interactions import Interactions
from tastemap.data.nouns import ITEM, noun_called
from tastemap.data.ratings import Ratings
from tastemap.data.scale import Scale
from tastemap.data.vocabulary import Vocabulary
from tastemap.errors import DataError
from tastemap.spark.read import Table
from tastemap.support.counts import counted

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
    """Ratings or interactions on Spark, and their vocabularies and scale on the driver.

    Attributes:
        frame: Columns ``user_index, item_index`` (int), ``value`` (float), and optionally
            ``timestamp`` (long); the executors hold it.
        users, items: The vocabularies: ids in ascending order, as everywhere in tastemap.
        scale: The scale of the ratings; None of interactions, whose values are weights.
        n: Number of rows.
        source: Name and notes.
    """

    frame: "DataFrame"
    users: Vocabulary
    items: Vocabulary
    scale: Scale | None
    n: int
    source: Source

    def collect(self) -> Ratings | Interactions:
        """The rows on the driver, ordered by user and item."""
        frame = to_polars(self.frame).sort("user_index", "item_index")
        rows = frame["user_index"].to_numpy(), frame["item_index"].to_numpy()
        values = frame["value"].to_numpy()
        times = frame["timestamp"].to_numpy() if "timestamp" in frame.columns else None
        ids = self.users, self.items
        if self.scale is None:
            return Interactions(*rows, values, times, *ids, source=self.source)
        return Ratings(*rows, values, times, *ids, scale=self.scale, source=self.source)

    def liked_from(self, threshold: float | None) -> float:
        """The lowest value that counts as a like; as `Ratings.likes` and `Interactions.likes`."""
        if self.scale is not None:
            return self.scale.liked_from(threshold)
        return float(np.nextafter(0, 1, dtype=np.float32)) if threshold is None else threshold


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
    columns = [name for name in ("value", "timestamp") if name in frame.columns]
    frame = frame.select("user_index", "item_index", *columns).persist()
    n, *ends = frame.agg(F.count("*"), F.min("value"), F.max("value")).collect()[0]
    table.persisted.unpersist()
    source = Source(table.name, table.notes, noun=table.noun)
    data = Indexed(frame, **vocabularies, scale=None, n=n, source=source)
    if not table.has_ratings:
        return replace(data, source=replace(source, notes=(_summary(data), *table.notes)))
    values = to_polars(frame.select("value").distinct().limit(MAX_VALUES_OF_SCALE))["value"]
    values = pl.concat([values, pl.Series(ends, dtype=values.dtype)])
    return replace(data, scale=Scale.infer(values.to_numpy()))


def _summary(data: Indexed) -> str:
    """What was read where there are no ratings, as one machine says it of interactions."""
    people = counted(len(data.users), "person", "people")
    items = counted(len(data.items), *(noun_called(data.source.noun) if data.source.noun else ITEM))
    return f"{counted(data.n, 'interaction')} of {people} with {items}; no ratings: lists, no stars"


def refuse_what_the_driver_cannot_hold(data: Indexed, width: int) -> None:
    """Stop before the work if the artifact would not fit into the driver's memory.

    Args:
        data: The ratings or interactions.
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
            f"{data.n:,} rows of {len(data.users):,} users",
            expected=f"a model that passes through the driver in {limit} at a time",
            received=f"about {needed / 2**30:.1f} GiB",
            do=f"--conf spark.driver.maxResultSize={needed // 2**30 + 1}g, and three times that "
            "as spark.driver.memory",
        )


def to_polars(frame: "DataFrame") -> pl.DataFrame:
    """A frame of Spark, on the driver, in Polars."""
    return pl.DataFrame(pl.from_arrow(frame.toArrow()))
