"""Persons, known and new: their ratings in the store and in the training data, put together."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import repeat
from typing import NamedTuple, TypeAlias

import numpy as np

from tastemap.serve.model.loaded import LoadedModel, Person
from tastemap.serve.model.reload import LiveModel
from tastemap.serve.people.store import Store, StoredPerson
from tastemap.serve.schemas import OwnRating, OwnRatings
from tastemap.serve.web.errors import unknown

Whoever: TypeAlias = str | Mapping[str, float]
_USER, _PAGE = "user:", "page:"


def api_person(user_id: str) -> str:
    """The store's key of a user of the API, who may be one of the training data's."""
    return _USER + user_id


def api_id(person: str) -> str | None:
    """The user id in a key of the store, or None for somebody of the pages."""
    return person.removeprefix(_USER) if person.startswith(_USER) else None


def page_person(token: str) -> str:
    """The store's key of a person who uses the pages; the API cannot name it."""
    return _PAGE + token


class Given(NamedTuple):
    """A rating, when it was given (if known), and whether it is one of the training data's."""

    rating: float
    moment: int | None
    trained: bool


class Persons:
    """Who asks, and what they have rated.

    Attributes:
        live: The model, which may be replaced between two calls.
        store: People's ratings.
    """

    def __init__(self, live: LiveModel, store: Store) -> None:
        self.live, self.store = live, store

    @property
    def model(self) -> LoadedModel:
        """The model in use now."""
        return self.live.current

    # ---- a person's ratings ----

    def ratings_of(self, person: str) -> OwnRatings:
        """All ratings of a person, training ratings among them, the newest first.

        Items that the model does not know are left out; they stay in the store.
        """
        model = self.model
        found = self._merged(model, person)
        ordered = sorted(found.items(), key=lambda pair: (-(pair[1].moment or 0), pair[0]))
        return OwnRatings([_own(model, row, given) for row, given in ordered])

    def rating(self, person: str, item_id: str) -> OwnRating | None:
        """A person's rating of one item, or None.

        Raises:
            Problem: If no item has that id.
        """
        model = self.model
        row = row_of(model, item_id)
        found = self._merged(model, person).get(row)
        return None if found is None else _own(model, row, found)

    def rate(self, person: str, ratings: Mapping[str, float], moment: int | None = None) -> None:
        """Keep ratings, all or none; they have reached the disk when this returns.

        Raises:
            Problem: If an item is unknown, or a rating is not on the data's scale.
        """
        model = self.model
        named = {_id(model, row_of(model, item)): rating for item, rating in ratings.items()}
        model.check_ratings(ratings.values())
        self.store.rate(person, named, moment)

    def replace(self, person: str, ratings: Mapping[str, float]) -> None:
        """Keep these ratings of a person and no others, training ratings included.

        Raises:
            Problem: If an item is unknown, or a rating is not on the data's scale.
        """
        model = self.model
        model.check_ratings(ratings.values())
        named = {_id(model, row_of(model, item)): rating for item, rating in ratings.items()}
        forgotten = self.store.person(person).forgotten
        user = self._trained_user(model, person, forgotten=forgotten)
        trained = model.data.item_index[model.data.by_user[user]].tolist() if user >= 0 else []
        taken_back: dict[str, float | None] = {_id(model, row): None for row in trained}
        self.store.rate(person, taken_back | named, replace=True)

    def unrate(self, person: str, item_id: str) -> bool:
        """Take a rating back, a training rating too; whether there was one.

        Raises:
            Problem: If no item has that id.
        """
        model = self.model
        row = row_of(model, item_id)
        found = self._merged(model, person).get(row)
        user = self._trained_user(model, person, forgotten=False)
        trained = user >= 0 and row in model.data.item_index[model.data.by_user[user]]
        if trained:
            self.store.rate(person, {_id(model, row): None})
        else:
            self.store.unrate(person, _id(model, row))
        return found is not None

    def forget(self, person: str) -> int:
        """Delete all that is kept of a person, and use their training ratings no more.

        Returns:
            How many ratings were deleted from the store.
        """
        trained = self._trained_user(self.model, person, forgotten=False) >= 0
        deleted = self.store.forget(person, mark=trained)
        self.model.forget()
        return deleted

    def person(self, person: Whoever) -> Person:
        """A person as the model sees them.

        Raises:
            Problem: If ratings in hand name an unknown item or are not on the data's scale.
        """
        return self._person(self.model, person)

    # ---- between the two ----

    def _person(self, model: LoadedModel, who: Whoever) -> Person:
        if not isinstance(who, str):
            model.check_ratings(who.values())
            ids = list(who)
            asked = model.catalogue.rows_of.rows(ids)
            if ids and asked.min() < 0:
                raise unknown("item", ids[int(asked.argmin())])
            return model.person(asked, np.array(list(who.values()), dtype=np.float32))
        kept = self.store.person(who)
        user = self._trained_user(model, who, forgotten=kept.forgotten)
        if user >= 0 and not kept.ratings:
            return model.trained(user)
        found = self._merged(model, who, kept)
        rows = np.array(sorted(found), dtype=np.int32)
        rating = np.array([found[row].rating for row in rows.tolist()], dtype=np.float32)
        if user >= 0 and not model.model.folds_in:
            return replace(model.trained(user), rows=rows, rating=rating)
        return model.person(rows, rating)

    def _merged(
        self, model: LoadedModel, who: str, kept: StoredPerson | None = None
    ) -> dict[int, Given]:
        """What a person has rated, by row of the item; what the store says wins."""
        kept = self.store.person(who) if kept is None else kept
        user = self._trained_user(model, who, forgotten=kept.forgotten)
        found: dict[int, Given] = {}
        if user >= 0:
            part = model.data.by_user[user]
            times = model.data.timestamp
            moments = [None] * len(part) if times is None else times[part].tolist()
            rated = model.data.rating[part].tolist()
            rows = model.data.item_index[part].tolist()
            given = map(Given, rated, moments, repeat(True))
            found = dict(zip(rows, given, strict=True))
        for item, rating, moment in kept.ratings:
            row = model.catalogue.rows_of.row(item)
            found.pop(row, None)
            if row >= 0 and rating is not None:
                found[row] = Given(rating, moment, False)
        return found

    def _trained_user(self, model: LoadedModel, who: str, *, forgotten: bool) -> int:
        """The row of a person in the training data, or -1."""
        if forgotten or not who.startswith(_USER):
            return -1
        return model.users.row(who.removeprefix(_USER))


def row_of(model: LoadedModel, item_id: str) -> int:
    """The row of an item.

    Raises:
        Problem: If no item has that id.
    """
    row = model.catalogue.rows_of.row(item_id)
    if row < 0:
        raise unknown("item", item_id)
    return row


def _id(model: LoadedModel, row: int) -> str:
    return str(model.catalogue.id_at(row))


def _own(model: LoadedModel, row: int, given: Given) -> OwnRating:
    catalogue = model.catalogue
    about = catalogue.id_at(row), catalogue.title_at(row), catalogue.year_at(row)
    return OwnRating(*about, *given)
