"""Answers of a saved model: predictions of pairs, lists, neighbours."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import polars as pl

from tastemap.data.feedback import Feedback
from tastemap.data.nouns import item_noun
from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError, DataError
from tastemap.jobs.tables import read_table
from tastemap.jobs.titles import item_ids
from tastemap.jobs.users import arguments_of_user, user_of
from tastemap.models.base.orders import cautious_order
from tastemap.models.base.recommender import Recommender
from tastemap.models.base.reranking import words_as_columns
from tastemap.models.base.user import User
from tastemap.models.batch.recommend import recommend_all
from tastemap.models.batch.similar import similar_all
from tastemap.models.batch.write import ENDINGS, write_recommendations
from tastemap.models.registry import load_model
from tastemap.support.titles import spoken
from tastemap.terminal import say, working

# What is shown of an item beside its title, and so many of its genres.
FACTS, MAX_GENRES = ("year", "genres"), 2

#: The reasons of a list, by model, user and ids of the items; None where an item has none.
Why: TypeAlias = Callable[[Recommender, User, pl.Series], list[str | None]]


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
        rows = data.items.index(item_ids(data, items, "ITEMS"))
        users = np.full(len(rows), data.users.index_of(user))
        frame = pl.DataFrame([data.users.ids_at(users), data.items.ids_at(rows)])
    titles = data.items.titles.gather(data.items.index(frame["item_id"]))
    predicted = model.predict(frame["user_id"], frame["item_id"])
    return frame.with_columns(titles, pl.Series("predicted_rating", predicted))


def recommended(
    model: Recommender,
    single: Mapping[str, Any] | None,
    choice: Mapping[str, Any],
    why: Why | None = None,
) -> tuple[pl.DataFrame, list[str]]:
    """The list of a single user, or the lists of all users, and notes on what was read.

    Args:
        model: A fitted model.
        single: Further arguments of `arguments_of_user`; None for all users.
        choice: Further options of `recommend` and `recommend_all`, see `with_order`; and ``gap``,
            the seconds since the latest item of a single user.
        why: Gives the reasons of a list of a single user, by items; None for none.

    Returns:
        The frame of `recommend_all`, or of `recommend` with `described`, and with a text column
        ``reason``, empty where there is none.
    """
    choice = with_order(model, choice)
    gap = choice.pop("gap", None)
    model = model if gap is None else model.later(gap)
    if single is None:
        return recommend_all(model, **choice), []
    arguments, notes = arguments_of_user(model, **single)
    frame = described(model.fitted_data, model.recommend(**arguments, **choice))
    if not isinstance(model.fitted_data, Ratings):
        frame = frame.drop("predicted_rating")
    if why is not None:
        reasons = why(model, user_of(model, arguments), frame["item_id"])
        frame = frame.with_columns(pl.Series("reason", reasons, dtype=pl.String))
    return frame, notes


def described(data: Feedback, frame: pl.DataFrame) -> pl.DataFrame:
    """A list of items with what is known of them after the titles, as far as it is.

    These are the columns ``year, genres, popularity``; the last is the number of ratings.
    """
    items, rows = data.items, data.items.index(frame["item_id"])
    names = [name for name in FACTS if name in items.frame.columns]
    facts = [items.frame[name].gather(rows) for name in names]
    about = pl.DataFrame([*facts, pl.Series("popularity", data.by_item.counts[rows])])
    place = frame.columns.index("title") + 1
    return pl.concat(
        [frame[:, :place], about.select(pl.exclude(frame.columns)), frame[:, place:]],
        how="horizontal",
    )


def on_screen(data: Feedback, frame: pl.DataFrame, by: str = "expected") -> pl.DataFrame:
    """A described list in columns that fit a terminal: nothing in it stands there twice.

    Titles are without the year beside them, and titles that tell the items apart stand for the
    ids. Of two columns with the same numbers one is shown.

    Args:
        data: The ratings or interactions.
        frame: The list, with the columns of `described`.
        by: The order of the list; the score of a cautious one is a bound.
    """
    shown = frame.rename({"popularity": data.noun})
    if "year" in shown.columns:
        dated = pl.format(" ({})", "year")
        shown = shown.with_columns(
            pl.when(pl.col("title").str.ends_with(dated))
            .then(pl.col("title").str.strip_suffix(dated))
            .otherwise("title")
            .alias("title")
        )
    if "genres" in shown.columns and shown["genres"].dtype == pl.List(pl.String):
        shown = shown.with_columns(pl.col("genres").list.head(MAX_GENRES))
    ids = shown["item_id"].cast(pl.String)
    if not shown["title"].eq_missing(ids).all() and frame["title"].n_unique() == len(frame):
        shown = shown.drop("item_id")
    if {"predicted_rating", "score"} <= {*shown.columns}:
        if shown["predicted_rating"].null_count() == len(shown):
            shown = shown.drop("predicted_rating")
        elif np.allclose(shown["predicted_rating"], _inside(data, shown["score"])):
            shown = shown.drop("score")
        elif by == "cautious":
            shown = shown.rename({"score": "at_least"})
    return shown.rename({"predicted_rating": "expected_rating"}, strict=False)


def _inside(data: Feedback, score: pl.Series) -> Any:
    """Scores (n,) kept inside the scale, if there is one."""
    return data.scale.clip(score.to_numpy()) if isinstance(data, Ratings) else score


def title_of(by: str) -> str:
    """What a list in an order is called.

    Example:
        >>> title_of("cautious"), title_of("expected")
        ('Recommendations, the best by what it is at least, with 90 % certainty', 'Recommendations')
    """
    orders = {
        "cautious": "the best by what it is at least, with 90 % certainty",
        "relative": "more for one than for all",
    }
    return f"Recommendations, {orders[by]}" if by in orders else "Recommendations"


def with_order(model: Recommender, choice: Mapping[str, Any]) -> dict[str, Any]:
    """Options whose lists are cautious, if the model can, where no order ``by`` is given."""
    return {**choice, "by": choice.get("by") or cautious_order(model.capabilities)}


def wishes(
    diversity: float, calibrated: list[str] | None, at_most: list[str] | None
) -> dict[str, Any]:
    """What lists shall be like beside being good, from words, as `recommend` takes it."""
    options = {
        "diversity": diversity,
        "calibrated": words_as_columns(calibrated, "calibrated"),
        "at_most": words_as_columns(at_most, "at_most"),
    }
    return {name: value for name, value in options.items() if value}


def check_for_all(single: Mapping[str, Any], *, has_place: bool) -> None:
    """Refuse a call for all users with words of a single user, or without a file to write.

    Args:
        single: What says who the single user is, by the words of the command; None or empty where
            it is not given.
        has_place: Whether there is a file, or JSON.

    Raises:
        ArgumentError: With the words that do not go together.
    """
    check_place(has_place=has_place)
    if words := [word for word, value in single.items() if value]:
        raise ArgumentError(
            "--all",
            expected="every user of the data",
            received=f"{', '.join(words)}, of one person",
            do=f"leave out --all, or {', '.join(words)}",
        )


def check_for_spark(choice: Mapping[str, Any]) -> dict[str, Any]:
    """The options that lists made on Spark have; refuse others.

    Raises:
        ArgumentError: If there is a novelty or another order, or lists shall be more than good.
    """
    defaults: dict[str, Any] = {"by": "expected", "novelty": 0.0}
    defaults |= dict.fromkeys(("diversity", "calibrated", "at_most"))
    for name, default in defaults.items():
        if choice.get(name, default) != default:
            option = f"--{name.replace('_', '-')}"
            received, do = "--engine spark", f"leave out {option}, or --engine spark"
            raise ArgumentError(option, expected="this machine", received=received, do=do)
    return {name: value for name, value in choice.items() if name not in defaults}


def check_place(*, has_place: bool) -> None:
    """Refuse to print a list for each user or item on a terminal."""
    if not has_place:
        raise ArgumentError("--all", expected="-o FILE, or --json", received="neither")


def in_parts(path: Path) -> bool:
    """Whether `write_recommendations` accepts this file ending."""
    return path.suffix in ENDINGS


def write_for_all(model: Recommender, out: Path, memory: int, choice: Mapping[str, Any]) -> None:
    """Write the lists of all users to a file; a call continues where an earlier one stopped."""
    n_before = write_recommendations(
        model, out, memory=memory, progress=sys.stderr.isatty(), **with_order(model, choice)
    )
    if n_before:
        say(f"the lists of {n_before:,} users were there from a call that was stopped")
    say(f"wrote {out}")


def read_columns(path: Path, keys: tuple[str, ...], other: str) -> pl.DataFrame:
    """Two columns of a CSV, TSV, Parquet or JSON file: the first of ``keys`` in it, and another.

    Raises:
        DataError: If the file cannot be read or has no such columns.
    """
    frame = read_table(path)
    key = next((column for column in keys if column in frame.columns), None)
    if key is None or other not in frame.columns:
        raise DataError(
            f"file {path}",
            expected=f"columns {' or '.join(keys)} and {other}",
            received=", ".join(frame.columns),
        )
    return frame.select(key, other)


def neighbours(
    model: Any, item: str, other: str | None, *, k: int | None, users: bool, opposite: bool
) -> tuple[pl.DataFrame, str, list[str]]:
    """The neighbours of an item or a user, or the similarity of two items; a title, and no note.

    Items have the columns of `described`.
    """
    if users:
        return model.similar_users(item, k), f"Users most similar to {item}", []
    data = model.fitted_data
    words = [item] if other is None else [item, other]
    ids = item_ids(data, words, "ITEM")
    titles = data.items.titles.gather(data.items.index(ids)).map_elements(spoken, pl.String)
    if other is not None:
        pair = {"item": titles[:1], "other": titles[1:]}
        frame = pl.DataFrame(pair | {"similarity": [model.similarity(*ids)]})
        return frame, "Cosine similarity", []
    nearest = model.dissimilar_items if opposite else model.similar_items
    title = f"{item_noun(data).plural.capitalize()} {'least' if opposite else 'most'} similar to"
    return described(data, nearest(ids[0], k)), f"{title} {titles[0]}", []


def all_neighbours(
    model: Any, k: int, approximate: bool | None
) -> tuple[pl.DataFrame, str, list[str]]:
    """The neighbours of every item, a title, and a note on how they were computed."""
    result = similar_all(model, k, approximate=approximate, progress=sys.stderr.isatty())
    note = f"every item compared with every other in {result.seconds:.1f} s"
    if result.recall is not None:
        note = (
            f"by an index in {result.seconds:.1f} s: of the {k} nearest of a sample of items it "
            f"found {100 * result.recall:.1f} %; --exact compares all with all"
        )
    return result.frame, "Neighbours", [note]


def recommend_on_spark(
    path: Path,
    out: Path | None,
    choice: Mapping[str, Any],
    master: str,
    conf: Sequence[str],
) -> None:
    """Lists for every user of a saved model, as a folder of Parquet files.

    Args:
        path: The saved model.
        out: The folder, or an address that Spark writes to; None is refused.
        choice: ``k``, ``exclude_seen``, ``where``, ``new``.
        master, conf: The address of the cluster, and settings ``KEY=VALUE``.
    """
    from tastemap.spark import recommend
    from tastemap.spark.read import address
    from tastemap.spark.session import Cluster, parse_conf, spark_session

    if out is None:
        raise ArgumentError("--engine spark", expected="--all and -o FOLDER")
    options = check_for_spark(choice)
    model, cluster = load_model(path), Cluster(master, parse_conf(conf))
    with working("Spark") as tell, spark_session(cluster) as session:
        tell(f"lists for {model.ratings_.n_users:,} users")
        n_rows = recommend.recommend_all(session, model, address(str(out)), **options)
    k = choice["k"] or min(10, model.ratings_.n_items)
    is_short = n_rows < k * model.ratings_.n_users
    why = f"; some users have fewer than {k}: no more candidates are left" if is_short else ""
    say(f"wrote {out}: {n_rows:,} rows{why}")
