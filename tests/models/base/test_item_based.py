import numpy as np
import pytest
from scipy.sparse import issparse

from tastemap.data.ratings import Ratings
from tastemap.models.base.item_based import at_items
from tastemap.models.knn import ItemKNN
from tastemap.models.registry import make_model


def test_the_unknown_item_gets_a_value_of_its_own() -> None:
    values = np.array([0.5, 0.25])
    assert at_items(values, np.array([1, -1, 0]), unknown=-2.0).tolist() == [0.25, -2.0, 0.5]


def test_pairs_in_any_order_have_the_scores_of_their_users(ratings: Ratings) -> None:
    model = ItemKNN().fit(ratings, progress=False)
    users, items = np.array([7, 2, 7], np.int32), np.array([4, 5, 6], np.int32)
    scores = [model.score_rows(model.user_at(int(u)))[i] for u, i in zip(users, items, strict=True)]
    assert model.predict_rows(users, items) == pytest.approx(scores, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "options"), [("ease", {}), ("item-knn", {"n_neighbours": 9}), ("next-item", {})]
)
def test_terms_of_likes_sum_to_the_scores_of_a_new_user(
    name: str, options: dict[str, int], ratings: Ratings
) -> None:
    model = make_model(name, **options).fit(ratings.likes(), progress=False)
    liked = np.array([7, 2, 31], dtype=np.int32)  # the oldest first
    scores = model.score_rows(model.fold_in_rows(liked, np.ones(3, dtype=np.float32)))
    total = np.zeros(ratings.n_items)
    for weights, place_weights, power, _ in model.like_terms():
        W = weights.toarray() if issparse(weights) else weights
        w = np.ones(3) if place_weights is None else place_weights[[2, 1, 0]]
        total += 3**power * (w @ W[liked])
    np.testing.assert_allclose(total, scores, rtol=1e-4, atol=1e-6)
