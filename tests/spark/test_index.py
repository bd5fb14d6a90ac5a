"""Row numbers on the cluster, held against those of one machine."""

from dataclasses import replace

import numpy as np
import pytest

from tastemap.data.ratings import Ratings
from tastemap.errors import DataError
from tastemap.models.bias import BiasModel
from tastemap.spark import als, index

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("spark")]


def test_ids_rows_and_biases_are_those_of_one_machine(
    big: tuple[Ratings, index.Indexed],
) -> None:
    ratings, data = big
    assert data.users.ids.equals(ratings.users.ids)
    assert data.items.ids.equals(ratings.items.ids)
    assert (data.n, data.scale) == (len(ratings), ratings.scale)
    key = ["user_id", "item_id"]
    assert data.collect().to_frame().sort(key).equals(ratings.to_frame().sort(key))
    baseline = BiasModel().fit(ratings)
    here = ratings.rating - baseline.predict_rows(ratings.user_index, ratings.item_index)
    rest, b_i = als.without_biases(data.frame, ratings.global_mean, ratings.n_items)
    np.testing.assert_allclose(b_i, baseline.item_bias, atol=1e-6)
    there = index.to_polars(rest).sort("user_index", "item_index")["residual"]
    order = np.lexsort((ratings.item_index, ratings.user_index))
    np.testing.assert_allclose(there, here[order], atol=1e-5)


def test_what_the_driver_cannot_hold_is_refused_before_the_work(
    big: tuple[Ratings, index.Indexed],
) -> None:
    many = replace(big[1], n=10**9)
    with pytest.raises(DataError, match=r"18\.6 GiB.*spark\.driver\.maxResultSize=19g"):
        index.refuse_what_the_driver_cannot_hold(many, 65)
