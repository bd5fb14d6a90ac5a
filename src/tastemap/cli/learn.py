"""Commands that fit and judge models."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tastemap.cli.arguments import (
    Conf,
    Engine,
    Json,
    Master,
    Out,
    Seed,
    Unread,
    parse_options,
    read_data,
    reads_ratings,
)
from tastemap.cli.program import app

if TYPE_CHECKING:
    from tastemap.data.ratings import Ratings

Split = Annotated[str, typer.Option(help="random, per-user, time, forecast, last, u1 … u5.")]
TestSize = Annotated[float, typer.Option(help="Share of the test ratings.")]
Lists = Annotated[bool, typer.Option("--lists", help="Score the recommended lists too.")]


@app.command()
def lab(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the results.")] = Path("demo"),
    data: Annotated[str, typer.Option(help="A ratings file or a data set's name.")] = "ml-100k",
    seeds: Annotated[int, typer.Option(help="Fits of each model on the leaderboard.")] = 1,
    source: Annotated[
        Path | None, typer.Option("--from", help="A zip or folder that holds the data set.")
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Run the teaching lab from end to end: data, model, errors, neighbours, map, report."""
    from tastemap.jobs.lab import run_lab
    from tastemap.terminal import Output

    ratings = read_data(data, {"source": source})
    run_lab(ratings, out, seeds=range(seed, seed + seeds), output=Output(as_json))


@app.command()
@reads_ratings
def fit(
    ratings: "Ratings | Unread",
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to save the model in.")],
    model: Annotated[
        str | None,
        typer.Option("-m", "--model", help="Name of the model: mf if not said, on Spark als."),
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option("--set", help="An option of the model, n_epochs=20.")
    ] = None,
    engine: Engine = "local",
    master: Master = "local[*]",
    conf: Conf = None,
    test_size: Annotated[
        float, typer.Option(help="On Spark: share to score a first fit on; 0 for none.")
    ] = 0.1,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Fit a model on all the ratings and save it."""
    from tastemap.models.registry import make_model
    from tastemap.terminal import Output

    options = parse_options(option or [])
    if isinstance(ratings, Unread):
        from tastemap.jobs.spark import fit_on_spark

        how: dict[str, Any] = {
            "name": model or "als",
            "options": options,
            "test_size": test_size,
            "seed": seed,
        }
        facts, notes = fit_on_spark(*ratings, out, **how, master=master, conf=conf or [])
    else:
        fitted = make_model(model or "mf", **options).fit(ratings, seed=seed)
        fitted.save(out)
        facts = {"model": model or "mf", "saved in": str(out)}
        notes = ratings.source.notes
    Output(as_json).facts(facts, "Fitted", notes)


@app.command()
@reads_ratings
def evaluate(
    ratings: "Ratings",
    model: Annotated[
        str,
        typer.Option(
            "-m", "--model", help="A model's name, or a saved model to score on all ratings."
        ),
    ] = "mf",
    split: Split = "random",
    test_size: TestSize = 0.2,
    lists: Lists = False,
    seed: Seed = 0,
    as_json: Json = False,
    out: Out = None,
) -> None:
    """Fit a model on one part of the ratings and score it on the other, beside the baseline."""
    from tastemap.jobs.evaluate import evaluation_tables
    from tastemap.terminal import Output

    tables, notes = evaluation_tables(
        ratings, model, split=split, test_size=test_size, seed=seed, lists=lists
    )
    Output(as_json, out).tables(tables, notes)


@app.command()
@reads_ratings
def compare(
    ratings: "Ratings",
    models: Annotated[
        str,
        typer.Option(
            "-m", "--models", help="Names with commas between; options as in mf:n_factors=64."
        ),
    ] = "bias,knn,als,mf",
    split: Split = "random",
    test_size: TestSize = 0.2,
    lists: Lists = False,
    k: Annotated[int, typer.Option("-k", help="Length of the lists.")] = 10,
    by: Annotated[
        str | None,
        typer.Option(help="What chooses: rmse, mae, ndcg, recall … on validation ratings."),
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="Model to compare the others with; the best if not said.")
    ] = None,
    refit: Annotated[
        bool, typer.Option("--refit", help="Fit again with the validation part before testing.")
    ] = False,
    seeds: Annotated[int, typer.Option(help="Fits of each model.")] = 1,
    seed: Seed = 0,
    as_json: Json = False,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="A page (.html), or a table (.csv, .json …).")
    ] = None,
) -> None:
    """Fit several models on the same split, and put errors, lists and costs side by side."""
    from tastemap.jobs.compare import board_json, check_ending, compared, makers_of, write_board
    from tastemap.terminal import Output, print_json, say, working

    check_ending(out)
    makers = makers_of(models, parse_options)
    how: dict[str, Any] = {
        "split": split,
        "test_size": test_size,
        "seeds": range(seed, seed + seeds),
    }
    how |= {"lists": lists, "k": k, "by": by, "reference": reference, "refit": refit}
    with working("comparing") as tell:
        board, parts = compared(ratings, makers, **how, progress=tell)
    notes = [*ratings.source.notes, *board.notes]
    if as_json:
        print_json(board_json(board, notes))
    else:
        Output().tables(board.tables(), notes)
    if out is not None:
        write_board(board, out, ratings, parts, split)
        say(f"wrote {out}")
