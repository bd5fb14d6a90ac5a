"""Search a model's options: many fits on one part of the ratings, judged by the other part."""

import json
import math
import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl

from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.data.splits import SplitOf, split_by_name
from tastemap.errors import ArgumentError, MissingPackageError, TastemapError
from tastemap.evaluation.objective import Gain, Objective, Score, like_threshold
from tastemap.evaluation.tuning.spaces import nested, search_space
from tastemap.evaluation.tuning.study import DEFAULTS, NOTE, SECONDS, Study, quiet, rounded
from tastemap.models.base.recommender import Recommender
from tastemap.models.registry import make_model
from tastemap.support.deadline import deadline

# The note of a trial that failed without a note.
NOTE_OF_ENDED_TRIAL = "the program was ended"
# The note of a trial that the end of the time has stopped.
NOTE_OF_STOPPED_TRIAL = "stopped: the time was over"
# The search ends if the first trials, this many, all fail.
MAX_FAILURES = 5


@dataclass(frozen=True)
class Tuning:
    """The result of a search.

    Attributes:
        model: The model's name.
        metric: ``"rmse"``, ``"mae"`` or ``"ndcg"``, of the held-out part.
        fixed: Options that were given and not searched.
        options: The best options; empty if no trial is better than the defaults.
        value: The best value.
        default_value: The value of the defaults; None if they could not be fitted.
        gain: Best minus defaults, with a 95 % interval from a bootstrap of the users; None if
            there is nothing to compare. The same part chose the best options and measures them,
            so the gain elsewhere is probably a little smaller.
        trials: Frame ``trial, state, <metric>, seconds``, a column for each option, ``note``.
        judged: The ratings for the fits and for the judging, in words.
        interrupted: Whether Ctrl-C ended the search.
    """

    model: str
    metric: str
    fixed: dict[str, Any]
    options: dict[str, Any]
    value: float
    default_value: float | None
    gain: Gain | None
    trials: pl.DataFrame
    judged: str
    interrupted: bool = False

    def make(self) -> Recommender:
        """A new model with the best options."""
        return make_model(self.model, **self.fixed, **nested(self.options))

    @property
    def words(self) -> str:
        """The options as the command line takes them.

        Example:
            >>> tuning = Tuning("ease", "ndcg", {}, {"reg": 20.0}, 0.3, None, None, None, "")
            >>> tuning.words
            '-m ease --set reg=20'
        """
        options = self.fixed | nested(self.options)
        pairs = (f"{name}={_word(value)}" for name, value in options.items())
        return " ".join([f"-m {self.model}", *(f"--set {shlex.quote(pair)}" for pair in pairs)])


def tune(
    model: str,
    ratings: Ratings | Interactions,
    *,
    seconds: float = 60.0,
    n_trials: int | None = None,
    metric: str | None = None,
    split: str | None = None,
    validation_size: float = 0.1,
    options: Mapping[str, Any] | None = None,
    study: str | Path | None = None,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Tuning:
    """Search the options of a model within a time limit.

    The ratings are split once. Each trial fits the model on one part with `fit`, and is scored on
    the other; the first trial has the model's defaults. Give the training ratings alone: test
    ratings must not choose options. A trial that fails, for example for lack of memory, is noted,
    and the search continues. Ctrl-C ends the search and keeps the trials so far.

    Lists of counts are learnt from and judged by the upper half of the ratings, as in
    `tastemap.evaluation.choose.choose`.

    Args:
        model: A name from `tastemap.models.registry.MODELS`;
            `tastemap.evaluation.tuning.spaces.SPACES` lists its options and their ranges.
        ratings: The training ratings, or interactions, of which lists are judged.
        seconds: Start no trial that would probably end later, and stop one that does, which then
            counts as failed; one trial is always made, and takes its time.
        n_trials: Most trials of this call. The same number and seed give the same trials.
        metric: ``"rmse"``, ``"mae"`` (of the median, if the model has one) or ``"ndcg"`` (of
            lists of ten); by default RMSE, and NDCG for models that only rank, the one metric of
            interactions.
        split: The inner split by its name, ``"random"``, ``"per-user"``, ``"forecast"``, …; by
            default ``"random"``, and ``"per-user"`` for NDCG.
        validation_size: Share of the rows that judges.
        options: Fixed options, which are not searched.
        study: An SQLite file that stores the trials. A second call with the same arguments
            continues where the first one stopped. One process at a time.
        seed: Seed of the split, of the fits, and of the search.
        progress: Called before each trial with a text on the progress of the search.

    Raises:
        ArgumentError: If the model has no option to vary, an argument is wrong, or the study has
            other arguments.
        UnsupportedError: If these are interactions, and the model needs ratings.
        MissingPackageError: If Optuna is not installed.
        TastemapError: If no trial succeeds.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> tuning = tune("bias", synthetic_ratings(), n_trials=4)
        >>> tuning.value <= tuning.default_value, tuning.trials["note"][0]
        (True, 'the defaults')
    """
    fixed = dict(options or {})
    unvaried = make_model(model, **fixed)
    unvaried.check_learns_from(ratings)
    objective = Objective.of(unvaried, metric)
    if objective.metric == "ndcg":
        objective = replace(objective, threshold=like_threshold(ratings))
        if objective.threshold is not None and "threshold" in unvaried.parameters:
            fixed.setdefault("threshold", objective.threshold)
    space = search_space(model, fixed)
    if not seconds > 0 or (n_trials is not None and n_trials < 1):
        raise ArgumentError(
            "seconds, n_trials", expected="more than 0", received=f"{seconds}, {n_trials}"
        )
    split = split or objective.split
    parts = split_by_name(ratings, split, test_size=validation_size, seed=seed)
    defaults = {name: _default(unvaried, name, span.default) for name, span in space.items()}
    identity = {
        "model": model,
        "ratings": ratings.fingerprint(),
        "metric": objective.metric,
        "split": f"{split} {validation_size:g}",
        "options": fixed,
        "seed": seed,
        "ranges": {name: list(span) for name, span in space.items()},
    }
    with quiet():
        trials = Study(
            space,
            defaults,
            identity=identity,
            path=None if study is None else Path(study),
            larger_is_better=objective.larger_is_better,
            seed=seed,
        )
        try:
            search = _Search(trials, objective, parts, model, fixed, seed)
            search.run(seconds, n_trials, progress)
            fitted, judges = len(parts.train), len(parts.test)
            return search.result(
                f"fitted on {fitted:,} {ratings.noun} and judged by {judges:,} others"
                f" (split {split})"
            )
        finally:
            trials.close()


class _Search:
    """The fits of one call: the options that are tried, and their scores."""

    def __init__(
        self,
        study: Study,
        objective: Objective,
        parts: SplitOf[Any],
        model: str,
        fixed: dict[str, Any],
        seed: int,
    ) -> None:
        self.study, self.objective, self.parts = study, objective, parts
        self.model, self.fixed, self.seed = model, fixed, seed
        self.interrupted = False
        self._scores: dict[int, Score] = {}

    def run(
        self, seconds: float, n_trials: int | None, progress: Callable[[str], None] | None
    ) -> None:
        """Try options until the time, or the number of trials, is used up."""
        begin, durations = time.perf_counter(), [0.0]
        while len(durations) - 1 != n_trials and not self.interrupted:
            started = time.perf_counter()
            # The first trial may include compilation; after it the median is half of its time.
            if len(durations) > 1 and started - begin + median(durations) > seconds:
                break
            if progress:
                progress(self._so_far())
            left = seconds - (started - begin) if self.study.done else math.inf
            self._try(max(left, 0.0))
            durations.append(time.perf_counter() - started)
            if not self.study.done and len(self.study.trials) >= MAX_FAILURES:
                break

    def _try(self, limit: float) -> None:
        """Fit and score one trial, and record its value or its failure.

        Args:
            limit: Seconds after which the fit is stopped, and the trial has failed.
        """
        trial, options = self.study.ask()
        started, value, note = time.perf_counter(), None, ""
        try:
            with deadline(limit) as end:
                score = self._scored(options)
            if end.stopped is None:
                value = score.value
                self._keep(trial.number, score)
            else:
                note = NOTE_OF_STOPPED_TRIAL
        except KeyboardInterrupt:
            self.interrupted, note = True, "stopped"
        except (MissingPackageError, SystemExit, GeneratorExit):
            raise
        except BaseException as error:  # a fit with random options may fail in any way
            note = f"{type(error).__name__}: {error}"
        self.study.tell(trial, value, time.perf_counter() - started, note)
        if self.interrupted and not self.study.done:
            raise KeyboardInterrupt

    def _scored(self, options: dict[str, Any]) -> Score:
        """A fit with these and the fixed options, scored on the held-out part."""
        model = make_model(self.model, **self.fixed, **nested(options))
        model.fit(self.parts.train, seed=self.seed, progress=False)
        return self.objective.score(model, self.parts.test)

    def _keep(self, number: int, score: Score) -> None:
        """Keep the users' parts of the score of the first trial and of the best trial only."""
        self._scores[number] = score
        values = [score.value for score in self._scores.values()]
        best = list(self._scores)[self.objective.best(values)]
        self._scores = {n: s for n, s in self._scores.items() if n in (0, best)}

    def _so_far(self) -> str:
        """The progress of the search, in words."""
        done = self.study.done
        if not done:
            return "the defaults"
        best = self._best(done).value
        return f"trial {len(self.study.trials) + 1}, best {self.objective.name} {best:.4f}"

    def _best(self, done: list[Any]) -> Any:
        return done[self.objective.best([trial.value for trial in done])]

    def result(self, judged: str) -> Tuning:
        """The best options, and their gain over the defaults."""
        done = self.study.done
        if not done:
            raise TastemapError(
                f"tuning {self.model}",
                expected="a trial that succeeds",
                received=_note(self.study.trials[-1]),
            )
        best = self._best(done)
        default = next((t for t in done if DEFAULTS in t.user_attrs), None)
        options = {} if best is default else rounded(best.params)
        gain = None
        if default is not None and options:
            scores = (self._score_of(best, options), self._score_of(default, {}))
            gain = self.objective.difference(*scores)
        return Tuning(
            model=self.model,
            metric=self.objective.metric,
            fixed=self.fixed,
            options=options,
            value=best.value,
            default_value=None if default is None else default.value,
            gain=gain,
            trials=self._frame(),
            judged=judged,
            interrupted=self.interrupted,
        )

    def _score_of(self, trial: Any, options: dict[str, Any]) -> Score:
        """A trial's score; a trial of an earlier call is fitted again."""
        return self._scores.get(trial.number) or self._scored(options)

    def _frame(self) -> pl.DataFrame:
        """A row for each trial."""
        spans = self.study.space.items()
        rows = [
            {
                "trial": trial.number + 1,
                "state": "failed" if trial.value is None else "done",
                self.objective.metric: trial.value,
                "seconds": trial.user_attrs.get(SECONDS),
                **{name: rounded(trial.params).get(name) for name, _ in spans},
                "note": _note(trial),
            }
            for trial in self.study.trials
        ]
        types: dict[str, Any] = {
            name: pl.Int64 if span.kind == "int" else pl.Float64 for name, span in spans
        }
        floats = dict.fromkeys((self.objective.metric, "seconds"), pl.Float64)
        return pl.DataFrame(
            rows, schema_overrides={**floats, **types, "note": pl.String}, infer_schema_length=None
        )


def _note(trial: Any) -> str | None:
    """The note of a trial: the reason of its failure, or that it has the defaults."""
    if trial.value is None:
        return str(trial.user_attrs.get(NOTE, NOTE_OF_ENDED_TRIAL))
    return "the defaults" if DEFAULTS in trial.user_attrs else None


def _default(model: Recommender, option: str, otherwise: float | None) -> Any:
    """The value of an option in a model that is made without it."""
    outer, _, inner = option.partition(".")
    value = getattr(model, outer)
    value = value.get(inner) if inner else value
    return otherwise if value is None else value


def _word(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value)
