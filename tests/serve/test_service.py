"""Questions to the service: where answers come from, and that they are the library's own."""

from pathlib import Path

import pytest
from small_models import save_small, small_interactions, small_ratings

from tastemap.errors import ArgumentError
from tastemap.models.registry import load_model
from tastemap.serve.model.catalogue import Filters
from tastemap.serve.model.reload import LiveModel
from tastemap.serve.people.profiles import api_profile, page_profile
from tastemap.serve.people.store import Store
from tastemap.serve.service import Service

ANN = page_profile("ann")


def test_pages_of_items_join_without_gap(service: Service) -> None:
    seen, cursor = [], None
    while True:
        page = service.items("drama", n=7, cursor=cursor)
        seen += [item.item_id for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == page.total == 40
    for wrong in ("x", "é", cursor_of_another(service)):
        with pytest.raises(ArgumentError, match="another question"):
            service.items("drama", n=7, cursor=wrong)


def cursor_of_another(service: Service) -> str:
    return service.items("comedy", n=7).next_cursor or ""


def test_filters(service: Service) -> None:
    page = service.items(filters=Filters("DRAMA", 1970, 1980, 40), n=80)
    assert page.items
    for item in page.items:
        assert "Drama" in item.genres
        assert 1970 <= item.year <= 1980
        assert item.n_ratings >= 40
    assert service.items(filters=Filters("no such genre")).total == 0
    few = service.recommend({"2": 5.0}, 80, filters=Filters("drama", 1970, 1980, 40))
    assert len(few.items) < 80
    assert "no more than" in few.note


def test_neighbours_and_interested_users(service: Service, artifact: Path) -> None:
    model = load_model(artifact)
    similar = service.similar("2", 5)
    assert [s.item.item_id for s in similar.items] == model.similar_items(2, 5)["item_id"].to_list()
    users = service.similar_users(api_profile("3"), 5)
    assert [u.user_id for u in users.users] == model.similar_users(3, 5)["user_id"].to_list()
    assert len(service.similar_users({"2": 5.0}, 5).users) == 5
    assert service.similar_users({}, 5).users == []
    interested = service.interested_users("2", 5)
    expected = model.interested_users(2, 5)["user_id"].to_list()
    assert [user.user_id for user in interested.users] == expected


def test_text_ids_of_any_character(text_artifact: Path) -> None:
    service = Service(LiveModel(text_artifact), Store("sqlite://"))
    for item in ("a/b", "nul\0", "né ☃", " ", "..\\"):
        service.profiles.rate(ANN, {item: 4.0})
        assert service.profiles.rating(ANN, item).item_id == item
        assert service.item(item).item.item_id == item
    assert service.recommend(api_profile("user/3")).source == "trained"


@pytest.mark.parametrize("name", ["popularity", "bias", "ease", "knn"])
def test_models_of_other_kinds_answer_what_they_can(name: str, tmp_path: Path) -> None:
    service = Service(
        LiveModel(save_small(small_ratings(), tmp_path / "m", name)), Store("sqlite://")
    )
    service.profiles.rate(ANN, {"2": 5.0, "1": 1.0})
    assert len(service.recommend(ANN, 5).items) == 5
    assert len(service.rows(ANN, 5)) == 5 + {"ease": 1, "knn": 2}.get(
        name, 0
    )  # by what they compare
    why = service.explain(ANN, "6")
    shown = why.prediction.predicted_rating
    if why.additive and shown is not None:
        assert sum(part.contribution for part in why.parts) == pytest.approx(shown, abs=1e-4)
    assert service.card().n_items == 80
    assert service.predict([("3", "2"), ("new", "2")]).predictions[0].source == "trained"
    assert len(service.group({"ann": ANN, "ben": {"3": 2.0}}, k=3).picks) == 3


@pytest.mark.parametrize("name", ["popularity", "ease", "ials", "item-knn", "next-item"])
def test_models_of_interactions_answer(name: str, tmp_path: Path) -> None:
    data, store = small_interactions(), Store("sqlite://")
    service = Service(LiveModel(save_small(data, tmp_path / "m", name)), store)
    liked = {"5": 1.0, "7": 2.0}
    mixed = {"5": 1.0, "2": -1.0, "7": 2.0}
    for profile in ({}, liked, mixed, {"2": -1.0}, api_profile("3")):
        keys = [row.key for row in service.rows(profile, 5)]
        if service.model.is_personal:
            assert ("popular" in keys) == (service.recommend(profile).source != "popular")
        else:
            assert len(keys) == 1
        picks = service.recommend(profile, 80, exclude_seen=False, reasons=False).items
        assert all(item.predicted_rating is None and item.score is not None for item in picks)
        why = service.explain(profile, "9")
        if why.additive:
            total = sum(part.contribution for part in why.parts)
            assert total == pytest.approx(why.prediction.score, abs=1e-5)
    scores = {item.item_id: item.score for item in service.recommend(liked, 78).items}
    for item in service.recommend(mixed, 77).items:
        assert item.score == pytest.approx(scores[item.item_id]), "a dislike teaches nothing"
    assert service.recommend({"2": -1.0}).source == "popular"
    picks = service.group({"ann": mixed, "ben": {"3": 1.0}}, k=3).picks
    assert all(0 <= share <= 1 for pick in picks for share in pick.predictions)
    assert service.items("film", profile=mixed).items == []
    assert len(service.interested_users("2", 3).users) == 3
    store.close()
