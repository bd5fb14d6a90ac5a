"""How alike two tastes are, and how far that is known."""

from collections.abc import Mapping

import numpy as np
import pytest

from tastemap.data.ratings import Ratings
from tastemap.models.registry import make_model
from tastemap.serve.answers.alike import alike
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.model.user import ServedUser
from tastemap.serve.service import Service

COMEDY = {31: 5.0, 33: 5.0, 35: 5.0, 12: 1.0, 14: 1.0, 16: 2.0}


@pytest.fixture(scope="module")
def model(ratings: Ratings) -> LoadedModel:
    return LoadedModel(make_model("als", n_factors=4).fit(ratings, progress=False), {}, "1")


def person(model: LoadedModel, ratings: Mapping[int, float]) -> ServedUser:
    rows = model.data.items.index(list(ratings)).astype(np.int32)
    return model.fold_in(rows, np.array(list(ratings.values()), dtype=np.float32))


def test_the_same_ratings_are_the_same_taste_and_opposite_ones_are_not(model: LoadedModel) -> None:
    fan, foe = person(model, COMEDY), person(model, {i: 6 - r for i, r in COMEDY.items()})
    assert alike(model, fan, fan).share == pytest.approx(1, abs=1e-6)
    other = alike(model, fan, foe)
    assert other.share < 0.3
    assert other.low <= other.share < other.high
    card, mine, theirs = other.apart
    row = model.catalogue.rows_of.row(str(card.item_id))
    for user, predicted in ((fan, mine), (foe, theirs)):
        assert predicted == pytest.approx(model.scale.clip(model.scores(user))[row], abs=1e-4)
    largest = np.abs(model.scale.clip(model.scores(fan)) - model.scale.clip(model.scores(foe)))
    assert abs(mine - theirs) == pytest.approx(largest.max(), abs=1e-4)


def test_more_ratings_bring_the_bounds_closer_and_few_say_nothing(model: LoadedModel) -> None:
    data, widths = model.data, []
    for n in (5, 15, 40):
        people = []
        for user in data.by_user.counts.argsort()[::-1][:2].tolist():
            rows = data.by_user[user][:n]
            people.append(model.fold_in(data.item_index[rows], data.values[rows]))
        found = alike(model, *people)
        assert 0 <= found.low <= found.share <= found.high <= 1
        widths.append(max(found.high - found.share, found.share - found.low))
    assert widths == sorted(widths, reverse=True)
    assert widths[2] < widths[0]
    few = person(model, dict(list(COMEDY.items())[:4]))
    assert alike(model, person(model, COMEDY), few) is None
    assert alike(model, person(model, {}), few) is None


def test_likes_have_a_taste_too(clicks: Service) -> None:
    items = clicks.model.data.items.ids_at(np.arange(12)).to_list()
    first, second = ({str(item): 1.0 for item in part} for part in (items[:6], items[6:]))
    found = clicks.alike(first, second)
    assert found.apart is None
    assert found.low <= found.share <= found.high
