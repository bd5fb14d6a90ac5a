"""The bias model against its slow twin and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference
from tastemap.data.datasets.synthetic import synthetic_ratings
from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError
from tastemap.models.bias import BiasModel


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), damping=st.sampled_from([0.0, 1.0, 5.0, 25.0]))
def test_equals_its_slow_twin(seed: int, damping: float) -> None:
    data = synthetic_ratings(n_users=12, n_items=9, n_ratings=60, seed=seed)
    mu, b_u, b_i = reference.bias_by_loops(data, damping)
    model = BiasModel(item_damping=damping, user_damping=damping).fit(data)
    assert model.global_mean == pytest.approx(mu)
    np.testing.assert_allclose(model.user_bias, b_u, atol=1e-5)
    np.testing.assert_allclose(model.item_bias, b_i, atol=1e-5)


def test_by_hand(tiny: Ratings) -> None:
    model = BiasModel(item_damping=1, user_damping=1).fit(tiny)
    # mean 3; item 10: (2 + 1) / 3 = 1, item 20: (0 - 2) / 3, item 30: (-1 + 0) / 3
    np.testing.assert_allclose(model.item_bias, [1, -2 / 3, -1 / 3], atol=1e-6)
    # ann: (5 - 3 - 1 + 3 - 3 + 2/3) / 3
    assert model.user_bias[0] == pytest.approx((1 + 2 / 3) / 3, abs=1e-6)


def test_fold_in_is_the_bias_of_a_training_user(ratings: Ratings) -> None:
    model = BiasModel().fit(ratings)
    person = model.fold_in(ratings.rated_items(5))
    assert person.description[0] == pytest.approx(model.user_bias[4], abs=1e-5)


def test_negative_damping_is_refused() -> None:
    with pytest.raises(ArgumentError, match="item_damping; expected a number of at least 0"):
        BiasModel(item_damping=-1)
