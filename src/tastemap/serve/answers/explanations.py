"""Why a prediction is what it is, and what it would be without a rating."""

import numpy as np

from tastemap.serve.model.catalogue import Rows
from tastemap.serve.model.loaded import LoadedModel, Person
from tastemap.serve.schemas import Explanation, Part, Prediction

# For so many of the largest parts the prediction without that rating is worked out: fewer where
# nothing else explains the prediction, since such models are slow.
WITHOUT, WITHOUT_OTHERS = 10, 5


def explanation(
    model: LoadedModel, someone: Person, row: int, prediction: Prediction
) -> Explanation:
    """The parts of a prediction; see `Service.explain`."""
    catalogue = model.catalogue
    about = catalogue.id_at(row), catalogue.title_at(row), prediction
    if someone.source == "popular":
        mean = model.data.global_mean
        parts = [
            Part("mean of all ratings", mean),
            Part("what others give it", float(catalogue.damped[row]) - mean),
        ]
        return Explanation(*about, parts, note="The damped average of everybody.")
    if model.explains:
        return Explanation(*about, _additive(model, someone, row))
    return Explanation(
        *about,
        _by_leaving_out(model, someone, row),
        additive=False,
        note="This model's predictions are not sums of parts; shown is what your ratings of the "
        "most similar items change.",
    )


def _additive(model: LoadedModel, someone: Person, row: int) -> list[Part]:
    """The model's own parts, which add up."""
    frame = model.parts(someone, row)
    rated = frame["item_id"].drop_nulls()[:WITHOUT]
    rows = model.data.items.index(rated)
    left = dict(zip(rated.to_list(), without(model, someone, row, rows), strict=True))
    return [
        Part(name, contribution, item_id, title, rating, left.get(item_id))
        for name, item_id, title, rating, contribution in frame.rows()
    ]


def _by_leaving_out(model: LoadedModel, someone: Person, row: int) -> list[Part]:
    """What the ratings of the most similar items change, one at a time."""
    if not model.model.folds_in:
        return []
    rated = someone.rows
    directions = model.item_directions
    if directions is not None:
        similarity = directions[rated] @ directions[row]
        rated = rated[np.argsort(-similarity, kind="stable")]
    rated = rated[:WITHOUT_OTHERS]
    scores = model.scores(someone)
    shown = model.predicted(someone, scores)
    whole = float((scores if shown is None else shown)[row])
    ids, titles = model.data.items.ids, model.data.items.titles
    return [
        Part("your rating", whole - left, ids[one], titles[one], someone.own[one], left)
        for one, left in zip(rated.tolist(), without(model, someone, row, rated), strict=True)
    ]


def without(model: LoadedModel, someone: Person, row: int, rated: Rows) -> list[float]:
    """The prediction of an item (a score, where the model only ranks) without each rating.

    The person is folded in anew from the other ratings; with none left, it is the damped average.
    """
    found = []
    for one in rated.tolist():
        rest = someone.rows != one
        other = model.person(someone.rows[rest], someone.rating[rest])
        found.append(_answer(model, other, row))
    return found


def _answer(model: LoadedModel, someone: Person, row: int) -> float:
    """The predicted rating of one item; a score where the model only ranks.

    The mean of its distribution, where there is one, costs a part of what all scores do.
    """
    found, levels = model.distribution(someone, row), model.scale.levels
    if found is not None and levels is not None:
        return float(found @ levels)
    scores = model.scores(someone)
    shown = model.predicted(someone, scores)
    return float((scores if shown is None else shown)[row])
