"""Whom a call is about; what is refused in the shell: tests/cli/test_recommend.py."""

import numpy as np
import pytest

from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError
from tastemap.jobs.users import arguments_of_user, user_of
from tastemap.models.bias import BiasModel
from tastemap.models.registry import make_model


def test_words_become_ids_and_a_user(ratings: Ratings) -> None:
    model = BiasModel().fit(ratings)
    arguments, notes = arguments_of_user(model, None, {"3": 5.0}, seen=["2"])
    assert (arguments, notes) == ({"ratings": {3: 5.0}, "seen": [2]}, [])
    user = user_of(model, arguments)
    assert (ratings.items.ids_at(user.item_index)[0], user.rating.tolist()) == (3, [5.0])
    assert arguments_of_user(model, "5")[0] == {"user_id": "5"}
    assert user_of(model, {"user_id": "5"}).user_index == ratings.users.index_of(5)
    after, _ = arguments_of_user(model, None, after=["2", "3"])
    assert np.array_equal(user_of(model, after).rating, [5.0, 5.0])


def test_who_names_nobody_is_shown_how(ratings: Ratings) -> None:
    with pytest.raises(ArgumentError, match=r"name user 1, say, or give --rate '.* \(19\d\d\)=5'"):
        arguments_of_user(BiasModel().fit(ratings), None)
    likes = make_model("item-knn").fit(ratings.likes(), progress=False)
    with pytest.raises(ArgumentError, match="user_id, --like; .* or give --like 'Comedy"):
        arguments_of_user(likes, None)
