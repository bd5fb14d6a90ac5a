"""The draws that `BayesianFactorization` keeps, and what is predicted from them."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tastemap.arrays import IndexArray
from tastemap.data.ratings import Groups
from tastemap.data.scale import Scale
from tastemap.kernels.gibbs.fold_in import fold_in
from tastemap.kernels.gibbs.predictive import predictive
from tastemap.models.bayesian.features import F32, F64, scores_of
from tastemap.models.bayesian.sampler import HALF, Draw
from tastemap.models.bayesian.temporal import Clock

# Sweeps of a new person at each draw of the items.
SWEEPS = 2
# Points at which the distribution of a number is evaluated for its quantiles.
GRID = 201
# Persons that one thread answers for at a time.
CHUNK = 64


class Persons(NamedTuple):
    """Whom predictions are for, known or new, in each of K draws.

    Attributes:
        means: (K, P, D), means of their rows given the items.
        cuts: (K, P, C - 1), cutpoints.
        scales: (K, P), noise scales.
        rated: The items that each has rated.
        unrest: (K, P), variance of a mood at an unknown moment; 0 in a model without moods.
    """

    means: F32
    cuts: F32
    scales: F32
    rated: "Lists"
    unrest: F32


class Lists(NamedTuple):
    """P lists of item rows, end to end: list p is ``items[offsets[p]:offsets[p + 1]]``."""

    offsets: npt.NDArray[np.int64]
    items: IndexArray

    @classmethod
    def of(cls, lists: Sequence[IndexArray]) -> "Lists":
        """Several lists, end to end."""
        offsets = np.concatenate([[0], np.cumsum([len(one) for one in lists])]).astype(np.int64)
        empty = np.zeros(0, dtype=np.int32)
        return cls(offsets, np.concatenate([empty, *lists]).astype(np.int32))


@dataclass(frozen=True)
class Draws:
    """K draws of the posterior; the attributes of `Draw`, each with K in front.

    Attributes:
        axes: (I, n_implicit), what the implicit scores of a new person are made of.
        centre, deviation: Mean and deviation that numbers were standardised with.
        n_levels: C, or 0 for numbers.
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
    moods: F32
    variances: F32
    axes: F32
    centre: float
    deviation: float
    n_levels: int

    @classmethod
    def of(
        cls, draws: Sequence[Draw], axes: F32, centre: float, deviation: float, n_levels: int
    ) -> "Draws":
        """The draws, stacked."""
        stacked = {
            name: np.stack([getattr(draw, name) for draw in draws], dtype=np.float32)
            for name in Draw._fields
        }
        return cls(**stacked, axes=axes, centre=centre, deviation=deviation, n_levels=n_levels)

    def __len__(self) -> int:
        return len(self.items)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything by name, for the artifact."""
        arrays = {
            f"draws_{field.name}": np.asarray(getattr(self, field.name)) for field in fields(self)
        }
        for name in HALF:
            arrays[f"draws_{name}"] = arrays[f"draws_{name}"].astype(np.float16)
        return {name: np.atleast_1d(array) for name, array in arrays.items()}

    @classmethod
    def from_arrays(cls, arrays: dict[str, npt.NDArray[Any]]) -> "Draws":
        """Take back what `arrays` gave."""
        found: dict[str, Any] = {f.name: arrays[f"draws_{f.name}"] for f in fields(cls)}
        for name in HALF:
            found[name] = found[name].astype(np.float32)
        for name, kind in (("centre", float), ("deviation", float), ("n_levels", int)):
            found[name] = kind(found[name][0])
        return cls(**found)

    # ---- persons ----

    def known(self, users: IndexArray, by_user: Groups, item_index: IndexArray) -> Persons:
        """Users of the training ratings, given by row; -1 is the average user."""
        nobody = np.zeros(0, dtype=np.int32)
        rated = [item_index[by_user[user]] if user >= 0 else nobody for user in users]
        means, scales = self.user_means[:, users], self.user_scales[:, users]
        cuts = self.cuts[:, users] if self.n_levels else self.cuts
        means, cuts, scales = (np.ascontiguousarray(part) for part in (means, cuts, scales))
        unrest = self._unrest()[:, users]
        return Persons(means, cuts, scales, Lists.of(rated), unrest)

    def _unrest(self) -> F32:
        """(K, U + 1), the variance of each user's mood."""
        if self.variances.shape[1]:
            return self.variances.sum(axis=1)
        return np.zeros(self.user_scales.shape, dtype=np.float32)

    def folded(self, rated: IndexArray, rating: F32, scale: Scale, seed: int) -> Persons:
        """A new person from ratings."""
        K, D = len(self), self.items.shape[2]
        C = max(self.n_levels - 1, 0)
        z = ((rating - self.centre) / self.deviation).astype(np.float32)
        level = np.zeros(0, dtype=np.int32)
        if self.n_levels and scale.levels is not None:
            level = np.abs(rating[:, None] - scale.levels).argmin(axis=1).astype(np.int32)
            z[:] = 0.0
        priors = self.user_means[:, -1]  # of whom nothing is known
        if len(rated):
            scores = scores_of(rated, self.axes)
            priors = self.user_prior + np.einsum("f,kfd->kd", scores, self.user_link)
        spread = self.spread.astype(np.float64)
        root = np.linalg.cholesky(spread).astype(np.float64)
        inverse = np.linalg.inv(spread).astype(np.float64)
        shared = self.cuts[:, -1].astype(np.float64) if C else np.zeros((K, 0))
        means, cuts = np.empty((K, D), dtype=np.float32), np.empty((K, C))
        # A new person's moods are part of the noise.
        unrest = self._unrest()[:, -1]
        sigma = np.sqrt(self.user_scales[:, -1] ** 2 + unrest)
        fold_in(
            level,
            z,
            priors.astype(np.float32),
            np.ascontiguousarray(self.items[:, rated]),
            np.ascontiguousarray(self.item_scales[:, rated]),
            self.user_precision,
            sigma,
            shared,
            np.stack([root, root], axis=1),
            inverse,
            SWEEPS,
            np.uint64(seed),
            means,
            cuts,
        )
        own = cuts[:, None].astype(np.float32) if C else self.cuts
        still = np.zeros((K, 1), dtype=np.float32)
        return Persons(means[:, None], own, sigma[:, None], Lists.of([rated]), still)

    # ---- predictions ----

    def predictor(
        self, persons: Persons, asked: Lists, moods: F32 | None = None, cuts: F64 | None = None
    ) -> tuple[F64, F64]:
        """Mean latent value (N,) and P(z <= cutpoint), (N, C - 1), of the items asked of each.

        Args:
            persons: P persons.
            asked: P lists of item rows; -1 is the average item.
            moods: (K, N, 2), mean and variance of the mood of each question; None where the moment
                is not known.
            cuts: (C - 1,), cutpoints to use instead of the persons' own.
        """
        own = persons.cuts if cuts is None else cuts[None, None].astype(np.float32)
        if moods is None:
            unrest = np.repeat(persons.unrest, np.diff(asked.offsets), axis=1)
            moods = np.stack([np.zeros_like(unrest), unrest], axis=2)
        n_items = self.items.shape[1]
        items = np.where(asked.items < 0, n_items - 1, asked.items).astype(np.int32)
        centre, cumulative = np.zeros(len(items)), np.zeros((len(items), own.shape[2]))

        def answer(first: int) -> None:
            predictive(
                asked.offsets,
                items,
                persons.rated.offsets,
                persons.rated.items,
                persons.means,
                own,
                persons.scales,
                self.items,
                self.item_scales,
                self.user_precision,
                moods,
                first,
                min(first + CHUNK, persons.means.shape[1]),
                centre,
                cumulative,
            )

        # A person's answers are the work of one thread: how many there are makes no difference.
        with ThreadPoolExecutor(min(os.cpu_count() or 1, 16)) as pool:
            list(pool.map(answer, range(0, persons.means.shape[1], CHUNK)))
        return centre, cumulative

    def moods_at(self, clock: Clock, user: IndexArray, time: F64) -> F32:
        """Mean and variance (K, n, 2) of the moods of users at times, for `predictor`."""
        found = [
            clock.moods(user, time, v, h) for v, h in zip(self.variances, self.moods, strict=True)
        ]
        return np.stack(found).astype(np.float32)

    def mean(self, persons: Persons, asked: Lists, scale: Scale, moods: F32 | None = None) -> F64:
        """Mean ratings (N,)."""
        centre, cumulative = self.predictor(persons, asked, moods)
        if not self.n_levels or scale.levels is None:
            return self.centre + self.deviation * centre
        return scale.highest - cumulative @ np.diff(scale.levels)

    def distribution(
        self, persons: Persons, asked: Lists, scale: Scale, moods: F32 | None = None
    ) -> F64:
        """Probabilities (N, levels) of the levels of the scale."""
        levels = scale.levels if scale.levels is not None else np.zeros(1)
        middles = None
        if not self.n_levels:  # numbers: the level is the one that z is nearest to
            middles = ((levels[1:] + levels[:-1]) / 2 - self.centre) / self.deviation
        _, cumulative = self.predictor(persons, asked, moods, middles)
        ends = np.pad(cumulative, ((0, 0), (1, 1)), constant_values=((0, 0), (0, 1)))
        return np.maximum(np.diff(ends, axis=1), 0.0)

    def quantiles(self, persons: Persons, asked: Lists, q: tuple[float, ...]) -> list[F64]:
        """Quantiles (N,) of numbers, for each probability q, read off between points of a grid.

        The grid has `GRID` points, within five standard deviations of all ratings.
        """
        grid = np.linspace(-5.0, 5.0, GRID)
        _, up_to = self.predictor(persons, asked, cuts=grid)
        found = [np.array([np.interp(one, row, grid) for row in up_to]) for one in q]
        return [self.centre + self.deviation * z for z in found]

    def posterior_means(self, weights: F64) -> tuple[F64, F64]:
        """Mean rows (b_a, p_a, g_a) of users (U + 1, D) and (d_j, q_j, x_j) of items (I + 1, D).

        Factors can be turned without changing a prediction, so each draw is first turned to agree
        with the first one (orthogonal Procrustes, Schoenemann 1966), items weighted as given.
        """
        users, items = np.zeros(self.user_means.shape[1:]), np.zeros(self.items.shape[1:])
        reference = self.items[0, :-1, 1:-1] * weights[:, None]
        for M, V in zip(self.user_means, self.items, strict=True):
            left, _, right = np.linalg.svd(V[:-1, 1:-1].T.astype(np.float64) @ reference)
            turn = left @ right
            for mean, rows in ((users, M), (items, V)):
                turned = rows.astype(np.float64)
                turned[:, 1:-1] = turned[:, 1:-1] @ turn
                mean[:] += turned / len(self)
        return users, items
