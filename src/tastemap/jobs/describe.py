"""Tables and figures that describe ratings."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tastemap.data import statistics
from tastemap.data.feedback import Feedback
from tastemap.data.interactions import Interactions
from tastemap.data.nouns import item_noun
from tastemap.data.ratings import Ratings
from tastemap.explore.figures.style import Measure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Ratings at the overall mean that damp the average of an item.
DAMPING_RATINGS = 25.0
# More values than this are counted in so many parts of the scale.
MAX_VALUES, N_PARTS = 21, 10
# So many genres are shown.
N_GENRES = 20


def statistics_tables(ratings: Ratings | Interactions) -> dict[str, pl.DataFrame]:
    """The tables that describe ratings or interactions, by title."""
    if isinstance(ratings, Interactions):
        return _interaction_tables(ratings)
    liked = statistics.average_ratings(ratings, damping=DAMPING_RATINGS)
    liked = liked.filter(pl.col("popularity") > 0)  # some items may only have been seen
    items = item_noun(ratings).plural
    tables = {
        f"{ratings.source.name} at a glance": statistics.describe(ratings),
        "How often each rating is given": counts_table(ratings),
        f"The most popular {items}": statistics.most_popular(ratings, k=10),
        f"The best-liked {items} (average damped by {DAMPING_RATINGS:g} ratings)": liked.sort(
            "damped_average", descending=True
        ).head(10),
    }
    if (genres := genres_table(ratings)) is not None:
        tables[f"The genres of the {items}"] = genres.head(N_GENRES)
    return tables


def _interaction_tables(interactions: Interactions) -> dict[str, pl.DataFrame]:
    """The tables that describe interactions, by title; weights only where they differ."""
    items = item_noun(interactions).plural
    glance = statistics.describe_interactions(interactions)
    tables = {f"{interactions.source.name} at a glance": glance}
    has_weights = interactions.weight.min() != interactions.weight.max()
    if has_weights:
        tables["How often each weight occurs"] = counts_table(interactions)
    popular = statistics.popularity(interactions).rename({"popularity": "interactions"})
    if has_weights:
        n_items = interactions.n_items
        weight = np.bincount(interactions.item_index, interactions.weight, n_items)
        popular = popular.with_columns(weight=pl.Series(weight))
    popular = popular.sort("interactions", descending=True, maintain_order=True)
    tables[f"The most taken-up {items}"] = popular.head(10)
    if (genres := genres_table(interactions)) is not None:
        genres = genres.rename({"popularity": "interactions"})
        tables[f"The genres of the {items}"] = genres.head(N_GENRES)
    return tables


def genres_table(ratings: Feedback) -> pl.DataFrame | None:
    """How many items have each genre, and how many ratings these have, most first.

    Returns:
        Frame ``genre, items, popularity``; None where nothing is known of genres.
    """
    table = ratings.item_table
    if (
        table is None
        or "genres" not in table.columns
        or table["genres"].dtype != pl.List(pl.String)
    ):
        return None
    counted = table.select("genres", popularity=pl.Series(ratings.by_item.counts))
    genres = counted.explode("genres").drop_nulls().group_by(genre="genres")
    sums = genres.agg(pl.len().alias("items"), pl.sum("popularity"))
    return sums.sort(["popularity", "genre"], descending=[True, False]) if len(sums) else None


def counts_table(ratings: Ratings | Interactions) -> pl.DataFrame:
    """How often each rating or weight occurs; of many values, how many lie in parts of the scale.

    Returns:
        Frame ``rating, count``, or ``weight, count``; of more than 21 values ``from, to, count``,
        where a part holds its lower end, and the last one both. Parts are of equal width, or of
        equal width of the logarithm where few ratings are far above the others.
    """
    counts = statistics.value_counts(ratings)
    if len(counts) <= MAX_VALUES:
        return counts
    # The median of the table: a prepared one may be larger than memory.
    below = counts["count"].cum_sum().to_numpy()
    values = counts[ratings.value_name]
    median = values[int(np.searchsorted(below, below[-1] / 2))]
    low, high = values[0], values[-1]
    if isinstance(ratings, Ratings):
        low, high = ratings.scale.lowest, ratings.scale.highest
    ends = Measure.within(low, median, high).parts(low, high, N_PARTS)
    part = np.clip(np.searchsorted(ends, values, side="right") - 1, 0, N_PARTS - 1)
    sums = np.bincount(part, counts["count"], N_PARTS).astype(np.int64)
    return pl.DataFrame({"from": ends[:-1], "to": ends[1:], "count": sums})


def statistics_figures(ratings: Ratings | Interactions) -> dict[str, "Figure"]:
    """The figures of ratings or interactions, by the name of their file."""
    from tastemap.explore.figures import ratings as plots

    if isinstance(ratings, Interactions):
        return {
            "popularity": plots.plot_popularity(ratings),
            "interactions_per_user": plots.plot_ratings_per_user(ratings),
        }
    figures = {
        "popularity": plots.plot_popularity(ratings),
        "rating_counts": plots.plot_rating_counts(ratings),
        "ratings_per_user": plots.plot_ratings_per_user(ratings),
    }
    if statistics.knows_releases(ratings):
        figures["releases_per_year"] = plots.plot_releases_per_year(ratings)
    return figures


def save_figures(figures: Mapping[str, "Figure"], folder: Path) -> None:
    """Write figures as PNG files of their names."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        figure.savefig(folder / f"{name}.png", dpi=150)
