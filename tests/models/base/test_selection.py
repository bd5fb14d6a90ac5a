"""The choice of the best k."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemap.errors import ArgumentError
from tastemap.models.base.selection import (
    ShortAnswerWarning,
    item_information,
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
    with pytest.warns(ShortAnswerWarning, match="no item is left: all are seen, excluded or"):
        assert list_length(None, np.zeros(3, dtype=bool)) == 1
    with pytest.raises(ArgumentError, match="from 1 to 3, the number of items; received 0"):
        list_length(0, np.zeros(3, dtype=bool))


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.sampled_from([1, 5, 511, 512, 513, 3000]),
    k=st.sampled_from([1, 3, 10, 40, 300]),
    levels=st.sampled_from([2, 40, 100_000]),
    share=st.sampled_from([1.0, 0.99, 0.8, 0.01]),
)
def test_top_k_of_many_scores_is_that_of_sorting(
    seed: int, n: int, k: int, levels: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    score, allowed = rng.integers(-levels, levels, n).astype(np.float32), rng.random(n) < share
    allowed[0], k = True, min(k, n)
    order = np.argsort(-score, kind="stable")
    assert top_k(score, allowed, k).tolist() == order[allowed[order]][:k].tolist()


def test_information_is_in_bits_and_rarer_items_have_more() -> None:
    # With one rating more each, the shares are 4/6 and 2/6: one bit apart.
    centred, deviation = item_information(np.array([3, 1]))
    assert centred[1] - centred[0] == pytest.approx(1)
    assert centred.sum() == pytest.approx(0)
    assert deviation == pytest.approx(0.5)


def test_novelty_favours_the_little_known_by_the_spread_of_the_predictions() -> None:
    predicted, bits = np.array([3.0, 4.0, 5.0]), np.array([0.2, 3.4, 6.5])
    information = bits - bits.mean(), bits.std()
    bonus = novelty_bonus(predicted, information, 1.0)
    assert bonus[2] > bonus[1] > bonus[0]
    assert bonus.std() == pytest.approx(predicted.std())
    np.testing.assert_allclose(novelty_bonus(predicted, information, -0.5), -0.5 * bonus)
    assert not novelty_bonus(predicted, information, 0.0).any()
