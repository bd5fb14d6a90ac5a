"""Small models on disk, fitted in a moment, for the tests of the application."""

from pathlib import Path

import numpy as np
import polars as pl

from tastemap.data.datasets.synthetic import synthetic_ratings
from tastemap.data.feedback import Feedback, Source
from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.models.registry import make_model

# Options that keep a fit short.
QUICK = {
    "mf": {"n_factors": 4, "n_epochs": 5},
    "bayes": {"n_factors": 4, "n_iterations": 20, "n_draws": 8},
}
SCRIPT = "<script>alert('x')</script> \"O'Brien\"; DROP TABLE ratings;--"

# Two films with facts, of which the second is one of drama alone, and one without.
NEW_ITEMS = pl.DataFrame(
    {
        "item_id": [901, 902, 903],
        "title": ["Laughter", "<i>Tears</i>", "Nothing"],
        "genres": [["Comedy"], ["Drama"], None],
    }
)


def small_ratings(seed: int = 0) -> Ratings:
    """Synthetic ratings whose first title is a script and an injection."""
    ratings = synthetic_ratings(seed=seed)
    table = ratings.item_table
    titles = [SCRIPT, *table["title"][1:]]
    return Ratings.from_frame(
        ratings.to_frame(),
        item_table=table.with_columns(title=pl.Series(titles)),
        source=Source("synthetic"),
    )


def small_interactions(ratings: Ratings | None = None) -> Interactions:
    """Who liked what of the same items, and when; the lowest ratings are dislikes."""
    ratings = small_ratings() if ratings is None else ratings
    frame = ratings.to_frame().filter((pl.col("rating") >= 4) | (pl.col("rating") == 1))
    weight = pl.when(pl.col("rating") >= 4).then(1.0).otherwise(-1.0).alias("weight")
    return Interactions.from_frame(
        frame.select("user_id", "item_id", weight, "timestamp"),
        item_table=ratings.item_table,
        source=Source("clicks", noun="film"),
    )


def text_ratings() -> Ratings:
    """The same with text ids that hold any character."""
    ratings = small_ratings()
    odd = ["a/b", "50%", "%2F", "né ☃", "#?&=", "..\\", "nul\0", " ", "'; --", "<b>"]
    names = [*odd, *(f"item {n}" for n in range(len(odd), ratings.n_items))]
    users = {n: f"user/{n}" for n in range(1, ratings.n_users + 1)}
    items = dict(zip(range(1, ratings.n_items + 1), names, strict=True))
    frame = ratings.to_frame().with_columns(
        pl.col("user_id").replace_strict(users), pl.col("item_id").replace_strict(items)
    )
    table = ratings.item_table.with_columns(pl.col("item_id").replace_strict(items))
    return Ratings.from_frame(frame, item_table=table, source=Source("synthetic"))


def save_small(ratings: Feedback, path: Path, name: str = "mf", seed: int = 0) -> Path:
    """A model, saved; one of ratings with a made-up map."""
    model = make_model(name, **QUICK.get(name, {})).fit(ratings, seed=seed, progress=False)
    if isinstance(ratings, Ratings):
        places = np.random.default_rng(0).normal(size=(ratings.n_items, 2))
        model.item_map_ = pl.DataFrame(
            {
                "item_id": ratings.items.ids,
                "x": places[:, 0],
                "y": places[:, 1],
                "preserved": np.linspace(0, 1, ratings.n_items),
            }
        )
        model.metrics_ = {"rmse": 0.9}
    model.save(path)
    return path
