"""The ridge regression of items on their facts, and the trial that says whether it helps."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from tastemap.data.ratings import Ratings
from tastemap.models.als import ALS
from tastemap.models.base.facts import Facts
from tastemap.models.base.regression import NewItems, Regression, chosen_penalty, square

RNG = np.random.default_rng(0)
X = csr_array((RNG.random((30, 4)) < 0.5).astype(np.float32))
COUNTS = RNG.integers(1, 100, 30)
ROWS = RNG.normal(size=(30, 3))
TEACHERS = np.arange(25)


def test_it_is_the_weighted_ridge_regression_with_a_free_intercept() -> None:
    weight = COUNTS[:25] / (COUNTS[:25] + 10)
    A, penalty = X[:25].toarray().astype(np.float64), 7.0
    # The twin has the intercept as a column without a penalty.
    wide = np.column_stack([np.ones(25), A])
    ridge = np.diag([0.0, *[penalty] * 4])
    W = np.linalg.solve(wide.T @ (weight[:, None] * wide) + ridge, wide.T * weight @ ROWS[:25])
    expected = np.column_stack([np.ones(5), X[25:].toarray()]) @ W
    items = NewItems(np.arange(30, 35), X[25:], Regression(X, COUNTS, TEACHERS, [penalty]))
    np.testing.assert_allclose(items.expected(ROWS, None), expected, rtol=1e-5)
    sparse = items.expected(csr_array(ROWS), None)
    np.testing.assert_allclose(sparse, expected, rtol=1e-5)


def test_an_infinite_penalty_and_no_facts_leave_the_average() -> None:
    average = np.array([1.0, 2.0, 3.0])
    regression = Regression(X, COUNTS, TEACHERS, [np.inf, 1.0])
    without = csr_array((2, 4), dtype=np.float32)
    for facts in (X[25:27], without):
        rows = NewItems(np.arange(30, 34), facts, regression).expected(ROWS, average)
        np.testing.assert_allclose(rows[:2], np.tile(average, (2, 1)))
    np.testing.assert_allclose(rows, np.tile(average, (4, 1)))
    nothing = NewItems(np.array([30]), X[:1], None)
    assert nothing.expected(ROWS, None, 5.0).tolist() == [[5.0, 5.0, 5.0]]
    assert nothing.has_facts.tolist() == [False]


def test_new_items_get_columns_and_rows_and_other_weights_stay() -> None:
    matrix = RNG.normal(size=(30, 30)).astype(np.float32)
    np.fill_diagonal(matrix, 0)
    matrix.flags.writeable = False
    items = NewItems(np.array([30, 31]), X[:2], Regression(X, COUNTS, TEACHERS, [1.0]))
    whole = square(items, matrix, np.ones(30, dtype=np.float32))
    np.testing.assert_array_equal(whole[:30, :30], matrix)
    assert whole.shape == (32, 32)
    assert whole.diagonal().tolist() == [0.0] * 32
    itself = matrix + np.eye(30)
    np.testing.assert_allclose(whole[:30, 30:].T, items.expected(itself.T, None), rtol=1e-4)


@pytest.mark.parametrize("feedback", ["explicit", "implicit"])
def test_facts_help_where_they_say_something_and_shuffled_ones_do_not(
    feedback: str, ratings: Ratings
) -> None:
    model = ALS(feedback, n_factors=8, n_epochs=5, damping=0).fit(ratings, progress=False)
    table = ratings.items.frame
    features = Facts.of(table).encode(table)
    penalty, verdict = chosen_penalty(model, features, seed=0)
    assert penalty is not None
    assert verdict == "facts help to predict 20 hidden items: new items follow from theirs"
    for seed in range(3):
        shuffled = features[np.random.default_rng(seed).permutation(len(table))]
        penalty, verdict = chosen_penalty(model, shuffled, seed=0)
        assert penalty is None
        assert verdict.startswith("facts do not help to predict 20 hidden items: new items are av")
