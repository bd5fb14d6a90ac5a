"""Tables of ratings of many shapes, each drawn with a seed from a process that is stated here.

Who rates what. Every user and every item has at least one rating, as far as there are ratings; the
others fall to users and to items in proportion to lognormal weights: a few people give most of
them, and a few items get most of them. The ratings of both sides are sorted by the row's first
factor plus noise and matched, so that people pick what suits them more often than not. Pairs that
come up twice are drawn anew, some times over, so that a very dense table may have a few less.

What they rate. mu + b_u + b_i + p_u . q_i + noise, all normal: the biases, the sum over the planted
factors and the noise have the standard deviations of the shape, in quarters of the scale. b_i grows
a little with the item's popularity. The result is rounded to the scale's step and kept inside its
ends.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.data.feedback import Source
from tastemap.data.ratings import Ratings

# Standard deviations of the logarithms of activity and popularity.
ACTIVITY, POPULARITY = 1.2, 1.8
# Standard deviation of the noise in who meets whom, in units of the first factor's.
CHANCE = 1.5
# How much better an item is rated for each standard deviation of its logarithm of popularity.
APPEAL = 0.1
# Times that pairs which came up twice are drawn anew.
ROUNDS = 20

Rows = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Shape:
    """The numbers of a planted table.

    Attributes:
        n_users, n_items, n_ratings: Its size.
        lowest, highest, step: Its scale; a step of 0 is a continuous one.
        user, item, taste, noise: Standard deviations of b_u, b_i, p_u . q_i and the noise.
        mean: mu, as a share of the way from the lowest to the highest rating.
        everybody: How many items everybody rates, beside the ratings above.
        n_factors: Length of p_u and q_i.
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
    mean: float = 0.65
    everybody: int = 0
    n_factors: int = 8


#: The shapes by name. Sizes of `shop`, `dvd`, `songs` and `catalogue` are those of public sets.
SHAPES = {
    "dense": Shape(1_000, 1_500, 100_000),
    "sparse": Shape(20_000, 8_000, 60_000),
    "shop": Shape(28_456, 1_858, 29_998, taste=0.2, noise=1.1),
    "dvd": Shape(17_615, 16_121, 72_665, taste=0.2, mean=0.75),
    "one-each": Shape(20_000, 2_000, 20_000),
    "one-item": Shape(5_000, 500, 10_000, everybody=1),
    "ten-levels": Shape(8_000, 20_000, 60_000, 1, 10, 1, mean=0.7),
    "songs": Shape(1_292, 1_287, 4_802, 0, 100, 0, mean=0.5),
    "jokes": Shape(5_000, 140, 150_000, -10, 10, 0, taste=0.5, mean=0.55),
    "no-taste": Shape(5_000, 3_000, 50_000, taste=0.0),
    "no-people": Shape(5_000, 3_000, 50_000, user=0.0, taste=0.0),
    "catalogue": Shape(22_164, 296_277, 922_267, mean=0.75),
}


def planted(shape: Shape, seed: int = 0) -> Ratings:
    """A table of such a shape; the same seed draws the same."""
    rng = np.random.default_rng(seed)
    sizes = (shape.n_users, shape.n_items)
    p, q = (rng.standard_normal((n, shape.n_factors)) for n in sizes)
    weights = [
        rng.normal(0, spread, n) for spread, n in zip((ACTIVITY, POPULARITY), sizes, strict=True)
    ]
    u, i = _pairs(shape, [p[:, 0], q[:, 0]], weights, rng)
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


def _pairs(
    shape: Shape, tastes: list[Numbers], weights: list[Numbers], rng: np.random.Generator
) -> tuple[Rows, Rows]:
    """Different pairs of a user and an item, in a random order."""
    shares = [np.exp(weight) / np.exp(weight).sum() for weight in weights]
    least, pairs = 1, np.zeros(0, dtype=np.int64)
    for _ in range(ROUNDS):
        n = shape.n_ratings - len(pairs)
        if n <= 0:
            break
        u, i = (
            _side(n, least, share, taste, rng) for share, taste in zip(shares, tastes, strict=True)
        )
        pairs, least = np.unique(np.concatenate([pairs, u * shape.n_items + i])), 0
    everybody = np.arange(shape.n_users)[:, None] * shape.n_items + np.arange(shape.everybody)
    u, i = np.divmod(np.union1d(pairs, everybody), shape.n_items)
    order = rng.permutation(len(u))
    return u[order], i[order]


def _side(n: int, least: int, share: Numbers, taste: Numbers, rng: np.random.Generator) -> Rows:
    """The rows (n,) of one side, each ``least`` times and more, sorted by taste plus noise."""
    counts = least + rng.multinomial(max(n - least * len(share), 0), share)
    rows = rng.permutation(np.repeat(np.arange(len(share)), counts))[:n]
    return rows[np.argsort(taste[rows] + rng.normal(0, CHANCE, n), kind="stable")]
