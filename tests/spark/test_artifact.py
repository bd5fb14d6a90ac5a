"""A model that the cluster has fitted is saved, loaded and used as any other."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tastemap.data.ratings import Ratings
from tastemap.models.als import ALS
from tastemap.models.registry import load_model
from tastemap.spark import artifact

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("spark")]


def test_a_saved_model_answers_and_learns_on(fitted: Any, tmp_path: Path, ratings: Ratings) -> None:
    model, data, result, train, test = fitted
    parts = [replace(data, frame=part) for part in (train, test)]
    there = artifact.assemble(model, parts[0], result, {"test_rmse": 1.0}, seed=0)
    assert len(there.ratings_) + len(parts[1].collect()) == len(ratings)
    loaded = load_model(there.save(tmp_path / "model"))
    assert type(loaded) is ALS
    assert loaded.metrics_ == {"test_rmse": 1.0}
    user = loaded.ratings_.users.ids[5]
    new = loaded.fold_in(dict(loaded.ratings_.rated_items(user)["item_id", "rating"].rows()))
    np.testing.assert_allclose(new.description, loaded.factors.user_weights[5], atol=2e-4)
    assert loaded.similar_items(1, k=3).height == 3
    assert loaded.update(loaded.ratings_, progress=False).ratings_.n_users == ratings.n_users
