"""Fixtures that every test may use, and what makes a run of all of them short."""

import gc
import os
from collections import Counter
from pathlib import Path
from typing import Any

# Before anything imports Keras: the backend that tests use unless the caller chose one.
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# A network trains for a moment here and compiles for seconds, half of them spent on optimising it.
# The notebook is executed with all optimisations; 0 here runs the tests with them, too.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")

import polars as pl
import pytest

from tastemap.data.datasets.synthetic import synthetic_ratings
from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split, train_test_split
from trouble import trouble  # noqa: F401 - a fixture

# How many other tests a slow one takes as long as.
SLOW_WEIGHT = 50


def pytest_configure(config: pytest.Config) -> None:
    """Keep what JAX compiles: each fit traces its network anew, and most are alike.

    Both workers share the folder, and processes that tests start inherit it.
    """
    if hasattr(config, "cache"):
        os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(config.cache.mkdir("jax")))
        os.environ.setdefault("JAX_COMPILATION_CACHE_MAX_SIZE", str(256 * 2**20))
        os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
        os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let the workers begin with what takes long, so that both end at the same time."""
    if not hasattr(config, "workerinput"):
        return
    marks = [item.get_closest_marker("xdist_group") for item in items]
    groups = [mark.args[0] if mark else item.path for mark, item in zip(marks, items, strict=True)]
    weights: Counter[str | Path] = Counter()
    for group, item in zip(groups, items, strict=True):
        weights[group] += SLOW_WEIGHT if item.get_closest_marker("slow") else 1
    order = sorted(range(len(items)), key=lambda row: -weights[groups[row]])
    items[:] = [items[row] for row in order]


def pytest_collection_finish() -> None:
    """Leave what is imported out of later collections of garbage.

    A comparison collects before each fit, to measure its memory, and a full collection looks at all
    objects of Keras, JAX and pytest: half a second each time.
    """
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give a worker all tests of a file, or of a group, which share what is made once for them."""
    if config.getoption("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadGroupScheduling

    class Files(LoadGroupScheduling):
        """The tests of a file stay together, unless they are marked with another group."""

        def _split_scope(self, nodeid: str) -> str:
            group = super()._split_scope(nodeid)
            return nodeid.split("::", maxsplit=1)[0] if group == nodeid else group

    return Files(config, log)


@pytest.fixture(scope="session")
def ratings() -> Ratings:
    """Synthetic ratings with two tastes and two genres."""
    return synthetic_ratings()


@pytest.fixture(scope="session")
def split(ratings: Ratings) -> Split:
    """The same, split at random."""
    return train_test_split(ratings, test_size=0.2, seed=0)


@pytest.fixture
def tiny() -> Ratings:
    """Three users, three items, six ratings, worked out by hand where used."""
    frame = pl.DataFrame(
        {
            "user_id": ["ann", "ann", "ben", "ben", "cy", "cy"],
            "item_id": [10, 20, 10, 30, 20, 30],
            "rating": [5.0, 3.0, 4.0, 2.0, 1.0, 3.0],
        }
    )
    items = pl.DataFrame(
        {
            "item_id": [10, 20, 30],
            "title": ["Alien", "Brazil", "Casablanca"],
            "year": [1979, 1985, 1942],
        }
    )
    return Ratings.from_frame(frame, item_table=items)
