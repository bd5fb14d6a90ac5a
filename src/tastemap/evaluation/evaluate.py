"""One model on one test set: errors of its predictions, and scores of its lists."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tastemap.arrays import FloatArray, IndexArray
from tastemap.data.feedback import Feedback
from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError
from tastemap.evaluation.leakage import leak_notes, pair_numbers
from tastemap.evaluation.ranked_lists import RankedLists
from tastemap.metrics.calibration import Calibration, calibration_of
from tastemap.metrics.continuous_calibration import continuous_calibration
from tastemap.metrics.ranking import Hits
from tastemap.metrics.rating import mae, mse, rmse
from tastemap.models.base.recommender import Recommender
from tastemap.models.base.reranking import Reranking
from tastemap.models.batch.recommend import best_items
from tastemap.models.registry import make_model
from tastemap.support.counts import counted

# Lower ends of the bands of the number of training ratings of an item or a user.
BANDS = (0, 1, 10, 50, 100, 200)


# What makes an item relevant, by what the rows of a table are.
LIKED_BY = {
    "ratings": "a rating at or above the threshold",
    "interactions": "an interaction of a weight above 0, or of the threshold",
}


@dataclass(frozen=True)
class Evaluation:
    """Test errors of a model and of the baseline.

    Attributes:
        overall: Frame ``model, point, n, mse, rmse, mae``: the model (its mean and, if it has a
            distribution, its median), then the baseline.
        bands: Frame ``group, band, n, mae, rmse, baseline_mae, baseline_rmse``; group
            ``popularity`` bands the item, ``activity`` the user, by number of training ratings.
        predicted: The model's mean predictions, (n,), inside the scale.
        notes: Facts that a reader must know: pairs that are both in training and test, unknown ids.
        calibration: Calibration of the model's distributions; None if it has none.
    """

    overall: pl.DataFrame
    bands: pl.DataFrame
    predicted: FloatArray
    notes: tuple[str, ...]
    calibration: Calibration | None = None

    @property
    def metrics(self) -> dict[str, float]:
        """The model's and the baseline's errors by name, as an artifact stores them."""
        *rows, baseline = self.overall.to_dicts()
        names = ("mse", "rmse", "mae")
        plain = {f"test_{name}": rows[0][name] for name in names}
        more = {f"test_mae_{row['point']}": row["mae"] for row in rows[1:]}
        if self.calibration is not None:
            more |= self.calibration.metrics
        return plain | more | {f"baseline_test_{name}": baseline[name] for name in names}

    @property
    def record(self) -> dict[str, Any]:
        """`metrics`, and under ``calibration`` the data of its figure, as plain lists."""
        if self.calibration is None:
            return dict(self.metrics)
        return self.metrics | {"calibration": self.calibration.record}

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """The tables to show, by title."""
        tables = {"Test errors": self.overall, "Test errors by what is known": self.bands}
        if self.calibration is not None:
            title = "Test ratings inside the central intervals"
            if self.calibration.has_levels:
                title = "Test ratings inside the shortest intervals that hold the mass or more"
            scores = self.calibration.metrics.items()
            tables[title] = self.calibration.coverage.with_columns(
                pl.lit(value).alias(name.removeprefix("test_")) for name, value in scores
            )
        return tables


def evaluate(
    model: Recommender, test: Ratings, *, baseline: Recommender | None = None
) -> Evaluation:
    """Score a fitted model on test ratings.

    Args:
        model: A fitted model.
        test: Ratings the model has not seen; the vocabularies may differ from the model's.
        baseline: A fitted model to compare with; by default the bias model, fitted here on the
            model's training ratings.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> from tastemap.data.splits import train_test_split
        >>> train, test = train_test_split(synthetic_ratings(seed=1))
        >>> evaluate(make_model("bias").fit(train), test).overall["model"].to_list()
        ['BiasModel', 'baseline']
    """
    if not len(test):
        raise ArgumentError("test", expected="at least one rating", received="none")
    baseline = baseline or make_model("bias").fit(model.fitted_ratings, progress=False)
    predicted = model.predict_ratings(test)
    of_baseline = baseline.predict_ratings(test)
    name = str(model)
    rows = [_errors(name, "mean", test, predicted)]
    if model.has_distribution:
        rows.append(_errors(name, "median", test, model.predict_ratings(test, point="median")))
    rows.append(_errors("baseline", "mean", test, of_baseline))
    return Evaluation(
        overall=pl.DataFrame(rows),
        bands=error_bands(model, test, predicted).hstack(
            error_bands(model, test, of_baseline).select(baseline_mae="mae", baseline_rmse="rmse")
        ),
        predicted=predicted,
        notes=_notes(model, test),
        calibration=model_calibration(model, test),
    )


def best_point(model: Recommender) -> str:
    """The point with the least absolute error: the median if a model has one, else the mean."""
    levels = model.ratings_.scale.levels
    return "median" if model.has_distribution and levels is not None else "mean"


def model_calibration(model: Recommender, test: Ratings) -> Calibration | None:
    """The calibration on test ratings; None for a model without a distribution."""
    scale = model.ratings_.scale
    if model.has_distribution and scale.levels is not None:
        return calibration_of(test.rating, scale.levels, model.ratings_distribution(test))
    if not model.capabilities.cumulative:
        return None
    # Predictions are clipped to the scale: all that is predicted beyond an end lies at the end.
    true = scale.clip(test.rating.astype(np.float64))
    up_to, at_lowest, below_highest = (
        model.ratings_cumulative(test, values)
        for values in (true, np.full(len(true), scale.lowest), np.full(len(true), scale.highest))
    )
    below = np.where(true == scale.lowest, 0.0, up_to)
    up_to = np.where(true == scale.highest, 1.0, up_to)
    return continuous_calibration(below, up_to, (at_lowest, below_highest))


def _errors(model: str, point: str, test: Ratings, predicted: Any) -> dict[str, Any]:
    errors = {metric.__name__: metric(test.rating, predicted) for metric in (mse, rmse, mae)}
    return {"model": model, "point": point, "n": len(test)} | errors


def error_bands(model: Recommender, test: Ratings, predicted: Any) -> pl.DataFrame:
    """Errors of predictions by the number of training ratings of the item and of the user.

    Args:
        model: A fitted model; its training ratings are counted.
        test: n ratings.
        predicted: Predictions of the same pairs, (n,).

    Returns:
        Frame ``group, band, n, mae, rmse``, the bands of ``popularity`` (of the item), then of
        ``activity`` (of the user), each ascending; bands without a test rating are left out.
    """
    users, items = model.rows_of(test)
    train = model.fitted_ratings
    rows = []
    for group, index, counts in (
        ("popularity", items, train.by_item.counts),
        ("activity", users, train.by_user.counts),
    ):
        n_ratings = np.where(index >= 0, counts[index], 0)
        bands = np.searchsorted(BANDS, n_ratings, side="right") - 1
        for band in np.unique(bands):
            here = bands == band
            true = test.rating[here]
            errors = {"mae": mae(true, predicted[here]), "rmse": rmse(true, predicted[here])}
            row = {"group": group, "band": band_name(int(band)), "n": int(here.sum())}
            rows.append(row | errors)
    return pl.DataFrame(rows)


def band_name(band: int) -> str:
    """The range of a band in words.

    Example:
        >>> band_name(0), band_name(1), band_name(5)
        ('0', '1–9', '200+')
    """
    low = BANDS[band]
    if band + 1 == len(BANDS):
        return f"{low}+"
    high = BANDS[band + 1] - 1
    return str(low) if high == low else f"{low}–{high}"


def _notes(model: Recommender, test: Ratings) -> tuple[str, ...]:
    """Leaks and unknown ids, counted."""
    users, items = model.rows_of(test)
    notes = leak_notes(model.ratings_, users, items)
    for kind, index in (("user", users), ("item", items)):
        unknown = int((index < 0).sum())
        if unknown:
            article = "an" if kind == "item" else "a"
            whose = f"is of {article} {kind}" if unknown == 1 else f"are of {kind}s"
            notes.append(f"{counted(unknown, 'test rating')} {whose} that the model does not know")
    return tuple(notes)


def rank_unseen(
    model: Recommender,
    test: Feedback,
    k: int = 10,
    *,
    threshold: float | None = None,
    seen: Feedback | None = None,
    new: bool = False,
    reranking: Reranking | None = None,
) -> RankedLists:
    """The lists of the users of a test; protocol and errors as in `evaluate_ranking`.

    Args:
        model, test, k, threshold, new: As in `evaluate_ranking`.
        seen: Further ratings of the users, a validation part, with the model's vocabularies.
            Their items are left out of the lists too.
        reranking: What lists shall be like beside being good.
    """
    train = model.fitted_data
    if isinstance(k, bool) or int(k) != k or not 1 <= k <= train.n_items:
        raise ArgumentError("k", expected=f"a whole number from 1 to {train.n_items}", received=k)
    users, items = model.rows_of(test.likes(threshold))
    has_list = users >= 0
    users, items = users[has_list], items[has_list]
    user_index, n_relevant = np.unique(users, return_counts=True)
    if not len(user_index):
        raise ArgumentError(
            "test",
            expected=f"{LIKED_BY[test.noun]}, by a user known to the model",
            received="none",
            do="lower the threshold",
        )
    tables = (train.touched,) if seen is None else (train.touched, seen)
    allowed = None if new else train.by_item.counts > 0
    lists = best_items(
        model, user_index, k, seen=tables, allowed=allowed, reranking=reranking
    ).items
    return RankedLists(
        user_index=user_index,
        items=lists,
        hits=relevant_hits(user_index, lists, users, items, train.n_items),
        n_relevant=n_relevant,
        relevant=items[np.argsort(users, kind="stable")],
        n_left_out=len(np.unique(test.user_index)) - len(user_index),
    )


def relevant_hits(
    user_index: IndexArray, lists: IndexArray, users: IndexArray, items: IndexArray, n_items: int
) -> Hits:
    """Whether each item of each list is relevant, bool (n, k).

    Args:
        user_index, lists: Users (n,) and their lists (n, k) of item rows; -1 after a list's end.
        users, items: The relevant pairs (m,) of rows.
        n_items: Number of items.
    """
    truth = np.unique(pair_numbers(users, items, n_items))
    return np.isin(pair_numbers(user_index[:, None], lists, n_items), truth) & (lists >= 0)


def evaluate_ranking(
    model: Recommender,
    test: Feedback,
    k: int = 10,
    *,
    threshold: float | None = None,
    new: bool = False,
) -> pl.DataFrame:
    """Rank all items that a user has not rated in training, and score the first k.

    Items without a training rating are ranked only with ``new``. An item is relevant if the user
    rates it ``threshold`` or more in the test part; of interactions if the weights of the user's
    interactions with it in the test part sum to more than 0. Users without a relevant item, and
    users unknown to the model, are left out and counted. Relevant items that the model does not
    know, or does not rank, stay in the denominator, as misses. If scores are equal, the
    item of the lower row comes first. A user with fewer than k unseen items has a shorter list.

    Args:
        model: A fitted model.
        test: Ratings or interactions the model has not seen; the vocabularies may differ from
            the model's.
        k: Length of the lists.
        threshold: Lowest rating of a relevant item; None takes the upper quarter of the scale
            (from 4 on a scale of 1 to 5). Of interactions the lowest sum of weights.
        new: Rank items without training ratings, too, as ``recommend(new=True)`` does.

    Returns:
        Frame ``metric, k, value``: the metrics of `METRICS` and `LIST_SCORES`, then the number of
        ``users`` and of ``users_left_out``. The value is null for the diversity of lists of one.

    Raises:
        ArgumentError: If k is not between 1 and the number of items, or no item is relevant.

    Example:
        >>> from tastemap.data.splits import per_user_split
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> from tastemap.models.registry import make_model
        >>> train, test = per_user_split(synthetic_ratings())
        >>> frame = evaluate_ranking(make_model("ease").fit(train), test)
        >>> frame["metric"].head(3).to_list()
        ['recall', 'precision', 'ndcg']
    """
    ranked = rank_unseen(model, test, k, threshold=threshold, new=new)
    return ranked.frame(model.fitted_data)
