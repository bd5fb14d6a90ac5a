"""Compare several models on the same split."""

from pathlib import Path
from typing import Annotated

import typer

from tastemap.cli.arguments import (
    Json,
    Lists,
    Seed,
    SplitName,
    Table,
    TestSize,
    output,
    parse_options,
    reads_feedback,
)


@reads_feedback
def compare(
    ratings: Table,
    models: Annotated[
        str | None,
        typer.Option(
            "-m",
            "--models",
            help="Names with commas between; options as in mf:n_factors=64. If not said"
            " bias,knn,als,mf, and without ratings popularity,ease,ials.",
        ),
    ] = None,
    split: SplitName = "random",
    test_size: TestSize = 0.2,
    test: Table | None = None,
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
    from tastemap.jobs.compare import makers_of, run_comparison, usual_models

    options = {"lists": lists, "k": k, "by": by, "reference": reference, "refit": refit}
    run_comparison(
        ratings,
        makers_of(models or usual_models(ratings), parse_options),
        split=split,
        test_size=test_size,
        seeds=range(seed, seed + seeds),
        output=output(as_json, out),
        test=test,
        **options,
    )
