"""Cosines of embeddings alone: the lab's neighbours."""

import numpy as np
import pytest

import reference
from tastemap.data.datasets.synthetic import synthetic_ratings
from tastemap.explore.embeddings import cosine_neighbours, embedding_cosine
from tastemap.models.registry import make_model


def test_neighbours_are_those_of_the_largest_cosines() -> None:
    """Item 3 keeps three ratings and is a neighbour all the same; the model's own weigh that."""
    ratings = synthetic_ratings()
    table = ratings.take((ratings.item_index != 2) | (ratings.user_index < 4))
    model = make_model("mf", n_factors=4, n_epochs=5).fit(table, progress=False)
    expected = [reference.cosine(model.item_factors[0], row) for row in model.item_factors]
    nearest = cosine_neighbours(model, 1, 79)
    assert nearest.columns == model.similar_items(1).columns
    order = [item for item in np.argsort(-np.array(expected), kind="stable") + 1 if item != 1]
    assert nearest["item_id"].to_list() == order
    assert cosine_neighbours(model, 1, 3, least=True)["item_id"].to_list() == order[:-4:-1]
    cosine = embedding_cosine(model, 1, 3)
    assert cosine == pytest.approx(expected[2], abs=1e-6)
    assert abs(model.similarity(1, 3)) < 0.95 * abs(cosine)
