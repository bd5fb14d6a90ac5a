"""Tables of ratings of many shapes, each drawn with a seed from a process that is stated here.

Who rates what. Every user and every item has at least one rating; the others fall to users and to
items in proportion to lognormal weights: a few do most of it, and a few get most of it. The ratings
of both sides are then sorted by the row's first factor plus noise and matched, so that people pick
what suits them more often than not. A pair that comes up twice counts once, so a dense table has
some ratings fewer than its shape says.

What they rate. mu + b_u + b_i + p_u . q_i + noise, all normal: the biases, the sum over the factors
and the noise have the standard deviations of the shape, in units of the scale's quarter. b_i grows
a little with the item's number of ratings. The result is rounded to the scale's step and kept
inside its ends.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from tastemap.data.ratings import Ratings, Source

# Spreads of the logarithms of activity and popularity.
ACTIVITY, POPULARITY = 1.2, 1.8
# Standard deviation of the noise in who meets whom, in units of the first factor's.
CHANCE = 1.5
# How much better an item is rated for each standard deviation of its logarithm of popularity.
APPEAL = 0.1


@dataclass(frozen=True)
class Shape:
    """The numbers of a planted table.

    Attributes:
        n_users, n_items, n_ratings: Its size.
        lowest, highest, step: Its scale; a step of 0 is a continuous one.
        user, item, taste, noise: Standard deviations of b_u, b_i, p_u . q_i and the noise.
        n_factors: Length of p_u and q_i.
        mean: mu, as a share of the way from the lowest to the highest rating.
    """

    n_users: int
    n_items: int
    n_ratings: int
    lowest: float = 1.0
    highest: float = 5.0
    step: float = 1.0
    user: float = 0.45
    item: float = 0.4
    taste: float = 0.3
    noise: float = 0.85
    n_factors: int = 8
    mean: float = 0.65


def planted(shape: Shape, seed: int = 0) -> Ratings:
    """A table of such a shape; the same seed draws the same."""
    rng = np.random.default_rng(seed)
    p, q = (rng.standard_normal((n, shape.n_factors)) for n in (shape.n_users, shape.n_items))
    weights = [rng.normal(0, spread, n) for spread, n in _spreads(shape)]
    u, i = (
        _side(len(weight), shape.n_ratings, weight, factors[:, 0], rng)
        for weight, factors in zip(weights, (p, q), strict=True)
    )
    order = rng.permutation(len(np.unique(pairs := u * shape.n_items + i)))
    u, i = np.divmod(np.unique(pairs)[order], shape.n_items)
    b_u = rng.normal(0, shape.user, shape.n_users)
    b_i = rng.normal(0, shape.item, shape.n_items) + APPEAL * weights[1] / POPULARITY
    value = b_u[u] + b_i[i] + rng.normal(0, shape.noise, len(u))
    value += shape.taste / np.sqrt(shape.n_factors) * np.einsum("nf,nf->n", p[u], q[i])
    width = shape.highest - shape.lowest
    rating = shape.lowest + width * (shape.mean + value / 4)
    if shape.step:
        rating = shape.lowest + np.round((rating - shape.lowest) / shape.step) * shape.step
    columns = {"user_id": u, "item_id": i, "rating": np.clip(rating, shape.lowest, shape.highest)}
    return Ratings.from_frame(pl.DataFrame(columns), source=Source("planted"))


def _spreads(shape: Shape) -> list[tuple[float, int]]:
    return [(ACTIVITY, shape.n_users), (POPULARITY, shape.n_items)]


def _side(
    n: int, n_ratings: int, weight: np.ndarray, factor: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The row of each rating, sorted by the row's first factor plus noise."""
    share = np.exp(weight)
    rows = np.repeat(np.arange(n), 1 + rng.multinomial(max(n_ratings - n, 0), share / share.sum()))
    rows = rng.permutation(rows)[:n_ratings]
    return rows[np.argsort(factor[rows] + rng.normal(0, CHANCE, len(rows)), kind="stable")]


#: The shapes by name.
SHAPES = {
    "dense": Shape(1_000, 1_500, 100_000),
    "sparse": Shape(20_000, 8_000, 60_000),
    "shop": Shape(28_456, 1_858, 29_998, taste=0.2, noise=1.1),
    "dvd": Shape(17_615, 16_121, 72_665, taste=0.2, mean=0.75),
    "one-each": Shape(20_000, 2_000, 20_000),
    "ten-levels": Shape(8_000, 20_000, 60_000, 1, 10, 1, mean=0.7),
    "songs": Shape(1_292, 1_287, 4_802, 0, 100, 0, mean=0.5),
    "jokes": Shape(5_000, 140, 150_000, -10, 10, 0, taste=0.5, mean=0.55),
    "no-taste": Shape(5_000, 3_000, 50_000, taste=0.0),
    "no-people": Shape(5_000, 3_000, 50_000, user=0.0, taste=0.0),
    "catalogue": Shape(22_164, 296_277, 922_267, mean=0.75),
}
