import numpy as np
import pytest

from tastemap.data.ratings import Ratings
from tastemap.models.base.item_based import at_items
from tastemap.models.knn import ItemKNN


def test_the_unknown_item_gets_a_value_of_its_own() -> None:
    values = np.array([0.5, 0.25])
    assert at_items(values, np.array([1, -1, 0]), unknown=-2.0).tolist() == [0.25, -2.0, 0.5]


def test_pairs_in_any_order_have_the_scores_of_their_users(ratings: Ratings) -> None:
    model = ItemKNN().fit(ratings, progress=False)
    users, items = np.array([7, 2, 7], np.int32), np.array([4, 5, 6], np.int32)
    scores = [model.score_rows(model.user_at(int(u)))[i] for u, i in zip(users, items, strict=True)]
    assert model.predict_rows(users, items) == pytest.approx(scores, abs=1e-6)
