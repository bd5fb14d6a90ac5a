"""Items that nobody has rated yet: their rows in a model follow from their facts."""

from copy import copy
from dataclasses import replace
from typing import Any, Self

import numpy as np
import polars as pl

from tastemap.arrays import I64, IndexArray, Mask
from tastemap.data.vocabulary import Vocabulary
from tastemap.errors import ArgumentError
from tastemap.models.base.explanation import Explanation, Part, PartKind
from tastemap.models.base.facts import Facts
from tastemap.models.base.regression import MAX_TEACHERS, NewItems, Regression, chosen_penalty
from tastemap.models.base.rows import RowModel
from tastemap.models.base.user import User

# What is worked out for each item, when it is first needed.
OF_THE_ITEMS = (
    "_item_information",
    "_has_ratings",
    "_average_scores",
    "_propensity",
    "misfits",
)


class NewItemsModel(RowModel):
    """The part of a model that takes items without ratings.

    Attributes:
        from_facts_: Mask (n_items,) of the items without ratings whose rows follow from facts; the
            others are average items. None if there are no such items.
        facts_: What was said of the facts of items: which are used, which are not and why, and
            whether they predict hidden items. Empty before they are needed.
    """

    from_facts_: Mask | None = None
    facts_: tuple[str, ...] = ()
    _regression: tuple[Facts, Regression | None] | None = None

    # ---- hooks ----

    def _place(self, items: NewItems) -> None:
        """Give items without ratings their rows; `ratings_` has the items already.

        Arrays that are there may be read-only or shared with another model: they are replaced.
        """
        raise self._cannot("take items that nobody has rated")

    def _judged(self) -> Any:
        """The model that says in a trial whether facts help; it folds in."""
        return self

    def _place_unrated(self) -> None:
        """Place the items of the training data without ratings, once the others are learnt."""
        if self.fitted_data.item_table is not None:
            self._place_by_facts(np.flatnonzero(~self._has_ratings))

    # ---- calls ----

    def add_items(self, items: Any) -> Self:
        """Put items that nobody has rated into the fitted model, without a fit.

        What the model has learnt of other items does not change. A new item is placed by a ridge
        regression of the others' rows on their facts, if that predicts hidden items better than
        the average item does; otherwise it is the average item. `facts_` says which, and
        ``recommend(new=True)`` has such items in its lists.

        No array is written to. So ``copy.copy(model).add_items(items)`` leaves a model, which
        others may be asking meanwhile, as it is.

        Args:
            items: A frame with ``item_id``, and any of the columns of the item table: ``title``,
                and facts. What it lacks is missing.

        Raises:
            ArgumentError: If there is no column of ids, an id is missing, cannot be one of this
                model's, comes twice or is in the model, or there is no item.
            UnsupportedError: If the model has no `Capabilities.new_items`.

        Example:
            >>> from tastemap.data.datasets.synthetic import synthetic_ratings
            >>> from tastemap.models.als import ALS
            >>> model = ALS(n_factors=8).fit(synthetic_ratings())
            >>> new = pl.DataFrame({"item_id": [900], "title": "New", "genres": [["Comedy"]]})
            >>> model.add_items(new).recommend(1, candidates=[900], new=True)["title"].to_list()
            ['New']
        """
        data = self.fitted_data
        if not self.capabilities.new_items:
            raise self._cannot("take items that nobody has rated")
        frame = new_rows(data.items, items)
        vocabulary = data.items.extended(Vocabulary(frame["item_id"], "item", frame))
        model, n = copy(self), data.n_items
        for name in OF_THE_ITEMS:
            vars(model).pop(name, None)
        model.ratings_ = data.with_items(vocabulary)
        model._place_by_facts(np.arange(n, n + len(frame)))
        if model._regression is not None and (lacks := model._regression[0].missing(frame)):
            model.facts_ = (*model.facts_, f"the new items lack {', '.join(lacks)}")
        for name in OF_THE_ITEMS:
            vars(self).pop(name, None)
        vars(self).update(vars(model))
        return self

    def basis_of(self, rows: IndexArray) -> list[str]:
        """What the scores of items rest on: ``"ratings"``, ``"facts"`` or ``"average"``.

        For a model of interactions ``"interactions"`` takes the place of ``"ratings"``.
        """
        from_facts = self._from_facts[rows]
        unrated = np.where(from_facts, "facts", "average")
        return np.where(self._has_ratings[rows], self.fitted_data.noun, unrated).tolist()

    def explain_rows(self, user: User, item: int) -> Explanation:
        """As in the base class."""
        explanation = super().explain_rows(user, item)
        if not self._from_facts[item]:
            return explanation
        return replace(explanation, parts=(*explanation.parts, Part(PartKind.FACTS, 0.0)))

    # ---- what it does ----

    @property
    def _from_facts(self) -> Mask:
        """As `from_facts_`, for any number of items."""
        mask = np.zeros(self.fitted_data.n_items, dtype=bool)
        if self.from_facts_ is not None:
            mask[: len(self.from_facts_)] = self.from_facts_
        return mask

    def _place_by_facts(self, rows: I64) -> None:
        facts, regression = self._learnt_facts()
        table = self.fitted_data.items.frame[rows]
        items = NewItems(rows, facts.encode(table), regression)
        self._place(items)
        self.from_facts_ = self._from_facts
        self.from_facts_[rows] = items.has_facts

    def _learnt_facts(self) -> tuple[Facts, Regression | None]:
        """What facts say of items, and the regression if it helps; learnt once for each fit."""
        if self._regression is None:
            data, counts = self.fitted_data, self.fitted_data.by_item.counts
            rated = np.flatnonzero(counts)
            facts, regression = Facts.of(data.items.frame[rated]), None
            X = facts.encode(data.items.frame)
            penalty, verdict = None, "there are no facts of items: new ones are average items"
            if facts.size:
                penalty, verdict = chosen_penalty(self._judged(), X, self.seed_)
            if penalty is not None:
                most = rated[np.argsort(-counts[rated], kind="stable")[:MAX_TEACHERS]]
                regression = Regression(X, counts, np.sort(most), [penalty])
            self._regression, self.facts_ = (facts, regression), (*facts.notes, verdict)
        return self._regression


def new_rows(items: Vocabulary, frame: Any) -> pl.DataFrame:
    """The checked rows of new items: ids and columns in the types of the table of items.

    Raises:
        ArgumentError: See `NewItemsModel.add_items`.
    """
    if not hasattr(frame, "__arrow_c_stream__"):
        expected, received = "a data frame with item_id", type(frame).__name__
        raise ArgumentError("items", expected=expected, received=received)
    frame = pl.DataFrame(frame)
    if "item_id" not in frame.columns or not len(frame):
        received = frame.columns if len(frame) else "no rows"
        raise ArgumentError(
            "items", expected="a column item_id, one row an item", received=received
        )
    ids = items.as_ids(frame["item_id"])
    if ids.null_count():
        row = int(np.argmax(ids.is_null().to_numpy()))
        kind = "text" if items.is_text else "whole numbers"
        raise ArgumentError(
            f"items, row {row + 1}, item_id",
            expected=f"an id as the model's, which are {kind}",
            received=repr(frame["item_id"][row]),
        )
    for wrong, what in ((ids.is_duplicated(), "comes twice"), (ids.is_in(items.ids.implode()), "")):
        if wrong.any():
            raise ArgumentError(
                "items, item_id",
                expected="each item once, and none that the model has",
                received=f"{ids.filter(wrong)[0]!r}, which {what or 'it has already'}",
                do="leave it out; ratings of it come in by update",
            )
    columns = [ids]
    for name in frame.columns:
        if name != "item_id":
            dtype = items.frame.schema.get(name, frame[name].dtype)
            columns.append(_as_type(frame[name], dtype))
    return pl.DataFrame(columns)


def _as_type(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    """A column in another type; what cannot be one of its values is missing."""
    if column.dtype == dtype:
        return column
    try:
        return column.cast(dtype, strict=False)
    except pl.exceptions.PolarsError:
        return pl.Series(column.name, [None] * len(column), dtype=dtype)
