"""The choice of the best k."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemap.errors import ArgumentError
from tastemap.models.base.selection import (
    ShortAnswerWarning,
    list_length,
    novelty_bonus,
    top_k,
)


@given(
    score=st.lists(st.integers(0, 5), min_size=1, max_size=40),
    k=st.integers(1, 40),
    data=st.data(),
)
def test_top_k_is_a_stable_sort_cut_off(score: list[int], k: int, data: st.DataObject) -> None:
    allowed = np.array(data.draw(st.lists(st.booleans(), min_size=len(score), max_size=len(score))))
    k = min(k, len(score))
    by_loops = sorted((i for i in range(len(score)) if allowed[i]), key=lambda i: (-score[i], i))
    assert top_k(np.array(score, dtype=float), allowed, k).tolist() == by_loops[:k]


def test_a_list_has_ten_rows_or_what_is_allowed_and_says_where_it_is_shorter() -> None:
    allowed = np.arange(20) < 12
    assert list_length(None, allowed) == 10
    assert list_length(None, allowed[8:]) == 4
    assert list_length(12, allowed) == 12
    with pytest.warns(ShortAnswerWarning, match="only 12 of the 13 users asked for"):
        assert list_length(13, allowed, kind="user") == 13
    with pytest.raises(ArgumentError, match="items to choose from; expected at least one"):
        list_length(1, np.zeros(3, dtype=bool))


def test_novelty_favours_the_little_known_by_the_spread_of_the_predictions() -> None:
    predicted, popularity = np.array([3.0, 4.0, 5.0]), np.array([100.0, 10.0, 1.0])
    bonus = novelty_bonus(predicted, popularity, 1.0)
    assert bonus[2] > bonus[1] > bonus[0]
    assert bonus.std() == pytest.approx(predicted.std())
    np.testing.assert_allclose(novelty_bonus(predicted, popularity, -0.5), -0.5 * bonus)
    assert not novelty_bonus(predicted, popularity, 0.0).any()
