"""The first minute: what is asked, and where it stands on the map."""

from pathlib import Path

import numpy as np
import pytest
from small_models import save_small, small_ratings

from tastemap.serve.answers.first_visit import N_CANDIDATES, SIDE, backdrop, first_items
from tastemap.serve.model.reload import LiveModel
from tastemap.serve.people.profiles import page_profile
from tastemap.serve.people.store import Store
from tastemap.serve.service import Service

ANN = page_profile("ann")


def test_nine_well_known_items_from_all_over_the_map(service: Service) -> None:
    model = service.model
    rows = first_items(model, service.profiles.user(model, {}))
    assert len(set(rows.tolist())) == 9
    assert set(rows.tolist()) <= set(model.catalogue.by_popularity[:N_CANDIDATES].tolist())
    assert rows[0] == model.catalogue.by_popularity[0]
    order = np.argsort(model.map.rows)
    places = model.map.places[order]
    apart = np.linalg.norm(places[rows][:, None] - places[rows], axis=2)
    others = np.linalg.norm(places[:9][:, None] - places[:9], axis=2)
    nearest, nearest_of_nine = (np.sort(d, axis=1)[:, 1].mean() for d in (apart, others))
    assert nearest > nearest_of_nine


def test_a_place_keeps_what_is_rated_and_changes_what_is_not_seen(service: Service) -> None:
    first, sky = service.first_visit(ANN)
    ids = [str(card.item_id) for card in first]
    assert sky.you is None
    service.profiles.rate(ANN, {ids[0]: 5.0})
    service.profiles.flag(ANN, [ids[3]], "unseen")
    then, sky = service.first_visit(ANN)
    changed = [n for n, card in enumerate(then) if str(card.item_id) != ids[n]]
    assert changed == [3]
    assert then[0].your_rating == 5
    assert all(card.predicted_rating is None for card in then)
    assert [is_rated for _, _, is_rated in sky.items] == [True] + [False] * 8
    assert all(0 <= value <= SIDE for value in (*sky.you, *sky.items[0][:2]))


def test_somebody_who_has_seen_nothing_is_asked_for_less(service: Service) -> None:
    service.profiles.flag(ANN, [str(n) for n in range(1, 81)], "unseen")
    assert service.first_visit(ANN)[0] == []


@pytest.mark.parametrize("name", ["ials", "knn"])
def test_models_without_a_map_ask_too(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = small_ratings().likes() if name == "ials" else small_ratings()
    store = Store("sqlite://")
    service = Service(LiveModel(save_small(data, tmp_path / "model", name)), store)
    model = service.model
    monkeypatch.setattr(model, "map", None)
    user = service.profiles.user(model, {})
    rows = first_items(model, user)
    assert len(set(rows.tolist())) == 9
    assert backdrop(model, user, rows) is None
    store.close()
