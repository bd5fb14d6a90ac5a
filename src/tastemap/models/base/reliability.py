"""How far the factors of items can be believed: what similarities are shrunk by."""

import numpy as np

from tastemap.arrays import F32, F64, I64, AnyArray
from tastemap.data.ratings import Ratings
from tastemap.kernels.als import solve_all
from tastemap.models.base.evidence import of_some_users

# The shrinkage where the ratings say nothing of it, which counts as much as so many items of which
# both halves agree. It is about what MovieLens 100K and 1M say.
DEFAULT_SHRINKAGE, WEIGHT_OF_DEFAULT = 40.0, 1.0
MAX_SHRINKAGE = 1000.0
# Factors whose square is a smaller share of the noise say nothing, and their penalty overflows.
MIN_SHARE = 1e-12
# The most ratings that are looked at: of a larger table, those of some of the users.
MAX_RATINGS = 2**18
# Steps of the conjugate gradients, and where they end. Directions need no more digits.
MAX_STEPS, TOLERANCE = 16, 1e-5


def estimated_shrinkage(
    ratings: Ratings, mean: float, users: AnyArray, items: AnyArray, seed: int = 0
) -> float:
    """The number of ratings at which half of what an item's factors say is noise.

    The ratings are parted into two halves by chance. Each gives every item factors of its own, the
    ridge regression of what the biases leave of its ratings on the users' factors. How well those
    of one half foretell those of the other is their cosine c. Factors that are the true ones and a
    noise that falls with the number of ratings have c = k / (k + s) on average, with k ratings in
    a half; so s is the sum of k (1 - c) over the items, divided by the sum of c (the
    "Spearman-Brown" reliability of two halves: Lord and Novick, "Statistical theories of mental
    test scores", 1968, equation 5.10.3).

    Args:
        ratings: The training ratings.
        mean: mu.
        users: (n_users, 1 + f), rows (b_u, p_u).
        items: (n_items, 1 + f), rows (b_i, q_i).
        seed: Of the halves.

    Returns:
        s, from 0 to 1,000.
    """
    share = min(1.0, MAX_RATINGS / len(ratings))
    ratings = of_some_users(ratings, share, np.random.default_rng([seed, 0]))
    bias = mean + users[ratings.user_index, 0] + items[ratings.item_index, 0]
    rest = (ratings.rating - bias).astype(np.float32)
    size = float(np.mean(items[ratings.item_index, 1:].astype(np.float64) ** 2))
    noise = float(np.mean(rest.astype(np.float64) ** 2))
    if not (np.isfinite(noise) and np.isfinite(size) and size > MIN_SHARE * noise):
        return DEFAULT_SHRINKAGE
    half = np.random.default_rng([seed, 1]).random(len(ratings)) < 0.5
    parts = [
        _half(ratings, rows, rest[rows], users, noise / size)
        for rows in (np.flatnonzero(half), np.flatnonzero(~half))
    ]
    (first, n_first), (second, n_second) = parts
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    cosine = np.einsum("nf,nf->n", first, second) / np.maximum(lengths, np.finfo(np.float64).tiny)
    k = np.sqrt(n_first * n_second)
    agreement = float(cosine[k > 0].sum()) + WEIGHT_OF_DEFAULT
    lack = float((k * (1 - cosine)).sum()) + WEIGHT_OF_DEFAULT * DEFAULT_SHRINKAGE
    return MAX_SHRINKAGE if lack > MAX_SHRINKAGE * agreement else lack / agreement


def _half(
    ratings: Ratings, rows: I64, rest: F32, users: AnyArray, penalty: float
) -> tuple[F64, F64]:
    """Factors (n_items, f) from some of the ratings, and how many each item has (n_items,)."""
    item = ratings.item_index[rows]
    order = np.argsort(item, kind="stable")
    counts = np.bincount(item, minlength=ratings.n_items)
    fixed = np.ascontiguousarray(users[:, 1:], dtype=np.float32)
    factors = np.zeros((ratings.n_items, fixed.shape[1]), dtype=np.float32)
    ridge = np.full(ratings.n_items, penalty, dtype=np.float32)
    none, gram = np.zeros(0, dtype=np.float32), np.zeros((0, 0), dtype=np.float32)
    solve_all(
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        ratings.user_index[rows][order].astype(np.int32),
        rest[order],
        none,
        fixed,
        gram,
        ridge,
        ridge,
        factors,
        MAX_STEPS,
        TOLERANCE,
    )
    return factors.astype(np.float64), counts.astype(np.float64)
