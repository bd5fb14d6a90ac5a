"""Biases and factors on Spark: damped means, Spark's ALS, and a last half-step for the users."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tastemap.arrays import F32, AnyArray
from tastemap.data.interactions import Interactions
from tastemap.errors import ArgumentError, UnsupportedError
from tastemap.models.als import ALS
from tastemap.models.base.confidence import Confidence
from tastemap.models.base.factors import Prior
from tastemap.models.bias import BiasModel
from tastemap.spark.index import Indexed, to_polars
from tastemap.spark.shards import csr

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.ml.recommendation import ALSModel
    from pyspark.sql import Column, DataFrame

# Most ratings in a block of Spark's ALS; there is at least one block for each core.
MAX_RATINGS_OF_BLOCK = 2_000_000
# After more epochs Spark's record of the computation (its lineage) is too deep to be sent, unless
# the state is written to a folder every ten epochs.
MAX_EPOCHS_WITHOUT_FOLDER = 10
# As in `tastemap.models.als`: users are solved until the residual is this share of the right side.
TOLERANCE = 1e-10
# The confidence of likes is chosen on the likes of some users, about so many, with so few factors.
MAX_ROWS_OF_TRIAL, FACTORS_OF_TRIAL, N_SHARES = 500_000, 32, 1_000_000
EQUAL = Confidence()


@dataclass(frozen=True)
class Fitted:
    """The result of a fit on Spark.

    Attributes:
        users: Frame ``user_index, weights`` (b_u, p_u) of the users with ratings, or likes.
        item_weights: float32 (n_items, 1 + f), rows (b_i, q_i).
        global_mean: mu; 0 for implicit feedback.
        prior: The `Prior` of the fold-in, the same as on one machine.
        confidence: How much a like of some weight counts.
    """

    users: "DataFrame"
    item_weights: F32
    global_mean: float
    prior: Prior
    confidence: Confidence = EQUAL


def fit(model: ALS, data: Indexed, train: "DataFrame", seed: int) -> Fitted:
    """Fit on Spark the weights that ``model.fit`` fits on one machine.

    Explicit feedback: the biases of `BiasModel` are subtracted. Spark's ALS finds the factors of
    the residuals, in units of the ratings' standard deviation. Then the users are solved once more
    for bias and factors together, as in the fold-in. Implicit feedback: the same without biases,
    on the likes, each of its `Confidence`.

    Args:
        model: It gives the number of factors and epochs, the penalty and the feedback.
        data: The vocabularies and the scale.
        train: The rows to learn from, as ``data.frame`` or a part of it.
        seed: Seed of Spark's initial factors.

    Raises:
        UnsupportedError: If there are no ratings, and the feedback is explicit.
    """
    from pyspark.sql import functions as F  # noqa: N812

    if not model.predicts_ratings:
        return _fit_implicit(model, data, train, seed)
    if data.scale is None:
        received = "interactions (no ratings)"
        raise UnsupportedError("als on Spark", expected="ratings", received=received, do="-m ials")
    totals = train.agg(
        F.count("*"), F.mean(F.col("value").cast("double")), F.stddev_pop("value")
    ).collect()[0]
    n, mu, s = totals[0], totals[1], totals[2] or 1.0
    residuals, b_i = without_biases(train, mu, len(data.items))
    target = residuals.select(
        "user_index", "item_index", (F.col("residual") / s).cast("float").alias("target")
    )
    spark_model = spark_als(model, target, _penalty(model, data, n), seed, n)
    q_i = factors_of(spark_model.itemFactors, len(data.items), model.n_factors)
    normal = np.hstack([b_i[:, None] / s, q_i]).astype(np.float32)
    units = np.concatenate([[s], np.full(model.n_factors, np.sqrt(s))])
    users = solve_users(model, _by_user(train), normal, units, mu, s)
    precision = float(model.ridge(1, 0)) * np.diag((s / units) ** 2)
    weights = (normal * units).astype(np.float32)
    # The whole penalty grows with the number of ratings.
    nothing = np.zeros_like(precision)
    prior = Prior(np.zeros(len(units)), nothing, precision, model.reg_exponent)
    return Fitted(users, weights, mu, prior)


def _fit_implicit(model: ALS, data: Indexed, train: "DataFrame", seed: int) -> Fitted:
    from pyspark.sql import functions as F  # noqa: N812

    likes = train.where(F.col("value") >= data.liked_from(model.threshold))
    confidence = EQUAL
    if data.scale is None:
        confidence = chosen_confidence(model, likes, seed)
    counts = _grown(confidence, F.col("value")) / confidence.mean
    target = likes.select("user_index", "item_index", counts.cast("float").alias("target"))
    n = target.count()
    scale = 1 + model.alpha
    # Our target for a like's product is 1; Spark's is 1 + 1 / alpha, with the weight 1 / alpha. So
    # Spark's factors are larger by the root of 1 + alpha, and its penalty is larger by 1 + alpha.
    # This is so for a confidence of 1, the mean.
    penalty = scale * _penalty(model, data, n) / model.alpha
    spark_model = spark_als(model, target, penalty, seed, n)
    q_i = factors_of(spark_model.itemFactors, len(data.items), model.n_factors) / np.sqrt(scale)
    normal = np.pad(q_i, ((0, 0), (1, 0))).astype(np.float32)
    units = np.ones(normal.shape[1])
    users = solve_users(model, _by_user(likes), normal, units, 0.0, 1.0, confidence)
    precision = model.alpha * (normal.T @ normal).astype(np.float64)
    return Fitted(users, normal, 0.0, Prior(np.zeros(normal.shape[1]), precision), confidence)


def chosen_confidence(model: ALS, likes: "DataFrame", seed: int) -> Confidence:
    """The confidence of likes by their weights, as one machine chooses it on some of the users."""
    from pyspark.sql import functions as F  # noqa: N812

    n, least, most, unit = likes.agg(
        F.count("*"), F.min("value"), F.max("value"), F.median("value")
    ).collect()[0]
    if not n or least == most:
        return EQUAL
    share = round(min(MAX_ROWS_OF_TRIAL / n, 1) * N_SHARES)
    drawn = F.pmod(F.xxhash64("user_index", F.lit(seed)), F.lit(N_SHARES)) < max(share, 1)
    rows = to_polars(likes.where(drawn).select("user_index", "item_index", "value"))
    if not len(rows):
        return EQUAL
    names = {"user_index": "user_id", "item_index": "item_id", "value": "weight"}
    f = min(model.n_factors, FACTORS_OF_TRIAL)
    trial = ALS("implicit", f, 1, model.reg, model.reg_exponent, model.alpha)
    trial.fit(Interactions.from_frame(rows.rename(names)), seed=seed, progress=False)
    chosen = Confidence(trial.confidence_.form, float(unit))
    mean = likes.agg(F.mean(_grown(chosen, F.col("value")))).collect()[0][0]
    return chosen._replace(mean=float(mean)) if chosen.form != EQUAL.form else EQUAL


def _grown(confidence: Confidence, weight: "Column") -> "Column":
    """A confidence of weights before its mean is taken out, as `Confidence` has it."""
    from pyspark.sql import functions as F  # noqa: N812

    ratio = weight.cast("double") / confidence.unit
    forms = {"equal": F.lit(1.0), "logarithmic": F.log1p(ratio), "linear": ratio}
    return forms[confidence.form]


def without_biases(train: "DataFrame", mu: float, n_items: int) -> "tuple[DataFrame, AnyArray]":
    """The ratings less mu, b_i and b_u, in a column ``residual``, and b_i (n_items,).

    Both are the damped means of `BiasModel`, with its defaults.
    """
    from pyspark.sql import functions as F  # noqa: N812

    damping = BiasModel()
    rest = train.withColumn("residual", F.col("value").cast("double") - F.lit(mu))
    for kind, d in (("item", damping.item_damping), ("user", damping.user_damping)):
        bias = F.sum("residual") / (F.count("*") + F.lit(d))
        biases = rest.groupBy(f"{kind}_index").agg(bias.alias("bias")).persist()
        if kind == "item":
            item_biases = to_polars(biases)
        rest = rest.join(biases, f"{kind}_index")
        rest = rest.withColumn("residual", F.col("residual") - F.col("bias")).drop("bias")
    b_i = np.zeros(n_items)
    b_i[item_biases["item_index"].to_numpy()] = item_biases["bias"].to_numpy()
    return rest, b_i


def spark_als(model: ALS, target: "DataFrame", penalty: float, seed: int, n: int) -> "ALSModel":
    """Spark's ALS on columns ``user_index, item_index, target``.

    It minimises the sum of e^2 plus ``penalty`` times the sum of n_u |p_u|^2 over the users, and
    the same over the items (Zhou et al. 2008); each iteration solves items, then users.
    """
    from pyspark.ml.recommendation import ALS as SparkALS  # noqa: N811

    context = target.sparkSession.sparkContext
    if model.n_epochs > MAX_EPOCHS_WITHOUT_FOLDER and context.getCheckpointDir() is None:
        raise ArgumentError(
            f"n_epochs {model.n_epochs}",
            expected=f"at most {MAX_EPOCHS_WITHOUT_FOLDER} where Spark has nowhere to keep its"
            " state",
            do="name a folder that all machines see: --conf spark.checkpoint.dir=s3a://…, hdfs://…",
        )
    cores = context.defaultParallelism
    blocks = max(cores, -(-n // MAX_RATINGS_OF_BLOCK))
    als = SparkALS(
        rank=model.n_factors,
        maxIter=model.n_epochs,
        regParam=penalty,
        numUserBlocks=blocks,
        numItemBlocks=blocks,
        implicitPrefs=not model.predicts_ratings,
        alpha=1 / model.alpha,
        userCol="user_index",
        itemCol="item_index",
        ratingCol="target",
        seed=seed,
    )
    return als.fit(target)


def _penalty(model: ALS, data: Indexed, n: int) -> float:
    """Spark's penalty for each rating: our model's penalty for an average user and item.

    Spark's penalty grows with the number of ratings, ours with its power ``reg_exponent``; they are
    equal if the power is 1. The result is the geometric mean of the users' and the items' penalty.
    """
    sides = ((n / len(data.users), len(data.items)), (n / len(data.items), len(data.users)))
    return float(np.prod([model.ridge(count, others) / count for count, others in sides]) ** 0.5)


def factors_of(frame: "DataFrame", n: int, f: int) -> F32:
    """Rows (n, f) of Spark's factors ``id, features``; zeros for a row without factors."""
    rows = to_polars(frame.select("id", "features"))
    factors = np.zeros((n, f), dtype=np.float32)
    factors[rows["id"].to_numpy()] = rows["features"].list.to_array(f).to_numpy()
    return factors


def _by_user(train: "DataFrame") -> "DataFrame":
    """A row for each user: ``user_index, items, values``."""
    from pyspark.sql import functions as F  # noqa: N812

    lists = {"items": "item_index", "values": "value"}
    columns = (F.collect_list(column).alias(name) for name, column in lists.items())
    return train.groupBy("user_index").agg(*columns)


def solve_users(
    model: ALS,
    lists: "DataFrame",
    items: AnyArray,
    units: AnyArray,
    mu: float,
    s: float,
    confidence: Confidence = EQUAL,
) -> "DataFrame":
    """The last half-step: the weights (b_u, p_u) of each user; the items are fixed.

    Args:
        model: It gives the penalty and the feedback.
        lists: Columns ``user_index, items, values``, a row for each user.
        items: float32 (n_items, 1 + f), rows (b_i, q_i) for a target of unit deviation.
        units: (1 + f,), factors from weights for such a target to weights in units of the rating.
        mu, s: Mean and standard deviation of the ratings; 0 and 1 for likes.
        confidence: How much a like of some weight counts.

    Returns:
        Frame ``user_index, weights``; the weights are float32 lists, in units of the rating.
    """
    sent = lists.sparkSession.sparkContext.broadcast(items.astype(np.float32))

    def solved(batches: "Iterator[pa.RecordBatch]") -> "Iterator[pa.RecordBatch]":
        fixed, gram = sent.value.copy(), np.zeros((0, 0), dtype=np.float32)
        if model.predicts_ratings:
            fixed[:, 0] = 1
        else:
            gram = np.float32(model.alpha) * (fixed.T @ fixed)
        for batch in batches:
            yield _solved(model, batch, (sent.value[:, 0], fixed, gram), units, mu, s, confidence)

    return lists.mapInArrow(solved, "user_index int, weights array<float>")


def _solved(
    model: ALS,
    batch: "pa.RecordBatch",
    items: tuple[AnyArray, AnyArray, AnyArray],
    units: AnyArray,
    mu: float,
    s: float,
    confidence: Confidence,
) -> "pa.RecordBatch":
    """One batch of users; their lists are already in CSR form.

    ``items`` holds the item biases, the fixed rows (1, q_i) or (0, q_i), and the Gram matrix.
    """
    import pyarrow as pa

    from tastemap.kernels.als import solve_rows

    (indptr, index), (_, value) = csr(batch.column("items")), csr(batch.column("values"))
    b_i, fixed, gram = items
    target = (value - mu) / s - b_i[index] if model.predicts_ratings else np.ones(len(index))
    penalty = np.asarray(model.ridge(np.diff(indptr), len(fixed)), dtype=np.float32)
    penalties = (penalty, penalty)
    weights = np.zeros((len(batch), fixed.shape[1]), dtype=np.float32)
    steps = 2 * fixed.shape[1]
    counts = np.zeros(0, dtype=np.float32)
    if confidence.form != EQUAL.form:
        counts = confidence(value)
    values = (target.astype(np.float32), counts, fixed, gram)
    solve_rows(indptr, index, *values, *penalties, weights, steps, TOLERANCE)
    weights = (weights * units).astype(np.float32)
    ends = pa.array(np.arange(len(batch) + 1, dtype=np.int32) * fixed.shape[1])
    column = pa.ListArray.from_arrays(ends, pa.array(weights.ravel()))
    return pa.RecordBatch.from_pydict({"user_index": batch.column("user_index"), "weights": column})
