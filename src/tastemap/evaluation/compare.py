"""Several models on the same split: fitted, scored, and the best chosen on validation ratings."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import polars as pl

from tastemap.arrays import F64
from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.data.splits import SplitOf, leave_last_out, train_test_split
from tastemap.errors import ArgumentError, TastemapError
from tastemap.evaluation.by_gap import gaps_before, is_next
from tastemap.evaluation.cost import measured
from tastemap.evaluation.leaderboard import (
    Leaderboard,
    averaged,
    bands_of,
    difference_notes,
    differences,
    gaps_of,
    with_failures,
)
from tastemap.evaluation.leakage import split_notes
from tastemap.evaluation.scores import (
    Protocol,
    Scores,
    check_protocol,
    score_on_test,
    validation_scores,
)
from tastemap.metrics.ranking import METRICS
from tastemap.models.base.recommender import Recommender
from tastemap.models.registry import make_model
from tastemap.support.boundary import failures

Maker: TypeAlias = Callable[[], Recommender]

# Ratings of a rehearsal: few, so that it costs little more than the compilation.
REHEARSAL_RATINGS = 200


def compare(
    models: Mapping[str, Maker] | Sequence[str],
    train: Ratings | Interactions,
    test: Ratings | Interactions,
    *,
    by: str | None = None,
    lists: bool = False,
    k: int = 10,
    threshold: float | None = None,
    reference: str | None = None,
    refit: bool = False,
    validation_size: float = 0.1,
    seeds: Sequence[int] = (0,),
    progress: Callable[[str], None] | None = None,
) -> Leaderboard:
    """Fit and score models on the same ratings.

    For each seed a random part of the training ratings is held out for validation. It stops the
    training of the models that use it, and it alone decides which model is chosen. The split into
    training and test ratings is the same for all seeds. The test ratings are predicted once for
    each fit, and do not affect the choice. Where a score of lists chooses and the test part has the
    next rating of each user, the validation part is chosen by the same question: the last training
    rating of each user. Models are then fitted again before the test, as with ``refit``: none has
    to answer without the rating just before.

    Models that predict ratings are scored by their errors. Lists are scored for all models if one
    of them only ranks, or if ``lists`` is set: they rank all items that the user has neither in
    the training nor in the validation part. Where the test part has the next rating of each user
    and times are known, as after `leave_last_out`, lists are always scored, and by the time since
    the user was there last, too.

    Of interactions lists alone are scored, and models that need ratings fail.

    Seconds are wall-clock time of fits on the remaining training part. A model whose code is
    compiled is first fitted on a few ratings, so that compilation is not counted. The compilation
    of a Keras network is counted, because it depends on the shapes of the data.

    A model that fails, whatever it raises, is a row without scores, and the others go on.

    Args:
        models: Names from `tastemap.models.registry.MODELS`, or
            ``{name: function that makes a model}``.
        train, test: Ratings to learn from and to score on, or interactions.
        by: The validation score that chooses: ``"rmse"``, ``"mae"`` (of the median of a model with
            a distribution), or of the lists ``"recall"``, ``"precision"``, ``"ndcg"``, ``"map"``,
            ``"mrr"``. By default ``"ndcg"`` if one of the models only ranks, otherwise ``"rmse"``.
            A model without that score comes last and is not chosen.
        lists: Score the lists of models that predict ratings too.
        k: Length of the lists; at most the number of items.
        threshold: Lowest rating of a relevant item; None takes the upper quarter of the scale
            (from 4 on a scale of 1 to 5).
        reference: Name of the model to which the paired differences of the others are taken; by
            default the best on the validation ratings that has the score.
        refit: After validation, fit each model again on the whole training part and test that fit;
            it has no validation ratings to stop by.
        validation_size: Share of the training ratings held out, in (0, 1), where it is random.
        seeds: One fit of each model for each seed; each seed draws a new validation part.
        progress: Called with a model's name before it is fitted.

    Raises:
        ArgumentError: If there is no model or seed, a name is unknown, or no model has the score.
        TastemapError: If every model fails; the message has the reason of the last.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> board = compare(["bias", "knn", "ease"], *train_test_split(synthetic_ratings()))
        >>> board.by, list(board.tables())[0]
        ('ndcg', 'Errors of predicted ratings')
    """
    makers = _makers(models)
    if not makers or not seeds:
        raise ArgumentError(
            "models, seeds", expected="at least one of each", received=(list(models), list(seeds))
        )
    if reference is not None and reference not in makers:
        raise ArgumentError(
            "reference", expected=f"one of {', '.join(makers)}", received=repr(reference)
        )
    fresh = {name: make() for name, make in makers.items()}
    ranks_only = any(not model.predicts_ratings for model in fresh.values())
    by = by or ("ndcg" if ranks_only else "rmse")
    has_gaps = is_next(train, test) and bool(len(test.likes(threshold)))
    scored = lists or ranks_only or by in METRICS or has_gaps
    protocol = Protocol(by, scored, min(k, train.n_items), threshold)
    check_protocol(protocol, fresh)
    for model in fresh.values():
        _rehearse(model, train)
    gap = gaps_before(train, test) if has_gaps else None
    asks_next = gap is not None and by in METRICS and _has_last(train, threshold)
    run = _Run(train, test, protocol, refit or asks_next, validation_size, gap, asks_next)
    for seed in seeds:
        run.seed(makers, seed, progress or (lambda name: None))
    if not run.scores:
        last = list(run.failed.values())[-1]
        raise TastemapError("comparing", expected="a model that does not fail", received=last)
    frame = averaged(pl.DataFrame(run.rows, infer_schema_length=None), by, len(seeds) > 1)
    frame = with_failures(frame, run.failed)
    paired = differences(run.scores, frame, by, reference)
    return Leaderboard(
        frame=frame,
        differences=paired,
        bands=bands_of(run.scores),
        gaps=gaps_of(run.scores, frame),
        fitted=run.fitted,
        chosen=frame["model"][0],
        by=by,
        k=protocol.k if scored else None,
        notes=(
            *split_notes(train, test),
            *_notes(run, frame, seeds),
            *difference_notes(paired),
        ),
    )


class _Run:
    """The fits and scores of a comparison."""

    def __init__(
        self,
        train: Any,
        test: Any,
        protocol: Protocol,
        refit: bool,
        size: float,
        gap: F64 | None,
        asks_next: bool,
    ) -> None:
        self.train, self.test, self.protocol = train, test, protocol
        self.refit, self.size, self.gap, self.asks_next = refit, size, gap, asks_next
        self.fitted: dict[str, Recommender] = {}
        self.rows: list[dict[str, Any]] = []
        self.scores: dict[str, list[Scores]] = {}
        self.failed: dict[str, str] = {}

    def seed(self, makers: Mapping[str, Maker], seed: int, progress: Callable[[str], None]) -> None:
        """Fit and score every model with one seed."""
        if self.asks_next:
            inner, validation = leave_last_out(self.train, seed)
        else:
            inner, validation = train_test_split(self.train, test_size=self.size, seed=seed)
        for name, make in makers.items():
            if name in self.failed:
                continue
            progress(name)
            with failures(lambda why, name=name: self._leave_out(name, why)):  # type: ignore[misc]
                self._enter(name, make, SplitOf[Any](inner, validation), seed)

    def _enter(self, name: str, make: Maker, parts: SplitOf[Any], seed: int) -> None:
        """Fit and score a model; ``parts`` are the inner training part and the validation part."""
        inner, validation = parts
        model = make()
        with measured() as cost:
            model.fit(inner, validation=validation, seed=seed, progress=False)
        row: dict[str, Any] = {"model": name}
        row |= validation_scores(model, validation, self.protocol)
        if self.refit:
            model = make()
            with measured() as cost:
                model.fit(self.train, seed=seed, progress=False)
        scores = score_on_test(
            model, self.test, self.protocol, None if self.refit else validation, self.gap
        )
        costs = {"fit_seconds": cost.seconds, "memory_mb": cost.memory_mb}
        self.rows.append(row | scores.row | costs)
        self.scores.setdefault(name, []).append(scores)
        self.fitted.setdefault(name, model)

    def _leave_out(self, name: str, why: str) -> None:
        """A model that fails with one seed has no scores, and is not fitted with the others."""
        self.failed[name] = why
        self.rows = [row for row in self.rows if row["model"] != name]
        self.scores.pop(name, None)
        self.fitted.pop(name, None)


def _has_last(train: Ratings | Interactions, threshold: float | None) -> bool:
    """Whether the last training rows of users can be held out, and choose."""
    try:
        validation: Any = leave_last_out(train).test
    except ArgumentError:
        return False
    return len(validation.likes(threshold)) > 0


def _makers(models: Mapping[str, Maker] | Sequence[str]) -> dict[str, Maker]:
    if isinstance(models, Mapping):
        return dict(models)
    return {name: lambda name=name: make_model(name) for name in models}  # type: ignore[misc]


def _rehearse(model: Recommender, train: Ratings | Interactions) -> None:
    """Fit a model on a few ratings and call it, so that its code is loaded and compiled."""
    if not model.compiles:
        return
    rows = np.random.default_rng(0).permutation(len(train))[:REHEARSAL_RATINGS]
    small: Any = type(train).from_frame(
        train.take(np.sort(rows)).to_frame(),
        item_table=train.item_table,
        user_table=train.user_table,
    )
    if isinstance(train, Ratings):  # the scale of the whole table decides which code is compiled
        small = small.replaced(scale=train.scale)
    with failures(lambda why: None):  # a model that needs more ratings than these, for example
        model.fit(small, validation=small, seed=0, progress=False)
        model.score_rows(model.user_at(0))
        if model.predicts_ratings:
            model.predict_ratings(small)


def _notes(run: _Run, frame: pl.DataFrame, seeds: Sequence[int]) -> list[str]:
    """How the models were chosen and measured, in sentences."""
    by, rows = run.protocol.by, run.train.noun
    part = f"{100 * run.size:g} % of the training part drawn at random"
    if run.asks_next:
        part = f"the last of each user in the training part, as the test {rows} are the next"
    notes = [
        f"chosen: {frame['model'][0]}, by the {by} on validation {rows}, {part}; the test {rows}"
        " had no say"
    ]
    without = frame.filter(pl.col(f"validation_{by}").is_null())["model"].to_list()
    without = [name for name in without if name not in run.failed]
    if without:
        notes.append(f"without {by}, so never chosen: {', '.join(without)}")
    if run.refit:
        notes.append("tested after a second fit on the whole training part")
    if len(seeds) > 1:
        notes.append(
            f"means over {len(seeds)} seeds; each draws its own validation part and fits anew, the"
            " test part is the same for all"
        )
    return notes
