"""What a table of ratings holds: pure functions from `Ratings` to Polars frames.

Frames about items have one row an item, in the row order of ``ratings.items``. An item of the
vocabulary without a rating in these ratings has the count 0.
"""

import numpy as np
import polars as pl

from tastemap.arrays import F64, I64
from tastemap.data.chunks import damped_mean, distinct, sums
from tastemap.data.feedback import Feedback, pair_numbers
from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError


def describe(ratings: Ratings) -> pl.DataFrame:
    """The ratings at a glance: one row, one column a figure.

    Returns:
        One row with counts (``ratings, users, items, items_rated_once``), ``density`` (the share
        of all pairs of user and item that are rated), the scale (``lowest, highest, step``), the
        distribution of ratings (``mean, std`` with n - 1, ``q25, median, q75``), minimum, median
        and maximum of the number of ratings per user and per item, and ``first, last``, the times
        (UTC) of the earliest and latest rating, null where unknown. Users and items are those
        that have a rating here. Where pairs were seen without a rating, ``seen`` is their number.

    Example:
        >>> table = {"user_id": [1, 1, 2], "item_id": [7, 8, 7], "rating": [4, 2, 5]}
        >>> describe(Ratings.from_frame(pl.DataFrame(table))).select("ratings", "users", "density")
        shape: (1, 3)
        ┌─────────┬───────┬─────────┐
        │ ratings ┆ users ┆ density │
        │ ---     ┆ ---   ┆ ---     │
        │ i64     ┆ i64   ┆ f64     │
        ╞═════════╪═══════╪═════════╡
        │ 3       ┆ 2     ┆ 0.75    │
        └─────────┴───────┴─────────┘
    """
    per_user, per_item = (
        groups.counts[groups.counts > 0] for groups in (ratings.by_user, ratings.by_item)
    )
    scale, times = ratings.scale, ratings.timestamp
    figures = {
        "ratings": len(ratings),
        "users": len(per_user),
        "items": len(per_item),
        "density": len(ratings) / (len(per_user) * len(per_item)) if len(ratings) else None,
        "lowest": scale.lowest,
        "highest": scale.highest,
        "step": scale.step,
        **_distribution(ratings),
        **_spread("ratings_per_user", per_user),
        **_spread("ratings_per_item", per_item),
        "items_rated_once": int((per_item == 1).sum()),
        "first": None if times is None or not len(times) else int(times.min()),
        "last": None if times is None or not len(times) else int(times.max()),
        **({} if ratings.seen is None else {"seen": len(ratings.seen)}),
    }
    floats = ("density", "step", "mean", "std", "q25", "median", "q75")
    return pl.DataFrame([figures]).with_columns(
        pl.col(floats).cast(pl.Float64),
        pl.from_epoch(pl.col("first", "last").cast(pl.Int64)).dt.replace_time_zone("UTC"),
    )


def at_a_glance(ratings: Ratings | Interactions) -> pl.DataFrame:
    """One row with the figures of a table: `describe`, or `describe_interactions`."""
    if isinstance(ratings, Ratings):
        return describe(ratings)
    return describe_interactions(ratings)


def describe_interactions(interactions: Interactions) -> pl.DataFrame:
    """The interactions at a glance: one row, one column a figure.

    Returns:
        One row with counts (``interactions, users, items``), ``density`` (the share of all pairs of
        user and item that have an interaction), minimum, median and maximum of the number of
        interactions per user and per item, the same of the sums of weights (float) where weights
        differ, and ``first, last``, the times (UTC), null where unknown.

    Example:
        >>> table = {"user_id": [1, 1, 2], "item_id": [7, 8, 7]}
        >>> glance = describe_interactions(Interactions.from_frame(pl.DataFrame(table)))
        >>> glance.select("interactions", "users", "density").rows()
        [(3, 2, 0.75)]
    """
    users, items = interactions.user_index, interactions.item_index
    weights, times = interactions.weight, interactions.timestamp
    per_user, per_item = np.bincount(users), np.bincount(items)
    has_user, has_item = per_user > 0, per_item > 0
    n_users, n_items = int(has_user.sum()), int(has_item.sum())
    n_pairs = len(np.unique(pair_numbers(users, items, interactions.n_items)))
    figures: dict[str, float | None] = {
        "interactions": len(interactions),
        "users": n_users,
        "items": n_items,
        "density": n_pairs / (n_users * n_items) if n_pairs else None,
        **_spread("interactions_per_user", per_user[has_user]),
        **_spread("interactions_per_item", per_item[has_item]),
    }
    if len(weights) and weights.min() != weights.max():
        of_users, of_items = np.bincount(users, weights), np.bincount(items, weights)
        figures |= _spread("weight_per_user", of_users[has_user])
        figures |= _spread("weight_per_item", of_items[has_item])
    figures["first"] = None if times is None or not len(times) else int(times.min())
    figures["last"] = None if times is None or not len(times) else int(times.max())
    return pl.DataFrame([figures]).with_columns(
        pl.from_epoch(pl.col("first", "last").cast(pl.Int64)).dt.replace_time_zone("UTC")
    )


def popularity(ratings: Feedback) -> pl.DataFrame:
    """Number of ratings of each item: ``item_id, title, popularity``, in item row order."""
    counts = pl.Series("popularity", ratings.by_item.counts)
    return pl.DataFrame([ratings.items.ids, ratings.items.titles, counts])


def most_popular(ratings: Feedback, k: int = 10) -> pl.DataFrame:
    """The ``k`` items with most ratings, most first; of equals, the first in item row order.

    Raises:
        ArgumentError: If ``k`` is not at least 1.
    """
    if k < 1:
        raise ArgumentError("k", expected="at least 1", received=repr(k))
    return popularity(ratings).sort("popularity", descending=True, maintain_order=True).head(k)


def rated_once(ratings: Ratings) -> pl.DataFrame:
    """The items with a single rating: ``item_id, title, popularity``."""
    return popularity(ratings).filter(pl.col("popularity") == 1)


def average_ratings(ratings: Ratings, damping: float = 5.0) -> pl.DataFrame:
    """The average rating of each item, and a damped average that few ratings move little.

    With n_i ratings of item i whose sum is s_i, and the global mean mu:

        average_i = s_i / n_i
        damped_average_i = (s_i + damping * mu) / (n_i + damping)

    which is the average after ``damping`` further ratings equal to mu: the better mean of
    S. Funk, *Netflix Update: Try This at Home* (2006). An item with one rating of 5 no longer
    stands above one with a hundred ratings of 4.9.

    Args:
        ratings: The table.
        damping: Number of ratings of mu that are added; 0 adds none.

    Returns:
        ``item_id, title, average, damped_average, popularity``, in item row order. An item
        without a rating has no average, and mu as its damped average (none with damping 0).

    Raises:
        ArgumentError: If ``damping`` is negative.

    Example:
        >>> table = {"user_id": [1, 2, 1], "item_id": [7, 7, 8], "rating": [3, 3, 5]}
        >>> averages = average_ratings(Ratings.from_frame(pl.DataFrame(table)), damping=1)
        >>> averages["damped_average"].round(2).to_list()
        [3.22, 4.33]
    """
    if not damping >= 0:
        raise ArgumentError("damping", expected="0 or more", received=repr(damping))
    total = sums(ratings.item_index, ratings.n_items, lambda rows: ratings.rating[rows])
    counts, mean = ratings.by_item.counts, ratings.global_mean if len(ratings) else np.nan
    averages = {
        "average": damped_mean(total, counts, 0.0, np.nan),
        "damped_average": damped_mean(total, counts, damping, mean if damping else np.nan),
    }
    return (
        popularity(ratings)
        .with_columns(**{name: pl.Series(values) for name, values in averages.items()})
        .select("item_id", "title", pl.col(*averages).fill_nan(None), "popularity")
    )


def value_counts(ratings: Ratings | Interactions) -> pl.DataFrame:
    """How often each rating or weight occurs, ascending: `rating_counts`, or ``weight, count``."""
    if isinstance(ratings, Ratings):
        return rating_counts(ratings)
    values, counts = distinct(ratings.weight)
    return pl.DataFrame({"weight": values.astype(np.float64), "count": counts})


def rating_counts(ratings: Ratings) -> pl.DataFrame:
    """How often each rating was given: ``rating, count``, ascending.

    On a scale with steps all levels are listed, also those that were never given.
    """
    values, counts = distinct(ratings.rating)
    levels = ratings.scale.levels
    if levels is None:
        return pl.DataFrame({"rating": values.astype(np.float64), "count": counts})
    nearest = np.round((values - ratings.scale.lowest) / (ratings.scale.step or 1.0))
    counts = np.bincount(nearest.astype(np.int64), counts, len(levels)).astype(np.int64)
    return pl.DataFrame({"rating": levels, "count": counts})


def releases_per_year(ratings: Feedback) -> pl.DataFrame:
    """How many of the items came out in each year: ``release_year, items``, ascending.

    Items without a year are left out.

    Raises:
        ArgumentError: If the items have no ``release_year``.
    """
    table = ratings.item_table
    if table is None or "release_year" not in table.columns:
        raise ArgumentError(
            "releases per year",
            expected="items with a column release_year",
            received="none" if table is None else f"columns {', '.join(table.columns)}",
            do="read the ratings together with a table of items",
        )
    years = table.drop_nulls("release_year").group_by("release_year")
    return years.agg(pl.len().cast(pl.Int64).alias("items")).sort("release_year")


def knows_releases(ratings: Feedback) -> bool:
    """Whether any item has a ``release_year``."""
    frame = ratings.items.frame
    return "release_year" in frame.columns and frame["release_year"].count() > 0


def ratings_per_user(ratings: Ratings) -> pl.DataFrame:
    """Activity of each user: ``user_id, ratings, average``, in user row order."""
    counts = ratings.by_user.counts
    total = sums(ratings.user_index, ratings.n_users, lambda rows: ratings.rating[rows])
    average = pl.Series("average", damped_mean(total, counts, 0.0, np.nan)).fill_nan(None)
    return pl.DataFrame([ratings.users.ids, pl.Series("ratings", counts), average])


def _distribution(ratings: Ratings) -> dict[str, float | None]:
    """Mean, standard deviation (n - 1) and quartiles, from how often each rating is given."""
    levels, counts = distinct(ratings.rating)
    values, n = levels.astype(np.float64), len(ratings)
    if not n:
        return dict.fromkeys(("mean", "std", "q25", "median", "q75"))
    mean = float(values @ counts) / n
    deviation = float(np.sqrt((values - mean) ** 2 @ counts / (n - 1))) if n > 1 else None
    up_to = np.cumsum(counts)

    def quantile(q: float) -> float:
        place = q * (n - 1)
        low, high = (
            values[np.searchsorted(up_to, end, "right")] for end in (int(place), -(-place // 1))
        )
        return float(low + (place - int(place)) * (high - low))

    quartiles = {"q25": quantile(0.25), "median": quantile(0.5), "q75": quantile(0.75)}
    return {"mean": mean, "std": deviation, **quartiles}


def _spread(name: str, counts: I64 | F64) -> dict[str, float | None]:
    names = (f"{name}_min", f"{name}_median", f"{name}_max")
    if not len(counts):
        return dict.fromkeys(names)
    values = (counts.min().item(), float(np.median(counts)), counts.max().item())
    return dict(zip(names, values, strict=True))
