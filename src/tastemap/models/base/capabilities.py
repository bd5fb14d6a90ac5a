"""``Capabilities``: what a model can do, which callers ask before they call."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Capabilities:
    """What a model can do, besides scoring items for the users of its training data.

    Attributes:
        predicts: Its scores are ratings. Otherwise they only rank, and `predict` is refused.
        distribution: It gives a distribution over the levels of the scale, and so a median.
        cumulative: It gives the probability of a rating up to any value, on a scale without levels.
        folds_in: It describes a new user from ratings.
        explains: Its predictions are sums of parts.
        similar_items, similar_users: It compares items, or users.
        map: It has a vector for each item, from which a map can be drawn.
        interactions: It learns from `Interactions`, too; other models need ratings.
        ordered: It looks at the order of what a user took up: the items similar to one are those
            that people go on to.
        new_items: It takes items that nobody has rated, and places them by their facts.
        standard_errors: It says how certain each expected rating is: lists can be cautious.
    """

    predicts: bool = True
    distribution: bool = False
    cumulative: bool = False
    folds_in: bool = False
    explains: bool = False
    similar_items: bool = False
    similar_users: bool = False
    map: bool = False
    interactions: bool = False
    ordered: bool = False
    new_items: bool = False
    standard_errors: bool = False
