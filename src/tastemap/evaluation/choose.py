"""Choose a model within a time limit: from fast to slow ones, judged by held-out ratings."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tastemap.data.feedback import Feedback
from tastemap.data.histories import gaps, histories
from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.data.splits import SplitOf, TableT, split_by_name
from tastemap.errors import ArgumentError, TastemapError
from tastemap.evaluation.contest import Contest
from tastemap.evaluation.objective import Objective, like_threshold
from tastemap.models.base.recommender import Recommender
from tastemap.models.registry import make_model

#: The models to choose among, from fast to slow; the first is the baseline. All of them answer a
#: new user.
GOALS = {
    "ratings": ("bias", "knn", "mf", "als", "bayes"),
    "lists": ("popularity", "ease", "ials", "blend"),
}
#: The same for a table of interactions.
MODELS_OF_INTERACTIONS = ("popularity", "item-knn", "ease", "next-item", "ials", "blend")
# The one of them that learns from nothing but the order of what a user did.
MODEL_OF_ORDER = "next-item"
#: Enough ratings or interactions for three parts: to fit, to judge, to test.
MIN_RATINGS = 20
# Who goes on within so many seconds is on the same page, and so often that it is worth a note.
SECONDS_OF_PAGE, MIN_SHARE_OF_PAGES = 60, 0.1
# The largest share of a test part, unless more is asked for.
MAX_SHARE_OF_TEST = 1 / 3
# Lists are judged for so many users that they have at most this number of scores.
MAX_SCORES = 200_000_000


@dataclass(frozen=True)
class Choice:
    """The result of `choose`: models fitted and judged in the same way.

    Attributes:
        frame: Frame ``model, state, <metric>, difference, low, high, seconds, estimated, wanted,
            note``, best first: the metric on the held-out ratings; its difference to the baseline's
            with a 95 % interval from a bootstrap of the users; seconds of fit and judging, and the
            least seconds that were estimated before; the ``seconds`` of a call that would try the
            model whole, where it was not. State is ``"tried"``; ``"stopped"`` by its time and
            judged as it was; ``"skipped"``; or ``"failed"``. The note says why.
        chosen: Name of the best model that was tried.
        baseline: Name of the model to which the differences are taken.
        metric: ``"rmse"`` or ``"ndcg"``.
        judged: The ratings for the fits and for the judging, in words.
        threshold: Lowest rating that counts as a like; None for the upper quarter of the scale.
        fit_seconds: Seconds of the chosen model's fit; of one that was stopped, about the whole.
        judging_seconds: Seconds in which the chosen model answered for the held-out ratings.
        model: The chosen model, as it was judged; None to let it go from memory.
    """

    frame: pl.DataFrame
    chosen: str
    baseline: str
    metric: str
    judged: str
    threshold: float | None = None
    fit_seconds: float = 0.0
    judging_seconds: float = 0.0
    model: Recommender | None = None

    @property
    def row(self) -> dict[str, Any]:
        """The row of the chosen model."""
        return self.frame.row(by_predicate=pl.col("model") == self.chosen, named=True)


def choose(
    ratings: Ratings | Interactions,
    models: Sequence[str] | None = None,
    *,
    goal: str | None = None,
    seconds: float = 60.0,
    n_fits: float = 1,
    validation_size: float = 0.1,
    split: str | None = None,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Choice:
    """Choose the model that predicts held-out ratings, or ranks items, best.

    A part of the ratings is held out once: the latest of each user if times are known, otherwise a
    random part. Give the training ratings alone. The baseline is always fitted. A slower model is
    first fitted on the ratings of a few users, for one iteration, to estimate its least time on all
    ratings. A model without time for that is skipped. Others are stopped when their time is over,
    and judged as they are then. The frame says so.

    Models with temporal effects (``bayes`` with ``time="session"``) are not tried. They predict the
    held-out ratings better because they know when each was given, and what else the user rated in
    that hour; a list for tomorrow knows neither.

    Where the upper quarter of the scale holds less than a twentieth of the ratings, as of counts,
    lists are learnt from and judged by the upper half of the ratings (``threshold``).

    Of interactions, which have no ratings to predict, lists are judged.

    Args:
        ratings: The training ratings or interactions, at least 2.
        models: Names from `tastemap.models.registry.MODELS`, from fast to slow, the baseline
            first; by default those of `usual_models`.
        goal: ``"ratings"``: least RMSE; ``"lists"``: largest NDCG of ten unseen items. By default
            ratings, where there are some.
        seconds: Time for the whole call, and for later fits of the chosen model.
        n_fits: Number of fits of the chosen model in this time, the one of this call included.
        validation_size: Share of the ratings that judges.
        split: The split that holds ratings out, as in `tastemap.data.splits.split_by_name`; None
            for that of `fitting_split`.
        seed: Seed of the split and of the fits.
        progress: Called with the model's name before it is fitted.

    Raises:
        ArgumentError: If a goal or model is unknown, the goal is ratings and there are none, or
            there are too few rows to split.
        TastemapError: If no model could be fitted.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> choice = choose(synthetic_ratings(), ["bias", "knn"])
        >>> choice.chosen, choice.frame["state"].to_list()
        ('knn', ['tried', 'tried'])
    """
    begin = time.perf_counter()
    goal = fitting_goal(ratings, goal)
    if not seconds > 0:
        raise ArgumentError("seconds", expected="more than 0", received=seconds)
    names = list(models or usual_models(ratings, goal))
    threshold = like_threshold(ratings) if goal == "lists" else None
    objective = Objective("rmse" if goal == "ratings" else "ndcg", threshold)
    for name in names:
        Objective.of(make_model(name), objective.metric)
    if split is None:
        split, (train, judges) = fitting_split(ratings, goal, validation_size, seed)
    else:
        train, judges = split_by_name(ratings, split, test_size=validation_size, seed=seed)
    judges = judged_users(judges, seed) if goal == "lists" else judges
    parts = SplitOf[Any](train, judges)
    contest = Contest(objective, parts, seed, begin, seconds, n_fits, len(names))
    for name in names:
        if progress:
            progress(name)
        contest.enter(name)
    contest.finish()
    if not contest.trials:
        raise TastemapError("choosing", expected="a model that can be fitted", received=contest.why)
    best = contest.best
    trial = contest.trials[best]
    return Choice(
        frame=contest.frame(),
        chosen=best,
        baseline=next(iter(contest.trials)),
        metric=objective.metric,
        judged=f"fitted on {len(train):,} {train.noun} and judged by {len(judges):,} others"
        f" (split {split})",
        threshold=threshold,
        fit_seconds=trial.whole_fit_seconds,
        judging_seconds=trial.judging_seconds,
        model=trial.model,
    )


def fitting_goal(ratings: Feedback, goal: str | None = None) -> str:
    """The goal for a table, or the given one, checked.

    Raises:
        ArgumentError: If a goal is unknown, or is ratings where the table has none.

    Example:
        >>> import polars as pl
        >>> clicks = Interactions.from_frame(pl.DataFrame({"user_id": [1, 1], "item_id": [7, 8]}))
        >>> fitting_goal(clicks), fitting_goal(clicks, "lists")
        ('lists', 'lists')
    """
    if goal not in (None, *GOALS):
        raise ArgumentError("goal", expected=f"one of {', '.join(GOALS)}", received=repr(goal))
    if not isinstance(ratings, Interactions):
        return goal or "ratings"
    if goal == "ratings":
        raise ArgumentError(
            "goal",
            expected="lists, for a table of interactions",
            received="ratings, and there are none to predict",
            do="leave it out",
        )
    return "lists"


def usual_models(ratings: Feedback, goal: str) -> tuple[str, ...]:
    """The models to choose among if none are named, from fast to slow; the first is the baseline.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> usual_models(synthetic_ratings(), "lists")[0]
        'popularity'
        >>> usual_models(synthetic_ratings().likes(), "lists")[:4]
        ('popularity', 'item-knn', 'ease', 'next-item')
    """
    if not isinstance(ratings, Interactions):
        return GOALS[goal]
    models = MODELS_OF_INTERACTIONS
    return models if _has_order(ratings) else tuple(m for m in models if m != MODEL_OF_ORDER)


def order_notes(ratings: Feedback, chosen: str) -> list[str]:
    """What to know of a model of the order, where much of the order is that of a page.

    Args:
        ratings: The ratings or interactions.
        chosen: The name of the chosen model.

    Returns:
        A sentence, or nothing: for another model, without times, or where few rows of a user come
        within a minute of the one before.
    """
    history = histories(ratings) if chosen == MODEL_OF_ORDER else None
    between = gaps(ratings, history) if history is not None else np.zeros(0)
    share = float((between <= SECONDS_OF_PAGE).mean()) if len(between) else 0.0
    if share < MIN_SHARE_OF_PAGES:
        return []
    return [
        f"{100 * share:.0f} % of the {ratings.noun} come within a minute of the user's one before:"
        f" what {chosen} foresees there is the order of a page more than taste, see"
        " docs/next_item.md"
    ]


def _has_order(ratings: Feedback) -> bool:
    """Whether it is known which row of a user was earlier than which."""
    times = ratings.timestamp
    is_timed = times is not None and len(times) > 0 and bool(times.min() < times.max())
    return is_timed or ratings.position is not None


def fitting_split(
    ratings: TableT, goal: str, size: float, seed: int, inner_size: float | None = None
) -> tuple[str, SplitOf[TableT]]:
    """The most realistic split that the ratings or interactions allow, and its name.

    The test part holds the latest rows of each user, if times or positions are known, or the last
    row alone where users have few; otherwise for lists some rows of each user, or a random part.

    Args:
        ratings: All ratings or interactions.
        goal: As in `choose`.
        size: The test part's share.
        seed: Of a split that draws.
        inner_size: If given, the training part can be split in the same way once more, with this
            share.

    Raises:
        ArgumentError: If no split leaves a rating in both parts.
    """
    names = ["per-user", "random"] if goal == "lists" else ["random"]
    if _has_order(ratings):
        names = ["forecast", "last", *names]
    for name in names[:-1]:
        parts = _full_split(ratings, name, size, seed)
        if parts is None or (
            inner_size is not None and _full_split(parts.train, name, inner_size, seed) is None
        ):
            continue
        return name, parts
    return names[-1], split_by_name(ratings, names[-1], test_size=size, seed=seed)


def _full_split(ratings: TableT, name: str, size: float, seed: int) -> SplitOf[TableT] | None:
    """The split of that name, if its test part has half of its share or more, and no third of all.

    The last row of each user is more than a third of short histories.
    """
    try:
        parts = split_by_name(ratings, name, test_size=size, seed=seed)
    except ArgumentError:
        return None
    most = max(size, MAX_SHARE_OF_TEST)
    is_full = 0.5 * size <= len(parts.test) / len(ratings) <= most
    return parts if is_full else None


def judged_users(ratings: TableT, seed: int) -> TableT:
    """The rows of some users, drawn at random, whose lists have at most `MAX_SCORES` scores."""
    users = np.flatnonzero(ratings.by_user.counts)
    n = max(1, MAX_SCORES // ratings.n_items)
    if len(users) <= n:
        return ratings
    chosen = np.zeros(ratings.n_users, dtype=bool)
    chosen[np.random.default_rng(seed).permutation(users)[:n]] = True
    return ratings.take(np.flatnonzero(chosen[ratings.user_index]))
