"""What to say of an item that counts less since one that is like it is unwanted."""

from dataclasses import dataclass

import numpy as np

from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.model.user import ServedUser
from tastemap.serve.schemas import Id

# Less is not worth a word, in units of the rating.
MIN_LOWERING_IN_WORDS = 0.05


@dataclass(frozen=True, slots=True)
class Lowered:
    """How much less an item counts in lists, and the unwanted item that it is most like.

    Attributes:
        amount: In units of the rating.
        item_id, title: The unwanted item.
    """

    amount: float
    item_id: Id
    title: str


def lowered_by(model: LoadedModel, user: ServedUser, row: int) -> Lowered | None:
    """Why an item counts less in a user's lists; None if it does not, or hardly."""
    lowering = model.lowering(user)
    if lowering is None or lowering[row] < MIN_LOWERING_IN_WORDS:
        return None
    places = [np.flatnonzero(model.near(other) == row) for other in user.unwanted.tolist()]
    ranks = [int(place[0]) if len(place) else len(model.catalogue) for place in places]
    cause = model.catalogue[int(user.unwanted[int(np.argmin(ranks))])]
    return Lowered(float(lowering[row]), *cause[:2])
