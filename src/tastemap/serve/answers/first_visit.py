"""The first minute: films that most people know, from all over the map, and how far somebody is."""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from tastemap.arrays import F64, I64, FloatArray, IndexArray
from tastemap.serve.answers.item_map import place_of_user
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.model.user import ServedUser

#: So many items stand there at a time, and so many answers lead to the picks.
N_PLACES, N_ANSWERS = 9, 5
# The places are shared out among so many of the most rated items.
N_CANDIDATES = 72
# Among the places that are equally far from the others, the better known item comes first: the
# distance counts as often as the number of ratings to this power.
POWER_OF_POPULARITY = 0.5
# The picture of the map has so many of its points, and this side, in units of its own.
N_POINTS, SIDE = 600, 1000

_places: "WeakKeyDictionary[LoadedModel, list[list[int]]]" = WeakKeyDictionary()
_clouds: "WeakKeyDictionary[LoadedModel, PointCloud]" = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class PointCloud:
    """The picture of the map, without the person.

    Attributes:
        path: The points as the path of an SVG: each a line without a length.
        low, scale: What turns places of the map into those of the picture.
    """

    path: str
    low: F64
    scale: float

    def at(self, x: float, y: float) -> tuple[int, int]:
        """A place of the map in the picture, whose y goes down."""
        px, py = ((np.array([x, y]) - self.low) * self.scale).round().astype(int).tolist()
        return px, SIDE - py


@dataclass(frozen=True, slots=True)
class Backdrop:
    """The map behind the first films.

    Attributes:
        path: The points of all items, as the path of an SVG.
        items: Where the items stand that are shown, (x, y), and whether each is rated.
        you: Where the person stands, if that is known.
    """

    path: str
    items: list[tuple[int, int, bool]]
    you: tuple[int, int] | None


def first_items(model: LoadedModel, user: ServedUser) -> IndexArray:
    """Rows of the items that somebody new is asked for, one a place, (n,).

    A place keeps its item when it is rated. Where somebody has not seen it, or has put it aside,
    the best known item of the same region follows that they have not been asked for.
    """
    passed = {*user.unseen.tolist(), *user.set_aside.tolist(), *user.user.seen.tolist()}
    if model not in _places:
        _places[model] = _shared_out(model)
    rows = [next((row for row in items if row not in passed), -1) for items in _places[model]]
    return np.array([row for row in rows if row >= 0], dtype=np.int32)


def backdrop(model: LoadedModel, user: ServedUser, rows: IndexArray) -> Backdrop | None:
    """The map with some films and the person on it; None where there is no map."""
    if model.map is None:
        return None
    if model not in _clouds:
        popularity = model.catalogue.popularity[model.map.rows]
        _clouds[model] = _cloud(model.map.places, popularity)
    cloud, on_map = _clouds[model], {row: at for at, row in enumerate(model.map.rows.tolist())}
    items = [
        (*cloud.at(*model.map.places[on_map[row]]), row in user.rating_of)
        for row in rows.tolist()
        if row in on_map
    ]
    place = place_of_user(model, user)
    return Backdrop(cloud.path, items, None if place is None else cloud.at(place.x, place.y))


def _shared_out(model: LoadedModel) -> list[list[int]]:
    """For each place the items that may stand there, the first choice first."""
    catalogue = model.catalogue
    candidates = catalogue.by_popularity[~model.data.items.placeholders[catalogue.by_popularity]]
    candidates = candidates[catalogue.popularity[candidates] > 0][:N_CANDIDATES]
    where = _positions(model, candidates)
    weight = catalogue.popularity[candidates] ** POWER_OF_POPULARITY
    chosen = [0][: len(candidates)]
    far = np.full(len(candidates), np.inf)
    while len(chosen) < min(N_PLACES, len(candidates)):
        far = np.minimum(far, np.linalg.norm(where - where[chosen[-1]], axis=1))
        worth = far * weight
        worth[chosen] = -np.inf
        chosen.append(int(np.argmax(worth)))
    places = [[int(candidates[at])] for at in chosen]
    for at in range(len(candidates)):
        if at not in chosen:
            nearest = np.argmin(np.linalg.norm(where[chosen] - where[at], axis=1))
            places[int(nearest)].append(int(candidates[at]))
    return places


def _positions(model: LoadedModel, rows: IndexArray) -> FloatArray:
    """Where items lie: on the map, else by their directions, else by their genres, (n, d)."""
    if model.map is not None and set(rows.tolist()) <= set(model.map.rows.tolist()):
        order = np.argsort(model.map.rows)
        at = order[np.searchsorted(model.map.rows, rows, sorter=order)]
        return np.asarray(model.map.places[at])
    if model.item_directions is not None:
        return model.item_directions[rows]
    genres = [name for name, _ in model.catalogue.genres]
    has = [[name in model.catalogue.genres_of(row) for name in genres] for row in rows.tolist()]
    return np.array(has, dtype=np.float64).reshape(len(rows), -1)


def _cloud(places: FloatArray, popularity: I64) -> PointCloud:
    """The picture of the map: the most rated of the items at some places (n, 2), each a point."""
    low, width = places.min(axis=0), max(float(np.ptp(places, axis=0).max()), 1e-9)
    margin = SIDE * 0.03
    scale = (SIDE - 2 * margin) / width
    # The shorter side lies in the middle.
    middle = (low + places.max(axis=0)) / 2
    cloud = PointCloud("", middle - SIDE / 2 / scale, scale)
    shown = np.argsort(-popularity, kind="stable")[:N_POINTS].tolist()
    path = "".join("M{} {}h0".format(*cloud.at(*places[at])) for at in shown)
    return PointCloud(path, cloud.low, scale)
