"""The model that is being served, with what answers need beside it, in row numbers.

It uses the calls on rows of `Recommender`, since a question of a page must not cost a table.
"""

import timeit
from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import cached_property, lru_cache, partial
from typing import Any, NamedTuple, NoReturn

import numpy as np
import polars as pl

from tastemap.arrays import F32, F64, I64, FloatArray, IndexArray, Mask
from tastemap.data.feedback import Feedback
from tastemap.data.interactions import Interactions
from tastemap.data.nouns import item_noun
from tastemap.data.ratings import Ratings
from tastemap.data.scale import Scale
from tastemap.errors import ArgumentError, UnsupportedError
from tastemap.explore.faces import Faces
from tastemap.explore.item_map import describe_map, map_items, without_placeholders
from tastemap.explore.regions import Region, name_regions
from tastemap.metrics.similarity import unit_rows
from tastemap.models.base.capabilities import Capabilities
from tastemap.models.base.factors import HasFactors
from tastemap.models.base.orders import LIKELY, cautious_order, supported
from tastemap.models.base.recommender import Recommender
from tastemap.models.base.selection import top_k
from tastemap.models.base.user import NO_ITEMS, User
from tastemap.serve.model.catalogue import NO_FILTERS, Catalogue, Filters, RowsOfIds
from tastemap.serve.model.neighbours import near_rows
from tastemap.serve.model.preparation import Preparation
from tastemap.serve.model.taste import N_ITEMS, Taste, taste_beyond
from tastemap.serve.model.unwanted import lowering_of
from tastemap.serve.model.user import ServedUser, folded_in
from tastemap.serve.schemas import Basis
from tastemap.serve.settings import MIN_WEIGHT, Limits

# An answer that takes no more seconds is not worth a thread of its own.
MAX_SECONDS_OF_QUICK_ANSWER = 0.01
# What everybody likes is the mean of so many users.
N_USERS_OF_MEAN = 200
MAX_REMEMBERED_USERS, MAX_REMEMBERED_ITEMS = 64, 1024
# The kind, in the record of merged ratings, of a user id that an update made up.
ALIAS = "alias"


class LoadedModel:
    """A model with what answers need beside it; nothing in it changes once it is made.

    Attributes:
        model: The `Recommender`.
        manifest: The contents of ``model.json``.
        version: A short text that another artifact does not share.
        data: The training ratings or interactions.
        has_ratings: Whether they are ratings. If not, a person's interactions stand wherever this
            application speaks of ratings: a weight above 0 is a like, one below 0 a dislike.
        catalogue: The items.
        users: Rows of the users of the training data.
        near: Rows of the items that count as similar to one in reasons, as `near_rows`.
        is_quick: Whether answers for a new user take no more than a few milliseconds.
    """

    def __init__(self, model: Recommender, manifest: dict[str, Any], version: str) -> None:
        self.model, self.manifest, self.version = model, manifest, version
        self.data: Feedback = model.fitted_data
        self.data.narrow()
        self._ratings = self.data if isinstance(self.data, Ratings) else None
        self.has_ratings = self._ratings is not None
        self._scale = None if self._ratings is None else self._ratings.scale
        self._levels = None if self._scale is None else self._scale.levels
        self.catalogue = Catalogue(self.data)
        self.users = RowsOfIds(self.data.users)
        self.is_quick = False
        self._fold_in = partial(folded_in, model)  # not of self: a circle would outlive its use
        self._remembered = lru_cache(MAX_REMEMBERED_USERS)(self._fold_in)
        # `likely-and-liked` learns a model of what people take up, which may take a minute.
        self._likely = Preparation(
            lambda: model.recommend_rows(model.user_at(0), 1, by=LIKELY),
            "learning what people choose",
        )
        self.near = lru_cache(MAX_REMEMBERED_ITEMS)(partial(near_rows, model))

    # ---- ratings or interactions ----

    @property
    def ratings(self) -> Ratings:
        """The training ratings.

        Raises:
            UnsupportedError: If the model has learnt from interactions.
        """
        return self.model.fitted_ratings

    @property
    def scale(self) -> Scale:
        """The scale of the ratings; the errors are those of `ratings`."""
        return self.ratings.scale if self._scale is None else self._scale

    def require(self, noun: str) -> None:
        """Refuse ratings where the model has learnt from interactions, and the other way round.

        Raises:
            UnsupportedError: If the model has learnt from anything but the noun says.
        """
        if noun != (expected := self.data.noun):
            raise UnsupportedError(
                noun,
                expected=f"{expected}, which the served model has learnt from",
                do=f"use the routes and fields called {expected}",
            )

    @property
    def value_of_like(self) -> float:
        """What an item counts as that is named alone: the highest rating, or the median weight.

        A model that counts no weight below a threshold is given that.
        """
        if isinstance(self.data, Interactions):
            threshold = self.model.get_params().get("threshold")
            return max(self.data.median_weight, threshold or 0.0)
        return self.scale.highest

    def likes(self, values: F32) -> Mask:
        """Which ratings lie above the middle of the scale, or which weights above 0, (n,)."""
        middle = (self.scale.lowest + self.scale.highest) / 2 if self.has_ratings else 0.0
        return values > middle

    # ---- users ----

    def user_at(self, user_index: int) -> ServedUser:
        """A user of the training data."""
        return ServedUser(self.model.user_at(user_index), "trained")

    def fold_in(
        self,
        item_index: IndexArray,
        rating: F32,
        seen: IndexArray = NO_ITEMS,
        gap: float | None = None,
    ) -> ServedUser:
        """A user from ratings, the oldest first, and rows of what was seen without a rating.

        It is so many seconds after the latest of them.

        An unknown one without any, with dislikes alone, or where the model describes nobody new.
        """
        says_something = len(item_index) and (self.has_ratings or self.likes(rating).any())
        if not says_something or not self.capabilities.folds_in:
            return ServedUser(User(None, item_index, rating, seen=seen), "popular")
        if gap is not None:
            rows = (item_index.tobytes(), rating.tobytes(), seen.tobytes())
            return replace(folded_in(self.model.later(gap), *rows), gap=gap)
        # The parts of a page ask for the same user again.
        return self._remembered(item_index.tobytes(), rating.tobytes(), seen.tobytes())

    @cached_property
    def is_personal(self) -> bool:
        """Whether the answer to a new person depends on what they like."""
        rows = self.catalogue.by_popularity[:2]
        if not self.capabilities.folds_in or len(rows) < 2:
            return self.capabilities.folds_in
        value = np.array([self.value_of_like], dtype=np.float32)
        users = [self.model.fold_in_rows(rows[[place]], value) for place in (0, 1)]
        first, second = map(self.model.score_rows, users)
        return not np.array_equal(first, second)

    def forget(self) -> None:
        """Remember nobody's fold-in any more."""
        self._remembered.cache_clear()

    def taste_of(self, user: ServedUser) -> Taste:
        """What somebody likes more than everybody does, of the items that most people know."""
        return taste_beyond(self._everybody, self.scores_at(user, self._well_known))

    @property
    def _well_known(self) -> IndexArray:
        return self.catalogue.by_popularity[:N_ITEMS]

    @cached_property
    def _everybody(self) -> F64:
        """Scores of the best known items: of who has rated nothing, or the mean of some users."""
        if self.has_ratings:
            nobody = self.model.fold_in_rows(NO_ITEMS, np.empty(0, dtype=np.float32))
            return self.model.scores_at(nobody, self._well_known).astype(np.float64)
        users = np.linspace(0, self.data.n_users - 1, min(N_USERS_OF_MEAN, self.data.n_users))
        each = [self.scores_at(self.user_at(int(row)), self._well_known) for row in users]
        return np.mean(each, axis=0, dtype=np.float64)

    def scores(self, user: ServedUser) -> FloatArray:
        """The score (n_items,) of each item for a user, outside the scale too."""
        if user.source == "popular":
            return self.catalogue.default_scores
        return self.model.score_rows(user.user)

    def scores_at(self, user: ServedUser, rows: IndexArray | I64) -> FloatArray:
        """The scores (n,) of some items for a user."""
        if user.source == "popular":
            return self.catalogue.default_scores[rows]
        return self.model.scores_at(user.user, np.asarray(rows, dtype=np.int32))

    def scores_of_lists(self, user: ServedUser) -> FloatArray | None:
        """As `scores`; None where these take long and a list needs few of them (`scores_at`)."""
        is_slow = self.model.shortlists and user.source != "popular"
        return None if is_slow else self.scores(user)

    def predicted(self, user: ServedUser, scores: FloatArray) -> FloatArray | None:
        """Scores of a user as predicted ratings in the scale; None where they are none."""
        if user.source == "popular" or not self.capabilities.predicts:
            return None
        return self.scale.clip(scores)

    def best_rows(
        self,
        user: ServedUser,
        scores: FloatArray | None,
        k: int,
        filters: Filters = NO_FILTERS,
        *,
        by: str | None = None,
        among: Mask | None = None,
        **options: Any,
    ) -> tuple[IndexArray, FloatArray]:
        """Rows of the k best items for a user and what they are ranked by, the best first.

        There are fewer where no more items are left. ``scores`` are those of `scores_of_lists`,
        ``among`` is a mask (n_items,) beside the filters, and ``options`` are those of
        `recommend_rows`. Where ``by`` is None, lists are cautious if the model can; of whom nothing
        is known, all orders are that of the scores. What a person dislikes is left out,
        ``exclude_seen`` or not, where there are no ratings; and so is what they are not interested
        in, which lowers what is like it.
        """
        by = cautious_order(self.capabilities) if by is None else supported(self.model, by)
        by = "expected" if user.source == "popular" else by
        if by == LIKELY:
            self._likely.require()
        allowed = self.catalogue.allowed(filters)
        if among is not None:
            allowed &= among
        if not self.has_ratings:
            allowed[[row for row, weight in user.rating_of.items() if weight <= 0]] = False
        allowed[user.set_aside if options.get("exclude_seen", True) else user.unwanted] = False
        options |= {"allowed": allowed, "by": by, "lowering": self.lowering(user)}
        rows, _, score = self.model.recommend_rows(user.user, k, scores=scores, **options)
        return rows, score

    def lowering(self, user: ServedUser) -> FloatArray | None:
        """How much less items count in lists for a user, (n_items,), as `lowering_of` has it."""
        if not self.has_ratings or not len(user.unwanted):
            return None
        near = [self.near(row) for row in user.unwanted.tolist()]
        width = self.scale.highest - self.scale.lowest
        return lowering_of(near, len(self.catalogue), width)

    def unseen(self, users: Iterable[ServedUser], filters: Filters = NO_FILTERS) -> Mask:
        """Which items (n,) a list for all of these users may hold.

        The filters let them through, somebody has rated them, and none of the users has rated or
        seen them.
        """
        mask = self.catalogue.allowed(filters) & (self.catalogue.popularity > 0)
        for user in users:
            mask[user.user.touched] = False
            mask[user.set_aside] = False
        return mask

    def basis_of(self, rows: IndexArray) -> list[Basis]:
        """What predictions of items rest on, (n,): ratings, interactions, facts, or the average."""
        bases: Any = self.model.basis_of(rows)
        return bases

    def distribution(self, user: ServedUser, row: int) -> FloatArray | None:
        """The probability of each level of the scale for one item, where the model gives one."""
        if user.source == "popular" or not self.capabilities.distribution:
            return None
        return self.model.distribution_rows(user.user, np.array([row], dtype=np.int32))[0]

    def error(self) -> float | None:
        """The test error recorded with the model that a prediction's band is made of."""
        for name in ("rmse", "test_rmse"):
            value = self.model.metrics_.get(name)
            if isinstance(value, int | float):
                return float(value)
        return None

    def check_ratings(self, ratings: Collection[float]) -> None:
        """Refuse a rating that is not one of the data's, or a weight that is none.

        Raises:
            ArgumentError: Naming the first that is not.
        """
        values = np.array(list(ratings), dtype=np.float64)
        if self.has_ratings:
            fits = self._on_scale(values)
        else:
            fits = (np.abs(values) >= MIN_WEIGHT) & (np.abs(values) <= Limits.weight)
        if fits.all():
            return
        received = f"{values[np.argmin(fits)]:g}"
        if self.has_ratings:
            raise ArgumentError("rating", expected=f"a rating from {self.scale}", received=received)
        expected = f"a weight from {MIN_WEIGHT:g} to {Limits.weight:,.0f}, or below 0 as far"
        raise ArgumentError("weight", expected=expected, received=received)

    def _on_scale(self, values: F64) -> Mask:
        """Which values (n,) are ratings of the data."""
        levels = self._levels
        fits: Mask = (values >= self.scale.lowest) & (values <= self.scale.highest)
        if levels is not None:
            nearest = np.searchsorted(levels + 1e-6, values).clip(max=len(levels) - 1)
            fits &= np.abs(levels[nearest] - values) < 1e-6
        return fits

    @cached_property
    def aliases(self) -> frozenset[int]:
        """Rows of users whose ids an update made up: the API cannot name whom they stand for."""
        if (merged := self.data.source.merged) is None:
            return frozenset()
        ids = merged.filter(pl.col("kind") == ALIAS)["user_id"].unique()
        return frozenset(self.data.users.index(ids, missing="negative").tolist())

    # ---- factors, where there are any ----

    @cached_property
    def item_directions(self) -> FloatArray | None:
        """Item factors at length one (n_items, f); None where the model has none."""
        return self._directions("item_factors")

    @cached_property
    def user_directions(self) -> FloatArray | None:
        """User factors at length one (n_users, f); None where the model has none."""
        return self._directions("user_factors")

    def _directions(self, name: str) -> FloatArray | None:
        if not isinstance(self.model, HasFactors) or not self.capabilities.similar_users:
            return None
        return unit_rows(getattr(self.model, name))

    def direction_of(self, user: ServedUser) -> FloatArray | None:
        """The factors of a user at length one (f,), where the model describes users by factors."""
        weights = user.user.description
        size = 0 if self.item_directions is None else self.item_directions.shape[1]
        if not size or not isinstance(weights, np.ndarray) or weights.shape != (size + 1,):
            return None
        length = float(np.linalg.norm(weights[1:]))
        return weights[1:] / length if length else None

    # ---- the map ----

    @cached_property
    def map(self) -> "ServedMap | None":
        """The map of the items; None where the artifact has none."""
        if self.model.item_map_ is None:
            return None
        frame = map_items(without_placeholders(self.model.item_map_, self.data), self.data)
        if "preserved" not in frame.columns:
            frame = frame.with_columns(preserved=pl.lit(None, dtype=pl.Float64))
        is_checked = not frame["preserved"].null_count()
        sentence = describe_map(frame, item_noun(self.data)) if is_checked else ""
        rows = self.data.items.index(frame["item_id"])
        regions = name_regions(frame, self.data.items.frame[rows])
        return ServedMap(frame, rows, frame.select("x", "y").to_numpy(), sentence, regions)

    @cached_property
    def faces(self) -> Faces:
        """The covers of the items, and their genres in the order of how much they say."""
        return Faces.of(self.model)

    # ---- getting ready ----

    def warm(self) -> None:
        """Ask what the first request will ask, so that nothing is compiled while it waits.

        A table that cannot be shown is met here, before the model takes the place of another.
        """
        rows = self.catalogue.by_popularity[:1]
        rating = np.array([self.value_of_like], dtype=np.float32)
        self.scores(self.user_at(0))
        if self.capabilities.folds_in:
            # Anew, not as it is remembered.
            answer = lambda: self.scores(self._fold_in(rows.tobytes(), rating.tobytes()))  # noqa: E731
            seconds = min(timeit.repeat(answer, number=1, repeat=3))
            self.is_quick = seconds < MAX_SECONDS_OF_QUICK_ANSWER
        if self.capabilities.similar_items:
            self.model.similarity_rows(int(rows[0]))
        self.catalogue.cards(rows)
        self.catalogue.facts(int(rows[0]))
        self.catalogue.allowed(Filters(year_from=0, genre=" "))
        if self.capabilities.distribution:
            self.distribution(self.user_at(0), int(rows[0]))
        _ = self.map
        self.faces.cover(int(rows[0]))

    @property
    def capabilities(self) -> Capabilities:
        """What the model can do; a map it has where one is saved with it."""
        has_map = self.model.item_map_ is not None
        return replace(self.model.capabilities, map=has_map)

    def similar_items(self, row: int, k: int) -> tuple[IndexArray, FloatArray]:
        """Rows of the k items most similar to one, and the similarities, the most similar first.

        Raises:
            UnsupportedError: If the model cannot compare items.
        """
        if not self.capabilities.similar_items:
            self.refuse("similar items")
        similarity = self.model.similarity_rows(row)
        allowed = self.catalogue.allowed(NO_FILTERS) & (self.catalogue.popularity > 0)
        allowed[row] = False
        rows = top_k(similarity, allowed, k)
        return rows, similarity[rows]

    def refuse(self, what: str) -> NoReturn:
        """Say that the model cannot answer a question.

        Raises:
            UnsupportedError: Always.
        """
        raise UnsupportedError(f"{self.model.learnt_by_} cannot {what}", do="serve another model")


class ServedMap(NamedTuple):
    """A map of n items.

    Attributes:
        frame: The map with what is known of each item, (n, columns).
        rows: The row of each item, (n,).
        places: Where each item lies, (n, 2).
        sentence: How far the map can be believed, for people; "" where that is not known.
        regions: What its parts are called.
    """

    frame: pl.DataFrame
    rows: IndexArray
    places: FloatArray
    sentence: str
    regions: list[Region]
