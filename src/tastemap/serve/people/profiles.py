"""Profiles: a person's ratings, those of the store and of the training data, put together."""

import time
from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import NamedTuple, TypeAlias

import numpy as np

from tastemap.arrays import IndexArray
from tastemap.errors import ArgumentError, UnknownIdError
from tastemap.serve.model.loaded import LoadedModel, ServedUser
from tastemap.serve.model.reload import LiveModel
from tastemap.serve.people.store import Store, StoredProfile
from tastemap.serve.schemas import OwnRating, OwnRatings
from tastemap.serve.settings import Limits

#: A profile by its key in the store, or as ratings in hand, item id to rating.
AnyProfile: TypeAlias = str | Mapping[str, float]
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
        newest = sorted(ratings.items(), key=lambda pair: (-(pair[1].moment or 0), pair[0]))
        return OwnRatings([_own_rating(model, row, rating) for row, rating in newest])

    def rating(self, key: str, item_id: str) -> OwnRating | None:
        """The rating of one item, or None.

        Raises:
            UnknownIdError: If no item has that id.
        """
        model = self.live.current
        row = row_of(model, item_id)
        rating = self._merged(model, key).get(row)
        return None if rating is None else _own_rating(model, row, rating)

    def count(self, key: str) -> int:
        """How many ratings a profile has."""
        return len(self._merged(self.live.current, key))

    def rate(
        self, key: str, ratings: Mapping[str, float], moment: int | None = None
    ) -> list[OwnRating]:
        """Keep ratings, all or none; they have reached the disk when this returns.

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
            self._check_size(key, ratings)
        moment = int(time.time()) if moment is None else moment
        self.store.rate(key, ratings, moment)
        return _own_ratings(model, rows, ratings, moment)

    def replace(self, key: str, ratings: Mapping[str, float]) -> OwnRatings:
        """Keep these ratings of a profile and no others, training ratings included.

        Returns:
            The ratings as they are kept, in the order of their items.

        Raises:
            UnknownIdError, ArgumentError: As `rate`.
        """
        model = self.live.current
        model.check_ratings(ratings.values())
        rows = rows_of(model, list(ratings))
        moment = int(time.time())
        trained = self._trained_rows(model, key, forgotten=self.store.profile(key).forgotten)
        ids = model.data.items.ids_at(trained).to_list()
        taken_back: dict[str, float | None] = dict.fromkeys(map(str, ids))
        self.store.rate(key, taken_back | dict(ratings), moment, replace=True)
        own_ratings = _own_ratings(model, rows, ratings, moment)
        return OwnRatings([own_ratings[place] for place in np.argsort(rows)])

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
        if not isinstance(profile, str):
            model.check_ratings(profile.values())
            rating = np.array(list(profile.values()), dtype=np.float32)
            return model.fold_in(rows_of(model, list(profile)), rating)
        stored = self.store.profile(profile)
        user_index = _user_index(model, profile, forgotten=stored.forgotten)
        if user_index >= 0 and not stored.ratings:
            return model.user_at(user_index)
        ratings = self._merged(model, profile, stored)
        rows = np.array(sorted(ratings), dtype=np.int32)
        rating = np.array([ratings[row].rating for row in rows.tolist()], dtype=np.float32)
        if user_index >= 0 and not model.capabilities.folds_in:
            trained = model.user_at(user_index)
            return ServedUser(trained.user._replace(item_index=rows, rating=rating), "trained")
        return model.fold_in(rows, rating)

    def _check_size(self, key: str, ratings: Mapping[str, float]) -> None:
        """Refuse more ratings than are kept of one person: every answer reads all of them."""
        stored = self.store.profile(key).ratings
        items = {stored_rating.item for stored_rating in stored if stored_rating.rating is not None}
        n_ratings = len(items | ratings.keys())
        if n_ratings > max(Limits.profile, len(items)):
            raise ArgumentError(
                "ratings of one person",
                expected=f"at most {Limits.profile:,}",
                received=f"{n_ratings:,}",
                do="take some back first",
            )

    def _merged(
        self, model: LoadedModel, key: str, stored: StoredProfile | None = None
    ) -> dict[int, ProfileRating]:
        """The ratings of a profile by row of the item; what the store says wins."""
        stored = self.store.profile(key) if stored is None else stored
        data, ratings = model.data, {}
        user_index = _user_index(model, key, forgotten=stored.forgotten)
        if user_index >= 0:
            part = data.by_user[user_index]
            moments = repeat(None) if data.timestamp is None else data.timestamp[part].tolist()
            trained = map(ProfileRating, data.rating[part].tolist(), moments, repeat(True))
            ratings = dict(zip(data.item_index[part].tolist(), trained, strict=True))
        rows = model.catalogue.rows_of.rows([rating.item for rating in stored.ratings])
        for row, (_, rating, moment) in zip(rows.tolist(), stored.ratings, strict=True):
            ratings.pop(row, None)
            if row >= 0 and rating is not None:
                ratings[row] = ProfileRating(rating, moment, False)
        return ratings

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
    model: LoadedModel, rows: IndexArray, ratings: Mapping[str, float], moment: int
) -> list[OwnRating]:
    """Ratings of items, given at one moment."""
    return [
        _own_rating(model, row, ProfileRating(float(rating), moment, False))
        for row, rating in zip(rows.tolist(), ratings.values(), strict=True)
    ]


def _own_rating(model: LoadedModel, row: int, rating: ProfileRating) -> OwnRating:
    return OwnRating(*model.catalogue[row][:3], *rating)
