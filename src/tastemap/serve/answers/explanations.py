"""Why a prediction is what it is, and what it would be without a rating."""

import numpy as np
import polars as pl

from tastemap.arrays import IndexArray
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.model.user import ServedUser
from tastemap.serve.schemas import Explanation, Part, Prediction

# For so many of the largest parts the prediction without that rating is worked out. They are fewer
# where nothing else explains the prediction, since such models are slow.
MAX_PARTS_LEFT_OUT, MAX_RATINGS_LEFT_OUT = 10, 5


def explanation(
    model: LoadedModel, user: ServedUser, row: int, prediction: Prediction
) -> Explanation:
    """The parts of a prediction; see `Service.explain`."""
    catalogue = model.catalogue
    about = *catalogue[row][:2], prediction
    if user.source == "popular":
        score = float(catalogue.default_scores[row])
        if not model.has_ratings:
            parts = [Part("people who like it", score)]
            return Explanation(*about, parts, note="How many people like it.")
        mean = model.ratings.global_mean
        parts = [Part("mean of all ratings", mean), Part("what others give it", score - mean)]
        return Explanation(*about, parts, note="The damped average of everybody.")
    if model.capabilities.explains:
        return Explanation(*about, _additive(model, user, row))
    if not (model.has_ratings or model.is_personal):
        return Explanation(*about, [], additive=False, note="This model answers everybody alike.")
    return Explanation(
        *about,
        _by_leaving_out(model, user, row),
        additive=False,
        note="This model's predictions are not sums of parts; shown is what your ratings of the "
        "most similar items change.",
    )


def _additive(model: LoadedModel, user: ServedUser, row: int) -> list[Part]:
    """The model's own parts, which add up."""
    explained = model.model.explain_rows(user.user, row)
    frame = explained.to_frame(model.data.items)
    if not model.has_ratings:  # what is disliked adds nothing
        frame = frame.filter(pl.col("rating").is_null() | (pl.col("rating") > 0))
    if "places_back" not in frame.columns:
        frame = frame.with_columns(places_back=None)
    rated_ids = frame["item_id"].drop_nulls()[:MAX_PARTS_LEFT_OUT]
    rated = model.data.items.index(rated_ids)
    if explained.without is None:
        predictions = without(model, user, row, rated)
    else:  # the parts are made of these
        by_row = dict(zip(user.item_index.tolist(), explained.without.tolist(), strict=True))
        predictions = [by_row[item] for item in rated.tolist()]
    prediction_without = dict(zip(rated_ids.to_list(), predictions, strict=True))
    columns = ("part", "contribution", "item_id", "title", "rating", "places_back")
    return [
        Part(name, contribution, item_id, title, rating, prediction_without.get(item_id), places)
        for name, contribution, item_id, title, rating, places in frame.select(columns).rows()
    ]


def _by_leaving_out(model: LoadedModel, user: ServedUser, row: int) -> list[Part]:
    """What the ratings of the most similar items change, one at a time."""
    if not model.capabilities.folds_in:
        return []
    rated = user.item_index
    directions = model.item_directions
    if directions is not None:
        similarity = directions[rated] @ directions[row]
        rated = rated[np.argsort(-similarity, kind="stable")]
    rated = rated[:MAX_RATINGS_LEFT_OUT]
    prediction = _predicted(model, user, row)
    ids, titles = model.data.items.ids, model.data.items.titles
    return [
        Part("your rating", prediction - rest, ids[item], titles[item], user.rating_of[item], rest)
        for item, rest in zip(rated.tolist(), without(model, user, row, rated), strict=True)
    ]


def without(model: LoadedModel, user: ServedUser, row: int, rated: IndexArray) -> list[float]:
    """The prediction of an item (a score, where the model only ranks) without each rating.

    The user is folded in anew from the other ratings; with none left, it is what is answered to
    somebody of whom nothing is known.
    """
    predictions = []
    for item in rated.tolist():
        others = user.item_index != item
        seen, gap = user.user.seen, user.gap
        rest = model.fold_in(user.item_index[others], user.rating[others], seen, gap)
        predictions.append(_predicted(model, rest, row))
    return predictions


def _predicted(model: LoadedModel, user: ServedUser, row: int) -> float:
    """The predicted rating of one item; a score where the model only ranks."""
    score = model.scores_at(user, np.array([row], dtype=np.int32))[0]
    predicted = model.predicted(user, score)
    return float(score if predicted is None else predicted)
