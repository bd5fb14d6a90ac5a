import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks"


@pytest.mark.slow
def test_a_shape_is_drawn_split_and_judged_and_runs_are_joined(tmp_path: Path) -> None:
    command = [sys.executable, BENCHMARKS / "shapes.py"]
    asked = ["--shapes", "songs", "--models", "knn,myfm", "--rounds", "1", "--json"]
    nowhere = ["--environments", tmp_path]
    done = subprocess.run([*command, *asked, *nowhere], capture_output=True, text=True, check=True)
    rows = json.loads(done.stdout)["rows"]
    assert [row["model"] for row in rows] == ["bias", "knn", "myfm"]
    assert rows[0]["difference"] == [0, 0, 0]
    assert 15 < rows[1]["rmse"] < 35
    assert "not installed" in rows[2]["failure"]
    path = tmp_path / "run.json"
    path.write_text(done.stdout, encoding="utf-8")
    done = subprocess.run([*command, "--read", path], capture_output=True, text=True, check=True)
    assert done.stdout.count("| `songs` |") == 3  # errors, those of peers, seconds and memory
    assert "myfm on songs: not installed" in done.stdout
