"""Tables, figures and the section of a report that describe ratings or interactions."""

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
from tastemap.explore.report.blocks import Facts, Picture, Table
from tastemap.explore.report.report import Block
from tastemap.support.counts import percentage, plain, rounded

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Ratings at the overall mean that damp the average of an item.
DAMPING_RATINGS = 25.0
# More values than this are counted in so many parts of the scale.
MAX_VALUES, N_PARTS = 21, 10
# So many genres are shown, and so many placeholders named.
N_GENRES, MAX_NAMED = 20, 5


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


def notes_of(ratings: Feedback) -> tuple[str, ...]:
    """How the table was read, and which of its items stand for none."""
    if (note := placeholder_note(ratings)) is None:
        return ratings.source.notes
    return (*ratings.source.notes, note)


def placeholder_note(ratings: Feedback) -> str | None:
    """Which items stand for none and are left out of lists, in a sentence; None if there are none.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> placeholder_note(synthetic_ratings()) is None
        True
    """
    items, noun = ratings.items, item_noun(ratings)
    rows = np.flatnonzero(items.placeholders)
    if not len(rows):
        return None
    shown = zip(items.ids_at(rows[:MAX_NAMED]), items.titles.gather(rows[:MAX_NAMED]), strict=True)
    named = ", ".join(f"{id_} “{title}”" if str(id_) != title else str(id_) for id_, title in shown)
    more = f" and {len(rows) - MAX_NAMED:,} more" if len(rows) > MAX_NAMED else ""
    verb = f"{noun.singular} has" if len(rows) == 1 else f"{noun.plural} have"
    lack = f"{len(rows):,} {verb} no title that says what it is, and no place in lists"
    return f"{lack}: {named}{more}"


def _interaction_tables(interactions: Interactions) -> dict[str, pl.DataFrame]:
    """The tables that describe interactions, by title; weights only where they differ."""
    items = item_noun(interactions).plural
    glance = statistics.describe_interactions(interactions)
    tables = {f"{interactions.source.name} at a glance": glance}
    if has_weights(interactions):
        tables["How often each weight occurs"] = counts_table(interactions)
    tables[f"The most taken-up {items}"] = taken_up_table(interactions).head(10)
    if (genres := genres_table(interactions)) is not None:
        genres = genres.rename({"popularity": "interactions"})
        tables[f"The genres of the {items}"] = genres.head(N_GENRES)
    return tables


def has_weights(interactions: Interactions) -> bool:
    """Whether some interactions weigh more than others."""
    return bool(interactions.weight.min() != interactions.weight.max())


def taken_up_table(interactions: Interactions) -> pl.DataFrame:
    """The items with most interactions, most first.

    Returns:
        Frame ``item_id, title, interactions``, and ``weight``, their sum, where weights differ.
    """
    popular = statistics.popularity(interactions).rename({"popularity": "interactions"})
    if has_weights(interactions):
        weight = np.bincount(interactions.item_index, interactions.weight, interactions.n_items)
        popular = popular.with_columns(weight=pl.Series(weight))
    return popular.sort("interactions", descending=True, maintain_order=True)


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
        return {name: picture.figure for name, picture in _pictures(ratings).items()}
    figures = {
        "popularity": plots.plot_popularity(ratings),
        "rating_counts": plots.plot_rating_counts(ratings),
        "ratings_per_user": plots.plot_ratings_per_user(ratings),
    }
    if statistics.knows_releases(ratings):
        figures["releases_per_year"] = plots.plot_releases_per_year(ratings)
    return figures


def data_blocks(ratings: Ratings | Interactions) -> list[Block]:
    """The table at a glance, for a report: counts, most popular, best liked, and the figures."""
    if isinstance(ratings, Interactions):
        return _interaction_blocks(ratings)
    from tastemap.explore.figures import ratings as plots

    row = statistics.describe(ratings).row(0, named=True)
    liked = statistics.average_ratings(ratings, damping=DAMPING_RATINGS)
    span, noun = ratings.scale.highest - ratings.scale.lowest, item_noun(ratings)
    blocks: list[Block] = [
        Facts(
            [
                ("ratings", row["ratings"]),
                ("users", row["users"]),
                (noun.plural, row["items"]),
                ("mean rating", rounded(row["mean"], span)),
                ("of all pairs rated", percentage(row["density"])),
                (f"{noun.plural} rated once", row["items_rated_once"]),
            ]
        ),
        Picture(
            plots.plot_popularity(ratings),
            f"Left, a histogram of the number of ratings of {noun.indefinite}; right, the share of"
            f" all ratings that the most popular {noun.plural} hold.",
        ),
        Picture(plots.plot_rating_counts(ratings), "How often each rating is given."),
        Picture(plots.plot_ratings_per_user(ratings), "Histogram of the ratings of a user."),
    ]
    if statistics.knows_releases(ratings):
        blocks.append(
            Picture(plots.plot_releases_per_year(ratings), f"New {noun.plural} each year.")
        )
    return [
        *blocks,
        Table(statistics.most_popular(ratings, k=10), f"The most popular {noun.plural}"),
        Table(
            liked.sort("damped_average", descending=True).head(10),
            f"The best-liked {noun.plural}, by an average damped with 25 ratings at the overall"
            f" mean: the plain average beside it favours {noun.plural} with few ratings",
        ),
    ]


def _interaction_blocks(interactions: Interactions) -> list[Block]:
    """The interactions at a glance, for a report."""
    row = statistics.describe_interactions(interactions).row(0, named=True)
    noun, per_item = item_noun(interactions), interactions.by_item.counts
    facts: list[tuple[str, object]] = [
        ("interactions", row["interactions"]),
        ("users", row["users"]),
        (noun.plural, row["items"]),
        ("of all pairs", percentage(row["density"])),
        ("of a user, the median", plain(row["interactions_per_user_median"])),
        (f"{noun.plural} taken up once", int((per_item == 1).sum())),
    ]
    return [
        *interactions.source.notes[:1],
        Facts(facts),
        *_pictures(interactions).values(),
        Table(taken_up_table(interactions).head(10), f"The most taken-up {noun.plural}", digits=0),
    ]


def _pictures(interactions: Interactions) -> dict[str, Picture]:
    """The figures of interactions, by the name of their file."""
    from tastemap.explore.figures import interactions as plots
    from tastemap.explore.figures import ratings as counts

    noun = item_noun(interactions)
    pictures = {
        "popularity": Picture(
            counts.plot_popularity(interactions),
            f"Left, a histogram of the number of interactions of {noun.indefinite}; right, the"
            f" share of all interactions that the most popular {noun.plural} hold.",
        ),
        "interactions_per_user": Picture(
            counts.plot_ratings_per_user(interactions), "Histogram of the interactions of a user."
        ),
    }
    if has_weights(interactions):
        figure = plots.plot_weights(interactions)
        pictures["weights"] = Picture(figure, "How often each weight occurs.")
    if plots.knows_moments(interactions):
        figure = plots.plot_activity(interactions)
        pictures["activity"] = Picture(figure, "Number of interactions over time.")
    if statistics.knows_releases(interactions):
        figure = counts.plot_releases_per_year(interactions)
        pictures["releases_per_year"] = Picture(figure, f"New {noun.plural} each year.")
    return pictures


def save_figures(figures: Mapping[str, "Figure"], folder: Path) -> None:
    """Write figures as PNG files of their names."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        figure.savefig(folder / f"{name}.png", dpi=150)
