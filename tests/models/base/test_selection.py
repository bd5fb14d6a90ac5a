"""The choice of the best k."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemap.errors import ArgumentError
from tastemap.models.base.selection import ShortAnswerWarning, novelty_bonus, top_k


@given(
    score=st.lists(st.integers(0, 5), min_size=1, max_size=40),
    k=st.integers(1, 40),
    data=st.data(),
)
def test_top_k_is_a_stable_sort_cut_off(score: list[int], k: int, data: st.DataObject) -> None:
    allowed = np.array(data.draw(st.lists(st.booleans(), min_size=len(score), max_size=len(score))))
    k = min(k, len(score))
    by_loops = sorted((i for i in range(len(score)) if allowed[i]), key=lambda i: (-score[i], i))
    if not by_loops:
        with pytest.raises(ArgumentError, match="none"):
            top_k(np.array(score, dtype=float), allowed, k)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ShortAnswerWarning)
        assert top_k(np.array(score, dtype=float), allowed, k).tolist() == by_loops[:k]


def test_novelty_favours_the_little_known_by_the_spread_of_the_predictions() -> None:
    predicted, popularity = np.array([3.0, 4.0, 5.0]), np.array([100.0, 10.0, 1.0])
    bonus = novelty_bonus(predicted, popularity, 1.0)
    assert bonus[2] > bonus[1] > bonus[0]
    assert bonus.std() == pytest.approx(predicted.std())
    np.testing.assert_allclose(novelty_bonus(predicted, popularity, -0.5), -0.5 * bonus)
    assert not novelty_bonus(predicted, popularity, 0.0).any()
