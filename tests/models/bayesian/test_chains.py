"""The run of the chains: which iterations are samples, progress, interruption, memory."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tastemap.data.splits import Split
from tastemap.errors import DataError, NotFittedError
from tastemap.models.bayesian import chains as bayesian_chains
from tastemap.models.bayesian.chains import SamplerConfig
from tastemap.models.bayesian.features import number_of_scores
from tastemap.models.bayesian.model import BayesianFactorization
from tastemap.models.bayesian.sampler import Chain
from tastemap.support import memory


def test_samples_are_evenly_spaced_after_the_burn_in() -> None:
    config = SamplerConfig.of_a_fit(n_factors=2, n_iterations=20, n_chains=2, n_draws=8)
    assert config.burn_in == 4
    assert config.sampled == {4, 9, 14, 19}
    # More draws than iterations: every iteration after the burn-in is a sample.
    assert config._replace(n_draws=100).sampled == set(range(4, 20))


def test_the_progress_bar_has_the_running_validation_error(split: Split, monkeypatch) -> None:
    notes = []

    @contextmanager
    def bar(doing: str, n_steps: int, unit: str, shown: bool) -> Iterator[Callable[[str], None]]:
        notes.append((doing, n_steps, unit, shown))
        yield notes.append

    monkeypatch.setattr(bayesian_chains, "progress_bar", bar)
    model = BayesianFactorization(n_factors=2, n_iterations=10, n_chains=1, n_draws=4)
    model.fit(split.train, validation=split.test)
    first, *texts = notes
    assert first == ("sampling", 10, "iterations", True)
    assert len(texts) == 10
    assert texts[0] == ""
    # Each draw kept changes the error, which is that of the average of the draws so far.
    shown = [float(note.split("validation_rmse ")[1]) for note in texts if note]
    errors = model.history_["validation_rmse"].round(4).to_list()
    assert list(dict.fromkeys(shown)) == list(dict.fromkeys(errors))
    assert f"train_loss {model.history_['train_loss'][-1]:.4f}" in texts[-1]
    notes.clear()
    model.fit(split.train)
    assert "validation_rmse" not in notes[-1]


def test_an_interrupted_fit_leaves_no_model(split: Split, monkeypatch) -> None:
    model = BayesianFactorization(n_factors=2, n_iterations=10, n_draws=4)
    model.fit(split.train, progress=False)
    calls = iter(range(100))

    def sweep(self: Chain, keep: bool = False) -> None:
        if next(calls) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(Chain, "sweep", sweep)
    with pytest.raises(KeyboardInterrupt):
        model.fit(split.test, progress=False)
    # Both chains have stopped, long before their ten iterations, and nothing half done is left.
    assert next(calls) < 20
    assert threading.active_count() < 10
    with pytest.raises(NotFittedError):
        model.predict(1, 1)


def test_draws_that_memory_does_not_hold_are_refused(split: Split, monkeypatch) -> None:
    n, sides = len(split.train), (split.train.by_user.counts, split.train.by_item.counts)
    rows, many = sum(map(len, sides)), sum(int((counts > 2).sum()) for counts in sides)
    features = rows * sum(number_of_scores(counts, 100) for counts in sides)
    chain = many * 16 + 7 * rows * 4 + 9 * n
    needed = 6 * 10 * rows * 4 + 2 * 4 * chain + 12 * features + 32 * n
    monkeypatch.setattr(memory, "MIN_CHECKED_BYTES", 1000)
    monkeypatch.setattr(memory, "free_memory", lambda: needed - 1)
    model = BayesianFactorization(n_factors=2, n_iterations=10, n_draws=10)
    with pytest.raises(DataError, match="^BayesianFactorization; .* 10 draws .* lower, or use ALS"):
        model.fit(split.train, progress=False)
    monkeypatch.setattr(memory, "free_memory", lambda: needed)
    assert len(model.fit(split.train, progress=False).draws) == 10
