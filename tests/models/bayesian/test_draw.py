"""One draw: rows without ratings, and half precision."""

from dataclasses import fields

import numpy as np
import pytest

from tastemap.models.bayesian.draw import (
    HALF_PRECISION,
    Draw,
    Pairs,
    WithoutRatings,
    halved,
    predictor,
)


def test_predictor_of_pairs() -> None:
    users, items = np.array([[1.0, 2.0, 3.0]]), np.array([[0.5, 0.0, 1.0], [-1.0, 2.0, 0.0]])
    found = predictor(users, items, np.array([0, 0]), np.array([0, 1]))
    assert found.tolist() == [1 + 0.5 + 3, 1 - 1 + 4]


def test_a_row_without_ratings_predicts_the_pairs_best_and_leaves_the_rest_to_noise() -> None:
    rng = np.random.default_rng(0)
    rows, others = rng.normal(size=(200, 3)), rng.normal(size=(50, 3)).astype(np.float32)
    row, other = rng.integers(0, 200, 5000), rng.integers(0, 50, 5000)
    rows[:, 1] += 0.7  # the average row is (0.2, 0.7, 0)
    rows[:, 0] += 0.2
    pairs = Pairs(row, other, predictor(rows, others.astype(float), row, other))
    side = np.zeros((200, 3))
    side[0, 0] = 5.0
    found = WithoutRatings.of(np.zeros(3), side, others, pairs, unit=2.0)
    np.testing.assert_allclose(found.rows[-1], rows.mean(axis=0), atol=0.15)
    np.testing.assert_allclose(found.rows[0] - found.rows[-1], [5, 0, 0])
    lack = pairs.f - predictor(found.rows, others.astype(float), row, other)
    assert abs(lack.mean()) < 0.01
    assert found.scale == pytest.approx(np.sqrt(1 + lack.var() / 2))
    less = WithoutRatings.of(np.zeros(3), side, others, pairs, unit=2.0, present=lack.var() / 2)
    assert less.scale == pytest.approx(np.sqrt(1 + lack.var() / 4))
    sure = WithoutRatings.of(np.zeros(3), side, others, pairs, unit=2.0, present=1e9)
    assert sure.scale == 1


def test_rows_with_ratings_stay() -> None:
    found = WithoutRatings(np.arange(6.0).reshape(3, 2), np.array(2.0, np.float32))
    rows, rated = np.full((2, 2), 9, np.float32), np.array([True, False])
    assert found.fill(rows, rated).tolist() == [[9, 9], [2, 3], [4, 5]]
    assert found.scales(np.array([0.5, 0.5], np.float32), rated).tolist() == [0.5, 2, 2]


def test_halves_are_finite() -> None:
    draw = Draw(*(np.array([1e30, 0.1], np.float32) for _ in fields(Draw)))
    half = halved(draw)
    for field in fields(Draw):
        values = getattr(half, field.name)
        assert values.dtype == (np.float16 if field.name in HALF_PRECISION else np.float32)
        assert np.isfinite(values).all()
