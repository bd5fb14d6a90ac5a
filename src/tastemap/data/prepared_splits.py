"""Splits of tables of any size, written as prepared tables, part by part.

What is in a part is decided row by row: by a hash of the pair, or by a second in time.
"""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import numpy as np

from tastemap.arrays import U64, Mask
from tastemap.data.chunks import chunks
from tastemap.data.feedback import Feedback
from tastemap.data.memmap import Chunk, Metadata, write_prepared
from tastemap.data.ratings import Ratings
from tastemap.data.splits import SplitOf, TableT, check_test_size
from tastemap.data.vocabulary import Vocabulary
from tastemap.errors import ArgumentError

#: How `split_prepared` chooses the test part.
PREPARED_SPLIT_NAMES = ("hash", "time")

# Times are counted in histograms of so many bins.
N_TIME_BINS = 2**16

# Whether each row of a slice is in the test part.
_IsTest = Callable[[slice], Mask]


def split_prepared(
    ratings: TableT, folder: str | Path, by: str = "hash", *, test_size: float = 0.1, seed: int = 0
) -> SplitOf[TableT]:
    """Write a training and a test part as prepared tables, ``folder/train`` and ``folder/test``.

    Args:
        ratings: Ratings or interactions, in memory or prepared.
        folder: Where the parts are written. Prepared tables that are there are replaced.
        by: ``"hash"``: a hash of the pair of user and item and of the seed decides. A pair falls
            into the same part whatever else the table holds, and all its interactions with it;
            the test part has about its share.
            ``"time"``: the latest ratings are the test. Ratings of the same second stay together,
            so the test part has at least its share.
        test_size: The test part's share of the ratings, between 0 and 1.
        seed: Of the hash.

    Returns:
        The parts, mapped; both keep the vocabularies and the scale of the whole.

    Raises:
        ArgumentError: If an argument is none of its values, or a part would be empty.
        OSError: If the disk is full or not writable.

    Example:
        >>> import tempfile
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     train, test = split_prepared(synthetic_ratings(), folder, "time", test_size=0.1)
        ...     len(train), len(test)
        (2700, 300)
    """
    check_test_size(test_size)
    if by not in PREPARED_SPLIT_NAMES:
        expected = f"one of {', '.join(PREPARED_SPLIT_NAMES)}"
        raise ArgumentError("by", expected=expected, received=repr(by))
    is_test = _by_hash(ratings, test_size, seed) if by == "hash" else _by_time(ratings, test_size)
    n_test = sum(int(np.count_nonzero(is_test(rows))) for rows in chunks(len(ratings)))
    if not 0 < n_test < len(ratings):
        raise ArgumentError(
            "test_size",
            expected=f"at least one {ratings.noun.removesuffix('s')} in each part",
            received=f"{len(ratings) - n_test} to train and {n_test} to test",
        )

    scale, seen = (ratings.scale, ratings.seen) if isinstance(ratings, Ratings) else (None, None)
    metadata = Metadata(ratings.users, ratings.items, scale, ratings.source, seen)
    columns = {name: getattr(ratings, name) for name in ratings.column_names()}
    columns = {name: column for name, column in columns.items() if column is not None}

    def write(name: str, n: int, in_part: bool) -> TableT:
        rows = _part(columns, is_test, in_part)
        return cast(TableT, write_prepared(Path(folder) / name, rows, n, metadata, columns))

    return SplitOf(write("train", len(ratings) - n_test, False), write("test", n_test, True))


def _part(columns: Chunk, is_test: _IsTest, in_part: bool) -> Iterator[Chunk]:
    """The chunks of the columns in which ``is_test`` is ``in_part``."""
    for rows in chunks(len(columns["user_index"])):
        chosen = is_test(rows) == in_part
        yield {name: column[rows][chosen] for name, column in columns.items()}


def _by_hash(ratings: Feedback, share: float, seed: int) -> _IsTest:
    """Pairs whose hash lies in the lowest share of all hashes."""
    threshold = np.uint64(share * 2.0**64)
    users = _mixed(_hashes(ratings.users) + np.uint64(seed % 2**64))
    items = _hashes(ratings.items)

    def is_test(rows: slice) -> Mask:
        pair = users[ratings.user_index[rows]] + items[ratings.item_index[rows]]
        return _mixed(pair) < threshold

    return is_test


def _hashes(vocabulary: Vocabulary) -> U64:
    """A hash (n,) of each id, the same in every table and on every machine."""
    if not vocabulary.is_text:
        return _mixed(vocabulary.ids.to_numpy().view(np.uint64))
    digests = [hashlib.blake2b(str(id_).encode(), digest_size=8).digest() for id_ in vocabulary]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def _mixed(x: U64) -> U64:
    """SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014)."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _by_time(ratings: Feedback, share: float) -> _IsTest:
    """Ratings from the latest second on from which they are at least the share."""
    if ratings.timestamp is None:
        raise ArgumentError(
            "by",
            expected=f"{ratings.noun} with timestamps, for 'time'",
            received=f"{ratings.noun} without",
            do="name the column (timestamp=...) when reading, or split by 'hash'",
        )
    times = ratings.timestamp
    n_test = int(np.ceil(share * len(times)))
    # That second lies in [low, high); n_later ratings are of ``high`` or later.
    low, high, n_later = int(times.min()), int(times.max()) + 1, 0
    while high - low > 1:
        width = -(-(high - low) // N_TIME_BINS)
        counts = np.zeros(-(-(high - low) // width), dtype=np.int64)
        for rows in chunks(len(times)):
            inside = times[rows][(times[rows] >= low) & (times[rows] < high)]
            counts += np.bincount((inside - low) // width, minlength=len(counts))
        n_from_bin = n_later + np.cumsum(counts[::-1])[::-1]
        bin_ = int(np.flatnonzero(n_from_bin >= n_test)[-1])
        n_later += int(counts[bin_ + 1 :].sum())
        low, high = low + bin_ * width, min(low + (bin_ + 1) * width, high)
    return lambda rows: times[rows] >= low
