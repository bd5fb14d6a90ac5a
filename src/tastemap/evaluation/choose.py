"""Choose a model within a time: from cheap to dear ones, judged by held-out ratings."""

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

#: The models to choose among, from cheap to dear; the first is the baseline. All of them answer a
#: new user.
GOALS = {
    "ratings": ("bias", "knn", "mf", "als", "bayes"),
    "lists": ("popularity", "ease", "ials", "blend"),
}
#: Enough ratings for three parts: to fit, to judge, to test.
MIN_RATINGS = 20
# A fit of the first number of ratings compiles a model. From the second number on, samples tell the
# time of a fit before it starts. The smaller sample is a fortieth of the ratings, within the ends.
WARM_UP_RATINGS, MIN_RATINGS_OF_ESTIMATE, SAMPLE_RATINGS = 1_000, 60_000, (5_000, 20_000)
# A further sample may take this share of the time that is left.
MAX_SHARE_OF_SAMPLE = 0.1


@dataclass(frozen=True)
class Choice:
    """Models fitted and judged alike, within a time.

    Attributes:
        frame: Frame ``model, state, <metric>, difference, low, high, seconds, estimated, note``,
            best first: the held-out ratings' metric; its difference to the baseline's with a 95 %
            interval from a bootstrap of the users; seconds of fit and judging, and as they were
            estimated beforehand. State is ``"tried"``, ``"skipped"`` or ``"failed"``.
        chosen: Name of the best of those tried.
        baseline: The model that the differences are to.
        metric: ``"rmse"`` or ``"ndcg"``.
        judged: What the models were fitted on and judged by, in words.
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

    A part of the ratings is held out once: the latest of each user where times are known, else some
    drawn at random. Give the training ratings alone. The baseline is always fitted. A dearer model
    is first fitted on a few users' ratings, from which its time on all of them is estimated; one
    that would not be done in the time that is left is skipped, and the frame says so.

    Args:
        ratings: The training ratings, at least 2.
        models: Names from `tastemap.models.registry.MODELS`, from cheap to dear, the baseline
            first; by default those of `GOALS`.
        goal: ``"ratings"``: least RMSE; ``"lists"``: largest NDCG of ten unseen items.
        seconds: Time for all of it.
        n_fits: How often the chosen will have to be fitted in this time, this once included.
        validation_size: Share of the ratings that judges.
        seed: Of the split and of the fits.
        progress: Called with the model's name before it is fitted.

    Raises:
        ArgumentError: If there is no such goal or model, or the ratings are too few to be split.
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
    """The most telling split that the ratings bear, and its name.

    The latest ratings of each user, where times are known and users have ratings enough for it;
    for lists some of each user; else a part drawn at random.

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
        end: When the time is used up, on the clock of `time.perf_counter`.
        n_fits: How often the chosen model is to be fitted until then.
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
        """Whether a model will be done in time, as far as samples can tell."""
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
        """Seconds on all ratings, by the power law through two samples; at most in proportion.

        On a busy machine the clock errs. Where the time seems too short, samples of twice the size
        are fitted as long as they take little of it, and the last two samples count. Where the time
        is too short even for fits of the smallest sample, its seconds are the estimate.
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
        """All ratings of some users, about n to fit; users and items without any are left out."""
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
        """The rows, best first, each with its difference to the first that was fitted."""
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
