"""What the ratings themselves say about penalties: of biases by moments, of factors by a trial.

A penalty is a number of average ratings that each user and item starts with. The best one for a
bias is the ratio of two variances: that of a rating's noise, and that of the biases.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from tastemap.arrays import F64, I64, AnyArray, IndexArray
from tastemap.data.chunks import chunks, damped_mean
from tastemap.data.ratings import Ratings
from tastemap.kernels.biases import residual_sums

# The ratio where nothing is known of the variances, and the number of ratings, or of rows with two
# and more, that weigh as much as this guess. It is that of `BiasModel`.
DEFAULT_DAMPING, WEIGHT_OF_DEFAULT = 5.0, 20.0
MIN_DAMPING, MAX_DAMPING = 0.1, 1000.0
# Times that the biases of items and users are solved in turn.
SWEEPS = 5

# Dampings of factors, of which a trial chooses one. With the last, factors that the ratings do not
# bear out are next to 0, and the biases alone predict.
DAMPINGS = (0.0, 2.0, 4.0, 8.0)
# A gain of fewer standard errors is chance.
STANDARD_ERRORS = 2.0
# Factors that have to be multiplied by less are chance.
MIN_SLOPE = 0.1
# Share of the ratings that the trial holds out, and the most ratings that it looks at: of a larger
# table it takes those of some of the users.
HOLDOUT_SHARE, MAX_RATINGS = 0.1, 2**22


class Biases(NamedTuple):
    """A mean, and damped biases of users and items, all at once.

    Attributes:
        mean: mu, of a user and an item of average biases, in units of the rating.
        user, item: float64 (n_users,), (n_items,), in units of the rating; 0 without a rating.
        user_damping, item_damping: The number of average ratings that each starts with.
    """

    mean: float
    user: F64
    item: F64
    user_damping: float
    item_damping: float


def estimated_biases(ratings: Ratings) -> Biases:
    """The least squares of r_ui - mu - b_u - b_i with the penalties that the variances ask for.

    The sum over the ratings of (r_ui - mu - b_u - b_i)^2, plus d_u times that of b_u^2 over the
    users, plus d_i times that of b_i^2 over the items. A damping is the variance of the noise over
    that of the biases (Henderson, "Best linear unbiased estimation and prediction under a selection
    model", Biometrics 31, 1975). Both are estimated by `damping_of`: the items' from the ratings,
    the users' from what the items leave. Users and items are solved in turn, each time with mu,
    which has no penalty: so the biases of users sum to 0, and those of items. With the mean rating
    for mu, whoever has no ratings would count as average among the ratings, not among the users;
    and most ratings are of items that are liked, by users who rate much.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> biases = estimated_biases(synthetic_ratings())
        >>> biases.user.shape, biases.item.shape, 1 < biases.item_damping < 20
        ((120,), (80,), True)
    """
    users, items = ratings.by_user.counts, ratings.by_item.counts
    by_item = (ratings.item_index, ratings.user_index)
    mean = ratings.global_mean
    totals, squares = _residuals(ratings, *by_item, mean, np.zeros(len(users)), len(items))
    item_damping = damping_of(totals, items, squares)
    b_i = damped_mean(totals, items, item_damping)
    totals, squares = _residuals(ratings, *by_item[::-1], mean, b_i, len(users))
    user_damping = damping_of(totals, users, squares)
    step, b_u = mean_and_biases(totals, users, user_damping)
    mean += step
    for _ in range(SWEEPS - 1):
        totals, _ = _residuals(ratings, *by_item, mean, b_u, len(items))
        step, b_i = mean_and_biases(totals, items, item_damping)
        mean += step
        totals, _ = _residuals(ratings, *by_item[::-1], mean, b_i, len(users))
        step, b_u = mean_and_biases(totals, users, user_damping)
        mean += step
    return Biases(mean, b_u, b_i, user_damping, item_damping)


def mean_and_biases(totals: F64, counts: I64, damping: float) -> tuple[float, F64]:
    """The m, and biases b_g (n,), with the least squares of values - m - b_g of groups g.

    Plus the damping times the sum of b_g^2. The mean of a group counts n_g / (n_g + damping) in m;
    a group without values has no bias.

    Example:
        >>> mean, biases = mean_and_biases(np.array([8.0, 0.0]), np.array([2, 2]), 2.0)
        >>> mean, biases.tolist()
        (2.0, [1.0, -1.0])
    """
    sizes = np.maximum(counts, 1)
    share = counts / (sizes + damping)
    # Not a product of BLAS, whose digits depend on the number of its threads.
    mean = float((share * (totals / sizes)).sum() / share.sum())
    return mean, share * (totals / sizes - mean)


def _residuals(
    ratings: Ratings, index: IndexArray, other: IndexArray, mean: float, bias: F64, n: int
) -> tuple[F64, float]:
    """Sums (n,) by ``index`` of what mu and the bias of ``other`` leave; the sum of its squares."""
    totals, squares = np.zeros(n), 0.0
    for rows in chunks(len(ratings)):
        part = (index[rows], other[rows], ratings.rating[rows])
        squares += residual_sums(*part, mean, bias, totals)
    return totals, squares


def damping_of(totals: F64, counts: I64, squares: float) -> float:
    """The variance within groups over that of their means, by the method of moments.

    With n_g values in group g, N in all and k groups, s^2 is the sum of squares within the groups
    over N - k, and t^2 that between them, less (k - 1) s^2, over N - (sum of n_g^2) / N
    (DerSimonian and Laird, "Meta-analysis in clinical trials", Controlled Clinical Trials 7, 1986,
    equation 8). Where few groups have two values this says little. So each variance is averaged
    with a guess, which counts as much as 20 values, or 20 groups of two and more: a ratio of 5.

    Args:
        totals, counts: float64 (n,), int64 (n,), sum and number of the values of each group; a
            group may have none.
        squares: Sum of the squares of all values.

    Returns:
        s^2 / t^2, from 0.1 to 1,000.
    """
    sizes, N = counts[counts > 0].astype(np.float64), float(counts.sum())
    k, several = len(sizes), float((sizes > 1).sum())
    between = float((totals[counts > 0] ** 2 / sizes).sum())
    within = max(squares - between, 0.0)
    variance = squares / N
    guess = variance / (1 + DEFAULT_DAMPING)
    noise = within + WEIGHT_OF_DEFAULT * DEFAULT_DAMPING * guess
    noise /= N - k + WEIGHT_OF_DEFAULT
    spread = N - float((sizes**2).sum()) / N
    effect = (between - float(totals.sum()) ** 2 / N - (k - 1) * noise) / spread if spread else 0.0
    several *= spread > 0
    effect = (several * effect + WEIGHT_OF_DEFAULT * guess) / (several + WEIGHT_OF_DEFAULT)
    if not noise > MIN_DAMPING * effect:
        return MIN_DAMPING if variance else DEFAULT_DAMPING
    return MAX_DAMPING if noise >= MAX_DAMPING * effect else noise / effect


def chosen_damping(
    ratings: Ratings,
    seed: int,
    trial: Callable[[Ratings, Ratings, float], tuple[AnyArray, AnyArray]],
) -> float:
    """The damping of the factors, of `DAMPINGS`, with the least error on held-out ratings.

    They are tried from the weakest on. An error counts as its difference to that of the biases
    alone, on the same ratings, plus two standard errors of it: on few ratings factors have to gain
    much. Each trial also says by what its factors would have to be multiplied to fit the held-out
    ratings best. If that is 1 or more, and they gain, it is the last: a stronger damping makes them
    smaller still. If it is next to nothing, the factors are chance, and the strongest damping is
    taken at once, as it is if no factors gain.

    Args:
        ratings: The training ratings.
        seed: Of the ratings that are held out.
        trial: Called with a training part, a held-out part and a damping, it fits and gives for the
            held-out pairs (n,) what the biases leave of the ratings, and what the factors predict.
    """
    parts = held_out_parts(ratings, seed)
    if parts is None:
        return DAMPINGS[-1]
    errors: list[float] = []
    for damping in DAMPINGS:
        rest, predicted = (part.astype(np.float64) for part in trial(*parts, damping))
        gains = np.square(rest - predicted) - np.square(rest)
        errors.append(float(gains.mean() + STANDARD_ERRORS * gains.std() / np.sqrt(len(gains))))
        share = slope(rest, predicted)
        if share < MIN_SLOPE:
            return DAMPINGS[-1]
        if (share >= 1 and errors[-1] < 0) or errors[-1] > min(errors):
            break
    best = int(np.argmin(errors))
    return DAMPINGS[best] if errors[best] < 0 else DAMPINGS[-1]


def slope(rest: AnyArray, predicted: AnyArray) -> float:
    """By what to multiply predictions (n,) of values (n,) to fit them best; 0 if all are 0.

    Example:
        >>> slope(np.array([1.0, -2.0]), np.array([2.0, -4.0]))
        0.5
    """
    squares = float(predicted @ predicted)
    return float(rest @ predicted) / squares if squares > 0 else 0.0


def held_out_parts(
    ratings: Ratings, seed: int, share: float = 1.0
) -> tuple[Ratings, Ratings] | None:
    """A training and a held-out part of the ratings, both in memory; None if either would be empty.

    Args:
        ratings: The table, in memory or mapped.
        seed: Of both draws.
        share: Of the users whose ratings take part; of a very large table fewer do.
    """
    rng = np.random.default_rng(seed)
    ratings = of_some_users(ratings, min(share, MAX_RATINGS / len(ratings)), rng)
    is_held_out = rng.random(len(ratings)) < HOLDOUT_SHARE
    if is_held_out.all() or not is_held_out.any():
        return None
    return ratings.take(~is_held_out), ratings.take(is_held_out)


def of_some_users(ratings: Ratings, share: float, rng: np.random.Generator) -> Ratings:
    """The ratings of a share of the users, drawn by chance, in memory; all if the share is 1."""
    if share < 1 or ratings.is_mapped:
        users = rng.random(ratings.n_users) < share
        ratings = ratings.take(np.concatenate(list(_rows_of(users, ratings))))
    return ratings


def _rows_of(users: AnyArray, ratings: Ratings) -> Iterator[I64]:
    """The rows of the ratings of some users, (n_users,) booleans, a chunk at a time."""
    for rows in chunks(len(ratings)):
        yield rows.start + np.flatnonzero(users[ratings.user_index[rows]])
