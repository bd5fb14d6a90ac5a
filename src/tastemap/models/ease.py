"""EASE: a linear model of items by items in closed form, shallow and hard to beat."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tastemap.arrays import FloatArray, IndexArray
from tastemap.data.ratings import Groups, Ratings
from tastemap.kernels.ease import pair_sums, sums_of_rows, weights_in_place
from tastemap.models.base.explanation import Explanation
from tastemap.models.base.item_based import ItemModel, RatedItems, at_items
from tastemap.models.base.rows import Capabilities
from tastemap.models.base.user import User
from tastemap.models.base.validation import positive, share

# Below this size a block is inverted by LAPACK, above it by products of its halves.
_BLOCK = 128


class EASE(ItemModel):
    """Each item's likes predicted by the likes of all other items, in one matrix inversion.

    References:
        Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019, equations 2 to 8.
        Steck, "Autoencoders that don't overfit towards the identity", NeurIPS 2020, sections 2 and
        3 (DLAE: the penalty that dropout of the input comes to; EDLAE: with a diagonal of 0). The
        weights of users are weighted least squares, |W^(1/2) (X - X B)|^2 with a diagonal W.

    Prediction:
        s_uj = sum over the items i that u likes of B_ij, a score to rank by: row u of X B, where X
        has a 1 for each like. It is no rating, so `predict` is refused, and `recommend` leaves
        ``predicted_rating`` empty. An unknown user likes nothing; an unknown item has the score 0.

    Objective:
        The sum over users of w_u |x_u - x_u B|^2, plus the sum over items i of L_i |B_i|^2. A user
        with n_u likes has the weight w_u = n_u^-user_power, and
        L_i = reg + dropout / (1 - dropout) times the weight of who likes i, (X'WX)_ii.
        With P = (X'WX + L)^-1 the solution is B_ij = -L_j P_ij for i other than j; and
        B_ij = -P_ij / P_jj under the constraint B_jj = 0. What an item says of itself is left out
        in either, B_jj = 0: who likes it needs no telling.
        With user_power 0, dropout 0 and zero_diagonal it is EASE exactly as in the paper of 2019.

    Fold-in:
        A new person's likes are a new row of X, and nothing is to be learnt.

    Similarity:
        The partial correlation -P_ij / sqrt(P_ii P_jj): what two items have in common beyond what
        all others tell.

    Users' weights:
        A user with n likes adds n^2 pairs to X'X: without weights, a few who like much of the
        catalogue decide what goes with what, though most lists are for people who like less.

    Speed:
        With n items the inversion takes n^3 operations, as many as a Cholesky factorisation and
        its inverse, but nearly all of them in matrix products. B takes 4 n^2 bytes, in memory and
        saved.

    Args:
        reg: Penalty of B, in the units of X'WX: with user_power 0 a number of users.
        dropout: Share of a person's likes that B shall bear to lose, from 0 to below 1.
        user_power: From 0, all users count the same, to 1, in inverse proportion to their likes.
        zero_diagonal: Whether B_jj = 0 is a constraint of the objective, as in EASE and EDLAE.
            Without it column j is 1 - L_j P_jj smaller, which is most for what many people like.
        threshold: The rating from which on an item is liked; None takes the upper quarter of the
            scale (4 of 1 to 5).

    Attributes:
        item_weights: B, float32 (n_items, n_items); column j predicts item j.
        shrinkage: L_j P_jj, float32 (n_items,), in (0, 1]; 1 with ``zero_diagonal``.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> model = EASE(reg=20).fit(synthetic_ratings())
        >>> model.recommend(ratings={1: 5, 3: 5}, k=3)["title"].str.head(6).to_list()
        ['Comedy', 'Comedy', 'Comedy']
    """

    item_weights: npt.NDArray[np.float32]
    shrinkage: npt.NDArray[np.float32]

    # Chosen on inner validation parts of MovieLens 100K and 1M, the same for both.
    def __init__(
        self,
        reg: float = 40.0,
        dropout: float = 0.5,
        user_power: float = 0.5,
        zero_diagonal: bool = False,
        threshold: float | None = None,
    ) -> None:
        self.reg = positive("reg", reg)
        self.dropout = share("dropout", dropout, one=False)
        self.user_power = share("user_power", user_power)
        self.zero_diagonal, self.threshold = bool(zero_diagonal), threshold

    @property
    def capabilities(self) -> Capabilities:
        """Scores that rank, and are no ratings."""
        return replace(super().capabilities, predicts=False)

    def _fit(self, ratings: Ratings, validation: Ratings | None, seed: int, progress: bool) -> None:
        self._check_size(ratings)
        liked = ratings.take(self._likes(ratings.rating))
        n, of_liked = ratings.n_items, np.flatnonzero(liked.by_item.counts)
        # From X'WX over P to B, in one place in memory; items that no one likes have weights of 0.
        B = np.zeros((n, n), dtype=np.float32)
        m = len(of_liked)
        P = B.ravel()[: m * m].reshape(m, m)
        compact = np.zeros(n, dtype=np.int32)
        compact[of_liked] = np.arange(m)
        rows = liked.by_item.indices
        users = liked.user_index[rows]
        by_user = Groups.of(users, ratings.n_users)
        items = compact[liked.item_index[rows[by_user.indices]]]
        offsets = np.append(liked.by_item.indptr[of_liked], len(rows))
        w = (np.maximum(by_user.counts, 1.0) ** -self.user_power).astype(np.float32)
        pair_sums(offsets, users, by_user.indptr, items, w, P)
        own = P.diagonal().copy()
        L = np.float32(self.reg) + own * np.float32(self.dropout / (1 - self.dropout))
        np.fill_diagonal(P, own + L)
        invert(P)
        inverse = P.diagonal().copy()
        scale = -1 / inverse if self.zero_diagonal else -L
        weights_in_place(B, of_liked, scale.astype(np.float32))
        self.item_weights, self.shrinkage = B, np.ones(n, dtype=np.float32)
        if not self.zero_diagonal:
            self.shrinkage[of_liked] = L * inverse

    def _likes(self, rating: FloatArray) -> npt.NDArray[np.bool_]:
        return rating >= self.fitted_ratings.scale.liked_from(self.threshold)

    def _scores(self, rated: RatedItems, item_index: IndexArray) -> FloatArray:
        liked = np.sort(rated.item_index[self._likes(rated.rating)])  # a sum in one order
        return at_items(self.item_weights[liked].sum(axis=0), item_index, unknown=0.0)

    def _score_many(
        self, user_index: IndexArray, out: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray | None]:
        data = self.fitted_ratings
        groups = [data.by_user[user] for user in user_index]
        rows, owner = np.concatenate(groups), np.repeat(np.arange(len(groups)), [*map(len, groups)])
        likes = self._likes(data.rating[rows])
        item, owner = data.item_index[rows[likes]], owner[likes]
        offsets = np.searchsorted(owner, np.arange(len(groups) + 1))
        scores = np.empty((len(groups), data.n_items), dtype=np.float32)
        sums_of_rows(offsets, item[np.lexsort((item, owner))], self.item_weights, scores)
        return scores, None

    def _parts(self, user: User, item: int) -> Explanation:
        weights = self.item_weights[user.item_index, item]
        return Explanation(user, (), np.where(self._likes(user.rating), weights, 0.0))

    def _item_similarities(self, item: int) -> FloatArray:
        # B_ij B_ji = c_i c_j P_ij^2 / (P_ii P_jj) with the shrinkage c.
        towards, back = self.item_weights[:, item], self.item_weights[item]
        squared = np.abs(towards * back) / (self.shrinkage * self.shrinkage[item])
        return np.clip(np.sign(back) * np.sqrt(squared), -1.0, 1.0)

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {"item_weights": self.item_weights, "shrinkage": self.shrinkage}

    def _restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        self.item_weights = arrays["item_weights"]
        if "shrinkage" not in arrays:  # Steck's model of 2019, as it was saved once
            self.dropout, self.user_power, self.zero_diagonal = 0.0, 0.0, True
        ones = np.ones(len(self.item_weights), dtype=np.float32)
        self.shrinkage = arrays.get("shrinkage", ones)
        found, n = (self.item_weights.shape, self.shrinkage.shape), self.ratings_.n_items
        if found != ((n, n), (n,)):
            raise ValueError(f"item_weights and shrinkage of shapes {found}")


def invert(A: npt.NDArray[Any]) -> None:
    """Put the inverse of a symmetric positive-definite matrix in its place, by halves.

    With A = [[A11, A21'], [A21, A22]], W = A21 A11^-1 and the Schur complement S = A22 - W A21',
    it is [[A11^-1 + W' S^-1 W, -W' S^-1], [-S^-1 W, S^-1]].
    """
    if len(A) <= _BLOCK:
        A[:] = np.linalg.inv(A)
        return
    h = len(A) // 2
    A11, A12, A21, A22 = A[:h, :h], A[:h, h:], A[h:, :h], A[h:, h:]
    invert(A11)
    W = A21 @ A11
    A22 -= _symmetric_product(W, A12)
    invert(A22)
    V = A22 @ W
    A11 += _symmetric_product(W.T, V)
    A21[:], A12[:] = -V, -V.T


def _symmetric_product(A: npt.NDArray[Any], B: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A B where it is known to be symmetric: what lies above the diagonal is not computed."""
    if len(A) <= 2 * _BLOCK:
        return A @ B
    h = len(A) // 2
    C = np.empty((len(A), len(A)), dtype=A.dtype)
    C[:h, :h], C[h:, h:] = _symmetric_product(A[:h], B[:, :h]), _symmetric_product(A[h:], B[:, h:])
    C[h:, :h] = A[h:] @ B[:, :h]
    C[:h, h:] = C[h:, :h].T
    return C
