"""A model fitted anew with the ratings that people gave."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_models import save_small, small_ratings, text_ratings

from tastemap.errors import DataError, UnsupportedError
from tastemap.models.base.artifact import Artifact
from tastemap.models.registry import load_model
from tastemap.serve.model.reload import LiveModel
from tastemap.serve.people.profiles import api_profile, page_profile
from tastemap.serve.people.retrain import merged_ratings, update_model
from tastemap.serve.people.store import Store
from tastemap.serve.service import Service


@pytest.mark.filterwarnings("ignore::tastemap.explore.item_map.SmallMapWarning")
def test_ratings_of_people_become_training_ratings(artifact: Path, tmp_path: Path) -> None:
    path = tmp_path / "model"
    shutil.copytree(artifact, path)
    url = f"sqlite:///{tmp_path / 'ratings.db'}"
    before = load_model(path).ratings_
    store = Store(url)
    service = Service(LiveModel(path), store)
    service.profiles.rate(page_profile("token"), {"1": 1.0, "2": 5.0}, moment=77)
    service.profiles.rate(api_profile("3"), {"1": 2.0})
    service.profiles.rate(api_profile("9999"), {"5": 4.0})
    service.profiles.rate(api_profile("new"), {"6": 4.0})
    gone = service.profiles.ratings_of(api_profile("4")).ratings[0].item_id
    service.profiles.unrate(api_profile("4"), str(gone))
    forgotten = len(service.profiles.ratings_of(api_profile("5")).ratings)
    service.profiles.forget(api_profile("5"))

    changed = update_model(path, url, progress=False)
    model = load_model(path)
    after = model.ratings_.to_frame()
    assert (changed.profiles, changed.ratings) == (4, 5)
    assert changed.n_ratings == len(model.ratings_)
    people = {user: sorted(rows["item_id"]) for (user,), rows in after.group_by("user_id")}
    numbers = [user for user in people if user < 0]
    assert sorted(people[user] for user in numbers) == [[1, 2], [6]]
    assert people[9999] == [5]
    assert gone not in people[4]
    assert 5 not in people
    mine = after.filter((after["user_id"] == 3) & (after["item_id"] == 1))
    assert mine["rating"].to_list() == [2.0]
    replaced = before.to_frame().filter(
        (before.to_frame()["user_id"] == 3) & (before.to_frame()["item_id"] == 1)
    )
    assert len(model.ratings_) == len(before) + 5 - forgotten - 1 - len(replaced)
    assert model.ratings_.scale == before.scale
    assert model.ratings_.items.ids.equals(before.items.ids)
    assert model.item_map_ is not None
    assert model.metrics_ == {"rmse": 0.9, "ratings_when_measured": len(before)}

    # Once more: nothing is counted twice, and who was forgotten meanwhile is gone.
    again = update_model(path, url, progress=False)
    assert load_model(path).metrics_["ratings_when_measured"] == len(before)
    assert again.n_ratings == changed.n_ratings
    service.profiles.forget(page_profile("token"))
    assert update_model(path, url, progress=False).n_ratings == changed.n_ratings - 2
    store.close()


def test_text_ids_and_nothing_left() -> None:
    ratings, store = text_ratings(), Store("sqlite://")
    store.rate(page_profile("token"), {"a/b": 5.0, "no such item": 3.0})
    store.rate(api_profile("ann"), {"50%": 4.0})
    merged, update = merged_ratings(ratings, store)
    assert update.ratings == 2
    assert merged.rated_items("ann")["item_id"].to_list() == ["50%"]
    assert merged.rated_items("person 1")["item_id"].to_list() == ["a/b"]
    one = ratings.take(np.array([0]))
    empty = Store("sqlite://")
    empty.forget(api_profile(str(one.users.ids[int(one.user_index[0])])), mark=True)
    with pytest.raises(DataError, match="withdrawn"):
        merged_ratings(one, empty)


def test_what_cannot_be_fitted_again_says_so(tmp_path: Path) -> None:
    path = save_small(small_ratings(), tmp_path / "model")
    recipe = {"class": "FactorModel", "parameters": {}}
    artifact = replace(Artifact.read(path), class_name="FactorModel", parameters={}, recipe=recipe)
    artifact.write(path)
    with pytest.raises(UnsupportedError, match="fit a new model"):
        update_model(path, f"sqlite:///{tmp_path / 'r.db'}", progress=False)
