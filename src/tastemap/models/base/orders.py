"""What lists are ordered by: expected ratings, what is certain, and what is for one user."""

from typing import Any

import numpy as np

from tastemap.arrays import F64, I64, FloatArray, IndexArray, Mask
from tastemap.errors import ArgumentError, UnsupportedError
from tastemap.models.base.capabilities import Capabilities
from tastemap.models.base.selection import novelty_bonus, top_k
from tastemap.models.base.user import User
from tastemap.models.base.validation import whole_number

#: The order whose first list learns which items people take up, liked or not.
LIKELY = "likely-and-liked"
#: What a list may be ordered by; `Recommender.recommend` says what each is.
ORDERS = ("expected", "cautious", "curious", "relative", LIKELY)
# Both are chosen by benchmarks/orders.py on an inner split: as little as it takes.
#: So many standard errors below the expected rating is its quantile of 10 %.
CAUTION = 1.2816
#: The number of ratings of an item at which its lift, or its bonus of novelty, counts half.
SHRINKAGE = 20.0
# The standard errors of so many items of the highest expected ratings, and of so many for each
# place of the list, say which others cannot come into it.
MIN_SHORTLIST, SHORTLIST_PER_PLACE = 128, 4
# Lifts of a smaller range, as a share of the scale's, are rounding.
MIN_RANGE_OF_LIFT = 1e-5


class OrderedModel:
    """The hooks of a model that says how certain its expected ratings are."""

    def _standard_errors(self, user: User, item_index: IndexArray) -> FloatArray:
        """Standard errors (n,) of the expected ratings of some items, in units of the rating.

        What is not certain of the item and of the user counts, the noise of a rating does not: a
        film that half of the people love and half hate has a small one, if many have rated it.
        """
        raise UnsupportedError(f"{type(self).__name__} has no standard errors")

    def _sampled(self, user: User, predicted: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Expected ratings (n_items,) as they may be, drawn around those that are predicted."""
        rows = np.arange(len(predicted), dtype=np.int32)
        return predicted + self._standard_errors(user, rows) * rng.standard_normal(len(predicted))


def check_order(by: str) -> str:
    """The order of a list, which must be one of `ORDERS`."""
    if by not in ORDERS:
        raise ArgumentError("by", expected=f"one of {', '.join(ORDERS)}", received=repr(by))
    return by


def orders_of(capabilities: Capabilities) -> tuple[str, ...]:
    """The orders that a model has.

    Example:
        >>> orders_of(Capabilities(predicts=False))
        ('expected',)
        >>> orders_of(Capabilities(standard_errors=True))
        ('expected', 'cautious', 'curious', 'likely-and-liked')
    """
    has = {
        "expected": True,
        "cautious": capabilities.standard_errors,
        "curious": capabilities.standard_errors,
        "relative": capabilities.predicts and capabilities.similar_items,
        LIKELY: capabilities.predicts,
    }
    return tuple(order for order in ORDERS if has[order])


def cautious_order(capabilities: Capabilities) -> str:
    """The order of lists for people: ``"cautious"``, and ``"expected"`` where there is none.

    Example:
        >>> cautious_order(Capabilities(predicts=False)), cautious_order(
        ...     Capabilities(standard_errors=True)
        ... )
        ('expected', 'cautious')
    """
    return "cautious" if "cautious" in orders_of(capabilities) else "expected"


def ordered(
    model: Any,
    predicted: FloatArray,
    user: User,
    by: str,
    *,
    novelty: float = 0.0,
    allowed: Mask,
    k: int,
    seed: int = 0,
    is_quick: bool = False,
) -> FloatArray:
    """What a list is ordered by, (n_items,), from predictions for a user.

    Args:
        model: The model, of the predictions (n_items,).
        predicted: Raw predictions.
        user: Whose they are.
        by: One of `ORDERS`.
        novelty: From -1 (favour popular items) through 0 to 1 (favour rarely rated items).
        allowed: Mask (n_items,) of the items that the list may hold.
        k: Its length: what cannot be among the k best may have -inf.
        seed: Of the draw of a curious list.
        is_quick: Whether standard errors that are nearly right will do, as for a shortlist.

    Raises:
        ArgumentError: If the order is none, or the seed.
        UnsupportedError: If the model does not have the order.
    """
    supported(model, by)
    if by == "cautious":
        if novelty:
            bonus = novelty_bonus(predicted, model._item_information, novelty)
            predicted = predicted + cautious_bonus(bonus, model.fitted_data.by_item.counts)
        if is_quick:
            return predicted - CAUTION * model._quick_errors(user)
        return _cautious(model, predicted, user, allowed, k)
    score = _by(model, predicted, user, by, seed)
    return score + novelty_bonus(score, model._item_information, novelty) if novelty else score


def _by(model: Any, predicted: FloatArray, user: User, by: str, seed: int) -> FloatArray:
    """As `ordered`, in the orders that look at all items."""
    if by == "curious":
        seed = whole_number("seed", seed, at_least=0)
        sampled: FloatArray = model._sampled(
            user, predicted, np.random.default_rng([seed, user.user_index + 1])
        )
        return sampled
    if by == "relative":
        return _relative(model, predicted)
    if by == LIKELY:
        # On a scale that goes below 0, what is unlikely and bad must not come before what is bad.
        scale = model.fitted_ratings.scale
        p: F64 = model._propensity(user.touched)
        return p * (scale.clip(predicted) - min(scale.lowest, 0.0))
    return predicted


def supported(model: Any, by: str) -> str:
    """The order, which the model must have; the errors are those of `ordered`."""
    orders = orders_of(model.capabilities)
    if check_order(by) in orders:
        return by
    why, other = "has no standard errors of what it predicts", "bias, knn, als, mf or bayes"
    if not model.capabilities.predicts:
        why, other = "only scores items and predicts no ratings", "bias, knn, als, mf or bayes"
    elif by == "relative":
        why, other = "has no tastes, so that nothing is more for one than for all", "mf or bayes"
    raise UnsupportedError(
        f"{type(model).__name__} cannot order lists by {by!r}: it {why}",
        expected=f"one of {', '.join(orders)}",
        do=f"take one of these, or a model such as {other}",
    )


def cautious_bonus(bonus: FloatArray, counts: I64) -> FloatArray:
    """A bonus of novelty (n_items,) for a cautious list: what it adds counts n / (n + 20).

    Else the newest of all were films of a single rating, whatever it is.

    Example:
        >>> cautious_bonus(np.array([2.1, -2.1]), np.array([1, 1])).round(3).tolist()
        [0.1, -2.1]
    """
    return np.where(bonus > 0, bonus * _trust(counts), bonus)


def _trust(counts: I64) -> F64:
    return counts / (counts + SHRINKAGE)


def _cautious(model: Any, predicted: FloatArray, user: User, allowed: Mask, k: int) -> FloatArray:
    """`CAUTION` standard errors below the predictions.

    No standard error is negative. So an item whose prediction is below the k-th best cautious score
    of a shortlist is not in the list, and its standard error is not worked out.
    """
    score = np.full(len(predicted), -np.inf)

    def fill(rows: IndexArray) -> None:
        if not len(rows):
            return
        errors = model._standard_errors(user, rows)
        score[rows] = predicted[rows].astype(np.float64) - CAUTION * errors

    shortlist = top_k(predicted, allowed, max(MIN_SHORTLIST, SHORTLIST_PER_PLACE * k))
    fill(shortlist)
    if len(shortlist) >= k:
        contends = allowed & (predicted >= np.partition(score[shortlist], -k)[-k])
        contends[shortlist] = False
        fill(np.flatnonzero(contends).astype(np.int32))
    return score


def _relative(model: Any, predicted: FloatArray) -> FloatArray:
    """How much more this user than the average one, shrunk where few have rated the item.

    With the mean lift of a rating taken off, a generous user's own level is no lift. Where all
    lifts are equal, as for somebody of whom nothing is known, the predictions are the order.
    """
    counts = model.fitted_data.by_item.counts
    lift = predicted.astype(np.float64) - model._average_scores
    scale = model.fitted_ratings.scale
    if np.ptp(lift) <= MIN_RANGE_OF_LIFT * (scale.highest - scale.lowest):
        return predicted
    centred: F64 = lift - np.average(lift, weights=counts)
    return centred * _trust(counts)
