"""TODO docstring of src/tastemap/serve/answers/item_map.py."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tastemap.serve.model.catalogue import top_rows
from tastemap.serve.model.loaded import LoadedModel, Person
from tastemap.serve.schemas import ItemMap, Place
from tastemap.serve.web.errors import Problem

# Items near which a person is placed, the share of the map's width that counts as near, and steps.
NEAREST, NEAR, STEPS = 25, 0.05, 20


def whole_map(model: LoadedModel) -> ItemMap:
    """All items on the map; see `Service.map`."""
    frame = model.map_frame
    if frame is None:
        raise Problem(404, "no_map", "this model has no map; tastemap map draws one and keeps it")
    columns = frame.to_dict(as_series=False)
    same = ("item_id", "x", "y", "preserved", "title", "year", "genre")
    return ItemMap(
        **{name: columns[name] for name in same},
        n_ratings=columns["popularity"],
        average_rating=columns["average"],
        sentence=model.map_sentence,
    )


def place_of_item(model: LoadedModel, row: int) -> Place | None:
    """Where an item lies on the map."""
    frame = model.map_frame
    at = np.flatnonzero(model.map_rows == row)
    if frame is None or not len(at):
        return None
    x, y, preserved = frame.select("x", "y", "preserved").row(int(at[0]))
    return Place(x, y, preserved)


def place_of_person(model: LoadedModel, someone: Person) -> Place | None:
    """Where a person stands: amid the densest part of the items that point their way.

    The items whose factors have the largest cosine with the person's own are looked up on the map;
    from the one in the thickest crowd, a mean weighted by nearness moves to the middle of the crowd
    (mean shift). A plain mean would stand between two crowds, where nothing is.
    """
    own, directions, places = model.factors_of(someone), model.item_directions, model.map_places
    if own is None or directions is None or not len(places) or not np.any(own):
        return None
    cosine = directions[model.map_rows] @ (own / np.linalg.norm(own))
    near = top_rows(cosine, NEAREST)
    crowd = places[near]
    width = max(float(np.ptp(places, axis=0).max()), 1e-9) * NEAR

    def weights(at: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.exp(-((crowd - at) ** 2).sum(axis=1) / (2 * width**2))

    at = crowd[int(np.argmax([weights(one).sum() for one in crowd]))]
    for _ in range(STEPS):
        at = weights(at) @ crowd / weights(at).sum()
    return Place(float(at[0]), float(at[1]))
