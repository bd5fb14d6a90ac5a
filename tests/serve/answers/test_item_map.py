"""The map, and a person's place on it."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from small_models import save_small, small_interactions, small_ratings

from tastemap.explore.regions import Region
from tastemap.models.registry import load_model
from tastemap.serve.answers.item_map import own_map, place_of_user, regions_in_words
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.service import Service


def test_a_person_has_a_place_among_what_they_like(service: Service) -> None:
    assert service.own_map({}).place is None
    place = service.own_map({"2": 5.0, "4": 5.0, "1": 1.0}).place
    columns = service.map()
    assert min(columns.x) <= place.x <= max(columns.x)
    assert min(columns.y) <= place.y <= max(columns.y)
    assert service.item("1").place.x == columns.x[0]
    assert "10 items that are most like" in columns.sentence
    assert [columns.genre[0]] <= columns.genres[0]


def test_a_trail_leads_from_place_to_place(service: Service) -> None:
    mine = {"2": 5.0, "4": 5.0, "31": 5.0, "33": 5.0, "35": 5.0}
    shown = service.own_map(mine)
    columns = service.map()
    assert [columns.item_id[at] for at in shown.marked] == [2, 4, 31, 33, 35]
    former = [service.own_map(dict(list(mine.items())[:n])).place for n in range(1, 6)]
    places = [place for place, after in pairwise(former) if place != after]
    assert shown.trail == places
    assert shown.trail, "it has moved"
    assert service.own_map({}).trail == []
    assert service.own_map({"2": 1.0}).trail == []


@pytest.mark.parametrize("name", ["mf", "bayes", "knn"])
def test_every_model_with_a_map_has_a_place_for_a_person(name: str, tmp_path: Path) -> None:
    """Among what they like, if it is known; not where they like nothing."""
    served = LoadedModel(load_model(save_small(small_ratings(), tmp_path / "m", name)), {}, "")
    liked = served.catalogue.by_popularity[:3]
    person = served.fold_in(np.append(liked, 0).astype(np.int32), np.array([5, 5, 5, 1], "f4"))
    place, rows = place_of_user(served, person), served.map.rows
    assert place is not None
    distances = np.hypot(*(served.map.places[np.isin(rows, liked)] - [place.x, place.y]).T)
    assert distances.min() < 0.5 * np.ptp(served.map.places)
    dislikes = served.fold_in(liked, np.ones(3, np.float32))
    assert place_of_user(served, dislikes) is None


def test_what_hardly_anybody_rated_does_not_say_where_a_person_stands(tmp_path: Path) -> None:
    served = LoadedModel(load_model(save_small(small_ratings(), tmp_path / "m", "knn")), {}, "")
    served.catalogue.popularity = np.ones(len(served.catalogue), dtype=np.int64)
    served.catalogue.popularity[7] = 500
    person = served.fold_in(np.array([3, 7], np.int32), np.full(2, 5, np.float32))
    place = place_of_user(served, person)
    assert (place.x, place.y) == pytest.approx(served.map.places[served.map.rows == 7][0], abs=0.2)


def test_regions_in_words_have_their_best_known_items(tmp_path: Path) -> None:
    served = LoadedModel(load_model(save_small(small_ratings(), tmp_path / "m", "knn")), {}, "")
    x, y = served.map.places[np.array([g == "Comedy" for g in served.map.frame["genre"]])].T
    middle = Region("Comedy", float(x.mean()), float(y.mean()), float(np.ptp(x)))
    served.__dict__["map"] = served.map._replace(regions=[middle])
    ((name, cards),) = regions_in_words(served)
    assert name == "Comedy"
    assert len(cards) == 4
    assert all("Comedy" in card.genres for card in cards)
    counts = [card.n_ratings for card in cards]
    assert counts == sorted(counts, reverse=True)
    served.__dict__["map"] = served.map._replace(regions=[])
    ((name, cards),) = regions_in_words(served)
    assert cards[0].n_ratings == served.catalogue.popularity.max(), "no region has a name"


def test_likes_have_a_place_too(tmp_path: Path) -> None:
    model = load_model(save_small(small_interactions(), tmp_path / "m", "ials"))
    model.item_map_ = load_model(save_small(small_ratings(), tmp_path / "r", "knn")).item_map_
    served = LoadedModel(model, {}, "")
    rows = served.catalogue.by_popularity[:2]
    person = served.fold_in(rows, np.array([1, 1], np.float32))
    assert place_of_user(served, person) is not None
    disliked = served.fold_in(rows, np.array([1, -1], np.float32))
    assert len(own_map(served, disliked).marked) == 1
