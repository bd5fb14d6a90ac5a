"""Ratings of the store and of the training data, put together."""

import pytest

from tastemap.errors import ArgumentError, UnknownIdError
from tastemap.serve.people.profiles import api_profile, page_profile
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
