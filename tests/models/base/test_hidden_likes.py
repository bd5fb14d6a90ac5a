"""Hidden likes: a fifth, counted in lists of ten that leave out what was learnt from."""

import numpy as np
import polars as pl

from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.models.base.hidden_likes import HiddenLikes


def table(users: list[int], items: list[int]) -> Interactions:
    return Interactions.from_frame(pl.DataFrame({"user_id": users, "item_id": items}))


def test_a_fifth_is_hidden_and_no_like_is_lost(ratings: Ratings) -> None:
    likes = ratings.likes()
    trial = HiddenLikes.of(likes, 0)
    assert trial is not None
    assert 0.15 < len(trial.hidden) / len(likes) < 0.25
    pairs = [*trial.train.to_frame().rows(), *trial.hidden.to_frame().rows()]
    assert sorted(pairs) == sorted(likes.to_frame().rows())
    assert {*trial.users} == {*trial.hidden.user_index}


def test_one_like_cannot_be_hidden_and_learnt() -> None:
    assert HiddenLikes.of(table([1], [1]), 0) is None


def test_a_hit_is_a_hidden_like_among_the_first_ten() -> None:
    """Of twelve items two are learnt from; of the other ten all are in the list, the worst too."""
    every = table([1] * 12 + [2] * 12, [*range(12)] * 2)
    train, hidden = every.take(np.array([0, 1, 12])), every.take(np.array([2, 11, 13, 23]))
    trial = HiddenLikes(train, hidden, np.array([1, 0]))
    scores = np.tile(np.arange(12, 0, -1.0), (2, 1))
    # User 1: items 2 to 11 are ten. User 2: 1 to 11 are eleven, and the last of them is left out.
    assert trial.hits(scores) == 3
