"""A study of trials: it goes on where it ended, and is about one thing."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tastemap.data.datasets.synthetic import synthetic_ratings
from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError, DataError, MissingPackageError
from tastemap.evaluation.tuning.tune import tune


def test_a_study_is_continued(ratings: Ratings, tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    whole = tune("bias", ratings, n_trials=14)
    part = tune("bias", ratings, n_trials=5, study=path)
    rest = tune("bias", ratings, n_trials=9, study=path)
    assert part.trials.drop("seconds").equals(whole.trials.drop("seconds").head(5))
    assert rest.trials.drop("seconds").equals(whole.trials.drop("seconds"))
    assert rest.gain == whole.gain


def test_a_study_of_something_else_is_refused(ratings: Ratings, tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    tune("bias", ratings, n_trials=1, study=path)
    with pytest.raises(ArgumentError, match="one that differs in seed; use another file"):
        tune("bias", ratings, n_trials=1, study=path, seed=1)
    with pytest.raises(ArgumentError, match="differs in ratings"):
        tune("bias", synthetic_ratings(seed=5), n_trials=1, study=path)
    tune("ease", ratings, n_trials=1, study=path)  # a study of its own in the same file
    other = tmp_path / "notes.txt"
    other.write_text("not a database, but a text that someone has written " * 20)
    with pytest.raises(DataError, match=r"notes\.txt"):
        tune("bias", ratings, n_trials=1, study=other)
    assert other.read_text().startswith("not a database")
    with pytest.raises(DataError, match="a folder that exists"):
        tune("bias", ratings, n_trials=1, study=tmp_path / "no" / "study.db")


def test_without_optuna_the_extra_is_named(
    ratings: Ratings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingPackageError, match='extra "tune"'):
        tune("bias", ratings, n_trials=1)


def test_nothing_is_left_in_the_loggers_level(ratings: Ratings) -> None:
    import optuna

    level = optuna.logging.get_verbosity()
    tune("bias", ratings, n_trials=2)
    assert optuna.logging.get_verbosity() == level


@pytest.mark.slow
def test_a_search_that_was_killed_goes_on(ratings: Ratings, tmp_path: Path) -> None:
    """Killed in the middle of its third trial, by the trial itself."""
    path = tmp_path / "study.db"
    program = textwrap.dedent(f"""
        import os, signal
        import tastemap.evaluation.tuning.tune as module
        from tastemap.data.datasets.synthetic import synthetic_ratings
        scored, calls = module._Search._scored, []
        def killed(self, options):
            calls.append(options)
            if len(calls) == 3:
                os.kill(os.getpid(), signal.SIGKILL)
            return scored(self, options)
        module._Search._scored = killed
        module.tune("bias", synthetic_ratings(), study={str(path)!r})
    """)
    ended = subprocess.run([sys.executable, "-c", program], env=os.environ, check=False)
    assert ended.returncode == -signal.SIGKILL
    tuning = tune("bias", ratings, n_trials=4, study=path)
    assert tuning.trials["state"].to_list() == ["done", "done", "failed", *["done"] * 4]
    assert tuning.trials["note"][2] == "the program was ended"
    assert tuning.value == tuning.trials["rmse"].min()
    done = tuning.trials.filter(pl.col("rmse").is_not_null())
    assert np.isfinite(done["rmse"].to_numpy()).all()


@pytest.mark.parametrize("value", ['"text"', "[1, 2]", "{"])
def test_a_file_whose_content_was_changed_is_refused(
    ratings: Ratings, tmp_path: Path, value: str
) -> None:
    path = tmp_path / "study.db"
    tune("bias", ratings, n_trials=1, study=path)
    with contextlib.closing(sqlite3.connect(path)) as file, file:
        file.execute("update study_user_attributes set value_json = ?", (value,))
    with pytest.raises(DataError, match="use another file") as error:
        tune("bias", ratings, n_trials=1, study=path)
    assert "\n" not in str(error.value)
