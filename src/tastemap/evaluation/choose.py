"""Choose a model within a time limit: from fast to slow ones, judged by held-out ratings."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split, split_by_name
from tastemap.errors import ArgumentError, MissingPackageError, TastemapError
from tastemap.evaluation.objective import Objective, Score
from tastemap.models.registry import make_model

#: The models to choose among, from fast to slow; the first is the baseline. All of them answer a
#: new user.
GOALS = {
    "ratings": ("bias", "knn", "mf", "als", "bayes"),
    "lists": ("popularity", "ease", "ials", "blend"),
}
#: Enough ratings for three parts: to fit, to judge, to test.
MIN_RATINGS = 20
# A fit on the first number of ratings compiles a model. From the second number on, samples estimate
# the time of a fit. The smaller sample is a fortieth of the ratings, within the last two numbers.
WARM_UP_RATINGS, MIN_RATINGS_OF_ESTIMATE, SAMPLE_RATINGS = 1_000, 60_000, (5_000, 20_000)
# A further sample may take this share of the time that is left.
MAX_SHARE_OF_SAMPLE = 0.1


@dataclass(frozen=True)
class Choice:
    """The result of `choose`: models fitted and judged in the same way.

    Attributes:
        frame: Frame ``model, state, <metric>, difference, low, high, seconds, estimated, note``,
            best first: the metric on the held-out ratings; its difference to the baseline's with a
            95 % interval from a bootstrap of the users; seconds of fit and judging, measured and
            estimated before. State is ``"tried"``, ``"skipped"`` or ``"failed"``.
        chosen: Name of the best model that was tried.
        baseline: Name of the model to which the differences are taken.
        metric: ``"rmse"`` or ``"ndcg"``.
        judged: The ratings for the fits and for the judging, in words.
    """

    frame: pl.DataFrame
    chosen: str
    baseline: str
    metric: str
    judged: str


def choose(
    ratings: Ratings,
    models: Sequence[str] | None = None,
    *,
    goal: str = "ratings",
    seconds: float = 60.0,
    n_fits: int = 1,
    validation_size: float = 0.1,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Choice:
    """Choose the model that predicts held-out ratings, or ranks items, best.

    A part of the ratings is held out once: the latest of each user if times are known, otherwise a
    random part. Give the training ratings alone. The baseline is always fitted. A slower model is
    first fitted on the ratings of a few users, to estimate its time on all ratings. A model that
    would not finish in the time that is left is skipped, and the frame says so.

    Args:
        ratings: The training ratings, at least 2.
        models: Names from `tastemap.models.registry.MODELS`, from fast to slow, the baseline
            first; by default those of `GOALS`.
        goal: ``"ratings"``: least RMSE; ``"lists"``: largest NDCG of ten unseen items.
        seconds: Time for the whole call, and for later fits of the chosen model.
        n_fits: Number of fits of the chosen model in this time, the one of this call included.
        validation_size: Share of the ratings that judges.
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
    if goal not in GOALS:
        raise ArgumentError("goal", expected=f"one of {', '.join(GOALS)}", received=repr(goal))
    if not seconds > 0:
        raise ArgumentError("seconds", expected="more than 0", received=seconds)
    names = list(models or GOALS[goal])
    objective = Objective("rmse" if goal == "ratings" else "ndcg")
    for name in names:
        Objective.of(make_model(name), objective.metric)
    split, parts = fitting_split(ratings, goal, validation_size, seed)
    contest = _Contest(objective, parts, seed, time.perf_counter() + seconds, n_fits)
    for name in names:
        if progress:
            progress(name)
        contest.enter(name)
    if not contest.scores:
        raise TastemapError("choosing", expected="a model that can be fitted", received=contest.why)
    best = objective.best([score.value for score in contest.scores.values()])
    return Choice(
        frame=contest.frame(),
        chosen=list(contest.scores)[best],
        baseline=next(iter(contest.scores)),
        metric=objective.metric,
        judged=f"fitted on {len(parts.train):,} ratings and judged by {len(parts.test):,} others"
        f" (split {split})",
    )


def fitting_split(ratings: Ratings, goal: str, size: float, seed: int) -> tuple[str, Split]:
    """The most realistic split that the ratings allow, and its name.

    The test part holds the latest ratings of each user, if times are known and users have enough
    ratings; otherwise for lists some ratings of each user, or a random part.

    Raises:
        ArgumentError: If no split leaves a rating in both parts.
    """
    names = ["per-user", "random"] if goal == "lists" else ["random"]
    times = ratings.timestamp
    if times is not None and len(times) and times.min() < times.max():
        names.insert(0, "forecast")
    for name in names[:-1]:
        try:
            parts = split_by_name(ratings, name, test_size=size, seed=seed)
        except ArgumentError:
            continue
        if len(parts.test) >= 0.5 * size * len(ratings):
            return name, parts
    return names[-1], split_by_name(ratings, names[-1], test_size=size, seed=seed)


@dataclass
class _Contest:
    """Models that are tried in order, until the time is used up.

    Attributes:
        objective, parts, seed: The same for every model.
        end: The end of the time, on the clock of `time.perf_counter`.
        n_fits: Number of fits of the chosen model until then.
        scores: Scores of the models that were fitted, by name.
        rows: One row for each model, fitted or not.
        why: The last failure.
    """

    objective: Objective
    parts: Split
    seed: int
    end: float
    n_fits: int
    scores: dict[str, Score] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    why: str = ""

    def enter(self, name: str) -> None:
        """Fit and judge a model, unless there is no time for it."""
        row: dict[str, Any] = {"model": name, "state": "skipped", "note": None}
        self.rows.append(row)
        try:
            if self.scores and not self._has_time_for(row):
                return
            score, row["seconds"] = self._timed(name, self.parts)
            row["state"], self.scores[name] = "tried", score
        except MissingPackageError as error:
            row["note"] = f"needs {error.what}"
        except (TastemapError, MemoryError, np.linalg.LinAlgError) as error:
            row["state"] = "failed"
            row["note"] = self.why = str(error) or type(error).__name__

    def _has_time_for(self, row: dict[str, Any]) -> bool:
        """Whether a model will finish in time, as estimated from samples."""
        if self._left() > 0:
            self._timed(row["model"], self._sample(WARM_UP_RATINGS))
            if len(self.parts.train) >= MIN_RATINGS_OF_ESTIMATE:
                row["estimated"] = self._estimated(row["model"])
        left, needed = self._left(), self.n_fits * row.get("estimated", 0.0)
        if left > needed:
            return True
        fits = f"{self.n_fits} fits of about {row.get('estimated', 0):.0f} s"
        row["note"] = f"{fits}, {max(left, 0):.0f} s left" if needed else "no time was left"
        return False

    def _left(self) -> float:
        return self.end - time.perf_counter()

    def _estimated(self, name: str) -> float:
        """Seconds on all ratings, by a power law through two samples, its exponent at most 1.

        On a busy machine the clock errs. If the time seems too short, samples of twice the size
        are fitted while they take little of it; the last two samples give the power law. If the
        time is too short even for fits of the smallest sample, its seconds are the estimate.
        """
        n = len(self.parts.train)
        size = int(np.clip(n // 40, *SAMPLE_RATINGS))
        part = self._sample(size)
        n_small, seconds = len(part.train), self._timed(name, part)[1]
        estimated = seconds
        while self._left() > self.n_fits * seconds:
            size *= 2
            part = self._sample(size)
            n_large, longer = len(part.train), self._timed(name, part)[1]
            power = (
                np.log(longer / seconds) / np.log(n_large / n_small) if n_large > n_small else 1.0
            )
            estimated = float(longer * (n / n_large) ** np.clip(power, 0, 1))
            left = self._left()
            if (
                left > self.n_fits * estimated
                or 2 * longer > MAX_SHARE_OF_SAMPLE * left
                or 4 * size > n
            ):
                break
            n_small, seconds = n_large, longer
        return estimated

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

    def _timed(self, name: str, parts: Split) -> tuple[Score, float]:
        """The score of a fit on some ratings, and the seconds of both."""
        started = time.perf_counter()
        model = make_model(name).fit(parts.train, seed=self.seed, progress=False)
        try:
            score = self.objective.score(model, parts.test)
        except ArgumentError:
            if parts is self.parts:
                raise
            score = Score(0.0, np.zeros(0), np.zeros(0))  # a sample may have nothing to judge by
        return score, time.perf_counter() - started

    def frame(self) -> pl.DataFrame:
        """The rows, best first, each with its difference to the first fitted model."""
        baseline = next(iter(self.scores.values()))
        for row in self.rows:
            score = self.scores.get(row["model"])
            if score is None:
                continue
            row[self.objective.metric] = score.value
            if score is not baseline:
                gain = self.objective.difference(score, baseline)
                row |= {"difference": gain.value, "low": gain.low, "high": gain.high}
        numbers = (self.objective.metric, "difference", "low", "high", "seconds", "estimated")
        schema: dict[str, Any] = {"model": pl.String, "state": pl.String}
        schema |= {**dict.fromkeys(numbers, pl.Float64), "note": pl.String}
        frame = pl.DataFrame(self.rows, schema=schema).fill_nan(None)
        return frame.sort(
            self.objective.metric,
            descending=self.objective.larger_is_better,
            nulls_last=True,
            maintain_order=True,
        )
