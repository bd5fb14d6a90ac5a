"""``RowModel``: the part of a model that works on row numbers: capabilities, hooks and calls."""

import inspect
from abc import abstractmethod
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.arrays import F32, F64, FloatArray, IndexArray, Mask
from tastemap.data.feedback import Feedback
from tastemap.data.ratings import Ratings
from tastemap.errors import NotFittedError, UnsupportedError
from tastemap.models.base import orders, selection
from tastemap.models.base.capabilities import Capabilities
from tastemap.models.base.explanation import Explanation
from tastemap.models.base.propensity import Propensity
from tastemap.models.base.reranking import Reranker, Reranking
from tastemap.models.base.shortlist import ShortlistedModel, shortlisted
from tastemap.models.base.user import NO_ITEMS, User


class RowModel(ShortlistedModel, orders.OrderedModel):
    """The hooks that a model implements, and its calls on rows; it does not handle ids.

    Row -1 stands for an unknown user or item.

    Attributes:
        ratings_: The training ratings, with their vocabularies and scale; of a model that has
            learnt from interactions, these.
        history_: Frame ``epoch, train_<metric>, validation_<metric>`` of the training curves, one
            row for each epoch; empty if there are none.
        metrics_: Test errors recorded with the model, by name.
        item_map_: Frame ``item_id, x, y`` of the 2-D map; None until a map is drawn.
        seed_: The seed of the fit.
        recipe_: Class and parameters to fit the model again; None if JSON cannot hold them.
        learnt_by_: Name of the model that was fitted; a loaded model may be of another class.
        stopped_: Iterations done and iterations planned, of a fit that a
            `tastemap.support.deadline.deadline` has ended; otherwise None.
    """

    #: Names of the constructor's parameters, kept in the artifact.
    parameters: ClassVar[tuple[str, ...]] = ()
    #: Whether the first fit, on any data, compiles code that later fits use.
    compiles: ClassVar[bool] = True
    #: Whether a fit is given each of several interactions with an item, and not their sum.
    learns_from_repeats: ClassVar[bool] = False

    ratings_: Any
    history_: pl.DataFrame
    metrics_: dict[str, Any]
    item_map_: pl.DataFrame | None
    seed_: int
    learnt_by_: str
    recipe_: dict[str, Any] | None
    stopped_: tuple[int, int] | None = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            cls.parameters = tuple(inspect.signature(cls).parameters)

    def __str__(self) -> str:
        return type(self).__name__

    # ---- capabilities ----

    @property
    def capabilities(self) -> Capabilities:
        """What the model can do; for some models this depends on parameters or data."""
        return Capabilities()

    @property
    def predicts_ratings(self) -> bool:
        """Whether scores are ratings; if not, `predict` is refused, predicted ratings are null."""
        return self.capabilities.predicts

    @property
    def has_distribution(self) -> bool:
        """Whether the model gives a distribution over ratings, and so a median."""
        return self.capabilities.distribution

    @property
    def folds_in(self) -> bool:
        """Whether the model can describe a new user from ratings."""
        return self.capabilities.folds_in

    @property
    def orders(self) -> tuple[str, ...]:
        """What its lists can be ordered by, of `tastemap.models.base.orders.ORDERS`."""
        return orders.orders_of(self.capabilities)

    # ---- hooks: what a model implements ----

    @abstractmethod
    def _fit(self, ratings: Any, validation: Any, seed: int, progress: bool) -> None:
        """Learn from `Ratings`, or from `Interactions` if the model can; may set ``history_``."""

    @abstractmethod
    def _predict(self, user_index: IndexArray, item_index: IndexArray) -> FloatArray:
        """Raw predictions (n,) of pairs of rows."""

    @abstractmethod
    def _score(self, user: Any) -> FloatArray:
        """Raw predictions (n_items,) for a user; ``user`` is a result of `_user` or `_fold_in`."""

    @abstractmethod
    def _user(self, user_index: int) -> Any:
        """The model's description of a user of the training data."""

    def _score_many(
        self, user_index: IndexArray, out: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray | None]:
        """As `score_users`."""
        return np.stack([self._score(self._user(int(user))) for user in user_index]), None

    def _fold_in(self, item_index: IndexArray, rating: FloatArray) -> Any:
        """The model's description of a user from ratings alone."""
        raise self._cannot("describe a new person from ratings")

    def _fold_in_seen(self, item_index: IndexArray, rating: FloatArray, seen: IndexArray) -> Any:
        """As `_fold_in`, of a user who has seen further items, where the model uses that."""
        return self._fold_in(item_index, rating)

    def _predict_distribution(self, user_index: IndexArray, item_index: IndexArray) -> FloatArray:
        """Probabilities (n, levels) of each value of the scale, for pairs of rows."""
        raise self._cannot("give a distribution over ratings, or a median")

    def _distribution_of(self, user: Any, item_index: IndexArray) -> FloatArray:
        """Probabilities (n, levels) of items for one user; ``user`` as in `_score`."""
        raise self._cannot("give a distribution over the ratings of a new person")

    def _predict_cumulative(
        self, user_index: IndexArray, item_index: IndexArray, values: FloatArray
    ) -> FloatArray:
        """Probabilities (n,) of a rating of each pair up to each value (n,)."""
        raise self._cannot("give the probability of a rating up to some value")

    def _context(self, ratings: Ratings) -> tuple[Any, ...]:
        """Further arguments of `_predict` and `_predict_distribution` for the rows of a table."""
        return ()

    def _explain(self, user: User, item: int) -> Explanation:
        """The parts of the score of an item (its row) for a user."""
        raise self._cannot("explain a prediction: it is no sum of parts")

    def _lifts(self, user: User, item_index: IndexArray) -> FloatArray:
        """As `lift_rows`."""
        effects = [self._explain(user, int(item)).effects for item in item_index]
        return np.array(effects, dtype=np.float64)

    def _item_similarities(self, item: int) -> FloatArray:
        """Similarity (n_items,) of an item (its row) with every item, in [-1, 1]."""
        raise self._cannot("compare items")

    def _user_similarities(self, user: int) -> FloatArray:
        """Similarity (n_users,) of a user (its row) with every user, in [-1, 1]."""
        raise self._cannot("compare users")

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        """What the model has learnt, by name, for the artifact."""
        raise self._cannot("be saved")

    def _restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Adopt the arrays that `_arrays` gave, and take them out; they may be read-only.

        Raises:
            KeyError, ValueError: If an array is missing, or does not fit the others.
        """
        raise self._cannot("be loaded")

    def _recipe(self) -> dict[str, Any] | None:
        """The value of `recipe_`: class and parameters."""
        return {"class": type(self).__name__, "parameters": self.get_params()}

    # ---- calls on rows ----

    def later(self, gap: float | FloatArray) -> Self:
        """The model as it answers a while after the latest rating of a user.

        Args:
            gap: Seconds, at least 0: a number, or one for each user of the training data, NaN where
                it is not known.

        Returns:
            The model itself, where the time makes no difference to its answers.
        """
        return self

    def rows_of(self, ratings: Feedback) -> tuple[IndexArray, IndexArray]:
        """Rows (n,) of the users and items of any table, in this model's vocabularies.

        An unknown user or item has the row -1.
        """
        data = self.fitted_data
        users = data.users.index(ratings.users.ids, missing="negative")[ratings.user_index]
        items = data.items.index(ratings.items.ids, missing="negative")[ratings.item_index]
        return users, items

    def user_at(self, user_index: int) -> User:
        """A user of the training data, by row."""
        data = self.fitted_data
        rated = data.by_user[user_index]
        items, rating, seen = data.item_index[rated], data.values[rated], NO_ITEMS
        if isinstance(data, Ratings) and data.seen is not None:
            seen = data.seen.item_index[data.seen.by_user[user_index]]
        return User(self._user(user_index), items, rating, user_index, seen)

    def fold_in_rows(
        self,
        item_index: IndexArray,
        rating: npt.NDArray[np.float32],
        seen: IndexArray = NO_ITEMS,
    ) -> User:
        """A new user from rows of items and the user's ratings of them.

        ``seen`` has rows of further items that the user has seen, without a rating.
        """
        description = self._fold_in_seen(item_index, rating, seen)
        return User(description, item_index, rating, seen=seen)

    def score_rows(self, user: User) -> FloatArray:
        """The score (n_items,) of every item for one user; it may lie outside the scale."""
        return self._score(user.description)

    def score_users(
        self, user_index: IndexArray, out: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray | None]:
        """Fast scores of many users, and bounds of their errors.

        Args:
            user_index: int32 (n,), rows of users.
            out: float32 (n, n_items), memory in which the scores may be written.

        Returns:
            Scores (n, n_items), which the caller may change, and errors (n,) or None. None: the
            scores equal those of `score_rows`. Otherwise a user's scores may lack a constant, the
            same for all items; with it they differ from `predict_rows` by at most the error.
        """
        return self._score_many(user_index, out)

    def predict_rows(self, user_index: IndexArray, item_index: IndexArray) -> FloatArray:
        """Raw predictions (n,) of pairs of rows."""
        return self._predict(user_index, item_index)

    def distribution_rows(self, user: User, item_index: IndexArray) -> FloatArray:
        """Probabilities (n, levels) of each value of the scale, of items for one user."""
        return self._distribution_of(user.description, item_index)

    def recommend_rows(
        self,
        user: User,
        k: int,
        *,
        scores: FloatArray | None = None,
        allowed: Mask | None = None,
        exclude_seen: bool = True,
        novelty: float = 0.0,
        by: str = "expected",
        seed: int = 0,
        new: bool = False,
        reranking: Reranking | None = None,
        lowering: FloatArray | None = None,
    ) -> tuple[IndexArray, FloatArray, FloatArray]:
        """The best items for a user: rows, raw predictions and scores, best first.

        Args:
            user: A user from `user_at`, `fold_in_rows` or `fold_in`.
            k: Number of items; the answer is shorter if fewer are allowed.
            scores: (n_items,), the result of `score_rows` if the caller has it.
            allowed: Mask (n_items,) of the items to choose from; None for all.
            exclude_seen: Leave out what the user has rated or seen.
            novelty: From -1 (favour popular items) through 0 to 1 (favour rarely rated items).
            by: What the list is ordered by, one of `orders`; see `Recommender.recommend`.
            seed: Of the draw of a curious list.
            new: Choose from items without training ratings, too.
            reranking: What the list shall be like beside being good.
            lowering: (n_items,), how much less each item counts than is predicted; 0 if not said.

        Raises:
            UnsupportedError: If the model lacks what the order or the reranking needs.
        """
        mask = np.ones(self.fitted_data.n_items, dtype=bool) if allowed is None else allowed.copy()
        if exclude_seen:
            mask[user.touched] = False
        if not new:
            mask &= self._has_ratings
        # A list is picked from more items than it has, if it shall be more than good.
        n_scored = k if reranking is None else reranking.n_scored(k, len(mask))

        def order(predicted: FloatArray, allowed: Mask, is_quick: bool = False) -> FloatArray:
            return orders.ordered(
                *(self, predicted if lowering is None else predicted - lowering, user, by),
                novelty=novelty,
                allowed=allowed,
                k=n_scored,
                seed=seed,
                is_quick=is_quick,
            )

        if scores is not None:
            predicted = scores
        elif self.shortlists:
            predicted, mask = shortlisted(self, user, mask, n_scored, order)
        else:
            predicted = self._score(user.description)
        score = order(predicted, mask)
        if reranking is None:
            rows = selection.top_k(score, mask, k)
        else:
            rows = self.reranker.best(self, reranking, user, score, mask, k)
        return rows, predicted[rows], score[rows]

    def explain_rows(self, user: User, item: int) -> Explanation:
        """The parts of the score of an item (its row) for a user.

        Of an item that is known from its facts alone, a part of 0 says so.
        """
        return self._explain(user, item)

    def similarity_rows(self, item: int) -> FloatArray:
        """Similarity (n_items,) of an item (its row) with every item, in [-1, 1]."""
        return self._item_similarities(item)

    def lift_rows(self, user: User, item_index: IndexArray) -> FloatArray:
        """How much each rating of a user raises the score of each item, (n, n_ratings).

        The unit is that of the score. In a model with factors, the rise is relative to the average
        item; in other models, it is the rating's contribution to the score.
        """
        return self._lifts(user, item_index)

    # ---- shared by the calls on ids and on rows ----

    def work(self, ratings: Any) -> float:
        """How much there is to do in a fit before the first iteration is done, in any unit.

        From a fit on a part of the ratings and this ratio follows the time of a fit on all.
        """
        return float(len(ratings) + ratings.n_users + ratings.n_items)

    def get_params(self) -> dict[str, Any]:
        """The constructor's arguments, by name."""
        return {name: getattr(self, name) for name in self.parameters}

    @property
    def compared_factors(self) -> F32 | None:
        """Factors (n_items, f) whose cosines are the similarities; None where they are not."""
        return None

    @cached_property
    def reranker(self) -> Reranker:
        """Makes varied and calibrated lists."""
        return Reranker(self.fitted_data)

    @cached_property
    def _propensity(self) -> Propensity:
        return Propensity.of(self.fitted_data)

    @cached_property
    def _item_information(self) -> tuple[F64, float]:
        return selection.item_information(self.fitted_data.by_item.counts)

    @cached_property
    def _average_scores(self) -> FloatArray:
        """Scores (n_items,) for the average user."""
        return self._score(self._user(-1))

    @cached_property
    def _has_ratings(self) -> Mask:
        """Mask (n_items,) of the items with training ratings."""
        return self.fitted_data.by_item.counts > 0

    @property
    def fitted_ratings(self) -> Ratings:
        """The training ratings; before `fit` a `NotFittedError`.

        Raises:
            UnsupportedError: If the model has learnt from interactions.
        """
        data = self.fitted_data
        if isinstance(data, Ratings):
            return data
        raise UnsupportedError(
            f"{type(self).__name__} here",
            expected="a model that has learnt from ratings",
            received="interactions (no ratings)",
            do="fit it on a table with a column of ratings",
        )

    @property
    def fitted_data(self) -> Feedback:
        """The training ratings or interactions; before `fit` a `NotFittedError`."""
        if not hasattr(self, "ratings_"):
            raise NotFittedError(
                type(self).__name__, expected="a fitted model", do="call fit first"
            )
        data: Feedback = self.ratings_
        return data

    def check_learns_from(self, ratings: Feedback) -> None:
        """Refuse interactions where the model needs ratings.

        Raises:
            UnsupportedError: It names the models that learn from them.
        """
        if self.capabilities.interactions or isinstance(ratings, Ratings):
            return
        raise UnsupportedError(
            f"{type(self).__name__}.fit",
            expected="ratings",
            received="interactions (no ratings)",
            do="use one of: ease, ials, item-knn, next-item, sasrec, two-tower, blend, popularity",
        )

    def _cannot(self, what: str) -> UnsupportedError:
        return UnsupportedError(f"{type(self).__name__} cannot {what}", do="use another model")
