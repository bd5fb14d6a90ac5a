"""The summary on top of a report: what it comes to, and how it was made."""

import datetime as dt
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from tastemap.data.feedback import Feedback
from tastemap.data.nouns import item_noun
from tastemap.explore.report.blocks import Summary
from tastemap.terminal import command

# The scores that count most, the first that a model has.
HEADLINES = ("test_rmse", "test_ndcg", "rmse", "ndcg")


def summary(
    data: Feedback, what: str, figures: Sequence[tuple[str, object]], seed: int | None
) -> Summary:
    """A summary with the data, the time, the version, the command and the seed.

    Args:
        data: The ratings or interactions.
        what: A sentence that says what came out.
        figures: Names and values of three figures that count.
        seed: The seed of the fit, None where there was none.
    """
    size = f"{len(data):,} {data.noun}, {data.n_users:,} users"
    run, now = command(), dt.datetime.now().astimezone()
    return Summary(
        figures,
        [
            ("result", what),
            ("data", f"{data.source.name}: {size}, {data.n_items:,} {item_noun(data).plural}"),
            (
                "made",
                f"{now:%Y-%m-%d %H:%M %Z}, tastemap {version('tastemap')}",
            ),
            ("command", None if run is None else f"`{run}`"),
            ("seed", None if seed is None else str(seed)),
        ],
    )


def headline(metrics: Mapping[str, Any], model: str) -> list[tuple[str, object]]:
    """The score of a model that counts most, and that of the baseline; nothing without a score.

    Example:
        >>> headline({"test_mae": 0.7, "test_rmse": 0.9, "baseline_test_rmse": 0.95}, "mf")
        [('test RMSE of mf', 0.9), ('test RMSE of the baseline', 0.95)]
    """
    name = next((name for name in HEADLINES if isinstance(metrics.get(name), float)), None)
    if name is None:
        return []
    words = f"test {name.removeprefix('test_').upper()}"
    figures: list[tuple[str, object]] = [(f"{words} of {model}", metrics[name])]
    if isinstance(baseline := metrics.get(f"baseline_{name}"), float):
        figures.append((f"{words} of the baseline", baseline))
    return figures
