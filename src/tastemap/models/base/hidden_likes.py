"""``HiddenLikes``: a trial of models of likes, which counts the hidden likes that lists find."""

from typing import NamedTuple

import numpy as np

from tastemap.arrays import FloatArray, IndexArray
from tastemap.data.interactions import Interactions

# The share of the likes that is hidden, the length of the lists, and the most scores computed.
HIDDEN_SHARE, LIST_LENGTH, MAX_SCORES = 0.2, 10, 2**24


class HiddenLikes(NamedTuple):
    """Likes to learn from, and hidden likes that the lists of some users should find.

    Attributes:
        train: The likes that a trial learns from.
        hidden: The others; both have the users and items of the whole table.
        users: (n,), rows of the users whose lists are judged; each has hidden likes.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> likes = synthetic_ratings().likes()
        >>> trial = HiddenLikes.of(likes, seed=0)
        >>> len(trial.train) + len(trial.hidden) == len(likes)
        True
    """

    train: Interactions
    hidden: Interactions
    users: IndexArray

    @classmethod
    def of(cls, liked: Interactions, seed: int) -> "HiddenLikes | None":
        """A fifth of the likes is hidden; None if either part would be empty."""
        rng = np.random.default_rng(seed)
        is_hidden = rng.random(len(liked)) < HIDDEN_SHARE
        train, hidden = liked.take(~is_hidden), liked.take(is_hidden)
        if not len(train) or not len(hidden):
            return None
        users = rng.permutation(np.unique(hidden.user_index))
        return cls(train, hidden, users[: MAX_SCORES // liked.n_items + 1])

    def hits(self, scores: FloatArray) -> int:
        """How many of the hidden likes are among the first ten of the users' lists.

        Args:
            scores: (n, n_items), of the users in the order of ``users``; those of the likes in
                ``train`` are overwritten.
        """
        place = np.full(self.train.n_users, -1)
        place[self.users] = np.arange(len(self.users))
        rows = place[self.train.user_index]
        scores[rows[rows >= 0], self.train.item_index[rows >= 0]] = -np.inf
        n = min(LIST_LENGTH, scores.shape[1])
        lists = np.argpartition(-scores, n - 1, axis=1)[:, :n]
        in_list = np.zeros(scores.shape, dtype=bool)
        np.put_along_axis(in_list, lists, values=True, axis=1)
        rows = place[self.hidden.user_index]
        return int(in_list[rows[rows >= 0], self.hidden.item_index[rows >= 0]].sum())
