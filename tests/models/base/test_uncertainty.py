"""Standard errors of expected ratings: the equation, and how often the truth lies within them."""

from copy import copy
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tastemap.arrays import F64
from tastemap.data.ratings import Ratings
from tastemap.models.base import factors
from tastemap.models.base.uncertainty import N_STEPS, Side, Uncertainty
from tastemap.models.bias import BiasModel
from tastemap.models.registry import make_model
from uncertain import planted, spread_of_errors


@pytest.fixture(scope="module")
def data_and_means() -> tuple[Ratings, F64]:
    return planted()


def test_standard_errors_are_the_equation() -> None:
    rng = np.random.default_rng(0)
    W, times, Z = rng.normal(size=(30, 4)), rng.integers(1, 9, 30), rng.normal(size=(6, 4))
    C, S, P = (root @ root.T + np.eye(4) for root in rng.normal(size=(3, 4, 4)))
    counts, e = np.array([1, 2, 5, 50, 500, 9]), rng.normal(size=(6, 30))
    users, items = Side(W, times, P), Side(Z, counts)
    learnt = Uncertainty.of(0.7, users, items, C)
    Y, X = np.c_[np.ones(30), W[:, 1:]], np.c_[np.ones(6), Z[:, 1:]]
    M, N = ((X.T * n) @ X / n.sum() for X, n in ((Y, times), (X, counts)))
    on_users = sum(np.trace(np.linalg.solve(n * N + P, n * N)) for n in times)
    covariance, on_items = C, 0.0
    for _ in range(N_STEPS):
        noise = 0.7 / max(1 - (on_users + on_items) / counts.sum(), 0.25)
        Q = noise * np.linalg.inv(covariance)
        open_ = [np.linalg.inv(n * M + Q) for n in counts]
        on_items = sum(np.trace(n * M @ left) for n, left in zip(counts, open_, strict=True))
        covariance = C + noise * np.mean(open_, axis=0)
    assert learnt.noise == pytest.approx(noise)
    y = np.concatenate([[1.0], W[3, 1:]])
    Vt = learnt.axes
    misfits = learnt.misfits(e @ Y, items, Z.mean(axis=0))
    errors = learnt.standard_errors(X, S, W[3], counts, misfits)
    for row in range(6):
        left = np.linalg.inv(counts[row] * M + Q)
        beyond = Z[row] - Z.mean(axis=0)
        d = np.linalg.solve(Vt.T, left @ (Y.T @ e[row] - Q @ beyond))  # in the basis V
        d = Vt.T @ np.where(d * np.linalg.solve(Vt.T, beyond) < 0, d, 0.0)
        square = noise * (X[row] @ S @ X[row] + y @ left @ y) + d @ M @ d
        assert errors[row] ** 2 == pytest.approx(square)


def test_eight_of_ten_true_means_lie_within_what_caution_takes_off() -> None:
    """Items of 1 to 40 ratings with true means N(3, 0.5^2), and noise of deviation 1."""
    rng = np.random.default_rng(1)
    true, counts = rng.normal(3, 0.5, 2000), rng.integers(1, 41, 2000)
    items = np.repeat(np.arange(2000), counts)
    rating = true[items] + rng.normal(0, 1, len(items))
    table = {"user_id": np.arange(len(items)) // 4, "item_id": items, "rating": rating}
    data = Ratings.from_frame(pl.DataFrame(table))
    model = BiasModel(item_damping=4.0, user_damping=1e6).fit(data)
    rows = np.arange(2000, dtype=np.int32)
    error = np.abs(model.score_rows(model.user_at(-1)) - true[data.items.ids.to_numpy()])
    within = error < 1.2816 * model._standard_errors(model.user_at(0), rows)
    assert 0.75 < within.mean() < 0.85
    for some in (data.by_item.counts < 8, data.by_item.counts > 20):
        assert within[some].mean() > 0.72


@pytest.mark.parametrize("name", ["bias", "knn", "als", "mf"])
def test_errors_of_items_of_few_ratings_are_as_large_as_their_standard_errors(
    name: str, data_and_means: tuple[Ratings, F64]
) -> None:
    data, mean = data_and_means
    model = make_model(name).fit(data, progress=False)
    counts = data.by_item.counts
    for few in (counts == 1, counts <= 8):
        assert 0.8 < spread_of_errors(model, mean, few) < 1.25


def test_weights_that_fit_a_single_rating_closely_are_not_believed(
    data_and_means: tuple[Ratings, F64],
) -> None:
    """As a network learns: what the penalty of `mf` keeps small is put back in the biases."""
    data, mean = data_and_means
    model = make_model("mf").fit(data, progress=False)
    single = data.by_item.counts == 1
    rows = np.flatnonzero(single[data.item_index])
    items = model.factors.item_weights.copy()
    items[data.item_index[rows], 0] += model._errors(rows)
    close = copy(model)
    close.factors = replace(model.factors, item_weights=items)
    for name in ("uncertainty", "misfits"):
        vars(close).pop(name, None)
    assert 0.8 < spread_of_errors(close, mean, single) < 1.25
    few = {}
    for by in ("expected", "cautious"):
        lists = [
            close.recommend_rows(close.user_at(user), 10, by=by)[0] for user in range(0, 200, 4)
        ]
        few[by] = int(single[np.concatenate(lists)].sum())
    assert few["expected"] > 50 > 10 * few["cautious"], few
    assert close.misfits[single].mean() > 10 * model.misfits[single].mean()


def test_of_a_large_table_the_items_of_the_fewest_ratings_have_a_misfit(
    data_and_means: tuple[Ratings, F64], monkeypatch: pytest.MonkeyPatch
) -> None:
    data, _ = data_and_means
    whole = BiasModel(item_damping=0).fit(data)
    part = BiasModel(item_damping=0).fit(data)
    _ = part.uncertainty, whole.misfits
    monkeypatch.setattr(factors, "MAX_RATINGS", len(data) // 3)
    has_one = part.misfits > 0
    single = data.by_item.counts == 1
    assert has_one[single].sum() == (whole.misfits[single] > 0).sum() > 40
    assert not has_one[data.by_item.counts > 60].any()
    np.testing.assert_allclose(part.misfits[has_one], whole.misfits[has_one])
