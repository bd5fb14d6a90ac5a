"""Why a model expects a rating: its parts, and how a terminal shows them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import polars as pl

from tastemap.data.feedback import Feedback
from tastemap.data.nouns import item_noun
from tastemap.data.ratings import Ratings
from tastemap.jobs.titles import item_ids
from tastemap.jobs.users import arguments_of_user, user_of
from tastemap.models.base.explanation import PartKind, part_in_words
from tastemap.models.base.recommender import Recommender
from tastemap.support.counts import counted, plain, rounded
from tastemap.terminal import bar

# So many ratings have a row of their own; the others share one.
MAX_RATINGS_SHOWN = 10
# A bar is so long to either side, in characters.
HALF_OF_BAR = 12


class Answer(NamedTuple):
    """An explanation.

    Attributes:
        frame: Every part, as `Recommender.explain` has them.
        shown: Columns ``part, adds`` and a bar: the largest parts, and the sum.
        title: The item, and what the parts sum to.
        notes: What was read of the user.
    """

    frame: pl.DataFrame
    shown: pl.DataFrame
    title: str
    notes: list[str]


def explained(
    model: Recommender, item: str, single: Mapping[str, Any], n_ratings: int | None = None
) -> Answer:
    """The parts of the expected rating of an item for a user.

    Args:
        model: A fitted model whose predictions are sums of parts.
        item: An id, a title, or words of one.
        single: Further arguments of `arguments_of_user`.
        n_ratings: How many ratings have a row of their own; by default ten.

    Raises:
        UnsupportedError: If the predictions of the model are no sums of parts.
    """
    arguments, notes = arguments_of_user(model, **single)
    data = model.fitted_data
    (item_id,) = item_ids(data, [item], "ITEM")
    row = int(data.items.index([item_id])[0])
    frame = model.explain_rows(user_of(model, arguments), row).to_frame(data.items)
    name = "expected rating" if model.predicts_ratings else "score"
    total = float(frame["contribution"].sum())
    span = max(frame["contribution"].abs().to_list(), default=0.0)
    title = f"{data.items.titles[row]}: {name} {rounded(total, span)}"
    shown = _on_screen(frame, model, n_ratings or MAX_RATINGS_SHOWN, (name, total, span))
    return Answer(frame, shown, title, notes)


def _on_screen(
    frame: pl.DataFrame, model: Recommender, n_ratings: int, sum_of_parts: tuple[str, float, float]
) -> pl.DataFrame:
    """The parts in words, with signs and bars; the ratings that matter least share a row."""
    name, total, span = sum_of_parts
    rows = _rows(frame, model.fitted_data, n_ratings)
    is_base = frame["part"][0] == PartKind.GLOBAL_MEAN  # beside which no other bar could be seen
    most = max((abs(value) for _, value in rows[is_base:]), default=0.0)
    bars = [bar(value, most, HALF_OF_BAR) for _, value in rows]
    bars[:is_base] = [""] * is_base
    numbers = [_signed(value, span) for _, value in rows] + [rounded(total, span)]
    width = max(map(len, numbers))
    return pl.DataFrame(
        {
            "part": [*(words for words, _ in rows), f"together, the {name}"],
            "adds": [number.rjust(width) for number in numbers],
            "less ◂ ▸ more": [*bars, ""],
        }
    )


def _rows(frame: pl.DataFrame, data: Feedback, n_ratings: int) -> list[tuple[str, float]]:
    """The parts in words, and what each adds; from some rating on the others are one part."""
    noun, is_rated = item_noun(data), isinstance(data, Ratings)
    rows: list[tuple[str, float]] = []
    rated = frame.with_row_index().filter(pl.col("item_id").is_not_null())
    rest = rated[n_ratings:]
    for place, part in enumerate(frame.iter_rows(named=True)):
        if len(rest) and place == rest["index"][0]:
            kind = "other rating" if is_rated else f"other {noun.singular}"
            rows.append((counted(len(rest), kind), float(rest["contribution"].sum())))
        if part["item_id"] is None:
            rows.append((part_in_words(part["part"], noun), part["contribution"]))
        elif not len(rest) or place < rest["index"][0]:
            said = f"{plain(part['rating'])} for " if is_rated else "for "
            rows.append((f"{said}{part['title']}", part["contribution"]))
    return rows


def _signed(value: float, span: float) -> str:
    """A contribution with its sign, and as many decimals as the largest asks for."""
    text = rounded(value, span)
    return text if text.startswith("−") else f"+{text}"
