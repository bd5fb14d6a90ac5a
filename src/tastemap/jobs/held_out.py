"""A test table from a file of its own, such as the test part of a published split."""

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.data.splits import SplitOf, split_by_name
from tastemap.errors import ArgumentError
from tastemap.support.counts import counted

DEFAULT_SPLIT = "random"


class Parts(NamedTuple):
    """Training and test ratings, what to call the split, and what to know about it.

    Attributes:
        split: The two parts; their vocabularies may differ.
        name: The name of the split, or of the file of the test ratings.
        notes: Facts for the reader.
    """

    split: SplitOf[Any]
    name: str
    notes: tuple[str, ...] = ()


def parts_of(
    ratings: Ratings | Interactions,
    test: Ratings | Interactions | None,
    split: str,
    *,
    test_size: float,
    seed: int,
) -> Parts:
    """The ratings and their test table, or two parts of the ratings.

    Args:
        ratings: All ratings, or the training ratings.
        test: The test ratings, or None.
        split, test_size, seed: As in `split_by_name`, if there are none.

    Raises:
        ArgumentError: If both a test table and a split are given.
    """
    if test is None:
        parts: SplitOf[Any] = split_by_name(ratings, split, test_size=test_size, seed=seed)
        return Parts(parts, split, parts.notes)
    if split != DEFAULT_SPLIT:
        raise ArgumentError("--test, --split", expected="one of the two", received="both")
    if isinstance(ratings, Ratings) and isinstance(test, Ratings):
        return held_out(ratings, test)
    name = Path(test.source.name).name
    if ratings.noun != test.noun:
        received = f"{test.noun} in {name}"
        raise ArgumentError("--test", expected=f"{ratings.noun} as in DATA", received=received)
    notes = (f"tested on {len(test):,} interactions of {name}",)
    return Parts(SplitOf[Any](ratings, test), name, notes)


def held_out(ratings: Ratings, test: Ratings) -> Parts:
    """Training ratings and a test table of its own, on the scale of the training ratings.

    The scale that a test table shows may be shorter, or miss steps, since it is the smaller one.
    """
    name, scale = Path(test.source.name).name, ratings.scale
    outside = int(np.count_nonzero(scale.clip(test.rating) != test.rating))
    notes = [f"tested on {len(test):,} ratings of {name}"]
    if outside:
        notes.append(
            f"{outside} of {len(test)} test ratings lie outside the scale of the training ratings,"
            f" {scale.lowest:g} to {scale.highest:g}: no prediction can reach them"
        )
    blind = ratings.blind_to(test)
    if n := _n_seen(ratings) - _n_seen(blind):
        notes.append(f"{counted(n, 'test pair')} not taken as seen: that would give it away")
    return Parts(SplitOf[Any](blind, replace(test, scale=scale)), name, tuple(notes))


def _n_seen(ratings: Ratings) -> int:
    return 0 if ratings.seen is None else len(ratings.seen)
