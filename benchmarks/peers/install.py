"""Install the peers, each with what it needs, in environments of their own.

    python benchmarks/peers/install.py [--environments .venv-bench] [--skip lenskit ...]

One that does not install is noted in ``failures.json`` beside the environments, and the tables show
why; the others are not held up. Where a library has no wheel, its package builds itself, for which
a C and C++ compiler must be on the machine.
"""

import argparse
import json
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
# Packages by adapter, and the environment of each. LensKit and RecTools bring PyTorch.
PACKAGES = {
    "surprise": ("peers", ["scikit-surprise", "pandas"]),
    "cornac": ("peers", ["cornac"]),
    "implicit": ("peers", ["implicit"]),
    "irspack": ("peers", ["irspack"]),
    "cmfrec": ("peers", ["cmfrec"]),
    "libmf": ("peers", ["libmf"]),
    "myfm": ("peers", ["myfm", "setuptools"]),
    "lenskit": ("lenskit", ["lenskit"]),
    "rectools": ("rectools", ["rectools[torch]"]),
}


def main() -> None:
    """Make the environments and install into them what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--environments", type=Path, default=ROOT / ".venv-bench")
    parser.add_argument(
        "--skip", nargs="+", default=[], choices=PACKAGES, help="peers to leave out"
    )
    args = parser.parse_args()
    failures = dict.fromkeys(args.skip, "left out by --skip")
    for name, (environment, packages) in PACKAGES.items():
        if name not in failures and (reason := install(args.environments / environment, packages)):
            failures[name] = reason
        print(f"{name}: {failures.get(name, 'installed')}")
    path = args.environments / "failures.json"
    path.write_text(json.dumps(failures, indent=2), encoding="utf-8")


def install(environment: Path, packages: list[str]) -> str:
    """Why the packages did not install into an environment, or nothing if they did."""
    python = environment / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if not python.exists():
        venv.create(environment, with_pip=True)
    pins = Path(__file__).parent / f"constraints-{environment.name}.txt"
    command = [python, "-m", "pip", "install", "--quiet", "-c", pins, *packages]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    if not done.returncode:
        return ""
    lines = [line.strip() for line in done.stderr.splitlines() if "error" in line.lower()]
    return (lines[0] if lines else f"pip ended with code {done.returncode}")[:160]


if __name__ == "__main__":
    main()
