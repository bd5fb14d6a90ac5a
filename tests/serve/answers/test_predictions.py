"""Predictions of many pairs at once."""

from pathlib import Path

import numpy as np
import pytest
from small_models import save_small, small_ratings

from tastemap.serve.model.reload import LiveModel
from tastemap.serve.people.store import Store
from tastemap.serve.service import Service


@pytest.mark.parametrize("name", ["mf", "bayes", "ease", "ials"])
def test_many_pairs_are_predicted_as_each_alone(tmp_path: Path, name: str) -> None:
    service = Service(
        LiveModel(save_small(small_ratings(), tmp_path / "m", name)), Store("sqlite://")
    )
    service.profiles.rate("user:ann", {"2": 5.0, "3": 1.0})
    pairs = [(user, item) for item in ("1", "7", "80") for user in ("3", "ann", "nobody", "5")]
    answers = service.predict(pairs).predictions
    assert [(one.user_id, str(one.item_id)) for one in answers] == pairs
    model = service.model
    for one in answers:
        user = service.profiles.user(model, f"user:{one.user_id}")
        scores, row = model.scores(user), int(one.item_id) - 1
        predicted = model.predicted(user, scores)
        assert one.source == {"ann": "folded_in", "nobody": "popular"}.get(one.user_id, "trained")
        assert one.score == scores[row]
        assert one.predicted_rating == (None if predicted is None else predicted[row])


def test_users_of_the_training_data_are_asked_for_at_once(
    live: LiveModel, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    predict_rows = live.current.model.predict_rows
    monkeypatch.setattr(live.current, "scores", lambda _: pytest.fail("the scores of all items"))
    monkeypatch.setattr(
        live.current.model, "predict_rows", lambda *rows: calls.append(rows) or predict_rows(*rows)
    )
    service.predict([(str(user), "1") for user in range(1, 41)])
    ((user_index, item_index),) = calls
    assert np.array_equal(user_index, np.arange(40))
    assert not item_index.any()


def test_no_pairs_have_no_predictions(service: Service) -> None:
    assert service.predict([]).predictions == []


def test_an_id_may_end_in_the_character_0(text_artifact: Path) -> None:
    """NumPy takes texts for equal that differ in zeros at their end."""
    service = Service(LiveModel(text_artifact), Store("sqlite://"))
    pairs = [("ann\0", "item 12"), ("ann", "nul\0"), ("ann\0\0", "item 12")]
    answers = service.predict(pairs).predictions
    assert [(one.user_id, one.item_id) for one in answers] == pairs


def test_predictions_say_what_they_rest_on(new_items: Service) -> None:
    answers = new_items.predict([("3", item) for item in ("1", "901", "903")]).predictions
    assert [one.basis for one in answers] == ["ratings", "facts", "average"]
