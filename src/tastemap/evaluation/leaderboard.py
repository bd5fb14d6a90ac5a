"""The leaderboard: the result of a comparison of models, as frames to print, save and draw."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from tastemap.evaluation.by_gap import joined_gaps
from tastemap.evaluation.scores import ERRORS, TEST_SCORES, Scores
from tastemap.metrics.bootstrap import holm, paired_differences
from tastemap.metrics.ranking import METRICS
from tastemap.models.base.recommender import Recommender

# The columns of each table, in order; columns without a value are left out.
_ERROR_COLUMNS = (
    *("model", "point", "validation_rmse", "validation_mae", "train_mae"),
    *("test_rmse", "test_rmse_std", "test_mae", "test_mae_std", "test_mae_mean"),
    *("test_log_loss", "test_calibration_error"),
)
_LIST_COLUMNS = (
    *("model", *(f"validation_{name}" for name in METRICS)),
    *(f"test_{name}" for name in TEST_SCORES),
    "test_ndcg_std",
)
_VARIETY_COLUMNS = ("model", "coverage", "novelty", "diversity", "popular_share")
_COST_COLUMNS = ("model", "fit_seconds", "predict_seconds", "list_seconds", "memory_mb")
# The scores whose differences are given with an interval.
PAIRED = ("rmse", "mae", "recall", "ndcg")
# A difference holds if its p value, corrected for the number of models, is at most this.
MAX_P = 0.05


@dataclass(frozen=True)
class Leaderboard:
    """Models fitted and scored in the same way. The page docs/judging.md defines each score.

    Attributes:
        frame: A row for each model, the best on the validation ratings first; a column for each
            score, its mean over the seeds, or null if a model has none:
            ``model, point, validation_rmse, validation_mae, train_mae, test_rmse, test_mae,
            test_mae_mean, test_log_loss, test_calibration_error`` of models that predict ratings;
            ``test_recall, test_precision, test_ndcg, test_map, test_mrr, test_debiased_recall,
            test_debiased_ndcg, coverage, novelty, diversity, popular_share`` if lists are scored,
            and ``validation_...`` of the metric that chooses;
            ``fit_seconds, predict_seconds, list_seconds, memory_mb``. With more than one
            seed also ``test_rmse_std, test_mae_std, test_ndcg_std``: standard deviations over them.
            ``train_mae, validation_mae, test_mae`` are those of ``point``, the median of a model
            with a distribution; ``test_mae_mean`` is that of the mean.
            If a model failed, a column ``failed`` says why and what to do; its scores are null.
        differences: Frame ``metric, model, reference, difference, low, high, p_holm``: model minus
            reference on the same test ratings, with a 95 % interval (`paired_differences`), and the
            p value, corrected for the number of models beside the reference (`holm`).
        bands: Frame ``model, group, band, n, mae, rmse``: errors by the popularity of the item and
            the activity of the user (`tastemap.evaluation.evaluate.error_bands`).
        gaps: Frame ``gap, model, users, share, recall, recall_low, recall_high, ndcg, mrr``: the
            lists by the time since a user was there last (`tastemap.evaluate_by_gap`); empty
            unless each test rating is its user's next one and times are known.
        fitted: The models of the first seed, by name.
        chosen: Name of the model that is best on the validation ratings.
        by: The score that chose it.
        k: Length of the lists; None if no lists were scored.
        notes: Facts that a reader must know: leaks, duplicates, unknown ids, the measurement.
    """

    frame: pl.DataFrame
    differences: pl.DataFrame
    bands: pl.DataFrame
    gaps: pl.DataFrame
    fitted: dict[str, Recommender]
    chosen: str
    by: str
    k: int | None
    notes: tuple[str, ...]

    @property
    def error(self) -> str:
        """The error that orders models by predicted ratings: ``by`` if it is an error, or RMSE."""
        return error_of(self.by)

    def tables(self) -> dict[str, pl.DataFrame]:
        """The tables that fit a terminal, by title: errors, lists, gaps, costs, differences.

        Tables and columns without a value are left out.
        """
        frame = self.frame
        if "failed" in frame:
            frame = frame.filter(pl.col("failed").is_null())
        errors = frame.select(column for column in _ERROR_COLUMNS if column in frame)
        if "test_rmse" in frame:
            errors = errors.filter(pl.col("test_rmse").is_not_null()).sort(
                f"validation_{self.error}", maintain_order=True
            )
            # Columns that repeat another column, or that order another table.
            other = next(error for error in ERRORS if error != self.error)
            errors = errors.drop(f"validation_{other}", f"test_{other}_std", strict=False)
            if "median" not in errors["point"]:
                errors = errors.drop("point", "test_mae_mean")
        lists = frame.select(column for column in _LIST_COLUMNS if column in frame)
        variety = frame.select(column for column in _VARIETY_COLUMNS if column in frame)
        costs = frame.select(column for column in _COST_COLUMNS if column in frame)
        tables = {
            "Errors of predicted ratings": _with_values(errors),
            f"Lists of {self.k} for each user, all unseen items ranked": _with_values(lists),
            f"Lists of {self.k}: how much of the catalogue, how new, how different": (
                _with_values(variety)
            ),
            f"Lists of {self.k} by the time since the user was there last": self.gaps.drop(
                "mrr", strict=False
            ),
            "Cost: seconds, and megabytes at the peak of the fit": _with_values(costs),
            "Differences to the reference on the same test ratings, 95 % intervals": (
                self.differences
            ),
        }
        if "failed" in self.frame:
            rows = self.frame.filter(pl.col("failed").is_not_null())
            tables["Failed"] = rows.select("model", "failed")
        return {title: frame for title, frame in tables.items() if frame.width > 1 and len(frame)}


def averaged(rows: pl.DataFrame, by: str, several: bool) -> pl.DataFrame:
    """The mean over the seeds of each model's columns, the best validation score first.

    Args:
        rows: A row for each fit: ``model``, optionally ``point``, and numbers.
        by: The validation score to order by.
        several: Whether to add standard deviations.
    """
    spread = [f"test_{name}" for name in (*ERRORS, "ndcg") if f"test_{name}" in rows]
    numbers = [name for name, dtype in rows.schema.items() if dtype.is_numeric()]
    means = rows.group_by("model", maintain_order=True).agg(
        *(pl.col(name).first() for name in ("point",) if name in rows),
        *(pl.col(name).mean() for name in numbers),
        *(pl.col(name).std().alias(f"{name}_std") for name in spread if several),
    )
    return means.fill_nan(None).sort(
        f"validation_{by}", descending=by not in ERRORS, nulls_last=True, maintain_order=True
    )


def with_failures(frame: pl.DataFrame, failed: dict[str, str]) -> pl.DataFrame:
    """A leaderboard's frame with the models that failed as its last rows.

    Args:
        frame: The models that were scored.
        failed: Why each of the others has no scores, in one line, by model.

    Example:
        >>> frame = pl.DataFrame({"model": ["bias"], "test_rmse": [0.9]})
        >>> with_failures(frame, {"als": "no memory"}).rows()
        [('bias', 0.9, None), ('als', None, 'no memory')]
    """
    if not failed:
        return frame
    rows = [{"model": name, "failed": why} for name, why in failed.items()]
    return pl.concat([frame, pl.DataFrame(rows)], how="diagonal")


def differences(
    scores: dict[str, list[Scores]], frame: pl.DataFrame, by: str, reference: str | None
) -> pl.DataFrame:
    """Each model's paired differences to a reference, metric by metric.

    Args:
        scores: By model, one for each seed; the errors are averaged over the seeds first.
        frame: The leaderboard's, best first.
        by: The score that chose the best.
        reference: The model to compare with; None takes the best on the validation ratings, which
            for errors of predicted ratings is the best by an error.
    """
    rows = []
    for metric in PAIRED:
        order = frame
        if metric in ERRORS and by not in ERRORS and f"validation_{error_of(by)}" in frame:
            order = frame.sort(f"validation_{error_of(by)}", nulls_last=True, maintain_order=True)
        names: list[str] = order["model"].to_list()
        names = [name for name in names if name in scores and metric in scores[name][0].sums]
        other = (reference or names[0]) if names else None
        if len(names) < 2 or other not in names:
            continue
        totals = [np.mean([fit.sums[metric][0] for fit in scores[name]], axis=0) for name in names]
        counts = scores[other][0].sums[metric][1]
        at = names.index(other)
        columns = paired_differences(totals, counts, at, root=metric == "rmse")
        corrected = np.insert(holm(np.delete(columns.p, at)), at, 1.0)
        columns = columns._replace(p=corrected)
        rows += [
            {"metric": metric, "model": name, "reference": other}
            | {"difference": value, "low": low, "high": high, "p_holm": p}
            for name, value, low, high, p in zip(names, *columns, strict=True)
            if name != other
        ]
    schema: dict[str, type[pl.DataType]] = dict.fromkeys(
        ("metric", "model", "reference"), pl.String
    )
    schema |= dict.fromkeys(("difference", "low", "high", "p_holm"), pl.Float64)
    return pl.DataFrame(rows, schema=schema).fill_nan(None)


def difference_notes(differences: pl.DataFrame) -> list[str]:
    """Which differences hold after the correction, in a sentence; none for single comparisons.

    Example:
        >>> columns = {"metric": "ndcg", "model": ["a", "b"], "reference": "c"}
        >>> frame = pl.DataFrame(columns | {"p_holm": [0.01, 0.2]})
        >>> difference_notes(frame)[0].split(": ")[1]
        'ndcg of a from that of c'
    """
    groups = differences.group_by("metric", "reference", maintain_order=True)
    parts, is_corrected = [], False
    for (metric, reference), rows in groups:
        is_corrected |= len(rows) > 1
        models = rows.filter(pl.col("p_holm") <= MAX_P)["model"].to_list()
        named = ", ".join(models) or "no model"
        if len(models) == len(rows) > 1:
            named = f"all {len(models)} models"
        parts.append(f"{metric} of {named} from that of {reference}")
    if not is_corrected:
        return []
    start = "after Holm’s correction for the number of models, these differ at 5 %"
    return [f"{start}: {'; '.join(parts)}"]


def gaps_of(scores: dict[str, list[Scores]], frame: pl.DataFrame) -> pl.DataFrame:
    """The lists by gap of all models, averaged over the seeds; an empty frame if there are none.

    Args:
        scores: By model, one for each seed.
        frame: The leaderboard's, whose order the models of a class have.
    """
    parts = {
        name: _mean_gaps([fit.gaps for fit in scores[name] if fit.gaps is not None])
        for name in frame["model"]
        if name in scores and scores[name][0].gaps is not None
    }
    return joined_gaps(parts) if parts else pl.DataFrame()


def _mean_gaps(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """The means of several fits by gap, whose classes and users are the same."""
    keys = ("gap", "users", "share")
    return pl.concat(frames).group_by(keys, maintain_order=True).mean()


def bands_of(scores: dict[str, list[Scores]]) -> pl.DataFrame:
    """The errors by band of all models that predict ratings, averaged over the seeds."""
    parts = [
        fit.bands.select(pl.lit(name).alias("model"), pl.all())
        for name, fits in scores.items()
        for fit in fits
        if fit.bands is not None
    ]
    if not parts:
        return pl.DataFrame()
    keys = ("model", "group", "band")
    return (
        pl.concat(parts)
        .group_by(keys, maintain_order=True)
        .agg(pl.col("n").first(), pl.col("mae", "rmse").mean())
    )


def error_of(by: str) -> str:
    """The chooser, if it is an error, else the RMSE."""
    return by if by in ERRORS else "rmse"


def _with_values(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns that have a value; memory in whole megabytes."""
    frame = frame.select(column.name for column in frame if column.null_count() < len(column))
    return frame.with_columns(pl.col("^memory_mb$").round(0).cast(pl.Int64))
