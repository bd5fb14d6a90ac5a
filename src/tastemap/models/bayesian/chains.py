"""The run of `BayesianFactorization`: several chains in threads, judged and traced on the way."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tastemap.arrays import FloatArray
from tastemap.models.bayesian.sampler import Chain, Draw, Observations
from tastemap.support.progress import progress_bar

#: What a draw predicts for the validation ratings, (n,).
Predict = Callable[[Draw], FloatArray]


class Plan(NamedTuple):
    """How long chains run, how many there are, and how many draws are kept of all together."""

    n_factors: int
    n_iterations: int
    n_chains: int
    n_draws: int

    @property
    def burn_in(self) -> int:
        """Iterations that are forgotten: the first fifth."""
        return self.n_iterations // 5

    @property
    def kept(self) -> set[int]:
        """Which iterations, from 0, are kept: evenly spaced, up to the last."""
        first, last = self.burn_in, self.n_iterations - 1
        each = min(-(-self.n_draws // self.n_chains), self.n_iterations - first)
        return set(np.linspace(last, first, each).round().astype(int).tolist())

    def n_bytes(self, n_ratings: int, n_rows: int) -> int:
        """What a run takes at its peak, for so many users and items together.

        Draws are held in half precision, and once more in single; a chain has for each row the
        sums of its conditional, D x D, and for each rating nine numbers, beside those of the data.
        """
        D = self.n_factors + 2
        draws = 6 * self.n_draws * n_rows * D
        return draws + self.n_chains * 4 * (n_rows * D**2 + 9 * n_ratings) + 32 * n_ratings


class Kept(NamedTuple):
    """A draw, its iteration, and maybe what it predicts for the validation ratings."""

    iteration: int
    loss: float
    draw: Draw
    predicted: FloatArray | None


class Judge(NamedTuple):
    """The error on validation ratings of the average of the draws so far.

    Attributes:
        predict: Predicts the validation ratings from one draw.
        rating: The validation ratings, (n,).
        lowest, highest: The ends of the scale.
    """

    predict: Predict
    rating: npt.NDArray[np.float32]
    lowest: float
    highest: float

    def errors(self, found: Sequence[Kept]) -> FloatArray:
        """Root mean squared error of the average of the first draws, for one, two, ... of them."""
        means = np.cumsum([one.predicted for one in found], axis=0)
        means /= np.arange(1, len(found) + 1)[:, None]
        means = np.clip(means, self.lowest, self.highest)
        return np.sqrt(np.mean((means - self.rating) ** 2, axis=1))


class Run(NamedTuple):
    """What the chains have found.

    Attributes:
        kept: The draws kept; those of one iteration side by side, so the first are of each chain.
        traces: By name, (n_chains, iterations after the burn-in): the chains' `Chain.summary`.
    """

    kept: list[Kept]
    traces: dict[str, npt.NDArray[np.float32]]


def run_chains(
    data: Observations, plan: Plan, judge: Judge | None, seed: int, progress: bool
) -> Run:
    """Run the chains, each the work of one thread.

    Should the call be interrupted, all chains stop and nothing is returned.
    """
    stopped = Event()

    def run(number: int) -> tuple[list[Kept], list[dict[str, float]]]:
        chain, found, note = Chain(data, plan.n_factors, seed, number), list[Kept](), ""
        summaries, kept = [], plan.kept
        for n in range(plan.n_iterations):
            if stopped.is_set():
                break
            draw = chain.sweep(keep=n in kept)
            if n >= plan.burn_in:
                summaries.append(chain.summary())
            if draw is not None:
                predicted = None if judge is None else judge.predict(draw)
                found.append(Kept(n + 1, chain.loss, draw, predicted))
                note = f"loss {chain.loss:.4f}"
                if progress and judge is not None:
                    note += f"  val_rmse {judge.errors(found)[-1]:.4f}"
            advance(note)
        return found, summaries

    with (
        progress_bar(
            "sampling", plan.n_iterations * plan.n_chains, "iterations", progress
        ) as advance,
        ThreadPoolExecutor(plan.n_chains) as pool,
    ):
        try:
            chains = list(pool.map(run, range(plan.n_chains)))
        except BaseException:
            stopped.set()
            raise
    together = zip(*(found for found, _ in chains), strict=True)
    names = chains[0][1][0]
    traces = {
        name: np.array([[one[name] for one in own] for _, own in chains], np.float32)
        for name in names
    }
    return Run([one for side_by_side in together for one in side_by_side], traces)
