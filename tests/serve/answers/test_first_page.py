"""The rows of the first page, and that each item stands on it once."""

from pathlib import Path

import numpy as np
import pytest
from small_models import save_small, small_ratings

from tastemap.models.registry import load_model
from tastemap.serve.answers import first_page
from tastemap.serve.model.reload import LiveModel
from tastemap.serve.people.profiles import api_profile, page_profile
from tastemap.serve.people.store import Store
from tastemap.serve.service import Service

ANN = page_profile("ann")
MINE = {"2": 5.0, "4": 5.0, "6": 4.0, "8": 4.0, "1": 1.0, "10": 5.0, "12": 4.0}
ORDER = ["top-picks", "because-1", "because-2", "more-yours", "rate-next", "acclaimed"]
ORDER += ["loved-by-few", "popular", "new-here"]


@pytest.mark.parametrize("mine", [{}, {"2": 5.0}, MINE], ids=len)
def test_no_item_stands_twice_on_the_page(service: Service, mine: dict[str, float]) -> None:
    rows = service.rows(mine, 6)
    shown = [item.item_id for row in rows for item in row.items]
    assert len(shown) == len(set(shown))
    assert set(shown).isdisjoint(map(int, mine))
    keys = [row.key for row in rows]
    assert keys == [key for key in ORDER if key in keys]
    assert {"top-picks", "rate-next", "loved-by-few", "popular"} <= set(keys)
    assert all(len(row.items) >= 3 for row in rows)


def test_a_row_of_what_is_like_something_says_of_what(service: Service) -> None:
    rows = {row.key: row for row in service.rows(MINE, 4)}
    liked = rows["because-1"]
    assert liked.title == "Because you liked Drama 10", "the latest of what is liked best"
    near = [str(one.item.item_id) for one in service.similar("10", 30).items]
    places = [near.index(str(item.item_id)) for item in liked.items]
    assert places == sorted(places), "the most similar first"
    assert "because-1" not in {row.key for row in service.rows({"2": 1.0}, 4)}


def test_what_is_acclaimed_is_rated_highest(service: Service) -> None:
    rows = {row.key: row for row in service.rows(MINE, 4)}
    averages = service.model.catalogue.default_scores
    least = np.quantile(averages, 0.85)
    for item in rows["acclaimed"].items if "acclaimed" in rows else ():
        assert averages[int(item.item_id) - 1] >= least
    assert "acclaimed" not in {row.key for row in service.rows({}, 4)}, "they are the first row"


def test_a_row_of_less_than_three_is_left_out(service: Service) -> None:
    for n in range(1, 79):
        service.profiles.rate(ANN, {str(n): 4.0})
    (row,) = service.rows(ANN, 6)
    assert (row.key, len(row.items)) == ("top-picks", 2)


def test_the_slider_brings_nobody_what_a_handful_have_rated(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_page, "PARTS_OF_TAIL", 1)
    catalogue = service.model.catalogue
    floor = min(30, catalogue.popularity_of_tail)
    assert (catalogue.popularity < floor).any()
    picks, *_ = service.rows({}, 30, novelty=1.0)
    assert min(item.n_ratings for item in picks.items) >= floor


@pytest.mark.parametrize("name", ["knn", "ease", "bias"])
def test_every_kind_of_model_fills_the_page(tmp_path: Path, name: str) -> None:
    store = Store("sqlite://")
    service = Service(LiveModel(save_small(small_ratings(), tmp_path / "model", name)), store)
    shown = [item.item_id for row in service.rows(MINE, 5) for item in row.items]
    assert len(shown) == len(set(shown)) > 15
    store.close()


def test_the_picks_of_the_first_page_are_cautious(service: Service, artifact: Path) -> None:
    model, (picks, *_) = load_model(artifact), service.rows(api_profile("3"), 8, novelty=0.2)
    cautious = model.recommend(3, k=8, novelty=0.2, by="cautious")["item_id"]
    assert [item.item_id for item in picks.items] == cautious.to_list()


def test_what_is_more_yours_is_good_and_others_like_it_less(
    service: Service, artifact: Path
) -> None:
    model, mine = load_model(artifact), {"1": 5.0, "3": 5.0, "2": 1.0, "4": 2.0}
    rows = {row.key: row for row in service.rows(mine, 4)}
    picks, yours = rows["top-picks"], rows["more-yours"]
    user = model.fold_in({int(item): rating for item, rating in mine.items()})
    scores = model.score_rows(user)
    items = np.array([item.item_id for item in yours.items]) - 1
    assert (scores[items] >= np.sort(scores)[-20]).all()
    assert {item.item_id for item in yours.items}.isdisjoint(i.item_id for i in picks.items)
    lifts = scores - model.score_rows(model.user_at(0)._replace(description=model._user(-1)))
    assert lifts[items].min() > np.median(lifts)


def test_what_few_love_is_loved_and_known_to_enough(service: Service) -> None:
    """No film of a handful of ratings, none below the average, none that is a pick already."""
    catalogue, mean = service.model.catalogue, service.model.ratings.global_mean
    for mine in ({}, {"2": 5.0, "4": 4.0, "1": 1.0}):
        rows = {row.key: row.items for row in service.rows(mine, 8)}
        assert len(rows["loved-by-few"]) == 8
        for item in rows["loved-by-few"]:
            assert catalogue.popularity_of_tail // 3 <= item.n_ratings
            assert item.n_ratings <= catalogue.popularity_of_tail
            assert catalogue.default_scores[int(item.item_id) - 1] >= mean
        picks = {item.item_id for item in rows["top-picks"]}
        assert picks.isdisjoint(item.item_id for item in rows["loved-by-few"])
