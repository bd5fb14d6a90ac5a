"""Metrics by the gap: how long before the test a user was there last."""

import numpy as np
import polars as pl

from tastemap.arrays import F64
from tastemap.errors import ArgumentError

#: Longest gap in seconds, and name, of each class but the last.
GAPS = ((0.0, "same second"), (60.0, "within a minute"), (3600.0, "within an hour"))
BEYOND, UNKNOWN, TOTAL = "over an hour", "unknown", "all"


# Standard deviations of a normal distribution on both sides that hold 95 % of it.
DEVIATIONS_OF_INTERVAL = 1.959964


def interval_of_share(share: F64, n: F64) -> tuple[F64, F64]:
    """The ends of 95 % intervals of shares among n, each (m,): Wilson's score intervals.

    They are right for shares, such as that of users with a hit, down to none and up to all, and
    too wide for means of values between 0 and 1. Wilson, "Probable inference, the law of
    succession, and statistical inference", JASA 22(158), 1927.

    Example:
        >>> low, high = interval_of_share(np.array([0.0, 0.5]), np.array([10.0, 10.0]))
        >>> low.round(3).tolist(), high.round(3).tolist()
        ([0.0, 0.237], [0.278, 0.763])
    """
    z = DEVIATIONS_OF_INTERVAL**2 / n
    centre, half = share + z / 2, np.sqrt(z * share * (1 - share) + z**2 / 4)
    return np.maximum(centre - half, 0) / (1 + z), np.minimum((centre + half) / (1 + z), 1)


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
