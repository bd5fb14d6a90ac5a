"""How alike the tastes of two people are, with an interval, and what they differ most on."""

import math
from dataclasses import dataclass

import numpy as np

from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.model.user import ServedUser
from tastemap.serve.schemas import ItemCard

#: With fewer ratings than this nothing is said of a taste.
MIN_RATINGS = 5
# Of mf, als, knn, ease and bayes on MovieLens 100K, for people of 200 ratings of whom 8 to 100 are
# looked at, on average over the models.
ERROR_OF_ONE_RATING, SPREAD_OF_SHARES = 0.75, 0.15
# The interval holds the truth in four of five cases, where errors are normal.
STANDARD_ERRORS = 1.2816


@dataclass(frozen=True, slots=True)
class Alike:
    """How alike two tastes are.

    Attributes:
        share: Of two items that everybody likes equally, both prefer the same one in this share of
            the cases: 0.5 for tastes that have nothing to do with each other.
        low, high: An interval of 80 % about it.
        apart: The well-known item on which the two differ most, and what each would give it.
    """

    share: float
    low: float
    high: float
    apart: tuple[ItemCard, float, float] | None


def alike(model: LoadedModel, mine: ServedUser, theirs: ServedUser) -> Alike | None:
    """How alike two people are; None where one of them has too few ratings.

    A taste is what remains of somebody's scores once everybody's are taken away, by least squares.
    The correlation r of two tastes gives the share in which they prefer the same of two items,
    1/2 + arcsin(r) / pi if they are normal (Sheppard 1899). Its standard error is
    `ERROR_OF_ONE_RATING` times the root of the mean of 1 / n for the two numbers of ratings, and at
    most what shares differ by from pair to pair; ``benchmarks/alike.py`` prints how often the
    interval holds what all ratings of two people say.

    Args:
        model: The model.
        mine, theirs: The two.
    """
    people = (mine, theirs)
    if any(user.source == "popular" or len(user.item_index) < MIN_RATINGS for user in people):
        return None
    first, second = (model.taste_of(user) for user in people)
    share = _share(float(first.direction @ second.direction))
    numbers = np.array([len(user.item_index) for user in people])
    margin = STANDARD_ERRORS * min(
        ERROR_OF_ONE_RATING * float(np.mean(1 / numbers)) ** 0.5, SPREAD_OF_SHARES
    )
    apart = None
    if model.has_ratings and model.capabilities.predicts:
        ours = [model.scale.clip(taste.scores) for taste in (first, second)]
        place = int(np.argmax(np.abs(ours[0] - ours[1])))
        card = model.catalogue.cards(model.catalogue.by_popularity[[place]])[0]
        apart = (card, float(ours[0][place]), float(ours[1][place]))
    return Alike(share, max(share - margin, 0.0), min(share + margin, 1.0), apart)


def _share(correlation: float) -> float:
    return 0.5 + math.asin(min(max(correlation, -1.0), 1.0)) / math.pi
