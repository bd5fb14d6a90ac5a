"""The map, and a person's place on it."""

from pathlib import Path

import numpy as np
import pytest
from small_models import save_small, small_interactions, small_ratings

from tastemap.models.registry import load_model
from tastemap.serve.answers.item_map import place_of_user
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.service import Service


def test_a_person_has_a_place_among_what_they_like(service: Service) -> None:
    assert service.own_map({}).place is None
    place = service.own_map({"2": 5.0, "4": 5.0, "1": 1.0}).place
    columns = service.map()
    assert min(columns.x) <= place.x <= max(columns.x)
    assert min(columns.y) <= place.y <= max(columns.y)
    assert service.item("1").place.x == columns.x[0]
    assert "10 most similar" in columns.sentence


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


def test_likes_have_a_place_too(tmp_path: Path) -> None:
    model = load_model(save_small(small_interactions(), tmp_path / "m", "ials"))
    model.item_map_ = load_model(save_small(small_ratings(), tmp_path / "r", "knn")).item_map_
    served = LoadedModel(model, {}, "")
    rows = served.catalogue.by_popularity[:2]
    person = served.fold_in(rows, np.array([1, 1], np.float32))
    assert place_of_user(served, person) is not None
