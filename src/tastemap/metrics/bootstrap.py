"""Paired differences between models, with intervals from a bootstrap of the users.

Ratings of one user are alike, so users are resampled, not ratings: an interval from resampled
ratings is too narrow.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tastemap.arrays import F64
from tastemap.errors import ArgumentError

# Size of a block of resamples: resamples times users.
BLOCK_SIZE = 2_000_000


class Difference(NamedTuple):
    """Model minus reference, the ends of its interval, and its p value, each (n_models,).

    ``low``, ``high`` and ``p`` are NaN where there are fewer than two users to resample.
    """

    value: F64
    low: F64
    high: F64
    p: F64


def user_sums(user_index: npt.ArrayLike, values: npt.ArrayLike) -> tuple[F64, F64]:
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

    Each resample draws n_users users with replacement, each with all of their ratings, and the same
    users for all models. With w_u, the number of times that user u was drawn, the mean of model m
    is sum_u w_u totals[m, u] / sum_u w_u counts[u]. The ends of the interval are the quantiles
    (1 - confidence) / 2 and (1 + confidence) / 2 of the resampled differences. The p value is two
    times the share of resampled differences on the rarer side of 0, those of 0 included and the
    sample itself counted as one of them, at most 1: the interval of a confidence of 1 - p ends
    at 0. With 1,000 resamples it is at least 0.002.

    References:
        Field and Welsh, "Bootstrapping clustered data", JRSS B 69(3), 2007 (the cluster bootstrap).
        Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 13 (percentiles)
        and 15.4 (the p value of an interval that ends at 0). Davison and Hinkley, "Bootstrap
        methods and their application", 1997, section 4.2 (the sample itself is counted).

    Args:
        totals: (n_models, n_users), sums of each user's errors.
        counts: (n_users,), number of errors of each user; at least 1.
        reference: Row of the model to compare the others with.
        root: Compare the square roots of the means: the RMSE, if the errors are squared.
        n_resamples: At least 1.
        confidence: Between 0 and 1.
        seed: Same seed, same interval.

    Raises:
        ArgumentError: If the shapes differ, or a number is out of its range.

    Example:
        >>> difference = paired_differences([[4.0, 2.0], [2.0, 0.0]], [2, 2], reference=1)
        >>> [ends.tolist() for ends in difference[:3]]
        [[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]
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
    resampled, means = _resampled_means(sums, n, n_resamples, seed), sums.sum(axis=1) / n.sum()
    if root:
        resampled, means = np.sqrt(resampled), np.sqrt(means)
    value = means - means[reference]
    if len(n) < 2:
        return Difference(value, *np.full((3, len(value)), np.nan))
    tail, apart = (1 - confidence) / 2, resampled - resampled[:, [reference]]
    low, high = np.quantile(apart, (tail, 1 - tail), axis=0)
    rarer = np.minimum((apart <= 0).sum(axis=0), (apart >= 0).sum(axis=0))
    return Difference(value, low, high, np.minimum(2 * (rarer + 1) / (n_resamples + 1), 1))


def holm(p: npt.ArrayLike) -> F64:
    """P values (n,) corrected for their number by Holm's step-down procedure.

    The j-th smallest of n is multiplied by n + 1 - j, is at least as large as those before it, and
    at most 1. To call a difference real where its corrected value is at most 0.05 is to be wrong
    about any of the n with a probability of at most 5 %, however they depend on each other.

    References:
        Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
        Statistics 6(2), 1979.

    Example:
        >>> holm([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, dtype=np.float64)
    order, n = np.argsort(values), len(values)
    corrected = np.empty(n)
    corrected[order] = np.maximum.accumulate(values[order] * (n - np.arange(n)))
    return np.minimum(corrected, 1.0)


def _resampled_means(totals: F64, counts: F64, n_resamples: int, seed: int) -> F64:
    """The mean of each model in each resample, (n_resamples, n_models)."""
    rng, n = np.random.default_rng(seed), len(counts)
    columns, blocks = np.column_stack([totals.T, counts]), []
    for start in range(0, n_resamples, step := max(BLOCK_SIZE // n, 1)):
        rows = min(step, n_resamples - start)
        users = rng.integers(n, size=(rows, n)) + n * np.arange(rows)[:, None]
        sums = np.bincount(users.ravel(), minlength=rows * n).reshape(rows, n) @ columns
        blocks.append(sums[:, :-1] / sums[:, -1:])
    return np.concatenate(blocks)
