"""What models made of other models share: scores, explanations and arrays, added up by weight."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.data.ratings import FloatArray
from tastemap.data.vocabulary import Id, IndexArray
from tastemap.errors import UnsupportedError
from tastemap.models.base import Recommender

# Half the distance from 1 to the next float32.
_ROUNDING = 2.0**-24

_Floats = npt.NDArray[np.float32]


class WeightedSum(Recommender):
    """A score to rank by that is the weighted sum of the scores of other models, its members.

    Attributes:
        models: Options of the members by name; those of a weight of 0 are not fitted.
        members: The fitted members, by name, in the order of ``models``.
        member_weights, spreads: float64 (n_models,); a member's scores count its weight divided by
            its spread.
    """

    predicts_ratings = False

    models: dict[str, dict[str, Any]]
    members: dict[str, Recommender]
    member_weights: npt.NDArray[np.float64]
    spreads: npt.NDArray[np.float64]

    @abstractmethod
    def _make(self, name: str) -> Recommender:
        """A new member."""

    # ---- scores ----

    @property
    def folds_in(self) -> bool:
        """Whether every member can describe a new person from ratings."""
        return all(member.folds_in for member in getattr(self, "members", {}).values())

    def _fold_in(self, item_index: IndexArray, rating: FloatArray) -> tuple[Any, ...]:
        return tuple(member._fold_in(item_index, rating) for member in self.members.values())

    def _user(self, user_index: int) -> tuple[Any, ...]:
        return tuple(member._user(user_index) for member in self.members.values())

    def _score(self, user: tuple[Any, ...]) -> FloatArray:
        members = zip(self.members.values(), user, strict=True)
        return self._added_up(member._score(description) for member, description in members)

    def _predict(self, user_index: IndexArray, item_index: IndexArray) -> FloatArray:
        members = self.members.values()
        return self._added_up(member._predict(user_index, item_index) for member in members)

    def _score_many(
        self, user_index: IndexArray, out: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray | None]:
        errors: list[FloatArray] = []
        rounded = False

        def scores() -> Iterator[FloatArray]:
            nonlocal rounded
            for c, member in self._coefficients():
                own, error = member._score_many(user_index)
                size = np.maximum(own.max(axis=1), -own.min(axis=1))
                if error is not None:  # then they may lack what all items of a user share
                    rounded = True
                    first = member._predict(user_index, np.zeros_like(user_index))
                    size += np.abs(first - own[:, 0])
                # One product, and a sum with each of the others, here and in `_predict`.
                off = 2 * (1 + len(self.members)) * _ROUNDING * size
                errors.append(c * (off if error is None else off + error))
                yield own

        total = self._added_up(scores())
        return total, sum(errors, np.zeros(len(user_index))) if rounded else None

    def _added_up(self, scores: Iterable[FloatArray]) -> _Floats:
        """The weighted sum of the members' scores, in float32 and in one order."""
        total: _Floats | None = None
        for (c, _), own in zip(self._coefficients(), scores, strict=True):
            weighted = c * own.astype(np.float32, copy=False)
            total = weighted if total is None else np.add(total, weighted, out=total)
        return total if total is not None else np.zeros(0, dtype=np.float32)

    def _coefficients(self) -> Iterator[tuple[np.float32, Recommender]]:
        """w_m / d_m and the member, for each member."""
        ratios = dict(zip(self.models, self.member_weights / self.spreads, strict=True))
        for name, member in self.members.items():
            yield np.float32(ratios[name]), member

    # ---- explanation and similarity ----

    def explain(
        self, user_id: Id | None = None, *, item_id: Id, ratings: Any = None
    ) -> pl.DataFrame:
        """The parts of a score: the members' explanations, weighted and added up.

        Args:
            user_id: A user of the training data; or else
            ratings: The ratings of one person, as in `recommend`.
            item_id: The item (id or title) whose score is explained.

        Returns:
            Frame ``part, item_id, title, rating, contribution``: what does not depend on the rated
            items, then each rated item, the largest contribution first. The whole score of a
            member that explains nothing is one part.
        """
        person, item = self._person(user_id, ratings), self._fitted.items.find(item_id)
        tables = []
        for (c, member), description in zip(self._coefficients(), person.description, strict=True):
            if hasattr(member, "explain"):
                parts = member.explain(user_id, item_id=item_id, ratings=ratings)
                parts = parts.filter(pl.col("part") != "kept inside the scale")
            else:
                score = float(member._score(description)[item])
                empty = {"item_id": [None], "title": [None], "rating": [None]}
                parts = pl.DataFrame({"part": [f"score of {member}"]} | empty)
                parts = parts.with_columns(contribution=pl.lit(score))
            tables.append(parts.with_columns(pl.col("contribution") * float(c)))
        added = (
            pl.concat(tables, how="diagonal_relaxed")
            .group_by("part", "item_id", "title", "rating", maintain_order=True)
            .agg(pl.col("contribution").sum())
        )
        of_rated = pl.col("part") == "your rating"
        rated = added.filter(of_rated).sort(
            pl.col("contribution").abs(), descending=True, maintain_order=True
        )
        return pl.concat([added.filter(~of_rated), rated])

    def similar_items(self, item_id: Id, k: int = 10) -> pl.DataFrame:
        """The k items most similar to an item (id or title), which is left out.

        Returns:
            Frame ``rank, item_id, title, similarity`` (in [-1, 1]), most similar first.
        """
        weight = dict(zip(self.models, self.member_weights, strict=True))
        for name in sorted(self.members, key=lambda name: -weight[name]):
            member: Any = self.members[name]
            if hasattr(member, "similar_items"):
                with suppress(UnsupportedError):
                    found: pl.DataFrame = member.similar_items(item_id, k)
                    return found
        raise self._cannot("compare items: none of its members can")

    # ---- the artifact ----

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        arrays = {"member_weights": self.member_weights, "spreads": self.spreads}
        for name, member in self.members.items():
            arrays |= {f"{name}.{array}": values for array, values in member._arrays().items()}
        return arrays

    def _restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        self.member_weights, self.spreads = arrays["member_weights"], arrays["spreads"]
        shape = (len(self.models),)
        if self.member_weights.shape != shape or self.spreads.shape != shape:
            raise ValueError(f"weights of shape {self.member_weights.shape}, not {shape}")
        self.members = {}
        for name, weight in zip(self.models, self.member_weights, strict=True):
            if weight > 0:
                member, prefix = self._make(name), f"{name}."
                member.ratings_, member.seed_ = self.ratings_, self.seed_
                member._restore(
                    {
                        array.removeprefix(prefix): values
                        for array, values in arrays.items()
                        if array.startswith(prefix)
                    }
                )
                self.members[name] = member
