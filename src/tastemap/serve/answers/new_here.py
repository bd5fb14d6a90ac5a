"""Items that nobody has rated: which a person would like best, and how far that is sure."""

import numpy as np

from tastemap.arrays import FloatArray, IndexArray, Mask
from tastemap.metrics.calibration import shortest_interval
from tastemap.models.base.selection import top_k
from tastemap.serve.model.catalogue import Filters
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.model.user import ServedUser

# The interval of a prediction holds so much of it.
MASS_OF_INTERVAL = 0.8


def is_new(model: LoadedModel) -> Mask:
    """Which items (n_items,) nobody has rated, though the model knows them by their facts."""
    unrated: Mask = model.data.by_item.counts == 0
    from_facts = model.model.from_facts_
    if from_facts is None:
        return np.zeros_like(unrated)
    unrated[: len(from_facts)] &= from_facts
    unrated[len(from_facts) :] = False
    return unrated


def best_new(
    model: LoadedModel, user: ServedUser, scores: FloatArray | None, k: int, filters: Filters
) -> IndexArray:
    """Rows of the k best items of `is_new` that a user has not rated, the best first.

    For somebody of whom nothing is known they are the newest, the last added first.
    """
    allowed = is_new(model) & model.catalogue.allowed(filters)
    allowed[user.user.touched] = False
    allowed[user.set_aside] = False
    if user.source == "popular":
        return np.flatnonzero(allowed)[::-1][:k].astype(np.int32)
    scores = model.model.quick_scores(user.user) if scores is None else scores
    return top_k(scores, allowed, k)


def intervals(
    model: LoadedModel, user: ServedUser, rows: IndexArray
) -> list[tuple[float, float]] | None:
    """The shortest interval (n,) that holds most of each prediction, where there are distributions.

    Each is the lowest and the highest rating inside.
    """
    if user.source == "popular" or not model.capabilities.distribution or not len(rows):
        return None
    levels = model.scale.levels
    if levels is None:
        return None
    probabilities = model.model.distribution_rows(user.user, np.asarray(rows, dtype=np.int32))
    low, high = shortest_interval(probabilities, MASS_OF_INTERVAL)
    return list(zip(levels[low].tolist(), levels[high].tolist(), strict=True))
