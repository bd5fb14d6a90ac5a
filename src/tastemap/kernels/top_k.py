"""The k best of many scores, user by user, without sorting them."""

from typing import Any

import numba as nb
import numpy as np
import numpy.typing as npt

# Lanes are so many, or a multiple where lists are long: enough that hardly two of the best fall
# into one, few enough that the largest of each stay in the first cache.
_WIDTH = 256

_Scores = npt.NDArray[Any]
_Rows = npt.NDArray[np.int32]
_Ends = npt.NDArray[np.int64]


@nb.njit(cache=True, nogil=True)
def shortlist(
    scores: _Scores,
    error: npt.NDArray[np.float64],
    k: int,
    rows: _Rows,
    ends: _Ends,
) -> None:
    """Items that may be among the k best of each user: those best, and hardly any more.

    Item j lies in lane j mod L, so that the largest score of each lane is found many at a time in
    one instruction. The k-th best score is at least the k-th largest of the lanes, and only the
    lanes that reach it are looked at again.

    Args:
        scores: float32 or float64 (n, n_items); an item of -inf is never found.
        error: (n,), how far a user's scores may be from the true ones.
        k: Length of the lists, at most n_items.
        rows: (n n_items,), set to the items found, user by user.
        ends: (n,), set to where each user's end.
    """
    n_items = scores.shape[1]
    n_lanes = min(n_items, _WIDTH * max(1, 8 * k // _WIDTH))
    largest, lanes = np.empty(n_lanes, scores.dtype), np.arange(n_lanes).astype(np.int32)
    best, best_lanes = np.empty(k, scores.dtype), np.empty(k, np.int32)
    found = 0
    for n in range(len(scores)):
        _largest_of_lanes(scores[n], largest)
        k_best(largest, lanes, k, best, best_lanes)
        found = _above(scores[n], best[0] - 2 * error[n], largest, rows, found)
        ends[n] = found


def shortlisted(
    scores: _Scores, error: npt.NDArray[Any] | None, k: int
) -> tuple[_Rows, npt.NDArray[np.intp], _Ends]:
    """What `shortlist` finds: rows (m,), whose each is (m,), and where each user's end, (n,).

    Without an error the scores are the true ones.
    """
    n = len(scores)
    rows, ends = np.empty(scores.size, dtype=np.int32), np.empty(n, dtype=np.int64)
    shortlist(scores, np.zeros(n) if error is None else error.astype(np.float64), k, rows, ends)
    return rows[: ends[-1]], np.repeat(np.arange(n), np.diff(ends, prepend=0)), ends


@nb.njit(cache=True, nogil=True)
def _largest_of_lanes(s: _Scores, largest: _Scores) -> None:
    """The largest score of each lane; a fixed number at a time, which makes them vectors."""
    n_lanes = len(largest)
    largest[:] = s[:n_lanes]
    start = n_lanes
    while start + _WIDTH <= len(s):
        lanes, part = largest[start % n_lanes :], s[start:]
        for l in range(_WIDTH):  # noqa: E741
            # Not max(), which would look for NaN.
            lanes[l] = part[l] if part[l] > lanes[l] else lanes[l]  # noqa: FURB136
        start += _WIDTH
    for j in range(start, len(s)):
        largest[j % n_lanes] = max(s[j], largest[j % n_lanes])


@nb.njit(cache=True, nogil=True)
def _above(s: _Scores, least: float, largest: _Scores, rows: _Rows, found: int) -> int:
    """Add to the rows found those of a score of at least so much; returns their number."""
    for l in range(len(largest)):  # noqa: E741
        if largest[l] >= least and largest[l] > -np.inf:
            for j in range(l, len(s), len(largest)):
                if s[j] >= least and s[j] > -np.inf:
                    rows[found] = j
                    found += 1
    return found


@nb.njit(cache=True, nogil=True)
def best_of(
    scores: _Scores, rows: _Rows, ends: _Ends, k: int, best: _Rows, best_scores: _Scores
) -> None:
    """The k best of each list, best first; of equal scores the lower row comes first.

    Args:
        scores, rows: (m,), the lists one after the other.
        ends: (n,), where each list ends.
        k: Number of places.
        best: (n, k), set to the rows; -1 where a list is shorter.
        best_scores: (n, k), set to their scores; NaN where a list is shorter.
    """
    start = 0
    for n in range(len(ends)):
        s, r = best_scores[n], best[n]
        size = k_best(scores[start : ends[n]], rows[start : ends[n]], k, s, r)
        for last in range(size - 1, 0, -1):
            # The worst, at the root, goes to the end; the next worst takes its place.
            worst, row = s[0], r[0]
            _sink(s, r, last, 0, s[last], r[last])
            s[last], r[last] = worst, row
        s[size:] = np.nan
        r[size:] = -1
        start = ends[n]


@nb.njit(cache=True, nogil=True)
def k_best(scores: _Scores, rows: _Rows, k: int, s: _Scores, r: _Rows) -> int:
    """Make s, r a heap of the k best of a list, the worst at its root; returns its size."""
    size = min(k, len(scores))
    s[:size], r[:size] = scores[:size], rows[:size]
    for place in range(size // 2 - 1, -1, -1):
        _sink(s, r, size, place, s[place], r[place])
    for m in range(size, len(scores)):
        if _worse(s[0], r[0], scores[m], rows[m]):
            _sink(s, r, size, 0, scores[m], rows[m])
    return size


@nb.njit(cache=True, nogil=True)
def _sink(s: _Scores, r: _Rows, size: int, place: int, score: float, row: int) -> None:
    """Put an entry into the heap at a place or below it, where nothing under it is worse."""
    child = 2 * place + 1
    while child < size:
        if child + 1 < size and _worse(s[child + 1], r[child + 1], s[child], r[child]):
            child += 1
        if not _worse(s[child], r[child], score, row):
            break
        s[place], r[place] = s[child], r[child]
        place, child = child, 2 * child + 1
    s[place], r[place] = score, row


@nb.njit(cache=True, nogil=True)
def _worse(score: float, row: int, other_score: float, other_row: int) -> bool:
    """Whether an entry comes after another: a lower score, or an equal one of a higher row."""
    return score < other_score or (score == other_score and row > other_row)


@nb.njit(cache=True, nogil=True)
def leave_out(scores: _Scores, users: _Rows, offsets: _Ends, seen: _Rows) -> None:
    """Set the scores of what each user has seen to -inf.

    Args:
        scores: (n, n_items), changed in place.
        users: (n,), rows of the users.
        offsets, seen: User u has seen the items ``seen[offsets[u]:offsets[u + 1]]``.
    """
    for n in range(len(users)):
        for m in range(offsets[users[n]], offsets[users[n] + 1]):
            scores[n, seen[m]] = -np.inf
