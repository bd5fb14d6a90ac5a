"""Splits of prepared tables, written as prepared tables, a piece at a time."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tastemap.data.pieces import pieces
from tastemap.data.prepared import About, Piece, write_table
from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split, check_size, times_of
from tastemap.data.vocabulary import Vocabulary
from tastemap.errors import ArgumentError

#: The names of the splits.
WAYS = ("hash", "time")
# Times are counted in so many intervals at once.
_BINS = 2**16

# Whether each row of a slice is in the test part.
_Chooses = Callable[[slice], npt.NDArray[np.bool_]]


def split_prepared(
    ratings: Ratings,
    folder: str | Path,
    by: str = "hash",
    *,
    test_size: float = 0.1,
    seed: int = 0,
) -> Split:
    """Write a training and a test part of a table, ``folder/train`` and ``folder/test``.

    Args:
        ratings: The table, in memory or prepared.
        folder: Where the parts are written; prepared ones that are there are replaced.
        by: ``"hash"``: each pair of user and item by a hash of both and the seed, so that it falls
            into the same part whatever else the table holds, and the test part has about its share.
            ``"time"``: the latest ratings are the test; of the ratings of the second in which it
            begins all are, so that it has at least its share.
        test_size: The test part's share of the ratings, between 0 and 1.
        seed: Of the hash.

    Returns:
        The parts, mapped; both keep the vocabularies and the scale of the whole.

    Raises:
        ArgumentError: If an argument is none of its values, or a part would be empty.
        OSError: If the disk is full or not writable.

    Example:
        >>> import tempfile
        >>> from tastemap.data.synthetic import synthetic_ratings
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     train, test = split_prepared(synthetic_ratings(), folder, "time", test_size=0.1)
        ...     len(train), len(test)
        (2700, 300)
    """
    check_size(test_size)
    if by not in WAYS:
        raise ArgumentError("by", expected=f"one of {', '.join(WAYS)}", received=repr(by))
    chooses = _hashed(ratings, test_size, seed) if by == "hash" else _latest(ratings, test_size)
    n_test = sum(int(np.count_nonzero(chooses(rows))) for rows in pieces(len(ratings)))
    if not 0 < n_test < len(ratings):
        raise ArgumentError(
            "test_size",
            expected="at least one rating in each part",
            received=f"{len(ratings) - n_test} to train and {n_test} to test",
        )
    sizes = {"train": len(ratings) - n_test, "test": n_test}
    return Split(
        *(
            write_table(
                Path(folder) / part,
                _part(ratings, chooses, part == "test"),
                n,
                About.of(ratings),
                timed=ratings.timestamp is not None,
            )
            for part, n in sizes.items()
        )
    )


def _part(ratings: Ratings, chooses: _Chooses, test: bool) -> Iterator[Piece]:
    for rows in pieces(len(ratings)):
        mine = chooses(rows) == test
        columns = {
            "user_index": ratings.user_index,
            "item_index": ratings.item_index,
            "rating": ratings.rating,
            "timestamp": ratings.timestamp,
        }
        yield {name: column[rows][mine] for name, column in columns.items() if column is not None}


def _hashed(ratings: Ratings, share: float, seed: int) -> _Chooses:
    """Pairs whose hash lies in the lowest share of all hashes."""
    below = np.uint64(share * 2.0**64)
    users = _mixed(_hashes(ratings.users) + np.uint64(seed % 2**64))
    items = _hashes(ratings.items)

    def chooses(rows: slice) -> npt.NDArray[np.bool_]:
        pair = users[ratings.user_index[rows]] + items[ratings.item_index[rows]]
        return _mixed(pair) < below

    return chooses


def _hashes(vocabulary: Vocabulary) -> npt.NDArray[np.uint64]:
    """A hash (n,) of each id, the same in every table and on every machine."""
    if not vocabulary.is_text:
        return _mixed(vocabulary.ids.to_numpy().view(np.uint64))
    found = [hashlib.blake2b(str(one).encode(), digest_size=8).digest() for one in vocabulary]
    return np.frombuffer(b"".join(found), dtype="<u8").astype(np.uint64)


def _mixed(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014)."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _latest(ratings: Ratings, share: float) -> _Chooses:
    """Ratings from a second on, the last such that they are at least the share."""
    times = times_of(ratings)
    wanted = int(np.ceil(share * len(times)))
    low, high, after = int(times.min()), int(times.max()) + 1, 0  # it lies in [low, high)
    while high - low > 1:
        width = -(-(high - low) // _BINS)
        counts = np.zeros(-(-(high - low) // width), dtype=np.int64)
        for rows in pieces(len(times)):
            inside = times[rows][(times[rows] >= low) & (times[rows] < high)]
            counts += np.bincount((inside - low) // width, minlength=len(counts))
        reached = after + np.cumsum(counts[::-1])[::-1]  # ratings from the start of a bin on
        bin_ = int(np.flatnonzero(reached >= wanted)[-1])
        after += int(counts[bin_ + 1 :].sum())
        low, high = low + bin_ * width, min(low + (bin_ + 1) * width, high)
    return lambda rows: times[rows] >= low
