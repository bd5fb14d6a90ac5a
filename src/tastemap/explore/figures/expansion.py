"""The figure of an expanded set: popularity, activity and spectrum of it and the original."""

from typing import TYPE_CHECKING

import numpy as np

from tastemap.arrays import F64, I64
from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError
from tastemap.explore.figures import style
from tastemap.support.extras import lab_package

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

N_SINGULAR_VALUES = 40
# The spectrum of a table with more users than this is that of a random sample of this size.
MAX_USERS_OF_SPECTRUM = 20_000
MAX_POINTS_OF_LINE = 400


def plot_expansion(original: Ratings, expanded: Ratings) -> "Figure":
    """Popularity of the items, activity of the users and spectrum, each of both tables.

    Popularity and activity are the numbers of ratings divided by their mean, over the rank of the
    item or user as a share of all. The spectrum is that of the ratings less their mean (0 for a
    missing rating), each singular value divided by the largest.

    Raises:
        ArgumentError: If a table has fewer than three users or items.
    """
    for ratings in (original, expanded):
        if min(ratings.n_users, ratings.n_items) < 3:
            raise ArgumentError("ratings", expected="three users and items", received=repr(ratings))
    with style.styled():
        figure, (popular, active, spectral) = style.new_figure(
            f"{len(expanded):,} ratings that keep the shape of {len(original):,}",
            f"{original.source.name}: {original.n_users:,} users, {original.n_items:,} items · "
            f"expanded: {expanded.n_users:,} users, {expanded.n_items:,} items",
            panels=3,
            height=3.6,
        )
        for ratings, label, colour, width in (
            (original, "original", style.BLUE, 4.0),
            (expanded, "expanded", style.VERMILION, 1.6),
        ):
            values = spectrum(ratings)
            for ax, (x, y) in (
                (popular, _ranked(ratings.by_item.counts)),
                (active, _ranked(ratings.by_user.counts)),
                (spectral, (np.arange(1, len(values) + 1), values / values[0])),
            ):
                ax.plot(x, y, label=label, color=colour, lw=width)
        _named(popular, "Popularity", "items, by rank", "ratings / mean")
        _named(active, "Activity", "users, by rank", "ratings / mean")
        _named(spectral, "Spectrum", "singular value", "value / largest")
        spectral.set_yticks([1, 0.5, 0.25], ["1", "0.5", "0.25"])
        spectral.set_yticks([], minor=True)
        spectral.set_ylim(min(0.2, *spectral.get_ylim()), 1.1)
        spectral.set_xticks([1, 3, 10, 30], ["1", "3", "10", "30"])
        popular.legend(fontsize=9, loc="lower left", handlelength=1.4)
    return figure


def spectrum(ratings: Ratings, k: int = N_SINGULAR_VALUES) -> F64:
    """The k largest singular values of the ratings less their mean, descending.

    For tables with more than 20,000 users, the values of a random sample of 20,000.
    """
    sparse, linalg = lab_package("scipy.sparse"), lab_package("scipy.sparse.linalg")
    if ratings.n_users > MAX_USERS_OF_SPECTRUM:
        drawn = np.zeros(ratings.n_users, dtype=np.bool_)
        drawn[np.random.default_rng(0).permutation(ratings.n_users)[:MAX_USERS_OF_SPECTRUM]] = True
        ratings = ratings.take(drawn[ratings.user_index])
    table = sparse.csr_matrix(
        (
            ratings.rating.astype(np.float64) - ratings.global_mean,
            (ratings.user_index, ratings.item_index),
        ),
        shape=(ratings.n_users, ratings.n_items),
    )
    k = min(k, min(table.shape) - 1)
    start = np.ones(min(table.shape))  # SciPy's own start is random
    values = linalg.svds(table, k=k, v0=start, return_singular_vectors=False)
    return np.sort(np.asarray(values))[::-1]


def _ranked(counts: I64) -> tuple[F64, F64]:
    """Ranks as shares, at places even on a logarithmic axis, and counts divided by their mean."""
    falling = np.sort(counts[counts > 0])[::-1]
    n = len(falling)
    places = np.unique(np.geomspace(1, n, min(n, MAX_POINTS_OF_LINE)).astype(np.int64)) - 1
    return (places + 1) / n, falling[places] / falling.mean()


def _named(ax: "Axes", title: str, x: str, y: str) -> None:
    ax.set(xscale="log", yscale="log", xlabel=x, ylabel=y)
    ax.set_title(title, size=10.5, color=style.INK)
    style.rules(ax, "both")
