"""Features of users and items: implicit scores, and columns of the tables."""

import numpy as np
import polars as pl

from tastemap.data.ratings import Groups, Ratings
from tastemap.data.splits import Split
from tastemap.models.bayesian.features import implicit_scores, scores_of, side_columns
from tastemap.models.bayesian.model import BayesianFactorization


def test_implicit_scores_are_those_of_the_singular_vectors(ratings: Ratings) -> None:
    groups = Groups.of(ratings.user_index, ratings.n_users)
    scores, axes = implicit_scores(groups, ratings.item_index, ratings.n_items, 5)
    M = np.zeros((ratings.n_users, ratings.n_items))
    M[ratings.user_index, ratings.item_index] = 1
    M /= np.sqrt(np.maximum(M.sum(axis=1, keepdims=True), 1))
    values = np.linalg.svd(M, compute_uv=False)[:5]
    np.testing.assert_allclose(np.linalg.norm(scores, axis=0), values, rtol=0.02)
    np.testing.assert_allclose(scores, M @ axes, atol=1e-5)
    np.testing.assert_allclose(scores_of(ratings.item_index[groups[3]], axes), scores[3], atol=1e-5)


def test_without_a_rating_the_scores_are_the_average(ratings: Ratings) -> None:
    part = ratings.take(ratings.user_index > 1)
    scores, _ = implicit_scores(part.by_user, part.item_index, part.n_items, 5)
    assert np.allclose(scores[:2], scores[2:].mean(axis=0), atol=1e-6)


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
