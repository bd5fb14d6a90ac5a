"""Ratings of the store and of the training data, put together."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.interactions import Interactions
from tastemap.errors import ArgumentError, UnknownIdError
from tastemap.serve.people.profiles import History, api_profile, page_profile
from tastemap.serve.service import Service
from tastemap.serve.settings import Limits

ANN = page_profile("ann")


def test_a_user_of_the_data_may_change_their_ratings(service: Service) -> None:
    user = api_profile("3")
    trained = service.profiles.ratings_of(user).ratings
    assert all(one.trained for one in trained)
    first = str(trained[0].item_id)
    assert service.profiles.unrate(user, first)
    assert not service.profiles.unrate(user, first)
    assert service.recommend(user).source == "folded_in"
    assert len(service.profiles.ratings_of(user).ratings) == len(trained) - 1
    service.profiles.rate(user, {first: 2.0})
    assert service.profiles.rating(user, first).rating == 2.0
    assert service.profiles.forget(user) == 1
    assert service.profiles.ratings_of(user).ratings == []
    assert service.recommend(user).source == "popular"


def test_nobody_of_the_pages_can_be_named_by_the_api(service: Service) -> None:
    service.profiles.rate(page_profile("token"), {"2": 5.0})
    for guess in ("token", "page:token", "../page:token"):
        assert service.profiles.ratings_of(api_profile(guess)).ratings == []


def test_wrong_ids_and_ratings_are_problems(service: Service) -> None:
    for item in ("81", "x", "01", "1.0", "", " 1", "9" * 40):
        with pytest.raises(UnknownIdError, match="item_id") as found:
            service.profiles.rate(ANN, {item: 3.0})
        assert found.value.unknown_id == item
    for rating in (0.0, 6.0, 3.5, float("nan"), float("inf")):
        with pytest.raises(ArgumentError, match="rating; expected"):
            service.profiles.rate(ANN, {"1": rating})
    assert service.profiles.ratings_of(ANN).ratings == []


def test_a_profile_does_not_grow_without_end(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.profiles.rate(ANN, {"1": 5.0, "2": 4.0, "3": 3.0})
    monkeypatch.setattr(Limits, "profile", 3)
    with pytest.raises(ArgumentError, match="at most 3; received 4"):
        service.profiles.rate(ANN, {"4": 5.0})
    service.profiles.rate(ANN, {"1": 1.0})
    service.profiles.unrate(ANN, "2")
    service.profiles.rate(ANN, {"4": 5.0})
    assert service.profiles.count(ANN) == 3
    # Who has more from before may rate those anew.
    monkeypatch.setattr(Limits, "profile", 2)
    service.profiles.rate(ANN, {"1": 2.0})


def test_a_rating_is_kept_with_one_look_up_one_write_and_no_read(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def count(owner: object, name: str) -> None:
        method = getattr(owner, name)

        def counted(*args: object, **options: object) -> object:
            calls.append(name)
            return method(*args, **options)

        monkeypatch.setattr(owner, name, counted)

    for name in ("rate", "profile", "unrate"):
        count(service.profiles.store, name)
    count(service.model.catalogue.rows_of, "rows")
    (own_rating,) = service.profiles.rate(ANN, {"2": 5.0}, moment=7)
    assert calls == ["rows", "rate"]
    assert own_rating == service.profiles.rating(ANN, "2")
    assert (own_rating.item_id, own_rating.rating, own_rating.moment) == (2, 5.0, 7)


def test_what_replaces_a_profile_is_all_of_it(service: Service) -> None:
    user = api_profile("3")
    assert service.profiles.count(user) > 2
    kept = service.profiles.replace(user, {"4": 4.0, "1": 1.0})
    assert [(rated.item_id, rated.rating) for rated in kept.ratings] == [(1, 1.0), (4, 4.0)]
    assert service.profiles.ratings_of(user) == kept


def test_what_was_seen_is_left_out_of_the_picks(service: Service) -> None:
    first = [str(card.item_id) for card in service.recommend(ANN, 3).items]
    assert service.profiles.flag(ANN, first[:2], "seen", moment=5) == 2
    assert service.recommend(ANN, 3).source == "popular", "nothing is known of their taste"
    seen = [str(item.item_id) for item in service.profiles.flags_of(ANN)]
    assert seen == first[1::-1], "the newest first"
    service.profiles.rate(ANN, {"2": 5.0, first[0]: 1.0})
    picks = {str(card.item_id) for card in service.recommend(ANN, 40).items}
    assert picks.isdisjoint({"2", *first[:2]})
    assert [str(item.item_id) for item in service.profiles.flags_of(ANN)] == [first[1]]
    assert service.profiles.count(ANN) == 2
    assert service.profiles.flag(ANN, [first[0]], "seen") == 0, "it is rated"
    assert service.profiles.unflag(ANN, first[1])
    assert service.profiles.flags_of(ANN) == []
    assert first[1] in {str(card.item_id) for card in service.recommend(ANN, 40).items}
    with pytest.raises(UnknownIdError):
        service.profiles.flag(ANN, ["no such"], "seen")


def test_somebody_of_the_data_keeps_what_the_data_say_was_seen(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = service.model.ratings
    other = data.item_index[data.by_user[data.users.index_of(4)]]
    new = np.setdiff1d(other, data.item_index[data.by_user[data.users.index_of(3)]])[:1]
    frame = pl.DataFrame({"user_id": [3], "item_id": data.items.ids_at(new)})
    monkeypatch.setattr(service.model, "data", data.with_seen(Interactions.from_frame(frame)))
    service.profiles.rate(api_profile("3"), {"2": 5.0})
    user = service.profiles.user(service.model, api_profile("3"))
    assert user.user.seen.tolist() == new.tolist()


# ---- interactions ----


def test_a_history_is_folded_in_in_the_order_of_time(clicks: Service) -> None:
    for item in ("9", "2", "7"):
        clicks.profiles.rate(ANN, {item: 1.0}, moment=7)
    clicks.profiles.rate(ANN, {"4": 1.0, "3": -1.0}, moment=5)
    clicks.profiles.rate(ANN, {"9": 2.0}, moment=8)
    rows = clicks.profiles.user(clicks.model, ANN).item_index
    assert clicks.model.data.items.ids_at(rows).to_list() == [4, 3, 2, 7, 9]
    backwards = History(("9", "7", "2", "4"))
    forwards = clicks.recommend(History(("4", "2", "7", "9")), 5)
    assert [i.score for i in clicks.recommend(ANN, 5).items] == pytest.approx(
        [item.score for item in forwards.items]
    )
    assert clicks.recommend(backwards, 5) != forwards


def test_somebody_of_the_data_goes_on_where_the_data_end(clicks: Service) -> None:
    user, data = api_profile("3"), clicks.model.data
    trained = data.take(data.by_user[clicks.model.users.row("3")])
    ids = data.items.ids_at(trained.take(trained.in_order).item_index).to_list()
    fresh = next(str(item) for item in data.items.ids if item not in ids)
    clicks.profiles.rate(user, {fresh: 1.0})
    newest = [rated.item_id for rated in clicks.profiles.ratings_of(user).ratings]
    assert newest == [int(fresh), *ids[::-1]]


def test_a_history_has_ids_and_titles_and_each_item_once(clicks: Service) -> None:
    model = clicks.model
    user = clicks.profiles.user(model, History(("2", "drama 4 (1963)", "Comedy 5", "2")))
    assert model.data.items.ids_at(user.item_index).to_list() == [4, 5, 2]
    assert set(user.rating.tolist()) == {1.0}
    with pytest.raises(UnknownIdError, match="No such film"):
        clicks.recommend(History(("2", "No such film")))


def test_weights_have_a_bound_and_are_not_0(clicks: Service) -> None:
    for weight in (0.0, 1e-9, 1e7, -1e7, float("nan"), float("inf")):
        with pytest.raises(ArgumentError, match="weight; expected"):
            clicks.profiles.rate(ANN, {"1": weight})
    for weight in (-1e6, 0.001, 1e6):
        clicks.profiles.rate(ANN, {"1": weight})
        assert clicks.profiles.rating(ANN, "1").rating == weight
