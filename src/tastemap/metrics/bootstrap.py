"""How far apart two models are, and how sure that is: paired differences, users resampled.

Ratings of one person are alike, so the persons, and not the ratings, are what was drawn at random:
an interval that resamples ratings is too narrow.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tastemap.errors import ArgumentError

Values = npt.NDArray[np.float64]

# Resampled numbers held in memory at once.
_AT_ONCE = 2_000_000


class Difference(NamedTuple):
    """Model minus reference, and the ends of its interval, each (n_models,).

    ``low`` and ``high`` are NaN where there are fewer than two users to resample.
    """

    value: Values
    low: Values
    high: Values


def user_sums(user_index: npt.ArrayLike, values: npt.ArrayLike) -> tuple[Values, Values]:
    """The sum (n_users,) of each user's values, and their number (n_users,), users ascending.

    Example:
        >>> total, count = user_sums([3, 7, 3], [1.0, 5.0, 2.0])
        >>> total.tolist(), count.tolist()
        ([3.0, 5.0], [2.0, 1.0])
    """
    _, group = np.unique(np.asarray(user_index), return_inverse=True)
    total = np.bincount(group, weights=np.asarray(values, dtype=np.float64))
    return total.astype(np.float64), np.bincount(group).astype(np.float64)


def paired_differences(
    totals: npt.ArrayLike,
    counts: npt.ArrayLike,
    reference: int,
    *,
    root: bool = False,
    n_resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Difference:
    """Differences of mean errors to a reference, with intervals from a bootstrap of the users.

    Each resample draws as many users as there are, with replacement, each with all of their
    ratings, the same for all models; the mean of model m is then
    sum_u w_u totals[m, u] / sum_u w_u counts[u], w_u being how often user u was drawn. The interval
    lies between the quantiles of the resampled differences that leave (1 - confidence) / 2 out on
    either side.

    References:
        Field and Welsh, "Bootstrapping clustered data", JRSS B 69(3), 2007 (the cluster bootstrap).
        Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13 (percentiles).

    Args:
        totals: (n_models, n_users), sums of each user's errors.
        counts: (n_users,), how many errors each user has; at least 1.
        reference: Row of the model that the others are compared with.
        root: Compare the square roots of the means: the RMSE, where the errors are squared.
        n_resamples: At least 1.
        confidence: Between 0 and 1.
        seed: Same seed, same interval.

    Raises:
        ArgumentError: If the shapes differ, or a number is out of its range.

    Example:
        >>> found = paired_differences([[4.0, 2.0], [2.0, 0.0]], [2, 2], reference=1)
        >>> found.value.tolist(), found.low.tolist(), found.high.tolist()
        ([1.0, 0.0], [1.0, 0.0], [1.0, 0.0])
    """
    sums, n = np.asarray(totals, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    if sums.ndim != 2 or n.shape != sums.shape[1:] or not n.size or n.min() < 1:
        raise ArgumentError(
            "totals and counts",
            expected="shapes (n_models, n_users) and (n_users,), counts of at least 1",
            received=f"{sums.shape} and {n.shape}",
        )
    if not 0 < confidence < 1 or n_resamples < 1:
        raise ArgumentError(
            "confidence, n_resamples",
            expected="a share between 0 and 1, and at least 1",
            received=(confidence, n_resamples),
        )
    drawn = _resampled(sums, n, n_resamples, seed)
    whole = sums.sum(axis=1) / n.sum()
    if root:
        drawn, whole = np.sqrt(drawn), np.sqrt(whole)
    value = whole - whole[reference]
    if len(n) < 2:
        return Difference(value, np.full_like(value, np.nan), np.full_like(value, np.nan))
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn - drawn[:, [reference]], (tail, 1 - tail), axis=0)
    return Difference(value, low, high)


def _resampled(totals: Values, counts: Values, n_resamples: int, seed: int) -> Values:
    """The mean of each model in each resample, (n_resamples, n_models)."""
    rng, n = np.random.default_rng(seed), len(counts)
    both = np.column_stack([totals.T, counts])
    parts = []
    for start in range(0, n_resamples, step := max(_AT_ONCE // n, 1)):
        rows = min(step, n_resamples - start)
        drawn = rng.integers(n, size=(rows, n)) + n * np.arange(rows)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n)
        sums = times @ both
        parts.append(sums[:, :-1] / sums[:, -1:])
    return np.concatenate(parts)
