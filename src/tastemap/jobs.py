"""The jobs behind the commands: each joins a few calls of the library into one."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tastemap.data import statistics
from tastemap.data.ratings import Ratings
from tastemap.data.splits import split_by_name
from tastemap.errors import ArgumentError, DataError, UnsupportedError
from tastemap.evaluation.compare import Leaderboard, compare
from tastemap.evaluation.ranking import evaluate_ranking
from tastemap.evaluation.rating import evaluate
from tastemap.models import make_model
from tastemap.models.base import Recommender
from tastemap.models.store import load_model

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Ratings that the damped average of the best-liked items starts from.
DAMPING = 25.0


def statistics_tables(ratings: Ratings) -> dict[str, pl.DataFrame]:
    """What a person wants to know of ratings first, each table under its title."""
    liked = statistics.average_ratings(ratings, damping=DAMPING)
    return {
        f"{ratings.source.name} at a glance": statistics.describe(ratings),
        "How often each rating is given": statistics.rating_counts(ratings).head(21),
        "The most popular items": statistics.most_popular(ratings, k=10),
        f"The best-liked items (average damped by {DAMPING:g} ratings)": liked.sort(
            "damped_average", descending=True
        ).head(10),
    }


def statistics_figures(ratings: Ratings) -> dict[str, "Figure"]:
    """The figures of ratings, each under the name of its file."""
    from tastemap.explore import plots

    figures = {
        "popularity": plots.plot_popularity(ratings),
        "rating_counts": plots.plot_rating_counts(ratings),
        "ratings_per_user": plots.plot_ratings_per_user(ratings),
    }
    if len(statistics.releases_per_year(ratings)):
        figures["releases_per_year"] = plots.plot_releases_per_year(ratings)
    return figures


def save_figures(figures: Mapping[str, "Figure"], folder: Path) -> None:
    """Write figures as PNG files of their names."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        figure.savefig(folder / f"{name}.png", dpi=150)


def evaluation_tables(
    ratings: Ratings, model: str, *, split: str, test_size: float, seed: int, lists: bool
) -> tuple[dict[str, pl.DataFrame], tuple[str, ...]]:
    """Fit a model on one part of the ratings and score it on the other.

    Args:
        ratings: The whole.
        model: A model's name; or the path of a saved model, which is scored on all ratings.
        split, test_size, seed: As in `split_by_name`.
        lists: Score the ten items it would recommend, too; always so for models that only rank.

    Returns:
        Tables by title, and notes.
    """
    if (Path(model) / "model.json").is_file():
        fitted, test = load_model(model), ratings
    else:
        train, test = split_by_name(ratings, split, test_size=test_size, seed=seed)
        fitted = make_model(model).fit(train, seed=seed)
    tables: dict[str, pl.DataFrame] = {}
    notes: tuple[str, ...] = ()
    if fitted.predicts_ratings:
        evaluation = evaluate(fitted, test)
        tables["Test errors"] = evaluation.overall
        tables["Test errors by what is known"] = evaluation.bands
        notes = evaluation.notes
    if lists or not fitted.predicts_ratings:
        k = min(10, ratings.n_items)
        tables[f"Lists of {k} for each user, all unseen items ranked"] = evaluate_ranking(
            fitted, test, k
        )
    return tables, notes


def compared_models(
    ratings: Ratings,
    names: Sequence[str],
    *,
    split: str,
    test_size: float,
    seeds: Sequence[int],
    tell: Callable[[str], None],
) -> Leaderboard:
    """Fit models of these names on one part of the ratings and score them on the other."""
    for name in names:
        if not make_model(name).predicts_ratings:
            raise UnsupportedError(
                f"model {name} ranks items and predicts no ratings",
                do=f"score its lists: tastemap evaluate -m {name}",
            )
    parts = split_by_name(ratings, split, test_size=test_size, seed=seeds[0])
    return compare(names, *parts, seeds=seeds, progress=tell)


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


def write_map(path: Path, out: Path, colour: str) -> dict[str, str]:
    """Draw the map of a saved model, keep it with the model, and write it as page or picture."""
    from tastemap.explore.interactive import interactive_map
    from tastemap.explore.page import write_page
    from tastemap.explore.plots import plot_item_map
    from tastemap.explore.projection import describe_map, item_map

    pictures = (".png", ".svg", ".pdf")
    if out.suffix not in (".html", *pictures):
        raise ArgumentError("-o", expected=f".html or {', '.join(pictures)}", received=str(out))
    model = load_model(path)
    drawn_before = model.item_map_ is not None
    frame = item_map(model)
    if not drawn_before:
        model.save(path)
    if out.suffix in pictures:
        plot_item_map(frame, model.ratings_, colour).savefig(out, dpi=150)
    else:
        write_page(out, interactive_map(frame, model.ratings_, colour))
    return {"map": str(out), "how true it is": describe_map(frame)}


def write_report(model: Recommender, out: Path) -> None:
    """Write the report of a model: its data, its training, its neighbours, its map."""
    from tastemap import sections
    from tastemap.explore.report import Report

    data = model.ratings_
    report = Report(f"Report on a {model.learnt_by_}", f"fitted on {data.source.name}")
    report.section("The ratings", *sections.data_blocks(data))
    if len(model.history_):
        report.section("Training", *sections.training_blocks(model.history_))
    if model.metrics_:
        report.section("Test errors", *sections.metrics_blocks(model.metrics_))
    if sections.has_factors(model):
        report.section("Embeddings", *sections.embedding_blocks(model))
        report.section("Neighbours", *sections.neighbour_blocks(model))
        report.section("Map of the items", *sections.map_blocks(model))
    report.section("Recommendations", *sections.recommendation_blocks(model))
    report.write(out)
