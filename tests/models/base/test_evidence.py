"""Penalties from the ratings: planted variances come back, chance is damped, taste is not."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.models.base import evidence
from tastemap.models.base.evidence import (
    DAMPINGS,
    DEFAULT_DAMPING,
    MAX_DAMPING,
    MIN_DAMPING,
    chosen_damping,
    damping_of,
    estimated_biases,
    held_out_parts,
    slope,
)
from tastemap.models.registry import make_model


def planted(
    n_users: int, n_items: int, n: int, *, user: float = 1.0, item: float = 1.0, noise: float = 1.0
) -> Ratings:
    """Ratings of pairs at random, from biases and noise of these standard deviations."""
    rng = np.random.default_rng(0)
    pairs = rng.permutation(n_users * n_items)[:n]
    u, i = np.divmod(pairs, n_items)
    value = rng.normal(0, user, n_users)[u] + rng.normal(0, item, n_items)[i]
    columns = {"user_id": u, "item_id": i, "rating": value + rng.normal(0, noise, n)}
    return Ratings.from_frame(pl.DataFrame(columns))


def test_planted_variances_come_back_as_dampings() -> None:
    biases = estimated_biases(planted(400, 400, 8000, user=0.5, item=1.0))
    assert biases.user_damping == pytest.approx(4, rel=0.25)
    # Of an item, the users' variance is noise too.
    assert biases.item_damping == pytest.approx(1.25, rel=0.25)


def test_biases_that_do_not_vary_are_damped_away() -> None:
    biases = estimated_biases(planted(400, 100, 8000, user=0.0))
    assert biases.user_damping > 50
    assert np.abs(biases.user).max() < 0.3 < np.abs(biases.item).max()


def test_the_biases_solve_their_least_squares() -> None:
    """The gradient by both sides is zero: users and items are solved together."""
    ratings = planted(30, 20, 400)
    mean, b_u, b_i, d_u, d_i = estimated_biases(ratings)
    u, i = ratings.user_index, ratings.item_index
    rest = ratings.rating - mean - b_u[u] - b_i[i]
    np.testing.assert_allclose(np.bincount(u, rest, 30), d_u * b_u, atol=1e-6)
    np.testing.assert_allclose(np.bincount(i, rest, 20), d_i * b_i, atol=0.1)


def test_mu_is_of_the_average_user_not_of_the_average_rating() -> None:
    """Ten users rate 100 items each and 1 lower than the hundred who rate ten items each."""
    rng = np.random.default_rng(0)
    counts = np.repeat([100, 10], [10, 100])
    u = np.repeat(np.arange(110), counts)
    i = np.concatenate([rng.permutation(100)[:n] for n in counts])
    rating = 3.0 - (u < 10) + rng.normal(0, 0.5, len(u))
    columns = {"user_id": u, "item_id": i, "rating": rating}
    ratings = Ratings.from_frame(pl.DataFrame(columns))
    assert ratings.global_mean == pytest.approx(2.5, abs=0.05)
    biases = estimated_biases(ratings)
    assert biases.mean == pytest.approx(3 - 10 / 110, abs=0.05)
    assert biases.user.sum() == pytest.approx(0, abs=1e-6)
    unknown = np.array([-1])
    als, mf = (make_model(name).fit(ratings, progress=False) for name in ("als", "mf"))
    for model in (als, mf):
        assert model.predict_rows(unknown, unknown)[0] == pytest.approx(biases.mean, abs=0.01)


def test_two_groups_by_hand() -> None:
    # Values -1, 1 and 3, 5: within 4 / (4 - 2) = 2; between 32 + 4 - 4 * 4, less 1 * 2, over 2: 7.
    totals, counts, squares = np.array([0.0, 8.0]), np.array([2, 2]), 36.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evidence, "WEIGHT_OF_DEFAULT", 1e-9)
        assert damping_of(totals, counts, squares) == pytest.approx(2 / 7, rel=1e-6)


@pytest.mark.parametrize(
    ("values", "groups", "expected"),
    [
        ([1.0, -1.0, 2.0, -2.0], [0, 1, 2, 3], DEFAULT_DAMPING),  # one value each: nothing is known
        ([0.0, 0.0, 0.0], [0, 0, 1], DEFAULT_DAMPING),  # nothing varies
        ([1.0, -1.0] * 200, [0] * 400, DEFAULT_DAMPING),  # one group
        ([1.0, 1.0, -1.0, -1.0] * 500, [n // 2 for n in range(2000)], MIN_DAMPING),  # no noise
        ([1.0, -1.0] * 1000, [n // 2 for n in range(2000)], MAX_DAMPING),  # only noise
    ],
)
def test_where_variances_are_not_known_or_one_of_them_is_0(
    values: list[float], groups: list[int], expected: float
) -> None:
    counts, totals = np.bincount(groups), np.bincount(groups, values)
    damping = damping_of(totals, counts, float(np.square(values).sum()))
    # A guess weighs as much as twenty values, so that no limit is quite reached.
    assert damping == pytest.approx(expected, rel=0.35, abs=0.2)


@pytest.mark.parametrize(
    ("share_at", "chosen"),
    [
        (lambda damping: 1.2, 0.0),  # factors that are too small need no more damping
        (lambda damping: {0.0: 0.6, 2.0: 0.9}.get(damping, 1.5), 2.0),
        (lambda damping: 0.01, DAMPINGS[-1]),  # chance
        (lambda damping: 0.3, DAMPINGS[-1]),  # worse than the biases, whatever the damping
    ],
)
def test_the_damping_with_the_least_error_is_chosen(share_at, chosen: float) -> None:
    truth = np.random.default_rng(0).normal(size=500)

    def trial(train: Ratings, held_out: Ratings, damping: float) -> tuple[np.ndarray, np.ndarray]:
        return truth, truth / share_at(damping)

    assert chosen_damping(planted(30, 20, 400), 0, trial) == chosen


def test_too_few_ratings_for_a_trial_take_the_strongest_damping() -> None:
    one = Ratings.from_frame(pl.DataFrame({"user_id": [1], "item_id": [1], "rating": [3.0]}))
    assert held_out_parts(one, 0) is None
    assert chosen_damping(one, 0, lambda *_: pytest.fail("no trial")) == DAMPINGS[-1]


def test_of_a_large_table_whole_users_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "MAX_RATINGS", 200)
    ratings = planted(30, 20, 400)
    parts = held_out_parts(ratings, 0)
    assert parts is not None
    drawn = np.concatenate([part.user_index for part in parts])
    counts = np.bincount(drawn, minlength=30)
    assert set(counts) <= {0, *ratings.by_user.counts[counts > 0]}
    assert 100 < len(drawn) < 300


def test_the_slope_of_nothing_is_0() -> None:
    assert slope(np.ones(2), np.zeros(2)) == 0
