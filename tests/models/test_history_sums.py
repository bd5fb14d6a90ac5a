"""Sums over histories: of all, and of those that have changed since."""

import numpy as np
import pytest

from tastemap.models import history_sums
from tastemap.models.history_sums import HistorySums

W = np.array([1.0, 0.5, 0.25], dtype=np.float32)
V = np.array([1.0, 0.7, 0.5], dtype=np.float32)
BEFORE = [[0, 1, 2, 3], [2, 2], [], [4, 0, 1]]
# The second user goes on, the third begins, the fourth took up something else, a fifth is new.
AFTER = [[0, 1, 2, 3], [2, 2, 5], [1, 3], [4, 6, 1], [5, 0]]


def arrays(histories: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    indptr = np.concatenate([[0], np.cumsum([*map(len, histories)])]).astype(np.int64)
    return indptr, np.concatenate(histories).astype(np.int32)


def test_sums_that_go_on_are_those_of_all_histories() -> None:
    before = HistorySums.of(5, W, V, *arrays(BEFORE))
    warm, cold = (HistorySums.of(7, W, V, *arrays(AFTER), start) for start in (before, None))
    np.testing.assert_allclose(warm.G, cold.G, atol=1e-6)
    np.testing.assert_allclose(warm.R, cold.R, atol=1e-6)
    assert cold.R.sum() > before.R.sum() > 0


def test_only_what_has_changed_is_added_and_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    before, added = HistorySums.of(5, W, V, *arrays(BEFORE)), []
    monkeypatch.setattr(
        history_sums, "add_pairs", lambda indptr, items, v, *rest: added.append((v[0], [*items]))
    )
    HistorySums.of(7, W, V, *arrays(AFTER), before)
    assert added == [(-1.0, [2, 2, 4, 0, 1]), (1.0, [2, 2, 5, 1, 3, 4, 6, 1, 5, 0])]


def test_other_weights_of_the_places_begin_anew() -> None:
    before = HistorySums.of(5, W, V, *arrays(BEFORE))
    sums = HistorySums.of(5, 2 * W, V, *arrays(BEFORE), before)
    np.testing.assert_allclose(sums.R, before.R)
    assert sums.G.max() == pytest.approx(4 * before.G.max())
    sums = HistorySums.of(5, W, 2 * V, *arrays(BEFORE), before)
    np.testing.assert_allclose(sums.R, 2 * before.R)
