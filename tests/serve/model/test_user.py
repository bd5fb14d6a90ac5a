"""Whom an answer is for."""

import numpy as np

from tastemap.data.datasets.synthetic import synthetic_ratings
from tastemap.models.bias import BiasModel
from tastemap.serve.model.user import folded_in


def test_somebody_folded_in_has_the_rows_and_ratings_of_the_bytes() -> None:
    model = BiasModel().fit(synthetic_ratings())
    rows, values = np.array([3, 5, 3], np.int32), np.array([4, 1, 0.5], np.float32)
    user = folded_in(model, rows.tobytes(), values.tobytes(), np.array([7], np.int32).tobytes())
    assert (user.user_index, user.source, user.user.seen.tolist()) == (-1, "folded_in", [7])
    assert user.item_index.tolist() == [3, 5, 3]
    assert user.rating_of == {3: 4.5, 5: 1.0}
