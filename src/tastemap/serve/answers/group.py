"""TODO docstring of src/tastemap/serve/answers/group.py."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tastemap.serve.model.catalogue import Filters, top_rows
from tastemap.serve.model.loaded import LoadedModel, Person
from tastemap.serve.schemas import GroupPick, GroupPicks
from tastemap.serve.web.errors import Problem

METHODS = ("least_misery", "average")


def group_picks(
    model: LoadedModel, members: Mapping[str, Person], method: str, k: int, filters: Filters
) -> GroupPicks:
    """Items for several people; see `Service.group`."""
    if method not in METHODS:
        raise Problem(422, "invalid_argument", f"method is {' or '.join(METHODS)}, not {method!r}")
    if not members:
        raise Problem(422, "invalid_argument", "a group has at least one member")
    each = []
    for person in members.values():
        scores = model.scores(person)
        each.append(model.scale.clip(scores) if model.predicts else scores)
    table = np.stack(each)
    score = table.min(axis=0) if method == "least_misery" else table.mean(axis=0)
    seen = np.concatenate([person.rows for person in members.values()])
    # Between equal scores (the end of the scale) the happier group decides.
    rows = top_rows(score + 1e-6 * table.mean(axis=0), k, model.catalogue.allowed(filters), seen)
    names = list(members)
    picks = [
        GroupPick(card, table[:, row].tolist(), _reason(names, table[:, row], method))
        for card, row in zip(
            model.catalogue.cards(rows, score=score[rows]), rows.tolist(), strict=True
        )
    ]
    return GroupPicks(method, names, picks)


def _reason(names: list[str], predicted: npt.NDArray[Any], method: str) -> str:
    """Why a pick is one, in words."""
    least, most = int(np.argmin(predicted)), int(np.argmax(predicted))
    if len(names) == 1:
        return f"{names[0]} would give it {predicted[0]:.1f}"
    extremes = (
        f"{names[least]} would like it least ({predicted[least]:.1f}), "
        f"{names[most]} most ({predicted[most]:.1f})"
    )
    if method == "least_misery":
        return f"nobody below {predicted[least]:.1f}: {extremes}"
    return f"{predicted.mean():.1f} on average: {extremes}"
