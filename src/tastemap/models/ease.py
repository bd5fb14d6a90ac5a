"""EASE: a linear item-to-item model with a solution in closed form."""

from dataclasses import replace

import numpy as np
from scipy.linalg import get_lapack_funcs
from scipy.sparse import csc_array

from tastemap.arrays import F32, AnyArray, FloatArray, IndexArray
from tastemap.data.feedback import Feedback
from tastemap.errors import ArgumentError
from tastemap.kernels.ease import gram, scatter, sums_of_rows
from tastemap.models.base.arrays import take
from tastemap.models.base.capabilities import Capabilities
from tastemap.models.base.explanation import Explanation
from tastemap.models.base.item_based import LikeModel, LikeTerm, RatedItems, at_items
from tastemap.models.base.regression import NewItems, square
from tastemap.models.base.user import User
from tastemap.models.base.validation import positive, share

# Rows of a symmetric matrix that are mirrored at once: source and target stay in the cache.
_ROWS = 64


class EASE(LikeModel):
    """The likes of all other items predict those of an item; one matrix inversion fits the model.

    References:
        Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019, equations 2 to 8.
        Steck, "Autoencoders that don't overfit towards the identity", NeurIPS 2020, sections 2 and
        3 (DLAE: dropout of the input, written as a penalty; EDLAE: with a diagonal of 0). The
        weights of users make it weighted least squares, |W^(1/2) (X - X B)|^2 with a diagonal W.

    Prediction:
        s_uj = the sum of B_ij over the items i that u likes, a score to rank by: row u of X B,
        where X has a 1 for each like. It is not a rating, so `predict` is refused, and `recommend`
        leaves ``predicted_rating`` empty. An unknown user has no likes. Unknown items score 0.

    Objective:
        The sum over users of w_u |x_u - x_u B|^2, plus the sum over items i of L_i |B_i|^2. A user
        with n_u likes has the weight w_u = n_u^-user_power, and
        L_i = reg + dropout / (1 - dropout) (X'WX)_ii; (X'WX)_ii is the weight of all likes of i.
        With P = (X'WX + L)^-1 the solution is B_ij = -L_j P_ij for i other than j; with
        zero_diagonal it is B_ij = -P_ij / P_jj. In both cases B_jj is set to 0: an item
        does not predict itself.
        With user_power 0, dropout 0 and zero_diagonal this is EASE of the paper of 2019.

    Fold-in:
        The likes of a new user are a new row of X; B does not change.

    Similarity:
        The partial correlation -P_ij / sqrt(P_ii P_jj): the correlation of the likes of two items,
        given the likes of all others.

    Users' weights:
        A user with n likes adds n^2 pairs to X'X. Without weights, the few users with very many
        likes decide most of B, although most users have fewer likes.

    Speed:
        With n items the Cholesky factorisation and the inverse take n^3 operations. B takes 4 n^2
        bytes, in memory and saved.

    Args:
        reg: Penalty of B, in the units of X'WX: with user_power 0 a number of users.
        dropout: Share of a user's likes that is dropped in training, from 0 to below 1.
        user_power: From 0 (all users weigh the same) to 1 (a user with n likes weighs 1 / n).
        zero_diagonal: Whether B_jj = 0 is a constraint of the objective, as in EASE and EDLAE.
            Without it column j is multiplied by L_j P_jj, which is least for popular items.
        threshold: Lowest rating that counts as a like; None takes the upper quarter of the
            scale (from 4 on a scale of 1 to 5).

    Attributes:
        item_weights: B, float32 (n_items, n_items); column j predicts item j.
        shrinkage: L_j P_jj, float32 (n_items,), in (0, 1]; 1 with ``zero_diagonal``.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> model = EASE(reg=20).fit(synthetic_ratings())
        >>> model.recommend(ratings={1: 5, 3: 5}, k=3)["title"].str.head(6).to_list()
        ['Comedy', 'Comedy', 'Comedy']
    """

    item_weights: F32
    shrinkage: F32

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
        self.dropout = share("dropout", dropout, with_one=False)
        self.user_power = share("user_power", user_power)
        self.zero_diagonal, self.threshold = bool(zero_diagonal), threshold

    @property
    def capabilities(self) -> Capabilities:
        """As of every model of likes; new items have weights, too."""
        return replace(super().capabilities, new_items=True)

    def _fit(
        self, ratings: Feedback, validation: Feedback | None, seed: int, progress: bool
    ) -> None:
        self._check_size(ratings)
        likes = ratings.likes(self.threshold)
        pairs = likes.user_index, likes.item_index
        n, ones = ratings.n_items, np.ones(len(pairs[0]), dtype=np.float32)
        X = csc_array((ones, pairs), shape=(ratings.n_users, n))
        # Items without likes are left out of the algebra; their weights are 0.
        liked = np.flatnonzero(np.diff(X.indptr))
        X, m = X[:, liked], len(liked)
        by_user = X.tocsr()
        w = np.maximum(np.diff(by_user.indptr), 1.0) ** -self.user_power
        G = np.zeros((m, m), dtype=np.float32)
        gram(X.indptr, X.indices, by_user.indptr, by_user.indices, w.astype(np.float32), G)
        L = self.reg + G.diagonal() * np.float32(self.dropout / (1 - self.dropout))
        np.fill_diagonal(G, G.diagonal() + L)
        try:
            P = inverse(G)
        except np.linalg.LinAlgError:
            expected = "a penalty that gives X'WX + L an inverse in float32"
            do = "set reg higher"
            raise ArgumentError("reg", expected=expected, received=self.reg, do=do) from None
        self.shrinkage = np.ones(n, dtype=np.float32)
        if not self.zero_diagonal:
            self.shrinkage[liked] = L * P.diagonal()
        P *= -1 / P.diagonal() if self.zero_diagonal else -L
        np.fill_diagonal(P, 0)
        self.item_weights = P
        if m < n:
            self.item_weights = np.zeros((n, n), dtype=np.float32)
            scatter(P, liked, self.item_weights)

    def work(self, ratings: Feedback) -> float:
        """As in the base class: the inverse, and the pairs of likes of each user."""
        return float(ratings.n_items) ** 3 / 16 + super().work(ratings)

    def like_terms(self) -> list[LikeTerm]:
        """As in the base class: row i of B for each like."""
        return [LikeTerm(self.item_weights, scale=self.shrinkage)]

    def _scores(self, rated: RatedItems, item_index: IndexArray) -> FloatArray:
        liked = np.sort(rated.item_index[self._likes(rated.rating)])  # a fixed order of the sum
        return at_items(self.item_weights[liked].sum(axis=0), item_index, unknown=0.0)

    def _score_many(
        self, user_index: IndexArray, out: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray | None]:
        data = self.fitted_data
        groups = [data.by_user[user] for user in user_index]
        rows, owner = np.concatenate(groups), np.repeat(np.arange(len(groups)), [*map(len, groups)])
        likes = self._likes(data.values[rows])
        item, owner = data.item_index[rows[likes]], owner[likes]
        indptr = np.searchsorted(owner, np.arange(len(groups) + 1))
        scores = np.empty((len(groups), data.n_items), dtype=np.float32)
        sums_of_rows(indptr, item[np.lexsort((item, owner))], self.item_weights, scores)
        return scores, None

    def _parts(self, user: User, item: int) -> Explanation:
        weights = self.item_weights[user.item_index, item]
        return Explanation(user, (), np.where(self._likes(user.rating), weights, 0.0))

    def _place(self, items: NewItems) -> None:
        # Before its diagonal is left out, B has 1 - L_j P_jj there.
        self.item_weights = square(items, self.item_weights, 1 - self.shrinkage)
        self.shrinkage = items.put(self.shrinkage, np.ones(len(items.rows)))

    def _item_similarities(self, item: int) -> FloatArray:
        # B_ij B_ji = c_i c_j P_ij^2 / (P_ii P_jj) with the shrinkage c.
        towards, back = self.item_weights[:, item], self.item_weights[item]
        c = self.shrinkage.astype(np.float64)  # in float32 the quotient may overflow
        squared = np.abs(towards * back) / (c * c[item])
        return np.clip(np.sign(back) * np.sqrt(squared), -1.0, 1.0)

    def _arrays(self) -> dict[str, AnyArray]:
        return {"item_weights": self.item_weights, "shrinkage": self.shrinkage}

    def _restore(self, arrays: dict[str, AnyArray]) -> None:
        n = self.ratings_.n_items
        self.item_weights = take(arrays, "item_weights", n, n)
        if "shrinkage" not in arrays:  # an older version saved Steck's model of 2019
            self.dropout, self.user_power, self.zero_diagonal = 0.0, 0.0, True
            arrays["shrinkage"] = np.ones(n, dtype=np.float32)
        self.shrinkage = take(arrays, "shrinkage", n)
        if not self.shrinkage.min() > 0:
            raise ValueError("a shrinkage that is not above 0")


def inverse(A: FloatArray) -> FloatArray:
    """The inverse of a symmetric positive-definite matrix (n, n), in place.

    A = L L' and A^-1 = L'^-1 L^-1 with the Cholesky factor L (LAPACK's potrf and potri). Only the
    lower triangle of A is read.

    Raises:
        LinAlgError: If A is not positive definite, up to rounding.
    """
    potrf, potri = get_lapack_funcs(("potrf", "potri"), (A,))
    # LAPACK is column-major: it sees A', and our lower triangle is its upper one.
    L, failed = potrf(A.T, lower=0, clean=0, overwrite_a=1) if len(A) else (A, 0)
    if failed:
        raise np.linalg.LinAlgError(f"not positive definite at row {failed}")
    if len(A):
        potri(L, lower=0, overwrite_c=1)
    for start in range(0, len(A), _ROWS):
        end = start + _ROWS
        A[:start, start:end] = A[start:end, :start].T
        square = A[start:end, start:end]
        square[:] = np.tril(square) + np.tril(square, -1).T
    return A
