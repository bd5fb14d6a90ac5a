"""Search the options of a model, show and draw the search, and fit the best on everything."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.data.splits import SplitOf, split_by_name
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

PICTURE_ENDINGS = (".png", ".svg", ".pdf")


@dataclass(frozen=True)
class Files:
    """The files to write after a search: the best model and the figure, each a path or None."""

    model: Path | None = None
    figure: Path | None = None

    def check(self) -> None:
        """Refuse paths that cannot be written, before the search."""
        if self.figure is not None and self.figure.suffix not in (".html", *PICTURE_ENDINGS):
            expected = f"a path ending in .html, {', '.join(PICTURE_ENDINGS)}"
            raise ArgumentError("--figure", expected=expected, received=str(self.figure))
        if self.model is not None:
            refuse_occupied(self.model)


def run_tuning(
    ratings: Ratings | Interactions,
    model: str,
    *,
    data: str,
    split: str | None,
    test_size: float,
    seed: int,
    files: Files,
    output: Output,
    **options: Any,
) -> None:
    """Search a model's options without a look at the test part, and show the result.

    Args:
        ratings: All ratings or interactions.
        model: The model's name.
        data: The words on the command line that name the data.
        split: A split whose test part is set aside; the search splits the rest in the same way.
            None uses all rows.
        test_size, seed: As in `split_by_name`.
        files: Where to save the best model, fitted on all ratings, and the figure.
        output: How to show it.
        options: Further arguments of `tune`.
    """
    files.check()
    noun, of_split = ratings.noun, list[str]()
    train, note = ratings, f"no test part was set aside: the search had all the {noun}"
    of_kind = ratings.source.notes[:1] if isinstance(ratings, Interactions) else ()
    if split is not None:
        parts: SplitOf[Any] = split_by_name(ratings, split, test_size=test_size, seed=seed)
        train, of_split = parts.train, [*parts.notes]
        note = f"the {len(parts.test):,} test {noun} of the split {split} were not looked at"
        options["split"] = "random" if split[1:].isdigit() else split
    with working(f"tuning {model}") as tell:
        tuning = tune(model, train, seed=seed, progress=tell, **options)
    command = f"tastemap fit {data} {tuning.words}"
    notes = [*of_kind, *_notes(tuning), note, *of_split]
    if files.figure is not None:
        write_figure(tuning, files.figure, notes, command)
        notes.append(f"the search is drawn in {files.figure}")
    if files.model is not None:
        with working(f"fitting the best on all {noun}"):
            tuning.make().fit(ratings, seed=seed, progress=False).save(files.model)
        notes.append(f"the best, fitted on all {len(ratings):,} {noun}, is saved in {files.model}")
    _show(tuning, notes, command, output)


def _show(tuning: Tuning, notes: list[str], command: str, output: Output) -> None:
    """Show the tables and the command, or the whole result as JSON."""
    if output.as_json:
        gain = None if tuning.gain is None else tuning.gain._asdict()
        print_json(
            {
                "model": tuning.model,
                "metric": tuning.metric,
                "options": tuning.fixed | tuning.options,
                "value": tuning.value,
                "default_value": tuning.default_value,
                "gain": gain,
                "fit": command,
                "trials": rows_of(tuning.trials),
                "notes": notes,
            }
        )
        return
    name = Objective(tuning.metric).name
    output.tables({f"Options of {tuning.model}": options_table(tuning), name: values_table(tuning)})
    for note in notes:
        say(f"note: {note}")
    console.print(f"\n{command}", soft_wrap=True, markup=False)


def options_table(tuning: Tuning) -> pl.DataFrame:
    """Text columns ``option, searched, defaults, best``, a row for each option."""
    rows = tuning.trials.to_dicts()
    default: dict[str, Any] = next((row for row in rows if row["note"] == "the defaults"), {})
    return pl.DataFrame(
        [
            {
                "option": name.rpartition(".")[2],
                "searched": f"{span.low:g} to {span.high:g}",
                "defaults": _text(default.get(name)),
                "best": _text(tuning.options.get(name, default.get(name))),
            }
            for name, span in SPACES[tuning.model].items()
            if name in tuning.trials.columns
        ]
    )


def values_table(tuning: Tuning) -> pl.DataFrame:
    """The values of the defaults and of the best, with their trials and seconds."""
    metric = tuning.metric
    scored = tuning.trials.filter(pl.col(metric).is_not_null())
    is_default = pl.col("note").eq("the defaults").fill_null(value=False)
    sides = {"defaults": is_default, "best": pl.col(metric) == tuning.value}
    columns = ["options", metric, "trial", "seconds"]
    parts = [
        scored.filter(where).head(1).with_columns(options=pl.lit(side)).select(columns)
        for side, where in sides.items()
    ]
    return pl.concat(parts)


def _text(value: Any) -> str:
    return "" if value is None else f"{value:g}"


def _notes(tuning: Tuning) -> list[str]:
    """Notes on the search, in sentences."""
    failed = tuning.trials.filter(pl.col("state") == "failed")
    seconds = tuning.trials["seconds"].sum()
    text = f"{len(tuning.trials)} trials of {seconds:.0f} s together, {tuning.judged}"
    if len(failed):
        text += f"; {len(failed)} failed, the last because: {failed['note'][-1]}"
    notes = [text + ("; stopped" if tuning.interrupted else "")]
    if not tuning.options:
        return [*notes, "no trial did better than the defaults"]
    if tuning.gain is not None:
        value, low, high = tuning.gain
        name = Objective(tuning.metric).name
        notes.append(
            f"best minus defaults: {name} {value:+.4f}, 95 % interval {low:+.4f} to {high:+.4f}"
            " (users resampled). The best was chosen by this very part: expect a little less"
            " elsewhere"
        )
    return notes


def write_figure(tuning: Tuning, path: Path, notes: list[str], command: str) -> None:
    """Draw the search as a picture, or as a page with the trials beside it."""
    figure = plot_search(
        tuning.trials,
        tuning.metric,
        larger_is_better=Objective(tuning.metric).larger_is_better,
        log=[name for name, span in SPACES[tuning.model].items() if span.log],
    )
    if path.suffix in PICTURE_ENDINGS:
        figure.savefig(path, dpi=150)
        return
    learnt_by = make_model(tuning.model, **tuning.fixed)
    report = Report(f"The search for options of {tuning.model}", str(learnt_by))
    best_first = tuning.trials.sort(
        tuning.metric, descending=Objective(tuning.metric).larger_is_better, nulls_last=True
    )
    report.section(
        "The search",
        Picture(figure, "Value of each trial in order, and against each option."),
        *notes,
        Table(options_table(tuning), "Ranges, defaults and the best"),
        Code(command),
    )
    report.section("The trials", Table(best_first, "Best first", digits=4, rows=200))
    report.write(path)
