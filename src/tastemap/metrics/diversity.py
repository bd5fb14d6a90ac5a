"""Lists as wholes: how different their items are, and how like a taste their categories."""

import numpy as np
import numpy.typing as npt

from tastemap.arrays import F64, I64, IndexArray
from tastemap.errors import ArgumentError

# Elements of a block: items of lists times users; words of pairs, few enough for a cache.
BLOCK_SIZE, BLOCK_WORDS = 8_000_000, 200_000
# Bits of a word; a word says of 64 users which of them took up an item.
WORD_BITS = 64


def diversity(
    lists: npt.NDArray[np.integer], user_index: IndexArray, item_index: IndexArray
) -> float:
    r"""Intra-list diversity: 1 minus the mean similarity of the pairs of items in a list.

    The similarity of two items is the cosine of their columns in the table of who took up what,
    $\lvert U_i \cap U_j \rvert / \sqrt{\lvert U_i \rvert \lvert U_j \rvert}$: it is the same for
    every model that is compared. An item that nobody took up is similar to none. Ziegler et al.,
    "Improving recommendation lists through topic diversification", WWW 2005, with this similarity.

    Args:
        lists: Rows of items, (n_lists, k); -1 marks an empty place. Lists of fewer than two items
            do not count.
        user_index, item_index: Rows (n,) of who took up what, as in the training data; a pair that
            is there twice counts once.

    Returns:
        The mean over the lists, from 0 (all their items had the same users) to 1 (no two items of
        a list had a user in common); NaN if no list has two items.

    Example:
        >>> users, items = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2])
        >>> round(diversity(np.array([[0, 1], [0, 2]]), users, items), 4)  # 1 - 1 / sqrt(2), 1
        0.6464
    """
    if lists.ndim != 2 or user_index.shape != item_index.shape:
        raise ArgumentError(
            "lists, user_index and item_index",
            expected="shapes (n_lists, k), (n,) and (n,)",
            received=f"{lists.shape}, {user_index.shape} and {item_index.shape}",
        )
    items = np.sort(lists, axis=1)  # a pair then has one order, and empty places come first
    listed = np.flatnonzero(np.bincount(items[items >= 0]))
    if not len(listed):
        return float("nan")
    place = _places(listed, item_index)
    first, second = np.triu_indices(lists.shape[1], 1)
    left, right = items[:, first], items[:, second]
    is_pair, n_pairs = left >= 0, np.maximum((items >= 0).sum(axis=1) - 1, 0)
    n_pairs = n_pairs * (n_pairs + 1) // 2
    if not n_pairs.any():
        return float("nan")
    number = place[left[is_pair]] * len(listed) + place[right[is_pair]]
    pairs, which = np.unique(number, return_inverse=True)
    cosine = _cosines(np.divmod(pairs, len(listed)), place, user_index, item_index)
    of_list = np.repeat(np.arange(len(lists)), n_pairs)
    total = np.bincount(of_list, cosine[which], minlength=len(lists))
    has_pair = n_pairs > 0
    return float(1 - (total[has_pair] / n_pairs[has_pair]).mean())


def divergence(p: npt.ArrayLike, q: npt.ArrayLike, smoothing: float = 0.01) -> F64:
    r"""How far the categories of lists are from those of a taste; 0 where the shares are the same.

    The Kullback-Leibler divergence $\sum_g p_g \log(p_g / \tilde q_g)$ in nats, with
    $\tilde q = (1 - \alpha) q + \alpha p$, so that a category that a list lacks counts finitely
    (Steck, "Calibrated recommendations", RecSys 2018, equations 3 to 6).

    Args:
        p: Shares (n, G) of the categories in what each user likes; each row sums to 1.
        q: Shares (n, G) in their lists.
        smoothing: alpha, above 0 and at most 1.

    Returns:
        One number for each row, (n,), from 0 to $-\log \alpha$.

    Example:
        >>> divergence([[0.5, 0.5], [0.5, 0.5]], [[0.5, 0.5], [1.0, 0.0]]).round(3).tolist()
        [0.0, 1.959]
    """
    p, q = np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64)
    if p.ndim != 2 or p.shape != q.shape:
        shapes = f"{p.shape} and {q.shape}"
        raise ArgumentError("p and q", expected="one shape (n, categories)", received=shapes)
    if not 0 < smoothing <= 1:
        raise ArgumentError("smoothing", expected="a number above 0 to 1", received=smoothing)
    smooth = (1 - smoothing) * q + smoothing * p
    logs = np.log(np.where(p > 0, p, 1)) - np.log(np.where(p > 0, smooth, 1))
    return (p * logs).sum(axis=1)


def _places(chosen: I64, index: IndexArray) -> I64:
    """The place of each row number in ``chosen``, ascending; -1 for others of an index."""
    place = np.full(max(int(index.max(initial=0)), int(chosen.max(initial=0))) + 1, -1)
    place[chosen] = np.arange(len(chosen))
    return place


def _cosines(
    pairs: tuple[I64, I64], place: I64, user_index: IndexArray, item_index: IndexArray
) -> F64:
    """The cosine (p,) of each pair of places of items; users are counted as bits of words."""
    n_items = int(place.max()) + 1
    is_listed = place[item_index] >= 0
    items, users = place[item_index[is_listed]], user_index[is_listed]
    takers = np.flatnonzero(np.bincount(users))
    rows = _places(takers, users)[users]
    left, right = pairs
    common, size = np.zeros(len(left)), np.zeros(n_items)
    step = max(BLOCK_SIZE // n_items // WORD_BITS, 1) * WORD_BITS
    if len(takers) > step:
        order = np.argsort(rows, kind="stable")
        items, rows = items[order], rows[order]
    for start in range(0, len(takers), step):
        block = slice(None)
        if len(takers) > step:
            block = slice(*np.searchsorted(rows, [start, start + step]))
        width = -(-min(step, len(takers) - start) // WORD_BITS) * WORD_BITS
        took = np.zeros((n_items, width), dtype=np.bool_)
        took[items[block], rows[block] - start] = True
        words = np.packbits(took, axis=1).view(np.uint64)
        size += np.bitwise_count(words).sum(axis=1)
        many = max(BLOCK_WORDS // words.shape[1], 1)
        for at in range(0, len(left), many):
            part = slice(at, at + many)
            both = words[left[part]] & words[right[part]]
            common[part] += np.bitwise_count(both).sum(axis=1)
    return common / np.sqrt(np.maximum(size[left] * size[right], 1))
