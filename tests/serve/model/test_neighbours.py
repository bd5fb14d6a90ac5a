"""The items that count as similar where reasons are given."""

import numpy as np
from small_models import small_ratings

from tastemap.models.registry import make_model
from tastemap.serve.model.neighbours import MIN_NEAR, near_rows


def test_near_are_the_most_similar_of_those_that_are_rated() -> None:
    ratings = small_ratings()
    model = make_model("als", n_factors=4).fit(ratings, progress=False)
    near = near_rows(model, 3)
    assert near.tolist() == [int(i) - 1 for i in model.similar_items(4, MIN_NEAR)["item_id"]]
    unrated = ratings.take(ratings.item_index != near[0])
    assert near[0] not in near_rows(make_model("als", n_factors=4).fit(unrated, progress=False), 3)


def test_there_are_none_where_nothing_is_compared() -> None:
    bias = make_model("bias").fit(small_ratings(), progress=False)
    assert near_rows(bias, 0).dtype == np.int32
    assert not len(near_rows(bias, 0))
