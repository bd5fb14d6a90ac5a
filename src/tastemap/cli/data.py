"""Commands on data: get it, tell what is in it, find a title."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tastemap.cli.arguments import Json, K, Out, Seed, model_or_ratings, read_data, reads_ratings
from tastemap.cli.program import app

if TYPE_CHECKING:
    from tastemap.data.ratings import Ratings


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
    from tastemap.data.datasets.fetch import fetch_dataset

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
    from tastemap import terminal
    from tastemap.jobs import describe as jobs

    output = terminal.Output(as_json)
    output.tables(jobs.statistics_tables(ratings), ratings.source.notes)
    if out is not None:
        jobs.save_figures(jobs.statistics_figures(ratings), out)
        terminal.say(f"wrote the figures to {out}")


@app.command()
def prepare(
    data: Annotated[Path, typer.Argument(help="A Parquet file of ratings, however large.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder of the table.")],
    user: Annotated[str | None, typer.Option(help="Column of the users.")] = None,
    item: Annotated[str | None, typer.Option(help="Column of the items.")] = None,
    rating: Annotated[str | None, typer.Option(help="Column of the ratings.")] = None,
    timestamp: Annotated[str | None, typer.Option(help="Column of the times.")] = None,
    as_json: Json = False,
) -> None:
    """Put ratings that are more than memory holds on disk, as a folder that is read like a file.

    describe, split and fit -m mf then hold a piece of the table at a time.
    """
    from tastemap import terminal
    from tastemap.data.readers.prepare import prepare_ratings

    columns = {"user": user, "item": item, "rating": rating, "timestamp": timestamp}
    with terminal.download_bar(str(data), "reading") as progress:
        ratings = prepare_ratings(data, out, **columns, progress=progress)
    facts = {"ratings": len(ratings), "users": ratings.n_users, "items": ratings.n_items}
    terminal.Output(as_json).facts(
        {**facts, "scale": str(ratings.scale), "table": str(out)}, "Prepared", ratings.source.notes
    )


@app.command()
@reads_ratings
def split(
    ratings: "Ratings",
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for train and test.")],
    by: Annotated[str, typer.Option(help="hash of user and item, or time.")] = "hash",
    test_size: Annotated[float, typer.Option(help="Share of the test ratings.")] = 0.1,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Write a training and a test part, as tables on disk that every command reads."""
    from tastemap.data.splits import split_prepared
    from tastemap.terminal import Output

    parts = split_prepared(ratings, out, by, test_size=test_size, seed=seed)
    facts = {f"{n} ratings": len(part) for n, part in zip(parts._fields, parts, strict=True)}
    Output(as_json).facts({**facts, "folder": str(out)}, f"Split by {by}")


@app.command()
def synthesize(
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder to write, new or old.")],
    like: Annotated[
        str,
        typer.Option(help="A ratings file, folder or name to expand; or ml-25m, ml-32m: a size."),
    ] = "ml-100k",
    base: Annotated[str, typer.Option(help="What to expand to ml-25m or ml-32m.")] = "ml-100k",
    n_ratings: Annotated[
        float | None, typer.Option("--ratings", help="How many, 25e6 say.")
    ] = None,
    n_users: Annotated[
        int | None, typer.Option("--users", help="In proportion to the ratings if not said.")
    ] = None,
    n_items: Annotated[
        int | None, typer.Option("--items", help="As the root of the ratings if not said.")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="csv or parquet.")] = "csv",
    figure: Annotated[
        Path | None, typer.Option(help="Draw both sets: a .png, .svg or .pdf.")
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Make realistic ratings of any size: the fractal expansion of a real set."""
    from tastemap import terminal
    from tastemap.data.datasets.fractal import SIZES
    from tastemap.jobs import synthesize as jobs

    original = read_data(base if like in SIZES else like, {})
    size = jobs.size_asked(like, original, n_ratings, n_users, n_items)
    with terminal.counting("writing ratings", size.n_ratings) as progress:
        made = jobs.synthesize(
            original, size, out, form=form, seed=seed, figure=figure, progress=progress
        )
    terminal.Output(as_json).facts(made, f"{size.n_ratings:,} ratings")


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
    from tastemap.explore.title_search import search_titles
    from tastemap.terminal import Output

    words = " ".join(query)
    frame = search_titles(model_or_ratings(where).items, words, k=k or 10)
    Output(as_json, out).show(frame, f"Titles like “{words}”")
