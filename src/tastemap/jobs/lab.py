"""The lab from end to end: each step computes, shows its results, and adds them to the report."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from tastemap.data import statistics
from tastemap.data.nouns import item_noun
from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split, train_test_split
from tastemap.evaluation.compare import Maker, compare
from tastemap.evaluation.evaluate import Evaluation, evaluate, model_calibration
from tastemap.evaluation.leaderboard import Leaderboard
from tastemap.explore.item_map import item_map
from tastemap.explore.overfitting import overfitting_sentence, verdict
from tastemap.explore.report.blocks import Code, Summary
from tastemap.explore.report.report import Report
from tastemap.jobs import describe, sections
from tastemap.jobs.compare import leaderboard_blocks
from tastemap.jobs.summary import summary as made_of
from tastemap.metrics.rating import mae, mse
from tastemap.models.base.recommender import Recommender
from tastemap.models.registry import make_model
from tastemap.terminal import Output, console, print_json, program, say, working

BASELINE = "bias baseline"
# The leaderboard of the lab's last exercise: "add another layer", "more dropout and other sizes",
# "a different loss function"; and the models in compiled code, which are fast.
LEADERBOARD: dict[str, Maker] = {
    BASELINE: lambda: make_model("bias"),
    "dot (the lab's)": lambda: make_model("dot"),
    "biased dot": lambda: make_model("biased-dot"),
    "deep 64": lambda: _deep([64], dropout=0.2),
    "deep 64-32": lambda: _deep([64, 32], dropout=0.2),
    "deep 128-64-32": lambda: _deep([128, 64, 32], dropout=0.2),
    "ordinal": lambda: make_model("ordinal"),
    **{name: partial(make_model, name) for name in ("knn", "als", "mf", "bayes")},
}


def _deep(hidden: list[int], dropout: float) -> Recommender:
    options = {"hidden": hidden, "dropout": dropout, "reg": 1e-4}
    return make_model("deep", network_options=options)


NEXT_STEPS = """\
{tastemap} recommend {model} --rate "Star Wars (1977)=5"
{tastemap} similar {model} "Star Wars (1977)"
{tastemap} search jedi --in {model}
{tastemap} describe your-ratings.csv
{tastemap} fit your-ratings.csv -o my-model
{tastemap} serve {model}
{tastemap} export my-model site/"""


class Lab:
    """One run of the lab; the steps are called in order, and each stores data for the next."""

    def __init__(self, ratings: Ratings, seeds: Sequence[int], output: Output) -> None:
        self.ratings, self.seeds, self.output = ratings, list(seeds), output
        self.report = Report("The recommender lab", f"run on {ratings.source.name}")
        self.split: Split = train_test_split(ratings, test_size=0.2, seed=0)
        self.model: Any = None
        self.evaluation: Evaluation
        self.board: Leaderboard

    def statistics(self) -> None:
        """The data: counts, popularity, averages, releases."""
        self.report.section("The ratings", *describe.data_blocks(self.ratings))

    def train(self) -> None:
        """The lab's model: the dot product of two embeddings, ten epochs of batches of 64."""
        self.model = make_model("dot").fit(
            self.split.train, seed=self.seeds[0], progress=not self.output.as_json
        )
        self.report.section("Training", *sections.training_blocks(self.model))

    def evaluate(self) -> None:
        """Errors on the test ratings, and the baseline's."""
        test = self.split.test
        self.evaluation = evaluate(self.model, test)
        self.model.metrics_ = self.evaluation.record
        note = self._as_the_lab_scores_it()
        blocks = sections.evaluation_blocks(self.evaluation, test)
        self.report.section("Predicted and true ratings", note, *blocks)

    def _as_the_lab_scores_it(self) -> str:
        """The errors of the bare network, in a sentence."""
        test = self.split.test
        raw = self.model.network_.predict([test.user_index, test.item_index], verbose=0)[:, 0]
        return (
            f"The network alone, as the lab scores it: MSE {mse(test.rating, raw):.3f},"
            f" MAE {mae(test.rating, raw):.3f}. The table has it as a recommender, which keeps"
            " predictions inside the scale and takes an item without training ratings for an"
            " average one."
        )

    def embeddings(self) -> None:
        """The embeddings of items, and the similarity of two of them."""
        self.report.section("Embeddings", *sections.embedding_blocks(self.model))

    def neighbours(self) -> None:
        """Similar and dissimilar items, similar users, users interested in an item."""
        blocks = sections.neighbour_blocks(self.model, by_cosine=True)
        self.report.section("Neighbours", *blocks)

    def representations(self) -> None:
        """Neighbours and lists by a model of likes and by the lab's model."""
        progress = not self.output.as_json
        towers = make_model("two-tower").fit(
            self.split.train, seed=self.seeds[0], progress=progress
        )
        blocks = sections.likes_blocks(self.model, towers, self.split.test)
        self.report.section("Representations from likes", *blocks)

    def recommend(self) -> None:
        """What the lab's model recommends to a user of the data."""
        block = sections.list_of_a_user(self.model, rated=self.ratings)
        self.report.section("Recommendations of the lab's model", *block)

    def compare(self) -> None:
        """The exercises' models side by side, and the best of them."""
        with working("comparing models") as tell:
            self.board = compare(
                LEADERBOARD, *self.split, by="mae", seeds=self.seeds, progress=tell
            )
        self.report.section("Leaderboard", *leaderboard_blocks(self.board))

    def save(self, out: Path) -> dict[str, Any]:
        """Save the best model that can answer a new user, fitted on all ratings, and the report.

        The test errors saved with it are those of the fit on the training part.
        """
        name = next(n for n in self.board.frame["model"] if self._serves(n))
        row = self.board.frame.row(by_predicate=pl.col("model") == name, named=True)
        with working(f"fitting {name} on all ratings"):
            best: Any = LEADERBOARD[name]().fit(self.ratings, seed=self.seeds[0], progress=False)
            item_map(best)
        baseline = self.board.frame.row(by_predicate=pl.col("model") == BASELINE, named=True)
        errors = ("validation_mae", "test_mae", "test_rmse")
        best.metrics_ = {error: row[error] for error in errors}
        best.metrics_ |= {f"baseline_{error}": baseline[error] for error in errors}
        calibration = model_calibration(self.board.fitted[name], self.split.test)
        if calibration is not None:
            best.metrics_["calibration"] = calibration.record
        paths = {"model": best.save(out / "model"), "report": out / "report.html"}
        steps = NEXT_STEPS.format(tastemap=program(), model=paths["model"])
        text = (
            f"The model saved beside this report is “{name}”, the best on the validation ratings"
            " of those that can answer a new person from their ratings alone, fitted again on all"
            " ratings."
        )
        blocks = [*sections.metrics_blocks(best.metrics_), *sections.recommendation_blocks(best)]
        self.report.section("The model that is kept", text, *blocks)
        self.report.section("Map of the kept model", *sections.map_blocks(best))
        self.report.section("What to try next", Code(steps))
        self.report.summary = self._made(name, row, baseline)
        self.report.write(paths["report"])
        if not self.output.as_json:
            self.output.facts(self._in_five_lines(name, row, baseline, paths), "The lab")
            console.print(f"\n[bold]What to try next[/bold]\n{steps}", soft_wrap=True)
        return {name: str(path) for name, path in paths.items()}

    def _made(self, name: str, row: dict[str, Any], baseline: dict[str, Any]) -> Summary:
        """The summary of the report; ``row`` and ``baseline`` are those of the leaderboard."""
        errors = [(name, row["test_mae"]), ("the bias baseline", baseline["test_mae"])]
        errors.append(("the lab's model", self.evaluation.metrics["test_mae"]))
        figures = [(f"test MAE of {model}", error) for model, error in errors]
        n = len(self.board.frame)
        what = f"“{name}”, the best of {n} models that can answer a new person, is kept"
        return made_of(self.ratings, what, figures, self.seeds[0])

    def _in_five_lines(
        self, name: str, row: dict[str, Any], baseline: dict[str, Any], paths: dict[str, Path]
    ) -> dict[str, str]:
        """What the lab came to, for the terminal; the tables are in the report."""
        data, test = self.ratings, "test MAE {test_mae:.4f}, RMSE {test_rmse:.4f}"
        curves = verdict(self.model.history_).title
        lab = test.format(**self.evaluation.metrics)
        return {
            "data": f"{data.source.name}: {len(data):,} ratings, {data.n_users:,} users,"
            f" {data.n_items:,} {item_noun(data).plural}",
            "lab's model": f"{lab}; {curves[0].lower()}{curves[1:]}",
            f"best of {len(self.board.frame)}": f"{name}: {test.format(**row)} (bias baseline"
            f" {baseline['test_mae']:.4f}, {baseline['test_rmse']:.4f})",
            "saved": f"“{name}”, fitted on all ratings, in {paths['model']}",
            "report": f"{paths['report']}, with all tables, figures and the map",
        }

    def summary(self, files: dict[str, Any]) -> dict[str, Any]:
        """The results of the run, as plain objects for JSON."""
        return {
            "ratings": statistics.describe(self.ratings).to_dicts()[0],
            "lab_model": self.evaluation.overall.to_dicts(),
            "overfitting": overfitting_sentence(self.model.history_),
            "leaderboard": self.board.frame.to_dicts(),
            "chosen": self.board.chosen,
            "files": files,
        }

    def _serves(self, name: str) -> bool:
        """Whether a model can answer a new user and has a map."""
        fitted = self.board.fitted.get(name)  # None if it failed
        return fitted is not None and fitted.folds_in and fitted.capabilities.map


def run_lab(ratings: Ratings, out: Path, *, seeds: Sequence[int], output: Output) -> None:
    """Run every step and write ``model`` and ``report.html`` into the folder ``out``.

    Args:
        ratings: The data; in the lab MovieLens 100K.
        out: Folder of the results, made if it does not exist.
        seeds: Fits of each model on the leaderboard; the first seed is the lab's.
        output: How to show the results.
    """
    lab = Lab(ratings, seeds, output)
    for step in (
        *(lab.statistics, lab.train, lab.evaluate, lab.embeddings, lab.neighbours),
        *(lab.representations, lab.recommend, lab.compare),
    ):
        if not output.as_json:
            say((step.__doc__ or "").partition("\n")[0])
        step()
    files = lab.save(out)
    if output.as_json:
        print_json(lab.summary(files))
