"""Notes for a reader of test errors: leaks, duplicates, and ids without training ratings."""

import numpy as np
import polars as pl

from tastemap.arrays import I64, IndexArray
from tastemap.data.chunks import chunks
from tastemap.data.feedback import Feedback
from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.support.counts import counted

# Least share of test ratings before training ratings that makes a note.
MIN_SHARE_OF_NOTE = 0.01


def split_notes(train: Feedback, test: Feedback) -> tuple[str, ...]:
    """Faults and facts of training and test ratings, in sentences.

    They are: pairs of user and item in both parts; pairs twice in one part; test ratings by users
    or of items without a training rating; and test ratings that are older than the last training
    rating of the same user.

    Args:
        train, test: Parts of one table or of two; the vocabularies may differ.

    Example:
        >>> from tastemap.data.splits import leave_last_out
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> train, test = leave_last_out(synthetic_ratings())
        >>> split_notes(train, test)
        ('16 of 120 test ratings are of items without training rating',)
    """
    users, items = _rows(train, test)
    row = train.noun.removesuffix("s")
    notes = leak_notes(train, users, items, of_lists=isinstance(train, Interactions))
    notes += _seen_notes(train, test, users, items)
    repeated = {"training": _n_twice(train), "test": _n_twice(test)}
    notes += [
        f"{counted(n, f'{part} {row}')} {'is' if n == 1 else 'are'} of a pair of user and item"
        f" that is in the {part} part before"
        for part, n in repeated.items()
        if n
    ]
    for kind, index, counts in (
        ("users", users, train.by_user.counts),
        ("items", items, train.by_item.counts),
    ):
        cold = int((np.where(index >= 0, counts[index], 0) == 0).sum())
        if cold:
            notes.append(
                f"{cold:,} of {counted(len(test), f'test {row}')}"
                f" {'is' if cold == 1 else 'are'} of {kind} without training {row}"
            )
    return (*notes, *_time_notes(train, test, users))


def is_forecast(train: Feedback, test: Feedback) -> bool:
    """Whether the test ratings are later than those that their users have given in training.

    Without times nobody can tell, and the answer is no.

    Example:
        >>> from tastemap.data.splits import split_by_name
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> ratings = synthetic_ratings()
        >>> [is_forecast(*split_by_name(ratings, name)) for name in ("forecast", "random")]
        [True, False]
    """
    if train.timestamp is None or test.timestamp is None:
        return False
    return _share_before(train, test, _rows(train, test)[0]) < MIN_SHARE_OF_NOTE


def leak_notes(
    train: Feedback, users: IndexArray, items: IndexArray, *, of_lists: bool = False
) -> list[str]:
    """A list with a sentence on test pairs that are in the training ratings; [] without any.

    Args:
        train: The training ratings.
        users, items: Rows (n,) of the test pairs in its vocabularies, -1 for unknown ones.
        of_lists: Whether the reader sees scores of lists, and no errors.
    """
    both = (users >= 0) & (items >= 0)
    pairs, counts = np.unique(
        pair_numbers(users[both], items[both], train.n_items), return_counts=True
    )
    in_train = np.zeros(len(pairs) + 1, dtype=np.bool_)
    for rows in chunks(len(train)):  # there are many more of them than test pairs
        trained = pair_numbers(train.user_index[rows], train.item_index[rows], train.n_items)
        place = np.searchsorted(pairs, trained)
        in_train[place[np.append(pairs, -1)[place] == trained]] = True
    n_leaked = int(counts[in_train[:-1]].sum())
    if not n_leaked:
        return []
    verb, effect = "is" if n_leaked == 1 else "are", "the errors are too good to be true"
    if of_lists:
        effect = "lists leave out what a user has, so each counts as a miss"
    return [
        f"{n_leaked:,} of {counted(len(users), 'test pair')} {verb} among the training {train.noun}"
        f" too: {effect}"
    ]


def _seen_notes(train: Feedback, test: Feedback, users: IndexArray, items: IndexArray) -> list[str]:
    """A list with a sentence on test pairs that were seen in training without a rating."""
    seen = train.seen if isinstance(train, Ratings) else None
    if seen is None:
        return []
    pairs = pair_numbers(seen.user_index, seen.item_index, train.n_items)
    tested = pair_numbers(users, items, train.n_items)[(users >= 0) & (items >= 0)]
    n = int(np.isin(tested, pairs).sum())
    if not n:
        later = ""
        if seen.timestamp is not None and test.timestamp is not None and is_forecast(train, test):
            n_later = int(np.count_nonzero(seen.timestamp > test.timestamp.min()))
            later = f"; {n_later:,} later than the first test rating" * bool(n_later)
        pairs_seen = counted(len(seen), "pair")
        return [f"{pairs_seen} seen in training without a rating, no test pair{later}"]
    verb = "was" if n == 1 else "were"
    return [
        f"{n:,} of {counted(len(users), 'test pair')} {verb} seen in training without a rating:"
        " the model knows that these are pairs"
    ]


def _n_twice(ratings: Feedback) -> int:
    """Number of ratings whose pair of user and item is also in an earlier row."""
    pairs = pair_numbers(ratings.user_index, ratings.item_index, ratings.n_items)
    return len(pairs) - pl.Series(pairs).n_unique()


def _time_notes(train: Feedback, test: Feedback, users: IndexArray) -> tuple[str, ...]:
    """How many test ratings are older than the last training rating of the same user."""
    share = _share_before(train, test, users)
    if share < MIN_SHARE_OF_NOTE:
        return ()
    row, made = train.noun.removesuffix("s"), "given" if train.noun == "ratings" else "made"
    return (
        f"{100 * share:.0f} % of the test {train.noun} were {made} before the last training {row}"
        " of their user: the errors are those of filling gaps, not of a forecast",
    )


def _share_before(train: Feedback, test: Feedback, users: IndexArray) -> float:
    """Share of the test ratings that are older than the last training rating of their user."""
    if train.timestamp is None or test.timestamp is None:
        return 0.0
    last = np.full(train.n_users + 1, np.iinfo(np.int64).min)
    np.maximum.at(last, train.user_index, train.timestamp)
    # Row -1, the last, stands for unknown users: no time is earlier than its time.
    return float((test.timestamp < last[users]).mean())


def _rows(train: Feedback, test: Feedback) -> tuple[IndexArray, IndexArray]:
    """The rows of the test pairs in the vocabularies of the training part; -1 unknown."""
    users = train.users.index(test.users.ids, missing="negative")[test.user_index]
    return users, train.items.index(test.items.ids, missing="negative")[test.item_index]


def pair_numbers(users: IndexArray, items: IndexArray, n_items: int) -> I64:
    """A number for each pair of rows; no known pair has the number of an unknown item, -1."""
    return users.astype(np.int64) * (n_items + 1) + items + 1
