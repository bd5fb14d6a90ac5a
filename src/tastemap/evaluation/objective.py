"""The metric by which fitted models are chosen, and the part of each user."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tastemap.arrays import F64
from tastemap.data.feedback import Feedback
from tastemap.data.interactions import Interactions
from tastemap.data.nouns import item_noun
from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError
from tastemap.evaluation.evaluate import best_point, rank_unseen
from tastemap.metrics.bootstrap import paired_differences, user_sums
from tastemap.models.base.recommender import Recommender

#: Length of the lists that judge a model that ranks; all items if there are fewer.
LIST_LENGTH = 10
# Least share of the ratings that the upper quarter of a scale must hold, to be what people like.
MIN_SHARE_OF_LIKES = 0.05


def like_threshold(ratings: Ratings | Interactions) -> float | None:
    """The rating from which on an item is liked, where the upper quarter of the scale says little.

    Of counts, such as how often a song was played, a few outliers make the scale, and almost none
    lie in its upper quarter. Then the upper half of the ratings counts.

    Returns:
        None if the upper quarter of the scale holds a twentieth of the ratings or more, and for
        interactions, which have no scale; else the median of the ratings.

    Example:
        >>> import polars as pl
        >>> plays = {"user_id": range(40), "item_id": 40 * [7], "rating": [*39 * [3], 9000]}
        >>> like_threshold(Ratings.from_frame(pl.DataFrame(plays)))
        3.0
    """
    if isinstance(ratings, Interactions):
        return None
    liked = ratings.scale.liked(ratings.rating)
    if np.count_nonzero(liked) >= MIN_SHARE_OF_LIKES * len(ratings):
        return None
    return float(np.median(ratings.rating))


def liked_from(data: Feedback, threshold: float) -> str:
    """A sentence that says which ratings count as likes.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> liked_from(synthetic_ratings(), 3.0)
        'an item counts as liked from 3 on'
    """
    return f"{item_noun(data).indefinite} counts as liked from {threshold:g} on"


def liking(model: Recommender, threshold: float | None) -> Recommender:
    """A new model, made to learn from the likes by which it is judged, unless it has its own.

    Example:
        >>> from tastemap.models.registry import make_model
        >>> [liking(make_model("ease", threshold=t), 3.0).threshold for t in (None, 2.0)]
        [3.0, 2.0]
    """
    if "threshold" in model.parameters and model.get_params()["threshold"] is None:
        vars(model)["threshold"] = threshold
    return model


@dataclass(frozen=True)
class Score:
    """The score of a model on held-out ratings.

    Attributes:
        value: The metric.
        totals: float64 (n_users,), sums of each user's squared or absolute errors, or NDCG.
        counts: float64 (n_users,), the number of terms in each sum.
    """

    value: float
    totals: F64
    counts: F64


class Gain(NamedTuple):
    """A difference of two values, and the ends of its 95 % interval; NaN if there are none."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Objective:
    """A metric to choose by.

    Attributes:
        metric: ``"rmse"`` of the predicted ratings; ``"mae"``, of the median if the model has
            a distribution; or ``"ndcg"``, of the ten unseen items ranked first.
        threshold: Lowest rating of an item that belongs into a list; None takes the upper quarter
            of the scale.

    Example:
        >>> Objective("rmse").best([0.9, 0.8, 1.0]), Objective("ndcg").best([0.2, 0.1])
        (1, 0)
    """

    metric: str
    threshold: float | None = None

    @classmethod
    def of(cls, model: Recommender, metric: str | None = None) -> "Objective":
        """The metric that fits a model, or the given one, checked.

        Raises:
            ArgumentError: If the model cannot be judged by that metric.
        """
        fitting = ("rmse", "mae", "ndcg") if model.predicts_ratings else ("ndcg",)
        if metric not in (None, *fitting):
            raise ArgumentError(
                "metric", expected=f"{' or '.join(fitting)} for a {model}", received=repr(metric)
            )
        return cls(metric or fitting[0])

    @property
    def larger_is_better(self) -> bool:
        """True for NDCG; False for errors."""
        return self.metric == "ndcg"

    @property
    def split(self) -> str:
        """The split that holds ratings out: lists need some ratings of each user."""
        return "per-user" if self.metric == "ndcg" else "random"

    @property
    def name(self) -> str:
        """The name in a sentence."""
        return {"rmse": "RMSE", "mae": "MAE", "ndcg": f"NDCG@{LIST_LENGTH}"}[self.metric]

    def score(self, model: Recommender, held_out: Any) -> Score:
        """Score a fitted model on ratings or interactions it has not seen.

        Raises:
            ArgumentError: For NDCG, if none of them is a like.
        """
        if self.metric == "ndcg":
            k = min(LIST_LENGTH, model.ratings_.n_items)
            ranked = rank_unseen(model, held_out, k, threshold=self.threshold)
            totals = ranked.per_user()["ndcg"]
            return self._score(totals, np.ones(len(totals)))
        point = best_point(model) if self.metric == "mae" else "mean"
        error = np.abs(held_out.rating - model.predict_ratings(held_out, point=point))
        errors = error.astype(np.float64) ** (2 if self.metric == "rmse" else 1)
        return self._score(*user_sums(held_out.user_index, errors))

    def _score(self, totals: Any, counts: Any) -> Score:
        mean = float(totals.sum() / counts.sum())
        return Score(mean**0.5 if self.metric == "rmse" else mean, totals, counts)

    def best(self, values: list[float]) -> int:
        """Position of the best value, the first if several are equal."""
        return int(np.argmax(values) if self.larger_is_better else np.argmin(values))

    def difference(self, score: Score, reference: Score) -> Gain:
        """A score minus that of a reference on the same held-out ratings."""
        totals = [score.totals, reference.totals]
        columns = paired_differences(totals, score.counts, 1, root=self.metric == "rmse")
        return Gain(*(float(column[0]) for column in columns[:3]))
