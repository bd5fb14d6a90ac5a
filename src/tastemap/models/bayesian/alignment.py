"""The draws of the posterior turned to agree, and fewer of them with the mean of all."""

from typing import Any

import numpy as np

from tastemap.arrays import F64, I64
from tastemap.models.base.posterior_draws import PosteriorDraws
from tastemap.models.bayesian.average import turns_of
from tastemap.models.bayesian.posterior import Draws

# Arrays of which fewer draws are moved so that their mean is that of all. A precision moved so
# could be none.
MOVED = ("items", "link", "prior", "cuts")


def posterior_draws(draws: Draws, weights: F64, n_draws: int) -> PosteriorDraws:
    """At most ``n_draws`` of the draws, evenly spaced, as new users need them.

    The mean over all draws is more certain than that of some: the rest of a mean prediction's error
    is of second order in what the draws vary.

    Args:
        draws: All draws of a model.
        weights: (I,), the weight of each item in the rotations.
        n_draws: How many are wanted.
    """
    K = len(draws)
    chosen = evenly_spaced(K, n_draws)
    means: dict[str, Any] = dict.fromkeys(MOVED, 0.0)
    parts: dict[str, list[Any]] = {}
    for k, turn in enumerate(turns_of(draws, weights)):
        draw = _turned(draws, k, turn)
        for name in MOVED:
            means[name] = means[name] + draw[name].astype(np.float64) / K
        if k in chosen:
            for name, value in draw.items():
                parts.setdefault(name, []).append(value)
    arrays: dict[str, Any] = {name: np.stack(values) for name, values in parts.items()}
    for name in MOVED:
        shift = means[name] - arrays[name].mean(axis=0, dtype=np.float64)
        arrays[name] += shift.astype(np.float32)
    return PosteriorDraws(
        **arrays,
        item_scales=(1.0 / np.mean(1.0 / draws.item_scales, axis=0)).astype(np.float32),
        axes=draws.axes,
        average=draws.average,
        reliable_at=draws.reliable_at,
        scales=draws.new_scales[chosen],
        centre=draws.centre,
        deviation=draws.deviation,
    )


def evenly_spaced(n: int, n_chosen: int) -> I64:
    """At most ``n_chosen`` of the numbers from 0 to n - 1, in the middles of equal parts.

    Example:
        >>> evenly_spaced(10, 5).tolist(), evenly_spaced(2, 5).tolist()
        ([1, 3, 5, 7, 9], [0, 1])
    """
    n_chosen = min(n, n_chosen)
    return ((np.arange(n_chosen) + 0.5) * n / n_chosen).astype(np.int64)


def _turned(draws: Draws, k: int, rotation: F64) -> dict[str, Any]:
    """One draw by name, its factors turned by a rotation (f, f)."""
    turn = np.eye(draws.items.shape[2])
    turn[1:-1, 1:-1] = rotation
    spread = draws.spread[k].astype(np.float64)
    return {
        "items": draws.items[k] @ turn.astype(np.float32),
        "link": draws.user_link[k] @ turn.astype(np.float32),
        "prior": draws.user_prior[k] @ turn.astype(np.float32),
        "precision": turn.T @ (draws.user_precision[k][:, None] * turn),
        "cuts": draws.cuts[k, -1].astype(np.float32)
        if draws.n_levels
        else np.zeros(0, dtype=np.float32),
        "cut_precision": np.linalg.inv(spread) if draws.n_levels else np.zeros((0, 0)),
    }
