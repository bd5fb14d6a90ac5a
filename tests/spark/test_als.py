"""Biases and factors on two executor processes, held against one machine."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tastemap.data.feedback import Groups
from tastemap.data.ratings import Ratings
from tastemap.kernels.als import solve_rows
from tastemap.models.als import ALS
from tastemap.models.base.confidence import Confidence
from tastemap.models.bias import BiasModel
from tastemap.spark import als, artifact, index, read

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("spark")]


CONVERGED = {"n_factors": 6, "n_epochs": 10, "reg": 0.25, "reg_exponent": 1.0}


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
            *(np.zeros(0, np.float32), fixed, gram),
            *(penalty, penalty, weights[own], 3 * f, 1e-12),
        )
    return weights[0] @ weights[1].T


def product(model: Any, ratings: Ratings, f: int) -> np.ndarray:
    users = als.factors_of(model.userFactors, ratings.n_users, f)
    return users @ als.factors_of(model.itemFactors, ratings.n_items, f).T


def residual_target(data: index.Indexed, ratings: Ratings) -> tuple[Any, np.ndarray]:
    """What Spark's ALS learns in the explicit case, there and here."""
    rest, _ = als.without_biases(data.frame, ratings.global_mean, ratings.n_items)
    baseline = BiasModel().fit(ratings)
    here = ratings.rating - baseline.predict_rows(ratings.user_index, ratings.item_index)
    return rest.selectExpr("user_index", "item_index", "float(residual) as target"), here


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


def test_implicit_factors_agree_with_ours(spark: Any, big: tuple[Ratings, index.Indexed]) -> None:
    ratings, data = big
    liked = ratings.take(ratings.rating >= 4)
    model = ALS("implicit", n_factors=6, n_epochs=10, alpha=0.2)
    target = data.frame.where("value >= 4").selectExpr(
        "user_index", "item_index", "float(1) as target"
    )
    reg = 0.4
    there = product(als.spark_als(model, target, 1.2 * reg / 0.2, 0, len(liked)), ratings, 6)
    ours = alternate(liked, np.ones(len(liked)), 6, reg, 0.2, 20)
    assert ours.std() > 0.05
    np.testing.assert_allclose(there / 1.2, ours, atol=1e-3)


def test_weights_count_in_the_last_half_step_as_in_the_fold_in(
    spark: Any, ratings: Ratings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "plays.csv"
    frame = ratings.likes().to_frame().with_columns(weight=pl.col("item_id") % 5 + 1)
    frame.select("user_id", "item_id", "weight").write_csv(path)
    data = index.index_table(spark, read.read_table(spark, str(path), {"weight": "weight"}))
    weights = frame["weight"].to_numpy()
    model = ALS("implicit", n_factors=4, n_epochs=1)
    chosen = als.chosen_confidence(model, data.frame, 0)
    assert chosen == pytest.approx(Confidence.of(chosen.form, weights))
    linear = Confidence.of("linear", weights)
    monkeypatch.setattr(als, "chosen_confidence", lambda *_: linear)
    fitted = artifact.assemble(model, data, als.fit(model, data, data.frame, 0), {}, 0)
    assert fitted.confidence_ == linear
    user = fitted.user_at(0)
    again = fitted.fold_in_rows(user.item_index, user.rating)
    np.testing.assert_allclose(user.description, again.description, atol=1e-4)
