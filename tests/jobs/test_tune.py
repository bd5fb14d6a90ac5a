"""What is shown of a search for options."""

from pathlib import Path

import polars as pl
import pytest

from tastemap.errors import ArgumentError
from tastemap.evaluation.tuning.tune import Tuning
from tastemap.jobs.tune import Files, options_table, values_table

TRIALS = pl.DataFrame(
    {
        "trial": [1, 2, 3],
        "state": ["done", "done", "failed"],
        "ndcg": [0.2, 0.3, None],
        "seconds": [1.0, 2.0, 3.0],
        "reg": [100.0, 20.0, 5.0],
        "note": ["the defaults", None, "MemoryError"],
    }
)
TUNING = Tuning("ease", "ndcg", {}, {"reg": 20.0}, 0.3, 0.2, None, TRIALS, "")


def test_options_and_values_of_the_best_stand_beside_the_defaults() -> None:
    assert options_table(TUNING).rows() == [("reg", "1 to 10000", "100", "20")]
    assert values_table(TUNING).rows() == [("defaults", 0.2, 1, 1.0), ("best", 0.3, 2, 2.0)]


def test_files_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    Files(tmp_path / "model", Path("search.svg")).check()
    with pytest.raises(ArgumentError, match=r"--figure; expected a path ending in \.html"):
        Files(figure=Path("search.gif")).check()
