"""The map of the items, and where a person stands on it."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tastemap.arrays import F64, I64, FloatArray, IndexArray
from tastemap.explore.regions import Region
from tastemap.models.base.selection import top_k
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.model.user import ServedUser
from tastemap.serve.schemas import Id, ItemCard

# A person is placed among what they like, and so many items that are like it.
N_NEAREST = 25
# With so many ratings an item counts half.
EVIDENCE_RATINGS = 20.0
# The share of the map's width that counts as near, and the steps of the mean shift.
BANDWIDTH_SHARE, N_STEPS = 0.05, 20
# A trail has so many places before the present one.
MAX_TRAIL = 6
# Of a map in words: so many regions, and so many of the best-known items of each.
MAX_REGIONS, MAX_EXAMPLES = 12, 4


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
        item_id, title, name, year, n_ratings, average_rating: What is known of each.
        genre: The genre that gives it its colour, or "other".
        genres: All of its genres.
        x, y: Its place.
        preserved: How far the map can be believed there, in [0, 1].
        sentence: How far it can be believed on average, for people.
        regions: Names of its parts, by what is frequent there.
    """

    item_id: list[Id]
    x: list[float]
    y: list[float]
    preserved: list[float | None]
    title: list[str]
    name: list[str]
    year: list[int | None]
    genre: list[str]
    genres: list[list[str]]
    n_ratings: list[int]
    average_rating: list[float | None]
    sentence: str
    regions: list[Region]


@dataclass(frozen=True, slots=True)
class OwnMap:
    """The map as a person sees it.

    Attributes:
        place: Where they stand; None if nobody knows.
        trail: Where they stood before each of the last few items that they marked, the oldest
            first; places that are the same once.
        predicted_rating: What they would give each item of the map; None if unknown.
        marked: Which items of the map, counted from 0, they have rated or liked.
    """

    place: Place | None
    trail: list[Place]
    predicted_rating: list[float] | None
    marked: list[int]


def whole_map(model: LoadedModel) -> ItemMap | None:
    """All items on the map; None where the artifact has none."""
    if model.map is None:
        return None
    columns = model.map.frame.to_dict(as_series=False)
    same = ("item_id", "x", "y", "preserved", "title", "name", "year", "genre")
    return ItemMap(
        **{name: columns[name] for name in same},
        n_ratings=model.catalogue.popularity[model.map.rows].tolist(),
        genres=[list(row or ()) for row in columns["genres"]],
        average_rating=columns["average"],
        sentence=model.map.sentence,
        regions=model.map.regions,
    )


def own_map(model: LoadedModel, user: ServedUser) -> OwnMap:
    """The map as a person sees it; see `Service.own_map`."""
    scores = model.scores(user)
    predicted = model.predicted(user, scores[:0] if model.map is None else scores[model.map.rows])
    *trail, place = _way(model, user)
    return OwnMap(
        place,
        [place for place in trail if place is not None],
        None if predicted is None else predicted.tolist(),
        _marked(model, user),
    )


def regions_in_words(model: LoadedModel) -> list[tuple[str, list[ItemCard]]]:
    """The regions that are seen from afar, with the best-known items of each.

    It is the map of those who cannot see it. Where no region has a name, the best-known items of
    all; empty without a map.
    """
    if model.map is None:
        return []
    by_popularity = np.argsort(-model.catalogue.popularity[model.map.rows], kind="stable")
    widest = max((region.reach for region in model.map.regions), default=0.0)
    listed = []
    for region in [region for region in model.map.regions if region.reach == widest][:MAX_REGIONS]:
        distance = np.hypot(*(model.map.places[by_popularity] - [region.x, region.y]).T)
        inside = by_popularity[distance <= 2 * region.reach][: 10 * MAX_EXAMPLES]
        cards = model.catalogue.cards(model.map.rows[inside])
        examples = [card for card in cards if _is_of(card, region)]
        listed.append((region.name, examples[:MAX_EXAMPLES]))
    if not listed:
        most = model.map.rows[by_popularity[: MAX_REGIONS * MAX_EXAMPLES]]
        return [("Best known", model.catalogue.cards(most))]
    return listed


def _is_of(card: ItemCard, region: Region) -> bool:
    """Whether an item has what gives a region its name."""
    decade = "" if card.year is None else f"{card.year // 10 * 10}s"
    return {*region.name.split(", ")} <= {*card.genres, decade}


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
    return None if user.source == "popular" else _place(model, user.item_index, user.rating)


def _way(model: LoadedModel, user: ServedUser) -> list[Place | None]:
    """Where a person stood before each of the last few marks, and, last, where they stand."""
    n = len(user.item_index)
    if user.source == "popular" or not n:
        return [None]
    first = max(n - MAX_TRAIL, 1)
    way = [_place(model, user.item_index[:k], user.rating[:k]) for k in range(first, n + 1)]
    return [place for place, after in pairwise(way) if place != after] + way[-1:]


def _marked(model: LoadedModel, user: ServedUser) -> list[int]:
    """Which items of the map a person has rated or liked."""
    if model.map is None or user.source == "popular":
        return []
    rows = user.item_index if model.has_ratings else user.item_index[user.rating > 0]
    return np.flatnonzero(np.isin(model.map.rows, rows)).tolist()


def _place(model: LoadedModel, item_index: IndexArray, rating: FloatArray) -> Place | None:
    """Where somebody with these ratings stands, see `place_of_user`."""
    if model.map is None:
        return None
    places, popularity = model.map.places, model.catalogue.popularity[model.map.rows]
    weight = _liking(model, item_index, rating)[model.map.rows] * _evidence(popularity)
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


def _liking(model: LoadedModel, item_index: IndexArray, rating: FloatArray) -> F64:
    """How much a person likes each item (n_items,), 0 for what they do not like or not know."""
    liking = np.zeros(len(model.catalogue))
    likes = model.likes(rating)
    rows, values = item_index[likes], rating[likes].astype(np.float64)
    if model.has_ratings:
        values -= (model.scale.lowest + model.scale.highest) / 2
    np.maximum.at(liking, rows, values)
    return liking


def _evidence(popularity: I64) -> F64:
    """How well items with so many ratings are known, from 0 to 1."""
    return np.asarray(popularity / (popularity + EVIDENCE_RATINGS), dtype=np.float64)
