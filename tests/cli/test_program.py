"""The program: its help, its exit codes, its errors."""

import subprocess
import sys
from pathlib import Path

import pytest

from commands import run
from tastemap.cli import app

COMMANDS = {
    *("fetch", "describe", "lab", "fit", "evaluate", "compare", "tune", "run", "predict"),
    *("recommend", "explain", "similar", "search", "map", "report", "info", "doctor"),
    *("serve", "update", "export", "synthesize", "prepare", "split"),
}


def test_help_lists_every_command_and_no_other() -> None:
    listed = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert listed == COMMANDS
    for command in COMMANDS - {"serve"}:  # which answers over HTTP
        assert "--json" in run(command, "--help"), command


def test_as_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "tastemap"]
    answer = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True)
    assert "recommend" in answer.stdout
    wrong = subprocess.run(
        [*command, "info", "nowhere"], capture_output=True, text=True, check=False
    )
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("tastemap: path nowhere; expected a saved model")
    assert "Traceback" not in wrong.stderr
    debug = subprocess.run(
        [*command, "info", "nowhere", "--debug"], capture_output=True, text=True, check=False
    )
    assert debug.returncode == 1
    assert "Traceback" in debug.stderr


def test_version() -> None:
    assert run("--version").startswith("tastemap 0.")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("describe", "nowhere.csv"), 1, "expected a file or folder, or one of ml-100k"),
        (("fetch", "ml-7"), 2, "ml-100k"),
        (("recommend",), 2, "Missing argument 'model'; see tastemap recommend --help"),
        (("recomend", "MODEL"), 2, "Did you mean 'recommend'?"),
        (("recommend", "MODEL", "5", "-k", "five"), 2, "Invalid value for '-k'"),
        (("recommend", "MODEL", "5", "--kk", "3"), 2, "No such option: --kk"),
        (("recommend", "MODEL", "9999"), 2, "nearest: 120"),
        (("recommend", "MODEL", "5", "-k", "1000"), 2, "from 1 to 80"),
        (("recommend", "MODEL", "5", "--where", "colour = 'red'"), 2, "colour"),
        (("recommend", "MODEL", "--rate", "Comedy 3"), 2, '"item=rating"'),
        (
            ("recommend", "MODEL", "--rate", "Comedy=5"),
            2,
            "say which, by its id or whole title: Comedy",
        ),
        (("recommend", "MODEL", "--rate", "3=99"), 2, "each from 1 to 5 in steps of 1"),
        (("recommend", "MODEL", "--ratings", "RELEASE"), 1, "expected a file"),
        (("recommend", "MODEL"), 2, "--rate 'Comedy 1 (1960)=5' for somebody new"),
        (("explain", "MODEL", "3", "--rate", "Comedy 1 (1960)=5", "--rate", "1=4"), 2, "film once"),
        (("recommend", "MODEL", "--all"), 2, "expected -o FILE, or --json"),
        (("recommend", "MODEL", "--all", "-o", "x.csv", "--memory", "much"), 2, "512MiB or 2GB"),
        (
            ("recommend", "MODEL", "--all", "-o", "x.csv", "--memory", "1kB"),
            2,
            "at least 5,120 bytes",
        ),
        (("similar", "MODEL", "--all"), 2, "expected -o FILE, or --json"),
        (("similar", "MODEL"), 2, "expected an item or a user, or --all alone"),
        (("similar", "MODEL", "1", "--all"), 2, "expected an item or a user, or --all alone"),
        (
            ("recommend", "MODEL", "5", "--all", "--json"),
            2,
            "received USER, of one person",
        ),
        (("predict", "MODEL", "5"), 2, "at least one item"),
        (("fit", "RELEASE", "-o", "out", "-m", "magic"), 2, "one of bias"),
        (("fit", "RELEASE", "-o", "out", "-m", "bias", "--set", "speed=9"), 2, "speed"),
        (("fit", "RELEASE", "-o", "RELEASE", "-m", "bias"), 1, "choose another path"),
        (("evaluate", "RELEASE", "--split", "magic"), 2, "random"),
        (("predict", "MODEL", "5", "3", "-o", "out.xls"), 2, ".parquet"),
        (("info", "RELEASE"), 1, "a saved model"),
        (("tune", "popularity", "RELEASE"), 2, "one with options to vary"),
        (("tune", "mf", "RELEASE", "--figure", "s.gif"), 2, "ending in .html"),
        (("tune", "mf", "RELEASE", "-o", "RELEASE"), 1, "choose another path"),
    ],
    ids=lambda value: " ".join(value[:3]) if isinstance(value, tuple) else None,
)
def test_wrong_calls_and_failed_jobs(
    folder: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    places = {"MODEL": folder / "bias", "RELEASE": folder / "release"}
    assert says in run(*(places.get(word, word) for word in words), code=code)


def test_a_fault_of_our_own_shows_no_traceback(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: Path) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("tastemap.jobs.info.read_manifest", broken)
    message = run("info", folder / "bias", code=1)
    assert (
        message
        == "tastemap: unexpected ZeroDivisionError: oops; run it again with --debug to see where\n"
    )
