"""Where an item stands: among all, and on a person's list."""

from copy import copy

import numpy as np
from small_models import NEW_ITEMS

from tastemap.serve.answers.standing import standing
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.service import Service


def test_a_place_is_that_on_the_list_of_recommendations(clicks: Service) -> None:
    mine = {"2": 1.0, "4": 1.0, "5": -1.0}
    picks = clicks.recommend(mine, 77).items
    for place in (1, 5, 40):
        stands = clicks.standing(mine, str(picks[place - 1].item_id))
        assert (stands.place, stands.n_listed, stands.n_items) == (place, 77, 80)


def test_who_has_said_nothing_has_no_list_and_what_is_marked_is_on_none(clicks: Service) -> None:
    assert clicks.standing({}, "7").place is None
    assert clicks.standing({"2": 1.0}, "2").place is None
    assert clicks.standing({"2": 1.0, "5": -1.0}, "5").place is None


def test_what_nobody_has_taken_up_stands_where_it_would_on_the_list(clicks: Service) -> None:
    larger = copy(clicks.model.model).add_items(NEW_ITEMS)
    model = LoadedModel(larger, clicks.model.manifest, "larger")
    likes = np.array([1.0, 1.0], dtype=np.float32)
    user = model.fold_in(np.array([1, 3], dtype=np.int32), likes)
    scores = model.scores(user)[:80]
    scores[[1, 3]] = -np.inf
    by_facts, nothing = standing(model, user, 81), standing(model, user, 82)
    assert by_facts.place == 1 + int((scores > model.scores(user)[81]).sum())
    assert (by_facts.n_listed, nothing.place) == (78, None)


def test_the_most_popular_item_is_number_one(clicks: Service) -> None:
    counts = clicks.model.catalogue.popularity
    best = clicks.model.catalogue[int(counts.argmax())].item_id
    assert clicks.standing({}, str(best)).popularity == 1
    assert clicks.standing({}, "1").popularity == 1 + int((counts > counts[0]).sum())
