"""The model that is served: what it remembers and what it can do."""

from pathlib import Path

import polars as pl
import pytest
from small_models import save_small, small_interactions, small_ratings

from tastemap.data.interactions import Interactions
from tastemap.errors import UnsupportedError
from tastemap.serve.model.reload import LiveModel
from tastemap.serve.people.profiles import api_profile, page_profile
from tastemap.serve.people.store import Store
from tastemap.serve.service import Service

ANN = page_profile("ann")


def test_who_is_forgotten_leaves_memory_too(service: Service) -> None:
    service.profiles.rate(ANN, {"2": 5.0, "4": 1.0})
    assert service.recommend(ANN).source == "folded_in"
    assert service.model._remembered.cache_info().currsize > 0
    service.profiles.forget(ANN)
    assert service.model._remembered.cache_info().currsize == 0


def test_a_distribution_where_the_model_has_one(tmp_path: Path) -> None:
    path = save_small(small_ratings(), tmp_path / "m", "bayes")
    service = Service(LiveModel(path), Store("sqlite://"))
    for who, source in (({"2": 5.0, "1": 1.0}, "folded_in"), (api_profile("3"), "trained")):
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


def test_what_is_disliked_on_the_whole_is_in_no_list(tmp_path: Path) -> None:
    """Of a model that learns from each of several interactions with an item."""
    frame = small_interactions().to_frame()
    again = pl.DataFrame({"user_id": 3, "item_id": [2, 2, 4, 4], "weight": [3.0, -1.0, 1.0, -3.0]})
    times = again.with_columns(timestamp=pl.lit(2_000_000_000, dtype=pl.Int64))
    others = frame.filter((pl.col("user_id") != 3) | ~pl.col("item_id").is_in([2, 4]))
    data = Interactions.from_frame(pl.concat([others, times], how="vertical_relaxed"))
    service = Service(LiveModel(save_small(data, tmp_path / "m", "next-item")), Store("sqlite://"))
    user = api_profile("3")
    items = {item.item_id for item in service.recommend(user, 80, exclude_seen=False).items}
    assert 2 in items
    assert 4 not in items
    assert service.taste(user).n == service.profiles.count(user)
    with pytest.raises(UnsupportedError, match="a model that has learnt from ratings"):
        _ = service.model.scale
