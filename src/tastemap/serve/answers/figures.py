"""The pictures of the page about the model: the report's figures, drawn when they are asked for."""

import io
import threading
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import polars as pl

from tastemap.data.interactions import Interactions
from tastemap.data.nouns import item_noun
from tastemap.data.statistics import knows_releases
from tastemap.errors import UnsupportedError
from tastemap.explore.figures import model as model_plots
from tastemap.explore.figures import ratings as plots
from tastemap.explore.figures.calibration import plot_calibration
from tastemap.explore.figures.gap import plot_gaps
from tastemap.explore.figures.interactions import knows_moments, plot_activity, plot_weights
from tastemap.explore.overfitting import curve_metric
from tastemap.serve.model.loaded import LoadedModel

#: So many training ratings are drawn of predicted and true ones.
MAX_RATINGS_DRAWN = 20_000
DOTS_PER_INCH = 150
#: Lists of so many are tested.
LENGTH_OF_LISTS = 10

Draw = Callable[[LoadedModel], Any]


def _interactions(model: LoadedModel) -> Interactions:
    if isinstance(model.data, Interactions):
        return model.data
    raise UnsupportedError("weights", expected="a model of interactions")


def _predicted(model: LoadedModel) -> Any:
    """Predicted against true training ratings, a sample of them."""
    data = model.ratings
    rows = np.random.default_rng(0).permutation(len(data))[:MAX_RATINGS_DRAWN]
    predicted = model.model.predict_rows(data.user_index[rows], data.item_index[rows])
    return model_plots.plot_predictions_by_rating(
        data.rating[rows], model.scale.clip(predicted), model.scale
    )


def _history(model: LoadedModel) -> Any:
    history = model.model.history_
    is_sampled = "n_draws" in model.model.get_params()
    metric = curve_metric(history) or "loss"
    return model_plots.plot_history(history, metric, is_sampled=is_sampled)


def _calibration(model: LoadedModel) -> Any:
    tables = model.model.metrics_["calibration"]
    return plot_calibration(*(pl.DataFrame(tables[name]) for name in ("reliability", "coverage")))


def _gaps(model: LoadedModel) -> Any:
    """The lists by the time since a user was there last; ten items, or all there are."""
    gaps = pl.DataFrame(model.model.metrics_["gaps"])
    return plot_gaps(gaps, min(LENGTH_OF_LISTS, model.data.n_items))


# Heading, description and drawing by name.
_FIGURES: dict[str, tuple[str, str, Draw]] = {
    "history": ("Training", "The error after each epoch of training.", _history),
    "predicted": (
        "Predicted and true",
        "Predictions of ratings that the model was fitted on, by the true rating.",
        _predicted,
    ),
    "calibration": (
        "Promised and true",
        "How often what the model gave a probability came true, on test ratings.",
        _calibration,
    ),
    "gaps": (
        "The next click, or taste",
        "How often a list held what a person took up next, by the time since the one before.",
        _gaps,
    ),
    "ratings": (
        "The ratings",
        "How often each rating was given.",
        lambda model: plots.plot_rating_counts(model.ratings),
    ),
    "popularity": (
        "The {rows}",
        "How the {rows} are spread over the {items}.",
        lambda model: plots.plot_popularity(model.data),
    ),
    "people": (
        "The {rows}",
        "How many {items} people have {verb}.",
        lambda model: plots.plot_ratings_per_user(model.data),
    ),
    "weights": (
        "The {rows}",
        "How often each weight occurs.",
        lambda model: plot_weights(_interactions(model)),
    ),
    "activity": (
        "The {rows}",
        "How many {rows} there were over time.",
        lambda model: plot_activity(model.data),
    ),
    "years": (
        "The {rows}",
        "How many of the {items} came out in each year.",
        lambda model: plots.plot_releases_per_year(model.data),
    ),
}
# Matplotlib's settings are of the whole process: one figure at a time.
_drawing = threading.Lock()
_drawn: WeakKeyDictionary[LoadedModel, dict[str, bytes]] = WeakKeyDictionary()


def pictures(model: LoadedModel) -> list[tuple[str, list[tuple[str, str]]]]:
    """The figures of a model, by heading: name and description; none without Matplotlib."""
    if find_spec("matplotlib") is None:
        return []
    data, metrics = model.data, model.model.metrics_
    possible = {
        "history": curve_metric(model.model.history_) is not None,
        "predicted": model.capabilities.predicts,
        "calibration": "calibration" in metrics,
        "gaps": "gaps" in metrics,
        "ratings": model.has_ratings,
        "weights": isinstance(data, Interactions) and bool(np.ptp(data.weight)),
        "activity": not model.has_ratings and knows_moments(data),
        "years": knows_releases(data),
    }
    words = {"items": item_noun(data).plural, "rows": data.noun}
    words["verb"] = "rated" if model.has_ratings else "taken up"
    by_heading: dict[str, list[tuple[str, str]]] = {}
    for name, (heading, text, _) in _FIGURES.items():
        if possible.get(name, True):
            figures = by_heading.setdefault(heading.format(**words), [])
            figures.append((name, text.format(**words)))
    return list(by_heading.items())


def picture(model: LoadedModel, name: str) -> bytes | None:
    """A figure as PNG, drawn once for each model; None where the model has no such figure."""
    if name not in {shown for _, figures in pictures(model) for shown, _ in figures}:
        return None
    with _drawing:
        drawn = _drawn.setdefault(model, {})
        if name not in drawn:
            file = io.BytesIO()
            _FIGURES[name][2](model).savefig(file, format="png", dpi=DOTS_PER_INCH)
            drawn[name] = file.getvalue()
        return drawn[name]
