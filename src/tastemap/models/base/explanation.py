"""A prediction as a sum: a contribution of each rating of the user, and parts of other kinds."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import polars as pl

from tastemap.arrays import FloatArray, IndexArray
from tastemap.data.nouns import Noun
from tastemap.data.scale import Scale
from tastemap.data.vocabulary import Vocabulary
from tastemap.models.base.user import User

# Corrections smaller than this are rounding, and are not shown.
MIN_CORRECTION = 1e-6


class PartKind(StrEnum):
    """The origin of a part of a prediction; the value is its name in a frame."""

    GLOBAL_MEAN = "global mean"
    ITEM_BIAS = "item bias"
    USER_BIAS = "user bias"
    AVERAGE_USER = "average user"
    RATING = "your rating"
    MEMBER = "score of"
    TRAINING = "training beyond the ratings"
    TOGETHER = "your ratings together"
    SCALE = "kept inside the scale"
    FACTS = "from facts"


# Parts in words for people, of a noun of the data.
PART_NAMES = {
    "global mean": "average of all ratings",
    "mean of all ratings": "average of all ratings",
    "item bias": "how this {noun} is liked beyond it",
    "what others give it": "how this {noun} is liked beyond it",
    "from facts": "nobody has rated it: from what is known of it",
    "user bias": "how generous you are",
    "average user": "what the average person adds",
    "training beyond the ratings": "what training found beyond your ratings",
    "your ratings together": "what your ratings say together, beyond each alone",
}


def part_in_words(part: str, noun: Noun) -> str:
    """The name of a part of a prediction in words.

    Example:
        >>> book = Noun("book", "books")
        >>> part_in_words("item bias", book), part_in_words("genre", book)
        ('how this book is liked beyond it', 'genre')
    """
    return PART_NAMES.get(part, part).replace("{noun}", noun.singular)


class Part(NamedTuple):
    """A part of a prediction that belongs to no rating of the user.

    Attributes:
        kind: Its origin.
        contribution: The number that it adds to the prediction.
        model: The member of a blend that gives this score; empty for other kinds.
    """

    kind: PartKind
    contribution: float
    model: str = ""

    @property
    def name(self) -> str:
        """The name in a frame."""
        return f"{self.kind} {self.model}".rstrip()


@dataclass(frozen=True)
class Explanation:
    """The parts of one prediction; they sum to it.

    Attributes:
        user: The user whose ratings contribute.
        parts: The parts before the contributions of the ratings.
        effects: float64 (n,), the contribution of each rating, in the order of the user's ratings.
        corrections: The parts that bring the sum to the prediction.
        places_back: int64 (n,), how many places back each rating is, 1 for the latest; None in a
            model that does not look at the order.
        without: float64 (n,), the prediction without each rating, where the parts are made of it.
    """

    user: User
    parts: tuple[Part, ...]
    effects: FloatArray
    corrections: tuple[Part, ...] = ()
    places_back: IndexArray | None = None
    without: FloatArray | None = None

    @property
    def total(self) -> float:
        """The sum of all parts, in the order of the frame."""
        before, after = (
            [part.contribution for part in parts] for parts in (self.parts, self.corrections)
        )
        effects = self.effects[np.argsort(-np.abs(self.effects), kind="stable")]
        return float(np.concatenate([before, effects, after]).sum())

    def to_frame(self, items: Vocabulary) -> pl.DataFrame:
        """Frame ``part, item_id, title, rating, contribution``.

        First the parts, then the ratings, the largest contribution first, then the corrections.
        Only ratings have an item, a title and a rating. With `places_back` a column of that name
        comes before the contribution.
        """
        places = {} if self.places_back is None else {"places_back": self.places_back}
        rated = pl.DataFrame(
            {
                "part": pl.repeat(PartKind.RATING.value, len(self.effects), eager=True),
                "item_id": items.ids_at(self.user.item_index),
                "title": items.titles.gather(self.user.item_index),
                "rating": self.user.rating,
                **places,
                "contribution": self.effects.astype(np.float64),
            }
        ).sort(pl.col("contribution").abs(), descending=True, maintain_order=True)
        frames = [_frame(self.parts), rated, _frame(self.corrections)]
        return pl.concat(frames, how="diagonal_relaxed").select(rated.columns)


def correction(kind: PartKind, contribution: float) -> tuple[Part, ...]:
    """A part that brings a sum to the prediction; empty if it is only rounding."""
    return (Part(kind, contribution),) if abs(contribution) > MIN_CORRECTION else ()


def kept_inside(scale: Scale, total: float) -> tuple[Part, ...]:
    """The part that brings a sum to the nearest end of the scale, if it lies outside."""
    return correction(PartKind.SCALE, float(scale.clip(np.array(total))) - total)


def added_up(user: User, explanations: Iterable[tuple[float, Explanation]]) -> Explanation:
    """The explanation of a weighted sum of scores: parts of the same kind are added up.

    Args:
        user: The user of all explanations.
        explanations: Pairs of a weight and an explanation.
    """
    parts: dict[tuple[PartKind, str], float] = {}
    effects = np.zeros(len(user.rating))
    for weight, explanation in explanations:
        for part in (*explanation.parts, *explanation.corrections):
            if part.kind is not PartKind.SCALE:  # a weighted sum is a score, and has no scale
                key = part.kind, part.model
                parts[key] = parts.get(key, 0.0) + weight * part.contribution
        effects += weight * explanation.effects
    named = tuple(Part(kind, value, model) for (kind, model), value in parts.items())
    return Explanation(user, named, effects)


def _frame(parts: tuple[Part, ...]) -> pl.DataFrame:
    columns = {
        "part": [part.name for part in parts],
        "contribution": [float(part.contribution) for part in parts],
    }
    return pl.DataFrame(columns, schema={"part": pl.String, "contribution": pl.Float64})
