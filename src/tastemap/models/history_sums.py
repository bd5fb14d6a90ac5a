"""Sums over histories: what the closed form of the next item is solved from, and its updates."""

from typing import NamedTuple

import numpy as np

from tastemap.arrays import F32, I32, I64, Mask
from tastemap.kernels.next_item import add_pairs, products_of_weights


class HistorySums(NamedTuple):
    """What a fit adds up over the histories, and of which these are.

    Attributes:
        G, R: S'S, of which only the lower triangle counts, and Y'S, float32 (n_items, n_items).
        w, v: Weights of the places in S'S and in Y'S, float32 (window,).
        indptr: int64 (n_users + 1,), where the items of each user begin.
        items: int32 (n,), rows of items, user by user, oldest first.
    """

    G: F32
    R: F32
    w: F32
    v: F32
    indptr: I64
    items: I32

    @classmethod
    def of(
        cls, n: int, w: F32, v: F32, indptr: I64, items: I32, before: "HistorySums | None" = None
    ) -> "HistorySums":
        """The sums over n items.

        Args:
            n: Number of items.
            w, v, indptr, items: See above.
            before: Sums over other histories; where one is as it was, its part is not added anew.
        """
        G, R = np.zeros((n, n), dtype=np.float32), np.zeros((n, n), dtype=np.float32)
        is_new = np.ones(len(indptr) - 1, dtype=bool)
        if before is not None and np.array_equal([before.w, before.v], [w, v]):
            m = len(before.G)
            G[:m, :m], R[:m, :m] = before.G, before.R
            is_new = _changed(before, indptr, items)
            is_old = is_new[: len(before.indptr) - 1]
            _add(*_of_users(before.indptr, before.items, is_old), w, v, -1, G, R)
        _add(*_of_users(indptr, items, is_new), w, v, 1, G, R)
        return cls(G, R, w, v, indptr, items)


def _add(indptr: I64, items: I32, w: F32, v: F32, sign: int, G: F32, R: F32) -> None:
    """Add the parts of these histories, or take them away."""
    s = np.float32(sign)
    add_pairs(indptr, items, s * v, s * products_of_weights(w), G, R)


def _of_users(indptr: I64, items: I32, users: Mask) -> tuple[I64, I32]:
    """The histories of some of the users."""
    counts = np.diff(indptr)
    return np.append(0, np.cumsum(counts[users])), items[np.repeat(users, counts)]


def _changed(before: HistorySums, indptr: I64, items: I32) -> Mask:
    """Whose history (n_users,) is not what it was; that of a new user is not."""
    counts, old = np.diff(indptr), np.diff(before.indptr)
    same = np.append(old, np.full(len(counts) - len(old), -1)) == counts
    then, now = np.repeat(same[: len(old)], old), np.repeat(same, counts)
    differs = before.items[then] != items[now]
    changed = ~same
    changed[np.repeat(np.arange(len(counts)), counts)[now][differs]] = True
    return changed
