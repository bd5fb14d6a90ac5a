"""Neighbours of likes: similarities by hand, sums of them, counts, and what is kept."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError
from tastemap.models import implicit_knn
from tastemap.models.implicit_knn import WEIGHTINGS, ImplicitKNN

# Users by items; item 3 is liked by nobody with another item.
PLAYS = np.array([[1.0, 1, 0, 0], [1, 4, 1, 0], [1, 0, 0, 0], [0, 1, 9, 0], [0, 0, 0, 2]])


def table(plays: np.ndarray = PLAYS) -> Interactions:
    u, i = np.nonzero(plays)
    return Interactions.from_frame(
        pl.DataFrame({"user_id": u, "item_id": i, "weight": plays[u, i]})
    )


def square(model: ImplicitKNN) -> np.ndarray:
    """s_ij (n_items, n_items), in the order of the ids, 0 where j is no neighbour of i."""
    full = np.zeros((len(model.length),) * 2)
    np.put_along_axis(full, model.neighbours, model.neighbour_similarity, axis=1)
    order = np.argsort(model.fitted_data.items.ids.to_numpy())
    return full[np.ix_(order, order)]


def weighted(weighting: str) -> np.ndarray:
    """x_ui of the plays, cell by cell."""
    X = np.zeros(PLAYS.shape)
    totals = PLAYS.sum(axis=0)
    for u, i in zip(*np.nonzero(PLAYS), strict=True):
        w, n_u = PLAYS[u, i], np.count_nonzero(PLAYS[u])
        g = np.log(1 + (4 - n_u + 0.5) / (n_u + 0.5))
        relative = 0.25 + 0.75 * totals[i] / totals.mean()
        X[u, i] = {
            "cosine": w,
            "tf-idf": np.sqrt(w) * g,
            "bm25": w * 2.2 / (w + 1.2 * relative) * g,
        }[weighting]
    return X


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_similarities_by_hand(weighting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(implicit_knn, "MAX_BLOCK", 8)  # two items at once
    X = weighted(weighting)
    expected, lengths = X.T @ X, np.linalg.norm(X, axis=0)
    if weighting != "bm25":
        expected /= np.outer(lengths, lengths) + 3 * (X[X > 0] ** 2).mean()
    np.fill_diagonal(expected, 0)
    model = ImplicitKNN(weighting, shrinkage=3).fit(table(), progress=False)
    np.testing.assert_allclose(square(model), expected, rtol=1e-5)
    similar = model.similar_items(1)
    cosines = expected[1] / (lengths[1] * lengths) if weighting == "bm25" else expected[1]
    assert similar["similarity"].to_list() == pytest.approx(cosines[similar["item_id"].to_list()])


def test_a_score_is_the_sum_over_the_likes_of_which_it_is_a_neighbour() -> None:
    model = ImplicitKNN("cosine", n_neighbours=1, shrinkage=0).fit(table(), progress=False)
    # Item 0 is nearest to 1 (5 / sqrt(3 * 18)), and 1 to 0; 2 is nearest to 1 (13 / sqrt(82 * 18)).
    nearest = square(model)
    assert np.count_nonzero(nearest, axis=1).tolist() == [1, 1, 1, 0]
    assert nearest[0, 1] == pytest.approx(5 / np.sqrt(3 * 18))
    score = model.score_rows(model.fold_in([0, 2]))[model.fitted_data.items.index_of(1)]
    assert score == pytest.approx(nearest[0, 1] + nearest[2, 1])
    assert set(model.recommend(ratings=[3], k=3)["score"]) == {0.0}


def test_few_likes_are_little_evidence() -> None:
    """Items 0 and 1 have all of twenty users in common, items 2 and 3 their only one."""
    plays = np.zeros((21, 4))
    plays[:20, :2] = plays[20, 2:] = 1
    s = square(ImplicitKNN("cosine", shrinkage=20).fit(table(plays), progress=False))
    assert s[0, 1] == pytest.approx(0.5)
    assert s[2, 3] == pytest.approx(1 / 21)


def test_what_is_saved_is_checked(ratings: Ratings) -> None:
    model = ImplicitKNN(n_neighbours=5).fit(ratings, progress=False)
    for wrong in (-1.0, 0.5, 1e6):
        arrays = model._arrays()
        arrays["neighbours"][0, 0] = wrong
        with pytest.raises(ValueError, match="no item"):
            model._restore(arrays)


@pytest.mark.parametrize(
    ("name", "value"), [("weighting", "jaccard"), ("n_neighbours", 0), ("shrinkage", -1)]
)
def test_impossible_options(name: str, value: object) -> None:
    with pytest.raises(ArgumentError, match=name):
        ImplicitKNN(**{name: value})
