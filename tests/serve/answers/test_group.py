"""Picks for several people."""

from pathlib import Path

import numpy as np
import pytest
from small_models import small_ratings

from tastemap.errors import ArgumentError
from tastemap.models.base.orders import CAUTION
from tastemap.models.registry import load_model, make_model
from tastemap.serve.answers import group
from tastemap.serve.model.reload import LiveModel
from tastemap.serve.people.store import Store
from tastemap.serve.service import Service


def test_a_group_is_served_by_its_least_happy_member(service: Service) -> None:
    members = {"ann": {"2": 5.0, "1": 1.0}, "ben": {"1": 5.0, "4": 1.0}}
    for method, join in (("least_misery", min), ("average", np.mean)):
        picks = service.group(members, method=method, k=5).picks
        scores = [pick.item.score for pick in picks]
        assert scores == sorted(scores, reverse=True)
        for pick in picks:
            assert pick.item.score < join(pick.predictions), "by what is certain"
            assert pick.item.item_id not in {1, 2, 4}
            assert "ann" in pick.reason or "ben" in pick.reason
    with pytest.raises(ArgumentError, match="method"):
        service.group(members, method="most")
    with pytest.raises(ArgumentError, match="at least one"):
        service.group({})


@pytest.mark.parametrize("name", ["als", "bayes"])
def test_the_order_is_cautious_and_what_is_shown_is_expected(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"bayes": {"n_iterations": 8, "n_draws": 4}}.get(name, {})
    model = make_model(name, **options).fit(small_ratings(), progress=False)
    folder = model.save(tmp_path / "model")
    monkeypatch.setattr(group, "MIN_SHORTLIST", 30)
    store, model = Store("sqlite://"), load_model(folder)
    service = Service(LiveModel(folder), store)
    members = {"ann": {"2": 5.0, "1": 1.0}, "ben": {"1": 5.0, "4": 1.0}}
    rows = np.arange(model.fitted_data.n_items, dtype=np.int32)
    users = [model.fold_in({int(i): r for i, r in rated.items()}) for rated in members.values()]
    expected = np.stack([model.score_rows(user) for user in users])
    errors = np.stack([model._standard_errors(user, rows) for user in users])
    sure = (expected - CAUTION * errors).min(axis=0)
    sure[np.isin(model.fitted_data.items.ids.to_numpy(), [1, 2, 4])] = -np.inf
    picks = service.group(members, method="least_misery", k=6).picks
    best = np.argsort(-sure, kind="stable")[:6]
    ids = model.fitted_data.items.ids_at(best.astype(np.int32)).to_list()
    assert [pick.item.item_id for pick in picks] == ids
    shown = model.fitted_ratings.scale.clip(expected[:, best]).T
    np.testing.assert_allclose([pick.predictions for pick in picks], shown, atol=1e-5)
    store.close()


def test_without_ratings_the_shares_of_items_that_suit_less_are_compared(clicks: Service) -> None:
    members = {"ann": {"2": 1.0, "4": 1.0}, "ben": {"1": 1.0}, "new": {}}
    for method, join in (("least_misery", min), ("average", np.mean)):
        picks = clicks.group(members, method=method, k=5).picks
        assert len(picks) == 5
        for pick in picks:
            assert pick.item.score == pytest.approx(join(pick.predictions), rel=1e-6)
            assert pick.item.item_id not in {1, 2, 4}
            assert "% of all" in pick.reason
    (alone,) = clicks.group({"ann": members["ann"]}, k=1).picks
    assert alone.predictions[0] > 0.9
    assert alone.reason.startswith("suits ann better than 9")
