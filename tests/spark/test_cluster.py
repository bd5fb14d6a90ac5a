"""Ratings, factors, scores and lists on two executor processes, held against one machine."""

import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tastemap.data.datasets.synthetic import synthetic_ratings
from tastemap.data.ratings import Groups, Ratings
from tastemap.data.readers.read import read_ratings
from tastemap.errors import DataError
from tastemap.evaluation.evaluate import evaluate, evaluate_ranking
from tastemap.kernels.als import solve_rows
from tastemap.models.als import ALS
from tastemap.models.batch.recommend import recommend_all
from tastemap.models.bias import BiasModel
from tastemap.models.registry import load_model
from tastemap.spark import als, artifact, index, recommend
from tastemap.spark import evaluate as scoring
from tastemap.spark import read as reading
from tastemap.spark.session import Cluster, SparkError, spark_session

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("spark")]
SIZE = {"n_users": 943, "n_items": 1682, "n_ratings": 100_000}
# With this penalty the problem has one solution, to which both engines converge.
CONVERGED = {"n_factors": 6, "n_epochs": 10, "reg": 0.25, "reg_exponent": 1.0}


@pytest.fixture(scope="module")
def big(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ratings, index.Indexed]:
    """As many ratings as MovieLens 100K has, on this machine and on the cluster."""
    ratings = synthetic_ratings(**SIZE)
    path = tmp_path_factory.mktemp("big") / "ratings.csv"
    ratings.to_frame().write_csv(path)
    return ratings, index.index_table(spark, reading.read_table(spark, str(path), {}))


def alternate(
    ratings: Ratings, target: np.ndarray, f: int, ridge: float, alpha: float, epochs: int
) -> np.ndarray:
    """P Q' by our own half-steps, penalised by the number of ratings as Spark does it."""
    sides = [
        (Groups.of(own, n), other)
        for own, n, other in (
            (ratings.user_index, ratings.n_users, ratings.item_index),
            (ratings.item_index, ratings.n_items, ratings.user_index),
        )
    ]
    rng = np.random.default_rng(1)
    weights = [
        np.zeros((ratings.n_users, f), np.float32),
        rng.normal(0, 0.1, (ratings.n_items, f)).astype(np.float32),
    ]
    weights[1][ratings.by_item.counts == 0] = 0
    for step in range(2 * epochs + 1):
        own, other = step % 2, 1 - step % 2
        groups, index = sides[own]
        fixed = weights[other]
        gram = (
            np.float32(alpha) * (fixed.T @ fixed) if alpha else np.zeros((0, 0), dtype=np.float32)
        )
        penalty = np.maximum(ridge * groups.counts, 1e-9).astype(np.float32)
        solve_rows(
            *(groups.indptr, index[groups.indices], target[groups.indices].astype(np.float32)),
            *(fixed, gram, penalty, weights[own], 3 * f, 1e-12),
        )
    return weights[0] @ weights[1].T


def product(model: Any, ratings: Ratings, f: int) -> np.ndarray:
    users = als.factors_of(model.userFactors, ratings.n_users, f)
    return users @ als.factors_of(model.itemFactors, ratings.n_items, f).T


def residual_target(data: index.Indexed, ratings: Ratings) -> tuple[Any, np.ndarray]:
    """What Spark's ALS learns in the explicit case, there and here."""
    rest, _ = als.without_biases(data.frame, ratings.global_mean, ratings.n_items)
    baseline = BiasModel().fit(ratings)
    here = ratings.rating - baseline._predict(ratings.user_index, ratings.item_index)
    return rest.selectExpr("user_index", "item_index", "float(residual) as target"), here


def test_ids_rows_and_biases_are_those_of_one_machine(
    big: tuple[Ratings, index.Indexed],
) -> None:
    ratings, data = big
    assert data.users.ids.equals(ratings.users.ids)
    assert data.items.ids.equals(ratings.items.ids)
    assert (data.n, data.scale) == (len(ratings), ratings.scale)
    key = ["user_id", "item_id"]
    assert data.collect().to_frame().sort(key).equals(ratings.to_frame().sort(key))
    _, here = residual_target(data, ratings)
    rest, b_i = als.without_biases(data.frame, ratings.global_mean, ratings.n_items)
    np.testing.assert_allclose(b_i, BiasModel().fit(ratings).item_bias, atol=1e-6)
    there = index.to_polars(rest).sort("user_index", "item_index")["residual"]
    order = np.lexsort((ratings.item_index, ratings.user_index))
    np.testing.assert_allclose(there, here[order], atol=1e-5)


def test_explicit_factors_agree_with_ours_also_when_an_executor_is_killed(
    spark: Any, big: tuple[Ratings, index.Indexed]
) -> None:
    ratings, data = big
    model = ALS(**CONVERGED)
    target, here = residual_target(data, ratings)
    fits = []
    for kill in (False, True):
        killer = threading.Thread(target=kill_an_executor, args=(spark,))
        if kill:
            killer.start()
        fits.append(product(als.spark_als(model, target, model.reg, 0, data.n), ratings, 6))
        if kill:
            killer.join()
    ours = alternate(ratings, here, 6, model.reg, 0.0, 20)
    assert ours.std() > 0.1
    np.testing.assert_allclose(fits[0], ours, atol=1e-3)
    np.testing.assert_allclose(fits[1], fits[0], atol=1e-3)


def kill_an_executor(spark: Any) -> None:
    """Kill -9 one executor of this cluster once the fit is under way."""
    tracker, seen = spark.sparkContext.statusTracker(), set()
    end = time.monotonic() + 60
    while len(seen) < 12 and time.monotonic() < end:
        seen |= set(tracker.getActiveStageIds())
        time.sleep(0.02)
    os.kill(executors(spark.sparkContext.applicationId)[0], signal.SIGKILL)


def executors(application: str) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if application.encode() in words and any(b"ExecutorBackend" in word for word in words):
            found.append(int(process.name))
    assert found, "no executor process"
    return found


def test_implicit_factors_agree_with_ours(spark: Any, big: tuple[Ratings, index.Indexed]) -> None:
    ratings, data = big
    liked = ratings.take(ratings.rating >= 4)
    model = ALS("implicit", n_factors=6, n_epochs=10, alpha=0.2)
    target = data.frame.where("rating >= 4").selectExpr(
        "user_index", "item_index", "float(1) as target"
    )
    reg = 0.4
    there = product(als.spark_als(model, target, 1.2 * reg / 0.2, 0, len(liked)), ratings, 6)
    ours = alternate(liked, np.ones(len(liked)), 6, reg, 0.2, 20)
    assert ours.std() > 0.05
    np.testing.assert_allclose(there / 1.2, ours, atol=1e-3)


@pytest.mark.parametrize("feedback", ["explicit", "implicit"])
def test_scores_and_saved_models_are_those_of_one_machine(
    spark: Any, tmp_path: Path, ratings: Ratings, feedback: str
) -> None:
    path = tmp_path / "ratings.csv"
    ratings.to_frame().write_csv(path)
    data = index.index_table(spark, reading.read_table(spark, str(path), {}))
    model = ALS(feedback, n_factors=4, n_epochs=5)
    train, test = scoring.split(data.frame, 0.2, seed=0)
    fitted = als.fit(model, data, train, seed=0)
    scores = dict(scoring.score(model, data, fitted, train, test).rows())
    parts = [replace(data, frame=part) for part in (train, test)]
    there = artifact.assemble(model, parts[0], fitted, {"test_rmse": 1.0}, seed=0)
    assert len(there.ratings_) + len(parts[1].collect()) == len(ratings)
    if feedback == "explicit":
        ours = evaluate(there, parts[1].collect()).overall.row(0, named=True)
        baseline = evaluate(BiasModel().fit(there.ratings_), parts[1].collect()).overall["rmse"][0]
        assert scores["rmse"] < baseline
    else:
        ours = dict(evaluate_ranking(there, parts[1].collect(), 10)["metric", "value"].rows())
        assert scores["users"] == ours["users"]
    shared = scores.keys() & ours.keys() - {"users"}
    assert len(shared) >= 3
    for name in shared:
        assert scores[name] == pytest.approx(ours[name], abs=1e-6), name

    loaded = load_model(there.save(tmp_path / "model"))
    assert type(loaded) is ALS
    user = loaded.ratings_.users.ids[5]
    person = loaded.fold_in(dict(loaded.ratings_.rated_items(user)["item_id", "rating"].rows()))
    np.testing.assert_allclose(person.description, loaded.factors.user_weights[5], atol=2e-4)
    assert loaded.similar_items(1, k=3).height == 3
    assert loaded.update(loaded.ratings_, progress=False).ratings_.n_users == ratings.n_users

    for how in ({}, {"exclude_seen": False, "where": "year >= 1990"}):
        if "where" in how:  # the table of items comes from elsewhere
            there.ratings_ = replace(there.ratings_, items=ratings.items)
        out = tmp_path / "recommend.parquet"
        n = recommend.recommend_all(spark, there, str(out), 7, **how)
        expected = recommend_all(there, 7, **how)
        assert n == len(expected)
        found = pl.read_parquet(out).sort("user_id", "rank")
        assert found.equals(expected.cast(found.schema))


def test_what_is_read_is_what_one_machine_reads(spark: Any, tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "reader": ["007", "7", "ann", "ann", "é" * 300],
            "book": [2**53 + 1, 5, 5, 5, 7],
            "stars": [4.5, 2.0, 1.0, 3.0, 5.0],
            "when": [5, 6, 9, 8, 7],
        }
    )
    frame.write_csv(tmp_path / "plain.tsv", separator="\t")
    frame.write_parquet(tmp_path / "plain.parquet")
    for name in ("plain.tsv", "plain.parquet"):
        for duplicates in ("last", "first", "mean"):
            how = {"user": "reader", "duplicates": duplicates}
            here = read_ratings(tmp_path / name, **how)
            read = reading.read_table(spark, str(tmp_path / name), how)
            there = index.index_table(spark, read).collect()
            assert there.users.ids.equals(here.users.ids)
            assert there.items.ids.equals(here.items.ids)
            key = ["user_id", "item_id"]
            assert there.to_frame().sort(key).equals(here.to_frame().sort(key)), (name, how)
    how = {"user": "reader"}
    with pytest.raises(DataError, match="1 ratings of a pair already rated"):
        reading.read_table(spark, str(tmp_path / "plain.tsv"), how | {"duplicates": "error"})


def test_a_bad_row_is_named_or_skipped_and_counted(spark: Any, tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    path.write_text("userId,movieId,rating\n1,10,4\n2,10,good\n3,,5\n1,20,nan\n2,20,3\n")
    with pytest.raises(DataError, match=r"ratings\.csv; expected a user.*3 rows without, e\.g\."):
        reading.read_table(spark, str(path), {})
    read = reading.read_table(spark, str(path), {"on_bad_row": "skip"})
    assert read.notes[-1].startswith("3 rows without")
    assert sorted(tuple(row) for row in read.frame.collect()) == [(1, 10, 4.0), (2, 20, 3.0)]
    with pytest.raises(DataError, match="no such file"):
        reading.read_table(spark, str(tmp_path / "none.csv"), {})


def test_bad_rows_say_nothing_of_the_good_ones(spark: Any, tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    lines = ("userId,movieId,rating,timestamp", "1,10,4,5", "x,10,good,", "2,20,3,7")
    path.write_text("\n".join(lines))
    read = reading.read_table(spark, str(path), {"on_bad_row": "skip"})
    assert dict(read.frame.dtypes)["user_id"] == "bigint"
    rows = read.frame.select("user_id", "timestamp").collect()
    assert sorted(tuple(row) for row in rows) == [(1, 5), (2, 7)]


def test_what_the_driver_cannot_hold_is_refused_before_the_work(
    big: tuple[Ratings, index.Indexed],
) -> None:
    many = replace(big[1], n=10**9)
    with pytest.raises(DataError, match=r"18\.6 GiB.*spark\.driver\.maxResultSize=19g"):
        index.refuse_what_the_driver_cannot_hold(many, 65)


def test_what_spark_throws_is_one_error_that_says_why(spark: Any) -> None:
    with pytest.raises(SparkError, match=r"^Apache Spark; received .*no such luck"):
        fail_on(spark)
    assert spark.range(3).count() == 3


def fail_on(running: Any) -> None:
    with spark_session(Cluster()) as same:
        assert same.sparkContext is running.sparkContext
        same.sql("select raise_error('no such luck')").collect()
