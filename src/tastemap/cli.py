"""The command line: one command a verb. Each parses, makes one library call, and prints."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from tastemap.arguments import (
    Json,
    K,
    Model,
    Out,
    Rated,
    Seed,
    load_saved,
    model_or_ratings,
    noting,
    parse_options,
    parse_person,
    read_data,
    reads_ratings,
    warnings_as_notes,
)
from tastemap.errors import ArgumentError, TastemapError

if TYPE_CHECKING:
    from tastemap.data.ratings import Ratings

WRONG_CALL, FAILED_JOB, STOPPED = 2, 1, 130

# What the library's advice is called here.
SAID_IN_PYTHON = (
    (r"exclude_seen=False", "--include-seen"),
    (r"has_header=False", "--no-header"),
    (r"duplicates='last', 'first' or 'mean'", "--duplicates last, first or mean"),
    (r"\b(user|item|rating|timestamp)=\.\.\.", r"--\1 NAME"),
)


class Commands(TyperGroup):
    """The commands; an error is one line on standard error and an exit code, no traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command and turn its errors into exit codes."""
        if ctx.params.get("debug"):
            return super().invoke(ctx)
        try:
            with warnings_as_notes():
                return super().invoke(ctx)
        except typer.TyperException as error:
            where = getattr(getattr(error, "ctx", None), "command_path", "tastemap")
            said = getattr(error, "format_message", error.__str__)()
            _stop(f"{said.rstrip('.')}; see {where} --help", WRONG_CALL)
        except ArgumentError as error:
            _stop(error, WRONG_CALL)
        except (TastemapError, OSError, MemoryError) as error:
            _stop(error, FAILED_JOB)
        except (typer.Exit, typer.Abort):
            raise
        except KeyboardInterrupt:
            _stop("stopped", STOPPED)
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            _stop(f"unexpected {what}; run it again with --debug to see where", FAILED_JOB)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Turn a table of ratings into a recommender people can trust, look into and serve.",
    epilog="Start with: tastemap lab --out demo/",
)


def _tell_version(asked: bool) -> None:
    if asked:
        from tastemap import __version__

        typer.echo(f"tastemap {__version__}")
        raise typer.Exit


@app.callback()
def _global(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", help="Tell the version.", callback=_tell_version, is_eager=True),
    ] = False,
) -> None:
    """Options of every command."""


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="ml-100k, ml-1m, ml-25m, ml-latest-small …")],
    source: Annotated[
        Path | None, typer.Option("--from", help="A zip or folder to take it from.")
    ] = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Fetch again what is there.")] = False,
    as_json: Json = False,
) -> None:
    """Fetch a MovieLens data set into the cache and verify it."""
    from tastemap import terminal
    from tastemap.data.fetch import fetch_dataset

    with terminal.download_bar(name) as progress:
        folder = fetch_dataset(
            name, source=source, refresh=refresh, report=terminal.say, progress=progress
        )
    terminal.Output(as_json).facts({"name": name, "folder": str(folder)}, f"{name} is here")


@app.command()
@reads_ratings
def describe(
    ratings: "Ratings",
    as_json: Json = False,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="A folder for the figures (PNG).")
    ] = None,
) -> None:
    """Tell what is in a ratings file, and how it was read."""
    from tastemap import jobs, terminal

    output = terminal.Output(as_json)
    output.tables(jobs.statistics_tables(ratings), ratings.source.notes)
    if out is not None:
        jobs.save_figures(jobs.statistics_figures(ratings), out)
        terminal.say(f"wrote the figures to {out}")


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
    from tastemap.lab import run_lab
    from tastemap.terminal import Output

    ratings = read_data(data, {"source": source})
    run_lab(ratings, out, seeds=range(seed, seed + seeds), output=Output(as_json))


@app.command()
@reads_ratings
def fit(
    ratings: "Ratings",
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to save the model in.")],
    model: Annotated[str, typer.Option("-m", "--model", help="Name of the model.")] = "mf",
    option: Annotated[
        list[str] | None, typer.Option("--set", help="An option of the model, n_epochs=20.")
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Fit a model on all the ratings and save it."""
    from tastemap.models import make_model
    from tastemap.terminal import Output

    fitted = make_model(model, **parse_options(option or [])).fit(ratings, seed=seed)
    fitted.save(out)
    Output(as_json).facts({"model": model, "saved in": str(out)}, "Fitted", ratings.source.notes)


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
    split: Annotated[
        str, typer.Option(help="random, per-user, time, forecast, last, u1 … u5.")
    ] = "random",
    test_size: Annotated[float, typer.Option(help="Share of the test ratings.")] = 0.2,
    lists: Annotated[
        bool, typer.Option("--lists", help="Score the recommended lists too.")
    ] = False,
    seed: Seed = 0,
    as_json: Json = False,
    out: Out = None,
) -> None:
    """Fit a model on one part of the ratings and score it on the other, beside the baseline."""
    from tastemap.jobs import evaluation_tables
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
        str, typer.Option("-m", "--models", help="Names of models, with commas between.")
    ] = "bias,knn,als,mf",
    split: Annotated[
        str, typer.Option(help="random, per-user, time, forecast, last, u1 … u5.")
    ] = "random",
    test_size: Annotated[float, typer.Option(help="Share of the test ratings.")] = 0.2,
    seeds: Annotated[int, typer.Option(help="Fits of each model.")] = 1,
    seed: Seed = 0,
    as_json: Json = False,
    out: Out = None,
) -> None:
    """Fit several models on the same split and put their errors side by side."""
    from tastemap.jobs import compared_models
    from tastemap.terminal import Output, working

    names, several = models.replace(" ", "").split(","), range(seed, seed + seeds)
    with working("comparing") as tell:
        board = compared_models(
            ratings, names, split=split, test_size=test_size, seeds=several, tell=tell
        )
    notes = [f"chosen by the error on validation ratings: {board.chosen}"]
    Output(as_json, out).show(board.frame, "Leaderboard", notes)


@app.command()
def predict(
    model: Model,
    user: Annotated[str | None, typer.Argument(help="A user id.")] = None,
    items: Annotated[list[str] | None, typer.Argument(help="Item ids or titles.")] = None,
    pairs: Annotated[
        Path | None, typer.Option(help="Instead: a file with columns user_id, item_id.")
    ] = None,
    as_json: Json = False,
    out: Out = None,
) -> None:
    """Predict ratings of items by a user, or of many pairs."""
    from tastemap.jobs import predicted_pairs
    from tastemap.terminal import Output

    frame = predicted_pairs(load_saved(model), user, items or [], pairs)
    Output(as_json, out).show(frame, "Predicted ratings")


@app.command()
def recommend(
    model: Model,
    user: Annotated[str | None, typer.Argument(help="A user id; or use --rate.")] = None,
    rate: Rated = None,
    ratings: Annotated[
        Path | None,
        typer.Option(help="A file of a new person's ratings: item_id or title, rating."),
    ] = None,
    k: K = None,
    where: Annotated[
        str | None, typer.Option(help="\"genres contains 'Horror' and year >= 1990\"")
    ] = None,
    novelty: Annotated[
        float, typer.Option(help="From -1 (popular) over 0 to 1 (little known).")
    ] = 0.0,
    include_seen: Annotated[
        bool, typer.Option("--include-seen", help="Also what has been rated.")
    ] = False,
    as_json: Json = False,
    out: Out = None,
) -> None:
    """Recommend items to a user of the data, or to a new person from their ratings."""
    from tastemap.terminal import Output

    answer, notes = noting(
        lambda: load_saved(model).recommend(
            user,
            ratings=parse_person(rate, ratings),
            k=k,
            where=where,
            novelty=novelty,
            exclude_seen=not include_seen,
        )
    )
    Output(as_json, out).show(answer, "Recommendations", notes)


@app.command()
def similar(
    model: Model,
    item: Annotated[str, typer.Argument(help="An item id or title; with --users, a user id.")],
    other: Annotated[str | None, typer.Argument(help="A second item to compare it with.")] = None,
    k: K = None,
    users: Annotated[bool, typer.Option("--users", help="Similar users instead.")] = False,
    opposite: Annotated[bool, typer.Option("--dissimilar", help="The least similar.")] = False,
    as_json: Json = False,
    out: Out = None,
) -> None:
    """Find the most similar items, or say how similar two are."""
    from tastemap.jobs import neighbours
    from tastemap.terminal import Output

    frame, title = neighbours(load_saved(model), item, other, k=k, users=users, opposite=opposite)
    Output(as_json, out).show(frame, title)


@app.command()
def search(
    query: Annotated[list[str], typer.Argument(help="Words of a title.")],
    where: Annotated[
        str, typer.Option("--in", help="A saved model, a ratings file, or a data set's name.")
    ] = "ml-100k",
    k: K = None,
    as_json: Json = False,
    out: Out = None,
) -> None:
    """Search titles: case, accents and the order of words do not matter."""
    from tastemap.explore.search import search_titles
    from tastemap.terminal import Output

    words = " ".join(query)
    frame = search_titles(model_or_ratings(where).items, words, k=k or 10)
    Output(as_json, out).show(frame, f"Titles like “{words}”")


@app.command("map")
def draw_map(
    model: Model,
    out: Annotated[
        Path, typer.Option("-o", "--out", help="An .html page, or a picture (.png, .svg, .pdf).")
    ] = Path("map.html"),
    colour: Annotated[str, typer.Option(help="popularity, average, year or genre.")] = "popularity",
    as_json: Json = False,
) -> None:
    """Draw the items on a plane, those with similar factors close together."""
    from tastemap.jobs import write_map
    from tastemap.terminal import Output

    Output(as_json).facts(write_map(model, out, colour), "Map of the items")


@app.command()
def report(
    model: Model,
    out: Annotated[Path, typer.Option("-o", "--out", help="The page.")] = Path("report.html"),
    as_json: Json = False,
) -> None:
    """Write a self-contained page about a saved model: its data, its training, its map."""
    from tastemap.jobs import write_report
    from tastemap.terminal import Output

    write_report(load_saved(model), out)
    Output(as_json).facts({"report": str(out)}, "Report")


@app.command()
def info(model: Model, as_json: Json = False) -> None:
    """Tell what a saved model is: class, data, errors, versions."""
    from tastemap.models.store import read_manifest
    from tastemap.terminal import Output

    Output(as_json).facts(read_manifest(model), f"Model {model}")


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check what is installed, what runs, and where data is kept."""
    from tastemap.doctor import diagnosis
    from tastemap.terminal import Output

    Output(as_json).show(diagnosis(), "tastemap doctor")


def main() -> None:
    """Run the command line; ``--debug`` may stand anywhere in it."""
    arguments = sys.argv[1:]
    if "--debug" in arguments:
        arguments = ["--debug", *(word for word in arguments if word != "--debug")]
    app(args=arguments, prog_name="tastemap")


def _stop(error: object, code: int) -> None:
    """Say what went wrong in one line, and end with an exit code."""
    from tastemap.terminal import printable

    text = " ".join(str(error).split())
    for python, option in SAID_IN_PYTHON:
        text = re.sub(python, option, text)
    sys.stderr.write(f"tastemap: {printable(text)}\n")
    raise typer.Exit(code)
