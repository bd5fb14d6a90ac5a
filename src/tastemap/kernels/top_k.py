"""The k highest scores of each user, without sorting all scores."""

import numpy as np
from numba import njit

from tastemap.arrays import F64, I32, I64, FloatArray

# The number of lanes is this, or a multiple for long lists: so many that two of the best scores are
# rarely in one lane, so few that the largest score of each lane fits into the first cache.
_WIDTH = 256


@njit(cache=True, nogil=True)
def shortlist(scores: FloatArray, error: F64, k: int, rows: I32, ends: I64) -> None:
    """The items that may be among the k best of each user, and few others.

    Item j is in lane j mod L, so that vector instructions find the largest scores of many lanes at
    once. The k-th best score is at least the k-th largest of these. Only the lanes that reach it
    are searched again.

    Args:
        scores: float32 or float64 (n, n_items); items of -inf are left out.
        error: (n,), largest error of each user's scores.
        k: Length of the lists, at most n_items.
        rows: (n n_items,), set to the shortlisted items, user by user.
        ends: (n,), set to the end of each user's part of ``rows``.
    """
    n_items = scores.shape[1]
    n_lanes = min(n_items, _WIDTH * max(1, 8 * k // _WIDTH))
    largest, lanes = np.empty(n_lanes, scores.dtype), np.arange(n_lanes).astype(np.int32)
    best, best_lanes = np.empty(k, scores.dtype), np.empty(k, np.int32)
    end = 0
    for n in range(len(scores)):
        _largest_of_lanes(scores[n], largest)
        k_best(largest, lanes, k, best, best_lanes)
        end = _append_above(scores[n], best[0] - 2 * error[n], largest, rows, end)
        ends[n] = end


def shortlisted(scores: FloatArray, error: FloatArray | None, k: int) -> tuple[I32, I64, I64]:
    """The result of `shortlist`: items (m,), the row of ``scores`` of each (m,), and ends (n,).

    Without an error the scores are exact.
    """
    n = len(scores)
    rows, ends = np.empty(scores.size, dtype=np.int32), np.empty(n, dtype=np.int64)
    shortlist(scores, np.zeros(n) if error is None else error.astype(np.float64), k, rows, ends)
    return rows[: ends[-1]], np.repeat(np.arange(n), np.diff(ends, prepend=0)), ends


def best_rows(scores: FloatArray, k: int) -> tuple[I32, FloatArray]:
    """The k highest of each row of scores (n, m), and these; ties and places left as in `best_of`.

    Example:
        >>> best_rows(np.array([[1.0, 3.0, 2.0, 3.0]]), 3)[0].tolist()
        [[1, 3, 2]]
    """
    rows, owner, ends = shortlisted(scores, None, k)
    best = np.empty((len(scores), k), np.int32), np.empty((len(scores), k), scores.dtype)
    best_of(scores[owner, rows], rows, ends, k, *best)
    return best


@njit(cache=True, nogil=True)
def _largest_of_lanes(s: FloatArray, largest: FloatArray) -> None:
    """The largest score of each lane, a fixed number of lanes at a time, to use vectors."""
    n_lanes = len(largest)
    largest[:] = s[:n_lanes]
    start = n_lanes
    while start + _WIDTH <= len(s):
        lanes, part = largest[start % n_lanes :], s[start:]
        for l in range(_WIDTH):  # noqa: E741
            # max() would check for NaN, and be slower.
            lanes[l] = part[l] if part[l] > lanes[l] else lanes[l]  # noqa: FURB136
        start += _WIDTH
    for j in range(start, len(s)):
        largest[j % n_lanes] = max(s[j], largest[j % n_lanes])


@njit(cache=True, nogil=True)
def _append_above(s: FloatArray, bound: float, largest: FloatArray, rows: I32, end: int) -> int:
    """Write the items of a score of at least ``bound`` to rows, from ``end`` on; the new end."""
    for l in range(len(largest)):  # noqa: E741
        if largest[l] >= bound and largest[l] > -np.inf:
            for j in range(l, len(s), len(largest)):
                if s[j] >= bound and s[j] > -np.inf:
                    rows[end] = j
                    end += 1
    return end


@njit(cache=True, nogil=True)
def best_of(
    scores: FloatArray, rows: I32, ends: I64, k: int, best: I32, best_scores: FloatArray
) -> None:
    """The k best of each list, best first; of equal scores the lower row comes first.

    Args:
        scores, rows: (m,), the lists one after the other.
        ends: (n,), the end of each list.
        k: Length of the answers.
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


@njit(cache=True, nogil=True)
def k_best(scores: FloatArray, rows: I32, k: int, s: FloatArray, r: I32) -> int:
    """Set s, r to a heap of the k best entries of a list, the worst at its root; its size."""
    size = min(k, len(scores))
    s[:size], r[:size] = scores[:size], rows[:size]
    for place in range(size // 2 - 1, -1, -1):
        _sink(s, r, size, place, s[place], r[place])
    for m in range(size, len(scores)):
        if _worse(s[0], r[0], scores[m], rows[m]):
            _sink(s, r, size, 0, scores[m], rows[m])
    return size


@njit(cache=True, nogil=True)
def _sink(s: FloatArray, r: I32, size: int, place: int, score: float, row: int) -> None:
    """Put an entry into the heap, at a place or so far below it that no entry under it is worse."""
    child = 2 * place + 1
    while child < size:
        if child + 1 < size and _worse(s[child + 1], r[child + 1], s[child], r[child]):
            child += 1
        if not _worse(s[child], r[child], score, row):
            break
        s[place], r[place] = s[child], r[child]
        place, child = child, 2 * child + 1
    s[place], r[place] = score, row


@njit(cache=True, nogil=True)
def _worse(score: float, row: int, other_score: float, other_row: int) -> bool:
    """Whether an entry ranks below another: a lower score, or an equal score and a higher row."""
    return score < other_score or (score == other_score and row > other_row)


@njit(cache=True, nogil=True)
def leave_out(scores: FloatArray, users: I32, indptr: I64, seen: I32) -> None:
    """Set the scores of the items that each user has seen to -inf.

    Args:
        scores: (n, n_items), changed in place.
        users: (n,), rows of the users.
        indptr, seen: User u has seen the items ``seen[indptr[u]:indptr[u + 1]]``.
    """
    for n in range(len(users)):
        for m in range(indptr[users[n]], indptr[users[n] + 1]):
            scores[n, seen[m]] = -np.inf
