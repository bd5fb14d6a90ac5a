"""Profiles: a person's ratings, those of the store and of the training data, put together.

Where the model has learnt from interactions, these stand in the place of ratings, and their weights
in the place of values: above 0 for a like, below 0 for a dislike.
"""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeAlias

import numpy as np

from tastemap.arrays import IndexArray
from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError, UnknownIdError
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.model.reload import LiveModel
from tastemap.serve.model.user import ServedUser
from tastemap.serve.people.store import Store
from tastemap.serve.people.tables import FLAGS, StoredEvent, StoredProfile
from tastemap.serve.schemas import FlaggedItem, OwnRating, OwnRatings
from tastemap.serve.settings import Limits


class History(NamedTuple):
    """Items in hand, ids or titles, the oldest first: each counts as liked as much as another.

    Attributes:
        items: The items.
        gap: Seconds since the latest of them; None where it is not said.
    """

    items: tuple[str, ...]
    gap: float | None = None


#: A profile by its key in the store; as ratings in hand, item id to rating, the oldest first; or as
#: a history.
AnyProfile: TypeAlias = str | Mapping[str, float] | History
_USER, _PAGE = "user:", "page:"


def api_profile(user_id: str) -> str:
    """The store's key of a user of the API, who may be one of the training data's."""
    return _USER + user_id


def api_user_id(key: str) -> str | None:
    """The user id in a key of the store, or None for a visitor of the pages."""
    return key.removeprefix(_USER) if key.startswith(_USER) else None


def page_profile(token: str) -> str:
    """The store's key of a visitor of the pages; the API cannot name it."""
    return _PAGE + token


class ProfileRating(NamedTuple):
    """A rating, when it was given (if known), and whether it is one of the training data's."""

    rating: float
    moment: int | None
    trained: bool


class Profiles:
    """Everybody's ratings, by the key of their profile in the store.

    Attributes:
        live: The model, which may be replaced between two calls.
        store: The ratings that people gave.
    """

    def __init__(self, live: LiveModel, store: Store) -> None:
        self.live, self.store = live, store

    def ratings_of(self, key: str) -> OwnRatings:
        """All ratings of a profile, training ratings among them, the newest first.

        Items that the model does not know are left out; they stay in the store.
        """
        model = self.live.current
        ratings = self._merged(model, key)
        newest_first = reversed(ratings.items())
        return OwnRatings([_own_rating(model, row, rating) for row, rating in newest_first])

    def rating(self, key: str, item_id: str) -> OwnRating | None:
        """The rating of one item, or None.

        Raises:
            UnknownIdError: If no item has that id.
        """
        model = self.live.current
        row = row_of(model, item_id)
        rating = self._merged(model, key).get(row)
        return None if rating is None else _own_rating(model, row, rating)

    def flags_of(self, key: str) -> list[FlaggedItem]:
        """What a profile says of items without a rating of them, the newest first."""
        model, stored = self.live.current, self.store.profile(key)
        rated = self._merged(model, key, stored)
        rows = model.catalogue.rows_of.rows([entry.item for entry in stored.flags]).tolist()
        return [
            FlaggedItem(*model.catalogue[row][:3], entry.flag, entry.moment)
            for row, entry in reversed([*zip(rows, stored.flags, strict=True)])
            if row >= 0 and row not in rated
        ]

    def count(self, key: str) -> int:
        """How many ratings a profile has."""
        return len(self._merged(self.live.current, key))

    def flag(
        self,
        key: str,
        item_ids: Sequence[str],
        flag: str,
        moment: int | None = None,
        *,
        moments: Mapping[str, int] | None = None,
    ) -> int:
        """Keep one of `FLAGS` of items; what is rated stays as it is.

        Args:
            key: The profile.
            item_ids: The items, the oldest first.
            flag: The flag.
            moment: When it was said, in seconds since 1970; now, if not said.
            moments: When it was said of some of them.

        Returns:
            How many of the items have no rating.

        Raises:
            UnknownIdError: If an item is unknown.
            ArgumentError: If the flag is none, or the person would have too many items.
        """
        if flag not in FLAGS:
            raise ArgumentError("flag", expected=f"one of {', '.join(FLAGS)}", received=repr(flag))
        model, stored = self.live.current, self.store.profile(key)
        rated = self._merged(model, key, stored)
        rows = rows_of(model, item_ids).tolist()
        unrated = [item for item, row in zip(item_ids, rows, strict=True) if row not in rated]
        self._check_size(stored, set(unrated))
        self.store.flag(key, unrated, flag, moment, moments=moments)
        return len(unrated)

    def unflag(self, key: str, item_id: str) -> bool:
        """Take back what a person says of an item without a rating; whether there was something.

        Raises:
            UnknownIdError: If no item has that id.
        """
        model = self.live.current
        row, is_flagged = row_of(model, item_id), self.store.unflag(key, item_id)
        if is_flagged and row in self._trained_rows(model, key):
            self.store.rate(key, {item_id: None})  # it had been taken back before it was flagged
        return is_flagged

    def rate(
        self,
        key: str,
        ratings: Mapping[str, float],
        moment: int | None = None,
        *,
        moments: Mapping[str, int] | None = None,
    ) -> list[OwnRating]:
        """Keep ratings, all or none; they have reached the disk when this returns.

        Args:
            key: The profile.
            ratings: The rating of each item, or the weight of the interaction, the oldest first.
            moment: When they were given, in seconds since 1970; now, if not said.
            moments: When those of some items were given.

        Returns:
            The ratings as they are kept, in their order.

        Raises:
            UnknownIdError: If an item is unknown.
            ArgumentError: If a rating is not on the data's scale, or the person has too many.
        """
        model = self.live.current
        rows = rows_of(model, list(ratings))
        model.check_ratings(ratings.values())
        if model.catalogue.popularity.size > Limits.profile:  # else all items can be rated
            self._check_size(self.store.profile(key), set(ratings))
        moment = int(time.time()) if moment is None else moment
        self.store.rate(key, ratings, moment, moments=moments)
        return _own_ratings(model, rows, ratings, moment, moments)

    def record(self, key: str, events: Sequence[StoredEvent]) -> list[bool]:
        """Add events to the weights of a profile, all or none; each id counts once.

        Returns:
            Whether each event was counted, and not before.

        Raises:
            ArgumentError: If the person would have too many items.
        """
        model = self.live.current
        stored = self.store.profile(key)
        self._check_size(stored, {event.item for event in events})
        user_index = _user_index(model, key, forgotten=stored.forgotten)
        trained = _trained(model, user_index) if user_index >= 0 else {}
        weights = {str(model.catalogue[row].item_id): w.rating for row, w in trained.items()}
        return self.store.record(key, events, weights, Limits.weight)

    def replace(self, key: str, ratings: Mapping[str, float]) -> OwnRatings:
        """Keep these ratings of a profile and no others, training ratings included.

        Returns:
            The ratings as they are kept, the last first.

        Raises:
            UnknownIdError, ArgumentError: As `rate`.
        """
        model = self.live.current
        model.check_ratings(ratings.values())
        rows = rows_of(model, list(ratings))
        moment = int(time.time())
        trained = self._trained_rows(model, key, forgotten=self.store.profile(key).forgotten)
        ids = set(map(str, model.data.items.ids_at(trained).to_list()))
        taken_back: dict[str, float | None] = dict.fromkeys(sorted(ids - ratings.keys()))
        self.store.rate(key, taken_back | dict(ratings), moment, replace=True)
        return OwnRatings(_own_ratings(model, rows, ratings, moment)[::-1])

    def unrate(self, key: str, item_id: str) -> bool:
        """Take a rating back, a training rating too; whether there was one.

        Raises:
            UnknownIdError: If no item has that id.
        """
        model = self.live.current
        row = row_of(model, item_id)
        is_rated = row in self._merged(model, key)
        if row in self._trained_rows(model, key):
            self.store.rate(key, {item_id: None})
        else:
            self.store.unrate(key, item_id)
        return is_rated

    def forget(self, key: str) -> int:
        """Delete all that is kept of a profile, and use its training ratings no more.

        Returns:
            How many ratings were deleted from the store.
        """
        model = self.live.current
        n_deleted = self.store.forget(key, mark=_user_index(model, key) >= 0)
        model.forget()
        return n_deleted

    def user(self, model: LoadedModel, profile: AnyProfile) -> ServedUser:
        """The user that a model makes of a profile.

        Raises:
            UnknownIdError, ArgumentError: If ratings in hand name an unknown item or are not on the
                data's scale.
        """
        if isinstance(profile, History):
            rows = _rows_of_history(model, profile)
            likes = np.full(len(rows), model.value_of_like, dtype=np.float32)
            return model.fold_in(rows, likes, gap=profile.gap)
        if not isinstance(profile, str):
            model.check_ratings(profile.values())
            rating = np.array(list(profile.values()), dtype=np.float32)
            return model.fold_in(rows_of(model, list(profile)), rating)
        stored = self.store.profile(profile)
        user = self._stored_user(model, profile, stored)
        if not stored.flags:
            return user
        flagged = (_flagged_rows(model, stored, flag) for flag in ("later", "unwanted", "unseen"))
        later, unwanted, unseen = (np.setdiff1d(rows, user.item_index) for rows in flagged)
        return replace(user, later=later, unwanted=unwanted, unseen=unseen)

    def _stored_user(self, model: LoadedModel, profile: str, stored: StoredProfile) -> ServedUser:
        """The user of a profile, by its ratings and what was seen."""
        user_index = _user_index(model, profile, forgotten=stored.forgotten)
        if user_index >= 0 and not (stored.ratings or stored.flagged("seen")):
            return model.user_at(user_index)
        ratings = self._merged(model, profile, stored)
        rows = np.array(list(ratings), dtype=np.int32)
        rating = np.array([value.rating for value in ratings.values()], dtype=np.float32)
        seen = _seen_rows(model, stored, user_index, rows)
        if user_index >= 0 and not model.capabilities.folds_in:
            trained = model.user_at(user_index).user
            user = trained._replace(item_index=rows, rating=rating, seen=seen)
            return ServedUser(user, "trained")
        return model.fold_in(rows, rating, seen)

    def _check_size(self, profile: StoredProfile, items: set[str]) -> None:
        """Refuse more ratings than are kept of a profile: every answer reads all of them."""
        present = {rating.item for rating in profile.ratings if rating.rating is not None}
        present |= {entry.item for entry in profile.flags}
        n_ratings = len(present | items)
        if n_ratings > max(Limits.profile, len(present)):
            raise ArgumentError(
                "ratings of one person",
                expected=f"at most {Limits.profile:,}",
                received=f"{n_ratings:,}",
                do="take some back first",
            )

    def _merged(
        self, model: LoadedModel, key: str, stored: StoredProfile | None = None
    ) -> dict[int, ProfileRating]:
        """The ratings of a profile by row of the item, the oldest first; the store's win."""
        stored = self.store.profile(key) if stored is None else stored
        user_index = _user_index(model, key, forgotten=stored.forgotten)
        ratings = _trained(model, user_index) if user_index >= 0 else {}
        rows = model.catalogue.rows_of.rows([rating.item for rating in stored.ratings])
        for row, entry in zip(rows.tolist(), stored.ratings, strict=True):
            ratings.pop(row, None)
            if row >= 0 and entry.rating is not None:
                ratings[row] = ProfileRating(entry.rating, entry.moment, False)
        for row in model.catalogue.rows_of.rows([entry.item for entry in stored.flags]).tolist():
            ratings.pop(row, None)  # it was taken back before it was flagged
        # What has no time is older than all that has one; equal times stay as they stand.
        return dict(sorted(ratings.items(), key=_moment))

    def _trained_rows(self, model: LoadedModel, key: str, *, forgotten: bool = False) -> IndexArray:
        """Rows of the items that a profile has rated in the training data, (n,)."""
        user_index = _user_index(model, key, forgotten=forgotten)
        part = model.data.by_user[user_index] if user_index >= 0 else slice(0)
        return model.data.item_index[part]


def _user_index(model: LoadedModel, key: str, *, forgotten: bool = False) -> int:
    """The row of a profile's user in the training data, or -1."""
    user_id = None if forgotten else api_user_id(key)
    row = -1 if user_id is None else model.users.row(user_id)
    return -1 if row in model.aliases else row


def _moment(pair: tuple[int, ProfileRating]) -> float:
    """When a rating was given; before all others where that is not known."""
    moment = pair[1].moment
    return -math.inf if moment is None else moment


def _trained(model: LoadedModel, user_index: int) -> dict[int, ProfileRating]:
    """The training ratings of a user by row of the item, the oldest first.

    Of several interactions with an item there is one, at the place of the last, with their sum.
    """
    data = model.data.take(model.data.by_user[user_index])
    if isinstance(data, Interactions):
        data = data.summed()
    if data.timestamp is not None or data.position is not None:
        data = data.take(data.in_order)
    moments = [None] * len(data) if data.timestamp is None else data.timestamp.tolist()
    columns = zip(data.item_index.tolist(), data.values.tolist(), moments, strict=True)
    return {row: ProfileRating(value, moment, True) for row, value, moment in columns}


def _seen_rows(
    model: LoadedModel, stored: StoredProfile, user_index: int, rated: IndexArray
) -> IndexArray:
    """Rows of what a profile has seen without a rating, in the store or the training data."""
    rows, data = _flagged_rows(model, stored, "seen"), model.data
    if user_index >= 0 and isinstance(data, Ratings) and data.seen is not None:
        rows = np.append(rows, data.seen.item_index[data.seen.by_user[user_index]])
    return np.setdiff1d(rows, rated).astype(np.int32)


def _flagged_rows(model: LoadedModel, stored: StoredProfile, flag: str) -> IndexArray:
    """Rows of the items that bear a flag, (n,), of those that the model knows."""
    rows = model.catalogue.rows_of.rows([entry.item for entry in stored.flagged(flag)])
    return rows[rows >= 0].astype(np.int32)


def _rows_of_history(model: LoadedModel, history: History) -> IndexArray:
    """The rows of a history's items, each once, at its last place.

    Raises:
        UnknownIdError: If something is neither an id nor a title.
        ArgumentError: If several items share a title.
    """
    rows = model.catalogue.rows_of.rows(history.items)
    for place in np.flatnonzero(rows < 0).tolist():
        rows[place] = model.catalogue.row_of_title(history.items[place])
    latest_first = dict.fromkeys(rows[::-1].tolist())
    return np.array(list(latest_first)[::-1], dtype=np.int32)


def rows_of(model: LoadedModel, item_ids: Sequence[str]) -> IndexArray:
    """The rows of items.

    Raises:
        UnknownIdError: If no item has one of these ids.
    """
    rows = model.catalogue.rows_of.rows(item_ids)
    if (rows < 0).any():
        raise UnknownIdError("item_id", item_ids[int(rows.argmin())])
    return rows


def row_of(model: LoadedModel, item_id: str) -> int:
    """The row of an item; see `rows_of`."""
    return int(rows_of(model, [item_id])[0])


def _own_ratings(
    model: LoadedModel,
    rows: IndexArray,
    ratings: Mapping[str, float],
    moment: int,
    moments: Mapping[str, int] | None = None,
) -> list[OwnRating]:
    """Ratings of items, given at one moment, but for those of which another is said."""
    given = moments or {}
    return [
        _own_rating(model, row, ProfileRating(float(rating), given.get(item, moment), False))
        for row, (item, rating) in zip(rows.tolist(), ratings.items(), strict=True)
    ]


def _own_rating(model: LoadedModel, row: int, rating: ProfileRating) -> OwnRating:
    return OwnRating(*model.catalogue[row][:3], *rating)
