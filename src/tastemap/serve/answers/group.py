"""Items for several people at once, by the lowest or the average of their predictions.

As other lists for people, the order is cautious where the model can be: by predictions less some
standard errors of each member. What is shown are the predictions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tastemap.arrays import FloatArray, Mask
from tastemap.errors import ArgumentError
from tastemap.models.base.orders import (
    MIN_SHORTLIST,
    SHORTLIST_PER_PLACE,
    cautious_order,
    ordered,
)
from tastemap.models.base.selection import top_k
from tastemap.serve.model.catalogue import Filters
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.model.user import ServedUser
from tastemap.serve.schemas import ItemCard
from tastemap.support.counts import percentage

METHODS = ("least_misery", "average")
# Between equal scores (the end of the scale) the happier group decides, by this share of its mean.
WEIGHT_OF_MEAN = 1e-6


@dataclass(frozen=True, slots=True)
class GroupPick:
    """An item for several people.

    Attributes:
        item: The item; its score is what the list is sorted by, cautious where the model can be.
        predictions: The predicted rating (or score) of each member, in their order; without ratings
            the share of all items, in [0, 1], that suit the member less.
        reason: Why it was chosen, in words.
    """

    item: ItemCard
    predictions: list[float]
    reason: str


@dataclass(frozen=True, slots=True)
class GroupPicks:
    """The best items for several people; ``method`` is least_misery or average."""

    method: str
    members: list[str]
    picks: list[GroupPick]


def group_picks(
    model: LoadedModel, members: Mapping[str, ServedUser], method: str, k: int, filters: Filters
) -> GroupPicks:
    """Items for several people; see `Service.group`."""
    if method not in METHODS:
        raise ArgumentError("method", expected=" or ".join(METHODS), received=repr(method))
    if not members:
        raise ArgumentError("members", expected="at least one", received="none")
    scores = np.stack([model.scores(user) for user in members.values()])
    table = scores
    if not model.has_ratings:
        table = np.stack([_shares_below(of_member) for of_member in scores])
    elif model.capabilities.predicts:
        table = model.scale.clip(scores)
    unseen = model.unseen(members.values(), filters)
    users = list(members.values())
    compared = table
    if cautious_order(model.capabilities) == "cautious":
        if model.model.shortlists:  # by standard errors that are nearly right
            compared = _cautious(model, users, scores, unseen, is_quick=True)
            size = max(MIN_SHORTLIST, SHORTLIST_PER_PLACE * k)
            rows = top_k(_order(compared, method), unseen, size)
            unseen = np.isin(np.arange(len(unseen)), rows)
        compared = _cautious(model, users, scores, unseen)
    rows = top_k(_order(compared, method), unseen, k)
    names, reason = list(members), _reason if model.has_ratings else _reason_of_shares
    cards = model.catalogue.cards(rows, score=_joined(compared, method)[rows])
    picks = [
        GroupPick(card, predictions.tolist(), reason(names, predictions, method))
        for card, predictions in zip(cards, table[:, rows].T, strict=True)
    ]
    return GroupPicks(method, names, picks)


def _joined(table: FloatArray, method: str) -> FloatArray:
    """The scores (n_items,) of a group from those of its members, (n_members, n_items)."""
    score: FloatArray = table.min(axis=0) if method == "least_misery" else table.mean(axis=0)
    return score


def _order(table: FloatArray, method: str) -> FloatArray:
    """The same, where the mean decides between equal scores."""
    return _joined(table, method) + WEIGHT_OF_MEAN * table.mean(axis=0)


def _cautious(
    model: LoadedModel,
    users: Sequence[ServedUser],
    scores: FloatArray,
    allowed: Mask,
    *,
    is_quick: bool = False,
) -> FloatArray:
    """Scores (n_members, n_items) less some standard errors of each member; -inf for the others.

    Of whom nothing is known there is nothing to be cautious of.
    """
    options: dict[str, Any] = {"allowed": allowed, "k": int(allowed.sum()), "is_quick": is_quick}
    rows = [
        of_member
        if user.source == "popular"
        else ordered(model.model, of_member, user.user, "cautious", **options)
        for user, of_member in zip(users, scores, strict=True)
    ]
    return np.stack(rows)


def _reason(names: list[str], predicted: FloatArray, method: str) -> str:
    """Why a pick is one, in words."""
    least, most = int(np.argmin(predicted)), int(np.argmax(predicted))
    if len(names) == 1:
        return f"{names[0]} would give it {predicted[0]:.1f}"
    extremes = (
        f"{names[least]} would like it least ({predicted[least]:.1f}), "
        f"{names[most]} most ({predicted[most]:.1f})"
    )
    if method == "least_misery":
        return f"nobody below {predicted[least]:.1f}: {extremes}"
    return f"{predicted.mean():.1f} on average: {extremes}"


def _shares_below(scores: FloatArray) -> FloatArray:
    """The share of the items with a lower score than each item, (n_items,).

    The scores of two people have no unit that they share.
    """
    return np.searchsorted(np.sort(scores), scores) / max(len(scores), 1)


def _reason_of_shares(names: list[str], shares: FloatArray, method: str) -> str:
    """Why a pick is one, in words, by the share of items that suit each member less."""
    least, most = int(np.argmin(shares)), int(np.argmax(shares))
    lowest = f"suits {names[least]} better than {percentage(shares[least])} of all"
    if len(names) == 1:
        return lowest
    return f"{lowest}, {names[most]} better than {percentage(shares[most])}"
