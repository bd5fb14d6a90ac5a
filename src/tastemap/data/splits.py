"""Splits of a table of ratings into a part to learn from and a part to be tested on.

Each split answers a question: how well are ratings predicted that are missing at random
(`train_test_split`, `per_user_split`, `published_fold`), or ratings that are still to come
(`time_split`, `forecast_split`, `leave_last_out`)? Both parts keep the vocabularies and the scale
of the whole, and no rating is in both. Interactions are split in the same ways.
`data.prepared_splits` writes the parts as prepared tables.
"""

from dataclasses import replace
from typing import Generic, NamedTuple, TypeAlias, TypeVar

import numpy as np

from tastemap.arrays import I64, Mask
from tastemap.data.feedback import Feedback, Source, TiedTimes
from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError

SPLIT_NAMES = ("random", "per-user", "time", "forecast", "last", "u1", "u2", "u3", "u4", "u5")

ML_100K_RATINGS = 100_000
N_FOLDS = 5

TableT = TypeVar("TableT", bound=Feedback)


class SplitOf(NamedTuple, Generic[TableT]):
    """Two parts of one table, of ratings or of interactions."""

    train: TableT
    test: TableT

    @property
    def notes(self) -> tuple[str, ...]:
        """What a split by time had to draw; at the end of ``source.notes`` of both parts, too.

        ``test.source.ties`` has the numbers.
        """
        ties = self.test.source.ties
        return () if ties is None else (ties.note,)


#: Two parts of one table of ratings.
Split: TypeAlias = SplitOf[Ratings]


def train_test_split(ratings: TableT, test_size: float = 0.2, seed: int = 0) -> SplitOf[TableT]:
    """Ratings drawn at random: row for row the split of scikit-learn on the merged table.

    ``pandas.merge(items, ratings)`` puts the ratings in the order of the items' ids, and within
    an item in file order; ``sklearn.model_selection.train_test_split(merged, test_size=...,
    random_state=seed)`` then takes the first ``ceil(test_size * n)`` rows of a permutation as the
    test and the others as the training part. This gives the same rows in the same order.

    Args:
        ratings: n ratings.
        test_size: The test part's share of the rows, between 0 and 1.
        seed: Of the permutation; scikit-learn's ``random_state``.

    Raises:
        ArgumentError: If ``test_size`` is not between 0 and 1, or leaves one part empty.

    Example:
        >>> import polars as pl
        >>> table = {"user_id": [1, 1, 2, 2, 3], "item_id": [7, 8, 7, 9, 9], "rating": [4] * 5}
        >>> train, test = train_test_split(Ratings.from_frame(pl.DataFrame(table)))
        >>> len(train), len(test)
        (4, 1)
    """
    check_test_size(test_size)
    n_test = int(np.ceil(test_size * len(ratings)))
    merged = np.argsort(ratings.item_index, kind="stable")
    # scikit-learn's random_state is the seed of this legacy generator.
    order = np.random.RandomState(seed).permutation(len(ratings))
    return _split(ratings, merged[order[n_test:]], merged[order[:n_test]])


def published_fold(ratings: TableT, k: int) -> SplitOf[TableT]:
    """Fold ``uk`` of MovieLens 100K, as published with it: u1 to u5.

    The test part of fold k is block k of 20,000 lines of ``u.data``, so the rows must stand in
    the file's order, as `load_dataset` and `read_movielens` leave them.

    Raises:
        ArgumentError: If ``k`` is not 1 to 5, or the ratings are not 100,000.
    """
    if k not in range(1, N_FOLDS + 1):
        raise ArgumentError("k", expected="a fold from 1 to 5", received=repr(k))
    n = ML_100K_RATINGS
    if len(ratings) != n:
        raise ArgumentError(
            f"fold u{k}",
            expected=f"the {n:,} ratings of MovieLens 100K, which alone has these folds",
            received=f"{len(ratings):,} ratings",
            do="use the split 'random' or 'per-user'",
        )
    return _masked(ratings, np.arange(n) // (n // N_FOLDS) + 1 == k)


def per_user_split(ratings: TableT, test_size: float = 0.2, seed: int = 0) -> SplitOf[TableT]:
    """A share of each user's ratings drawn at random; each user keeps at least one for training.

    Of n ratings, ``round(test_size * n)`` go to the test, a half rounded up. Rows stay in the
    table's order.

    Raises:
        ArgumentError: If ``test_size`` is not between 0 and 1, or leaves one part empty.
    """
    check_test_size(test_size)
    drawn = np.random.default_rng(seed).permutation(len(ratings))
    counts = ratings.by_user.counts
    n_test = np.minimum(np.floor(test_size * counts + 0.5), counts - 1)
    rank = _position_in_user(ratings, drawn)
    return _masked(ratings, rank < n_test[ratings.user_index])


def time_split(ratings: TableT, test_size: float = 0.2, seed: int = 0) -> SplitOf[TableT]:
    """The latest ratings of all are the test: ``ceil(test_size * n)`` of n.

    Ratings of equal times are put in an order that is drawn, for the order of a table may follow
    the ratings; `Split.notes` says how many of them are parted. A user or an item may have ratings
    in the test part only (cold start).

    Raises:
        ArgumentError: If there are no times, or all are equal; if ``test_size`` is not between 0
            and 1, or one part would be empty.
    """
    check_test_size(test_size)
    times = times_of(ratings)
    if len(times) and times.min() == times.max():
        raise _equal_times(ratings, f"all {ratings.noun} at one time", "random")
    drawn = np.random.default_rng(seed).permutation(len(ratings))
    oldest_first = np.lexsort((drawn, times))
    n_train = len(ratings) - int(np.ceil(test_size * len(ratings)))
    parts = np.sort(oldest_first[:n_train]), np.sort(oldest_first[n_train:])
    split = _split(ratings, *parts)
    first_of_test = times[parts[1]].min()
    n_tied = int(np.count_nonzero(times == first_of_test))
    is_tied = times[parts[0]].max() == first_of_test
    ties = TiedTimes(n_tied, len(ratings), None, None, ratings.noun) if is_tied else None
    return _with_ties(split, ratings.source, ties)


def forecast_split(ratings: TableT, test_size: float = 0.2, seed: int = 0) -> SplitOf[TableT]:
    """The latest ratings of each user are the test.

    A user's n ratings are put in the order of time; those from place
    ``ceil((1 - test_size) * n)`` on, counted from 0, are the test, so each user keeps at least
    one for training. Equal or missing times are in the order of the positions, if these are known.
    Otherwise the order of equal times is drawn; `Split.notes` says how many rows are parted so, and
    for how many users.

    Raises:
        ArgumentError: If there are neither times nor positions, or those of each user are all
            equal; if ``test_size`` is not between 0 and 1, or one part would be empty.
    """
    check_test_size(test_size)
    # Rounded, so that (1 - 0.7) * 10 is 3 and not 3.0000000000000004, whose ceiling is 4.
    n_train = np.ceil(np.round((1 - test_size) * ratings.by_user.counts, 9))
    position = _position_in_time(ratings, seed)
    return _by_user_and_time(ratings, position >= n_train[ratings.user_index])


def leave_last_out(ratings: TableT, seed: int = 0) -> SplitOf[TableT]:
    """The last rating of each user is the test; a user's only rating stays for training.

    Which of several last ratings of equal times it is is drawn, and `Split.notes` says for which
    share of the users; see `forecast_split`.

    Raises:
        ArgumentError: If there are neither times nor positions, or those of each user are all
            equal, or no user has
            two ratings.
    """
    last = np.maximum(ratings.by_user.counts - 1, 1)
    return _by_user_and_time(ratings, _position_in_time(ratings, seed) == last[ratings.user_index])


def split_by_name(
    ratings: TableT, name: str, *, test_size: float = 0.2, seed: int = 0
) -> SplitOf[TableT]:
    """The split of that name: random, per-user, time, forecast, last, or u1 to u5.

    Splits that have no ``test_size`` or ``seed`` ignore it; those by time draw equal times.

    Raises:
        ArgumentError: If there is no split of that name, or the split cannot be made.
    """
    match name:
        case "random":
            return train_test_split(ratings, test_size, seed)
        case "per-user":
            return per_user_split(ratings, test_size, seed)
        case "time":
            return time_split(ratings, test_size, seed)
        case "forecast":
            return forecast_split(ratings, test_size, seed)
        case "last":
            return leave_last_out(ratings, seed)
        case "u1" | "u2" | "u3" | "u4" | "u5":
            return published_fold(ratings, int(name[1]))
    raise ArgumentError("split", expected=f"one of {', '.join(SPLIT_NAMES)}", received=repr(name))


def check_test_size(test_size: float) -> None:
    """Refuse a share that is not between 0 and 1."""
    if not 0 < test_size < 1:
        expected = "a share between 0 and 1"
        raise ArgumentError("test_size", expected=expected, received=repr(test_size))


def times_of(ratings: Feedback) -> I64:
    """The times of ratings, which must have some."""
    if ratings.timestamp is None:
        raise ArgumentError(
            "a split by time",
            expected=f"{ratings.noun} with timestamps",
            received=f"{ratings.noun} without",
            do="name the column (timestamp=...) when reading, or use the split 'random'",
        )
    return ratings.timestamp


def _equal_times(ratings: Feedback, received: str, other: str) -> ArgumentError:
    return ArgumentError(
        "a split by time",
        expected="times that differ",
        received=f"{received}, {len(ratings):,} {ratings.noun}",
        do=f"use the split {other!r}",
    )


def _position_in_time(ratings: Feedback, seed: int) -> I64:
    """Place (n,) of each row among those of its user by time and position, ties as drawn."""
    moment, users = _moments(ratings), ratings.by_user
    first, last = (np.full(len(users.counts), fill) for fill in (moment.max(), moment.min()))
    np.minimum.at(first, ratings.user_index, moment)
    np.maximum.at(last, ratings.user_index, moment)
    if (users.counts > 1).any() and not (first < last).any():
        raise _equal_times(ratings, "for each user one time alone", "per-user")
    return _position_in_user(ratings, moment, np.random.default_rng(seed).permutation(len(moment)))


def _moments(ratings: Feedback) -> I64:
    """Numbers (n,) that grow with time, and at equal times with the position."""
    if ratings.position is None:
        return times_of(ratings)
    keys = [key for key in (ratings.position, ratings.timestamp) if key is not None]
    order = np.lexsort(keys)
    is_later = np.zeros(len(ratings), dtype=np.bool_)
    for key in keys:
        is_later[1:] |= np.diff(key[order]) != 0
    moment = np.empty(len(ratings), dtype=np.int64)
    moment[order] = np.cumsum(is_later)
    return moment


def _by_user_and_time(ratings: TableT, is_test: Mask) -> SplitOf[TableT]:
    """The split of these, with a note on rows whose moment their user has in both parts."""
    split, times = _masked(ratings, is_test), _moments(ratings)
    order = np.lexsort((times, ratings.user_index))
    user, time, test = ratings.user_index[order], times[order], is_test[order]
    is_new = np.append(True, (user[1:] != user[:-1]) | (time[1:] != time[:-1]))
    start = np.flatnonzero(is_new)
    n_equal = np.diff(np.append(start, len(order)))
    n_test = np.add.reduceat(test.astype(np.int64), start)
    is_parted = (n_test > 0) & (n_test < n_equal)
    ties = TiedTimes(
        n_rows=int(n_equal[is_parted].sum()),
        n=len(ratings),
        n_users=int(is_parted.sum()),  # a user's parts meet at one moment alone
        n_of_users=int((ratings.by_user.counts > 1).sum()),
        noun=ratings.noun,
    )
    return _with_ties(split, ratings.source, ties if ties.n_rows else None)


def _with_ties(split: SplitOf[TableT], source: Source, ties: TiedTimes | None) -> SplitOf[TableT]:
    """The split, whose parts say what had to be drawn in it, and nothing of an older one."""
    source = source.split(ties)
    return SplitOf(split.train.replaced(source=source), split.test.replaced(source=source))


def _position_in_user(ratings: Feedback, key: I64, second: I64 | None = None) -> I64:
    """Position (n,), from 0, of each rating among those of its user, in the order of the keys."""
    keys = (key,) if second is None else (second, key)
    order = np.lexsort((*keys, ratings.user_index))
    starts = ratings.by_user.indptr[ratings.user_index[order]]
    position = np.empty(len(ratings), dtype=np.int64)
    position[order] = np.arange(len(ratings)) - starts
    return position


def _masked(ratings: TableT, is_test: Mask) -> SplitOf[TableT]:
    return _split(ratings, np.flatnonzero(~is_test), np.flatnonzero(is_test))


def _split(ratings: TableT, train: I64, test: I64) -> SplitOf[TableT]:
    if not len(train) or not len(test):
        raise ArgumentError(
            "split",
            expected=f"at least one {ratings.noun.removesuffix('s')} in each part",
            received=f"{len(train)} to train and {len(test)} to test, of {len(ratings)}",
            do="choose another test_size or another split",
        )
    # Parts are made to be compared: items that nobody has rated, in either, have no part in that.
    whole = ratings.with_items(ratings.items.without_untouched())
    whole = whole.replaced(source=replace(ratings.source, ties=None))
    return SplitOf(whole.take(train), whole.take(test))
