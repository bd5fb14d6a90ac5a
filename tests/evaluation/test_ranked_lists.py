"""Scores of lists beside the means over users."""

import numpy as np
import pytest

from tastemap.data.splits import Split
from tastemap.evaluation import ranked_lists as module
from tastemap.evaluation.evaluate import evaluate_ranking
from tastemap.models.popularity import Popularity


def test_of_many_long_lists_some_pairs_tell_how_diverse_they_are(
    split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists of 40 have 780 pairs each, so two of them have at most 2,000."""
    model = Popularity().fit(split.train)
    whole = evaluate_ranking(model, split.test, k=40).filter(metric="diversity")["value"][0]
    monkeypatch.setattr(module, "MAX_PAIRS_OF_DIVERSITY", 2_000)
    monkeypatch.setattr(module, "MAX_USERS_OF_DIVERSITY", 100)
    some = evaluate_ranking(model, split.test, k=40).filter(metric="diversity")["value"][0]
    assert some != whole
    assert some == pytest.approx(whole, abs=0.1)
    lists = []
    monkeypatch.setattr(module, "diversity", lambda *arrays: lists.append(arrays) or 0.5)
    evaluate_ranking(model, split.test, k=40)
    ((drawn, users, items),) = lists
    assert drawn.shape == (2, 40)
    assert len(np.unique(users)) == 100
    assert len(users) == len(items)
