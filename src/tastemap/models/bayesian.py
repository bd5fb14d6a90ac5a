"""``BayesianFactorization``: ordinal ratings, biases and factors, averaged over the posterior."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Event
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.data.ratings import FloatArray, Ratings
from tastemap.data.vocabulary import Id, IndexArray
from tastemap.errors import ArgumentError
from tastemap.models.base import Recommender
from tastemap.models.bayesian_draws import Draws, Lists, Persons
from tastemap.models.bayesian_features import F32, features_of
from tastemap.models.bayesian_moods import Clock
from tastemap.models.bayesian_sampler import Chain, Draw, Observations
from tastemap.models.factors import FactorModel, Prior

Times: TypeAlias = npt.NDArray[np.int64]


class BayesianFactorization(FactorModel):
    """Ordinal ratings from biases and factors, averaged over draws of the posterior.

    References:
        Salakhutdinov and Mnih, "Bayesian probabilistic matrix factorization using Markov chain
        Monte Carlo", ICML 2008, section 3. Albert and Chib, "Bayesian analysis of binary and
        polychotomous response data", JASA 88(422), 1993, section 4 (ordinal ratings). Rendle,
        Zhang, Koren, "On the difficulty of evaluating baselines", arXiv:1905.01395, 2019 (that
        this family, with implicit features, leads the field). Gelfand and Smith, JASA 85(410),
        1990, section 3 (averaging conditional distributions).

    Prediction:
        The rating is level c where kappa_a,c-1 < z <= kappa_a,c and
        z ~ N(b_a + d_j + p_a . q_j + g_a x_j, (s_a s_j)^2) for user a and item j, x_j being the
        standardised logarithm of the item's number of ratings; the answer is the mean, the median
        or the whole of the distribution over levels, averaged over the draws kept. In each draw
        the user's row (b_a, p_a, g_a) is integrated out given the items.
        A scale with more than 20 levels, or with none, has z itself as its rating, standardised.

    Objective:
        Draws from the posterior by Gibbs sampling, where
        W_a = (b_a, p_a, g_a) ~ N(B' phi_a, diag(1 / lam)), B[f, k] ~ N(0, 1 / lam_B), and likewise
        (d_j, q_j);
        phi holds principal scores of who has rated what, and side information;
        kappa_a = kappa + delta_a, delta_a ~ N(0, S), S ~ InvWishart;
        s_a^2, s_j^2 ~ InvGamma(10, 10); every precision ~ Gamma(1/2, 1/2);
        each mood has mean 0 and variance v_a ~ InvGamma(1, v).

    Unknown ids:
        An unknown user is the average user with the uncertainty of the prior, an unknown item the
        average item of the training ratings. A user or item without training ratings is drawn
        from its prior, side information included.

    Fold-in:
        A few Gibbs sweeps over the person's latent values, row and cutpoints for each draw kept;
        the draws of the items stay as they are, and the noise scale is the average user's.

    Args:
        n_factors: f, the length of p_u and q_i; 14, 30, ... are fastest for their length.
        n_iterations: Iterations of each chain; the first fifth is forgotten.
        n_chains: Independent chains, each in a thread of its own.
        n_draws: Draws kept of all chains together, evenly spaced. Predictions are averages over
            them and nothing else; of 320 draws on two folds of MovieLens 100K, keeping 100 cost
            0.0002 of RMSE, and keeping 40 cost 0.001. A draw takes 0.11 MB there on disk.
        n_implicit: Principal scores of who has rated what; 0 for none.
        side: Whether to learn from what the tables say about users and items.
        time: ``"session"`` adds moods to the predictor, h_a(t): two Ornstein-Uhlenbeck processes of
            each user, which forget within 20 and 300 seconds. `predict_ratings` uses the times of
            its table; wherever the moment is not known moods are averaged over, and then None, the
            default, predicts a user's later ratings better.

    Attributes:
        global_mean, user_bias, item_bias: Posterior means, in units of the rating.
        user_factors, item_factors: Posterior means (n_users, f) and (n_items, f), each draw turned
            to agree with the first, as factors can be turned without changing a prediction.
        draws: The `Draws` that predictions are made from.
        history_: Frame ``epoch, loss`` with the mean of -log p of the training ratings in each draw
            kept, and with a validation part ``val_rmse``, of the average of the draws so far.

    Example:
        >>> from tastemap.data.synthetic import synthetic_ratings
        >>> model = BayesianFactorization(n_factors=2, n_iterations=20, n_draws=10)
        >>> model = model.fit(synthetic_ratings(), progress=False)
        >>> model.predict_distribution(1, [1, 2]).sum(axis=1).round(6).tolist()
        [1.0, 1.0]
    """

    parameters: ClassVar = (
        "n_factors",
        "n_iterations",
        "n_chains",
        "n_draws",
        "n_implicit",
        "side",
        "time",
    )

    draws: Draws

    def __init__(
        self,
        n_factors: int = 15,
        n_iterations: int = 200,
        n_chains: int = 2,
        n_draws: int = 100,
        n_implicit: int = 100,
        side: bool = True,
        time: str | None = None,
    ) -> None:
        if time not in (None, "session"):
            raise ArgumentError("time", expected="None or 'session'", received=repr(time))
        for name, value, least in (
            ("n_factors", n_factors, 1),
            ("n_iterations", n_iterations, 1),
            ("n_chains", n_chains, 1),
            ("n_draws", n_draws, 1),
            ("n_implicit", n_implicit, 0),
        ):
            if value != int(value) or value < least:
                raise ArgumentError(
                    name, expected=f"a whole number of at least {least}", received=value
                )
        self.n_factors, self.n_iterations, self.n_chains = n_factors, n_iterations, n_chains
        self.n_draws, self.n_implicit, self.side, self.time = n_draws, n_implicit, side, time

    # ---- sampling ----

    def _fit(self, ratings: Ratings, validation: Ratings | None, seed: int, progress: bool) -> None:
        mean = ratings.global_mean
        deviation = float(ratings.rating.std(dtype=np.float64)) or 1.0
        users = ratings.user_table if self.side else None
        items = ratings.item_table if self.side else None
        features = (
            features_of(
                ratings.by_user, ratings.item_index, ratings.n_items, users, self.n_implicit
            ),
            features_of(
                ratings.by_item, ratings.user_index, ratings.n_users, items, self.n_implicit
            ),
        )
        data = Observations.of(ratings, features, mean, deviation, self.time is not None)
        make = partial(
            Draws.of,
            axes=features[0].axes,
            centre=mean,
            deviation=deviation,
            n_levels=data.n_levels,
        )
        judge = _Judge(self, make, validation) if validation is not None else None
        found = self._sample(data, judge, seed, progress)
        self.draws = make([one.draw for one in found])
        self.history_ = pl.DataFrame(
            {"epoch": [one.iteration for one in found], "loss": [one.loss for one in found]}
        )
        if judge is not None:
            self.history_ = self.history_.with_columns(val_rmse=judge.errors(found))
        self._take_means(ratings)

    def _sample(
        self, data: Observations, judge: "_Judge | None", seed: int, progress: bool
    ) -> list["_Kept"]:
        """The draws kept; those of one iteration side by side, so that the first are of each chain.

        A chain is the work of one thread. Should the call be interrupted, all chains stop.
        """
        kept, stopped = self._kept_iterations(), Event()

        def run(number: int) -> list[_Kept]:
            chain, found, note = Chain(data, self.n_factors, seed, number), [], ""
            for n in range(self.n_iterations):
                if stopped.is_set():
                    break
                draw = chain.sweep(keep=n in kept)
                if draw is not None:
                    predicted = None if judge is None else judge.predict(draw)
                    found.append(_Kept(n + 1, chain.loss, draw, predicted))
                    note = f"loss {chain.loss:.4f}"
                    if progress and judge is not None:
                        note += f"  val_rmse {judge.errors(found)[-1]:.4f}"
                advance(note)
            return found

        with (
            _bar(self.n_iterations * self.n_chains, progress) as advance,
            ThreadPoolExecutor(self.n_chains) as pool,
        ):
            try:
                chains = list(pool.map(run, range(self.n_chains)))
            except BaseException:
                stopped.set()
                raise
        return [one for together in zip(*chains, strict=True) for one in together]

    def _kept_iterations(self) -> set[int]:
        """Which iterations, from 0, are kept: evenly spaced, up to the last."""
        first = self.n_iterations // 5
        each = min(-(-self.n_draws // self.n_chains), self.n_iterations - first)
        return set(np.linspace(self.n_iterations - 1, first, each).round().astype(int).tolist())

    def _take_means(self, ratings: Ratings) -> None:
        """Posterior means as biases and factors in units of the rating, for maps and neighbours."""
        counts = ratings.by_item.counts
        users, items = self.draws.posterior_means(counts.astype(np.float64))
        w, x = users[ratings.user_index], items[ratings.item_index]
        f = w[:, 0] + x[:, 0] + np.einsum("nf,nf->n", w[:, 1:], x[:, 1:])
        residual = f - f.mean()
        slope = self.draws.deviation
        if residual.any():
            slope = float(residual @ ratings.rating / (residual @ residual))
        noise = float(np.mean((ratings.rating - ratings.global_mean - slope * residual) ** 2))
        mean = ratings.global_mean - slope * float(f.mean())
        users = slope * users
        # What popularity does for the average user is part of the items' biases.
        items[:, 0] = slope * items[:, 0] + users[-1, -1] * items[:, -1]
        users, items = users[:, :-1], items[:, :-1]
        prior = Prior.of_users(users[:-1][ratings.by_user.counts > 0], noise)
        self._learnt(ratings, mean, users[:-1], items[:-1], prior)

    # ---- prediction ----

    @property
    def has_distribution(self) -> bool:
        """Whether ratings have levels, each with its probability."""
        return not hasattr(self, "ratings_") or self.ratings_.scale.levels is not None

    def predict_ratings(
        self, ratings: Ratings, *, point: str = "mean", clip: bool = True
    ) -> FloatArray:
        """As in the base class; with ``time="session"`` at the times that the table has."""
        scale, (users, items), time = self._fitted.scale, self._rows(ratings), ratings.timestamp
        if self._clock is None or time is None:
            return super().predict_ratings(ratings, point=point, clip=clip)
        if point == "median" and scale.levels is not None:
            cumulative = np.cumsum(self._predict_distribution(users, items, time), axis=1)
            return scale.levels[np.argmax(cumulative >= 0.5 - 1e-6, axis=1)]
        if point != "mean":
            raise ArgumentError("point", expected="'mean' or 'median'", received=repr(point))
        predicted = self._predict(users, items, time)
        return scale.clip(predicted) if clip else predicted

    def ratings_distribution(self, ratings: Ratings) -> FloatArray:
        """As in the base class; with ``time="session"`` at the times that the table has."""
        return self._predict_distribution(*self._rows(ratings), ratings.timestamp)

    def _predict(
        self, user_index: IndexArray, item_index: IndexArray, time: Times | None = None
    ) -> FloatArray:
        return self._mean(self.draws, user_index, item_index, time)

    def _mean(
        self, draws: Draws, user_index: IndexArray, item_index: IndexArray, time: Times | None
    ) -> FloatArray:
        """Mean ratings of pairs (n,), of some draws, maybe at known times."""
        users, asked, order = _grouped(user_index, item_index)
        moods = self._moods(draws, user_index[order], None if time is None else time[order])
        predicted = np.empty(len(order))
        persons = self._known(draws, users)
        predicted[order] = draws.mean(persons, asked, self.ratings_.scale, moods)
        return predicted

    def _predict_distribution(
        self, user_index: IndexArray, item_index: IndexArray, time: Times | None = None
    ) -> FloatArray:
        if not self.has_distribution:
            raise self._cannot("give a distribution over ratings that have no levels")
        users, asked, order = _grouped(user_index, item_index)
        moods = self._moods(self.draws, user_index[order], None if time is None else time[order])
        persons = self._known(self.draws, users)
        found = self.draws.distribution(persons, asked, self.ratings_.scale, moods)
        distribution = np.empty_like(found)
        distribution[order] = found
        return distribution

    @property
    def _clock(self) -> Clock | None:
        """The clock of the training ratings, grouped by user; None in a model without moods."""
        data = self._fitted
        if self.time is None or data.timestamp is None:
            return None
        return Clock.of(data.user_index, data.timestamp, data.n_users)

    def _moods(self, draws: Draws, user: IndexArray, time: Times | None) -> F32 | None:
        clock = None if time is None else self._clock
        if clock is None or time is None:
            return None
        return draws.moods_at(clock, user, time.astype(np.float64))

    def _known(self, draws: Draws, users: IndexArray) -> Persons:
        return draws.known(users, self.ratings_.by_user, self.ratings_.item_index)

    def _user(self, user_index: int) -> Any:
        return self._known(self.draws, np.array([user_index], dtype=np.int32))

    def _fold_in(self, item_index: IndexArray, rating: FloatArray) -> Any:
        return self.draws.folded(
            item_index, rating.astype(np.float32), self.ratings_.scale, self.seed_
        )

    def _score(self, user: Any) -> FloatArray:
        asked = Lists.of([np.arange(self.ratings_.n_items, dtype=np.int32)])
        return self.draws.mean(user, asked, self.ratings_.scale)

    def _score_many(self, user_index: IndexArray) -> tuple[FloatArray, FloatArray | None]:
        return Recommender._score_many(self, user_index)

    def explain(
        self, user_id: Id | None = None, *, item_id: Id, ratings: Any = None
    ) -> pl.DataFrame:
        """Refused: an average over draws of distributions has no parts that sum to it."""
        raise self._cannot("explain a prediction as a sum of parts")

    # ---- the artifact ----

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return super()._arrays() | self.draws.arrays()

    def _restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        super()._restore(arrays)
        self.draws = Draws.from_arrays(arrays)
        if self.draws.items.shape[1] != self.ratings_.n_items + 1:
            raise ValueError(f"draws of {self.draws.items.shape[1] - 1} items")


class _Kept(NamedTuple):
    """A draw, its iteration, and maybe what it predicts for the validation ratings."""

    iteration: int
    loss: float
    draw: Draw
    predicted: FloatArray | None


class _Judge:
    """The error on validation ratings of the average of the draws so far."""

    def __init__(
        self, model: BayesianFactorization, make: Callable[..., Draws], validation: Ratings
    ) -> None:
        self.model, self.make, self.rating = model, make, validation.rating
        self.rows, self.time = model._rows(validation), validation.timestamp

    def predict(self, draw: Draw) -> FloatArray:
        """Mean ratings (n,) from one draw."""
        return self.model._mean(self.make([draw]), *self.rows, self.time)

    def errors(self, found: Sequence[_Kept]) -> FloatArray:
        """Root mean squared error of the average of the first draws, for one, two, ... of them."""
        means = np.cumsum([one.predicted for one in found], axis=0)
        means /= np.arange(1, len(found) + 1)[:, None]
        return np.sqrt(np.mean((self.model.ratings_.scale.clip(means) - self.rating) ** 2, axis=1))


def _grouped(
    user_index: IndexArray, item_index: IndexArray
) -> tuple[IndexArray, Lists, npt.NDArray[np.int64]]:
    """The users of pairs, the items that each is asked about, and the pairs in that order."""
    order = np.argsort(user_index, kind="stable")
    users, counts = np.unique(user_index, return_counts=True)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return users, Lists(offsets, item_index[order]), order


@contextmanager
def _bar(n_steps: int, progress: bool) -> Iterator[Callable[[str], None]]:
    """A progress bar on standard error, in steps of one iteration of one chain."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("sampling"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[found]}"),
    )
    with Progress(
        *columns, console=Console(stderr=True), transient=True, disable=not progress
    ) as bar:
        task = bar.add_task("sampling", total=n_steps, found="")
        yield lambda found: bar.update(task, advance=1, found=found)
