"""Fuzz all targets for hours: ``make fuzz``, or

    FUZZ_SECONDS=3600 python tests/fuzz/fuzz.py [TARGET ...]

Two targets run at a time, each in a process of its own, from a random seed. One example of each
kind of fault goes into `corpus/`, to be kept with what mends it: the tests run it first from then
on.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TESTS = Path(__file__).parent.parent
sys.path[:0] = [str(TESTS / "fuzz"), str(TESTS / "serve"), str(TESTS)]

from fuzzing import CORPUS, Run, keep  # noqa: E402 - found by the path above
from targets import TARGETS  # noqa: E402
from tethered import tether  # noqa: E402

N_PROCESSES = 2


def main() -> None:
    """Fuzz targets beside each other, or in this process the target of ``--here``."""
    words = sys.argv[1:]
    if words[:1] == ["--here"]:
        tether()
        fuzz(words[1], float(words[2]), Path(words[3]))
        return
    seconds = float(os.environ.get("FUZZ_SECONDS", "60"))
    with ThreadPoolExecutor(N_PROCESSES) as pool:
        failures = list(pool.map(lambda name: supervise(name, seconds), words or TARGETS))
    sys.exit(any(failures))


def fuzz(name: str, seconds: float, current: Path) -> None:
    """Fuzz one target, and print what was run and kept."""
    first_seed = random.randrange(2**32)  # noqa: S311 - no secret
    with TARGETS[name]() as target:
        run = Run(target, current)
        run.fuzz(seconds, first_seed)
    print(f"{name}: {run.n_examples:,} examples from seed {first_seed}, {len(run.faults)} faults")
    for kind, example in run.faults.items():
        print(f"  {keep(example, CORPUS / name).name}  {kind}")
    sys.exit(bool(run.faults))


def supervise(name: str, seconds: float) -> bool:
    """Whether a target failed; a process that ends is begun anew, and what ended it is kept."""
    end, failed = time.monotonic() + seconds, False
    with tempfile.TemporaryDirectory() as folder:
        current = Path(folder) / "example.json"
        while (left := end - time.monotonic()) > 0:
            command = [sys.executable, __file__, "--here", name, str(left), str(current)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            print(done.stdout, end="", flush=True)
            failed |= done.returncode != 0
            if done.returncode == -signal.SIGINT:
                return failed  # Ctrl-C is no fault
            if f"{name}: " not in done.stdout:
                print(
                    f"{name}: the process ended with code {done.returncode}\n{done.stderr[-3000:]}"
                )
                if not current.exists():
                    return True
                file = keep(json.loads(current.read_text()), CORPUS / name)
                print(f"  {file.name}  while it ran")
    return failed


if __name__ == "__main__":
    main()
