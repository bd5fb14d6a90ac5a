"""The chains of `BayesianFactorization`: run in threads, with validation errors and traces."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import monotonic
from typing import NamedTuple

import numpy as np

from tastemap.arrays import F32, AnyArray, FloatArray
from tastemap.models.bayesian.draw import Draw
from tastemap.models.bayesian.observations import Observations
from tastemap.models.bayesian.sampler import MAX_FEW, Chain
from tastemap.support.deadline import current
from tastemap.support.progress import progress_bar

# Under a deadline a chain counts on the time of so many first iterations, and of the rest it takes
# this share: other work follows.
PACE_ITERATIONS, SHARE_OF_SAMPLING = 4, 0.9
# An update goes on from so many draws, each by so many iterations, of which half are left out:
# in them old users and items still follow their old ratings. On MovieLens 100K many short
# chains had a smaller error than two long ones of as many iterations: their draws differ more.
MAX_STARTS, ITERATIONS_OF_UPDATE, BURN_IN_OF_UPDATE = 20, 4, 2

#: The predictions (n,) of a draw for the validation ratings.
Predict = Callable[[Draw], FloatArray]


class SamplerConfig(NamedTuple):
    """The length and number of the chains, and the number of draws of all chains together.

    Attributes:
        n_factors: f.
        n_iterations: Iterations of each chain.
        n_chains, n_threads: Chains, and how many of them run at a time.
        n_draws: Draws that are kept, of all chains together.
        burn_in: Iterations of each chain that are left out.
    """

    n_factors: int
    n_iterations: int
    n_chains: int
    n_threads: int
    n_draws: int
    burn_in: int

    @classmethod
    def of_a_fit(
        cls, n_factors: int, n_iterations: int, n_chains: int, n_draws: int
    ) -> "SamplerConfig":
        """Chains from a random start: the first fifth of each is left out."""
        return cls(n_factors, n_iterations, n_chains, n_chains, n_draws, n_iterations // 5)

    @classmethod
    def of_an_update(cls, n_factors: int, n_starts: int, n_threads: int) -> "SamplerConfig":
        """Short chains, one from each of some draws of the fit before."""
        n, burn_in = ITERATIONS_OF_UPDATE, BURN_IN_OF_UPDATE
        return cls(n_factors, n, n_starts, n_threads, n_starts * (n - burn_in), burn_in)

    @property
    def sampled(self) -> set[int]:
        """The iterations, from 0, whose draws are samples: evenly spaced, up to the last."""
        first, last = self.burn_in, self.n_iterations - 1
        each = min(-(-self.n_draws // self.n_chains), self.n_iterations - first)
        return set(np.linspace(last, first, each).round().astype(int).tolist())

    def within(self, seconds: float, each: float) -> "SamplerConfig":
        """As many of the iterations as there is time for, at ``each`` seconds an iteration."""
        possible = PACE_ITERATIONS + max(SHARE_OF_SAMPLING * seconds / max(each, 1e-9), 1)
        n = int(min(possible, self.n_iterations))
        return self._replace(n_iterations=n, burn_in=min(self.burn_in, n // 5))

    def n_bytes(self, counts: AnyArray, n_features: int) -> int:
        """Memory of a run at its peak.

        Draws are held in half precision, and once more in single. A chain has rows, their means and
        changes, D x D sums for each row with many ratings, and nine numbers for each rating, beside
        those of the data. Features are held once, and twice more while they are made.

        Args:
            counts: Ratings of each user and of each item.
            n_features: Numbers in the implicit scores and axes of both sides.
        """
        D, n_rows, n_ratings = self.n_factors + 2, len(counts), int(counts.sum()) // 2
        n_many = int((counts > MAX_FEW * D).sum())
        draws = 6 * self.n_draws * n_rows * D
        chain = 4 * (n_many * D**2 + 7 * n_rows * D + 9 * n_ratings)
        return draws + self.n_threads * chain + 12 * n_features + 32 * n_ratings


class Sample(NamedTuple):
    """A draw, its iteration and loss, and its predictions for the validation ratings, if any."""

    iteration: int
    loss: float
    draw: Draw
    predicted: FloatArray | None


class Validation(NamedTuple):
    """The error on validation ratings of the average of the draws so far.

    Attributes:
        predict: Predicts the validation ratings from one draw.
        rating: The validation ratings, (n,).
        lowest, highest: The ends of the scale.
    """

    predict: Predict
    rating: F32
    lowest: float
    highest: float

    def errors(self, samples: Sequence[Sample]) -> FloatArray:
        """Root mean squared error of the average of the first draw, of the first two, and so on."""
        means = np.cumsum([sample.predicted for sample in samples], axis=0)
        means /= np.arange(1, len(samples) + 1)[:, None]
        means = np.clip(means, self.lowest, self.highest)
        return np.sqrt(np.mean((means - self.rating) ** 2, axis=1))


class ChainResult(NamedTuple):
    """The result of all chains.

    Attributes:
        samples: The samples, iteration by iteration, and within an iteration chain by chain.
        traces: By name, (n_chains, iterations after the burn-in): the chains' `Chain.summary`.
    """

    samples: list[Sample]
    traces: dict[str, F32]


def run_chains(
    data: Observations,
    config: SamplerConfig,
    validation: Validation | None,
    seed: int,
    progress: bool,
    starts: Sequence[Draw] = (),
) -> ChainResult:
    """Run the chains, each in one thread, from random starts or each from one of ``starts``.

    If the call is interrupted, all chains stop and nothing is returned. Under a deadline they are
    as long as there is time for, and each gives at least one sample.
    """
    stopped, limit, begun = Event(), current(), monotonic()
    begun_at: Sequence[Draw | None] = starts or [None] * config.n_chains

    def run(number: int) -> tuple[list[Sample], list[dict[str, float]]]:
        samples, note = list[Sample](), ""
        chain = Chain(data, config.n_factors, seed, number, begun_at[number])
        summaries, plan, sampled = [], config, config.sampled
        for n in range(config.n_iterations):
            if stopped.is_set() or (samples and limit.is_over(n, config.n_iterations)):
                break
            if n == PACE_ITERATIONS:
                plan = config.within(limit.seconds_left, (monotonic() - begun) / n)
                sampled = plan.sampled
            draw = chain.sweep(keep=n in sampled or limit.seconds_left == 0)
            if n >= plan.burn_in or draw is not None:
                summaries.append(chain.summary())
            if draw is not None:
                predicted = None if validation is None else validation.predict(draw)
                samples.append(Sample(n + 1, chain.loss, draw, predicted))
                note = f"train_loss {chain.loss:.4f}"
                if progress and validation is not None:
                    note += f"  validation_rmse {validation.errors(samples)[-1]:.4f}"
            advance(note)
            if n + 1 == plan.n_iterations < config.n_iterations:
                limit.stop(n + 1, config.n_iterations)
                break
        return samples, summaries

    n_steps = config.n_iterations * config.n_chains
    with (
        progress_bar("sampling", n_steps, "iterations", progress) as advance,
        ThreadPoolExecutor(config.n_threads) as pool,
    ):
        try:
            chains = list(pool.map(run, range(config.n_chains)))
        except BaseException:
            stopped.set()
            raise
    samples = zip(*(samples for samples, _ in chains), strict=limit.stopped is None)
    traces = _traces([summaries for _, summaries in chains])
    return ChainResult([sample for iteration in samples for sample in iteration], traces)


def _traces(chains: Sequence[Sequence[dict[str, float]]]) -> dict[str, F32]:
    """The summaries of each chain, by name; of chains of unequal length, the last of each."""
    n = min(map(len, chains))
    rows = [summaries[-n:] for summaries in chains]
    return {
        name: np.array([[row[name] for row in chain] for chain in rows], np.float32)
        for name in rows[0][0]
    }
