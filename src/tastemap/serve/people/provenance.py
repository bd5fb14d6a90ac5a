"""Which ratings of a model came from which store, and by which ids of the data people go.

A model keeps the record in `Source.merged`. Nothing is guessed from how an id looks: a training
user may be called anything. Only a model that an older version has updated comes without a record;
`old_record` says what is concluded there.
"""

import hashlib
import re
from collections.abc import Sequence
from itertools import count
from typing import NamedTuple, TypeAlias

import numpy as np
import polars as pl

from tastemap.arrays import Mask
from tastemap.data.feedback import Feedback
from tastemap.data.vocabulary import Id
from tastemap.serve.model.catalogue import RowsOfIds
from tastemap.serve.model.loaded import ALIAS
from tastemap.serve.people.profiles import api_user_id
from tastemap.serve.people.tables import StoredProfile

#: A profile with its key and its number in the store.
NumberedProfile: TypeAlias = tuple[str, int, StoredProfile]
TRAINING, API = "training", "api"
# How older versions called a profile without an id in the data: by its number, in text with these
# words before it, else as a whole number below zero.
_OLD_NAME = re.compile(r"(?:person |-)([1-9][0-9]{0,17})")


class UserName(NamedTuple):
    """The user id that a profile has in the data, and its kind, as in `Source.merged`."""

    user_id: Id
    kind: str


class Names:
    """The user ids of the profiles of a store.

    A profile of the API goes by its own id, where the data can hold it; any other goes by an id
    that is made up once, and that neither the data nor a user of the API has.

    Attributes:
        rows: Rows of the users of the data, by id.
    """

    def __init__(
        self,
        ratings: Feedback,
        record: pl.DataFrame,
        store: str,
        profiles: Sequence[NumberedProfile],
    ) -> None:
        """Take the names that are recorded.

        Args:
            ratings: The ratings of the model.
            record: All that is recorded of them.
            store: The identity of the store.
            profiles: All its profiles.
        """
        self._users, self.rows = ratings.users, RowsOfIds(ratings.users)
        self._store = store
        self._kinds = dict(record.select("user_id", "kind").iter_rows())
        named = of_store(record, store).filter(pl.col("kind") == ALIAS)
        self._aliases = dict(named.select("number", "user_id").iter_rows())
        self._taken = {api_user_id(key) for key, _, _ in profiles}

    def name(self, key: str, number: int) -> UserName:
        """The id of a profile, which is made up if it needs one."""
        user_id = api_user_id(key)
        row = -1 if user_id is None else self.rows.row(user_id)
        if row >= 0:
            name: Id = self._users.ids[row]
            if (kind := self._kinds.get(name, TRAINING)) != ALIAS:
                return UserName(name, kind)
        elif user_id is not None and (fitting := self._fitting(user_id)) is not None:
            return UserName(fitting, API)
        if number not in self._aliases:
            self._aliases[number] = self._alias(number)
        return UserName(self._aliases[number], ALIAS)

    def _fitting(self, user_id: str) -> Id | None:
        """An id of the API as an id of the data; None where that holds whole numbers alone."""
        if self._users.is_text:
            return user_id
        is_plain = user_id.isascii() and user_id.isdigit() and str(int(user_id)) == user_id
        return int(user_id) if is_plain and int(user_id) < 2**63 else None

    def _alias(self, number: int) -> Id:
        """An id that nobody has; a number that each language of programs can hold."""
        for attempt in count():
            text = f"{self._store}/{number}/{attempt}"
            digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
            alias: Id = f"visitor {digest}" if self._users.is_text else -1 - (int(digest, 16) >> 12)
            if self.rows.row(str(alias)) < 0 and str(alias) not in self._taken:
                break
        self._taken.add(str(alias))
        return alias


def record_of(ratings: Feedback, store: str, profiles: Sequence[NumberedProfile]) -> pl.DataFrame:
    """What is known of where ratings came from: the record, or `old_record` where there is none."""
    if ratings.source.merged is not None:
        return ratings.source.merged
    return old_record(ratings, store, profiles)


def of_store(record: pl.DataFrame, store: str) -> pl.DataFrame:
    """The part of a record about a store; what came from one without identity is taken for it."""
    return record.filter(pl.col("store").is_in([store, ""]))


def rows_in(ratings: Feedback, record: pl.DataFrame) -> Mask:
    """Which ratings a record speaks of, (n,)."""
    user = ratings.users.index(record["user_id"], missing="negative").astype(np.int64)
    item = ratings.items.index(record["item_id"], missing="negative")
    pairs = ratings.user_index.astype(np.int64) * ratings.n_items + ratings.item_index
    is_there = (user >= 0) & (item >= 0)
    return np.isin(pairs, (user * ratings.n_items + item)[is_there])


def old_record(ratings: Feedback, store: str, profiles: Sequence[NumberedProfile]) -> pl.DataFrame:
    """What an older version has merged, for a model without a record.

    It gave profiles ids such as ``person 3`` or -3, which training users may have too. The ids of a
    table stand in ascending order, and an update adds its own at the end. So such an id is taken
    for a profile of the store if it stands behind a greater one; or if the store has that profile,
    without an id of its own, with exactly these ratings. Any other is left alone, at the risk of
    counting a visitor twice: a training rating is never given up for a guess.
    """
    ids = ratings.users.ids.to_list()
    keyed = {number: (key, profile) for key, number, profile in profiles}
    numbers, items = dict[Id, int](), RowsOfIds(ratings.items)
    greatest = ids[0] if ids else None
    for row, user_id in enumerate(ids):
        match = _OLD_NAME.fullmatch(str(user_id))
        if match and isinstance(user_id, str) == str(user_id).startswith("person "):
            number = int(match[1])
            if user_id < greatest or _agrees(ratings, row, items, keyed.get(number)):
                numbers[user_id] = number
        greatest = max(greatest, user_id)
    frame = ratings.to_frame().filter(pl.col("user_id").is_in([*numbers]))
    number_of = pl.Series([numbers[user_id] for user_id in frame["user_id"]], dtype=pl.Int64)
    return frame.select(
        pl.lit(store).alias("store"),
        number_of.alias("number"),
        "user_id",
        "item_id",
        pl.lit(ALIAS).alias("kind"),
    )


def _agrees(
    ratings: Feedback, row: int, rows: RowsOfIds, keyed: tuple[str, StoredProfile] | None
) -> bool:
    """Whether a user has the very ratings of a profile, which no other id stands for."""
    if keyed is None:
        return False
    key, profile = keyed
    user_id = api_user_id(key)
    if user_id is not None and user_id in ratings.users:
        return False
    items = rows.rows([rating.item for rating in profile.ratings])
    stored = {
        int(item): (np.float32(rating.rating), rating.moment)
        for item, rating in zip(items, profile.ratings, strict=True)
        if item >= 0 and rating.rating is not None
    }
    trained = ratings.take(ratings.by_user[row])
    moments = [moment for _, moment in stored.values()]
    if trained.timestamp is not None and sorted(moments) != sorted(trained.timestamp.tolist()):
        return False
    pairs = zip(trained.item_index.tolist(), trained.values, strict=True)
    return dict(pairs) == {item: rating for item, (rating, _) in stored.items()}
