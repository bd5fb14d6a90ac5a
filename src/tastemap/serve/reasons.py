"""A short reason for a pick: the rating of the person's own that lifts it most.

One above the middle of the scale, if there is any that lifts it; else a low one.
"""

from contextlib import suppress
from dataclasses import replace

import numpy as np

from tastemap.errors import UnsupportedError
from tastemap.models.factors import FactorModel
from tastemap.serve.answers import ItemCard, Reason
from tastemap.serve.catalogue import Rows
from tastemap.serve.model import Floats, LoadedModel, Person

# A lift of less is none, in units of the rating (or of the score).
LEAST = 0.005
# More than any lift.
WIDE = 1e6


def with_reasons(
    model: LoadedModel, someone: Person, rows: Rows, cards: list[ItemCard]
) -> list[ItemCard]:
    """Cards of the items at some rows, each with its reason where the model can tell one."""
    if someone.source == "popular" or not len(someone.rows) or not len(rows):
        return cards
    lifts = _lifts(model, someone, rows)
    if lifts is None:
        return cards
    own = someone.rows == np.asarray(rows)[:, None]  # no item is its own reason
    lifts = np.where(own, -np.inf, lifts)
    liked = someone.rating > (model.scale.lowest + model.scale.highest) / 2
    # What somebody likes says more to them than what they do not.
    best = np.where((lifts > LEAST) & liked, lifts + WIDE, lifts).argmax(axis=1)
    catalogue, rated = model.catalogue, someone.own
    reasons = [
        Reason(catalogue.id_at(row), catalogue.title_at(row), rated[row])
        for row in someone.rows[best].tolist()
    ]
    told = lifts.max(axis=1) > LEAST
    return [
        replace(card, because=reason) if is_told else card
        for card, reason, is_told in zip(cards, reasons, told.tolist(), strict=True)
    ]


def _lifts(model: LoadedModel, someone: Person, rows: Rows) -> Floats | None:
    """How far each rating lifts each item (n, n_rated); None where the model cannot tell.

    With factors it is how far it lifts the item above the average item, in the closed form of the
    fold-in: else whoever rates high would have that rating as the reason of everything.
    """
    if isinstance(model.model, FactorModel):
        x = model.model.item_weights[rows].astype(np.float64) - model.model.item_weights[-1]
        x[:, 0] = 0.0  # 1 for every item
        with suppress(UnsupportedError):
            lifts: Floats = x @ model.model._moves(someone.rows, someone.rating)
            return lifts
    if not model.explains:
        return None
    ids = model.data.items.ids_at(someone.rows)
    frames = [_parts(model, someone, int(row)) for row in rows]
    return np.array([[parts.get(one, 0.0) for one in ids] for parts in frames])


def _parts(model: LoadedModel, someone: Person, row: int) -> dict[int | str, float]:
    """What each rated item contributes to the prediction of one."""
    frame = model.parts(someone, row).drop_nulls("item_id")
    return dict(frame.select("item_id", "contribution").rows())
