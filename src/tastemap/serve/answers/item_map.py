"""The map of the items, and where a person stands on it."""

from dataclasses import dataclass

import numpy as np

from tastemap.arrays import F64, I64, FloatArray
from tastemap.models.base.selection import top_k
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.model.user import ServedUser
from tastemap.serve.schemas import Id

# A person is placed among what they like, and so many items that are like it.
N_NEAREST = 25
# With so many ratings an item counts half.
EVIDENCE_RATINGS = 20.0
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
        item_id, title, name, year, genre, n_ratings, average_rating: What is known of each.
        x, y: Its place.
        preserved: How far the map can be believed there, in [0, 1].
        sentence: How far it can be believed on average, for people.
    """

    item_id: list[Id]
    x: list[float]
    y: list[float]
    preserved: list[float | None]
    title: list[str]
    name: list[str]
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
    same = ("item_id", "x", "y", "preserved", "title", "name", "year", "genre")
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
    """Where a person stands: amid the densest part of what they like, and of what is like it.

    Each liked item counts by how much it is liked and by how well it is known, n / (n + 20) for n
    ratings: on the map an item of few ratings lies anywhere. Where the model has directions of
    items, the known items that point the way of the liked ones count, too, by their cosine. From
    the place in the thickest crowd, a mean weighted by nearness moves to the middle of the crowd
    (mean shift). A plain mean would stand between two crowds, where nothing is.

    None without a map, and for somebody who likes nothing on it.
    """
    if model.map is None or user.source == "popular":
        return None
    places, popularity = model.map.places, model.catalogue.popularity[model.map.rows]
    weight = _liking(model, user)[model.map.rows] * _evidence(popularity)
    if not weight.any():
        return None
    weight /= weight.max()
    if model.item_directions is not None:
        directions = model.item_directions[model.map.rows]
        similar = directions @ (weight @ directions)
        worth = similar / max(float(np.abs(similar).max()), 1e-9) * _evidence(popularity)
        near = top_k(worth, worth > 0, N_NEAREST)
        weight[near] = np.maximum(weight[near], worth[near])
    crowd, weight = places[weight > 0], weight[weight > 0]
    bandwidth = max(float(np.ptp(places, axis=0).max()), 1e-9) * BANDWIDTH_SHARE

    def weights(point: FloatArray) -> FloatArray:
        return weight * np.exp(-((crowd - point) ** 2).sum(axis=1) / (2 * bandwidth**2))

    point = crowd[int(np.argmax([weights(place).sum() for place in crowd]))]
    for _ in range(N_STEPS):
        point = weights(point) @ crowd / weights(point).sum()
    return Place(float(point[0]), float(point[1]))


def _liking(model: LoadedModel, user: ServedUser) -> F64:
    """How much a person likes each item (n_items,), 0 for what they do not like or not know."""
    liking = np.zeros(len(model.catalogue))
    likes = model.likes(user.rating)
    rows, values = user.item_index[likes], user.rating[likes].astype(np.float64)
    if model.has_ratings:
        values -= (model.scale.lowest + model.scale.highest) / 2
    np.maximum.at(liking, rows, values)
    return liking


def _evidence(popularity: I64) -> F64:
    """How well items with so many ratings are known, from 0 to 1."""
    return np.asarray(popularity / (popularity + EVIDENCE_RATINGS), dtype=np.float64)
