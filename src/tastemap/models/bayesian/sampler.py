"""The Gibbs sampler of `BayesianFactorization`: one chain, its state and its conditionals.

The letters are those of the model's docstring. Kernels do the work of each rating.
"""

from typing import Any

import numpy as np

from tastemap.arrays import F32, F64, IndexArray
from tastemap.data.feedback import Groups
from tastemap.kernels.gibbs.few_ratings import draw_few
from tastemap.kernels.gibbs.normal import quantile
from tastemap.kernels.gibbs.ordinal import all_log_likelihood, draw_latent, move_user_cutpoints
from tastemap.kernels.gibbs.rows import draw_link, draw_rows, draw_scales, noise_of_ratings
from tastemap.kernels.gibbs.statistics import design, row_statistics, take_from_residuals
from tastemap.models.bayesian.draw import Draw, Pairs, WithoutRatings, halved, predictor
from tastemap.models.bayesian.features import Features
from tastemap.models.bayesian.observations import Observations
from tastemap.models.bayesian.temporal import TemporalEffects

# Shape of the prior of the noise scales s_a^2 and s_j^2: a spread of about a third.
SCALE_SHAPE = 10.0
# Prior of the precisions: Gamma of this shape and rate.
PRECISION_SHAPE, PRECISION_RATE = 0.5, 0.5
# Rate of that of the link's precisions. With 0.5 a few dozen features could not be found to say
# nothing, and what is known of new users did harm; on inner splits by time of MovieLens 100K and on
# users hidden from it, this was better than 0.5, 0.05 and 0.005.
LINK_RATE = 0.0005
# A row with at most so many ratings a factor is drawn in the space of its ratings.
MAX_FEW = 0.5
# Pairs by which rows without ratings are judged, in each draw.
MAX_PAIRS = 4_000
# Iterations from one draw of the cutpoints to the next.
CUTPOINT_INTERVAL = 2


class Side:
    """Rows W_a of one side, D wide, with their link to features and their precisions.

    W_a ~ N(B' phi_a, diag(1 / lam)), B[f, k] ~ N(0, 1 / lam_B[group of f, k]);
    lam ~ Gamma(1/2, 1/2), lam_B ~ Gamma(1/2, 0.0005).
    """

    def __init__(
        self, groups: Groups, other: IndexArray, features: Features, D: int, rng: Any
    ) -> None:
        self.groups, self.other, self.features = groups, other[groups.indices], features
        n = len(groups.counts)
        self.W = rng.normal(0, 0.1, (n, D)).astype(np.float32)
        self.B = np.zeros((len(features.columns), D), dtype=np.float32)
        self.prior, self.mean = np.zeros((2, n, D), dtype=np.float32)
        # Where rows have one rating, precisions hardly leave their start within a run: biases start
        # as wide as those of tables of ratings are.
        self.lam = np.array([3.0] + [10.0] * (D - 1), dtype=np.float32)
        self.lam_B = np.full((2, D), 10.0, dtype=np.float32)
        self.s = np.ones(n, dtype=np.float32)
        self._change = np.zeros((n, D), dtype=np.float32)
        is_many = groups.counts > MAX_FEW * D
        self._many, self._few = (np.flatnonzero(m).astype(np.int32) for m in (is_many, ~is_many))
        self._r = np.zeros((len(self._many), D), dtype=np.float32)
        self._G = np.zeros((len(self._many), D, D), dtype=np.float32)

    def go_on_from(self, W: F32, s: F32, rng: Any) -> None:
        """Go on from rows W (n, D) and noise scales s (n,) of another chain.

        B starts where it predicts the rows best (ridge regression), so that the first sweep does
        not draw the rows towards a link that is not theirs.
        """
        self.W[:] = W
        self.s[:] = np.where(self.groups.counts > 0, s, 1)
        phi = self.features.columns.astype(np.float64)
        if len(phi):
            B = np.linalg.solve(phi @ phi.T + np.eye(len(phi)), phi @ W)
            self.B[:], self.prior[:] = B, phi.T @ B
        self.draw_precisions(rng)

    def draw(self, rows: F32, e: F32, w: F32, rng: Any) -> None:
        """Draw B and then all W_a, given the rows of the other side; e is updated.

        Rows with many ratings are drawn from sums over these, rows with few from the ratings.
        """
        X = design(rows)
        indptr, indices, other = self.groups.indptr, self.groups.indices, self.other
        many, few, r, G = self._many, self._few, self._r, self._G
        W, mean, prior, change, lam = self.W, self.mean, self.prior, self._change, self.lam
        row_statistics(many, indptr, indices, other, X, e, w, r, G)
        before = W.copy()
        if len(self.B):
            phi, lam_B = self.features.columns, self.lam_B[self.features.group]
            link = (phi, lam_B, _key(rng), self.B, change)
            draw_link(many, r, G, few, indptr, indices, other, X, e, w, *link)
            W += change
            prior += change
        draw_rows(many, r, G, prior, lam, _key(rng), W, mean)
        draw_few(few, indptr, indices, other, X, e, w, prior, lam, _key(rng), W, mean)
        take_from_residuals(many, indptr, indices, other, X, W - before, e)

    @property
    def link(self) -> F32:
        """The part of B (n_implicit, D) that belongs to the implicit scores."""
        return self.B[: self.features.n_implicit]

    @property
    def side(self) -> F32:
        """What side information adds to the prior mean of each row, (n, D)."""
        n = self.features.n_implicit
        return self.features.columns[n:].T @ self.B[n:]

    @property
    def implicit(self) -> F32:
        """What was seen adds to a row without ratings, (n, D); 0 where nothing was."""
        scores = self.features.columns[: self.features.n_implicit].T
        return ((scores - self.features.average) @ self.link).astype(np.float32)

    def draw_precisions(self, rng: Any) -> None:
        """lam_k ~ Gamma(1/2 + n / 2, 1/2 + sum of (W - B' phi)^2 / 2), lam_B alike.

        For lam_B the rate has `LINK_RATE` in place of 1/2.

        The sum is over rows with ratings. The others, drawn from the prior, would only make the
        precisions move slowly.
        """
        self.lam = _precision((self.W - self.prior)[self.groups.counts > 0], rng, PRECISION_RATE)
        group = self.features.group
        for g in range(2):
            self.lam_B[g] = _precision(self.B[group == g], rng, LINK_RATE)

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
    """One Markov chain over all parameters; same seed, same chain.

    It begins at random, or at the draw ``start`` of a chain that had fewer ratings.
    """

    def __init__(
        self, data: Observations, n_factors: int, seed: int, number: int, start: Draw | None = None
    ) -> None:
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
        if start is not None:
            self._go_on_from(start)
        f = predictor(self.users.W, self._item_rows(), data.user, data.item)
        # Ordinal z start at f; the first sweep draws them.
        self.z = f.copy() if self.cutpoints else data.value.copy()
        self.e = (self.z - f).astype(np.float32)
        self.s = np.ones_like(self.e)

    def _go_on_from(self, start: Draw) -> None:
        """Take over a draw; what it does not hold follows from the rest in the first sweep."""
        self.users.go_on_from(start.user_means[:-1], start.user_scales[:-1], self.rng)
        # Means of rows lie closer together than rows do: precisions of them would be too high.
        self.users.lam = start.user_precision.astype(np.float32)
        self.items.go_on_from(start.items[:-1, :-1], start.item_scales[:-1], self.rng)
        if self.cutpoints is not None:
            self.cutpoints.shared = start.cuts[-1].astype(np.float64)
            self.cutpoints.delta = start.cuts[:-1] - self.cutpoints.shared
            self.cutpoints.S = start.spread.astype(np.float64)
        if self.effects is not None:
            self.effects.v[:] = start.effect_variances[:, :-1]
            self.effects.typical = start.effect_variances[:, -1].astype(np.float64)

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
        users, items, sigma = self.users, self.items, np.float32(self.sigma)
        rated = users.groups.counts > 0
        user_prior = users.side[rated].mean(axis=0)
        new_users, new_items = self._without_ratings(user_prior)
        cuts, spread, none = np.zeros((1, 0)), np.zeros((0, 0)), np.zeros((0, 0), np.float32)
        if self.cutpoints is not None:
            user_cuts = np.where(rated[:, None], self.cutpoints.cuts, self.cutpoints.shared)
            cuts = np.vstack([user_cuts, self.cutpoints.shared])
            spread = self.cutpoints.S
        draw = Draw(
            user_means=new_users.fill(users.mean, rated),
            cuts=cuts.astype(np.float32),
            user_scales=np.append(new_users.scales(users.s, rated)[:-1], np.float32(1)) * sigma,
            items=new_items.fill(self._item_rows(), items.groups.counts > 0),
            item_scales=new_items.scales(items.s, items.groups.counts > 0),
            average_scale=(new_users.scale * sigma).astype(np.float32),
            user_precision=users.lam.copy(),
            user_link=users.link.copy(),
            user_prior=user_prior,
            spread=spread.astype(np.float32),
            effects=none if self.effects is None else self.effects.h.copy(),
            effect_variances=none if self.effects is None else self.effects.variances,
        )
        return halved(draw)

    def _without_ratings(self, user_prior: F32) -> tuple[WithoutRatings, WithoutRatings]:
        """What users and items without ratings are like, judged by some of the ratings."""
        data, users, items, rows = self.data, self.users, self.items, self._item_rows()
        # Every so many-th rating, others in each draw.
        step = max(len(self.e) // MAX_PAIRS, 1)
        place = np.arange(self.n_sweeps % step, len(self.e), step)
        user, item, f = data.user[place], data.item[place], self.z[place] - self.e[place]
        if self.effects is not None and data.nodes is not None:
            f = f - self.effects.h.sum(axis=0)[data.nodes.node[place]]
        item_unit, user_unit = (
            self.sigma**2 * float(np.mean(s.astype(np.float64) ** 2))
            for s in (items.s[item], users.s[user])
        )
        x = rows[item].astype(np.float64)
        x[:, 0] = 1.0
        spread = float(np.mean(x**2, axis=0) @ (1 / users.lam))
        average = user_prior + users.features.average @ users.link
        # Users without ratings have the shared cutpoints: how far all of a user's are moved counts
        # as part of the predictor.
        relative = f if self.cutpoints is None else f - self.cutpoints.delta.mean(axis=1)[user]
        pairs = Pairs(user, item, relative)
        side = users.side - user_prior
        new_users = WithoutRatings.of(average, side, rows, pairs, item_unit, spread)
        # An item that is rated is rather a popular one: each counts as often as it was rated.
        average, side = (
            np.average(part, axis=0, weights=items.groups.counts) for part in (rows, items.side)
        )
        side = np.pad(items.side - side, ((0, 0), (0, 1)))  # it says nothing of popularity
        pairs = Pairs(item, user, f)
        new_items = WithoutRatings.of(average, side, users.W, pairs, user_unit)
        # How popular an item is, is known where it was seen.
        x = np.where(data.touched, data.popularity - average[-1], 0)
        implicit = np.column_stack([items.implicit, x])
        return new_users.moved(users.implicit), new_items.moved(implicit)

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


def _key(rng: Any) -> np.uint64:
    """The random stream of one call of a kernel."""
    return np.uint64(rng.integers(0, 2**64, dtype=np.uint64))


def _precision(values: F32, rng: Any, rate: float) -> F32:
    """Precisions (D,) ~ Gamma(1/2 + n / 2, rate + sum of squares / 2) of the columns."""
    n, squares = len(values), np.sum(values.astype(np.float64) ** 2, axis=0)
    shape = PRECISION_SHAPE + 0.5 * n
    return (rng.gamma(shape, size=len(squares)) / (rate + 0.5 * squares)).astype(np.float32)


def _inverse_wishart(degrees: float, scale: F64, rng: Any) -> F64:
    """A draw from the inverse Wishart distribution (Bartlett's decomposition)."""
    C = len(scale)
    A = np.tril(rng.normal(size=(C, C)), -1)
    A[np.diag_indices(C)] = np.sqrt(2 * rng.gamma((degrees - np.arange(C)) / 2))
    # X = F^-T A A' F^-1 is Wishart(scale^-1) where scale = F F'.
    half = np.linalg.solve(A, np.linalg.cholesky(scale).T)
    return half.T @ half
