"""The model that is being served, with what answers need beside it.

This is the one place of the application that speaks with a model in row numbers, through the hooks
of `Recommender`, since a question of a page must not cost a table.
"""

import contextlib
import timeit
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.data.vocabulary import Id
from tastemap.errors import UnsupportedError
from tastemap.explore.item_map import describe_map, map_items
from tastemap.models.base.recommender import Recommender
from tastemap.serve.model.catalogue import Catalogue, Rows, RowsOfIds
from tastemap.serve.schemas import Source
from tastemap.serve.web.errors import Problem

Floats = npt.NDArray[np.floating[Any]]
# Seconds up to which an answer is not worth a thread of its own.
QUICK = 0.01
# Persons whose fold-in is kept.
REMEMBERED = 64


@dataclass(frozen=True, eq=False)
class Person:
    """Somebody as a model sees them.

    Attributes:
        rows: int32 (n,), rows of the items they rated.
        rating: float32 (n,), the ratings.
        source: What answers about them come from.
        description: What the model's fold-in gave; None where ``source`` is ``"popular"``.
        user: Row in the training data where ``source`` is ``"trained"``, else -1.
    """

    rows: Rows
    rating: npt.NDArray[np.float32]
    source: Source
    description: Any = None
    user: int = -1

    @cached_property
    def own(self) -> dict[int, float]:
        """Rating by row."""
        return dict(zip(self.rows.tolist(), self.rating.tolist(), strict=True))


class LoadedModel:
    """A model with what answers need beside it; nothing in it changes once it is made.

    Attributes:
        model: The `Recommender`.
        manifest: The contents of ``model.json``.
        version: A short text that another artifact does not share.
        catalogue: The items.
        users: Rows of the users of the training data.
        predicts: Whether its scores are ratings. explains: Whether they are sums of parts.
        is_quick: Whether answers for a person take no more than a few milliseconds.
    """

    def __init__(self, model: Recommender, manifest: dict[str, Any], version: str) -> None:
        self.model, self.manifest, self.version = model, manifest, version
        self.data = model.ratings_
        self.catalogue = Catalogue(self.data)
        self.users = RowsOfIds(self.data.users)
        self.scale, self._levels = self.data.scale, self.data.scale.levels
        self.predicts, self.explains = model.predicts_ratings, False
        self.is_quick = False
        self._nobody: Rows = np.zeros(0, dtype=np.int32)
        self._popular = Person(self._nobody, np.zeros(0, dtype=np.float32), "popular")
        self._remembered = lru_cache(REMEMBERED)(self._folded_in)

    # ---- persons ----

    def trained(self, user: int) -> Person:
        """A user of the training data."""
        rated = self.data.by_user[user]
        rows, rating = self.data.item_index[rated], self.data.rating[rated]
        return Person(rows, rating, "trained", self.model._user(user), user)

    def person(self, rows: Rows, rating: npt.NDArray[np.float32]) -> Person:
        """Somebody from ratings alone; without any, or where the model cannot, nobody."""
        if not len(rows):
            return self._popular
        if not self.model.folds_in:
            return Person(rows, rating, "popular")
        known = rows.astype(np.int32).tobytes(), rating.astype(np.float32).tobytes()
        return self._remembered(*known)

    def _folded_in(self, rows: bytes, rating: bytes) -> Person:
        """Somebody from their ratings; the parts of a page ask for the same person again."""
        known = np.frombuffer(rows, np.int32).copy(), np.frombuffer(rating, np.float32).copy()
        return Person(*known, "folded_in", self.model._fold_in(*known))

    def forget(self) -> None:
        """Remember nobody's fold-in any more."""
        self._remembered.cache_clear()

    def scores(self, person: Person) -> Floats:
        """What the person would give each item (n_items,), outside the scale too."""
        if person.source == "popular":
            return self.catalogue.damped
        return self.model._score(person.description)

    def predicted(self, person: Person, scores: Floats) -> Floats | None:
        """Scores as predicted ratings in the scale; None where they are none."""
        if person.source == "popular" or not self.predicts:
            return None
        return self.scale.clip(scores)

    def distribution(self, person: Person, row: int) -> Floats | None:
        """The probability of each level of the scale for one item, where the model gives one."""
        if person.source == "popular" or not self.model.has_distribution:
            return None
        asked = np.array([row], dtype=np.int32)
        with contextlib.suppress(UnsupportedError):
            return self.model._distribution_of(person.description, asked)[0]
        if person.source == "trained":
            user = np.array([person.user], dtype=np.int32)
            return self.model._predict_distribution(user, asked)[0]
        return None

    def error(self) -> float | None:
        """The test error recorded with the model that a prediction's band is made of."""
        for name in ("rmse", "test_rmse"):
            found = self.model.metrics_.get(name)
            if isinstance(found, int | float):
                return float(found)
        return None

    def check_ratings(self, ratings: Collection[float]) -> None:
        """Refuse a rating that is not one of the data's.

        Raises:
            Problem: Naming the first that is not.
        """
        given = np.array(list(ratings), dtype=np.float64)
        fits = (given >= self.scale.lowest) & (given <= self.scale.highest)
        if self._levels is not None:
            nearest = np.searchsorted(self._levels + 1e-6, given).clip(max=len(self._levels) - 1)
            fits &= np.abs(self._levels[nearest] - given) < 1e-6
        if not fits.all():
            wrong = given[np.argmin(fits)]
            raise Problem(422, "invalid_rating", f"{wrong:g} is not a rating from {self.scale}")

    # ---- factors, where there are any ----

    @cached_property
    def item_directions(self) -> Floats | None:
        """Item factors at length one (n_items, f); None where the model has none."""
        factors = getattr(self.model, "item_factors", None)
        if factors is None or not factors.shape[1]:
            return None
        return _directions(factors)

    @cached_property
    def user_directions(self) -> Floats | None:
        """User factors at length one (n_users, f); None where the model has none."""
        factors = getattr(self.model, "user_factors", None)
        if factors is None or not factors.shape[1]:
            return None
        return _directions(factors)

    def factors_of(self, person: Person) -> Floats | None:
        """The factors p_u (f,) of a person, where the model describes a person by factors."""
        found = person.description
        size = 0 if self.item_directions is None else self.item_directions.shape[1]
        if not size or not isinstance(found, np.ndarray) or found.shape != (size + 1,):
            return None
        return found[1:]

    # ---- the map ----

    @cached_property
    def map_frame(self) -> pl.DataFrame | None:
        """The map with what is known of each item, or None where the artifact has none."""
        if self.model.item_map_ is None:
            return None
        frame = map_items(self.model.item_map_, self.data)
        if "preserved" not in frame.columns:
            frame = frame.with_columns(preserved=pl.lit(None, dtype=pl.Float64))
        return frame

    @cached_property
    def map_sentence(self) -> str:
        """How far the map can be believed, for people."""
        frame = self.map_frame
        if frame is None or frame["preserved"].null_count():
            return ""
        return describe_map(frame)

    @cached_property
    def map_rows(self) -> Rows:
        """The row of each item of the map, (n,)."""
        frame = self.map_frame
        return self._nobody if frame is None else self.data.items.index(frame["item_id"])

    @cached_property
    def map_places(self) -> Floats:
        """The places of the items of the map, (n, 2)."""
        frame = self.map_frame
        return np.zeros((0, 2)) if frame is None else frame.select("x", "y").to_numpy()

    # ---- getting ready ----

    def warm(self) -> None:
        """Ask what the first request will ask, so that nothing is compiled while it waits."""
        first = self.catalogue.by_popularity[:1]
        rating = np.array([self.scale.highest], dtype=np.float32)
        self.scores(self.trained(0))
        self.scores(self.person(first, rating))
        if self.model.folds_in:  # anew, not as it is remembered
            known = first.astype(np.int32).tobytes(), rating.tobytes()
            ask = lambda: self.scores(self._folded_in(*known))  # noqa: E731
            self.is_quick = min(timeit.repeat(ask, number=1, repeat=3)) < QUICK
        self.catalogue.cards(first)
        explain: Any = getattr(self.model, "explain", None)
        if explain is not None:
            with contextlib.suppress(UnsupportedError):
                explain(self.data.users.ids[0], item_id=self.catalogue.id_at(0))
                self.explains = True

    def parts(self, person: Person, row: int) -> pl.DataFrame:
        """The parts of a prediction, which add up, as the model's ``explain`` gives them.

        Raises:
            UnsupportedError: If the model's predictions are no sums of parts.
        """
        if person.source == "trained":
            who: dict[str, Any] = {"user_id": self.data.users.ids[person.user]}
        else:
            ids = self.data.items.ids_at(person.rows)
            who = {"ratings": pl.DataFrame([ids, pl.Series("rating", person.rating)])}
        found: pl.DataFrame = self.ask("explain")(item_id=self.catalogue.id_at(row), **who)
        return found

    def can(self) -> list[str]:
        """What the model can do."""
        asked = {
            "predict": self.predicts,
            "distribution": self.model.has_distribution,
            "fold_in": self.model.folds_in,
            "explain": self.explains,
            "map": self.model.item_map_ is not None,
        }
        return [name for name, able in asked.items() if able]

    def ask(self, question: str) -> Callable[..., Any]:
        """A method that not every model has.

        Raises:
            UnsupportedError: If this one has it not.
        """
        found: Callable[..., Any] | None = getattr(self.model, question, None)
        if found is None:
            self.refuse(question.replace("_", " "))
        return found

    def refuse(self, what: str) -> NoReturn:
        """Say that the model cannot answer a question.

        Raises:
            UnsupportedError: Always.
        """
        raise UnsupportedError(f"{self.model.learnt_by_} cannot {what}", do="serve another model")

    def user_ids(self, rows: Rows) -> list[Id]:
        """The ids of users of the training data."""
        return self.data.users.ids_at(rows).to_list()


def _directions(factors: Floats) -> Floats:
    lengths = np.linalg.norm(factors, axis=1, keepdims=True)
    return factors / np.maximum(lengths, np.finfo(np.float32).tiny)
