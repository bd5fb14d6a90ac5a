"""Choose a model within a time limit: from fast to slow ones, judged by held-out ratings."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split, split_by_name
from tastemap.errors import ArgumentError, MissingPackageError, TastemapError
from tastemap.evaluation.objective import Objective, Score, like_threshold, liking
from tastemap.models.registry import make_model
from tastemap.support.boundary import failures
from tastemap.support.deadline import deadline

#: The models to choose among, from fast to slow; the first is the baseline. All of them answer a
#: new user.
GOALS = {
    "ratings": ("bias", "knn", "mf", "als", "bayes"),
    "lists": ("popularity", "ease", "ials", "blend"),
}
#: Enough ratings for three parts: to fit, to judge, to test.
MIN_RATINGS = 20
# Samples estimate the time of a fit: an eightieth of the ratings, within these numbers, then twice
# that, and so on where the time would be too short and a sample takes little of what is left.
SAMPLE_RATINGS, MAX_SHARE_OF_SAMPLE = (500, 10_000), 0.1
# Exponents of the power law of the time of a fit by its work: the time of a small sample is mostly
# of what does not grow. The last is of a single sample.
MIN_POWER, MAX_POWER, DEFAULT_POWER = 0.5, 1.0, 0.75
# Share of a model's time that its iterations have in any case, however long the rest seems.
MIN_SHARE_OF_ITERATIONS = 1 / 3
# From fewer iterations nobody can tell the time of all.
MIN_ITERATIONS_OF_PACE = 5
# Lists are judged for so many users that they have at most this number of scores.
MAX_SCORES = 200_000_000


@dataclass(frozen=True)
class Choice:
    """The result of `choose`: models fitted and judged in the same way.

    Attributes:
        frame: Frame ``model, state, <metric>, difference, low, high, seconds, estimated, wanted,
            note``, best first: the metric on the held-out ratings; its difference to the baseline's
            with a 95 % interval from a bootstrap of the users; seconds of fit and judging, and the
            least seconds that were estimated before; the ``seconds`` of a call that would try the
            model whole, where it was not. State is ``"tried"``; ``"stopped"`` by its time and
            judged as it was; ``"skipped"``; or ``"failed"``. The note says why.
        chosen: Name of the best model that was tried.
        baseline: Name of the model to which the differences are taken.
        metric: ``"rmse"`` or ``"ndcg"``.
        judged: The ratings for the fits and for the judging, in words.
        threshold: Lowest rating that counts as a like; None for the upper quarter of the scale.
        judging_seconds: Seconds in which the chosen model answered for the held-out ratings.
    """

    frame: pl.DataFrame
    chosen: str
    baseline: str
    metric: str
    judged: str
    threshold: float | None = None
    judging_seconds: float = 0.0

    @property
    def row(self) -> dict[str, Any]:
        """The row of the chosen model."""
        return self.frame.row(by_predicate=pl.col("model") == self.chosen, named=True)


def choose(
    ratings: Ratings,
    models: Sequence[str] | None = None,
    *,
    goal: str = "ratings",
    seconds: float = 60.0,
    n_fits: float = 1,
    validation_size: float = 0.1,
    split: str | None = None,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Choice:
    """Choose the model that predicts held-out ratings, or ranks items, best.

    A part of the ratings is held out once: the latest of each user if times are known, otherwise a
    random part. Give the training ratings alone. The baseline is always fitted. A slower model is
    first fitted on the ratings of a few users, for one iteration, to estimate its least time on all
    ratings. A model without time for that is skipped. Others are stopped when their time is over,
    and judged as they are then. The frame says so.

    Models with temporal effects (``bayes`` with ``time="session"``) are not tried. They predict the
    held-out ratings better because they know when each was given, and what else the user rated in
    that hour; a list for tomorrow knows neither.

    Where the upper quarter of the scale holds less than a twentieth of the ratings, as of counts,
    lists are learnt from and judged by the upper half of the ratings (``threshold``).

    Args:
        ratings: The training ratings, at least 2.
        models: Names from `tastemap.models.registry.MODELS`, from fast to slow, the baseline
            first; by default those of `GOALS`.
        goal: ``"ratings"``: least RMSE; ``"lists"``: largest NDCG of ten unseen items.
        seconds: Time for the whole call, and for later fits of the chosen model.
        n_fits: Number of fits of the chosen model in this time, the one of this call included.
        validation_size: Share of the ratings that judges.
        split: The split that holds ratings out, as in `tastemap.data.splits.split_by_name`; None
            for that of `fitting_split`.
        seed: Seed of the split and of the fits.
        progress: Called with the model's name before it is fitted.

    Raises:
        ArgumentError: If a goal or model is unknown, or there are too few ratings to split.
        TastemapError: If no model could be fitted.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> choice = choose(synthetic_ratings(), ["bias", "knn"])
        >>> choice.chosen, choice.frame["state"].to_list()
        ('knn', ['tried', 'tried'])
    """
    begin = time.perf_counter()
    _check(goal, seconds)
    names = list(models or GOALS[goal])
    threshold = like_threshold(ratings) if goal == "lists" else None
    objective = Objective("rmse" if goal == "ratings" else "ndcg", threshold)
    for name in names:
        Objective.of(make_model(name), objective.metric)
    if split is None:
        split, parts = fitting_split(ratings, goal, validation_size, seed)
    else:
        parts = split_by_name(ratings, split, test_size=validation_size, seed=seed)
    judges = judged_users(parts.test, seed) if goal == "lists" else parts.test
    parts = Split(parts.train, judges)
    contest = _Contest(objective, parts, seed, begin, seconds, n_fits, len(names))
    for name in names:
        if progress:
            progress(name)
        contest.enter(name)
    if not contest.trials:
        raise TastemapError("choosing", expected="a model that can be fitted", received=contest.why)
    best = contest.best
    return Choice(
        frame=contest.frame(),
        chosen=best,
        baseline=next(iter(contest.trials)),
        metric=objective.metric,
        judged=f"fitted on {len(parts.train):,} ratings and judged by {len(judges):,} others"
        f" (split {split})",
        threshold=threshold,
        judging_seconds=contest.trials[best].judging_seconds,
    )


def _check(goal: str, seconds: float) -> None:
    if goal not in GOALS:
        raise ArgumentError("goal", expected=f"one of {', '.join(GOALS)}", received=repr(goal))
    if not seconds > 0:
        raise ArgumentError("seconds", expected="more than 0", received=seconds)


def fitting_split(
    ratings: Ratings, goal: str, size: float, seed: int, inner_size: float | None = None
) -> tuple[str, Split]:
    """The most realistic split that the ratings allow, and its name.

    The test part holds the latest ratings of each user, if times are known and users have enough
    ratings; otherwise for lists some ratings of each user, or a random part.

    Args:
        ratings: All ratings.
        goal: As in `choose`.
        size: The test part's share.
        seed: Of a split that draws.
        inner_size: If given, the training part can be split in the same way once more, with this
            share.

    Raises:
        ArgumentError: If no split leaves a rating in both parts.
    """
    names = ["per-user", "random"] if goal == "lists" else ["random"]
    times = ratings.timestamp
    if times is not None and len(times) and times.min() < times.max():
        names.insert(0, "forecast")
    for name in names[:-1]:
        parts = _full_split(ratings, name, size, seed)
        if parts is None or (
            inner_size is not None and _full_split(parts.train, name, inner_size, seed) is None
        ):
            continue
        return name, parts
    return names[-1], split_by_name(ratings, names[-1], test_size=size, seed=seed)


def _full_split(ratings: Ratings, name: str, size: float, seed: int) -> Split | None:
    """The split of that name, if its test part has half of its share or more."""
    try:
        parts = split_by_name(ratings, name, test_size=size, seed=seed)
    except ArgumentError:
        return None
    return parts if len(parts.test) >= 0.5 * size * len(ratings) else None


def judged_users(ratings: Ratings, seed: int) -> Ratings:
    """The ratings of some users, drawn at random, whose lists have at most `MAX_SCORES` scores."""
    users = np.flatnonzero(ratings.by_user.counts)
    n = max(1, MAX_SCORES // ratings.n_items)
    if len(users) <= n:
        return ratings
    chosen = np.zeros(ratings.n_users, dtype=bool)
    chosen[np.random.default_rng(seed).permutation(users)[:n]] = True
    return ratings.take(np.flatnonzero(chosen[ratings.user_index]))


class Trial(NamedTuple):
    """A fit and its score; seconds of the fit, and of the answers that were judged."""

    score: Score
    fit_seconds: float
    judging_seconds: float
    stopped: tuple[int, int] | None

    @property
    def seconds(self) -> float:
        """Seconds of both."""
        return self.fit_seconds + self.judging_seconds

    @property
    def whole_seconds(self) -> float:
        """Seconds of both if the fit had not been stopped, in proportion to its iterations."""
        done, planned = self.stopped or (1, 1)
        return self.fit_seconds * planned / max(done, 1) + self.judging_seconds


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
class _Contest:
    """Models that are tried in order, until the time is used up.

    Attributes:
        objective, parts, seed: The same for every model.
        begin: The begin of the time, on the clock of `time.perf_counter`.
        seconds: The time.
        n_fits: Number of fits of the chosen model until then.
        n_models: Number of models to try.
        trials: The models that were fitted and scored, by name.
        rows: One row for each model, fitted or not.
        why: The last failure.
    """

    objective: Objective
    parts: Split
    seed: int
    begin: float
    seconds: float
    n_fits: float
    n_models: int
    trials: dict[str, Trial] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    why: str = ""

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

    def _note_failure(self, row: dict[str, Any], why: str) -> None:
        row["state"], row["note"], self.why = "failed", why, why

    def _try(self, row: dict[str, Any], limit: float) -> None:
        """Fit and judge a model; its iterations end after some seconds."""
        trial = self._timed(row["model"], self.parts, limit)
        row["seconds"], row["state"] = trial.seconds, "tried"
        if trial.stopped is not None:
            done, planned = trial.stopped
            row["state"] = "stopped"
            row["note"] = f"after {trial.seconds:.0f} s, with {done} of {planned} iterations done"
            if done >= MIN_ITERATIONS_OF_PACE:
                row["wanted"] = self._wanted(trial.whole_seconds) - trial.seconds
        self.trials[row["model"]] = trial

    def _limit(self, row: dict[str, Any]) -> float | None:
        """Seconds for the iterations of a model; None if there is no time for the first of them."""
        row["note"] = "no time was left"
        if self._left() <= 0:
            return None
        needed = row["estimated"] = self._needed(row["model"])
        limit = self._share()
        if needed > limit:
            row["note"] = f"at least {needed:.0f} s needed, {max(limit, 0):.0f} s left for it"
            row["wanted"] = self._wanted(needed)
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
        share = left / (self.n_fits + self.n_models - len(self.rows))
        return min(share, left - later * self.trials[self.best].seconds)

    def _wanted(self, needed: float) -> float:
        """The seconds of a call in which a model would have the time that it needs.

        The models before it would not be stopped then, either.
        """
        cut = sum(trial.whole_seconds - trial.seconds for trial in self.trials.values())
        later = (self.n_fits - 1) * max(needed, self.trials[self.best].whole_seconds)
        return self.seconds - self._left() + cut + needed + later

    def _needed(self, name: str) -> float:
        """Seconds of one iteration on all ratings, of what surrounds it, and of the judging.

        They grow with a power of the model's `work`, see `extrapolated`. The first fit compiles the
        model and does not count.
        """
        n = len(self.parts.train)
        size = int(np.clip(n // 80, *SAMPLE_RATINGS))
        self._timed(name, self._sample(size), 0)
        if 2 * size >= n:
            return 0.0
        work, answers = make_model(name).work(self.parts.train), self._n_answers(self.parts)
        paces: list[tuple[float, float]] = []
        while True:
            part = self._sample(size)
            trial = self._timed(name, part, 0)
            paces.append((make_model(name).work(part.train), trial.fit_seconds))
            needed = extrapolated(paces, work)
            needed += trial.judging_seconds * max(answers / max(self._n_answers(part), 1), 1)
            size *= 2
            is_short = len(paces) > 1 and needed < self._share()
            is_dear = 2 * trial.seconds > MAX_SHARE_OF_SAMPLE * self._left()
            if is_short or is_dear or size > n / 2:
                return needed

    def _n_answers(self, parts: Split) -> int:
        """Number of predictions or of scores that judge a model."""
        if self.objective.metric != "ndcg":
            return len(parts.test)
        return int(np.count_nonzero(parts.test.by_user.counts)) * parts.train.n_items

    def _sample(self, n: int) -> Split:
        """All ratings of some users, about n to fit, without users and items that have none."""
        train, test = self.parts
        order = np.random.default_rng(self.seed).permutation(train.n_users)
        reached = np.cumsum(train.by_user.counts[order])
        users = np.zeros(train.n_users, dtype=bool)
        users[order[: 1 + int(np.searchsorted(reached, n))]] = True
        part = train.take(users[train.user_index])
        compact = Ratings.from_frame(part.to_frame(), item_table=train.item_table)
        return Split(compact, test.take(users[test.user_index]))

    def _timed(self, name: str, parts: Split, limit: float) -> Trial:
        """The score of a fit on some ratings, whose iterations end after some seconds."""
        begin = time.perf_counter()
        model = liking(make_model(name), self.objective.threshold)
        with deadline(limit):
            model.fit(parts.train, seed=self.seed, progress=False)
        fitted = time.perf_counter()
        try:
            score = self.objective.score(model, parts.test)
        except ArgumentError:
            if parts is self.parts:
                raise
            score = Score(0.0, np.zeros(0), np.zeros(0))  # a sample may have nothing to judge by
        return Trial(score, fitted - begin, time.perf_counter() - fitted, model.stopped_)

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
