"""Questions to the service: where answers come from, and that they are the library's own."""

import time
from pathlib import Path

import numpy as np
import pytest
from small_models import save_small, small_ratings

from tastemap.models.registry import load_model
from tastemap.serve.model.catalogue import Filters
from tastemap.serve.model.reload import LiveModel
from tastemap.serve.people.profiles import api_person, page_person
from tastemap.serve.people.store import Store
from tastemap.serve.service import Service
from tastemap.serve.web.errors import Problem

ANN = page_person("ann")


def test_picks_change_with_the_first_rating(service: Service) -> None:
    before = service.recommend(ANN, 5)
    assert before.source == "popular"
    assert all(item.predicted_rating is None for item in before.items)
    service.rate(ANN, {"2": 5.0, "1": 1.0})
    after = service.recommend(ANN, 5)
    assert after.source == "folded_in"
    assert {item.item_id for item in after.items}.isdisjoint({1, 2})
    assert [item.item_id for item in after.items] != [item.item_id for item in before.items]
    assert all(1 <= item.predicted_rating <= 5 for item in after.items)


@pytest.mark.parametrize("novelty", [0.0, 0.5, -1.0])
def test_answers_are_those_of_the_library(service: Service, artifact: Path, novelty: float) -> None:
    model = load_model(artifact)
    mine = {"2": 5.0, "4": 4.0, "1": 1.0}
    ours = service.recommend(mine, 7, novelty=novelty, filters=Filters("drama", 1970, 2000))
    theirs = model.recommend(
        ratings={int(item): rating for item, rating in mine.items()},
        k=7,
        novelty=novelty,
        where="genres contains 'Drama' and year >= 1970 and year <= 2000",
    )
    assert [item.item_id for item in ours.items] == theirs["item_id"].to_list()
    assert np.allclose([item.score for item in ours.items], theirs["score"], atol=1e-5)
    known = service.recommend(api_person("3"), 7)
    assert known.source == "trained"
    assert [i.item_id for i in known.items] == model.recommend(3, k=7)["item_id"].to_list()


def test_a_user_of_the_data_may_change_their_ratings(service: Service) -> None:
    user = api_person("3")
    trained = service.ratings_of(user).ratings
    assert all(one.trained for one in trained)
    first = str(trained[0].item_id)
    assert service.unrate(user, first)
    assert not service.unrate(user, first)
    assert service.recommend(user).source == "folded_in"
    assert len(service.ratings_of(user).ratings) == len(trained) - 1
    service.rate(user, {first: 2.0})
    assert service.rating(user, first).rating == 2.0
    assert service.forget(user) == 1
    assert service.ratings_of(user).ratings == []
    assert service.recommend(user).source == "popular"


def test_who_is_forgotten_leaves_memory_too(service: Service) -> None:
    service.rate(ANN, {"2": 5.0, "4": 1.0})
    assert service.recommend(ANN).source == "folded_in"
    assert service.model._remembered.cache_info().currsize > 0
    service.forget(ANN)
    assert service.model._remembered.cache_info().currsize == 0


def test_what_another_process_was_told_to_forget_is_forgotten_soon(
    artifact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tastemap.serve.model.reload.EVERY", 0.01)
    monkeypatch.setattr("tastemap.serve.model.reload.REMEMBERED_FOR", 0.0)
    live = LiveModel(artifact)
    live.current.person(np.array([1], dtype=np.int32), np.array([5.0], dtype=np.float32))
    assert live.current._remembered.cache_info().currsize == 1
    live.watch()
    for _ in range(1000):
        if live.current._remembered.cache_info().currsize == 0:
            break
        time.sleep(0.01)
    live.stop()
    assert live.current._remembered.cache_info().currsize == 0


def test_nobody_of_the_pages_can_be_named_by_the_api(service: Service) -> None:
    service.rate(page_person("token"), {"2": 5.0})
    for guess in ("token", "page:token", "../page:token"):
        assert service.ratings_of(api_person(guess)).ratings == []


def test_picks_have_a_reason_that_lifts_them(tmp_path: Path) -> None:
    mine = {"2": 5.0, "4": 4.0, "1": 1.0, "3": 2.0}
    store = Store("sqlite://")
    service = Service(LiveModel(save_small(small_ratings(), tmp_path / "model", "als")), store)
    assert all(item.because is None for item in service.recommend(mine, 8).items)
    picks = service.recommend(mine, 8, reasons=True, exclude_seen=False).items
    rows = {row.key: row.items for row in service.rows(mine, 6)}
    shown = [*picks, *rows["top-picks"], *rows["loved-by-few"]]
    told = [item for item in shown if item.because is not None]
    assert len(told) > len(shown) / 2
    for item in told:
        assert item.because.item_id != item.item_id
        assert item.because.rating == mine[str(item.because.item_id)]
        # Synthetic people like either kind: what one likes speaks for its kind alone.
        same_kind = item.item_id % 2 == item.because.item_id % 2
        assert same_kind == (item.because.rating >= 4)
    assert all(item.because is None for item in rows["popular"])
    nobody = service.rows({}, 6)
    store.close()
    assert all(item.because is None for row in nobody for item in row.items)


@pytest.mark.parametrize("name", ["ease", "knn", "bias", "bayes", "popularity"])
def test_reasons_of_every_kind_of_model(tmp_path: Path, name: str) -> None:
    store = Store("sqlite://")
    served = Service(LiveModel(save_small(small_ratings(), tmp_path / "model", name)), store)
    picks = served.recommend({"2": 5.0, "4": 4.0, "1": 1.0}, 8, reasons=True).items
    told = [item.because for item in picks if item.because is not None]
    assert bool(told) == (name not in {"bias", "popularity"})
    assert {reason.item_id for reason in told} <= {1, 2, 4}
    store.close()


def test_parts_add_up_and_say_what_would_be_without(service: Service) -> None:
    mine = {"2": 5.0, "4": 4.0, "1": 1.0}
    why = service.explain(mine, "6")
    assert why.additive
    total = sum(part.contribution for part in why.parts)
    assert total == pytest.approx(why.prediction.predicted_rating, abs=1e-5)
    for part in why.parts:
        if part.item_id is not None:
            rest = {item: rating for item, rating in mine.items() if item != str(part.item_id)}
            expected = service.prediction(rest, "6").predicted_rating
            assert part.without == pytest.approx(expected)
    nothing = service.explain({}, "6")
    assert nothing.prediction.source == "popular"
    total = sum(part.contribution for part in nothing.parts)
    assert total == pytest.approx(service.item("6").damped_average)


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
        with pytest.raises(Problem, match="another question"):
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


def test_what_to_rate_next_tells_most(service: Service) -> None:
    rows = {row.key: row for row in service.rows({"2": 5.0}, 6)}
    assert list(rows) == ["top-picks", "rate-next", "popular", "loved-by-few"]
    assert all(len(row.items) == 6 for row in rows.values())
    assert all(item.item_id != 2 for row in rows.values() for item in row.items)
    chosen = [item.item_id for item in rows["rate-next"].items]
    assert chosen == greedily(service, [2], 6)


def greedily(service: Service, rated: list[int], k: int) -> list[int]:
    """The same by determinants: what the next rating would tell, times how many know the item."""
    model = service.model.model
    known = np.log2(model.ratings_.by_item.counts + 1)

    def volume(items: list[int]) -> float:
        X = model.factors.item_weights[[item - 1 for item in items]].astype(float)
        X[:, 0] = 1
        return float(np.linalg.slogdet(model.factors.prior.precision + X.T @ X)[1])

    chosen = list(rated)
    for _ in range(k):
        left = [item for item in range(1, 81) if item not in chosen]
        gains = [known[i - 1] * (volume([*chosen, i]) - volume(chosen)) for i in left]
        chosen.append(left[int(np.argmax(gains))])
    return chosen[len(rated) :]


def test_taste_speaks_of_what_differs_from_others(service: Service) -> None:
    mine = {str(n): 5.0 for n in range(2, 12, 2)} | {str(n): 1.0 for n in range(3, 13, 2)}
    taste = service.taste(mine)
    assert [leaning.name for leaning in taste.genres] == ["Drama", "Comedy"]
    assert taste.genres[0].difference > 0 > taste.genres[1].difference
    assert "You rate Drama higher than others do." in taste.sentences
    assert taste.likes
    assert all(item.your_rating == 5 for item in taste.likes)
    assert service.taste({}).n == 0


def test_a_group_is_served_by_its_least_happy_member(service: Service) -> None:
    members = {"ann": {"2": 5.0, "1": 1.0}, "ben": {"1": 5.0, "4": 1.0}}
    for method, join in (("least_misery", min), ("average", np.mean)):
        picks = service.group(members, method=method, k=5).picks
        scores = [pick.item.score for pick in picks]
        assert scores == sorted(scores, reverse=True)
        for pick in picks:
            assert pick.item.score == pytest.approx(join(pick.predictions), rel=1e-6)
            assert pick.item.item_id not in {1, 2, 4}
            assert "ann" in pick.reason or "ben" in pick.reason
    with pytest.raises(Problem, match="method"):
        service.group(members, method="most")
    with pytest.raises(Problem, match="at least one"):
        service.group({})


def test_a_person_has_a_place_among_what_they_like(service: Service) -> None:
    assert service.place({}) is None
    place = service.place({"2": 5.0, "4": 5.0, "1": 1.0})
    columns = service.map()
    assert min(columns.x) <= place.x <= max(columns.x)
    assert min(columns.y) <= place.y <= max(columns.y)
    assert service.item("1").place.x == columns.x[0]
    assert "10 most similar" in columns.sentence


def test_neighbours_and_interested_users(service: Service, artifact: Path) -> None:
    model = load_model(artifact)
    similar = service.similar("2", 5)
    assert [s.item.item_id for s in similar.items] == model.similar_items(2, 5)["item_id"].to_list()
    users = service.similar_users(api_person("3"), 5)
    assert [u.user_id for u in users.users] == model.similar_users(3, 5)["user_id"].to_list()
    assert len(service.similar_users({"2": 5.0}, 5).users) == 5
    assert service.similar_users({}, 5).users == []
    interested = service.interested_users("2", 5)
    expected = model.interested_users(2, 5)["user_id"].to_list()
    assert [user.user_id for user in interested.users] == expected


def test_wrong_ids_and_ratings_are_problems(service: Service) -> None:
    for item in ("81", "x", "01", "1.0", "", " 1", "9" * 40):
        with pytest.raises(Problem, match="no item") as found:
            service.rate(ANN, {item: 3.0})
        assert found.value.status == 404
    for rating in (0.0, 6.0, 3.5, float("nan"), float("inf")):
        with pytest.raises(Problem, match="not a rating"):
            service.rate(ANN, {"1": rating})
    assert service.ratings_of(ANN).ratings == []


def test_text_ids_of_any_character(text_artifact: Path) -> None:
    service = Service(LiveModel(text_artifact), Store("sqlite://"))
    for item in ("a/b", "nul\0", "né ☃", " ", "..\\"):
        service.rate(ANN, {item: 4.0})
        assert service.rating(ANN, item).item_id == item
        assert service.item(item).item.item_id == item
    assert service.recommend(api_person("user/3")).source == "trained"


@pytest.mark.parametrize("name", ["popularity", "bias", "ease", "knn"])
def test_models_of_other_kinds_answer_what_they_can(name: str, tmp_path: Path) -> None:
    service = Service(
        LiveModel(save_small(small_ratings(), tmp_path / "m", name)), Store("sqlite://")
    )
    service.rate(ANN, {"2": 5.0, "1": 1.0})
    assert len(service.recommend(ANN, 5).items) == 5
    assert len(service.rows(ANN, 5)) == 4
    why = service.explain(ANN, "6")
    shown = why.prediction.predicted_rating
    if why.additive and shown is not None:
        assert sum(part.contribution for part in why.parts) == pytest.approx(shown, abs=1e-4)
    assert service.card().n_items == 80
    assert service.predict([("3", "2"), ("new", "2")]).predictions[0].source == "trained"
    assert len(service.group({"ann": ANN, "ben": {"3": 2.0}}, k=3).picks) == 3


def test_a_distribution_where_the_model_has_one(tmp_path: Path) -> None:
    path = save_small(small_ratings(), tmp_path / "m", "bayes")
    service = Service(LiveModel(path), Store("sqlite://"))
    for who, source in (({"2": 5.0, "1": 1.0}, "folded_in"), (api_person("3"), "trained")):
        found = service.prediction(who, "6")
        assert found.source == source
        shares = [level.probability for level in found.distribution]
        assert sum(shares) == pytest.approx(1, abs=1e-4)
        mean = sum(level.rating * level.probability for level in found.distribution)
        assert found.predicted_rating == pytest.approx(mean, abs=1e-3)
        why = service.explain(who, "6")
        total = sum(part.contribution for part in why.parts)
        assert total == pytest.approx(found.predicted_rating, abs=1e-4)
    assert service.prediction({}, "6").distribution is None
