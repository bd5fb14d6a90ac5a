"""Temporal effects of `BayesianFactorization`: what a user's ratings of the same minutes share."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tastemap.arrays import F32, F64, I64, IndexArray
from tastemap.kernels.gibbs.temporal import decays, draw_effects, effects_at, sum_over_nodes

# Correlation times of the two processes, in seconds: a page of ratings, and a session.
TAU = (20.0, 300.0)
# Degrees of freedom nu of the prior of v_a. So few let users differ a lot.
NU = 2.0
# Prior of the typical variance v: Gamma of this shape and rate.
TYPICAL_SHAPE, TYPICAL_RATE = 0.5, 0.5


@dataclass(frozen=True)
class TimeNodes:
    """The distinct times of each user's ratings: the nodes of the processes.

    Attributes:
        indptr: int64 (U + 1,), user a has the nodes ``indptr[a]:indptr[a + 1]``.
        time: float64 (M,), seconds, ascending within each user.
        node: int32 (N,), the node of each rating, in the order of the ratings given to `of`.
    """

    indptr: I64
    time: F64
    node: IndexArray

    @classmethod
    def of(cls, user: IndexArray, time: I64, n_users: int) -> "TimeNodes":
        """The nodes of ratings in any order."""
        order = np.lexsort((time, user))
        distinct = np.ones(len(order), dtype=bool)
        distinct[1:] = (np.diff(user[order]) != 0) | (np.diff(time[order]) != 0)
        node = np.empty(len(order), dtype=np.int32)
        node[order] = np.cumsum(distinct) - 1
        firsts = order[distinct]
        counts = np.bincount(user[firsts], minlength=n_users)
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return cls(indptr, time[firsts].astype(np.float64), node)

    def effects(self, user: IndexArray, time: F64, v: F32, h: F32) -> F64:
        """Mean and variance (n, 2) of the sum of the processes of users (-1 unknown) at times."""
        out = np.zeros((len(user), 2))
        tau = np.array(TAU)
        effects_at(self.indptr, self.time, user.astype(np.int32), time, tau, v, h, out)
        return out


class TemporalEffects:
    """Two Ornstein-Uhlenbeck processes for each user, h_a(t), and their variances.

    v_a ~ InvGamma(nu / 2, nu v / 2) for each process, v ~ Gamma(1/2, 1/2).
    """

    def __init__(self, nodes: TimeNodes) -> None:
        self.nodes = nodes
        n_users, n_nodes = len(nodes.indptr) - 1, len(nodes.time)
        self.h = np.zeros((len(TAU), n_nodes), dtype=np.float32)
        self.v = np.full((len(TAU), n_users), 0.1, dtype=np.float32)
        self.typical = np.full(len(TAU), 0.1)
        self._decays = [decays(nodes.indptr, nodes.time, tau) for tau in TAU]
        self._total, self._weight = np.empty((2, n_nodes))

    def draw(self, e: F32, w: F32, keys: Any, rng: Any) -> None:
        """Draw each process given the other; e is updated."""
        node = self.nodes.node
        for c in range(len(TAU)):
            before = self.h[c].copy()
            sum_over_nodes(node, e, w, before, self._total, self._weight)
            ratings = self._decays[c], self._total, self._weight
            prior = NU / 2, NU / 2 * float(self.typical[c])
            draw_effects(self.nodes.indptr, *ratings, *prior, keys(rng), self.v[c], self.h[c])
            e -= (self.h[c] - before)[node]
            n, inverse = len(self.v[c]), float(np.sum(1 / self.v[c], dtype=np.float64))
            shape, rate = TYPICAL_SHAPE + NU / 2 * n, TYPICAL_RATE + NU / 2 * inverse
            self.typical[c] = rng.gamma(shape) / rate

    @property
    def variances(self) -> F32:
        """(c, U + 1), v_a of each process; last the typical variance.

        Users without ratings get the typical variance, as unknown users do. Their v_a would come
        from a prior that has no mean.
        """
        rated = np.diff(self.nodes.indptr) > 0
        return np.column_stack(
            [np.where(rated, self.v, self.typical[:, None]), self.typical]
        ).astype(np.float32)
