"""The model of `BayesianFactorization` as a simulator: parameters from the prior, then ratings.

Slow and plain, written from the docstring of the model, not from the sampler: what the sampler is
held against. One part of the prior cannot be simulated: that of the shared cutpoints is flat. They
are therefore given, here and in every test that uses this; `Conditioned` is the sampler without
the steps that move them, and all its other steps are untouched.

The constants of the priors are replaced by those in `PRIORS`: with their own, precisions of
Gamma(1/2, 1/2), a few draws in a hundred are so extreme that a simulation never comes back.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from tastemap.data.feedback import Groups
from tastemap.models.bayesian import sampler as bayesian_sampler
from tastemap.models.bayesian import temporal as bayesian_temporal
from tastemap.models.bayesian.draw import Draw
from tastemap.models.bayesian.features import Features
from tastemap.models.bayesian.observations import Observations
from tastemap.models.bayesian.sampler import SCALE_SHAPE, Chain
from tastemap.models.bayesian.temporal import NU, TAU, TimeNodes

# Of lam, lam_B and sigma^-2, and of the typical variance of a temporal effect: shape and rate.
PRECISION, TYPICAL, DEGREES = (6.0, 6.0), (6.0, 12.0), 10.0
PRIORS = (
    # Rows of up to four ratings are drawn in one way, those of more in the other: both occur.
    (bayesian_sampler, "MAX_FEW", 1.4),
    (bayesian_sampler, "PRECISION_SHAPE", PRECISION[0]),
    (bayesian_sampler, "PRECISION_RATE", PRECISION[1]),
    (bayesian_sampler, "LINK_RATE", PRECISION[1]),
    (bayesian_temporal, "TYPICAL_SHAPE", TYPICAL[0]),
    (bayesian_temporal, "TYPICAL_RATE", TYPICAL[1]),
    (bayesian_temporal, "NU", DEGREES),
)
SHARED = {3: np.array([-1.0, 0.8]), 5: np.array([-2.0, -0.8, 0.4, 1.8])}
assert (NU, TAU) == (2.0, (20.0, 300.0))


def use_priors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the constants of this file in the place of the sampler's."""
    for module, name, value in PRIORS:
        monkeypatch.setattr(module, name, value)


def design(
    n_users: int, n_items: int, n_ratings: int, n_levels: int, timed: bool = False, seed: int = 0
) -> Observations:
    """Who has rated what, when, and two features of each side: everything but the ratings."""
    rng = np.random.default_rng(seed)
    pair = np.sort(rng.choice(n_users * n_items, n_ratings, replace=False))
    user, item = (part.astype(np.int32) for part in np.divmod(pair, n_items))
    sides = []
    for n in (n_users, n_items):
        columns = rng.normal(size=(2, n)).astype(np.float32)
        sides.append(Features(columns, 1, np.zeros((2, 1), np.float32), np.zeros(1, np.float32)))
    level = rng.integers(0, n_levels, n_ratings).astype(np.int32) if n_levels else user[:0]
    time = rng.integers(0, 100, n_ratings)
    return Observations(
        user=user,
        item=item,
        level=level,
        value=np.zeros(n_ratings, np.float32),
        by_user=Groups.of(user, n_users),
        by_item=Groups.of(item, n_items),
        popularity=rng.normal(size=n_items).astype(np.float32),
        touched=np.bincount(item, minlength=n_items) > 0,
        n_levels=n_levels,
        features=(sides[0], sides[1]),
        nodes=TimeNodes.of(user, time, n_users) if timed else None,
    )


@dataclass
class SideOfPrior:
    """Precisions, link, rows and noise scales of users or of items."""

    lam: np.ndarray
    lam_B: np.ndarray  # noqa: N815, the paper's letters
    B: np.ndarray
    W: np.ndarray
    s: np.ndarray

    @classmethod
    def drawn(cls, phi: np.ndarray, D: int, rng: np.random.Generator) -> "SideOfPrior":
        shape, rate = PRECISION
        lam, lam_B = (rng.gamma(shape, 1 / rate, size) for size in (D, (2, D)))
        # The first feature is an implicit score, the second side information.
        B = rng.normal(size=(2, D)) / np.sqrt(lam_B)
        W = phi.T @ B + rng.normal(size=(phi.shape[1], D)) / np.sqrt(lam)
        s = np.sqrt(SCALE_SHAPE / rng.gamma(SCALE_SHAPE, size=phi.shape[1]))
        return cls(lam, lam_B, B, W, s)


@dataclass
class Parameters:
    """Everything unknown but the ratings."""

    users: SideOfPrior
    items: SideOfPrior
    sigma: float
    S: np.ndarray
    delta: np.ndarray
    typical: np.ndarray
    v: np.ndarray
    h: np.ndarray

    @classmethod
    def drawn(cls, data: Observations, n_factors: int, rng: np.random.Generator) -> "Parameters":
        """From the prior, given the shared cutpoints."""
        phi_users, phi_items = (side.columns.astype(float) for side in data.features)
        # A user's row ends with the slope of popularity.
        users = SideOfPrior.drawn(phi_users, n_factors + 2, rng)
        items = SideOfPrior.drawn(phi_items, n_factors + 1, rng)
        sigma, S, delta = 1.0, np.zeros((0, 0)), np.zeros((len(users.s), 0))
        if data.n_levels:
            S, delta = cutpoints(data, rng)
        else:
            sigma = rng.gamma(PRECISION[0], 1 / PRECISION[1]) ** -0.5
        return cls(users, items, sigma, S, delta, *effects(data, rng))

    def predictor(self, data: Observations) -> np.ndarray:
        """f = b_a + d_j + p_a . q_j + g_a x_j + h_a(t), of each rating."""
        u, i = data.user, data.item
        P, Q = self.users.W[:, 1:-1], self.items.W[:, 1:]
        f = self.users.W[u, 0] + self.items.W[i, 0] + np.sum(P[u] * Q[i], axis=1)
        f = f + self.users.W[u, -1] * data.popularity[i]
        return f if data.nodes is None else f + self.h.sum(axis=0)[data.nodes.node]

    def ratings(self, data: Observations, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        """Latent values and levels of each rating."""
        s = self.sigma * self.users.s[data.user] * self.items.s[data.item]
        z = self.predictor(data) + s * rng.normal(size=len(s))
        if not data.n_levels:
            return z, data.level
        cuts = (SHARED[data.n_levels] + self.delta)[data.user]
        return z, (z[:, None] > cuts).sum(axis=1).astype(np.int32)


def prior_spread(C: int) -> np.ndarray:
    """S_0 of the prior of S, for C cutpoints."""
    v = np.linspace(-1.5, 1.5, C)
    return 0.15 * np.outer(v, v) + 0.04 * np.eye(C)


def cutpoints(data: Observations, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """S and the users' deviations: drawn over again until all are in order."""
    shared, n = SHARED[data.n_levels], len(data.by_user.counts)
    C = len(shared)
    while True:
        root = np.linalg.cholesky(np.linalg.inv(prior_spread(C)))
        X = root @ rng.normal(size=(C, C + 2))  # C + 2 degrees of freedom
        S = np.linalg.inv(X @ X.T)
        delta = rng.multivariate_normal(np.zeros(C), S, size=n)
        if (np.diff(shared + delta, axis=1) > 0).all():
            return S, delta


def effects(data: Observations, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Typical variances, those of the users, and the processes at the nodes."""
    if data.nodes is None:
        return np.zeros(0), np.zeros((0, 0)), np.zeros((0, 0))
    indptr, time = data.nodes.indptr, data.nodes.time
    typical = rng.gamma(TYPICAL[0], 1 / TYPICAL[1], len(TAU))
    shape = (len(TAU), len(indptr) - 1)
    v = DEGREES / 2 * typical[:, None] / rng.gamma(DEGREES / 2, size=shape)
    h = np.zeros((len(TAU), len(time)))
    for c, tau in enumerate(TAU):
        for a in range(len(indptr) - 1):
            t = time[indptr[a] : indptr[a + 1]]
            K = v[c, a] * np.exp(-np.abs(t[:, None] - t) / tau)
            h[c, indptr[a] : indptr[a + 1]] = rng.multivariate_normal(np.zeros(len(t)), K)
    return typical, v, h


class Conditioned(Chain):
    """The sampler, given the shared cutpoints."""

    def __init__(self, data: Observations, n_factors: int, seed: int) -> None:
        super().__init__(data, n_factors, seed, 0)
        if self.cutpoints is not None:
            self.cutpoints.shared = SHARED[data.n_levels].copy()
            self.cutpoints.move_shared = lambda *_: None
            self.cutpoints.shift_shared = lambda *_: None

    def start_at(self, parameters: Parameters) -> None:
        """Start from given parameters."""
        for side, given in ((self.users, parameters.users), (self.items, parameters.items)):
            for name in ("lam", "lam_B", "B", "W", "s"):
                setattr(side, name, getattr(given, name).astype(np.float32))
            side.prior = (side.features.columns.T @ side.B).astype(np.float32)
        self.sigma = parameters.sigma
        if self.cutpoints is not None:
            self.cutpoints.S, self.cutpoints.delta = parameters.S.copy(), parameters.delta.copy()
        if self.effects is not None:
            self.effects.typical = parameters.typical.copy()
            self.effects.v = parameters.v.astype(np.float32)
            self.effects.h = parameters.h.astype(np.float32)

    def parameters(self) -> Parameters:
        """The present state."""
        sides = []
        for side in (self.users, self.items):
            names = ("lam", "lam_B", "B", "W", "s")
            sides.append(SideOfPrior(*(getattr(side, name).astype(float) for name in names)))
        cuts, effects = self.cutpoints, self.effects
        return Parameters(
            *sides,
            sigma=self.sigma,
            S=cuts.S.copy() if cuts else np.zeros((0, 0)),
            delta=cuts.delta.copy() if cuts else np.zeros((len(self.users.s), 0)),
            typical=effects.typical.copy() if effects else np.zeros(0),
            v=effects.v.astype(float) if effects else np.zeros((0, 0)),
            h=effects.h.astype(float) if effects else np.zeros((0, 0)),
        )

    def observe(self, z: np.ndarray, level: np.ndarray, f: np.ndarray) -> None:
        """Take latent values and ratings, where f is the present predictor."""
        self.z[:], self.e[:] = z, z - f
        self.data.level[:] = level

    def sweep(self, keep: bool = False) -> Draw | None:
        """As in `Chain`; the residuals kept must be those of the state."""
        found = super().sweep(keep)
        f = self.parameters().predictor(self.data)
        np.testing.assert_allclose(self.z - self.e, f, atol=1e-3 * (1 + np.abs(f).max()))
        return found
