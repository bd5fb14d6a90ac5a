"""The Gibbs sampler of `BayesianFactorization`: one chain, its state and its conditionals.

The letters are those of the model's docstring. Kernels do the work of each rating.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tastemap.arrays import F32, F64, IndexArray
from tastemap.data.chunks import chunks
from tastemap.data.ratings import Groups, Ratings
from tastemap.kernels.gibbs.normal import quantile
from tastemap.kernels.gibbs.ordinal import all_log_likelihood, draw_latent, move_user_cutpoints
from tastemap.kernels.gibbs.rows import draw_link, draw_rows, draw_scales, noise_of_ratings
from tastemap.kernels.gibbs.statistics import design, row_statistics, take_from_residuals
from tastemap.models.bayesian.features import Features
from tastemap.models.bayesian.temporal import TemporalEffects, TimeNodes

# Ratings with more levels are treated as numbers.
MAX_LEVELS = 20
# Shape of the prior of the noise scales s_a^2 and s_j^2: a spread of about a third.
SCALE_SHAPE = 10.0
# Prior of the precisions: Gamma of this shape and rate.
PRECISION_SHAPE, PRECISION_RATE = 0.5, 0.5
# Iterations from one draw of the cutpoints to the next.
CUTPOINT_INTERVAL = 2
# Attributes of a draw in half precision, which changes a latent value by less than a thousandth of
# its spread.
HALF_PRECISION = (
    *("user_means", "cuts", "user_scales", "items", "item_scales"),
    *("effects", "effect_variances"),
)


@dataclass(frozen=True)
class Observations:
    """The training ratings in the sampler's order, grouped by user.

    Attributes:
        user, item: int32 (N,), rows of each rating.
        level: int32 (N,), from 0, of ordinal ratings; empty for numbers.
        value: float32 (N,), standardised ratings, for numbers.
        by_user, by_item: Positions of the ratings of each user and item.
        popularity: float32 (I,), x_j, the standardised logarithm of 1 + ratings of each item.
        n_levels: C, or 0 for numbers.
        features: The features of users and of items.
        nodes: The users' times, or None for a model without temporal effects.
    """

    user: IndexArray
    item: IndexArray
    level: IndexArray
    value: F32
    by_user: Groups
    by_item: Groups
    popularity: F32
    n_levels: int
    features: tuple[Features, Features]
    nodes: TimeNodes | None = None

    @classmethod
    def of(
        cls, ratings: Ratings, features: tuple[Features, Features], timed: bool = False
    ) -> "Observations":
        """The training ratings; with ``timed`` their times too, if they have any."""
        rows = ratings.by_user.indices
        user, item = ratings.user_index[rows], ratings.item_index[rows]
        rating = ratings.rating[rows]
        levels = ratings.scale.levels
        n_levels = 0 if levels is None or not 2 <= len(levels) <= MAX_LEVELS else len(levels)
        level = np.zeros(0, dtype=np.int32)
        if levels is not None and n_levels:
            level = np.empty(len(rating), dtype=np.int32)
            for part in chunks(len(rating)):
                level[part] = np.abs(rating[part, None] - levels).argmin(axis=1)
        value = ((rating - ratings.global_mean) / ratings.deviation).astype(np.float32)
        by_user = Groups(ratings.by_user.indptr, np.arange(len(rows)))
        by_item = Groups.of(item, ratings.n_items)
        nodes = None
        if timed and ratings.timestamp is not None:
            nodes = TimeNodes.of(user, ratings.timestamp[rows], ratings.n_users)
        x = np.log1p(by_item.counts)
        x = ((x - x.mean()) / max(float(x.std()), 1e-6)).astype(np.float32)
        return cls(user, item, level, value, by_user, by_item, x, n_levels, features, nodes)


def predictor(users: Any, items: Any, user: IndexArray, item: IndexArray) -> Any:
    """b_a + d_j + p_a . q_j of pairs (n,), for rows (b_a, p_a) and (d_j, q_j)."""
    f = np.empty(len(user), dtype=users.dtype)
    for part in chunks(len(user)):
        w, x = users[user[part]], items[item[part]]
        f[part] = w[:, 0] + x[:, 0] + np.einsum("nk,nk->n", w[:, 1:], x[:, 1:])
    return f


@dataclass(frozen=True)
class Draw:
    """The part of one draw of the posterior that predictions need; U users, I items.

    The arrays named in `HALF_PRECISION` are float16, the others float32.

    Attributes:
        user_means: (U + 1, D), m_a, means of the users' rows given all else; last the average user.
        cuts: (U + 1, C - 1), cutpoints.
        user_scales: (U + 1,), noise scales s_a.
        items: (I + 1, D), rows (d_j, q_j, x_j); last the average item.
        item_scales: (I + 1,), noise scales s_j.
        user_precision: (D,), prior precision of a user's row.
        user_link: (n_implicit, D), the part of B that belongs to the implicit scores.
        user_prior: (D,), the mean row of a user without implicit scores.
        spread: (C - 1, C - 1), S.
        effects: (c, M), the temporal effects at the nodes of the users' times.
        effect_variances: (c, U + 1), their variances; last the typical one.
    """

    user_means: F32
    cuts: F32
    user_scales: F32
    items: F32
    item_scales: F32
    user_precision: F32
    user_link: F32
    user_prior: F32
    spread: F32
    effects: F32
    effect_variances: F32


class Side:
    """Rows W_a of one side, D wide, with their link to features and their precisions.

    W_a ~ N(B' phi_a, diag(1 / lam)), B[f, k] ~ N(0, 1 / lam_B[group of f, k]); every precision
    ~ Gamma(1/2, 1/2).
    """

    def __init__(
        self, groups: Groups, other: IndexArray, features: Features, D: int, rng: Any
    ) -> None:
        self.groups, self.other, self.features = groups, other[groups.indices], features
        n = len(groups.counts)
        self.W = rng.normal(0, 0.1, (n, D)).astype(np.float32)
        self.B = np.zeros((len(features.columns), D), dtype=np.float32)
        self.prior, self.mean = np.zeros((2, n, D), dtype=np.float32)
        self.lam = np.full(D, 10.0, dtype=np.float32)
        self.lam_B = np.full((2, D), 10.0, dtype=np.float32)
        self.s = np.ones(n, dtype=np.float32)
        self._change = np.zeros((n, D), dtype=np.float32)
        self._r = np.zeros((n, D), dtype=np.float32)
        self._G = np.zeros((n, D, D), dtype=np.float32)

    def draw(self, rows: F32, e: F32, w: F32, rng: Any) -> None:
        """Draw B and then all W_a, given the rows of the other side; e is updated."""
        indptr, indices = self.groups.indptr, self.groups.indices
        X = design(rows)
        row_statistics(indptr, indices, self.other, X, e, w, self._r, self._G)
        before = self.W.copy()
        if len(self.B):
            lam = self.lam_B[self.features.group]
            draw_link(self._r, self._G, self.features.columns, lam, _key(rng), self.B, self._change)
            self.W += self._change
            self.prior += self._change
        draw_rows(self._r, self._G, self.prior, self.lam, _key(rng), self.W, self.mean)
        take_from_residuals(indptr, indices, self.other, X, self.W - before, e)

    def draw_precisions(self, rng: Any) -> None:
        """lam_k ~ Gamma(1/2 + n / 2, 1/2 + sum of (W - B' phi)^2 / 2), lam_B alike."""
        self.lam = _precision(self.W - self.prior, rng)
        group = self.features.group
        for g in range(2):
            self.lam_B[g] = _precision(self.B[group == g], rng)

    def draw_scales(self, e: F32, other_s: F32, sigma: float, rng: Any) -> None:
        """Draw the noise scales s_a^2 ~ InvGamma(10, 10), which also fix the unit of z."""
        indptr, indices = self.groups.indptr, self.groups.indices
        draw_scales(indptr, indices, self.other, e, other_s, sigma, SCALE_SHAPE, _key(rng), self.s)


class Cutpoints:
    """Cutpoints of each user: shared cutpoints plus the user's deviation delta_a ~ N(0, S).

    S ~ InvWishart(C + 2, S_0), S_0 = 0.15 v v' + 0.04 I: v spreads the cutpoints. The shared
    cutpoints have a flat prior.
    """

    def __init__(self, data: Observations) -> None:
        C = data.n_levels - 1
        below = np.cumsum(np.bincount(data.level, minlength=C + 1) + 0.5)[:C]
        self.shared = 1.2 * np.array(
            [quantile(p / (len(data.level) + 0.5 * (C + 1))) for p in below]
        )
        v = np.linspace(-1.5, 1.5, C) if C > 1 else np.zeros(1)
        self.v = v
        self.S0 = 0.15 * np.outer(v, v) + 0.04 * np.eye(C)
        self.S = self.S0.copy()
        self.delta = np.zeros((len(data.by_user.counts), C))
        self.log_likelihood = 0.0
        self.trace: list[F64] = []

    @property
    def cuts(self) -> F64:
        """(U, C - 1), shared + delta."""
        return self.shared + self.delta

    def draw(self, data: Observations, f: F32, s: F32, rng: Any) -> None:
        """Metropolis steps of shared and delta, a second draw of both, and a draw of S."""
        self.move_shared(data, f, s, rng)
        self.move_delta(data, f, s, rng)
        self.shift_shared(rng)
        degrees = len(self.S) + 2 + len(self.delta)
        self.S = _inverse_wishart(degrees, self.S0 + self.delta.T @ self.delta, rng)

    def move_delta(self, data: Observations, f: F32, s: F32, rng: Any) -> None:
        """Two Metropolis steps of each user's deviation from the shared cutpoints."""
        spread = np.sqrt(self.v @ self.S @ self.v) / max(self.v @ self.v, 1e-9)
        along = np.zeros_like(self.S)
        along[:, 0] = spread * self.v
        proposals = np.stack([np.linalg.cholesky(self.S), along])
        inverse = np.linalg.inv(self.S).astype(np.float64)
        indptr = data.by_user.indptr
        move_user_cutpoints(
            indptr, data.level, f, s, self.shared, proposals, inverse, _key(rng), self.delta
        )

    def shift_shared(self, rng: Any) -> None:
        """Draw the shared cutpoints again, given the cutpoints of all users.

        They are N(mean of the users' cutpoints, S / n). This other parametrisation of the same
        model moves the shared cutpoints where the first one moves them slowly.
        """
        cuts = self.cuts
        root = np.linalg.cholesky(self.S / len(cuts))
        self.shared = cuts.mean(axis=0) + root @ rng.normal(size=len(self.S))
        self.delta = cuts - self.shared

    def move_shared(self, data: Observations, f: F32, s: F32, rng: Any) -> None:
        """A step with the covariance of the steps so far (Haario et al., Bernoulli 7(2), 2001)."""
        C, n = len(self.shared), len(self.trace)
        factor = np.eye(C) * 1.5 / np.sqrt(len(f))
        if n > 10 * C:
            covariance = np.cov(np.array(self.trace[n // 4 :]).T, bias=True).reshape(C, C)
            factor = np.linalg.cholesky(2.4**2 / C * covariance + np.eye(C) * 0.01 / len(f))
        proposal = self.shared + factor @ rng.normal(size=C)
        indptr, level = data.by_user.indptr, data.level
        self.log_likelihood = all_log_likelihood(indptr, level, f, s, self.cuts)
        proposed = all_log_likelihood(indptr, level, f, s, proposal + self.delta)
        if np.log(rng.random()) < proposed - self.log_likelihood:
            self.shared, self.log_likelihood = proposal, proposed
        self.trace.append(self.shared.copy())


class Chain:
    """One Markov chain over all parameters; same seed, same chain."""

    def __init__(self, data: Observations, n_factors: int, seed: int, number: int) -> None:
        self.rng = np.random.default_rng([seed, number])
        D = n_factors + 2
        self.data = data
        self.users = Side(data.by_user, data.item, data.features[0], D, self.rng)
        # An item's row ends with its popularity, which is data: that column is not drawn.
        self.items = Side(data.by_item, data.user, data.features[1], D - 1, self.rng)
        self.cutpoints = Cutpoints(data) if data.n_levels else None
        self.effects = TemporalEffects(data.nodes) if data.nodes is not None else None
        self.sigma = 1.0
        self.n_sweeps = 0
        f = predictor(self.users.W, self._item_rows(), data.user, data.item)
        # Ordinal z start at f; the first sweep draws them.
        self.z = f.copy() if self.cutpoints else data.value.copy()
        self.e = (self.z - f).astype(np.float32)
        self.s = np.ones_like(self.e)

    def sweep(self, keep: bool = False) -> Draw | None:
        """One iteration over all conditional distributions, in a fixed order.

        Returns:
            With ``keep``, the draw, taken between users and items: there the users' means m_a are
            those given the items.
        """
        data, rng = self.data, self.rng
        s = self.s
        if self.cutpoints is not None:
            if self.n_sweeps % CUTPOINT_INTERVAL == 0:
                self.cutpoints.draw(data, self.z - self.e, s, rng)
            draw_latent(data.user, data.level, s, self.cutpoints.cuts, _key(rng), self.z, self.e)
        else:
            rest = np.sum((self.e * (self.sigma / s)) ** 2, dtype=np.float64)
            shape, rate = PRECISION_SHAPE + 0.5 * len(s), PRECISION_RATE + 0.5 * rest
            self.sigma = float(np.sqrt(rate / rng.gamma(shape)))
        self.users.draw_scales(self.e, self.items.s, self.sigma, rng)
        self.items.draw_scales(self.e, self.users.s, self.sigma, rng)
        w = self._weights()
        if self.effects is not None:
            self.effects.draw(self.e, w, _key, rng)
        self.users.draw(self._item_rows(), self.e, w, rng)
        draw = self._draw() if keep else None
        self.items.draw(np.ascontiguousarray(self.users.W[:, :-1]), self.e, w, rng)
        self.users.draw_precisions(rng)
        self.items.draw_precisions(rng)
        self.n_sweeps += 1
        return draw

    def _item_rows(self) -> F32:
        """(d_j, q_j, x_j), (I, D)."""
        return np.column_stack([self.items.W, self.data.popularity])

    def _draw(self) -> Draw:
        users, items = self.users, self.items
        n_implicit, sigma = users.features.n_implicit, np.float32(self.sigma)
        rated, link = users.groups.counts > 0, users.B[:n_implicit].copy()
        average = np.average(users.prior, axis=0, weights=rated)
        implicit = users.features.columns[:n_implicit, rated].mean(axis=1) @ link
        rows = self._item_rows()
        typical = np.average(rows, axis=0, weights=items.groups.counts)
        cuts, spread, none = np.zeros((1, 0)), np.zeros((0, 0)), np.zeros((0, 0), np.float32)
        if self.cutpoints is not None:
            cuts = np.vstack([self.cutpoints.cuts, self.cutpoints.shared])
            spread = self.cutpoints.S
        draw = Draw(
            user_means=np.vstack([users.mean, average]).astype(np.float32),
            cuts=cuts.astype(np.float32),
            user_scales=np.append(users.s, np.float32(1)) * sigma,
            items=np.vstack([rows, typical]).astype(np.float32),
            item_scales=np.append(items.s, np.float32(1)),
            user_precision=users.lam.copy(),
            user_link=link,
            user_prior=(average - implicit).astype(np.float32),
            spread=spread.astype(np.float32),
            effects=none if self.effects is None else self.effects.h.copy(),
            effect_variances=none if self.effects is None else self.effects.variances,
        )
        return replace(draw, **{name: _halved(getattr(draw, name)) for name in HALF_PRECISION})

    @property
    def loss(self) -> float:
        """Mean of -log p(rating | all parameters), as of the last step of the cutpoints."""
        if self.cutpoints is not None:
            return -self.cutpoints.log_likelihood / len(self.z)
        s = self.s
        return float(np.mean(0.5 * (self.e / s) ** 2 + np.log(s) + 0.5 * np.log(2 * np.pi)))

    def summary(self) -> dict[str, float]:
        """A few quantities that the data determine: their traces show whether chains agree.

        Cutpoints are relative to the mean predictor: only their distance from it has an effect.
        """
        f = self.z - self.e
        summary = {"loss": self.loss, "predictor_sd": float(f.std())}
        for name, side in (("user", self.users), ("item", self.items)):
            summary[f"{name}_bias_sd"] = float(side.lam[0] ** -0.5)
        if self.cutpoints is None:
            summary["noise"] = self.sigma
        else:
            middle = float(f.mean(dtype=np.float64))
            for c, cut in enumerate(self.cutpoints.shared, start=1):
                summary[f"cutpoint_{c}"] = float(cut) - middle
            summary["cutpoint_sd"] = float(np.sqrt(np.trace(self.cutpoints.S)))
        if self.effects is not None:
            for c, v in enumerate(self.effects.typical, start=1):
                summary[f"mood_{c}_sd"] = float(np.sqrt(v))
        return summary

    def _weights(self) -> F32:
        """Update the noise scales s (N,) of the ratings; returns 1 / s^2."""
        data, w = self.data, np.empty_like(self.s)
        noise_of_ratings(data.user, data.item, self.users.s, self.items.s, self.sigma, self.s, w)
        return w


def _halved(values: F32) -> Any:
    limit = float(np.finfo(np.float16).max)
    return np.clip(values, -limit, limit).astype(np.float16)


def _key(rng: Any) -> np.uint64:
    """The random stream of one call of a kernel."""
    return np.uint64(rng.integers(0, 2**64, dtype=np.uint64))


def _precision(values: F32, rng: Any) -> F32:
    """Precisions (D,) ~ Gamma(1/2 + n / 2, rate 1/2 + sum of squares / 2) of the columns."""
    n, squares = len(values), np.sum(values.astype(np.float64) ** 2, axis=0)
    shape, rate = PRECISION_SHAPE + 0.5 * n, PRECISION_RATE + 0.5 * squares
    return (rng.gamma(shape, size=len(squares)) / rate).astype(np.float32)


def _inverse_wishart(degrees: float, scale: F64, rng: Any) -> F64:
    """A draw from the inverse Wishart distribution (Bartlett's decomposition)."""
    C = len(scale)
    A = np.tril(rng.normal(size=(C, C)), -1)
    A[np.diag_indices(C)] = np.sqrt(2 * rng.gamma((degrees - np.arange(C)) / 2))
    # X = F^-T A A' F^-1 is Wishart(scale^-1) where scale = F F'.
    half = np.linalg.solve(A, np.linalg.cholesky(scale).T)
    return half.T @ half
