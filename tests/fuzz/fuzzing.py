"""The driver of the fuzzers: it runs examples against the clock, and keeps those that fail.

A target takes an example and gives an answer or a `TastemapError`, within a bound of time. Anything
else is a fault.
"""

import faulthandler
import hashlib
import json
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from tastemap.errors import TastemapError, TastemapWarning

CORPUS = Path(__file__).parent / "corpus"
# Seconds of processor time that an example may take, for a busy machine is no fault of it. One
# that hangs for longer ends the process with all its tracebacks.
MAX_SECONDS, HANG_SECONDS = 10.0, 60.0
N_EXAMPLES_PER_SEED = 200


@dataclass(frozen=True)
class Target:
    """What is fuzzed.

    Attributes:
        examples: Draws examples, which are JSON.
        run: Takes one; raises nothing but a `TastemapError`.
    """

    examples: SearchStrategy[Any]
    run: Callable[[Any], None]


@dataclass
class Run:
    """A fuzzer at work: how many examples it has run, and what failed.

    Attributes:
        faults: The simplest example of each kind of fault, by the kind.
        current: Where each example is written before it runs, for one that ends the process.
    """

    target: Target
    current: Path | None = None
    n_examples: int = 0
    faults: dict[str, Any] = field(default_factory=dict)

    def check(self, example: Any) -> None:
        """Run one example; raise what it should not have raised."""
        self.n_examples += 1
        if self.current is not None:
            self.current.write_text(text_of(example))
        faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
        start = time.process_time()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                warnings.simplefilter("ignore", TastemapWarning)
                self.target.run(example)
        except TastemapError:
            pass
        finally:
            faulthandler.cancel_dump_traceback_later()
        seconds = time.process_time() - start
        assert seconds < MAX_SECONDS, f"took {seconds:.0f} seconds"

    def replay(self, folder: Path) -> None:
        """Run what has been kept."""
        for file in sorted(folder.glob("*.json")):
            try:
                self.check(json.loads(file.read_text()))
            except BaseException as error:
                error.add_note(f"the example is {file}")
                raise

    def fuzz(self, seconds: float, first_seed: int = 0) -> None:
        """Draw and run examples for so many seconds; one of each kind of fault is noted."""
        self._fuzz_once(first_seed, 0.0)  # Hypothesis makes its tables before the clock runs
        end = time.monotonic() + seconds
        for number in count(first_seed):
            if time.monotonic() > end:
                return
            self._fuzz_once(number, end)

    def _fuzz_once(self, number: int, end: float) -> None:
        failing: list[Any] = []

        @seed(number)
        @settings(
            max_examples=N_EXAMPLES_PER_SEED,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        )
        @given(self.target.examples)
        def draw(example: Any) -> None:
            if not failing and time.monotonic() > end:
                return
            try:
                self.check(example)
            except Exception as error:
                if kind_of(error) not in self.faults:
                    failing[:] = [example, error]
                    raise

        try:
            draw()
        except BaseException as error:
            if not failing or isinstance(error, KeyboardInterrupt):
                raise
            self.faults[kind_of(failing[1])] = failing[0]


def kind_of(error: BaseException) -> str:
    """What tells one fault from another: the error, and the last line of ours that it passed."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "tastemap" in Path(frame.filename).parts]
    last = (ours or frames)[-1]
    # An assertion of a target says in its words which of its kinds it is.
    words = "" if ours else str(error).partition("\n")[0][:80]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno} {words}".strip()


def keep(example: Any, folder: Path) -> Path:
    """Write an example into the corpus, under a name that says nothing but which it is."""
    text = text_of(example)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"
    file.write_text(text)
    return file


def text_of(example: Any) -> str:
    """An example as it is kept."""
    return json.dumps(example, indent=1) + "\n"


def corpus(target: str) -> Iterator[Any]:
    """The examples that are kept of a target."""
    for file in sorted((CORPUS / target).glob("*.json")):
        yield json.loads(file.read_text())
