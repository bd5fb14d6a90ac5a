"""A study of trials in Optuna: in memory, or in a file that a later call continues."""

import contextlib
import json
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tastemap.errors import ArgumentError, DataError
from tastemap.evaluation.tuning.spaces import Span
from tastemap.support.boundary import refusing
from tastemap.support.extras import lab_package

if TYPE_CHECKING:
    import optuna

# The attributes of a trial, in addition to its options and its value.
DEFAULTS, SECONDS, NOTE = "defaults", "seconds", "note"
# Numbers are rounded to this number of digits, so that they can be read and typed.
SIGNIFICANT_DIGITS = 3
_IDENTITY = "tastemap"


class Study:
    """Trials of options: `ask` gives the next one, `tell` records its value.

    The options are drawn by Optuna's tree-structured Parzen estimator (Bergstra, Bardenet,
    Bengio, Kégl, "Algorithms for hyper-parameter optimization", NIPS 2011), seeded by ``seed`` and
    the trial's number: the n-th trial of a study is the same whether it was interrupted or not.

    Args:
        space: Option to range.
        defaults: The value of each option if it is not given: the first trial.
        identity: Model, data and judge of the study; a file with another identity is refused.
        path: The SQLite file, made if it does not exist; None keeps the study in memory.
        larger_is_better: Whether the best value is the largest.
        seed: Seed of the draws.
    """

    def __init__(
        self,
        space: dict[str, Span],
        defaults: dict[str, Any],
        *,
        identity: dict[str, Any],
        path: Path | None,
        larger_is_better: bool,
        seed: int,
    ) -> None:
        self.space, self.defaults, self.seed = space, defaults, seed
        self.optuna = _optuna()
        with refusing(partial(_unusable, path), ArgumentError):
            self._storage = _storage(self.optuna, path)
            self._study = self.optuna.create_study(
                storage=self._storage,
                study_name=str(identity["model"]),
                direction="maximize" if larger_is_better else "minimize",
                load_if_exists=True,
            )
            self._check(identity, path)
            self._settle()

    @property
    def trials(self) -> list["optuna.trial.FrozenTrial"]:
        """The finished trials, done or failed, in order."""
        return [t for t in self._study.get_trials(deepcopy=False) if t.state.is_finished()]

    @property
    def done(self) -> list["optuna.trial.FrozenTrial"]:
        """The trials that have a value."""
        return [t for t in self.trials if t.value is not None]

    def ask(self) -> tuple[Any, dict[str, Any]]:
        """The next trial and its options; the first trial has the defaults, and no options."""
        number = len(self._study.get_trials(deepcopy=False))
        of_defaults = [t for t in self.trials if DEFAULTS in t.user_attrs]
        # At most twice: if the defaults ended the program twice, they would do so again.
        is_default = len(of_defaults) < 2 and all(t.value is None for t in of_defaults)
        if is_default:
            self._study.enqueue_trial(self.defaults, user_attrs={DEFAULTS: True})
        seed = int(np.random.SeedSequence([self.seed, number]).generate_state(1)[0])
        self._study.sampler = self.optuna.samplers.TPESampler(seed=seed)
        trial = self._study.ask({name: self._distribution(s) for name, s in self.space.items()})
        return trial, {} if is_default else rounded(trial.params)

    def tell(self, trial: Any, value: float | None, seconds: float, note: str = "") -> None:
        """Record a trial; without a value it failed, and the note holds the reason."""
        trial.set_user_attr(SECONDS, seconds)
        if note:
            trial.set_user_attr(NOTE, note)
        if value is None or not np.isfinite(value):
            self._study.tell(trial, state=self.optuna.trial.TrialState.FAIL)
        else:
            self._study.tell(trial, value)

    def close(self) -> None:
        """Close the file."""
        if hasattr(self._storage, "engine"):
            self._storage.remove_session()
            self._storage.engine.dispose()

    def _distribution(self, span: Span) -> Any:
        kinds = self.optuna.distributions
        if span.kind == "int":
            return kinds.IntDistribution(int(span.low), int(span.high), log=span.log)
        return kinds.FloatDistribution(span.low, span.high, log=span.log)

    def _check(self, identity: dict[str, Any], path: Path | None) -> None:
        """Refuse to mix trials that were judged by different ratings or by different metrics."""
        stored = self._study.user_attrs.get(_IDENTITY)
        wanted = json.loads(json.dumps(identity))
        if stored is None:
            self._study.set_user_attr(_IDENTITY, wanted)
        elif stored != wanted:
            differing = [name for name in wanted if stored.get(name) != wanted[name]]
            self.close()
            raise ArgumentError(
                f"study {path}",
                expected="one of the same model, ratings and options",
                received=f"one that differs in {', '.join(differing)}",
                do="use another file",
            )

    def _settle(self) -> None:
        """Mark trials as failed that were running when the program ended."""
        for trial in self._study.get_trials(deepcopy=False):
            if trial.state == self.optuna.trial.TrialState.RUNNING:
                self._study.tell(trial.number, state=self.optuna.trial.TrialState.FAIL)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Suppress the logs and warnings of Optuna."""
    optuna = _optuna()
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="optuna|sqlalchemy|alembic")
            yield
    finally:
        optuna.logging.set_verbosity(level)


def rounded(params: dict[str, Any]) -> dict[str, Any]:
    """Options with their numbers rounded to three digits.

    Example:
        >>> rounded({"reg": 0.0448123, "n_factors": 61})
        {'reg': 0.0448, 'n_factors': 61}
    """
    return {
        name: float(f"{value:.{SIGNIFICANT_DIGITS}g}") if isinstance(value, float) else value
        for name, value in params.items()
    }


def _storage(optuna: Any, path: Path | None) -> Any:
    """The storage of the trials."""
    if path is None:
        return optuna.storages.InMemoryStorage()
    return optuna.storages.RDBStorage(f"sqlite:///{path}")


def _unusable(path: Path | None, reason: str) -> DataError:
    """The error for a file that is no study, or a damaged one."""
    return DataError(
        f"study {path}",
        expected="an SQLite file of an earlier study, or a new one in a folder that exists",
        received=reason,
        do="use another file",
    )


def _optuna() -> Any:
    """The package, if it is installed."""
    return lab_package("optuna", extra="tune")
