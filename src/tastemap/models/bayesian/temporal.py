"""Moods of `BayesianFactorization`: what ratings of the same minutes have in common."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tastemap.arrays import IndexArray
from tastemap.kernels.gibbs.temporal import decays, draw_moods, moods_at, sum_over_nodes
from tastemap.models.bayesian.features import F32, F64

# Seconds over which the two processes forget: a page of ratings, and a sitting.
TAU = (20.0, 300.0)
# Degrees of freedom nu of the prior of v_a: users differ a lot.
NU = 2.0
# Prior of the typical variance v: Gamma of this shape and rate.
TYPICAL_SHAPE, TYPICAL_RATE = 0.5, 0.5


@dataclass(frozen=True)
class Clock:
    """The distinct times of each user's ratings: the nodes of the processes.

    Attributes:
        offsets: int64 (U + 1,), nodes of user a are ``offsets[a]:offsets[a + 1]``.
        moment: float64 (M,), seconds, ascending within each user.
        node: int32 (N,), the node of each rating, in the order that the clock was made with.
    """

    offsets: npt.NDArray[np.int64]
    moment: F64
    node: IndexArray

    @classmethod
    def of(cls, user: IndexArray, time: npt.NDArray[np.int64], n_users: int) -> "Clock":
        """The clock of ratings in any order."""
        order = np.lexsort((time, user))
        fresh = np.ones(len(order), dtype=bool)
        fresh[1:] = (np.diff(user[order]) != 0) | (np.diff(time[order]) != 0)
        node = np.empty(len(order), dtype=np.int32)
        node[order] = np.cumsum(fresh) - 1
        firsts = order[fresh]
        counts = np.bincount(user[firsts], minlength=n_users)
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return cls(offsets, time[firsts].astype(np.float64), node)

    def moods(self, user: IndexArray, time: F64, v: F32, h: F32) -> F64:
        """Mean and variance (n, 2) of the sum of the processes of users (-1 unknown) at times."""
        out = np.zeros((len(user), 2))
        tau = np.array(TAU)
        moods_at(self.offsets, self.moment, user.astype(np.int32), time, tau, v, h, out)
        return out


class Moods:
    """Two Ornstein-Uhlenbeck processes for each user, h_a(t), and their variances.

    v_a ~ InvGamma(nu / 2, nu v / 2) for each process, v ~ Gamma(1/2, 1/2).
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        n_users, n_nodes = len(clock.offsets) - 1, len(clock.moment)
        self.h = np.zeros((len(TAU), n_nodes), dtype=np.float32)
        self.v = np.full((len(TAU), n_users), 0.1, dtype=np.float32)
        self.typical = np.full(len(TAU), 0.1)
        self._decays = [decays(clock.offsets, clock.moment, tau) for tau in TAU]
        self._total, self._weight = np.empty((2, n_nodes))

    def draw(self, e: F32, w: F32, keys: Any, rng: Any) -> None:
        """Draw each process given the other; e is brought up to date."""
        node = self.clock.node
        for c in range(len(TAU)):
            before = self.h[c].copy()
            sum_over_nodes(node, e, w, before, self._total, self._weight)
            draw_moods(
                self.clock.offsets,
                self._decays[c],
                self._total,
                self._weight,
                NU / 2,
                NU / 2 * float(self.typical[c]),
                keys(rng),
                self.v[c],
                self.h[c],
            )
            e -= (self.h[c] - before)[node]
            n, inverse = len(self.v[c]), float(np.sum(1 / self.v[c], dtype=np.float64))
            shape, rate = TYPICAL_SHAPE + NU / 2 * n, TYPICAL_RATE + NU / 2 * inverse
            self.typical[c] = rng.gamma(shape) / rate

    @property
    def variances(self) -> F32:
        """(c, U + 1), v_a of each process; last the typical one.

        It is that of users without ratings, too, as of unknown ones: their v_a would be any number
        from a prior without a mean.
        """
        known = np.diff(self.clock.offsets) > 0
        return np.column_stack(
            [np.where(known, self.v, self.typical[:, None]), self.typical]
        ).astype(np.float32)
