"""Models tried in order until a time is used up: fitted, judged, stopped, skipped, or failed."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from tastemap.data.splits import SplitOf
from tastemap.errors import ArgumentError, MissingPackageError
from tastemap.evaluation.objective import Objective, Score, liking
from tastemap.models.base.recommender import Recommender
from tastemap.models.registry import make_model
from tastemap.support.boundary import failures
from tastemap.support.deadline import deadline

# Samples estimate the time of a fit: an eightieth of the rows, within these numbers, then twice
# that, and so on where the time would be too short and a sample takes little of the model's part.
SAMPLE_RATINGS, MAX_SHARE_OF_SAMPLE = (500, 10_000), 0.2
# Exponents of the power law of the time of a fit by its work: the time of a small sample is mostly
# of what does not grow. The last is of a single sample.
MIN_POWER, MAX_POWER, DEFAULT_POWER = 0.5, 1.0, 0.75
# Share of a model's time that its iterations have in any case, however long the rest seems.
MIN_SHARE_OF_ITERATIONS = 1 / 3
# A stopped model is fitted anew whole, or in this many times the seconds, or not at all.
MIN_GAIN_OF_TIME = 1.5
# From fewer iterations nobody can tell the time of all.
MIN_ITERATIONS_OF_PACE = 5


class Trial(NamedTuple):
    """A fit and its score; seconds of the fit, and of the answers that were judged.

    The best trial of a contest has the model, too; the others do not hold theirs in memory.
    """

    score: Score
    fit_seconds: float
    judging_seconds: float
    stopped: tuple[int, int] | None
    model: Recommender | None = None

    @property
    def seconds(self) -> float:
        """Seconds of both."""
        return self.fit_seconds + self.judging_seconds

    @property
    def whole_fit_seconds(self) -> float:
        """Seconds of the fit if it had not been stopped, in proportion to its iterations."""
        done, planned = self.stopped or (1, 1)
        return self.fit_seconds * planned / max(done, 1)

    @property
    def whole_seconds(self) -> float:
        """Seconds of both if the fit had not been stopped."""
        return self.whole_fit_seconds + self.judging_seconds


class _Clocks(NamedTuple):
    """Seconds of the wall's clock, and those in which processors worked for this process."""

    wall: float
    busy: float

    @classmethod
    def now(cls) -> "_Clocks":
        return cls(time.perf_counter(), time.process_time())

    def since(self, begin: "_Clocks") -> "_Clocks":
        return _Clocks(self.wall - begin.wall, self.busy - begin.busy)


def extrapolated(paces: Sequence[tuple[float, float]], work: float) -> float:
    """Seconds of some work, by the power law through the last two pairs of work and seconds.

    The exponent is within `MIN_POWER` and `MAX_POWER`, and `DEFAULT_POWER` for a single pair.

    Example:
        >>> extrapolated([(10.0, 2.0), (20.0, 4.0)], 80.0), extrapolated([(10.0, 2.0)], 160.0)
        (16.0, 16.0)
    """
    (work_before, before), (work_last, last) = paces[-2:] if len(paces) > 1 else 2 * [*paces]
    power = DEFAULT_POWER
    if work_last > work_before and before > 0:
        observed = np.log(last / before) / np.log(work_last / work_before)
        power = float(np.clip(observed, MIN_POWER, MAX_POWER))
    return float(last * max(work / work_last, 1) ** power)


@dataclass
class Contest:
    """Models that are tried in order, until the time is used up.

    The rule: a model has one part of the time that is left when its turn comes. The models to come
    have a part each, and the fits after the choice `n_fits` - 1 parts. What a fast model leaves
    goes to those after it, so the last one has the most: with two and a half fits, 40 %. No model
    takes of the time in which the best so far would be fitted again. At the end the same rule gives
    the models that were stopped a second and longer try. The best needs none: the fits after the
    choice have all the time that is left.

    Attributes:
        objective, parts, seed: The same for every model.
        begin: The begin of the time, on the clock of `time.perf_counter`.
        seconds: The time.
        n_fits: Number of fits of the chosen model until then.
        n_models: Number of models to try.
        trials: The models that were fitted and scored, by name.
        rows: One row for each model, fitted or not.
        why: The last failure.
        samples: The times of the fits and the judging of samples.
    """

    objective: Objective
    parts: SplitOf[Any]
    seed: int
    begin: float
    seconds: float
    n_fits: float
    n_models: int
    trials: dict[str, Trial] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    why: str = ""
    samples: list[_Clocks] = field(default_factory=list)

    @property
    def best(self) -> str:
        """Name of the model with the best score so far."""
        values = [trial.score.value for trial in self.trials.values()]
        return list(self.trials)[self.objective.best(values)]

    def enter(self, name: str) -> None:
        """Fit and judge a model, unless there is no time for it."""
        row: dict[str, Any] = {"model": name, "state": "skipped", "note": None}
        self.rows.append(row)
        with failures(lambda why: self._note_failure(row, why)):
            try:
                limit = self._limit(row) if self.trials else math.inf
                if limit is not None:
                    self._try(row, limit)
            except MissingPackageError as error:
                row["note"] = f"needs {error.what}"

    def finish(self) -> None:
        """Fit the stopped models anew, but the best so far, in the time that the others left."""
        stopped = [row for row in self.rows if row["state"] == "stopped"]
        values = {row["model"]: self.trials[row["model"]].score.value for row in stopped}
        sign = -1 if self.objective.larger_is_better else 1
        for row in sorted(stopped, key=lambda row: sign * values[row["model"]]):
            limit, trial = self._share(), self.trials[row["model"]]
            enough = min(MIN_GAIN_OF_TIME * trial.seconds, trial.whole_seconds)
            if row["model"] != self.best and limit > enough:
                with failures(lambda why, row=row: self._note_failure(row, why)):  # type: ignore[misc]
                    self._try(row, limit)

    def _note_failure(self, row: dict[str, Any], why: str) -> None:
        self.trials.pop(row["model"], None)
        row["state"], row["note"], self.why = "failed", why, why

    def _try(self, row: dict[str, Any], limit: float) -> None:
        """Fit and judge a model; its iterations end after some seconds."""
        trial = self._timed(row["model"], self.parts, limit)
        row |= {"seconds": trial.seconds, "state": "tried", "note": None, "wanted": None}
        if trial.stopped is not None:
            done, planned = trial.stopped
            row["state"] = "stopped"
            row["note"] = f"after {trial.seconds:.0f} s, with {done} of {planned} iterations done"
            if done >= MIN_ITERATIONS_OF_PACE:
                wanted = self._wanted(row["model"], trial.whole_seconds)
                row["wanted"] = wanted - trial.seconds
        self.trials[row["model"]] = trial
        for name, other in self.trials.items():
            if name != self.best:
                self.trials[name] = other._replace(model=None)

    def _limit(self, row: dict[str, Any]) -> float | None:
        """Seconds for the iterations of a model; None if there is no time for the first of them."""
        row["note"] = "no time was left"
        if self._share() <= 0:
            return None
        needed = row["estimated"] = self._needed(row["model"])
        limit = self._share()
        if needed > limit:
            row["note"] = f"at least {needed:.0f} s needed, {max(limit, 0):.0f} s left for it"
            row["wanted"] = self._wanted(row["model"], needed)
            return None
        row["note"] = None
        return max(limit - needed, MIN_SHARE_OF_ITERATIONS * limit)

    def _left(self) -> float:
        return self.begin + self.seconds - time.perf_counter()

    def _share(self) -> float:
        """Seconds for one model, so that later fits of it, or of the best so far, find theirs.

        Each model that is still to come has a share, too.
        """
        left, later = self._left(), self.n_fits - 1
        return min(left / self._n_shares, left - later * self.trials[self.best].seconds)

    @property
    def _n_shares(self) -> float:
        """All fits of the present model, and one for each that is still to come."""
        return self.n_fits + self.n_models - len(self.rows)

    def _wanted(self, name: str, needed: float) -> float:
        """The seconds of a call in which a model would have the time that it needs.

        The models before it would not be stopped then, either, and it would have no second try.
        """
        spent = self.seconds - self._left()
        for other, trial in self.trials.items():
            spent += -trial.seconds if other == name else trial.whole_seconds - trial.seconds
        of_best = needed + (self.n_fits - 1) * self.trials[self.best].whole_seconds
        return spent + max(self._n_shares * needed, of_best)

    def _needed(self, name: str) -> float:
        """Seconds of one iteration on all ratings, of what surrounds it, and of the judging.

        The fit grows with a power of the model's `work`, the judging with one of the answers, see
        `extrapolated`: much of what a sample takes does not grow. The first fit compiles the model
        and does not count.
        """
        n = len(self.parts.train)
        size = int(np.clip(n // 80, *SAMPLE_RATINGS))
        work = make_model(name).work(self.parts.train)  # refuses what would not fit, first of all
        self._probed(name, self._sample(size))
        if 2 * size >= n:
            return 0.0
        answers = self._n_answers(self.parts)
        paces, paces_of_judging = list[tuple[float, float]](), list[tuple[float, float]]()
        while True:
            part = self._sample(size)
            trial = self._sampled(name, part)
            paces.append((make_model(name).work(part.train), trial.fit_seconds))
            paces_of_judging.append((max(self._n_answers(part), 1), trial.judging_seconds))
            needed = extrapolated(paces, work) + extrapolated(paces_of_judging, answers)
            size *= 2
            is_short = len(paces) > 1 and needed * self._slowness < self._share()
            if is_short or self._is_dear(2 * trial.seconds) or size > n / 2:
                return needed * self._slowness

    def _sampled(self, name: str, part: SplitOf[Any]) -> Trial:
        """One iteration on a sample: of two the faster one, for on a busy machine both may wait.

        One alone where it takes much of the model's time.
        """
        first = self._probed(name, part)
        if self._is_dear(first.seconds):
            return first
        return min(first, self._probed(name, part), key=lambda trial: trial.seconds)

    def _probed(self, name: str, part: SplitOf[Any]) -> Trial:
        """One iteration on a sample, in seconds without those in which others had the processor.

        A sample takes so little that one such wait may be most of it; how much waiting there is,
        all samples tell together. The linear algebra has a single thread: of several some wait for
        others, and count as busy meanwhile.
        """
        import scipy.linalg  # noqa: F401 - its threads are held as well, once it is there
        from threadpoolctl import threadpool_limits

        with threadpool_limits(limits=1, user_api="blas"):
            return self._timed(name, part, 0)

    def _is_dear(self, seconds: float) -> bool:
        """Whether a sample takes too much of the time that a model has."""
        return seconds > MAX_SHARE_OF_SAMPLE * self._share()

    def _n_answers(self, parts: SplitOf[Any]) -> int:
        """Number of predictions or of scores that judge a model."""
        if self.objective.metric != "ndcg":
            return len(parts.test)
        return int(np.count_nonzero(parts.test.by_user.counts)) * parts.train.n_items

    def _sample(self, n: int) -> SplitOf[Any]:
        """All ratings of some users, about n to fit, without users and items that have none."""
        train, test = self.parts
        order = np.random.default_rng(self.seed).permutation(train.n_users)
        reached = np.cumsum(train.by_user.counts[order])
        users = np.zeros(train.n_users, dtype=bool)
        users[order[: 1 + int(np.searchsorted(reached, n))]] = True
        part = train.take(users[train.user_index])
        compact = type(train).from_frame(part.to_frame(), item_table=train.item_table)
        return SplitOf[Any](compact, test.take(users[test.user_index]))

    def _timed(self, name: str, parts: SplitOf[Any], limit: float) -> Trial:
        """The score of a fit on some ratings, whose iterations end after some seconds."""
        begin = _Clocks.now()
        model = liking(make_model(name), self.objective.threshold)
        with deadline(limit):
            model.fit(parts.train, seed=self.seed, progress=False)
        fitted = _Clocks.now()
        try:
            score = self.objective.score(model, parts.test)
        except ArgumentError:
            if parts is self.parts:
                raise
            score = Score(0.0, np.zeros(0), np.zeros(0))  # a sample may have nothing to judge by
        parts_of_time = [fitted.since(begin), _Clocks.now().since(fitted)]
        if limit == 0:
            self.samples += parts_of_time
        fit, judging = (min(part) if limit == 0 else part.wall for part in parts_of_time)
        return Trial(score, fit, judging, model.stopped_, model)

    @property
    def _slowness(self) -> float:
        """Seconds of the wall's clock for one of work, in all samples so far; at least 1."""
        wall, busy = (sum(seconds) for seconds in zip((1e-9, 1e-9), *self.samples, strict=True))
        return max(wall / busy, 1.0)

    def frame(self) -> pl.DataFrame:
        """The rows, best first, each with its difference to the first fitted model."""
        baseline = next(iter(self.trials.values())).score
        for row in self.rows:
            trial = self.trials.get(row["model"])
            if trial is None:
                continue
            row[self.objective.metric] = trial.score.value
            if trial.score is not baseline:
                gain = self.objective.difference(trial.score, baseline)
                row |= {"difference": gain.value, "low": gain.low, "high": gain.high}
        scores = (self.objective.metric, "difference", "low", "high")
        numbers = (*scores, "seconds", "estimated", "wanted")
        schema: dict[str, Any] = {"model": pl.String, "state": pl.String}
        schema |= {**dict.fromkeys(numbers, pl.Float64), "note": pl.String}
        frame = pl.DataFrame(self.rows, schema=schema).fill_nan(None)
        return frame.sort(
            self.objective.metric,
            descending=self.objective.larger_is_better,
            nulls_last=True,
            maintain_order=True,
        )
