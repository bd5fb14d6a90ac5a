"""The report of a saved model; its map and its command: tests/cli/test_report.py."""

from pathlib import Path

import pytest

from tastemap.data.splits import Split
from tastemap.errors import ArgumentError
from tastemap.jobs import describe, sections
from tastemap.jobs.report import write_map, write_report
from tastemap.models.registry import make_model


def test_curves_of_any_metric_are_drawn(
    split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model("mf", n_factors=4, n_epochs=3)
    model.fit(split.train, validation=split.test, progress=False)
    monkeypatch.setattr(describe, "data_blocks", lambda _: [])  # these take long
    for name in ("embedding", "neighbour", "map", "recommendation"):
        monkeypatch.setattr(sections, f"{name}_blocks", lambda _: [])
    write_report(model, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Training</h2>" in page
    assert "RMSE on the training and the validation ratings after each epoch." in page


def test_a_map_has_an_ending_that_can_be_written() -> None:
    with pytest.raises(ArgumentError, match=r"-o; expected \.html or \.png, \.svg, \.pdf"):
        write_map(Path("none"), Path("map.gif"), "popularity")
