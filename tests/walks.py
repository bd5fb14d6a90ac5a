"""The walks of `docs/architecture.md`, really made: which functions of tastemap each one passes."""

import re
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

from small_models import save_small, small_ratings

import house
import tastemap as tm

PAGE = house.ROOT / "docs" / "architecture.md"
PACKAGE = Path(tm.__file__).parent


class Step(NamedTuple):
    """A function that was passed: its module below ``tastemap``, and its name there."""

    module: str
    function: str

    def __str__(self) -> str:
        return f"{self.module}.{self.function}"


class Recorder:
    """Notes each function of tastemap that is called, in this thread and in those begun later.

    Compiled kernels are no Python functions: they are passed unseen.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._frames: set[FrameType] = set()
        self._on = False

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        """What Python calls at each event; a coroutine that goes on is not called again."""
        if self._on and event == "call" and frame not in self._frames and not is_watcher():
            step = step_of(frame.f_code)
            if step:
                self._frames.add(frame)
                self.steps.append(step)

    @contextmanager
    def prepared(self) -> Iterator[None]:
        """Have threads that begin here be noted too, while `recording`."""
        threading.setprofile(self)
        yield
        threading.setprofile(None)  # type: ignore[arg-type]

    @contextmanager
    def recording(self) -> Iterator[None]:
        before = sys.getprofile()
        self._on = True
        sys.setprofile(self)
        yield
        sys.setprofile(before)
        self._on = False


def is_watcher() -> bool:
    """Whether this thread looks after the model or the store, and walks nowhere."""
    return threading.current_thread().name.startswith("tastemap-")


def step_of(code: CodeType) -> Step | None:
    """The function of a piece of code; None outside tastemap, and for what runs at import."""
    path = Path(code.co_filename)
    if not path.is_relative_to(PACKAGE) or code.co_name == "<module>":
        return None
    return Step(house.name_of(path, PACKAGE), code.co_qualname)


def walk(name: str) -> list[Step]:
    """Make a walk twice, and give what the second passes: the first imports and compiles."""
    recorder = Recorder()
    with (
        recorder.prepared(),
        tempfile.TemporaryDirectory() as folder,
        WALKS[name](Path(folder)) as go,
    ):
        go()
        with recorder.recording():
            go()
    return recorder.steps


# ---- the walks ----


@contextmanager
def fit(folder: Path) -> Iterator[Callable[[], object]]:
    path = folder / "ratings.csv"
    small_ratings().to_frame().write_csv(path)

    def go() -> None:
        ratings = tm.read_ratings(path)
        tm.BiasModel().fit(ratings, progress=False)

    yield go


def small_model() -> tm.Recommender:
    model = tm.MatrixFactorization(n_factors=4, n_epochs=2)
    return model.fit(small_ratings(), progress=False)


@contextmanager
def recommend(_: Path) -> Iterator[Callable[[], object]]:
    model = small_model()
    yield lambda: model.recommend(5, k=10)


@contextmanager
def put(folder: Path) -> Iterator[Callable[[], object]]:
    from clients import client_of

    with client_of(save_small(small_ratings(), folder / "model"), folder) as client:

        def go() -> None:
            answer = client.put("/api/v1/users/5/ratings/3", json={"rating": 4})
            assert answer.status_code == 200, answer.text

        yield go


@contextmanager
def save_and_load(folder: Path) -> Iterator[Callable[[], object]]:
    model = small_model()
    yield lambda: tm.load_model(model.save(folder / "model"))


# Word in the heading of the page's section -> the walk.
WALKS = {"fit": fit, "recommend": recommend, "PUT": put, "save": save_and_load}


# ---- what the page says of them ----


def section(name: str) -> str:
    """The section of the page that describes a walk: its heading holds the name in backticks."""
    sections = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (text,) = (text for text in sections if f"`{name}`" in text.partition("\n")[0])
    return text


def told(name: str) -> list[Step]:
    """The functions that the numbered list of a walk names, in order."""
    items = re.findall(r"^\d+\. (.+?)(?=^\d+\. |\n\n|\Z)", section(name), re.MULTILINE | re.DOTALL)
    modules = {house.name_of(path, PACKAGE) for path in house.files(PACKAGE)}
    steps = []
    for code in re.findall(r"`([\w.]+)`", " ".join(items)):
        parts = code.split(".")
        # The longest part of the name that is a module; a plain word in backticks is no step.
        for n in range(len(parts) - 1, 0, -1):
            if ".".join(parts[:n]) in modules:
                steps.append(Step(".".join(parts[:n]), ".".join(parts[n:])))
                break
    return steps
