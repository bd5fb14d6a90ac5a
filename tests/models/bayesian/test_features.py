"""Features of users and items: implicit scores, and columns of the tables."""

import numpy as np
import polars as pl
import pytest
from scipy.sparse import csr_array

from tastemap.data.feedback import Groups
from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split, train_test_split
from tastemap.models.bayesian.features import (
    RELIABLE_AT,
    features_of,
    implicit_scores,
    number_of_scores,
    popularity,
    principal_axes,
    scores_of,
    side_columns,
)
from tastemap.models.bayesian.model import BayesianFactorization


def test_implicit_scores_are_those_of_the_singular_vectors(ratings: Ratings) -> None:
    groups = Groups.of(ratings.user_index, ratings.n_users)
    scores, axes, average = implicit_scores(groups, ratings.item_index, ratings.n_items, 5)
    M = np.zeros((ratings.n_users, ratings.n_items))
    M[ratings.user_index, ratings.item_index] = 1
    n = M.sum(axis=1, keepdims=True)
    M /= np.sqrt(np.maximum(n, 1))
    w = np.maximum(n - 1, 0) / (np.maximum(n - 1, 0) + RELIABLE_AT)
    _, _, right = np.linalg.svd(np.sqrt(w) * M)
    overlap = np.linalg.svd(right[:5] @ axes, compute_uv=False)
    np.testing.assert_allclose(overlap, 1, atol=0.02)
    raw = M @ axes
    np.testing.assert_allclose(average, (w * raw).sum(axis=0) / w.sum(), atol=1e-5)
    np.testing.assert_allclose(scores, average + w * (raw - average), atol=1e-5)
    np.testing.assert_allclose(scores_of(ratings.item_index[groups[3]], axes), raw[3], atol=1e-5)


def test_without_a_second_rating_the_scores_are_the_average(ratings: Ratings) -> None:
    # One user has no rating, one has one, and an item has one.
    first = np.flatnonzero(ratings.user_index == 1)[0]
    part = ratings.take((ratings.user_index > 1) | (np.arange(len(ratings)) == first))
    scores, axes, average = implicit_scores(part.by_user, part.item_index, part.n_items, 5)
    np.testing.assert_array_equal(scores[:2], [average, average])
    np.testing.assert_allclose(scores.mean(axis=0), average, atol=1e-6)
    single = part.by_item.counts == 1
    assert (axes[single] == 0).all()
    assert (axes[part.by_item.counts > 1] != 0).any(axis=1).all()


@pytest.mark.parametrize("shape", [(40, 12), (12, 40)])
def test_axes_are_right_singular_vectors(shape: tuple[int, int]) -> None:
    M = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    _, _, right = np.linalg.svd(M)
    axes = principal_axes(csr_array(M), 3)
    np.testing.assert_allclose(np.abs(right[:3] @ axes), np.eye(3), atol=0.02)
    assert principal_axes(csr_array(M), 0).shape == (shape[1], 0)


def test_where_all_have_one_rating_there_is_nothing_to_score() -> None:
    groups, other = Groups.of(np.arange(30), 30), np.arange(30, dtype=np.int32) % 7
    scores, axes, average = implicit_scores(groups, other, 7, 5)
    assert not scores.any()
    assert not axes.any()
    assert not average.any()


def test_few_ratings_bear_few_scores() -> None:
    assert number_of_scores(np.array([1, 0, 1, 1]), 100) == 4
    assert number_of_scores(np.array([1, 2]), 100) == 6
    assert number_of_scores(np.array([60, 80]), 100) == 100
    assert number_of_scores(np.array([60, 80]), 0) == 0


def test_popularity_of_an_item_without_ratings_is_that_of_the_average_rating() -> None:
    x = popularity(np.array([0, 1, 3, 7]))
    np.testing.assert_allclose(x[1:].mean(), 0, atol=1e-6)
    np.testing.assert_allclose(x[1:].std(), 1, atol=1e-6)
    assert x[0] == pytest.approx((x[1] + 3 * x[2] + 7 * x[3]) / 11)
    assert popularity(np.array([4, 4])).tolist() == [0, 0]


def test_columns_of_any_kind_become_indicators() -> None:
    table = pl.DataFrame(
        {
            "item_id": range(60),
            "title": [f"Film {n}" for n in range(60)],
            "genres": [["a", "b"] if n % 2 else ["b"] for n in range(60)],
            "year": [None, *range(1941, 2000)],
            "sex": ["F", None] + ["M"] * 58,
            "constant": ["x"] * 60,
        },
        schema_overrides={"year": pl.Int32},
    )
    found = side_columns(table)
    assert found.shape == (2 + 12 + 2, 60)
    assert set(np.unique(found)) == {0.0, 1.0}
    assert found[2:14, 0].sum() == 0
    assert (found[2:14, 1:].sum(axis=0) == 1).all()
    assert found[0].sum() == 30


def test_side_columns_may_have_nulls_or_nothing_but_nulls(split: Split) -> None:
    ids = split.train.items.frame["item_id"]
    odd = pl.int_range(pl.len()) % 2 == 1
    table = pl.DataFrame({"item_id": ids}).with_columns(
        year=pl.when(odd).then(1990),
        genres=pl.when(odd).then(pl.lit(["a", "b"], dtype=pl.List(pl.String))),
        nothing=pl.lit(None, dtype=pl.String),
        number=pl.when(odd).then(float("nan")).otherwise(pl.int_range(pl.len())),
    )
    data = Ratings.from_frame(split.train.to_frame(), item_table=table)
    model = BayesianFactorization(n_factors=2, n_iterations=10, n_draws=4)
    assert np.isfinite(model.fit(data, progress=False).predict_ratings(data)).all()


def test_what_was_seen_counts_like_what_was_rated(ratings: Ratings) -> None:
    """With half of the stars hidden, and the pairs kept, who has touched what is the same."""
    half, rest = train_test_split(ratings, 0.5)
    seen = half.with_seen(rest.likes(-np.inf)).touched
    of_all, of_both, of_half = (
        features_of(table.by_user, table.item_index, table.n_items, None, 5)
        for table in (ratings, seen, half)
    )
    np.testing.assert_allclose(of_both.columns, of_all.columns, atol=1e-4)
    np.testing.assert_array_equal(
        popularity(seen.by_item.counts), popularity(ratings.by_item.counts)
    )
    assert np.abs(of_half.columns - of_all.columns).max() > 0.01


def test_words_and_vectors_become_a_few_principal_scores() -> None:
    n = 80
    story = [" ".join(f"w{(n * k) % 61}" for k in range(1, 5)) for n in range(n)]
    table = pl.DataFrame(
        {"item_id": range(n), "story": story, "tone": [n % 2 > 0 for n in range(n)]}
    )
    columns = side_columns(table)
    assert columns.shape == (2 + 20, n)
    assert set(np.unique(columns[:2])) == {0.0, 1.0}
    assert np.linalg.norm(columns[2]) > np.linalg.norm(columns[-1]) > 0
