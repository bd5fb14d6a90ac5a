"""Matrix factorisation: known answers, early stopping, scales, refusals."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.datasets.synthetic import synthetic_ratings
from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split, train_test_split
from tastemap.errors import ArgumentError
from tastemap.metrics.rating import rmse
from tastemap.models import matrix_factorization as factorization
from tastemap.models.base.evidence import estimated_biases
from tastemap.models.matrix_factorization import MatrixFactorization
from tastemap.models.registry import make_model


def grid(values: np.ndarray, share: float, seed: int = 0) -> Split:
    """A full matrix as ratings, split at random."""
    u, i = np.indices(values.shape).reshape(2, -1)
    frame = pl.DataFrame({"user_id": u, "item_id": i, "rating": values.ravel()})
    return train_test_split(Ratings.from_frame(frame), share, seed)


def test_a_checkerboard_is_completed() -> None:
    u, i = np.indices((40, 30))
    train, test = grid(np.where((u + i) % 2, 5.0, 1.0), 0.3)
    model = MatrixFactorization(16, 60, reg=0.01).fit(train, progress=False)
    assert rmse(test.rating, model.predict_ratings(test)) < 0.1


def test_a_matrix_of_rank_two_is_completed() -> None:
    rng = np.random.default_rng(0)
    train, test = grid(3 + rng.normal(size=(60, 2)) @ rng.normal(size=(2, 50)), 0.2)
    model = MatrixFactorization(16, 100, reg=0.005).fit(train, progress=False)
    assert rmse(test.rating, model.predict_ratings(test)) < 0.2 * test.rating.std()


def test_beats_the_biases_where_tastes_differ(split: Split) -> None:
    errors = [
        rmse(split.test.rating, m.fit(split.train, progress=False).predict_ratings(split.test))
        for m in (MatrixFactorization(), make_model("bias"))
    ]
    assert errors[0] < errors[1]


def test_learning_lowers_the_training_error(ratings: Ratings) -> None:
    history = MatrixFactorization().fit(ratings, progress=False).history_
    assert history["epoch"].to_list() == list(range(1, 21))
    assert history["train_rmse"][-1] < 0.9 * history["train_rmse"][0]


def test_the_scale_makes_no_difference(split: Split) -> None:
    frame = split.train.to_frame().with_columns(pl.col("rating") * 20 - 50)
    wide = MatrixFactorization().fit(Ratings.from_frame(frame), progress=False)
    plain = MatrixFactorization().fit(split.train, progress=False)
    ids = split.test.to_frame().head(50)
    np.testing.assert_allclose(
        wide.predict(ids["user_id"], ids["item_id"], clip=False),
        20 * plain.predict(ids["user_id"], ids["item_id"], clip=False) - 50,
        atol=0.05,
    )


def test_patience_keeps_the_best_epoch_of_the_validation(split: Split) -> None:
    inner, validation = train_test_split(split.train, 0.2, 1)
    options = {"n_epochs": 200, "reg": 0.0, "learning_rate": 0.1}
    stopped = MatrixFactorization(patience=3, **options).fit(
        inner, validation=validation, progress=False
    )
    errors = stopped.history_["validation_rmse"]
    assert len(errors) == errors.arg_min() + 1 + 3 < 200
    kept = stopped.predict_ratings(validation, clip=False)
    assert rmse(validation.rating, kept) == pytest.approx(errors.min(), rel=1e-4)


def test_patience_without_validation_learns_from_all_ratings(split: Split) -> None:
    model = MatrixFactorization(patience=2, n_epochs=100, reg=0.0).fit(split.train, progress=False)
    best = model.history_["validation_rmse"].arg_min() + 1
    assert best < len(model.history_) < 100
    assert (model.user_factors[split.train.by_user.counts > 0] != 0).any(axis=1).all()


def test_validation_without_a_known_pair_is_no_judge(ratings: Ratings) -> None:
    strangers = Ratings.from_frame(pl.DataFrame({"user_id": [9], "item_id": [999], "rating": [3]}))
    model = MatrixFactorization(patience=1).fit(ratings, validation=strangers, progress=False)
    assert model.history_.columns == ["epoch", "train_rmse"]
    assert len(model.history_) == 20


def test_no_epochs_give_the_biases_or_the_mean(split: Split) -> None:
    biases = estimated_biases(split.train)
    model = MatrixFactorization(n_epochs=0).fit(split.train, progress=False)
    np.testing.assert_allclose(model.user_bias, biases.user, atol=1e-5)
    np.testing.assert_allclose(model.item_bias, biases.item, atol=1e-5)
    # With a penalty for each rating, biases are learnt from nothing.
    model = MatrixFactorization(n_epochs=0, bias_reg=0.02).fit(split.train, progress=False)
    predicted = model.predict_ratings(split.test)
    np.testing.assert_allclose(predicted, split.train.global_mean, atol=0.02)


def test_a_damping_that_is_given_is_used(split: Split) -> None:
    norms = [
        np.linalg.norm(
            MatrixFactorization(damping=damping).fit(split.train, progress=False).user_factors
        )
        for damping in (0.0, 4.0, 100.0)
    ]
    assert norms[0] > norms[1] > 10 * norms[2]


def test_a_new_person_is_not_damped_for_what_training_damped(split: Split) -> None:
    """On a thin table trained biases vary little, but the people behind them as much as ever."""
    rng = np.random.default_rng(0)
    u = np.repeat(np.arange(2000), 2)
    i = rng.integers(0, 40, len(u))
    value = rng.normal(0, 1, 2000)[u] + rng.normal(0, 1, len(u))
    frame = pl.DataFrame({"user_id": u, "item_id": i, "rating": value})
    ratings = Ratings.from_frame(frame.unique(["user_id", "item_id"], maintain_order=True))
    model = MatrixFactorization(damping=8.0).fit(ratings, progress=False)
    person = model.fold_in_rows(np.arange(9, dtype=np.int32), np.full(9, 1.0, np.float32))
    # Nine ratings of noise variance 1 from a person of variance 1 are believed by nine tenths.
    assert 0.75 < person.description[0] < 0.97


def test_a_rate_that_diverges_is_said(ratings: Ratings) -> None:
    with pytest.raises(ArgumentError, match="learning_rate; expected one that converges"):
        MatrixFactorization(learning_rate=30.0).fit(ratings, progress=False)


@pytest.mark.parametrize(
    "options",
    [
        {"n_factors": 0},
        {"n_factors": 1.5},
        {"n_epochs": -1},
        {"reg": -1},
        {"patience": 0},
        {"learning_rate": float("nan")},
        {"bias_reg": float("inf")},
    ],
)
def test_impossible_options(options: dict[str, float]) -> None:
    with pytest.raises(ArgumentError, match=f"{next(iter(options))}; expected a"):
        MatrixFactorization(**options)


def test_with_many_factors_ratings_are_met_in_blocks_and_learnt_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ratings = synthetic_ratings(n_users=400, n_items=200, n_ratings=16_000)
    train, test = train_test_split(ratings, 0.1)
    fits = {}
    for cached in (factorization.CACHE_BYTES, 0):
        monkeypatch.setattr(factorization, "CACHE_BYTES", cached)
        monkeypatch.setattr(factorization, "BLOCK_BYTES", 50 * 4 * 16)
        order = factorization._random_order(train, 16, np.random.default_rng(0))
        assert sorted(order) == list(range(len(train)))
        model = MatrixFactorization(n_factors=16).fit(train, progress=False)
        again = MatrixFactorization(n_factors=16).fit(train, progress=False)
        np.testing.assert_array_equal(model.user_factors, again.user_factors)
        fits[cached] = (order, rmse(test.rating, model.predict_ratings(test)))
    (random, error), (blocked, blocked_error) = fits.values()
    assert blocked_error == pytest.approx(error, rel=0.02)
    # Rows of one block stand together, so that fewer users take part in a stretch of the order.
    several = [len(set(train.user_index[order[:400]])) for order in (random, blocked)]
    assert several[1] <= 50 < several[0]
