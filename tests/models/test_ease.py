"""EASE: the closed form, the orientation of the weights, explanations, similarity."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file, save_file

from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError, DataError, NotFittedError
from tastemap.models.base import item_based as item_models
from tastemap.models.ease import EASE, inverse
from tastemap.models.registry import load_model
from tastemap.support import memory


def liked_matrix(ratings: Ratings, threshold: float) -> np.ndarray:
    X = np.zeros((ratings.n_users, ratings.n_items))
    likes = ratings.rating >= threshold
    X[ratings.user_index[likes], ratings.item_index[likes]] = 1
    return X


@pytest.fixture(scope="module")
def model(ratings: Ratings) -> EASE:
    return EASE(reg=20.0, dropout=0.0, user_power=0.0, zero_diagonal=True).fit(
        ratings, progress=False
    )


def test_the_weights_minimise_the_objective(model: EASE, ratings: Ratings) -> None:
    """Column j is the ridge regression of item j's likes on all other items'."""
    X = liked_matrix(ratings, 4)
    for j in (0, 7, 79):
        others = np.delete(np.arange(80), j)
        A = X[:, others].T @ X[:, others] + 20 * np.eye(79)
        expected = np.linalg.solve(A, X[:, others].T @ X[:, j])
        np.testing.assert_allclose(model.item_weights[others, j], expected, atol=1e-5)
        assert model.item_weights[j, j] == 0


@pytest.mark.parametrize(("dropout", "user_power"), [(0.0, 0.5), (0.4, 0.0), (0.5, 1.0)])
def test_users_are_weighted_and_dropout_is_a_penalty(
    dropout: float, user_power: float, ratings: Ratings
) -> None:
    """Column j is the weighted ridge regression, with a penalty for each of the other items."""
    model = EASE(5.0, dropout, user_power, zero_diagonal=True).fit(ratings, progress=False)
    X = liked_matrix(ratings, 4)
    W = np.diag(X.sum(axis=1).clip(min=1) ** -user_power)
    for j in (0, 7, 79):
        others = np.delete(np.arange(80), j)
        G = X[:, others].T @ W @ X[:, others]
        A = G + 5 * np.eye(79) + dropout / (1 - dropout) * np.diag(G.diagonal())
        expected = np.linalg.solve(A, X[:, others].T @ W @ X[:, j])
        np.testing.assert_allclose(model.item_weights[others, j], expected, atol=1e-5)


def test_without_the_constraint_the_diagonal_is_learnt_and_left_out(ratings: Ratings) -> None:
    model = EASE(5.0, dropout=0.4, user_power=0.5).fit(ratings, progress=False)
    X = liked_matrix(ratings, 4)
    G = X.T @ np.diag(X.sum(axis=1).clip(min=1) ** -0.5) @ X
    L = 5 * np.eye(80) + 0.4 / 0.6 * np.diag(G.diagonal())
    expected = np.linalg.solve(G + L, G)
    np.testing.assert_allclose(model.shrinkage, 1 - expected.diagonal(), atol=1e-5)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(model.item_weights, expected, atol=1e-5)


def test_an_item_that_no_one_likes_has_no_weight(ratings: Ratings) -> None:
    likes = (ratings.rating >= 4) & (ratings.item_index % 7 != 3)
    model = EASE(reg=20.0, dropout=0.0, user_power=0.0, zero_diagonal=True).fit(
        ratings.take(likes | (ratings.rating < 4)), progress=False
    )
    unliked = np.arange(80) % 7 == 3
    assert not model.item_weights[unliked].any()
    assert not model.item_weights[:, unliked].any()
    whole = EASE(reg=20.0, dropout=0.0, user_power=0.0, threshold=4.5).fit(ratings, progress=False)
    few = EASE(reg=20.0, dropout=0.0, user_power=0.0, threshold=5.5).fit(ratings, progress=False)
    assert whole.item_weights.any()
    assert not few.item_weights.any()


def test_scores_are_rows_of_x_b_and_not_of_its_transpose(model: EASE, ratings: Ratings) -> None:
    X = liked_matrix(ratings, 4)
    B = model.item_weights
    assert np.abs(B - B.T).max() > 0.01
    np.testing.assert_allclose(model._score(model._user(4)), X[4] @ B, atol=1e-5)


def test_a_companion_is_recommended_to_who_lacks_it() -> None:
    """Who likes the popular item need not like the rare one, but not the other way round."""
    rows = [(u, 0) for u in range(20)] + [(u, 1) for u in range(5)] + [(20, 2), (21, 0), (22, 1)]
    frame = pl.DataFrame(rows, schema=["user_id", "item_id"], orient="row")
    model = EASE(reg=1.0).fit(Ratings.from_frame(frame.with_columns(rating=1.0)), progress=False)
    assert model.recommend(22, k=1)["item_id"].item() == 0
    towards_popular, towards_rare = model.item_weights[1, 0], model.item_weights[0, 1]
    assert towards_popular > 2 * towards_rare > 0


def test_a_new_person_gets_what_a_user_with_the_same_ratings_gets(
    model: EASE, ratings: Ratings
) -> None:
    known = model.recommend(5, k=10)
    assert model.recommend(ratings=ratings.rated_items(5), k=10).equals(known)


def test_explanations_sum_to_the_score(model: EASE) -> None:
    parts = model.explain(5, item_id=40)
    pair = model._pairs(5, 40)
    assert parts["contribution"].sum() == pytest.approx(model._predict(*pair)[0], abs=1e-6)
    assert set(parts["part"]) == {"your rating"}
    assert set(parts.filter(pl.col("rating") < 4)["contribution"]) == {0.0}


def test_similarity_is_the_partial_correlation(model: EASE, ratings: Ratings) -> None:
    X = liked_matrix(ratings, 4)
    P = np.linalg.inv(X.T @ X + 20 * np.eye(80))
    expected = -P[3] / np.sqrt(P[3, 3] * P.diagonal())
    expected[3] = 0
    free = EASE(20.0, dropout=0.0, user_power=0.0).fit(ratings, progress=False)
    for either in (model, free):
        np.testing.assert_allclose(either.similarity_rows(3), expected, atol=1e-5)
    frame = model.similar_items(4, k=5)
    assert 4 not in frame["item_id"].to_list()
    assert sum(title.startswith("Drama") for title in frame["title"]) >= 4


@pytest.mark.parametrize("n", [0, 1, 2, 63, 65, 300])
def test_the_inverse_reads_the_lower_triangle_alone(n: int) -> None:
    X = np.random.default_rng(n).normal(size=(n + 5, n))
    A = X.T @ X + 10 * np.eye(n)
    double, single = np.tril(A), np.tril(A).astype(np.float32)
    assert inverse(double) is double
    inverse(single)
    np.testing.assert_allclose(double, np.linalg.inv(A), atol=1e-10)
    np.testing.assert_allclose(single @ A, np.eye(n), atol=1e-3)
    np.testing.assert_array_equal(single, single.T)


def test_a_penalty_lost_in_rounding_is_refused() -> None:
    # Two items that the same four users like: X'X = [[4, 4], [4, 4]] has the eigenvalue 0.
    rows = {"user_id": [1, 2, 3, 4] * 2, "item_id": [1] * 4 + [2] * 4, "rating": 1.0}
    frame = pl.DataFrame(rows)
    model = EASE(reg=1e-9, dropout=0.0, user_power=0.0)
    with pytest.raises(ArgumentError, match="^reg; expected a penalty .* set reg higher"):
        model.fit(Ratings.from_frame(frame), progress=False)
    assert EASE(reg=1e-3, dropout=0.0).fit(Ratings.from_frame(frame), progress=False)


def test_too_many_items_are_refused(ratings: Ratings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_models, "MAX_ITEMS", 79)
    with pytest.raises(ArgumentError, match="at most 79 items, for EASE.*received 80; use ALS"):
        EASE().fit(ratings, progress=False)


def test_a_table_that_memory_does_not_hold_is_refused(
    ratings: Ratings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "MIN_CHECKED_BYTES", 1000)
    monkeypatch.setattr(memory, "free_memory", lambda: 4 * 80**2 - 1)
    model = EASE()
    with pytest.raises(DataError, match=r"^EASE; expected 0\.0 GiB of free memory .* 80 items"):
        model.fit(ratings, progress=False)
    with pytest.raises(NotFittedError):
        model.recommend(1)
    monkeypatch.setattr(memory, "free_memory", lambda: 4 * 80**2)
    assert model.fit(ratings, progress=False).ratings_ is ratings


def test_options_out_of_range_are_refused() -> None:
    for name, value in (("reg", 0), ("dropout", 1.0), ("dropout", -0.1), ("user_power", 1.1)):
        with pytest.raises(ArgumentError, match=f"^{name}; expected"):
            EASE(**{name: value})


def test_a_model_saved_without_shrinkage_is_that_of_2019(ratings: Ratings, tmp_path: Path) -> None:
    model = EASE(50, 0, 0, zero_diagonal=True).fit(ratings, progress=False)
    path = model.save(tmp_path / "model")
    manifest = json.loads((path / "model.json").read_text())
    del manifest["arrays"]["shrinkage"]
    del manifest["parts"]  # older versions did not write it
    manifest["parameters"] = {"reg": 50.0, "threshold": None}
    (path / "model.json").write_text(json.dumps(manifest))
    arrays = load_file(path / "arrays.safetensors")
    del arrays["shrinkage"]
    save_file(arrays, path / "arrays.safetensors")
    loaded = load_model(path)
    assert loaded.recommend(3).equals(model.recommend(3))
    assert loaded.similar_items(1).equals(model.similar_items(1))
    assert loaded.save(tmp_path / "again").is_dir()


def test_of_interactions_sums_from_the_threshold_on_are_likes() -> None:
    """Bo's two plays of 2 are one like; ann's dislike, and her one play of 3, are none."""
    rows = [("ann", 1, 2), ("ann", 2, -1), ("ann", 3, 1), ("bo", 1, 3), ("bo", 2, 1), ("bo", 2, 1)]
    table = pl.DataFrame(rows, schema=["user_id", "item_id", "weight"], orient="row")
    plays = Interactions.from_frame(table)
    liked = plays.take(np.array([0, 3, 4]))
    options = {"reg": 1, "zero_diagonal": True}
    model = EASE(threshold=2, **options).fit(plays)
    np.testing.assert_array_equal(model.item_weights, EASE(**options).fit(liked).item_weights)
    scores = model.score_rows(model.fold_in({1: 2, 3: 1}))
    np.testing.assert_array_equal(scores, model.item_weights[0])
