"""An ordinal model: probabilities of the values of the scale, from embeddings and ratings."""

from typing import Any, ClassVar

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError
from tastemap.models.base.validation import whole_number
from tastemap.models.neural.networks import PairModel, as_numpy, table

# The model reads the whole matrix of ratings in every batch; a matrix of more cells takes
# minutes and gigabytes.
MAX_CELLS = 50_000_000


class OrdinalRegressionModel(PairModel):
    """Probabilities of the values of a scale, from a latent score cut at ordered points.

    A rating is an ordered category: the step from 4 to 5 stars may differ from the step from 1 to
    2, and from user to user. The median of the distribution has the least absolute error, its mean
    the least squared error.

    References:
        McCullagh, "Regression models for ordinal data", JRSS B 42(2), 1980, equation 2.2 (the
        cumulative logit). Koren, "Factorization meets the neighborhood", KDD 2008, equation 15
        (SVD++: the rated items enter the user's factors) and equation 6 (so do the ratings).

    Prediction:
        P(r_ui <= level c) = sigmoid(1.7 (k_uc - s_ui)) with cutpoints k_u1 < k_u2 < ... and
        s_ui = b_u + b_i + (p_u + seen_u + liked_u) . (q_i + fans_i), where
        seen_u = n_u^-1/2 sum of y_j over the items j that u has rated,
        liked_u = n_u^-1/2 sum of e_uj w_j, e_uj being the rating less mean and biases,
        fans_i = n_i^-1/2 sum of z_v over the users v who have rated i.
        The sums leave out the pair (u, i): in a prediction its rating is unknown. A user or item
        without ratings has the average of the others' sums, because 0 is not an average taste.

    Objective:
        Minus the log-likelihood of the observed level; minus the logarithm of normal priors with
        the given standard deviations, as L2 penalties.

    Args:
        embedding_size: Length f of each embedding.
        ratings: The training ratings, which also give the scale.
        factor_std, sum_std, bias_std: Standard deviations of the priors of p and q; of y, w and z;
            of biases and of each user's distances between cutpoints.
    """

    gives_probabilities: ClassVar = True
    yields: ClassVar = True

    def __init__(
        self,
        embedding_size: int,
        ratings: Ratings,
        factor_std: float = 0.22,
        sum_std: float = 0.14,
        bias_std: float = 0.5,
    ) -> None:
        super().__init__(ratings.n_users - 1, ratings.n_items - 1)
        size, levels = whole_number("embedding_size", embedding_size), _checked_levels(ratings)
        users, items, n = ratings.n_users, ratings.n_items, len(ratings)
        factor_reg, sum_reg, bias_reg = (
            0.5 / (n * std**2) for std in (factor_std, sum_std, bias_std)
        )
        self.user_embedding = table("user_embedding", users, size, factor_reg, std=0.1)
        self.item_embedding = table("item_embedding", items, size, factor_reg, std=0.1)
        self.user_bias = table("user_bias", users, 1, bias_reg)
        self.item_bias = table("item_bias", items, 1, bias_reg)
        self.seen = table("seen", items, size, sum_reg, std=0.02)
        self.liked = table("liked", items, size, sum_reg, std=0.02)
        self.fans = table("fans", users, size, sum_reg, std=0.02)
        self.n_cuts, gaps = levels - 1, max(levels - 2, 1)
        self.user_gaps = table("user_gaps", users, gaps, bias_reg)
        first, gap = keras.initializers.Constant(-2.0), keras.initializers.Constant(0.7)
        self.first_cut = self.add_weight(shape=(1,), initializer=first, name="first_cut")
        self.gaps = self.add_weight(shape=(gaps,), initializer=gap, name="gaps")
        self.rated = self._constant("rated", (users, items))
        self.residual = self._constant("residual", (users, items))
        self.observe(ratings)

    def _constant(self, name: str, shape: tuple[int, int]) -> Any:
        return self.add_weight(shape=shape, initializer="zeros", trainable=False, name=name)

    def observe(self, ratings: Ratings) -> None:
        """Set the ratings that enter the sums; the weights stay unchanged."""
        rated, residual = np.zeros((2, ratings.n_users, ratings.n_items), dtype=np.float32)
        u, i, r = ratings.user_index, ratings.item_index, ratings.rating
        rated[u, i] = 1.0
        mean = r.mean()
        b_i = np.bincount(i, r - mean, ratings.n_items) / (ratings.by_item.counts + 5)
        b_u = np.bincount(u, r - mean - b_i[i], ratings.n_users) / (ratings.by_user.counts + 5)
        residual[u, i] = r - mean - b_i[i] - b_u[u]
        self.rated.assign(rated)
        self.residual.assign(residual)

    def call(self, inputs: Any) -> Any:
        """Probabilities (n, levels)."""
        u, i = (ops.reshape(ids, (-1,)) for ids in inputs)
        cell = ops.expand_dims(u * (self.max_item_id + 1) + i, 1)
        pair_rated, pair_residual = (
            ops.take(ops.reshape(matrix, (-1,)), cell) for matrix in (self.rated, self.residual)
        )
        seen, liked = (
            ops.matmul(matrix, embedding.embeddings)
            for matrix, embedding in ((self.rated, self.seen), (self.residual, self.liked))
        )
        fans = ops.matmul(ops.transpose(self.rated), self.fans.embeddings)
        pair_seen, pair_liked = pair_rated * self.seen(i), pair_residual * self.liked(i)
        about_user = (ops.take(seen, u, 0) - pair_seen) + (ops.take(liked, u, 0) - pair_liked)
        about_item = ops.take(fans, i, 0) - pair_rated * self.fans(u)
        n_of_user, n_of_item = (ops.sum(self.rated, axis=axis) for axis in (1, 0))
        p = self.user_embedding(u) + _or_average(about_user, u, seen + liked, n_of_user)
        q = self.item_embedding(i) + _or_average(about_item, i, fans, n_of_item)
        dot = ops.sum(p * q, axis=1, keepdims=True)
        return self._levels(self.user_bias(u) + self.item_bias(i) + dot, self.user_gaps(u))

    def _levels(self, score: Any, own_gaps: Any) -> Any:
        """Probabilities (n, levels) from scores (n, 1) and the users' gaps (n, levels - 2)."""
        steps = ops.cumsum(ops.softplus(self.gaps + own_gaps), axis=1)
        cuts = self.first_cut + ops.concatenate([0.0 * score, steps], axis=1)
        below = ops.sigmoid(1.7 * (cuts[:, : self.n_cuts] - score))
        cumulative = ops.concatenate([0.0 * score, below, 0.0 * score + 1.0], axis=1)
        return ops.maximum(cumulative[:, 1:] - cumulative[:, :-1], 1e-6)

    def vectors(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """The vectors of users, p + seen + liked, and of items, q + fans."""
        rated, residual = as_numpy(self.rated), as_numpy(self.residual)
        y, w, z = (as_numpy(t.embeddings) for t in (self.seen, self.liked, self.fans))
        all_users, all_items = np.arange(len(rated)), np.arange(rated.shape[1])
        p, q = super().vectors()
        about_user, about_item = rated @ y + residual @ w, rated.T @ z
        p += ops.convert_to_numpy(_or_average(about_user, all_users, about_user, rated.sum(axis=1)))
        q += ops.convert_to_numpy(_or_average(about_item, all_items, about_item, rated.sum(axis=0)))
        return p, q


def _or_average(row_sums: Any, rows: Any, sums: Any, counts: Any) -> Any:
    """n^-1/2 times sums over n ratings; a row without ratings gets the average of the others.

    Args:
        row_sums: The sums (k, f) of ``rows`` (k,), each without the pair to predict.
        sums, counts: (m, f) and (m,), the sums and the numbers of ratings of all rows.
    """
    norm = ops.rsqrt(ops.maximum(counts, 1.0))
    is_rated = ops.expand_dims(ops.cast(counts > 0, "float32"), 1)
    average = ops.sum(sums * ops.expand_dims(norm, 1) * is_rated, axis=0) / ops.sum(is_rated)
    scaled = row_sums * ops.expand_dims(ops.take(norm, rows), 1)
    return ops.where(ops.take(is_rated, rows, axis=0) > 0, scaled, average)


def _checked_levels(ratings: Ratings) -> int:
    """Number of values of the scale; ratings that the model cannot use are refused."""
    if ratings.scale.levels is None:
        raise ArgumentError(
            "ordinal model",
            expected="ratings on a scale with steps",
            received=f"ratings from {ratings.scale}",
            do="use the model biased-dot",
        )
    if ratings.n_users * ratings.n_items > MAX_CELLS:
        raise ArgumentError(
            "ordinal model",
            expected=f"at most {MAX_CELLS:,} pairs of user and item",
            received=f"{ratings.n_users:,} x {ratings.n_items:,}",
            do="use the model biased-dot",
        )
    return len(ratings.scale.levels)
