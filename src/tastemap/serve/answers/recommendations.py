"""Recommendations and their reasons, and the cards of items."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from tastemap.arrays import FloatArray, IndexArray
from tastemap.models.base.reranking import Reranking
from tastemap.serve.answers.new_here import intervals
from tastemap.serve.answers.reasons import with_reasons
from tastemap.serve.model.catalogue import Filters
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.model.user import ServedUser
from tastemap.serve.schemas import ItemCard, Recommendations


def cards(
    model: LoadedModel,
    rows: npt.ArrayLike,
    user: ServedUser | None = None,
    *,
    of_rows: FloatArray | None = None,
    score: FloatArray | None = None,
) -> list[ItemCard]:
    """Items at some rows, with the predicted ratings and the own ratings of a user.

    Args:
        model: The model.
        rows: Rows of the items, (n,).
        user: Whose ratings the cards show.
        of_rows: The user's scores of these items, (n,), where they are at hand.
        score: What the list is sorted by, (n,).
    """
    index = np.asarray(rows, dtype=np.int64)
    basis = model.basis_of(index.astype(np.int32))
    if user is None:
        return model.catalogue.cards(index, score=score, basis=basis)
    of_rows = model.scores_at(user, index) if of_rows is None else of_rows
    predicted = model.predicted(user, of_rows)
    return model.catalogue.cards(
        index, predicted=predicted, score=score, rating_of=user.rating_of, basis=basis
    )


def recommendations(
    model: LoadedModel,
    user: ServedUser,
    k: int,
    filters: Filters,
    exclude_seen: bool,
    novelty: float,
    by: str = "expected",
    seed: int = 0,
    reasons: bool = False,
    reranking: Reranking | None = None,
    new: bool = False,
) -> Recommendations:
    """The best items for a user; see `Service.recommend`."""
    scores = model.scores_of_lists(user)
    rows, score = model.best_rows(
        *(user, scores, k, filters),
        exclude_seen=exclude_seen,
        novelty=novelty,
        by=by,
        seed=seed,
        reranking=reranking,
        new=new,
    )
    of_rows = None if scores is None else scores[rows]
    items = cards(model, rows, user, of_rows=of_rows, score=score)
    if new:
        items = with_intervals(model, user, rows, items)
    if reasons:
        items = with_reasons(model, user, rows, items)
    if len(rows) == k:
        return Recommendations(user.source, items)
    note = f"no more than {len(rows)} items are left to recommend"
    if reranking is not None and reranking.at_most:
        note += f", with at most {reranking.caps}"
    return Recommendations(user.source, items, note)


def with_intervals(
    model: LoadedModel, user: ServedUser, rows: IndexArray, cards: list[ItemCard]
) -> list[ItemCard]:
    """Cards of the items at some rows; those that nobody has rated with their interval."""
    unrated = [place for place, card in enumerate(cards) if card.basis in ("facts", "average")]
    ranges = intervals(model, user, rows[unrated])
    if ranges is None:
        return cards
    shown = dict(zip(unrated, ranges, strict=True))
    return [replace(card, interval=shown.get(place)) for place, card in enumerate(cards)]
