"""Parts of a prediction, and what it would be without a rating."""

from pathlib import Path

import numpy as np
import pytest
from small_models import save_small, small_ratings

from tastemap.models.registry import load_model
from tastemap.serve.answers.explanations import explanation
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.schemas import Prediction
from tastemap.serve.service import Service


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


def test_what_a_rating_adds_is_what_is_lost_without_it(tmp_path: Path) -> None:
    """Signs agree in each row of `bayes`, and the mean is that of the data."""
    served = LoadedModel(load_model(save_small(small_ratings(), tmp_path / "m", "bayes")), {}, "")
    rng = np.random.default_rng(1)
    for n in (1, 2, 8, 8):
        rows = rng.permutation(len(served.catalogue))[: n + 1].astype(np.int32)
        user = served.fold_in(rows[:n], rng.integers(1, 6, n).astype(np.float32))
        predicted = float(served.predicted(user, served.scores_at(user, rows[n:]))[0])
        prediction = Prediction(predicted, user.source, None, None, predicted)
        parts = explanation(served, user, int(rows[n]), prediction).parts
        assert sum(part.contribution for part in parts) == pytest.approx(predicted, abs=1e-9)
        assert parts[0].contribution == served.ratings.global_mean
        rated = [part for part in parts if part.item_id is not None]
        assert len(rated) == n
        for part in rated:
            assert part.without == pytest.approx(predicted, abs=1e-9) or np.sign(
                predicted - part.without
            ) == np.sign(part.contribution)
