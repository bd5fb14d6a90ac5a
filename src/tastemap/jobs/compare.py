"""Compare models: make them by name, show and write their leaderboard or the choice of one."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tastemap.data.feedback import Feedback
from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.data.splits import SplitOf
from tastemap.errors import ArgumentError
from tastemap.evaluation.choose import Choice
from tastemap.evaluation.compare import Maker, compare
from tastemap.evaluation.leaderboard import Leaderboard
from tastemap.evaluation.objective import like_threshold, liked_from, liking
from tastemap.evaluation.trade_off import trade_off
from tastemap.explore.figures import leaderboard as board_plots
from tastemap.explore.figures import model as model_plots
from tastemap.explore.figures.gap import plot_gaps
from tastemap.explore.figures.trade_off import plot_trade_off
from tastemap.explore.report.blocks import Picture, Table
from tastemap.explore.report.report import Block, Report
from tastemap.jobs.held_out import parts_of
from tastemap.models.registry import make_model
from tastemap.terminal import TABLE_ENDINGS, Output, print_json, rows_of, say, working, write_frame

PAGE = ".html"
# The weights of varied and of calibrated lists on the page: each takes the time of all lists.
WEIGHTS_OF_PAGE = (0.0, 0.3, 0.5, 0.8)


def makers_of(words: str, parse: Callable[[list[str]], dict[str, Any]]) -> dict[str, Maker]:
    """Functions that make models, by the words that name them.

    Args:
        words: Names of models with commas between; options follow a name after colons:
            ``bias,mf:n_factors=64:n_epochs=30``.
        parse: Makes a dictionary of ``["n_factors=64", "n_epochs=30"]``.

    Raises:
        ArgumentError: If a model or option is unknown, or a name occurs twice.
    """
    makers: dict[str, Maker] = {}
    for word in words.replace(" ", "").split(","):
        name, *pairs = word.split(":")
        options = parse(pairs)
        make_model(name, **options)  # refuses a wrong option before any model is fitted
        if word in makers:
            raise ArgumentError("models", expected="each once", received=words)
        makers[word] = lambda name=name, options=options: make_model(name, **options)  # type: ignore[misc]
    return makers


def usual_models(ratings: Feedback) -> str:
    """The models that are compared if none are named; without ratings, those that rank."""
    return "popularity,ease,ials" if isinstance(ratings, Interactions) else "bias,knn,als,mf"


def run_comparison(
    ratings: Ratings | Interactions,
    makers: Mapping[str, Maker],
    *,
    split: str,
    test_size: float,
    seeds: Sequence[int],
    output: Output,
    test: Ratings | Interactions | None = None,
    **options: Any,
) -> None:
    """Compare models on a split of the ratings, show the leaderboard, and write it.

    Args:
        ratings: All ratings, or interactions, of which lists are scored.
        makers: Functions that make the models, from `makers_of`.
        split, test_size: As in `split_by_name`, which draws with the first seed.
        seeds: One fit of each model for each seed.
        output: How to show the leaderboard, and the page or table to write, or None.
        test: Test ratings of their own, in place of a split.
        options: Further arguments of `compare`.

    Raises:
        ArgumentError: If a leaderboard cannot be written to a file with this ending.
    """
    out = output.path
    if out is not None and out.suffix not in (PAGE, *TABLE_ENDINGS):
        endings = ", ".join((PAGE, *TABLE_ENDINGS))
        raise ArgumentError("-o", expected=f"a file ending in {endings}", received=out)
    with working("comparing") as tell:
        parts = parts_of(ratings, test, split, test_size=test_size, seed=seeds[0])
        threshold = like_threshold(parts.split.train)
        likers = {
            name: lambda make=make: liking(make(), threshold) for name, make in makers.items()
        }
        options["threshold"] = threshold
        board = compare(likers, *parts.split, seeds=seeds, progress=tell, **options)
    notes = [*ratings.source.notes, *parts.notes, *board.notes]
    if threshold is not None and board.k is not None:
        notes.append(liked_from(ratings, threshold))
    if output.as_json:
        print_json(board_json(board, notes))
    else:
        Output().tables(board.tables(), notes)
    if out is not None:
        write_board(board, out, ratings, parts.split, parts.name)
        say(f"wrote {out}")


def write_board(
    board: Leaderboard, out: Path, ratings: Feedback, parts: SplitOf[Any], split: str
) -> None:
    """Write a leaderboard as a page, or its frame as a table, by the ending of the path.

    Args:
        board: The result of `compare`.
        out: Path with the ending .html or that of a table.
        ratings: All ratings; their name and notes go into the page.
        parts, split: Their two parts, and the name of the split.
    """
    if out.suffix != PAGE:
        write_frame(board.frame, out)
        return
    sizes = f"{len(parts.train):,} {ratings.noun} to train and {len(parts.test):,} to test"
    report = Report("Leaderboard", f"{ratings.source.name}, split “{split}”: {sizes}")
    for title, shown in board_sections(board).items():
        report.section(title, *shown)
    if blocks := trade_off_blocks(board, parts):
        report.section("Varied and calibrated lists", *blocks)
    report.section("What to know", *sentences([*ratings.source.notes, *parts.notes, *board.notes]))
    report.write(out)


def trade_off_blocks(board: Leaderboard, parts: SplitOf[Any]) -> list[Block]:
    """What varied and calibrated lists of the chosen model gain and cost; nothing without lists."""
    model = board.fitted[board.chosen]
    if board.k is None:
        return []
    threshold = like_threshold(parts.train)
    frame = trade_off(model, parts.test, board.k, weights=WEIGHTS_OF_PAGE, threshold=threshold)
    if not len(frame):
        return []
    title = f"Lists of {board.chosen} by the weight of a wish"
    alt = "NDCG against the divergence of genres from the taste, and against diversity."
    return [
        Picture(plot_trade_off(frame, board.k), alt),
        Table(frame, title, digits=4),
        *sentences(
            [
                "To choose a weight, look at a part of the training ratings: "
                "a weight that is chosen by the test looks better than it is."
            ]
        ),
    ]


def board_json(board: Leaderboard, notes: Sequence[str]) -> dict[str, Any]:
    """A whole leaderboard as plain objects."""
    return {
        "title": "Leaderboard",
        "chosen": board.chosen,
        "by": board.by,
        "k": board.k,
        "rows": rows_of(board.frame),
        "differences": rows_of(board.differences),
        "bands": rows_of(board.bands),
        "gaps": rows_of(board.gaps),
        "notes": list(notes),
    }


def board_sections(board: Leaderboard) -> dict[str, list[Block]]:
    """A leaderboard in the sections of a page, by title: figures above their tables."""
    figures = {"Errors": error_pictures, "Lists": list_pictures}
    sections: dict[str, list[Block]] = {}
    for caption, frame in board.tables().items():
        title = caption.split()[0].rstrip(":")
        if title not in sections:
            sections[title] = [*figures[title](board)] if title in figures else []
        is_drawn = title == "Differences" or "what is known" in caption
        sections[title].append(Table(frame, caption, 4, folded=is_drawn))
    return sections


def sentences(notes: Sequence[str]) -> list[str]:
    """Notes as sentences of a page.

    Example:
        >>> sentences(["no times"])
        ['No times.']
    """
    return [f"{note[0].upper()}{note[1:].rstrip('.')}." for note in notes]


def leaderboard_blocks(board: Leaderboard) -> list[Block]:
    """A leaderboard as one section of a longer page: training and test errors come first."""
    return [
        Picture(
            model_plots.plot_leaderboard(board.frame, board.chosen),
            "Mean absolute error of each model on the training and the test ratings.",
        ),
        *(block for blocks in board_sections(board).values() for block in blocks),
        *sentences(board.notes),
    ]


def choice_table(choice: Choice) -> pl.DataFrame:
    """All models: the metric, its gain and interval, the seconds, and what became of the model."""
    interval = pl.format(
        "{} to {}",
        *(
            pl.col(end).map_elements(lambda value: f"{value:+.4f}", return_dtype=pl.String)
            for end in ("low", "high")
        ),
    )
    is_whole = pl.col("state") == "tried"
    return choice.frame.select(
        "model",
        choice.metric,
        pl.col("difference").alias(f"minus_{choice.baseline}"),
        interval.alias("95 % interval"),
        "seconds",
        pl.when(is_whole)
        .then(pl.lit(""))
        .otherwise(pl.format("{}: {}", "state", "note"))
        .alias("note"),
    )


def choice_blocks(choice: Choice, table: pl.DataFrame, notes: Sequence[str]) -> list[Block]:
    """A choice of a model as a section: the differences, the table of all models, and notes."""
    blocks: list[Block] = [Table(table, "The best on the held-out part first", digits=4)]
    if choice.frame["difference"].count():
        differences = choice.frame.filter(pl.col("difference").is_not_null()).select(
            pl.lit(choice.metric).alias("metric"),
            "model",
            pl.lit(choice.baseline).alias("reference"),
            "difference",
            "low",
            "high",
        )
        figure = board_plots.plot_differences(differences, choice.metric)
        alt = "Difference of each model to the baseline, with its interval."
        blocks.insert(0, Picture(figure, alt))
    return [*blocks, *sentences(notes)]


def error_pictures(board: Leaderboard) -> list[Picture]:
    """Error against seconds, differences with their intervals, and errors by bands."""
    order = pl.Enum(board.frame["model"].to_list())
    bands = board.bands.sort(pl.col("model").cast(order))
    alt = "RMSE of each model by the popularity of the item and the activity of the user."
    return [
        *_score_pictures(board, board.error, "model"),
        Picture(board_plots.plot_bands_of_models(bands, "rmse"), alt),
    ]


def list_pictures(board: Leaderboard) -> list[Picture]:
    """The score of the lists against the seconds of the fit, the differences, and the gaps."""
    pictures = _score_pictures(board, "recall" if board.by == "recall" else "ndcg", "model's lists")
    if len(board.gaps) and board.k is not None:
        alt = "Hit rate of each model by the time since the user was there last, with intervals."
        pictures.append(Picture(plot_gaps(board.gaps, board.k), alt))
    return pictures


def _score_pictures(board: Leaderboard, metric: str, of: str) -> list[Picture]:
    name = metric.upper()
    figure = board_plots.plot_error_and_seconds(board.frame, f"test_{metric}")
    pictures = [Picture(figure, f"Test {name} of each {of} against the seconds of its fit.")]
    if metric in board.differences["metric"]:
        figure = board_plots.plot_differences(board.differences, metric)
        alt = f"Difference of {name} of each model to the reference, with its interval."
        pictures.append(Picture(figure, alt))
    return pictures
