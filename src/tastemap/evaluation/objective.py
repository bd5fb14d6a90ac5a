"""The metric by which fitted models are chosen, and the part of each user."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tastemap.arrays import F64
from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError
from tastemap.evaluation.evaluate import best_point, rank_unseen
from tastemap.metrics.bootstrap import paired_differences, user_sums
from tastemap.models.base.recommender import Recommender

#: Length of the lists that judge a model that ranks; all items if there are fewer.
LIST_LENGTH = 10


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

    Example:
        >>> Objective("rmse").best([0.9, 0.8, 1.0]), Objective("ndcg").best([0.2, 0.1])
        (1, 0)
    """

    metric: str

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

    def score(self, model: Recommender, held_out: Ratings) -> Score:
        """Score a fitted model on ratings it has not seen.

        Raises:
            ArgumentError: For NDCG, if no held-out rating is a like.
        """
        if self.metric == "ndcg":
            ranked = rank_unseen(model, held_out, min(LIST_LENGTH, model.ratings_.n_items))
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
        return Gain(*(float(column[0]) for column in columns))
