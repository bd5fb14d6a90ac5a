"""From a table to a model and a report: each step computes, shows, and reports."""

import json
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tastemap.data import statistics
from tastemap.data.interactions import Interactions
from tastemap.data.nouns import item_noun
from tastemap.data.ratings import Ratings
from tastemap.data.splits import SplitOf
from tastemap.errors import ArgumentError, MissingPackageError, TastemapError
from tastemap.evaluation.choose import (
    GOALS,
    MIN_RATINGS,
    Choice,
    choose,
    fitting_goal,
    fitting_split,
    judged_users,
    order_notes,
)
from tastemap.evaluation.evaluate import evaluate, rank_unseen
from tastemap.evaluation.leakage import is_forecast, split_notes
from tastemap.evaluation.objective import liked_from, liking
from tastemap.explore.item_map import MIN_ITEMS, describe_map, item_map
from tastemap.explore.report.blocks import Code, Summary, Table
from tastemap.explore.report.page import write_page
from tastemap.explore.report.report import Block, Report
from tastemap.jobs import describe, sections
from tastemap.jobs.compare import choice_blocks, choice_table, sentences
from tastemap.jobs.cover_sections import cover_blocks
from tastemap.jobs.evaluate import gap_table, record_of_lists
from tastemap.jobs.held_out import DEFAULT_SPLIT, parts_of
from tastemap.jobs.list_sections import gap_blocks, list_scores
from tastemap.jobs.schedule import N_FITS, Schedule, advice, is_cut_short
from tastemap.jobs.summary import headline, summary
from tastemap.models.base.artifact import refuse_occupied
from tastemap.models.registry import make_model
from tastemap.support.boundary import failures
from tastemap.support.deadline import current, deadline
from tastemap.terminal import Output, console, print_json, program, rows_of, say, working

TEST_SIZE, VALIDATION_SIZE = 0.2, 0.1

NEXT_STEPS = """\
{tastemap} recommend {model} {user}
{tastemap} search WORDS --in {model}
{tastemap} info {model}
{tastemap} serve {model}"""


class Run:
    """One run; the steps are called in order, and each stores data for the next.

    The time is that of the deadline around it: each step asks how much of it is left.
    """

    def __init__(
        self,
        ratings: Ratings | Interactions,
        out: Path,
        *,
        goal: str | None,
        seed: int,
        output: Output,
        test: Ratings | Interactions | None = None,
    ) -> None:
        self.goal, self.noun = fitting_goal(ratings, goal), ratings.noun
        baseline = GOALS[self.goal][0]
        if len(ratings) < MIN_RATINGS:
            raise ArgumentError(
                self.noun,
                expected=f"at least {MIN_RATINGS}: some to learn from, to choose by and to test on",
                received=len(ratings),
                do=f"gather more, or use tastemap fit -m {baseline}",
            )
        self.ratings, self.out, self.seed = ratings, out, seed
        self.given = None
        if test is not None:
            self.given = parts_of(ratings, test, DEFAULT_SPLIT, test_size=TEST_SIZE, seed=seed)
        self.output, self.notes = output, list[str]()
        scale = ratings.scale if isinstance(ratings, Ratings) else None
        if self.goal == "ratings" and scale is not None and scale.lowest == scale.highest:
            self.goal = "lists"
            self.notes.append("all ratings are equal: models that rank are compared instead")
        self.report = Report(f"From {self.noun} to a recommender", ratings.source.name)
        self.schedule = Schedule(ratings.n_items, has_map=self.goal == "ratings")
        self.split: SplitOf[Any]
        self.held_out: str
        self.choice: Choice
        self.advice: dict[str, str] = {}
        self.tester: Any = None
        self.model: Any = None
        self.tested: dict[str, pl.DataFrame] = {}
        self.metrics: dict[str, Any] = {}

    def describe(self) -> None:
        """The data: counts, popularity, averages; of interactions first of all what they are."""
        notes = self.ratings.source.notes
        n_first = 1 if isinstance(self.ratings, Interactions) else 0
        self._show({}, notes[:n_first])
        self._show(describe.statistics_tables(self.ratings), notes[n_first:])
        self._report(f"The {self.noun}", lambda: describe.data_blocks(self.ratings))
        self.schedule.note_description()

    def choose(self) -> None:
        """Set the test part aside, and choose a model by the other rows alone."""
        kind = self._set_aside()
        spent = self.schedule.seconds_spent
        with working("choosing a model") as tell:
            self.choice = choose(
                self.split.train,
                goal=self.goal,
                seconds=self.schedule.for_choice,
                n_fits=N_FITS,
                validation_size=VALIDATION_SIZE,
                split=kind,
                seed=self.seed,
                progress=tell,
            )
        if not make_model(self.choice.chosen).capabilities.map:
            self.schedule.has_map = False
        table = choice_table(self.choice)
        notes = [
            f"chosen: {self.choice.chosen}; the models were {self.choice.judged}",
            f"the test part, {self.held_out}, had no say in it",
            *order_notes(self.ratings, self.choice.chosen),
        ]
        self.advice = advice(self.choice, spent, self.schedule.seconds)
        if self.choice.threshold is not None:
            self._note(liked_from(self.ratings, self.choice.threshold))
        title = f"Models, the best on held-out {self.noun} first"
        self._show({title: table}, notes)
        self._report("Choosing the model", lambda: choice_blocks(self.choice, table, notes))

    def _set_aside(self) -> str:
        """Split the test part off; gives the split by which the models are to be judged, too."""
        if self.given is None:
            sizes = (TEST_SIZE, self.seed, VALIDATION_SIZE)
            kind, self.split = fitting_split(self.ratings, self.goal, *sizes)
            self.held_out = f"{len(self.split.test):,} {self.noun} (split {kind})"
            self.notes += self.split.notes
            return kind
        self.split, name, notes = self.given
        self.held_out = f"{len(self.split.test):,} {self.noun} of {name}"
        # The errors of predicted ratings bring these notes with them.
        of_split = split_notes(*self.split) if self.goal == "lists" else ()
        for note in (*notes[1:], *of_split):
            self._note(note)
        if is_forecast(*self.split):
            kind, inner = fitting_split(self.ratings, self.goal, VALIDATION_SIZE, self.seed)
            self.notes += inner.notes
            return kind
        return "per-user" if self.goal == "lists" else "random"

    def evaluate(self) -> None:
        """Fit the chosen model on all but the test part, and score it on the test part, once."""
        tester = self._tested()
        notes: Sequence[str] = ()
        if self.goal == "ratings":
            result = evaluate(tester, self.split.test)
            self.metrics, notes, self.tested = result.record, result.notes, result.tables
        else:
            self.tested = self._list_scores(tester)
            table, *by_gap = self.tested.values()
            self.metrics = record_of_lists(table, *by_gap)
        n = len(tester.ratings_)
        self._show(self.tested, [f"fitted on {n:,} {self.noun}, tested on {self.held_out}", *notes])

        def blocks() -> list[Block]:
            sentence = (
                f"The chosen model, {self.choice.chosen}, was fitted on {n:,} other"
                f" {self.noun} and"
                f" tested on {self.held_out}."
            )
            if self.goal == "ratings":
                return [sentence, *sections.evaluation_blocks(result, self.split.test)]
            return [sentence, list_scores(table), *gap_blocks(by_gap)]

        self._report("The test", blocks)
        self.schedule.note_test()

    def _tested(self) -> Any:
        """The fit that is tested: of the chosen model, or if that fails of the next best.

        If there is no time for it, the test is of the fit by which the model was chosen.
        """
        judged = self.choice.frame.filter(pl.col(self.choice.metric).is_not_null())
        n_answers = len(self.split.test) / max(VALIDATION_SIZE * len(self.split.train), 1)
        times, why = [self.choice.fit_seconds, self.choice.judging_seconds * n_answers], ""
        self.tester, self.choice = self.choice.model, replace(self.choice, model=None)
        for name in judged["model"]:
            is_last = self.given is not None
            seconds = self.schedule.for_test(*times, is_last=is_last)
            if not (seconds or why or is_last):
                return self.tester
            self.choice = replace(self.choice, chosen=name)
            failed: list[str] = []
            with working(f"testing {name}"), failures(failed.append):
                self.tester = self._fitted(self.split.train, seconds)
            if not failed:
                self.model = self.tester if is_last else None
                return self.tester
            why = failed[0]
            self._note(f"{name} would have been chosen, but failed in the test: {why}")
        raise TastemapError("the test", expected="a model that can be fitted", received=why)

    def _list_scores(self, tester: Any) -> dict[str, pl.DataFrame]:
        """Frame ``metric``, the chosen model's and the baseline's values; the same by gap."""
        k, threshold = min(10, self.ratings.n_items), self.choice.threshold
        test = judged_users(self.split.test, self.seed)
        if len(test) < len(self.split.test):
            n = np.count_nonzero(test.by_user.counts)
            self._note(f"lists are tested for {n:,} users, drawn at random")
        baseline = make_model(GOALS["lists"][0]).fit(tester.ratings_, progress=False)
        models = {self.choice.chosen: tester, "baseline": baseline}
        ranked = {name: rank_unseen(m, test, k, threshold=threshold) for name, m in models.items()}
        frames = {name: lists.frame(tester.ratings_) for name, lists in ranked.items()}
        scores = {name: frame["value"] for name, frame in frames.items()}
        names = frames["baseline"]["metric"]
        tables = {"Test lists": pl.DataFrame({"metric": names, **scores})}
        if is_forecast(tester.ratings_, test):
            title = "Test lists by the time since the user was there last"
            tables[title] = gap_table(ranked, tester.ratings_, test)
        return tables

    def fit(self) -> None:
        """Fit the chosen model on all rows, unless the tested fit was on them."""
        name = self.choice.chosen
        why = self._fit_on_all() if self.model is None else None
        if why is not None:
            self.model = self.tester
            n, n_all = len(self.model.ratings_), len(self.ratings)
            self._note(f"the saved {name} was fitted on {n:,} of {n_all:,} {self.noun}: {why}")
        self.model.metrics_ = self.metrics
        if self.model.stopped_ is None:
            self.advice.pop(name, None)
        else:
            done, planned = self.model.stopped_
            self._note(f"the saved {name} was stopped by its time: {done} of {planned} iterations")
        for text in self.advice.values():
            self._note(text)
        if "train_loss" in self.model.history_.columns:
            self._report("Training", lambda: sections.training_blocks(self.model))

    def _fit_on_all(self) -> str | None:
        """Fit the chosen model on all rows; why the tested fit is the better one, or None."""
        name, failed = self.choice.chosen, list[str]()
        if not self.schedule.has_time_for_fit(self.choice.row["estimated"] or 0.0):
            return f"no time was left for a fit on all {self.noun}"
        with working(f"fitting {name} on all {self.noun}"), failures(failed.append):
            self.model = self._fitted(self.ratings, self.schedule.for_fit)
        if failed:
            return failed[0]
        if is_cut_short(self.model, self.tester):
            return f"there was time for {self.model.stopped_[0]} iterations on all {self.noun}"
        return None

    def recommend(self) -> None:
        """Items for a user of the data and for a new user."""

        def blocks() -> list[Block]:
            blocks = sections.recommendation_blocks(self.model)
            self._show({b.caption: b.frame for b in blocks if isinstance(b, Table)})
            return [*blocks, *cover_blocks(self.model)]

        self._report("Recommendations", blocks)

    def draw_map(self) -> None:
        """Neighbours, if the model compares items, and the map, if it is made of factors."""
        name, can, items = self.choice.chosen, self.model.capabilities, item_noun(self.ratings)
        if can.similar_items and self.ratings.n_items > 1:
            self._report("Neighbours", lambda: sections.neighbour_blocks(self.model))
        if not can.map:
            self._note(f"no map: {name} has no factors to lay the items out by")
            return
        if self.ratings.n_items < MIN_ITEMS:
            self._note(f"no map: it takes at least {MIN_ITEMS} {items.plural}")
            return
        if not self.schedule.for_map:
            self._note(f"no map: there was no time for its {self.schedule.map_seconds:.0f} s or so")
            return
        with failures(lambda why: self._note(f"no map: {why}")):
            with working("drawing the map"), deadline(self.schedule.for_map):
                frame = item_map(self.model)
            self._show({}, [describe_map(frame, items)])
            self._report(f"Map of the {items.plural}", lambda: sections.map_blocks(self.model))

    def save(self) -> None:
        """The model, the leaderboard and the report."""
        files = {"model": self.model.save(self.out / "model")}
        files["leaderboard"] = self.out / "leaderboard.json"
        user = shlex.quote(str(self.ratings.users.ids[0]))
        steps = NEXT_STEPS.format(tastemap=program(), model=files["model"], user=user)
        if self.report.sections:
            files["report"] = self.out / "report.html"
            whose = "are its own"
            if self.model is not self.tester:
                whose = f"are those of the fit on {len(self.tester.ratings_):,} of them"
            text = (
                f"The model “{self.choice.chosen}”, fitted on {len(self.model.ratings_):,}"
                f" {self.noun}, is saved beside this report. Its test"
                f" {'errors' if self.goal == 'ratings' else 'scores'} {whose}."
            )
            self.report.summary = self._made()
            self.report.section("What to try next", text, *sentences(self.notes), Code(steps))
            self.report.write(files["report"])
        summary = self.summary() | {"files": {name: str(path) for name, path in files.items()}}
        text = json.dumps(summary, ensure_ascii=False, indent=2, default=str)
        write_page(files["leaderboard"], text + "\n")
        if self.output.as_json:
            print_json(summary)
            return
        for name, path in files.items():
            say(f"{name}: {path}")
        for note in self.notes:
            say(f"note: {note}")
        console.print(f"\n[bold]What to try next[/bold]\n{steps}", soft_wrap=True)

    def _made(self) -> Summary:
        """The summary of the report: the model, its test, and the figures that count."""
        figures = headline(self.metrics, self.choice.chosen)
        figures += [(self.noun, len(self.ratings)), ("users", self.ratings.n_users)]
        what = f"“{self.choice.chosen}” was chosen, and tested on {self.held_out}"
        return summary(self.ratings, what, figures[:3], self.seed)

    def summary(self) -> dict[str, Any]:
        """The results of the run, as plain objects."""
        return {
            self.noun: statistics.at_a_glance(self.ratings).to_dicts()[0],
            "goal": self.goal,
            "chosen": self.choice.chosen,
            "metric": self.choice.metric,
            "judged": self.choice.judged,
            "models": rows_of(self.choice.frame),
            "tested_on": self.held_out,
            "test": {title: rows_of(frame) for title, frame in self.tested.items()},
            "notes": [*self.ratings.source.notes, *self.notes],
        }

    def _fitted(self, ratings: Any, seconds: float) -> Any:
        """The chosen model, fitted on some rows; its iterations end after some seconds."""
        model = liking(make_model(self.choice.chosen), self.choice.threshold)
        with deadline(max(seconds, 0.0)):
            return model.fit(ratings, seed=self.seed, progress=False)

    def _report(self, title: str, blocks: Callable[[], Sequence[Block]]) -> None:
        """Add a section, unless a package that draws it is missing; a note says so once.

        A section that cannot be made, or for which no time is left, is left out, too: the model is
        worth more than a figure.
        """
        if current().seconds_left == 0:
            self._note(f"no section “{title}” in the report: no time was left")
            return
        with failures(lambda why: self._note(f"no section “{title}” in the report: {why}")):
            try:
                self.report.section(title, *blocks())
            except MissingPackageError as error:
                self._note(f"no figures: {error}")

    def _note(self, note: str) -> None:
        """Note a fact for the end of the output, and for the report."""
        if note not in self.notes:
            self.notes.append(note)

    def _show(self, tables: dict[str, pl.DataFrame], notes: Sequence[str] = ()) -> None:
        if not self.output.as_json:
            self.output.tables(tables, notes)


def run_all(
    ratings: Ratings | Interactions,
    out: Path,
    *,
    seconds: float,
    goal: str | None,
    seed: int,
    output: Output,
    test: Ratings | Interactions | None = None,
) -> None:
    """Run every step and write ``model``, ``leaderboard.json`` and ``report.html`` into a folder.

    Args:
        ratings: At least 20 ratings or interactions.
        out: Folder of the results, made if it does not exist.
        seconds: Time for all of it, that of the reading of the ratings included.
        goal: As in `choose`.
        seed: Seed of splits and fits.
        output: How to show the results.
        test: A test table of its own; the model is then fitted on all of ``ratings``. None sets
            a part of them aside.
    """
    refuse_occupied(out / "model")
    if not seconds > 0:
        raise ArgumentError("--seconds", expected="more than 0", received=seconds)
    with deadline(max(seconds - current().seconds_passed, 0.0)):
        run = Run(ratings, out, goal=goal, seed=seed, output=output, test=test)
        for step in (run.describe, run.choose, run.evaluate, run.fit):
            step()
        for step in (run.recommend, run.draw_map, run.save):
            step()
