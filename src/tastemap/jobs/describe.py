"""Tables and figures that describe ratings."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from tastemap.data import statistics
from tastemap.data.ratings import Ratings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Ratings at the overall mean that damp the average of an item.
DAMPING_RATINGS = 25.0


def statistics_tables(ratings: Ratings) -> dict[str, pl.DataFrame]:
    """The tables that describe ratings, by title."""
    liked = statistics.average_ratings(ratings, damping=DAMPING_RATINGS)
    return {
        f"{ratings.source.name} at a glance": statistics.describe(ratings),
        "How often each rating is given": statistics.rating_counts(ratings).head(21),
        "The most popular items": statistics.most_popular(ratings, k=10),
        f"The best-liked items (average damped by {DAMPING_RATINGS:g} ratings)": liked.sort(
            "damped_average", descending=True
        ).head(10),
    }


def statistics_figures(ratings: Ratings) -> dict[str, "Figure"]:
    """The figures of ratings, by the name of their file."""
    from tastemap.explore.figures import ratings as plots

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
