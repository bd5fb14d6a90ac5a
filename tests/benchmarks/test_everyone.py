import json
import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks"


def test_a_planted_model_makes_lists_in_every_way(tmp_path: Path) -> None:
    out = tmp_path / "lists.parquet"
    sizes = ["--users", "50", "--items", "40", "--factors", "4", "--seen", "5", "--threads", "1"]
    command = [sys.executable, BENCHMARKS / "everyone.py", *sizes, "--out", out, "--json"]
    result = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert set(result["seconds"]) == {"products", "lists", "file"}
    assert result["file_bytes"] == out.stat().st_size > 0
