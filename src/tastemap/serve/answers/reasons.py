"""Why items are recommended: what the person likes that is like them, or what is true of everybody.

A reason names a rating of the person's own that lifts the prediction and belongs to a similar item.
In a row no rating is the reason of everything. Where there is no such rating, a note says what is
true of the people who like what this person likes, or of everybody; else there is nothing to say.
"""

from dataclasses import replace
from functools import cached_property

import numpy as np
import polars as pl

from tastemap.arrays import FloatArray, IndexArray, Mask
from tastemap.models.base.recommender import Recommender
from tastemap.models.base.user import User
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.model.user import ServedUser
from tastemap.serve.schemas import ItemCard, Reason

# A smaller lift is no reason, in units of the rating; scores of interactions have no unit, and any
# lift is one.
MIN_LIFT = 0.005
# An item is similar, too, if it has so many genres in common.
MIN_SHARED_GENRES = 2
# A rating is the reason of this share of a row at most, and always of one item.
MAX_SHARE_OF_ROW = 3 / 8
# Somebody likes what the person likes who likes a third of that, from two items to five; at so many
# of them is looked.
COMMON_LIKES, MAX_LIKED = (2, 5), 50
# What so many people say is worth a note, if "almost everybody" or "most" say it.
MIN_WITNESSES, ALMOST_EVERYBODY, SHARE_OF_MAJORITY = 20, 0.85, 2 / 3


def with_reasons(
    model: LoadedModel, user: ServedUser, rows: IndexArray, cards: list[ItemCard]
) -> list[ItemCard]:
    """Cards of a row of items, each with its reason or its note where there is one.

    Args:
        model: The model.
        user: Whom the row is for.
        rows: Rows of the items, (n,).
        cards: Their cards.
    """
    reasoned = []
    for card, reason in zip(cards, reasons(model, user, rows), strict=True):
        if isinstance(reason, Reason):
            reasoned.append(replace(card, because=reason))
        else:
            reasoned.append(replace(card, note=reason))
    return reasoned


def reasons(model: LoadedModel, user: ServedUser, rows: IndexArray) -> list[Reason | str | None]:
    """The reason of each item of a row, (n,), or its note; None where there is neither."""
    answers: list[Reason | str | None] = [None] * len(rows)
    if user.source == "popular" or not len(user.item_index) or not len(rows):
        return answers
    if not model.capabilities.explains:
        return answers
    lifts = model.model.lift_rows(user.user, rows)
    chosen = assigned(lifts, reasonable(model, user, rows, lifts), user.item_index)
    notes = _Notes(model, user)
    for place, (row, rated) in enumerate(zip(rows.tolist(), chosen, strict=True)):
        if rated < 0:
            answers[place] = notes.of(row)
            continue
        item = int(user.item_index[rated])
        answers[place] = Reason(*model.catalogue[item][:2], user.rating_of[item])
    return answers


def reasons_in_words(model: Recommender, user: User, item_ids: pl.Series) -> list[str | None]:
    """The reasons of a list of items, (n,), as sentences for a terminal.

    Args:
        model: A fitted model.
        user: Whom the list is for.
        item_ids: The items of the list.
    """
    loaded = LoadedModel(model, {}, "")
    served = ServedUser(user, "trained")
    words: list[str | None] = []
    for reason in reasons(loaded, served, loaded.data.items.index(item_ids)):
        if isinstance(reason, Reason):
            rating = f"your {reason.rating:g} for" if loaded.has_ratings else "you like"
            words.append(f"because {'of ' if loaded.has_ratings else ''}{rating} {reason.title}")
        else:
            words.append(reason)
    return words


def reasonable(model: LoadedModel, user: ServedUser, rows: IndexArray, lifts: FloatArray) -> Mask:
    """Which ratings (m,) may be named as reasons of which items, (n, m).

    Those of items that the person likes, that lift the item and are similar to it.
    """
    rated, genres_of = user.item_index, model.catalogue.genres_of
    rated_genres = [genres_of(other) for other in rated.tolist()]
    least = MIN_LIFT if model.has_ratings else 0.0
    is_similar = np.empty(lifts.shape, dtype=bool)
    for place, row in enumerate(rows.tolist()):
        genres = genres_of(row)
        shared = [len(genres & others) for others in rated_genres]
        is_similar[place] = np.array(shared) >= MIN_SHARED_GENRES
        if not model.capabilities.ordered:
            is_similar[place] |= np.isin(rated, model.near(row))
    if model.capabilities.ordered:  # then people go on from what they like to the item
        for place, other in enumerate(rated.tolist()):
            is_similar[:, place] |= np.isin(rows, model.near(other))
    mask: Mask = is_similar & model.likes(user.rating) & (lifts > least)
    return mask & (rated != np.asarray(rows)[:, None])  # no item is its own reason


def assigned(lifts: FloatArray, is_reason: Mask, rated: IndexArray) -> list[int]:
    """For each item the place of the rating that is its reason, -1 if there is none.

    Items with the fewest possible reasons come first. Each takes the rating that lifts it most,
    where one that is a reason of k others counts 1 / (1 + k).

    Args:
        lifts: (n, m), how far each of m ratings lifts each of n items.
        is_reason: (n, m), which may be named; their lifts are above 0.
        rated: Rows of the items of the ratings, (m,); one may come several times.

    Example:
        >>> lifts = np.array([[3.0, 2.0], [3.0, 0.1]])
        >>> assigned(lifts, np.array([[True, True], [True, False]]), np.array([7, 8]))
        [1, 0]
    """
    n, m = lifts.shape
    _, item = np.unique(rated, return_inverse=True)
    n_uses, chosen = np.zeros(m, dtype=np.int64), [-1] * n
    max_uses = max(int(MAX_SHARE_OF_ROW * n), 1)
    for place in np.argsort(is_reason.sum(axis=1), kind="stable").tolist():
        ratings = np.flatnonzero(is_reason[place] & (n_uses[item] < max_uses))
        if len(ratings):
            strength = lifts[place, ratings] / (1 + n_uses[item[ratings]])
            chosen[place] = int(ratings[np.argmax(strength)])
            n_uses[item[chosen[place]]] += 1
    return chosen


class _Notes:
    """What is true of an item where no rating of the person's own is its reason."""

    def __init__(self, model: LoadedModel, user: ServedUser) -> None:
        self._model = model
        self._liked = np.unique(user.item_index[model.likes(user.rating)])[:MAX_LIKED]

    def of(self, row: int) -> str | None:
        """The note of an item; None if there is nothing to say of it."""
        users, likes = self._raters(row)
        is_alike = self._is_alike[users]
        if not self._model.has_ratings:
            n_alike, n_common = np.count_nonzero(self._is_alike), np.count_nonzero(is_alike & likes)
            if n_alike < MIN_WITNESSES or n_common <= n_alike / 2:
                return None
            return "most people who like what you like like this, too"
        of_alike = _share(likes[is_alike])
        if of_alike >= ALMOST_EVERYBODY:
            return f"almost everybody who likes what you like {self._verdict('gives', 'likes')}"
        if _share(likes) >= ALMOST_EVERYBODY:
            return f"almost everybody {self._verdict('gives', 'likes')}"
        if of_alike >= SHARE_OF_MAJORITY:
            return f"most people who like what you like {self._verdict('give', 'like')}"
        return None

    def _verdict(self, give: str, like: str) -> str:
        """That an item is liked: the lowest of the ratings that say so, in words."""
        levels = self._model.scale.levels
        if levels is None:
            return f"{like} it"
        liked = levels[self._model.likes(levels.astype(np.float32))]
        return f"{give} it {liked[0]:g}" + " or more" * (len(liked) > 1)

    def _raters(self, row: int) -> tuple[IndexArray, Mask]:
        """The users who have rated an item, (n,), and who of them likes it."""
        data = self._model.data
        ratings = data.by_item[row]
        return data.user_index[ratings], self._model.likes(data.values[ratings])

    @cached_property
    def _is_alike(self) -> Mask:
        """The users of the training data who like what the person likes, (n_users,)."""
        n_common = np.zeros(self._model.data.n_users, dtype=np.int64)
        for row in self._liked.tolist():
            users, likes = self._raters(row)
            n_common[np.unique(users[likes])] += 1
        low, high = COMMON_LIKES
        return n_common >= max(min(len(self._liked), max(low, min(len(self._liked) // 3, high))), 1)


def _share(likes: Mask) -> float:
    """The share of those who like an item; 0 where too few have rated it to tell."""
    return float(likes.mean()) if len(likes) >= MIN_WITNESSES else 0.0
