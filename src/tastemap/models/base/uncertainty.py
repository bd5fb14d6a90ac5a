"""``Uncertainty``: how far an expected rating may be off, from the evidence of item and user."""

from typing import Any, NamedTuple, Self, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh

from tastemap.arrays import F64, AnyArray

Counts: TypeAlias = npt.NDArray[Any]


class Uncertainty(NamedTuple):
    """The standard error of mu + b_i + w_u . x_i, without the noise of a single rating.

    Two posteriors of ridge regressions: of the user's weights w_u given the items, and of the
    item's weights given the users. Their variances are added up, as those of independent errors.

    References:
        Bishop, "Pattern recognition and machine learning", 2006, equations 3.53, 3.54 and 3.59
        (the posterior of a linear regression, and the variance of what it predicts). Golub and Van
        Loan, "Matrix computations", 2013, section 8.7 (two matrices made diagonal at once).

    Variance:
        s^2 x_i' S x_i + s^2 y_u' (n_i M + Q)^-1 y_u,
        with x_i = (1, q_i) and y_u = (1, p_u). S = (X'X + P)^-1 has the rows X of the items that u
        has rated and the ridge matrix P of the fold-in. The item has n_i ratings, by users who
        count as average ones: M is the mean of y y' over all ratings. Q is s^2 times the inverse of
        the covariance of the items' weights: that of their estimates, which vary too little, plus
        the mean over the items of what they leave open (an EM step; Dempster, Laird, Rubin, JRSS B
        39(1), 1977, section 4). In the basis V with V'QV = I and V'MV = diag(m) the second term is
        s^2 times the sum over k of c_k^2 / (n_i m_k + 1), c = V'y_u, for all items at once.

    Attributes:
        noise: s^2, the mean squared error of a training rating.
        axes: V', float64 (1 + f, 1 + f).
        gains: m, float64 (1 + f,).
    """

    noise: float
    axes: F64
    gains: F64

    @classmethod
    def of(cls, noise: float, Y: AnyArray, times: Counts, C: AnyArray, counts: Counts) -> Self:
        """From what a fit leaves.

        Args:
            noise: s^2, above 0.
            Y: Rows w_u or y_u, (n_users, 1 + f).
            times: (n_users,), how many ratings each has.
            C: (1 + f, 1 + f), the covariance of the items' estimated weights, which is regular.
            counts: (n_items,), the number of ratings of each of these items.

        Example:
            >>> ones = np.ones((3, 1))
            >>> some = Uncertainty.of(0.5, ones, np.ones(3), np.ones((1, 1)), np.array([10**9]))
            >>> some.gains.round(6).tolist()
            [2.0]
        """
        Y = Y.astype(np.float64)
        Y[:, 0] = 1.0
        M = Y.T @ (times[:, None] * Y) / times.sum()
        gains, axes = eigh(M, noise * np.linalg.inv(C))
        spread = (1.0 / (np.multiply.outer(counts, gains.clip(min=0)) + 1.0)).mean(axis=0)
        gains, axes = eigh(M, noise * np.linalg.inv(C + noise * (axes * spread) @ axes.T))
        return cls(noise, np.ascontiguousarray(axes.T), gains.clip(min=0))

    def standard_errors(self, x: AnyArray, S: AnyArray, y: AnyArray, counts: AnyArray) -> F64:
        """Standard errors (n,), in units of the rating, of items for one user.

        Args:
            x: Rows x_i (n, 1 + f).
            S: (1 + f, 1 + f).
            y: w_u or y_u, (1 + f,).
            counts: (n,), n_i.
        """
        c = self.axes @ np.concatenate([[1.0], y[1:]])
        of_item = (1.0 / (np.multiply.outer(counts, self.gains) + 1.0)) @ c**2
        of_user = np.einsum("nf,nf->n", x @ S, x)
        return np.sqrt(self.noise * np.maximum(of_user + of_item, 0.0))
