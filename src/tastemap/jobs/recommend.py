"""Questions to a saved model: predictions of pairs, lists, neighbours."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tastemap.errors import ArgumentError, DataError, UnsupportedError
from tastemap.models.base.recommender import Recommender
from tastemap.models.batch.recommend import recommend_all
from tastemap.models.batch.similar import similar_all
from tastemap.models.batch.write import ENDINGS, write_recommendations
from tastemap.terminal import say


def predicted_pairs(
    model: Recommender, user: str | None, items: list[str], pairs: Path | None
) -> pl.DataFrame:
    """Predicted ratings of a user's items, or of the pairs in a file.

    Returns:
        Frame ``user_id, item_id, title, predicted_rating``.
    """
    data = model.ratings_
    if pairs is not None:
        frame = read_columns(pairs, ("user_id",), "item_id")
    elif user is None or not items:
        raise ArgumentError(
            "USER ITEMS", expected="a user and at least one item, or --pairs FILE", received="less"
        )
    else:
        rows = np.array([data.items.find(item) for item in items])
        users = np.full(len(rows), data.users.index_of(user))
        frame = pl.DataFrame([data.users.ids_at(users), data.items.ids_at(rows)])
    titles = data.items.titles.gather(data.items.index(frame["item_id"]))
    predicted = model.predict(frame["user_id"], frame["item_id"])
    return frame.with_columns(titles, pl.Series("predicted_rating", predicted))


def recommended(
    model: Recommender,
    user: str | None,
    person: Any,
    novelty: float,
    everyone: bool,
    choice: dict[str, Any],
) -> pl.DataFrame:
    """What `recommend` gives for a user or a new person, or `recommend_all` for everyone."""
    if not everyone:
        return model.recommend(user, ratings=person, novelty=novelty, **choice)
    refuse_one_person(user, person, novelty)
    return recommend_all(model, **choice)


def refuse_one_person(user: str | None, person: Any, novelty: float) -> None:
    """Refuse what only one person can be asked with."""
    if user is not None or person is not None or novelty:
        raise ArgumentError(
            "--all", expected="no user, no ratings and no novelty", received="one of them"
        )


def in_parts(path: Path) -> bool:
    """Whether lists for everyone can be written to a file part by part."""
    return path.suffix in ENDINGS


def write_for_all(model: Recommender, out: Path, memory: int, choice: dict[str, Any]) -> None:
    """Write the lists of everyone to a file, going on where an earlier call was stopped."""
    shown = sys.stderr.isatty()
    n_before = write_recommendations(model, out, memory=memory, progress=shown, **choice)
    if n_before:
        say(f"the lists of {n_before:,} users were there from a call that was stopped")
    say(f"wrote {out}")


def read_columns(path: Path, one_of: tuple[str, ...], other: str) -> pl.DataFrame:
    """Two columns of a CSV, TSV, Parquet or JSON file: the first of some that it has, and another.

    Raises:
        DataError: If the file cannot be read or has no such columns.
    """
    readers: dict[str, Callable[[Path], pl.DataFrame]] = {
        ".parquet": pl.read_parquet,
        ".json": pl.read_json,
        ".tsv": lambda file: pl.read_csv(file, separator="\t"),
    }
    try:
        frame = readers.get(path.suffix, pl.read_csv)(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(
            f"file {path}", expected="a table", received=str(error).splitlines()[0]
        ) from error
    found = [column for column in one_of if column in frame.columns]
    if not found or other not in frame.columns:
        raise DataError(
            f"file {path}",
            expected=f"columns {' or '.join(one_of)} and {other}",
            received=", ".join(frame.columns),
        )
    return frame.select(found[0], other)


def neighbours(
    model: Any, item: str, other: str | None, *, k: int | None, users: bool, opposite: bool
) -> tuple[pl.DataFrame, str]:
    """The neighbours of an item or a user, or the similarity of two items, with a title."""
    if not hasattr(model, "similar_items"):
        raise UnsupportedError(f"{type(model).__name__} has no factors", do="use another model")
    items = model.ratings_.items
    if users:
        return model.similar_users(item, k), f"Users most similar to {item}"
    title = items.titles[items.find(item)]
    if other is not None:
        names = [title, items.titles[items.find(other)]]
        value = model.similarity(item, other)
        frame = pl.DataFrame({"item": [names[0]], "other": [names[1]], "similarity": [value]})
        return frame, "Cosine similarity"
    if opposite:
        return model.dissimilar_items(item, k), f"Items least similar to {title}"
    return model.similar_items(item, k), f"Items most similar to {title}"


def all_neighbours(model: Any, k: int, approximate: bool | None) -> tuple[pl.DataFrame, str]:
    """The neighbours of every item, and how they were found in a sentence."""
    found = similar_all(model, k, approximate=approximate, progress=sys.stderr.isatty())
    if found.recall is None:
        return found.frame, f"every item compared with every other in {found.seconds:.1f} s"
    return found.frame, (
        f"by an index in {found.seconds:.1f} s: of the {k} nearest of a sample of items it found "
        f"{found.recall:.1%}; --exact compares all with all"
    )
