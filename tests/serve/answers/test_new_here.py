"""Items that nobody has rated, in a row of their own."""

import numpy as np

from tastemap.serve.answers.new_here import best_new, intervals, is_new
from tastemap.serve.model.catalogue import NO_FILTERS, Filters
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.service import Service


def test_what_nobody_has_rated_has_a_row_of_its_own(new_items: Service) -> None:
    mine = {"2": 5.0, "4": 5.0, "1": 1.0}  # drama and no comedy
    rows = {row.key: row for row in new_items.rows(mine, 6)}
    assert list(rows)[-1] == "new-here"
    assert [item.item_id for item in rows["new-here"].items] == [902, 901]
    assert {item.basis for item in rows["new-here"].items} == {"facts"}
    best, worst = rows["new-here"].items
    assert best.predicted_rating > worst.predicted_rating
    assert best.interval[0] <= best.predicted_rating <= best.interval[1]
    of_others = [item for key in ("top-picks", "popular") for item in rows[key].items]
    assert {(item.basis, item.interval) for item in of_others} == {("ratings", None)}
    # The newest come first for somebody of whom nothing is known; what is rated has left.
    newest = {row.key: row.items for row in new_items.rows({}, 6)}["new-here"]
    assert [(item.item_id, item.interval) for item in newest] == [(902, None), (901, None)]
    keys = [row.key for row in new_items.rows({"901": 5.0, "902": 1.0}, 6)]
    assert "new-here" not in keys
    comedies = {row.key: row.items for row in new_items.rows(mine, 6, Filters("comedy"))}
    assert [item.item_id for item in comedies["new-here"]] == [901]


def test_new_is_what_has_facts_and_no_rating(new_items: Service, service: Service) -> None:
    assert np.flatnonzero(is_new(new_items.model)).tolist() == [80, 81]
    assert not is_new(service.model).any()
    model = LoadedModel(service.model.model, {}, "without distributions")
    user = model.user_at(0)
    assert intervals(model, user, np.array([1, 2])) is None
    assert not len(best_new(model, user, model.scores(user), 5, NO_FILTERS))
