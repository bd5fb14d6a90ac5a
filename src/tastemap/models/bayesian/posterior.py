"""The draws of the posterior of `BayesianFactorization`, and predictions from them."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr

from tastemap.arrays import F32, F64, I64, AnyArray, FloatArray, IndexArray, Mask
from tastemap.data.ratings import Ratings
from tastemap.data.scale import Scale
from tastemap.kernels.gibbs.fold_in import fold_in
from tastemap.kernels.gibbs.predictive import precision_factor, predictive
from tastemap.kernels.gibbs.spread import expected_spread
from tastemap.kernels.gibbs.statistics import design
from tastemap.models.base.arrays import take
from tastemap.models.base.regression import NewItems
from tastemap.models.bayesian.draw import HALF_PRECISION, Draw
from tastemap.models.bayesian.features import RELIABLE_AT, reliability, scores_of
from tastemap.models.bayesian.observations import Observations
from tastemap.models.bayesian.similarity import item_lengths
from tastemap.models.bayesian.temporal import TimeNodes

# Points at which the distribution of a number is evaluated for its quantiles.
GRID_POINTS, MAX_DEVIATIONS = 201, 20.0
# Users whose predictions are one task of a thread.
USERS_PER_TASK = 64
# Noise scales, which are above 0.
SCALES = ("user_scales", "item_scales", "average_scale")
# Names of attributes of `Draws` in saved models, where they differ.
SAVED_NAMES = {"effects": "moods", "effect_variances": "variances"}
# Arrays of which an answer needs one user's part: they are not widened.
OF_USERS = ("user_means", "cuts", "user_scales")


class UserPosteriors(NamedTuple):
    """The posterior distributions of P users, of the training data or new, in each of K draws.

    Attributes:
        means: (K, P, D), means of their rows given the items.
        cuts: (K, P, C - 1), cutpoints.
        scales: (K, P), noise scales.
        rated: The items that each has rated.
        effect_variance: (K, P), variance of the temporal effects at an unknown time; 0 in a model
            without them.
        roots: (K, R), of one new user the roots of the precisions, see
            `tastemap.kernels.gibbs.fold_in`; otherwise (K, 0): the rated items give them.
        latent: (K, n), of one new user the latent values of the ratings; otherwise None.
    """

    means: F32
    cuts: F32
    scales: F32
    rated: "ItemLists"
    effect_variance: F32
    roots: F32
    latent: F32 | None = None


class ItemLists(NamedTuple):
    """P lists of item rows, end to end: list p is ``items[indptr[p]:indptr[p + 1]]``."""

    indptr: I64
    items: IndexArray

    @classmethod
    def of(cls, lists: Sequence[IndexArray]) -> "ItemLists":
        """Several lists, end to end."""
        indptr = np.concatenate([[0], np.cumsum([*map(len, lists)])]).astype(np.int64)
        empty = np.zeros(0, dtype=np.int32)
        return cls(indptr, np.concatenate([empty, *lists]).astype(np.int32))


@dataclass(frozen=True)
class Draws(Draw):
    """K draws of the posterior: the attributes of `Draw`, in float32, each with K in front.

    Of a saved model the arrays of users stay in half precision, in their file if that is mapped:
    they are the largest, and an answer needs one user's.

    Attributes:
        axes: (I, n_implicit), the axes of the implicit scores, for new users.
        centre, deviation: Mean and deviation by which numbers were standardised.
        average: (n_implicit,), the average of these scores.
        reliable_at: k of `reliability`, for new users; 0 in models that believed all scores.
        n_levels: C, or 0 for numbers.
    """

    axes: F32
    centre: float
    deviation: float
    average: F32
    reliable_at: float
    n_levels: int

    @classmethod
    def of(cls, draws: Sequence[Draw], ratings: Ratings, data: Observations) -> "Draws":
        """The draws, stacked, from the training ratings in both forms."""
        arrays: dict[str, Any] = {
            name: np.stack([getattr(draw, name) for draw in draws], dtype=np.float32)
            for name in [field.name for field in fields(Draw)]
        }
        features = data.features[0]
        arrays |= {"axes": features.axes, "average": features.average, "n_levels": data.n_levels}
        arrays |= {"centre": ratings.global_mean, "deviation": ratings.deviation}
        return cls(**arrays, reliable_at=RELIABLE_AT)

    def __len__(self) -> int:
        return len(self.items)

    def spread_over(self, n: int) -> list[Draw]:
        """At most n of the draws, evenly spaced, the last among them."""
        places = np.linspace(len(self) - 1, 0, min(n, len(self))).round().astype(int)
        names = [field.name for field in fields(Draw)]
        return [Draw(**{name: getattr(self, name)[place] for name in names}) for place in places]

    def arrays(self) -> dict[str, AnyArray]:
        """Everything by name, for the artifact."""
        arrays = {}
        for name, key in _keys():
            array = np.atleast_1d(getattr(self, name))
            arrays[key] = array.astype(np.float16) if name in HALF_PRECISION else array
        return arrays

    @classmethod
    def from_arrays(cls, arrays: dict[str, AnyArray], ratings: Ratings) -> "Draws":
        """The inverse of `arrays`, which are taken out.

        Raises:
            KeyError: If an array is missing.
            ValueError: If the arrays do not fit each other, or the ratings.
        """
        levels = arrays.pop("draws_n_levels")
        if levels.shape != (1,) or levels.dtype.kind != "i":
            raise ValueError(f"draws_n_levels of type {levels.dtype} and shape {levels.shape}")
        n_levels = int(levels[0])
        on_scale = 0 if ratings.scale.levels is None else len(ratings.scale.levels)
        if n_levels not in (0, on_scale):
            raise ValueError(f"draws of {n_levels} levels on a scale of others")
        values: dict[str, Any] = {"n_levels": n_levels}
        shapes = _shapes(arrays, ratings, n_levels)
        _add_missing(arrays)
        for name, key in _keys():
            if name != "n_levels":
                values[name] = take(arrays, key, *shapes[name], widened=name not in OF_USERS)
        for name in (*SCALES, "user_precision", "deviation"):
            if not values[name].min() > 0:
                raise ValueError(f"draws with {name} that are not above 0")
        np.linalg.cholesky(values["spread"].astype(np.float64))  # raises if it is no covariance
        for name in ("centre", "deviation", "reliable_at"):
            values[name] = float(values[name][0])
        return cls(**values)

    def with_items(self, items: NewItems) -> "Draws":
        """The same with items that nobody has rated, in each draw the average item and by facts.

        Their noise is that of the average item: it holds what such an item may be else, too.
        """
        rows = self.items.transpose(1, 0, 2)  # items first, last the average
        flat = rows.reshape(len(rows), -1)
        put = items.put(flat[:-1], items.expected(flat[:-1], flat[-1])).reshape(-1, *rows.shape[1:])
        scales = self.item_scales.T
        scale = np.repeat(scales[-1:], len(items.rows), axis=0)
        longer: dict[str, Any] = {
            "items": np.concatenate([put, rows[-1:]]).transpose(1, 0, 2),
            "item_scales": np.concatenate([items.put(scales[:-1], scale), scales[-1:]]).T,
            "axes": items.put(self.axes, np.zeros((len(items.rows), self.axes.shape[1]))),
        }
        for name in ("items", "item_scales"):  # as a saved model has them
            longer[name] = longer[name].astype(np.float16)
        longer = {name: np.ascontiguousarray(a, dtype=np.float32) for name, a in longer.items()}
        return replace(self, **longer)

    # ---- users ----

    def posteriors_of(self, users: IndexArray, ratings: Ratings) -> UserPosteriors:
        """Users of the training ratings, given by row; -1 is the average user."""
        items, none = ratings.item_index, np.zeros(0, dtype=np.int32)
        return self._posteriors(
            users, [items[ratings.by_user[user]] if user >= 0 else none for user in users]
        )

    def _posteriors(self, users: AnyArray, rated: Sequence[IndexArray]) -> UserPosteriors:
        """Users given by row, and the items that each has rated."""
        scales = np.where(users < 0, self.average_scale[:, None], self.user_scales[:, users])
        parts = (self.user_means[:, users], self.cuts[:, users] if self.n_levels else self.cuts)
        means, cuts, scales = (
            np.ascontiguousarray(part, dtype=np.float32) for part in (*parts, scales)
        )
        variance = self._effect_variance()[:, users]
        roots = np.zeros((len(self), 0), dtype=np.float32)
        return UserPosteriors(means, cuts, scales, ItemLists.of(rated), variance, roots)

    def _effect_variance(self) -> F32:
        """(K, U + 1), the variance of the temporal effects of each user."""
        if self.effect_variances.shape[1]:
            return self.effect_variances.sum(axis=1)
        return np.zeros(self.user_scales.shape, dtype=np.float32)

    def fold_in(
        self, rated: IndexArray, rating: F32, scale: Scale, seen: IndexArray
    ) -> UserPosteriors:
        """A new user, from ratings and what else was seen, or the average user moved by that."""
        touched = np.concatenate([rated, seen]) if len(seen) else rated
        shift = self.shift_of(touched)
        if not len(rated):
            user = self._posteriors(np.array([-1]), [rated])
            if not len(touched):
                return user
            return user._replace(
                means=user.means + np.einsum("f,kfd->kd", shift, self.user_link)[:, None]
            )
        K, D, C = len(self), self.items.shape[2], max(self.n_levels - 1, 0)
        level = self.levels_of(rating, scale)
        z = ((rating - self.centre) / self.deviation).astype(np.float32)
        scores = self.average + shift
        priors = self.user_prior + np.einsum("f,kfd->kd", scores, self.user_link)
        # The temporal effects of a new user are part of the noise.
        sigma = self.new_scales
        items = np.ascontiguousarray(self.items[:, rated])
        scales = np.ascontiguousarray(self.item_scales[:, rated])
        normal = (priors.astype(np.float32), items, scales, self.user_precision, sigma)
        shapes = ((D,), (C,), ((D + C) * (D + C + 1) // 2,), (len(rated),))
        means, cuts, roots, latent = (np.empty((K, *shape), dtype=np.float32) for shape in shapes)
        fold_in(level, z, *normal, *self._cutpoints, means, cuts, roots, latent)
        user_cuts = cuts[:, None] if C else self.cuts.astype(np.float32)
        no_effect = np.zeros((K, 1), dtype=np.float32)
        rated_lists = ItemLists.of([rated])
        rows = means[:, None], user_cuts, sigma[:, None]
        return UserPosteriors(*rows, rated_lists, no_effect, roots, latent)

    @cached_property
    def new_scales(self) -> F32:
        """Noise scales (K,) of a new user with ratings, at an unknown time."""
        average = self.user_scales[:, -1].astype(np.float32)
        return np.sqrt(average**2 + self._effect_variance()[:, -1])

    @cached_property
    def _cutpoints(self) -> tuple[F64, F64]:
        """The shared cutpoints (K, C - 1), and the inverses (K, C - 1, C - 1) of S."""
        if not self.n_levels:
            return np.zeros((len(self), 0)), np.zeros((len(self), 0, 0))
        inverse = np.linalg.inv(self.spread.astype(np.float64))
        return self.cuts[:, -1].astype(np.float64), inverse.astype(np.float64)

    def levels_of(self, rating: F32, scale: Scale) -> IndexArray:
        """The level (n,) of each rating; (0,) for numbers."""
        if not self.n_levels or scale.levels is None:
            return np.zeros(0, dtype=np.int32)
        return np.abs(rating[:, None] - scale.levels).argmin(axis=1).astype(np.int32)

    def shift_of(self, touched: IndexArray) -> F32:
        """How far what a new user has rated or seen moves their scores from the average (f,)."""
        share = reliability(np.array(len(touched)), self.reliable_at)
        return np.asarray(share * (scores_of(touched, self.axes) - self.average), np.float32)

    @cached_property
    def item_lengths(self) -> F32:
        """As `tastemap.models.bayesian.similarity.item_lengths`, computed once."""
        return item_lengths(self.items)

    # ---- predictions ----

    def predictor(
        self,
        users: UserPosteriors,
        targets: ItemLists,
        effects: F32 | None = None,
        cuts: F64 | None = None,
    ) -> tuple[F64, F64]:
        """Mean latent value (N,) and P(z <= cutpoint), (N, C - 1), of the targets of each user.

        Args:
            users: P users.
            targets: P lists of item rows; -1 is the average item.
            effects: (K, N, 2), mean and variance of the temporal effect on each target; None if
                the times are unknown.
            cuts: (C - 1,), cutpoints to use in place of the users' cutpoints.
        """
        user_cuts = users.cuts if cuts is None else cuts[None, None].astype(np.float32)
        if effects is None:
            effects = self._unknown_effects(users, targets)
        n_items = self.items.shape[1]
        items = np.where(targets.items < 0, n_items - 1, targets.items).astype(np.int32)
        centre, cumulative = np.zeros(len(items)), np.zeros((user_cuts.shape[2], len(items)))
        rows = (*users.rated, users.means, user_cuts, users.scales, users.roots)
        draws = (self.items, self.item_scales, self.user_precision, effects)

        def predict(first: int) -> None:
            last = min(first + USERS_PER_TASK, users.means.shape[1])
            predictive(targets.indptr, items, *rows, *draws, first, last, centre, cumulative)

        if users.means.shape[1] <= USERS_PER_TASK:
            predict(0)
            return centre, np.ascontiguousarray(cumulative.T)
        # One thread predicts all targets of a user: any number of threads gives the same digits.
        with ThreadPoolExecutor(min(os.cpu_count() or 1, 16)) as pool:
            list(pool.map(predict, range(0, users.means.shape[1], USERS_PER_TASK)))
        return centre, np.ascontiguousarray(cumulative.T)

    def _unknown_effects(self, users: UserPosteriors, targets: ItemLists) -> F32:
        """Mean and variance (K, N, 2) of the temporal effect on each target at an unknown time."""
        variance = np.repeat(users.effect_variance, np.diff(targets.indptr), axis=1)
        return np.stack([np.zeros_like(variance), variance], axis=2)

    def effects_at(self, nodes: TimeNodes, user: IndexArray, time: F64) -> F32:
        """Mean and variance (K, n, 2) of the temporal effects of users (n,) at times (n,)."""
        draws = zip(self.effect_variances, self.effects, strict=True)
        return np.stack([nodes.effects(user, time, v, h) for v, h in draws]).astype(np.float32)

    def mean(
        self, users: UserPosteriors, targets: ItemLists, scale: Scale, effects: F32 | None = None
    ) -> F64:
        """Mean ratings (N,)."""
        centre, cumulative = self.predictor(users, targets, effects)
        if not self.n_levels or scale.levels is None:
            return self.centre + self.deviation * centre
        return scale.highest - cumulative @ np.diff(scale.levels)

    def distribution(
        self, users: UserPosteriors, targets: ItemLists, scale: Scale, effects: F32 | None = None
    ) -> F64:
        """Probabilities (N, levels) of the levels of the scale."""
        levels = scale.levels if scale.levels is not None else np.zeros(1)
        middles = None
        if not self.n_levels:  # numbers: the level nearest to z
            middles = ((levels[1:] + levels[:-1]) / 2 - self.centre) / self.deviation
        _, cumulative = self.predictor(users, targets, effects, middles)
        ends = np.pad(cumulative, ((0, 0), (1, 1)), constant_values=((0, 0), (0, 1)))
        return np.maximum(np.diff(ends, axis=1), 0.0)

    def cumulative(
        self,
        users: UserPosteriors,
        targets: ItemLists,
        values: FloatArray,
        effects: F32 | None = None,
    ) -> F64:
        """P(rating <= value), (N,), of numbers, for a value (N,) of each target."""
        z = (values - self.centre) / self.deviation
        if effects is None:
            effects = self._unknown_effects(users, targets)
        return self._cumulative(users, targets, effects, z, np.zeros(1))[:, 0]

    def _cumulative(
        self, users: UserPosteriors, targets: ItemLists, effects: F32, z: FloatArray, grid: F64
    ) -> F64:
        """P(z' <= z + g), (N, points), for a value z (N,) of each target and g of a grid."""
        # P(z' <= z + g) = P(z' - z <= g): each target has a value of its own, all have the grid.
        shifted = effects - np.stack([z, np.zeros_like(z)], axis=1).astype(np.float32)
        return self.predictor(users, targets, shifted, cuts=grid)[1]

    def quantiles(
        self, users: UserPosteriors, targets: ItemLists, q: tuple[float, ...]
    ) -> list[F64]:
        """Quantiles (N,) of numbers, for each probability q, interpolated on a grid.

        The grid has `GRID_POINTS` points, up to `MAX_DEVIATIONS` standard deviations of all ratings
        to each side of the prediction, and closer together the nearer they are to it.
        """
        end = np.arcsinh(MAX_DEVIATIONS)
        grid = np.sinh(np.linspace(-end, end, GRID_POINTS))
        effects = self._unknown_effects(users, targets)
        mean, _ = self.predictor(users, targets, effects, np.zeros(1))
        cumulative = self._cumulative(users, targets, effects, mean, grid)
        quantiles = [np.array([np.interp(p, row, grid) for row in cumulative]) for p in q]
        return [self.centre + self.deviation * (mean + z) for z in quantiles]

    def standard_errors(
        self, user: UserPosteriors, item_index: IndexArray, unrated: Mask, scale: Scale
    ) -> F64:
        """Standard errors (n,) of the expected ratings of items, rated or not, for one user."""
        gaps = np.zeros(0)
        if self.n_levels and scale.levels is not None:
            gaps = np.diff(scale.levels).astype(np.float64)
        variance, effect = np.empty(len(item_index)), user.effect_variance[:, 0]
        rows = (user.means[:, 0], user.cuts[:, 0], user.scales[:, 0], user.roots)
        draws = (self.items, self.item_scales, self.user_precision, effect)
        expected_spread(item_index, unrated, user.rated.items, *rows, *draws, gaps, variance)
        return np.sqrt(variance) if len(gaps) else self.deviation * np.sqrt(variance)

    def sampled(self, user: UserPosteriors, scale: Scale, rng: np.random.Generator) -> F64:
        """Expected ratings (I,) in one draw, in which the user's row is drawn, too."""
        k = int(rng.integers(len(self)))
        V, s = self.items[k, :-1].astype(np.float64), user.scales[k, 0]
        L = self._root(user, k)
        step = np.linalg.solve(L.T, rng.standard_normal(len(L)))
        w, C = user.means[k, 0] + step[: V.shape[1]], len(L) - V.shape[1]
        f = w[0] + V[:, 0] + V[:, 1:] @ w[1:]
        if not self.n_levels or scale.levels is None:
            return self.centre + self.deviation * f
        width = np.hypot(s * self.item_scales[k, :-1], np.sqrt(user.effect_variance[k, 0]))
        cuts = user.cuts[k % len(user.cuts), 0] + (step[-C:] if C else 0.0)
        below = ndtr((cuts - f[:, None]) / width[:, None])
        return np.asarray(scale.highest - below @ np.diff(scale.levels), dtype=np.float64)

    def _root(self, user: UserPosteriors, k: int) -> F64:
        """The Cholesky factor of the precision of a user's row (and cutpoints) in a draw."""
        D = self.items.shape[2]
        if n := user.roots.shape[1]:
            E = round((np.sqrt(8 * n + 1) - 1) / 2)
            root = np.zeros((E, E))
            root[np.tril_indices(E)] = user.roots[k]
            return root
        X, root = design(self.items[k]), np.zeros((D, D))
        A = np.empty(2 * (X.shape[1],), dtype=np.float32)
        rows = (user.rated.items, X, self.item_scales[k])
        precision_factor(*rows, user.scales[k, 0], self.user_precision[k], A, root)
        return root


def _shapes(
    arrays: dict[str, AnyArray], ratings: Ratings, n_levels: int
) -> dict[str, tuple[int | None, ...]]:
    """The shape of each array of K draws, whose number and widths the arrays of items say."""
    items, axes, effects = (arrays[f"draws_{name}"] for name in ("items", "axes", "moods"))
    dimensions = (items.ndim, axes.ndim, effects.ndim)
    if dimensions != (3, 2, 3) or not len(items) or items.shape[2] < 2:
        raise ValueError(f"draws of shapes {items.shape}, {axes.shape} and {effects.shape}")
    K, D, n_implicit, n_effects = len(items), items.shape[2], axes.shape[1], effects.shape[1]
    C, users, n_items = max(n_levels - 1, 0), ratings.n_users + 1, ratings.n_items
    return {
        "user_means": (K, users, D),
        "cuts": (K, users if n_levels else None, C),
        "user_scales": (K, users),
        "items": (K, n_items + 1, D),
        "item_scales": (K, n_items + 1),
        "user_precision": (K, D),
        "user_link": (K, n_implicit, D),
        "user_prior": (K, D),
        "spread": (K, C, C),
        "effects": (K, n_effects, None),
        "effect_variances": (K, n_effects, users if n_effects else None),
        "average_scale": (K,),
        "axes": (n_items, n_implicit),
        "average": (n_implicit,),
        "centre": (1,),
        "deviation": (1,),
        "reliable_at": (1,),
    }


def _add_missing(arrays: dict[str, AnyArray]) -> None:
    """Add what older models do not have: all scores are believed, and the average is certain."""
    n_implicit = arrays["draws_axes"].shape[1]
    arrays.setdefault("draws_reliable_at", np.zeros(1))
    arrays.setdefault("draws_average", np.zeros(n_implicit))
    if "draws_average_scale" not in arrays and arrays["draws_user_scales"].ndim == 2:
        arrays["draws_average_scale"] = arrays["draws_user_scales"][:, -1]


def _keys() -> list[tuple[str, str]]:
    """The attributes of `Draws`, and the names of their arrays in saved models."""
    names = [field.name for field in fields(Draws)]
    return [(name, f"draws_{SAVED_NAMES.get(name, name)}") for name in names]
