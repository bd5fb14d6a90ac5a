"""The examples of the service, against a real server."""

import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from servers import running

pytestmark = pytest.mark.slow
EXAMPLES = Path(__file__).parents[2] / "examples" / "service"


@pytest.mark.parametrize("kind", ["ratings", "interactions"])
def test_python_rates_asks_and_is_forgotten(
    kind: str, artifact: Path, clicks_artifact: Path, tmp_path: Path
) -> None:
    with running(artifact if kind == "ratings" else clicks_artifact, tmp_path) as server:
        command = [sys.executable, str(EXAMPLES / "client.py"), server.url]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        left = httpx.get(f"{server.url}/api/v1/users/somebody%20new/{kind}").json()[kind]
    lines = told.splitlines()
    assert lines[0] == "recommended (folded_in):"
    assert lines[6].startswith("why ")
    assert lines[-1] == "forgotten"
    assert left == []


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_does_the_same(artifact: Path, tmp_path: Path) -> None:
    with running(artifact, tmp_path) as server:
        command = ["sh", str(EXAMPLES / "client.sh"), server.url, "3"]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert told.count('"source":"folded_in"') == 2
