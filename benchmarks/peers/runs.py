"""One contender on one task, in a process of its own with its threads pinned."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

import tastemap
from peers.registry import Contender, Options

HERE = Path(__file__).parent.parent
# Slow NumPy down where they are set.
UNWANTED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
THREADS = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
    "IRSPACK_NUM_THREADS_DEFAULT",
    "LK_NUM_THREADS",
    "LK_NUM_PROCS",
    "LK_NUM_BACKEND_THREADS",
)


class DidNotRunError(Exception):
    """Why there is no answer, in one line."""


def interpreter(contender: Contender, environments: Path) -> Path:
    """The Python of the environment that has the contender's library."""
    if contender.adapter in ("ours", "plain"):
        return Path(sys.executable)
    path = environments / contender.library / "bin" / "python"
    failures = environments / "failures.json"
    if failures.is_file():
        reasons = json.loads(failures.read_text(encoding="utf-8"))
        if reason := reasons.get(contender.adapter):
            raise DidNotRunError(f"did not install: {reason}")
    if not path.is_file():
        raise DidNotRunError("not installed: make bench installs it")
    return path


def run(
    contender: Contender,
    options: Options,
    folder: Path,
    ask: str,
    *,
    environments: Path,
    rounds: int = 1,
    seed: int = 0,
    warm: bool = True,
    patience: float = 600,
) -> tuple[Any, dict[str, Any]]:
    """Its answer, and seconds and memory by name.

    Raises:
        DidNotRunError: If it is not installed, crashes, or takes longer than its patience.
    """
    settings = {"options": options, "threads": contender.threads, "seed": seed, "rounds": rounds}
    settings |= {"ask": ask, "k": 10, "warm": warm, "sample": contender.sample}
    python, answer = interpreter(contender, environments), folder / "answer"
    for suffix in (".npz", ".json"):
        answer.with_suffix(suffix).unlink(missing_ok=True)
    command = [python, "-W", "ignore", "-m", "peers.worker", folder, contender.adapter, answer]
    try:
        done = subprocess.run(
            [*map(str, command), json.dumps(settings)],
            cwd=HERE,
            env=environment(contender),
            capture_output=True,
            check=False,
            text=True,
            timeout=patience,
        )
    except subprocess.TimeoutExpired:
        raise DidNotRunError(f"no answer after {patience:.0f} s") from None
    if done.returncode:
        raise DidNotRunError(reason(done))
    with np.load(answer.with_suffix(".npz"), allow_pickle=False) as file:
        found = file["answer"]
    return found, json.loads(answer.with_suffix(".json").read_text(encoding="utf-8"))


def with_memory(
    folder: Path | None, question: dict[str, Any], ask: Callable[[], tuple[Any, dict[str, Any]]]
) -> tuple[Any, dict[str, Any]]:
    """What ``ask`` answers, or has answered to the same question before: it lies in the folder."""
    if folder is None:
        return ask()
    name = sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()[:16]
    path, about = folder / f"{name}.npz", folder / f"{name}.json"
    if not about.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        answer, spent = ask()
        np.savez(path, answer=answer)
        about.write_text(json.dumps(question | {"spent": spent}), encoding="utf-8")
    with np.load(path, allow_pickle=False) as file:
        return file["answer"], json.loads(about.read_text(encoding="utf-8"))["spent"]


def environment(contender: Contender) -> dict[str, str]:
    """This process's variables, with the number of threads in all the names that libraries read."""
    kept = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    kept |= dict.fromkeys(THREADS, str(contender.threads)) | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    if contender.ours:  # the very copy that is running here
        kept["PYTHONPATH"] = str(Path(tastemap.__file__).parent.parent)
    return kept


def reason(done: "subprocess.CompletedProcess[str]") -> str:
    """The last line of what it said, or the signal that ended it."""
    if done.returncode < 0:
        return f"crashed with signal {-done.returncode}"
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return lines[-1][:160] if lines else f"ended with code {done.returncode}"
