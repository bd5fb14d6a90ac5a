"""The map of the items, and where a person stands on it."""

from dataclasses import dataclass

import numpy as np

from tastemap.arrays import FloatArray
from tastemap.models.base.selection import top_k
from tastemap.serve.model.loaded import LoadedModel, ServedUser
from tastemap.serve.schemas import Id

# A person is placed among so many items.
N_NEAREST = 25
# The share of the map's width that counts as near, and the steps of the mean shift.
BANDWIDTH_SHARE, N_STEPS = 0.05, 20


@dataclass(frozen=True, slots=True)
class Place:
    """A place on the map; ``preserved`` in [0, 1] says how far it can be believed."""

    x: float
    y: float
    preserved: float | None = None


@dataclass(frozen=True, slots=True)
class ItemMap:
    """The map of the items in columns, one entry an item.

    Attributes:
        item_id, title, year, genre, n_ratings, average_rating: What is known of each.
        x, y: Its place.
        preserved: How far the map can be believed there, in [0, 1].
        sentence: How far it can be believed on average, for people.
    """

    item_id: list[Id]
    x: list[float]
    y: list[float]
    preserved: list[float | None]
    title: list[str]
    year: list[int | None]
    genre: list[str]
    n_ratings: list[int]
    average_rating: list[float | None]
    sentence: str


@dataclass(frozen=True, slots=True)
class OwnMap:
    """A person's place on the map and predicted rating of each of its items; null if unknown."""

    place: Place | None
    predicted_rating: list[float] | None


def whole_map(model: LoadedModel) -> ItemMap | None:
    """All items on the map; None where the artifact has none."""
    if model.map is None:
        return None
    columns = model.map.frame.to_dict(as_series=False)
    same = ("item_id", "x", "y", "preserved", "title", "year", "genre")
    return ItemMap(
        **{name: columns[name] for name in same},
        n_ratings=model.catalogue.popularity[model.map.rows].tolist(),
        average_rating=columns["average"],
        sentence=model.map.sentence,
    )


def own_map(model: LoadedModel, user: ServedUser) -> OwnMap:
    """The map as a person sees it; see `Service.own_map`."""
    scores = model.scores(user)
    predicted = model.predicted(user, scores[:0] if model.map is None else scores[model.map.rows])
    return OwnMap(place_of_user(model, user), None if predicted is None else predicted.tolist())


def place_of_item(model: LoadedModel, row: int) -> Place | None:
    """Where an item lies on the map."""
    if model.map is None or row not in model.map.rows:
        return None
    on_map = int(np.flatnonzero(model.map.rows == row)[0])
    return Place(*model.map.frame.select("x", "y", "preserved").row(on_map))


def place_of_user(model: LoadedModel, user: ServedUser) -> Place | None:
    """Where a person stands: amid the densest part of the items that point their way.

    The items whose factors have the largest cosine with the person's own are looked up on the map;
    from the one in the thickest crowd, a mean weighted by nearness moves to the middle of the crowd
    (mean shift). A plain mean would stand between two crowds, where nothing is.
    """
    direction, directions = model.direction_of(user), model.item_directions
    if direction is None or directions is None or model.map is None or not len(model.map.rows):
        return None
    places = model.map.places
    cosine = directions[model.map.rows] @ direction
    crowd = places[top_k(cosine, np.ones(len(cosine), dtype=bool), N_NEAREST)]
    bandwidth = max(float(np.ptp(places, axis=0).max()), 1e-9) * BANDWIDTH_SHARE

    def weights(point: FloatArray) -> FloatArray:
        return np.exp(-((crowd - point) ** 2).sum(axis=1) / (2 * bandwidth**2))

    point = crowd[int(np.argmax([weights(place).sum() for place in crowd]))]
    for _ in range(N_STEPS):
        point = weights(point) @ crowd / weights(point).sum()
    return Place(float(point[0]), float(point[1]))
