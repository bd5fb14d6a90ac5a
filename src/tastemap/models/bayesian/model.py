"""``BayesianFactorization``: ordinal ratings, biases and factors, averaged over the posterior."""

from dataclasses import replace
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl
from threadpoolctl import threadpool_limits

from tastemap.arrays import F32, F64, FloatArray, IndexArray
from tastemap.data.feedback import Feedback
from tastemap.data.ratings import Ratings
from tastemap.data.scale import Interval, tails
from tastemap.models.base.capabilities import Capabilities
from tastemap.models.base.explanation import Explanation, Part, PartKind, correction, kept_inside
from tastemap.models.base.factors import FactorModel, Factors, Prior
from tastemap.models.base.facts import Facts
from tastemap.models.base.posterior_draws import PosteriorDraws, PosteriorModel
from tastemap.models.base.recommender import Recommender
from tastemap.models.base.regression import NewItems, Regression
from tastemap.models.base.user import User, same_kind
from tastemap.models.base.validation import choice, whole_number
from tastemap.models.bayesian.alignment import posterior_draws
from tastemap.models.bayesian.average import AverageDraw, posterior_means
from tastemap.models.bayesian.chains import MAX_STARTS, SamplerConfig, Validation, run_chains
from tastemap.models.bayesian.diagnostics import convergence
from tastemap.models.bayesian.draw import Draw, predictor
from tastemap.models.bayesian.features import features_of, number_of_scores
from tastemap.models.bayesian.influence import effects_of_ratings, scaled_to_sum
from tastemap.models.bayesian.observations import Observations
from tastemap.models.bayesian.posterior import Draws, ItemLists, UserPosteriors
from tastemap.models.bayesian.similarity import average_cosines, direction_vectors
from tastemap.models.bayesian.temporal import TAU, TimeNodes
from tastemap.support.memory import require

# The default numbers of factors. What tables bear is a question of ratings a row, of a user or an
# item: with fewer than 5, 6 factors reach the error of 14 (inner splits of one to five ratings a
# person of MovieLens 1M). From 25 on, 30 gain 0.002 of RMSE on 14, and 46 or 62 no more than that
# (folds u3 and u4 of 100K, an inner split of 1M); on halves and quarters of the folds, of 8 and 16
# ratings a row, they gain nothing.
DEFAULT_FACTORS_SPARSE, DEFAULT_FACTORS, DEFAULT_FACTORS_DENSE = 6, 14, 30
MAX_RATINGS_SPARSE, MIN_RATINGS_DENSE = 5, 25
# Likewise of iterations: with fewer than 1 (most people have one rating), 200 are no better than
# 100 on planted tables; with 2 they are.
DEFAULT_ITERATIONS_SPARSE, DEFAULT_ITERATIONS, MAX_RATINGS_BRIEF = 100, 200, 1

Times: TypeAlias = npt.NDArray[np.int64]


class BayesianFactorization(PosteriorModel):
    """Ordinal ratings from biases and factors, averaged over draws of the posterior.

    References:
        Salakhutdinov and Mnih, "Bayesian probabilistic matrix factorization using Markov chain
        Monte Carlo", ICML 2008, section 3. Albert and Chib, "Bayesian analysis of binary and
        polychotomous response data", JASA 88(422), 1993, section 4 (ordinal ratings). Rendle,
        Zhang, Koren, "On the difficulty of evaluating baselines", arXiv:1905.01395, 2019 (the
        accuracy of this family with implicit features). Gelfand and Smith, JASA 85(410), 1990,
        section 3 (averaging conditional distributions). Bhattacharya, Chakraborty, Mallick,
        Biometrika 103(4), 2016 (rows with few ratings).

    Prediction:
        The rating is level c where kappa_a,c-1 < z <= kappa_a,c and
        z ~ N(b_a + d_j + p_a . q_j + g_a x_j, (s_a s_j)^2) for user a and item j, x_j being the
        standardised logarithm of the item's number of ratings. The distribution over levels is
        averaged over the kept draws; a prediction is its mean or its median. In each draw the
        user's row (b_a, p_a, g_a) is integrated out given the items.
        On a scale with more than 20 levels, or without levels, z is the standardised rating.

    Objective:
        Draws from the posterior by Gibbs sampling, where
        W_a = (b_a, p_a, g_a) ~ N(B' phi_a, diag(1 / lam)), B[f, k] ~ N(0, 1 / lam_B), and likewise
        (d_j, q_j);
        phi holds side information, and c + w_a (principal scores of the matrix of rated pairs - c)
        with the average scores c and w_a = (n_a - 1) / (n_a - 1 + 10) for n_a ratings: what one
        rating says of the user is not told twice, by its item and by the fact that it was rated;
        kappa_a = kappa + delta_a, delta_a ~ N(0, S), S ~ InvWishart;
        s_a^2, s_j^2 ~ InvGamma(10, 10); lam ~ Gamma(1/2, 1/2), lam_B ~ Gamma(1/2, 0.0005);
        each temporal effect has mean 0 and variance v_a ~ InvGamma(1, v).

    Unknown ids:
        An unknown user or item, and one without training ratings, is the average of those with
        ratings, moved to where it predicts the training ratings best, and by its side information
        where it has some. How far the others are from it is noise: it is in the distribution.

    Standard errors:
        The expected rating varies over the draws, and within a draw with the user's row; see
        `tastemap.kernels.gibbs.spread`. A curious list takes one draw, and a row from it.

    Fold-in:
        In each kept draw the posterior of the user's row and cutpoints given the ratings is taken
        as normal, with its mean corrected by third derivatives; see
        `tastemap.kernels.gibbs.fold_in`. No random number is drawn. The draws of the items do not
        change, and the noise scale is the average user's.

    Args:
        n_factors: f, the length of p_u and q_i; 6, 14, 30, ... are fastest for their length. None:
            30 where there are 25 ratings or more for each user and item, 14 where there are fewer,
            and 6 where there are fewer than 5. 14 take half of the time of 30.
        n_iterations: Iterations of each chain; the first fifth is discarded. None: 200; 100 where
            there is less than 1 rating for each user and item.
        n_chains: Number of independent chains, each in its own thread.
        n_draws: Number of draws kept from all chains together, evenly spaced. Predictions are
            averages over them. On two folds of MovieLens 100K, to keep 100 of 320 draws cost
            0.0002 of RMSE, and to keep 40 cost 0.001; a draw takes 0.11 MB on disk.
        n_implicit: Number of principal scores of the matrix of rated pairs, at most; 0 for none.
            A pair that was seen without a rating counts, too. A side has no more than four for each
            pair of an average row.
        side: Whether to learn from the other columns of the user and item tables.
        time: ``"session"`` adds temporal effects h_a(t) to the predictor: two Ornstein-Uhlenbeck
            processes of each user, with correlation times of 20 and 300 seconds. `predict_ratings`
            uses the times of its table. If the time is unknown, the effects are averaged out; then
            None, the default, predicts a user's later ratings better.

    Attributes:
        global_mean, user_bias, item_bias: Posterior means, in units of the rating.
        user_factors, item_factors: Posterior means (n_users, f) and (n_items, f). Each draw is
            rotated first to agree with the first draw; a rotation changes no prediction.
        draws: The `Draws` from which predictions are made.
        traces: By name, float32 (n_chains, iterations after the first fifth), of a few quantities.
        diagnostics_: Frame ``quantity, mean, deviation, effective_size, r_hat`` of the traces; see
            `tastemap.models.bayesian.diagnostics`. An R-hat well above 1 means that the chains
            disagree on that quantity, which needs more iterations. Predictions may not need them.
        history_: Frame ``epoch, train_loss``: the mean of -log p of the training ratings in the
            kept draws of each iteration. With validation ratings also ``validation_rmse``, of the
            average of all draws so far.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> model = BayesianFactorization(n_factors=2, n_iterations=20, n_draws=10)
        >>> model = model.fit(synthetic_ratings(), progress=False)
        >>> model.predict_distribution(1, [1, 2]).sum(axis=1).round(6).tolist()
        [1.0, 1.0]
    """

    draws: Draws
    traces: dict[str, F32]
    diagnostics_: pl.DataFrame
    _average: tuple[Draws, AverageDraw] | None = None
    _before: tuple[Draws, Ratings] | None = None

    def __init__(
        self,
        n_factors: int | None = None,
        n_iterations: int | None = None,
        n_chains: int = 2,
        n_draws: int = 100,
        n_implicit: int = 100,
        side: bool = True,
        time: str | None = None,
    ) -> None:
        self.n_factors = None if n_factors is None else whole_number("n_factors", n_factors)
        iterations = None if n_iterations is None else whole_number("n_iterations", n_iterations)
        self.n_iterations = iterations
        self.n_chains = whole_number("n_chains", n_chains)
        self.n_draws = whole_number("n_draws", n_draws)
        self.n_implicit = whole_number("n_implicit", n_implicit, at_least=0)
        self.side, self.time = side, choice("time", time, (None, "session"))

    # ---- sampling ----

    def update(self, ratings: Feedback, *, seed: int = 0, progress: bool = True) -> Self:
        """Learn further from new ratings, from the draws of the fit before.

        Short chains go on from twenty of the draws, with the old and the new ratings together:
        four iterations each, of which two are kept. If both tables have a pair of user and item,
        the new rating replaces the old. A fit anew takes its place where the scale changes.

        Args:
            ratings: The new ratings; users and items may be new.
            seed: The same seed gives the same result, on any number of threads.
            progress: As in `fit`.
        """
        before = self.fitted_ratings
        merged = before.merged_with(same_kind(ratings, before))
        self._before = (self.draws, before) if merged.scale == before.scale else None
        try:
            return self.fit(merged, seed=seed, progress=progress)
        finally:
            self._before = None

    def _starts(self, ratings: Ratings) -> list[Draw]:
        """Draws of the fit before, for the users and items of these ratings; none in a fit."""
        if self._before is None:
            return []
        draws, before = self._before
        users = before.users.index(ratings.users.ids, missing="negative")
        items = before.items.index(ratings.items.ids, missing="negative")
        return [draw.of_rows(users, items) for draw in draws.spread_over(MAX_STARTS)]

    # The last digits of BLAS depend on its threads, and a chain soon makes other draws of them.
    @threadpool_limits.wrap(limits=1, user_api="blas")  # type: ignore[untyped-decorator]
    def _fit(self, ratings: Ratings, validation: Ratings | None, seed: int, progress: bool) -> None:
        config, n = self._config(ratings), self.n_implicit
        users, items = (ratings.user_table, ratings.item_table) if self.side else (None, None)
        touched = ratings.touched
        features = (
            features_of(touched.by_user, touched.item_index, ratings.n_items, users, n),
            features_of(touched.by_item, touched.user_index, ratings.n_users, items, n),
        )
        data = Observations.of(ratings, features, self.time is not None)
        judge = None
        if validation is not None:
            pairs = (*self.rows_of(validation), *self._context(validation))
            judge = Validation(
                lambda draw: self._mean(Draws.of([draw], ratings, data), *pairs),
                validation.rating,
                ratings.scale.lowest,
                ratings.scale.highest,
            )
        starts = self._starts(ratings)
        samples, self.traces = run_chains(data, config, judge, seed, progress, starts)
        self.draws = Draws.of([sample.draw for sample in samples], ratings, data)
        self.diagnostics_ = convergence(self.traces)
        columns = {"epoch": [s.iteration for s in samples], "train_loss": [s.loss for s in samples]}
        curves = pl.DataFrame(columns)
        if judge is not None:
            curves = curves.with_columns(validation_rmse=judge.errors(samples))
        # All chains' draws of an iteration make one point of the curves.
        self.history_ = curves.group_by("epoch", maintain_order=True).agg(
            pl.col("train_loss").mean(), pl.exclude("epoch", "train_loss").last()
        )
        self._take_means(ratings)

    def _config(self, ratings: Ratings) -> SamplerConfig:
        """The settings of the chains; settings that memory does not allow are refused."""
        sides = (ratings.by_user.counts, ratings.by_item.counts)
        counts = np.concatenate(sides)
        n_factors = self.n_factors or default_factors(counts)
        n_iterations = self.n_iterations or default_iterations(counts)
        config = SamplerConfig.of_a_fit(n_factors, n_iterations, self.n_chains, self.n_draws)
        if self._before is not None:
            draws = self._before[0]
            n_factors, n_starts = draws.items.shape[2] - 2, min(len(draws), MAX_STARTS)
            config = SamplerConfig.of_an_update(n_factors, n_starts, self.n_chains)
        touches = (ratings.touched.by_user.counts, ratings.touched.by_item.counts)
        n_features = len(counts) * sum(number_of_scores(n, self.n_implicit) for n in touches)
        require(
            type(self).__name__,
            config.n_bytes(counts, n_features),
            f"for {config.n_draws} draws of {n_factors} factors, and {config.n_chains} chains",
            "set n_draws, n_factors or n_chains lower, or use ALS or MatrixFactorization",
        )
        return config

    def _take_means(self, ratings: Ratings) -> None:
        """Posterior means as biases and factors in units of the rating, for maps and neighbours."""
        counts = ratings.by_item.counts
        users, items = posterior_means(self.draws, counts.astype(np.float64))
        f = predictor(users, items, ratings.user_index, ratings.item_index)
        residual = f - f.mean()
        slope = self.draws.deviation
        if residual.any():
            slope = float(residual @ ratings.rating / (residual @ residual))
        noise = float(np.mean((ratings.rating - ratings.global_mean - slope * residual) ** 2))
        mean = ratings.global_mean - slope * float(f.mean())
        users = slope * users
        # The effect of popularity on the average user is added to the items' biases.
        items[:, 0] = slope * items[:, 0] + users[-1, -1] * items[:, -1]
        users, items = users[:, :-1], items[:, :-1]
        prior = Prior.of_users(users[:-1][ratings.by_user.counts > 0], noise)
        self.factors = Factors.of(ratings, mean, users[:-1], items[:-1], prior)

    def work(self, ratings: Ratings) -> float:
        """As in the base class: twice the factors take twice the time."""
        return super().work(ratings) * (2 + self._config(ratings).n_factors)

    # ---- prediction ----

    @property
    def capabilities(self) -> Capabilities:
        """A scale with levels has a distribution over them, another one a cumulative one."""
        has_levels = not hasattr(self, "ratings_") or self.ratings_.scale.levels is not None
        return replace(super().capabilities, distribution=has_levels, cumulative=not has_levels)

    def predict_interval(self, user_ids: Any, item_ids: Any, *, mass: float = 0.8) -> Interval:
        """As in the base class; without levels, quantiles clipped to the scale."""
        if self.has_distribution:
            return super().predict_interval(user_ids, item_ids, mass=mass)
        users, targets, order = _grouped(*self._pairs(user_ids, item_ids))
        posteriors, scale = self._posteriors(self.draws, users), self.ratings_.scale
        low, high = np.empty((2, len(order)))
        low[order], high[order] = self.draws.quantiles(posteriors, targets, tails(mass))
        return scale.clip(low), scale.clip(high)

    def _context(self, ratings: Ratings) -> tuple[Any, ...]:
        """The times of the ratings, if the model has temporal effects."""
        timed = self._nodes is not None and ratings.timestamp is not None
        return (ratings.timestamp,) if timed else ()

    def _predict(
        self, user_index: IndexArray, item_index: IndexArray, time: Times | None = None
    ) -> FloatArray:
        return self._mean(self.draws, user_index, item_index, time)

    def _mean(
        self,
        draws: Draws,
        user_index: IndexArray,
        item_index: IndexArray,
        time: Times | None = None,
    ) -> FloatArray:
        """Mean ratings of pairs (n,) over some draws, at given times or averaged over time."""
        users, targets, order = _grouped(user_index, item_index)
        effects = self._effects(draws, user_index[order], None if time is None else time[order])
        predicted = np.empty(len(order))
        posteriors = self._posteriors(draws, users)
        predicted[order] = draws.mean(posteriors, targets, self.ratings_.scale, effects)
        return predicted

    def _predict_distribution(
        self, user_index: IndexArray, item_index: IndexArray, time: Times | None = None
    ) -> FloatArray:
        if not self.has_distribution:
            raise self._cannot("give a distribution over ratings that have no levels")
        users, targets, order = _grouped(user_index, item_index)
        effects = self._effects(
            self.draws, user_index[order], None if time is None else time[order]
        )
        posteriors = self._posteriors(self.draws, users)
        probabilities = self.draws.distribution(posteriors, targets, self.ratings_.scale, effects)
        distribution = np.empty_like(probabilities)
        distribution[order] = probabilities
        return distribution

    def _predict_cumulative(
        self,
        user_index: IndexArray,
        item_index: IndexArray,
        values: FloatArray,
        time: Times | None = None,
    ) -> FloatArray:
        if self.has_distribution:
            raise self._cannot("give a probability of less than a level: see predict_distribution")
        users, targets, order = _grouped(user_index, item_index)
        effects = self._effects(
            self.draws, user_index[order], None if time is None else time[order]
        )
        posteriors = self._posteriors(self.draws, users)
        probability = np.empty(len(order))
        probability[order] = self.draws.cumulative(posteriors, targets, values[order], effects)
        return probability

    @property
    def _nodes(self) -> TimeNodes | None:
        """The times of each user's training ratings; None in a model without temporal effects."""
        data = self.fitted_ratings
        if self.time is None or data.timestamp is None:
            return None
        return TimeNodes.of(data.user_index, data.timestamp, data.n_users)

    def _effects(self, draws: Draws, user: IndexArray, time: Times | None) -> F32 | None:
        nodes = None if time is None else self._nodes
        if nodes is None or time is None:
            return None
        return draws.effects_at(nodes, user, time.astype(np.float64))

    def _posteriors(self, draws: Draws, users: IndexArray) -> UserPosteriors:
        return draws.posteriors_of(users, self.ratings_)

    def _user(self, user_index: int) -> Any:
        return self._posteriors(self.draws, np.array([user_index], dtype=np.int32))

    def _fold_in_seen(self, item_index: IndexArray, rating: FloatArray, seen: IndexArray) -> Any:
        scale = self.ratings_.scale
        return self.draws.fold_in(item_index, rating.astype(np.float32), scale, seen)

    def _score(self, user: Any) -> FloatArray:
        targets = ItemLists.of([np.arange(self.ratings_.n_items, dtype=np.int32)])
        return self.draws.mean(user, targets, self.ratings_.scale)

    @property
    def shortlists(self) -> bool:
        """As in the base class: an exact score is an average over all draws."""
        return True

    def _quick_scores(self, user: User) -> FloatArray:
        return self._average_draw.scores(self.draws, user.description, self.ratings_.scale)

    def _quick_errors(self, user: User) -> FloatArray:
        return self._average_draw.errors(self.draws, user.description, self.ratings_.scale)

    def _scores_at(self, user: User, rows: IndexArray) -> FloatArray:
        return self.draws.mean(user.description, ItemLists.of([rows]), self.ratings_.scale)

    @property
    def _average_draw(self) -> AverageDraw:
        """Of the draws that are there: others come with a fit, and with new items."""
        if self._average is None or self._average[0] is not self.draws:
            weights = self.ratings_.by_item.counts.astype(np.float64)
            self._average = self.draws, AverageDraw.of(self.draws, weights)
        return self._average[1]

    def _standard_errors(self, user: User, item_index: IndexArray) -> FloatArray:
        unrated, scale = ~self._has_ratings[item_index], self.ratings_.scale
        return self.draws.standard_errors(user.description, item_index, unrated, scale)

    def _sampled(self, user: User, predicted: FloatArray, rng: np.random.Generator) -> FloatArray:
        return self.draws.sampled(user.description, self.ratings_.scale, rng)

    def _score_many(
        self, user_index: IndexArray, out: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray | None]:
        return Recommender._score_many(self, user_index)

    def _distribution_of(self, user: Any, item_index: IndexArray) -> FloatArray:
        if not self.has_distribution:
            raise self._cannot("give a distribution over ratings that have no levels")
        return self.draws.distribution(user, ItemLists.of([item_index]), self.ratings_.scale)

    def _place(self, items: NewItems) -> None:
        super()._place(items)
        self.draws = self.draws.with_items(items)

    def _judged(self) -> FactorModel:
        """The posterior means: the draws say the same, and take long to fold in."""
        means = FactorModel()
        means.ratings_, means.seed_, means.factors = self.ratings_, self.seed_, self.factors
        return means

    def _place_unrated(self) -> None:
        """As in the base class, if facts help; else the items stay as the chains have drawn them.

        The chains draw them given their facts, too, but with a prior that all facts share.
        """
        if self._learnt_facts()[1] is not None:
            super()._place_unrated()

    def _learnt_facts(self) -> tuple[Facts, Regression | None]:
        return super()._learnt_facts() if self.side else (Facts((), ()), None)

    def _explain(self, user: User, item: int) -> Explanation:
        """What the average user would give the item, and what each rating changes.

        A part of a rating is the prediction less that without the rating, see
        `effects_of_ratings`, scaled by `scaled_to_sum`. What these cannot sum to is a part of all
        ratings together; of somebody without ratings, of what else is known of them.
        """
        scale, rows = self.ratings_.scale, np.array([item], dtype=np.int32)
        prediction = float(self._scores_at(user, rows)[0])
        nobody = self._posteriors(self.draws, np.array([-1], dtype=np.int32))
        average = float(self.draws.mean(nobody, ItemLists.of([rows]), scale)[0])
        total = prediction - average
        effects = self._effects_of(user, rows)[0]
        if len(effects) == 1:  # without it nothing is known
            effects = np.array([total])
        parts = (
            Part(PartKind.GLOBAL_MEAN, self.ratings_.global_mean),
            Part(PartKind.ITEM_BIAS, average - self.ratings_.global_mean),
        )
        scaled = scaled_to_sum(effects, total)
        rest = total - float(scaled.sum())
        kind = PartKind.TOGETHER if len(effects) else PartKind.TRAINING
        corrections = (*correction(kind, rest), *kept_inside(scale, prediction))
        without = scale.clip(prediction - effects)
        return Explanation(user, parts, scaled, corrections, without=without)

    def _lifts(self, user: User, item_index: IndexArray) -> FloatArray:
        # Relative to the average item; otherwise a user's high ratings would raise every item.
        effects = self._effects_of(user, np.append(item_index, -1).astype(np.int32))
        return effects[:-1] - effects[-1:]

    def _effects_of(self, user: User, item_index: IndexArray) -> F64:
        """What each rating changes in the predictions of items, (n_items, n_ratings).

        A user of the training data is taken as new: what a rating adds is asked of all others.
        """
        description = user.description
        if description.latent is None:
            description = self._fold_in_seen(user.item_index, user.rating, user.seen)
        scale, rating = self.ratings_.scale, user.rating.astype(np.float32)
        return effects_of_ratings(self.draws, description, rating, user.seen, item_index, scale)

    @property
    def similarity_shrinkage(self) -> float:
        """0: an average over draws is smaller by itself where they differ, for want of ratings."""
        return 0.0

    def similarity_vectors(self) -> F32:
        """As in the base class: an item's unit factors in every draw, side by side."""
        return direction_vectors(self.draws.items, self.draws.item_lengths)

    def _item_similarities(self, item: int) -> FloatArray:
        """The cosine averaged over the draws: what it is to be expected to be."""
        return average_cosines(self.draws.items, self.draws.item_lengths, item)

    def posterior_draws(self, n_draws: int) -> PosteriorDraws:
        """As in the base class."""
        counts = self.fitted_ratings.by_item.counts
        return posterior_draws(self.draws, counts.astype(np.float64), n_draws)

    # ---- the artifact ----

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        traces = {f"trace_{name}": trace for name, trace in self.traces.items()}
        return super()._arrays() | self.draws.arrays() | traces

    def _restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        super()._restore(arrays)
        self.draws = Draws.from_arrays(arrays, self.ratings_)
        names = [name for name in arrays if name.startswith("trace_")]
        self.traces = {name.removeprefix("trace_"): arrays.pop(name) for name in names}
        if any(trace.ndim != 2 or trace.dtype.kind != "f" for trace in self.traces.values()):
            raise ValueError("traces that are no tables of floats")
        self.diagnostics_ = convergence(self.traces)
        nodes = self._nodes
        if nodes is not None and self.draws.effects.shape[1:] != (len(TAU), len(nodes.time)):
            raise ValueError(f"temporal effects of shape {self.draws.effects.shape}")
        if self.seed_ < 0:
            raise ValueError(f"a seed of {self.seed_}")


def default_factors(counts: IndexArray | Times) -> int:
    """The number of factors for the numbers of ratings of each user and of each item.

    Example:
        >>> default_factors(np.array([1, 2, 1, 0, 3, 1]))
        6
    """
    a_row = _ratings_of_a_row(counts)
    if a_row < MAX_RATINGS_SPARSE:
        return DEFAULT_FACTORS_SPARSE
    return DEFAULT_FACTORS_DENSE if a_row >= MIN_RATINGS_DENSE else DEFAULT_FACTORS


def default_iterations(counts: IndexArray | Times) -> int:
    """The number of iterations, likewise."""
    is_brief = _ratings_of_a_row(counts) < MAX_RATINGS_BRIEF
    return DEFAULT_ITERATIONS_SPARSE if is_brief else DEFAULT_ITERATIONS


def _ratings_of_a_row(counts: IndexArray | Times) -> float:
    """Ratings for each user and item that has some; each rating counts on both sides."""
    return float(counts.sum()) / 2 / max(int((counts > 0).sum()), 1)


def _grouped(
    user_index: IndexArray, item_index: IndexArray
) -> tuple[IndexArray, ItemLists, npt.NDArray[np.int64]]:
    """The users of pairs, the items of each user, and the order that sorts the pairs by user."""
    order = np.argsort(user_index, kind="stable")
    users, counts = np.unique(user_index, return_counts=True)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return users, ItemLists(indptr, item_index[order]), order
