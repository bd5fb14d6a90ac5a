"""Several models on the same split: a leaderboard whose best is chosen on validation ratings."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import polars as pl

from tastemap.data.ratings import Ratings
from tastemap.data.splits import train_test_split
from tastemap.errors import ArgumentError
from tastemap.evaluation.metrics import mae, rmse
from tastemap.models import make_model
from tastemap.models.base import Recommender

Maker: TypeAlias = Callable[[], Recommender]


@dataclass(frozen=True)
class Leaderboard:
    """Errors of several models, fitted and scored alike.

    Attributes:
        frame: One row a model, best validation error first: ``model, point, train_mae,
            validation_mae, test_mae, test_rmse, seconds``, each a mean over the seeds; with more
            than one seed also ``test_mae_std``, the standard deviation over them.
        fitted: The models of the first seed, by name.
        chosen: Name of the model with the least mean validation error.
    """

    frame: pl.DataFrame
    fitted: dict[str, Recommender]
    chosen: str


def compare(
    models: Mapping[str, Maker] | Sequence[str],
    train: Ratings,
    test: Ratings,
    *,
    validation_size: float = 0.1,
    seeds: Sequence[int] = (0,),
    progress: Callable[[str], None] | None = None,
) -> Leaderboard:
    """Fit and score models on the same ratings.

    For each seed a part of the training ratings, drawn at random, is held out for validation: it
    stops the training of the models that look at it, and it alone decides which model is chosen.
    The test ratings are predicted once, after everything is decided. A model with a distribution
    over ratings is scored by its median, which has the least expected absolute error; its RMSE is
    that of its mean.

    Args:
        models: Names from `tastemap.models.MODELS`, or ``{name: function that makes a model}``.
        train, test: Ratings to learn from and to score on.
        validation_size: Share of the training ratings held out, in (0, 1).
        seeds: One fit of each model for each seed.
        progress: Called with a model's name before it is fitted.

    Raises:
        ArgumentError: If there is no model, no seed, or an unknown name.
    """
    if not isinstance(models, Mapping):
        models = {name: lambda name=name: make_model(name) for name in models}  # type: ignore[misc]
    if not models or not seeds:
        raise ArgumentError(
            "models, seeds", expected="at least one of each", received=(list(models), list(seeds))
        )
    fitted: dict[str, Recommender] = {}
    rows = []
    for seed in seeds:
        inner, validation = train_test_split(train, test_size=validation_size, seed=seed)
        for name, make in models.items():
            if progress:
                progress(name)
            started = time.perf_counter()
            model = make().fit(inner, validation=validation, seed=seed, progress=False)
            seconds = time.perf_counter() - started
            fitted.setdefault(name, model)
            rows.append({"model": name, "seconds": seconds} | _row(model, inner, validation, test))
    frame = _averaged(pl.DataFrame(rows), several=len(seeds) > 1)
    return Leaderboard(frame, fitted, frame["model"][0])


def _row(
    model: Recommender, train: Ratings, validation: Ratings, test: Ratings
) -> dict[str, float | str]:
    point = "median" if model.has_distribution else "mean"
    rest: dict[str, float | str] = {
        "point": point,
        "test_rmse": rmse(test.rating, model.predict_ratings(test)),
    }
    parts = {"train": train, "validation": validation, "test": test}
    errors = {
        f"{part}_mae": mae(data.rating, model.predict_ratings(data, point=point))
        for part, data in parts.items()
    }
    return rest | errors


def _averaged(rows: pl.DataFrame, several: bool) -> pl.DataFrame:
    """The mean over seeds of each model, best validation error first."""
    columns = ["train_mae", "validation_mae", "test_mae", "test_rmse", "seconds"]
    spread = [pl.col("test_mae").std().alias("test_mae_std")]
    means = rows.group_by("model", "point", maintain_order=True).agg(
        *(pl.col(column).mean() for column in columns), *(spread if several else [])
    )
    return means.sort("validation_mae", maintain_order=True)
