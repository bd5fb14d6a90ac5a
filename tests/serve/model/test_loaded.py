"""The model that is served: what it remembers and what it can do."""

from pathlib import Path

import pytest
from small_models import save_small, small_ratings

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
