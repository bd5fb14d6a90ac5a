"""Predictions of pairs of a user and an item: of one, and many of a few users at once."""

from collections.abc import Mapping, Sequence

import numpy as np

from tastemap.arrays import FloatArray, IndexArray
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.model.user import ServedUser
from tastemap.serve.schemas import LevelProbability, PairPrediction, Prediction, Predictions


def predictions(
    model: LoadedModel, users: Mapping[str, ServedUser], user_ids: Sequence[str], rows: IndexArray
) -> Predictions:
    """Predictions in the order of the pairs; see `Service.predict`.

    All pairs of users of the training data are one call of the model, and so are those of somebody
    who was folded in.

    Args:
        model: The model.
        users: Each user by id.
        user_ids: The user of each pair.
        rows: The row of each pair's item, (n,).
    """
    user_index = np.array([users[user_id].user_index for user_id in user_ids], dtype=np.int32)
    answers: dict[int, PairPrediction] = {}
    basis = model.basis_of(rows)

    def answer(places: list[int], user: ServedUser, scores: FloatArray) -> None:
        """Note the scores of the pairs at some places; the user says what scores are worth."""
        predicted = model.predicted(user, scores)
        guesses = [None] * len(places) if predicted is None else predicted.tolist()
        for place, score, guess in zip(places, scores.tolist(), guesses, strict=True):
            user_id, item_id = user_ids[place], model.catalogue[rows[place]].item_id
            source = users[user_id].source
            answers[place] = PairPrediction(user_id, item_id, guess, score, source, basis[place])

    if trained := np.flatnonzero(user_index >= 0).tolist():
        scores = model.model.predict_rows(user_index[trained], rows[trained])
        answer(trained, users[user_ids[trained[0]]], scores)
    for user_id, user in users.items():
        if user.user_index < 0:
            places = [place for place, other in enumerate(user_ids) if other == user_id]
            answer(places, user, model.scores_at(user, rows[places]))
    return Predictions([answers[place] for place in range(len(user_ids))])


def prediction_of(model: LoadedModel, user: ServedUser, row: int) -> Prediction:
    """What a user would give an item."""
    score = model.scores_at(user, np.array([row], dtype=np.int32))[0]
    rating = model.predicted(user, score)
    predicted = None if rating is None else float(rating)
    distribution, levels = model.distribution(user, row), None
    if distribution is not None and model.scale.levels is not None:
        pairs = zip(model.scale.levels.tolist(), distribution.tolist(), strict=True)
        levels = [LevelProbability(*pair) for pair in pairs]
    error = model.error() if levels is None and predicted is not None else None
    return Prediction(predicted, user.source, levels, error, float(score))
