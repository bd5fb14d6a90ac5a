"""``Recommender``: the base class of all models; its calls take ids and return ids."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl

from tastemap.arrays import FloatArray, IndexArray
from tastemap.data.feedback import Feedback
from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.data.scale import Interval
from tastemap.data.vocabulary import Id
from tastemap.errors import ArgumentError
from tastemap.metrics.calibration import shortest_interval
from tastemap.models.base import selection
from tastemap.models.base.arrays import refuse_rest, take
from tastemap.models.base.artifact import Artifact
from tastemap.models.base.new_items import OF_THE_ITEMS, NewItemsModel
from tastemap.models.base.reranking import Reranking
from tastemap.models.base.user import User, in_order, same_kind, touched_rows
from tastemap.models.base.validation import check_arguments
from tastemap.support.deadline import deadline

# What is worked out after a fit, when it is first needed.
OF_A_FIT = (
    *OF_THE_ITEMS,
    "uncertainty",
    "_deviation_variance",
    "_regression",
    "reranker",
    "from_facts_",
    "facts_",
    "similarity_shrinkage",
)


class Recommender(NewItemsModel):
    """Base of all models: the calls on ids, the same for every model.

    A model implements the hooks of `RowModel`, which documents the attributes and calls on rows.
    """

    # ---- learning ----

    def fit(
        self,
        ratings: Feedback,
        *,
        validation: Feedback | None = None,
        seed: int = 0,
        progress: bool = True,
    ) -> Self:
        """Learn from ratings; anything learnt before is forgotten.

        Within a `tastemap.support.deadline.deadline` that ends before the fit does, the model is
        what the iterations until then have made of it, and `stopped_` says so.

        Args:
            ratings: The training ratings, or the interactions if `capabilities` has them.
            validation: Ratings that judge the epochs; never the test ratings.
            seed: The same seed gives the same result, on any number of threads.
            progress: Show a progress bar if the fit takes long.

        Raises:
            UnsupportedError: If these are interactions, and the model needs ratings.
        """
        if not len(ratings):
            raise ArgumentError("ratings", expected="at least one rating", received="none")
        if isinstance(ratings, Interactions):
            self.check_learns_from(ratings)
            ratings = ratings if self.learns_from_repeats else ratings.summed()
        self.history_, self.metrics_, self.item_map_, self.seed_ = pl.DataFrame(), {}, None, seed
        for name in OF_A_FIT:
            vars(self).pop(name, None)
        untouched = ratings.items.untouched
        if untouched is not None:  # these come in once the others are learnt
            ratings = ratings.with_items(ratings.items.without_untouched())
        self.ratings_, self.learnt_by_, self.recipe_ = ratings, str(self), self._recipe()
        try:
            with deadline() as limit:
                self._fit(ratings, validation, seed, progress)
            self.stopped_ = limit.stopped
            if self.capabilities.new_items:
                if not self._has_ratings.all():
                    self._place_unrated()
                if untouched is not None:
                    self.add_items(untouched)
        except BaseException:
            # After a fit that failed or was stopped, the model counts as not fitted.
            del self.ratings_
            raise
        return self

    def update(self, ratings: Feedback, *, seed: int = 0, progress: bool = True) -> Self:
        """Learn from new ratings too: a fit on the old and the new ratings together."""
        return self.fit(
            self.fitted_data.merged_with(same_kind(ratings, self.fitted_data)),
            seed=seed,
            progress=progress,
        )

    # ---- prediction ----

    def predict(
        self, user_ids: Any, item_ids: Any, *, point: str = "mean", clip: bool = True
    ) -> FloatArray:
        """Predicted ratings of pairs of a user and an item.

        Args:
            user_ids, item_ids: Ids, one or many; a single id is paired with all ids of the other.
            point: ``"mean"``, or ``"median"`` of the distribution (least absolute error).
            clip: Keep predictions inside the data's scale; False gives the raw value.

        Returns:
            Array (n,), in the data's scale.

        Raises:
            UnknownIdError: If an id is unknown; the nearest are offered.
        """
        return self._point(self._pairs(user_ids, item_ids), point, clip)

    def predict_ratings(
        self, ratings: Ratings, *, point: str = "mean", clip: bool = True
    ) -> FloatArray:
        """Predictions for each row of a ratings table (n,); unknown ids get the model's average."""
        return self._point((*self.rows_of(ratings), *self._context(ratings)), point, clip)

    def predict_distribution(self, user_ids: Any, item_ids: Any) -> FloatArray:
        """Probability of each value of the scale, (n, levels), for pairs as in `predict`."""
        return self._predict_distribution(*self._pairs(user_ids, item_ids))

    def ratings_distribution(self, ratings: Ratings) -> FloatArray:
        """Probability of each value of the scale, (n, levels), for each row of a ratings table."""
        return self._predict_distribution(*self.rows_of(ratings), *self._context(ratings))

    def ratings_cumulative(self, ratings: Ratings, values: FloatArray) -> FloatArray:
        """Probability (n,) of a rating up to each value (n,), for each row of a ratings table.

        Raises:
            UnsupportedError: If the model has no `Capabilities.cumulative`.
        """
        pairs = self.rows_of(ratings)
        return self._predict_cumulative(*pairs, values, *self._context(ratings))

    def predict_interval(self, user_ids: Any, item_ids: Any, *, mass: float = 0.8) -> Interval:
        """The interval that holds at least ``mass`` of each predicted distribution.

        On a scale of levels it is the shortest set of neighbouring levels that does; of several,
        the one whose middle is nearest the mean. It is made of whole levels, so it mostly holds
        more than ``mass``. On a scale without levels it is the central interval, between quantiles
        that leave equal shares below and above, and holds ``mass``; more where it reaches an end of
        the scale.

        Args:
            user_ids, item_ids: Pairs as in `predict`.
            mass: Probability, strictly between 0 and 1, of the rating lying inside.

        Returns:
            The lowest and the highest rating inside, both included, each (n,); values of the scale.

        Raises:
            ArgumentError: If the mass is none.
            UnsupportedError: If the model has no distribution.
        """
        probabilities = self.predict_distribution(user_ids, item_ids)
        if not len(probabilities):
            return np.empty(0), np.empty(0)
        scale = self.fitted_ratings.scale
        levels = np.array([scale.lowest]) if scale.levels is None else scale.levels
        low, high = shortest_interval(probabilities, mass)
        return levels[low], levels[high]

    def recommend(
        self,
        user_id: Id | None = None,
        *,
        ratings: Any = None,
        history: Sequence[Id] | None = None,
        k: int | None = None,
        exclude_seen: bool = True,
        candidates: Any = None,
        exclude: Any = None,
        where: str | pl.Expr | None = None,
        novelty: float = 0.0,
        by: str = "expected",
        seed: int = 0,
        seen: Sequence[Id] | None = None,
        new: bool = False,
        diversity: float = 0.0,
        calibrated: str | Sequence[str] | Mapping[str, float] | None = None,
        at_most: Mapping[str, int] | None = None,
    ) -> pl.DataFrame:
        """The k items with the highest score for a known user or for a list of ratings.

        Args:
            user_id: A user of the training data; give this, ``ratings`` or ``history``.
            ratings: The ratings of a user: ``{item id or title: rating}``, a frame or `Ratings`;
                of a model of interactions ``[items]``, ``{item id or title: weight}``, a frame or
                `Interactions`. A null rating in a frame says that the item was seen.
            history: Items (ids or titles), oldest first, without ratings: each counts as one of
                the highest rating. Models that do not look at the order take them as likes.
            k: Number of items; by default ten, or all if there are fewer.
            exclude_seen: Leave out what the user has rated or seen.
            candidates, exclude: Items (ids or titles) to choose from, or to leave out. Rows that
                stand for no item ("unknown", no title) are left out unless ``candidates`` has them.
            where: A condition on the item table, such as ``"year >= 1990"``.
            novelty: From -1 (favour popular items) through 0 to 1 (favour rarely rated items).
            by: What the list is ordered by, one of ``model.orders``. ``"expected"``: the predicted
                rating or score, here the default, so that a score is what the model learnt; what
                people see is cautious by default. ``"cautious"``: the predicted rating less 1.28
                standard errors, the 10 % quantile of what this user's expected rating may be,
                given what is known of the item and of the user. Films of three ratings wait until
                more is known; those that many love and many hate do not. ``"curious"``: a draw of
                that expected rating for each item, so that what is uncertain is tried, too
                (Thompson, Biometrika 25, 1933). ``"relative"``: how much more this user than the
                average one, times n / (n + 20) for the item's n ratings. ``"likely-and-liked"``:
                the predicted rating times the probability that the user takes the item up at all,
                which `Propensity` learns at the first such call.
            seed: Of the draw of a curious list, a whole number from 0 on; each gives another list.
            seen: Items (ids or titles) that a new user has seen without a rating of them, beside
                ``ratings`` or alone.
            new: Also items without training ratings, beside the others.
            diversity: From 0 to 1: how much the similarity with what stands before in the list
                counts against an item, beside its score. At 0.5 a standard deviation of the one
                weighs as much as one of the other.
            calibrated: Columns of the item table, ``"genres"`` say or ``{"genres": 0.5}`` with a
                weight from 0 to 1: the list has their values in the shares in which they are among
                what the user likes. ``"decade"`` is made of the years. Who likes nothing has the
                shares of all users.
            at_most: The most items with the same value of a column, ``{"director": 2}``; of a list
                each value counts, and items without a value are free.

        Returns:
            Frame ``rank, item_id, title, predicted_rating, score``, best first: exactly k rows,
            or fewer, even none, with a `ShortAnswerWarning` if no more candidates are left. With
            ``new`` a column ``basis`` says what each score rests on, as `basis_of` has it. A list
            with ``diversity``, ``calibrated`` or ``at_most`` is chosen from the ten times k best,
            at least 100 and at most 4,096; from more where caps leave it short.
        """
        data = self.fitted_data
        reranking = Reranking.of(data, diversity, calibrated, at_most)
        if history is not None:
            ratings = in_order(data, ratings, history)
        user = self._to_user(user_id, ratings, seen)
        allowed = selection.allowed_items(
            data,
            seen=user.touched if exclude_seen else user.item_index[:0],
            candidates=candidates,
            exclude=exclude,
            where=where,
            new=new,
        )
        k = selection.list_length(k, allowed)
        rows, predicted, score = self.recommend_rows(
            *(user, k),
            allowed=allowed,
            exclude_seen=False,
            novelty=novelty,
            by=by,
            seed=seed,
            new=new,
            reranking=reranking,
        )
        if reranking is not None and len(rows) < min(k, int(allowed.sum())):
            reranking.warn_of_caps(len(rows), k, self.reranker.filled_caps(reranking, rows))
        frame = self._item_frame(rows, predicted_rating=self._ratings(predicted), score=score)
        return frame.with_columns(basis=pl.Series(self.basis_of(rows))) if new else frame

    def interested_users(
        self, item_id: Id, k: int | None = None, *, exclude_seen: bool = True
    ) -> pl.DataFrame:
        """The k users with the highest predicted rating of an item that they have not rated.

        Returns:
            Frame ``rank, user_id, predicted_rating, score``, best first.
        """
        data, item = self.fitted_data, self.fitted_data.items.find(item_id)
        users = np.arange(data.n_users, dtype=np.int32)
        score = self._predict(users, np.full_like(users, item))
        allowed = np.ones(len(users), dtype=bool)
        touched = data.touched
        allowed[touched.user_index[touched.by_item[item]]] = not exclude_seen
        rows = selection.top_k(score, allowed, selection.list_length(k, allowed, kind="user"))
        predicted = self._ratings(score[rows])
        return selection.ranked(
            data.users.ids_at(rows), predicted_rating=predicted, score=score[rows]
        )

    def fold_in(self, ratings: Any = None, *, seen: Sequence[Id] | None = None) -> User:
        """The description of a new user from ratings, or what was seen, as `recommend` takes it."""
        return self._to_user(None, ratings, seen)

    def explain(
        self, user_id: Id | None = None, *, item_id: Id, ratings: Any = None
    ) -> pl.DataFrame:
        """The parts of a predicted rating, or of a score; they sum to it.

        Args:
            user_id: A user of the training data; give this or ``ratings``.
            ratings: The ratings of a user, as in `recommend`.
            item_id: The item (id or title) whose prediction is explained.

        Returns:
            Frame ``part, item_id, title, rating, contribution``. `PartKind` lists the kinds of
            parts. Each rating of the user is a part, the largest contribution first; in the
            other parts ``item_id, title, rating`` are null.

        Raises:
            UnsupportedError: If the model's predictions are not sums of parts.
        """
        items = self.fitted_data.items
        user = self._to_user(user_id, ratings)
        return self.explain_rows(user, items.find(item_id)).to_frame(items)

    # ---- similarity ----

    def similar_items(self, item_id: Id, k: int | None = None) -> pl.DataFrame:
        """The k items most similar to an item (id or title), among those with a rating and a name.

        Similarities that rest on few ratings are drawn towards 0, since they are partly chance.
        Of a model of factors they are the cosine to expect of two items' true factors: the cosine
        of the learnt factors times sqrt(n / (n + s)) for either item's n ratings, where the number
        s is learnt (`tastemap.models.base.reliability`); of ``bayes`` the cosine averaged over its
        draws. The other models know how many people their similarities come from.

        Returns:
            Frame ``rank, item_id, title, similarity`` (in [-1, 1]), most similar first. The item
            itself is left out.

        Raises:
            UnsupportedError: If the model cannot compare items.
        """
        return self._neighbours(item_id, k, sign=1)

    def dissimilar_items(self, item_id: Id, k: int | None = None) -> pl.DataFrame:
        """The k items least similar to an item, least similar first; see `similar_items`."""
        return self._neighbours(item_id, k, sign=-1)

    def similarity(self, item_id: Id, other_id: Id) -> float:
        """The similarity, in [-1, 1], of two items (ids or titles)."""
        items = self.fitted_data.items
        return float(self._item_similarities(items.find(item_id))[items.find(other_id)])

    def similar_users(self, user_id: Id, k: int | None = None) -> pl.DataFrame:
        """The k users most similar to a user; the user itself is left out.

        Returns:
            Frame ``rank, user_id, similarity`` (in [-1, 1]), most similar first.

        Raises:
            UnsupportedError: If the model cannot compare users.
        """
        users = self.fitted_data.users
        row = users.index_of(user_id)
        similarity = self._user_similarities(row)
        allowed = np.arange(len(users)) != row
        rows = selection.top_k(similarity, allowed, selection.list_length(k, allowed, kind="user"))
        return selection.ranked(users.ids_at(rows), similarity=similarity[rows])

    # ---- the artifact ----

    def save(self, path: str | Path) -> Path:
        """Write the model to a directory, replacing a saved model that is there.

        Raises:
            NotFittedError: If the model has not been fitted.
            ArtifactError: If ``path`` exists and is not a saved model; it is left alone.
            OSError: If the disk is full or not writable; the old model is intact.
        """
        self.to_artifact().write(path)
        return Path(path)

    def to_artifact(self) -> Artifact:
        """The fitted model as an `Artifact`.

        Raises:
            NotFittedError: If the model has not been fitted.
        """
        ratings, masks = self.fitted_data, {}
        if self.from_facts_ is not None and self.from_facts_.any():
            masks["from_facts"] = self._from_facts.astype(np.float32)
        return Artifact(
            class_name=type(self).__name__,
            parameters=self.get_params(),
            arrays=self._arrays() | masks,
            ratings=ratings,
            seed=self.seed_,
            learnt_by=self.learnt_by_,
            recipe=self.recipe_,
            metrics=self.metrics_,
            history=self.history_,
            item_map=self.item_map_,
            stopped=self.stopped_,
        )

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> Self:
        """A fitted model from its artifact; only this call makes one without `fit`.

        Raises:
            ArgumentError: If a parameter is unknown or cannot be used.
            KeyError, ValueError, IndexError: If the arrays do not fit the ratings.
        """
        check_arguments(cls, artifact.parameters)
        model = cls(**artifact.parameters)
        model.ratings_, model.seed_, model.metrics_ = (
            artifact.ratings,
            artifact.seed,
            artifact.metrics,
        )
        model.learnt_by_, model.recipe_ = artifact.learnt_by, artifact.recipe
        model.history_, model.item_map_ = artifact.history, artifact.item_map
        model.stopped_ = artifact.stopped
        arrays = dict(artifact.arrays)
        if "from_facts" in arrays:
            model.from_facts_ = take(arrays, "from_facts", model.ratings_.n_items) > 0
        model._restore(arrays)
        refuse_rest(arrays)
        return model

    # ---- ids to rows and back ----

    def _pairs(self, user_ids: Any, item_ids: Any) -> tuple[IndexArray, ...]:
        data = self.fitted_data
        users = data.users.index(selection.listed(user_ids))
        items = data.items.index(selection.listed(item_ids))
        try:
            return tuple(np.broadcast_arrays(users, items))
        except ValueError:
            raise ArgumentError(
                "user_ids and item_ids",
                expected="equal lengths, or one of either",
                received=f"{len(users)} and {len(items)}",
            ) from None

    def _point(self, rows: tuple[Any, ...], point: str, clip: bool) -> FloatArray:
        if not self.predicts_ratings:
            raise self._cannot("predict ratings, it scores items to rank them (see recommend)")
        scale = self.fitted_ratings.scale
        if point == "median" and scale.levels is not None:
            return scale.quantile(self._predict_distribution(*rows), 0.5)
        if point == "median":
            raise self._cannot("give a median on a scale without levels")
        if point != "mean":
            raise ArgumentError("point", expected="'mean' or 'median'", received=repr(point))
        predicted = self._predict(*rows)
        return scale.clip(predicted) if clip else predicted

    def _to_user(self, user_id: Id | None, ratings: Any, seen: Sequence[Id] | None = None) -> User:
        """A user of the training data, or a new user from ratings and what was seen."""
        data = self.fitted_data
        is_new = ratings is not None or seen is not None
        if is_new and user_id is None:
            return self.fold_in_rows(*touched_rows(data, ratings, seen))
        if user_id is None or is_new:
            raise ArgumentError(
                "user_id, ratings",
                expected="one of the two",
                received="neither" if user_id is None else "both",
                do="a user of the training data is given alone; exclude leaves items out",
            )
        return self.user_at(data.users.index_of(user_id))

    def _neighbours(self, item_id: Id, k: int | None, sign: int) -> pl.DataFrame:
        data = self.fitted_data
        row = data.items.find(item_id)
        similarity = self._item_similarities(row)
        allowed = (data.by_item.counts > 0) & ~data.items.placeholders
        allowed[row] = False
        rows = selection.top_k(sign * similarity, allowed, selection.list_length(k, allowed))
        return self._item_frame(rows, similarity=similarity[rows])

    def _ratings(self, predicted: FloatArray) -> FloatArray | list[None]:
        """Raw predictions clipped to the scale; a None for each if they are only scores."""
        if not self.predicts_ratings:
            return [None] * len(predicted)
        return self.fitted_ratings.scale.clip(predicted)

    def _item_frame(self, rows: IndexArray, **columns: Any) -> pl.DataFrame:
        items = self.fitted_data.items
        return selection.ranked(items.ids_at(rows), title=items.titles.gather(rows), **columns)
