"""Tuning on the command line: search, show, draw, and fit the best on everything."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tastemap.data.ratings import Ratings
from tastemap.data.splits import split_by_name
from tastemap.errors import ArgumentError
from tastemap.evaluation.objective import Objective
from tastemap.evaluation.tuning.spaces import SPACES
from tastemap.evaluation.tuning.tune import Tuning, tune
from tastemap.explore.figures.tuning import plot_search
from tastemap.explore.report.blocks import Code, Picture, Table
from tastemap.explore.report.report import Report
from tastemap.models.base.artifact import refuse_occupied
from tastemap.models.registry import make_model
from tastemap.terminal import Output, console, print_json, rows_of, say, working

_PICTURES = (".png", ".svg", ".pdf")


@dataclass(frozen=True)
class Wanted:
    """What is to be made of a search: the paths, where they are given."""

    model: Path | None = None
    figure: Path | None = None

    def check(self) -> None:
        """Refuse paths that could not be written, before anything is searched."""
        if self.figure is not None and self.figure.suffix not in (".html", *_PICTURES):
            expected = f"a path ending in .html, {', '.join(_PICTURES)}"
            raise ArgumentError("--figure", expected=expected, received=str(self.figure))
        if self.model is not None:
            refuse_occupied(self.model)


def run_tuning(
    ratings: Ratings,
    model: str,
    *,
    data: str,
    split: str | None,
    test_size: float,
    seed: int,
    wanted: Wanted,
    output: Output,
    **how: Any,
) -> None:
    """Search a model's options without looking at the test part, and show what was found.

    Args:
        ratings: The whole.
        model: The model's name.
        data: The words of the command line that name the data.
        split: A split whose test part is set aside; the ratings that judge are parted from the
            rest in the same way. None uses all ratings.
        test_size, seed: As in `split_by_name`.
        wanted: Where to save the best model, fitted on all ratings, and the figure.
        output: How to show it.
        how: Further arguments of `tune`.
    """
    wanted.check()
    train, told = ratings, "no test part was set aside: the search had all the ratings"
    if split is not None:
        train, test = split_by_name(ratings, split, test_size=test_size, seed=seed)
        told = f"the {len(test):,} test ratings of the split {split} were not looked at"
        how["split"] = "random" if split[1:].isdigit() else split
    with working(f"tuning {model}") as tell:
        found = tune(model, train, seed=seed, progress=tell, **how)
    command = f"tastemap fit {data} {found.words}"
    notes = [*_notes(found), told]
    if wanted.figure is not None:
        write_figure(found, wanted.figure, notes, command)
        notes.append(f"the search is drawn in {wanted.figure}")
    if wanted.model is not None:
        with working("fitting the best on all ratings"):
            found.make().fit(ratings, seed=seed, progress=False).save(wanted.model)
        notes.append(
            f"the best, fitted on all {len(ratings):,} ratings, is saved in {wanted.model}"
        )
    _show(found, notes, command, output)


def _show(found: Tuning, notes: list[str], command: str, output: Output) -> None:
    """The tables and the command, or all of it as JSON."""
    if output.as_json:
        gain = None if found.gain is None else found.gain._asdict()
        print_json(
            {
                "model": found.model,
                "metric": found.metric,
                "options": found.fixed | found.options,
                "value": found.value,
                "default_value": found.default_value,
                "gain": gain,
                "fit": command,
                "trials": rows_of(found.trials),
                "notes": notes,
            }
        )
        return
    name = Objective(found.metric).name
    output.tables({f"Options of {found.model}": options_table(found), name: values_table(found)})
    for note in notes:
        say(f"note: {note}")
    console.print(f"\n{command}", soft_wrap=True, markup=False)


def options_table(found: Tuning) -> pl.DataFrame:
    """Text columns ``option, searched, defaults, best``, one row an option."""
    rows = [row for row in found.trials.to_dicts() if row["note"] == "the defaults"]
    default = rows[0] if rows else {}
    return pl.DataFrame(
        [
            {
                "option": name.rpartition(".")[2],
                "searched": f"{span.low:g} to {span.high:g}",
                "defaults": _text(default.get(name)),
                "best": _text(found.options.get(name, default.get(name))),
            }
            for name, span in SPACES[found.model].items()
            if name in found.trials.columns
        ]
    )


def values_table(found: Tuning) -> pl.DataFrame:
    """The values of the defaults and of the best, with their trials and seconds."""
    metric = found.metric
    known = found.trials.filter(pl.col(metric).is_not_null())
    is_default = pl.col("note").eq("the defaults").fill_null(value=False)
    sides = {"defaults": is_default, "best": pl.col(metric) == found.value}
    columns = ["options", metric, "trial", "seconds"]
    parts = [
        known.filter(where).head(1).with_columns(options=pl.lit(side)).select(columns)
        for side, where in sides.items()
    ]
    return pl.concat(parts)


def _text(value: Any) -> str:
    return "" if value is None else f"{value:g}"


def _notes(found: Tuning) -> list[str]:
    """What a reader must know, in sentences."""
    failed = found.trials.filter(pl.col("state") == "failed")
    seconds = found.trials["seconds"].sum()
    told = f"{len(found.trials)} trials of {seconds:.0f} s together, {found.judged}"
    if len(failed):
        told += f"; {len(failed)} failed, the last because: {failed['note'][-1]}"
    notes = [told + ("; stopped" if found.interrupted else "")]
    if not found.options:
        return [*notes, "no trial did better than the defaults"]
    if found.gain is not None:
        value, low, high = found.gain
        name = Objective(found.metric).name
        notes.append(
            f"best minus defaults: {name} {value:+.4f}, 95 % interval {low:+.4f} to {high:+.4f}"
            " (users resampled). The best was chosen by these very ratings: expect a little less"
            " elsewhere"
        )
    return notes


def write_figure(found: Tuning, path: Path, notes: list[str], command: str) -> None:
    """Draw the search as a picture, or as a page with the trials beside it."""
    figure = plot_search(
        found.trials,
        found.metric,
        larger_is_better=Objective(found.metric).larger_is_better,
        log=[name for name, span in SPACES[found.model].items() if span.log],
    )
    if path.suffix in _PICTURES:
        figure.savefig(path, dpi=150)
        return
    learnt_by = make_model(found.model, **found.fixed)
    report = Report(f"The search for options of {found.model}", str(learnt_by))
    best_first = found.trials.sort(
        found.metric, descending=Objective(found.metric).larger_is_better, nulls_last=True
    )
    report.section(
        "The search",
        Picture(figure, "Value of each trial in order, and against each option."),
        *notes,
        Table(options_table(found), "Ranges, defaults and the best"),
        Code(command),
    )
    report.section("The trials", Table(best_first, "Best first", digits=4, rows=200))
    report.write(path)
