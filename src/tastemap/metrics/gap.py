"""Metrics by the gap: how long before the test a user was there last."""

import numpy as np
import polars as pl

from tastemap.arrays import F64
from tastemap.errors import ArgumentError

#: Longest gap in seconds, and name, of each class but the last.
GAPS = ((0.0, "same second"), (60.0, "within a minute"), (3600.0, "within an hour"))
BEYOND, UNKNOWN, TOTAL = "over an hour", "unknown", "all"


def by_gap(gap: F64, values: dict[str, F64]) -> pl.DataFrame:
    """Means of metrics over users, by the time since the previous interaction of the same user.

    What a user does within the same second or minute mostly follows from the page before them, not
    from their taste. So a mean over all users is read beside the means of the classes.

    Args:
        gap: (n,), seconds, at least 0; NaN where it is unknown.
        values: Name to values (n,) of a metric.

    Returns:
        Frame ``gap, users, share`` and a column for each metric: the classes of `GAPS`, "over an
        hour" and "unknown", those that have a user, then "all".

    Raises:
        ArgumentError: If a gap is negative, or the lengths differ.

    Example:
        >>> by_gap(np.array([0.0, 90.0]), {"hit": np.array([1.0, 0.0])})["gap"].to_list()
        ['same second', 'within an hour', 'all']
    """
    if (gap < 0).any():
        raise ArgumentError("gap", expected="at least 0 seconds", received=float(np.nanmin(gap)))
    lengths = {len(gap), *map(len, values.values())}
    if len(lengths) > 1:
        raise ArgumentError("gap and values", expected="equal lengths", received=sorted(lengths))
    names = [*(name for _, name in GAPS), BEYOND, UNKNOWN]
    group = np.searchsorted([seconds for seconds, _ in GAPS], gap)
    group[np.isnan(gap)] = names.index(UNKNOWN)
    masks = {name: group == g for g, name in enumerate(names)} | {TOTAL: np.isfinite(group)}
    rows = []
    for name, mask in masks.items():
        if mask.any():
            means = {metric: float(value[mask].mean()) for metric, value in values.items()}
            rows.append({"gap": name, "users": int(mask.sum()), "share": mask.mean()} | means)
    return pl.DataFrame(rows)
