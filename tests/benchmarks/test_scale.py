"""The driver of the scale benchmark: tables, exponents, marks, and a worker that measures."""

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tastemap.data.datasets.fractal import FractalExpansion, Size
from tastemap.data.datasets.synthetic import synthetic_ratings
from tastemap.data.datasets.writer import write_release

BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks"
PAGE = BENCHMARKS.parent / "docs" / "scale.md"


@pytest.fixture(scope="module")
def scale() -> Iterator[Any]:
    """The script as a module."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        yield import_module("scale")
    finally:
        sys.path.remove(str(BENCHMARKS))


def rows() -> list[dict[str, Any]]:
    fits = [
        {"task": "fit", "size": n, "model": "mf", "n_train": n, "fit_s": (n / 1e6) ** 1.1}
        | {"pass_s": 0.5, "peak_mb": n / 1e4, "rmse": 0.8}
        for n in (10**5, 10**6, 10**7)
    ]
    ranker = {"task": "fit", "size": 10**6, "model": "ease", "n_train": 10**6, "fit_s": 2.0}
    failed = {"task": "fit", "size": 10**7, "model": "ease", "reason": "too many items"}
    als = fits[1] | {"model": "als", "pass_s": 0.16}
    floor = {"task": "floor", "size": 10**6, "n": 10**6, "likes": 500_000, "user_mb": 3.0}
    floor |= {"user_ns": 12.0, "item_mb": 1.0, "item_ns": 8.0}
    read = {"task": "read", "size": 10**6, "form": "csv", "scan_mb": 100.0, "read_mb": 150.0}
    return [
        *fits,
        ranker | {"peak_mb": 900.0, "ndcg": 0.25},
        failed,
        als,
        floor,
        read | {"scan_seconds": 0.1, "read_seconds": 0.13},
    ]


ABOUT = {"processor": "x", "cores": 4, "threads": 2, "date": "today", "versions": {"numpy": "2"}}


def test_tables_have_ratios_exponents_and_reasons(scale: Any) -> None:
    parts = scale.parts(ABOUT, rows())
    assert "| 1,000,000 | csv | 0.1 | 0.13 | 1.30 | 100 | 150 |" in parts["reading"]
    assert "| `mf` | 0.0794 | 1 | 12.6 | 1.10 | 0.5 |" in parts["seconds"]
    assert "| `ease` | – | 2 | – | – |  |" in parts["seconds"]
    assert "| `ease` | – | 0.90 | – |" in parts["memory"]
    assert "| `ease` | – | NDCG 0.250 | – |" in parts["errors"]
    # Each rating's user and item, 20 ns, four times.
    assert "| 1,000,000 | 3 | 12 | 1 | 8 | 0.08 | 0.16 | 2.0 | 0.04 | – | – |" in parts["floors"]
    assert parts["failures"] == "- `ease` at 10,000,000: too many items"


def test_only_the_marked_parts_of_the_page_are_replaced(scale: Any, tmp_path: Path) -> None:
    page = tmp_path / "scale.md"
    page.write_text(PAGE.read_text("utf-8"), "utf-8")
    scale.write(page, ABOUT, rows())
    text = page.read_text("utf-8")
    assert text.count("<!-- scale: ") == text.count("<!-- end -->") == 7
    assert "Not measured yet" not in text
    assert "x, 4 cores of which 2 are used, today" in text
    assert "## Data of any size" in text
    scale.write(page, ABOUT, rows())
    assert page.read_text("utf-8") == text


def test_the_figure_has_a_line_for_each_model(scale: Any) -> None:
    figure = scale.draw(rows())
    figure.canvas.draw()
    seconds, memory = figure.axes
    assert [line.get_label() for line in memory.lines] == ["mf", "ease", "als"]
    assert len(seconds.lines) == 4  # and the dashed one


@pytest.mark.slow
def test_a_worker_scans_reads_and_fits(tmp_path: Path) -> None:
    big = FractalExpansion(synthetic_ratings(), Size(600, 200, 20_000))
    write_release(big.blocks(), big.schema, big.items(), tmp_path / "big")
    file = {"path": str(tmp_path / "big" / "ratings.csv")}
    fit = {"task": "fit", "path": str(tmp_path / "big"), "options": {}, "seed": 0}
    for asked, keys in (
        ({"task": "scan"} | file, {"seconds", "processor_s"}),
        ({"task": "read"} | file, {"seconds", "processor_s"}),
        ({"task": "floor"} | file, {"n", "likes", "user_mb", "user_ns", "item_mb", "item_ns"}),
        (fit | {"model": "mf", "passes": "n_epochs"}, {"fit_s", "pass_s", "n_train", "rmse"}),
        (fit | {"model": "popularity", "passes": None}, {"fit_s", "n_train", "ndcg"}),
    ):
        command = [sys.executable, "-W", "ignore", BENCHMARKS / "scale_worker.py"]
        done = subprocess.run(
            [*command, json.dumps(asked)], capture_output=True, text=True, check=False
        )
        assert not done.returncode, done.stderr
        found = json.loads(done.stdout)
        assert keys < set(found)
        assert found["peak_mb"] > 20
