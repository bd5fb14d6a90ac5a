"""What a model implements: hooks on arrays of row numbers. Raw ids never reach them."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.data.ratings import FloatArray, Ratings
from tastemap.data.vocabulary import IndexArray
from tastemap.errors import UnsupportedError


class Hooks(ABC):
    """The hooks of a model; `Recommender` makes calls with ids of them.

    Attributes:
        ratings_: The ratings the model was fitted on: vocabularies, scale, what each user has seen.
        history_: Frame of the training curves, one row an epoch; empty where there are none.
        metrics_: Test errors recorded with the model, by name.
        item_map_: Frame ``item_id, x, y`` of the 2-D map, once one has been drawn, else None.
        seed_: The seed of the fit.
        recipe_: Class and parameters to learn it again, or None where JSON cannot hold them.
        learnt_by_: What learnt the model, which the class of a loaded one may not tell.
    """

    #: Names of the constructor's parameters, kept in the artifact.
    parameters: ClassVar[tuple[str, ...]] = ()
    #: Whether a first fit, on any data, compiles what later fits use.
    compiles: ClassVar[bool] = True

    ratings_: Ratings
    history_: pl.DataFrame
    metrics_: dict[str, Any]
    item_map_: pl.DataFrame | None
    seed_: int
    learnt_by_: str
    recipe_: dict[str, Any] | None

    def __str__(self) -> str:
        return type(self).__name__

    @abstractmethod
    def _fit(self, ratings: Ratings, validation: Ratings | None, seed: int, progress: bool) -> None:
        """Learn from ratings; may set ``history_``."""

    @abstractmethod
    def _predict(self, user_index: IndexArray, item_index: IndexArray) -> FloatArray:
        """Raw predictions (n,) for pairs of rows; -1 stands for an unknown user or item."""

    @abstractmethod
    def _score(self, user: Any) -> FloatArray:
        """Raw predictions (n_items,) for one user, as `_user` or `_fold_in` describes them."""

    @abstractmethod
    def _user(self, user_index: int) -> Any:
        """The model's description of a user of the training data."""

    def _score_many(
        self, user_index: IndexArray, out: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray | None]:
        """Scores (n, n_items), the caller's to change, of users; and how far off they may be.

        None if they are those of `_score`. Else, (n,), how much a score may differ, but for a
        number that all items of a user share, from that of `_predict`, which then decides.
        Scores in float32 may be put into ``out`` (n, n_items), which saves getting new memory.
        """
        return np.stack([self._score(self._user(int(user))) for user in user_index]), None

    @property
    def predicts_ratings(self) -> bool:
        """Whether a score is a rating; if not, `predict` is refused and predicted ratings null."""
        return True

    @property
    def has_distribution(self) -> bool:
        """Whether the model gives a distribution over ratings, and so a median."""
        return False

    @property
    def folds_in(self) -> bool:
        """Whether the model can describe a new person from ratings."""
        return False

    def _fold_in(self, item_index: IndexArray, rating: FloatArray) -> Any:
        """The model's description of a person from ratings alone."""
        raise self._cannot("describe a new person from ratings")

    def _predict_distribution(self, user_index: IndexArray, item_index: IndexArray) -> FloatArray:
        """Probabilities (n, levels) of each value of the scale."""
        raise self._cannot("give a distribution over ratings, or a median")

    def _distribution_of(self, user: Any, item_index: IndexArray) -> FloatArray:
        """The same (n, levels), of items for one user, as `_user` or `_fold_in` describes them."""
        raise self._cannot("give a distribution over the ratings of a new person")

    def _context(self, ratings: Ratings) -> tuple[Any, ...]:
        """What else `_predict` is told of the rows of a table, such as their times; here nothing.

        `_predict_distribution` is told the same.
        """
        return ()

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        """What the model has learnt, by name, for the artifact."""
        raise self._cannot("be saved")

    def _restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Take back what `_arrays` gave."""
        raise self._cannot("be loaded")

    def _as_saved(self) -> Any:
        """The model that stands for this one in an artifact."""
        return self

    def _recipe(self) -> dict[str, Any] | None:
        parameters = {name: getattr(self, name) for name in self.parameters}
        return {"class": type(self).__name__, "parameters": parameters}

    def _cannot(self, what: str) -> UnsupportedError:
        return UnsupportedError(f"{type(self).__name__} cannot {what}", do="use another model")
