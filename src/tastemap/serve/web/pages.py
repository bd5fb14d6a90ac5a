"""The pages of the application for a person: each asks the service and fills a template."""

from collections import Counter
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Annotated, Any
from urllib.parse import urlencode
from weakref import WeakKeyDictionary

import orjson
from fastapi import Form, Query
from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError
from starlette.responses import JSONResponse, Response

from tastemap.errors import UnsupportedError
from tastemap.explore.imports.files import read_list
from tastemap.explore.imports.likes import chosen_likes, read_likes
from tastemap.explore.imports.ratings import chosen
from tastemap.explore.item_map import OTHER
from tastemap.serve.answers import figures
from tastemap.serve.model.catalogue import NO_FILTERS, Filters
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.people.profiles import AnyProfile
from tastemap.serve.people.retrain import N_RATINGS_KEY
from tastemap.serve.schemas import ItemCard, ItemPage, SimilarItem
from tastemap.serve.settings import Limits
from tastemap.serve.web.errors import Problem, no_map
from tastemap.serve.web.etags import has_already
from tastemap.serve.web.first import first_visit
from tastemap.serve.web.flags import FormFlag
from tastemap.serve.web.mix import Mix
from tastemap.serve.web.rendering import (
    GET_AND_POST,
    CurrentVisit,
    FormChange,
    FormText,
    Visit,
    page_router,
    whole,
)
from tastemap.serve.web.requests import IdInPath, Text
from tastemap.serve.web.templating import digits_of, mixed
from tastemap.support import numerals
from tastemap.support.counts import short

#: Cards in a row, and in a list that was searched for.
CARDS_PER_ROW, CARDS_PER_LIST = 8, 24
#: Items that are found for a group.
N_GROUP_PICKS = 12
# Among the scores of lists: how many users had some, and how many had none.
COUNTS_OF_USERS = ("users", "test_users")
MAX_CHARACTERS_OF_NAME, MAX_UNREAD_SHOWN = 60, 10

router = page_router()
# The map of each model in use, as it is sent.
_maps: WeakKeyDictionary[LoadedModel, bytes] = WeakKeyDictionary()
# Its regions in words.
_regions: WeakKeyDictionary[LoadedModel, list[tuple[str, list[ItemCard]]]] = WeakKeyDictionary()

ItemId = Annotated[str, Query(max_length=Limits.id_length)]


def _of_few_lines(text: str) -> str:
    n_lines = len(text.splitlines())
    if n_lines > Limits.list_lines:
        message = "A list should have at most {most} lines, not {n}"
        raise PydanticCustomError("too_long", message, {"most": Limits.list_lines, "n": n_lines})
    return text


WrittenList = Annotated[
    str, StringConstraints(max_length=Limits.list_length), AfterValidator(_of_few_lines)
]
Lists = Annotated[list[WrittenList] | None, Form(alias="list", max_length=Limits.members)]
ShortText = Annotated[str, StringConstraints(max_length=Limits.text_length)]


# ---- discover ----


@router.api_route("/", methods=GET_AND_POST)
def discover(
    visit: CurrentVisit,
    change: FormChange,
    flag: FormFlag,
    q: Text = "",
    genre: Text = "",
    year_from: Text = "",
    year_to: Text = "",
    min_ratings: Text = "",
    novelty: Text = "0",
    diversity: Text = "0",
    mix: Text = "0",
    at_most: Text = "",
    cursor: Text = "",
) -> Response:
    """Search, filters and the rows of picks; of somebody new, what they are asked first."""
    if flagged := flag.answer(visit):
        return flagged
    if change.apply(visit) and not visit.is_live:
        return visit.again()
    filters = Filters(genre, whole(year_from), whole(year_to), max(whole(min_ratings) or 0, 0))
    sliders: dict[str, Any] = {"novelty": _slider(novelty, -1), "diversity": _slider(diversity, 0)}
    fields: dict[str, Any] = {"q": q, "genre": genre, "year_from": year_from, "year_to": year_to}
    fields |= {"min_ratings": min_ratings}
    service, results = visit.service, None
    of_lists = Mix.of(service.model, mix, at_most, fields | sliders)
    n_set = _n_set(filters, sliders, of_lists)
    first = None if q.strip() or n_set else first_visit(visit)
    if q.strip():
        results = service.items(q, filters, n=CARDS_PER_LIST, cursor=cursor, profile=visit.profile)
    # Without ratings somebody new has one row.
    is_new = not (service.model.has_ratings or visit.n_rated)
    n_in_row, more = CARDS_PER_LIST if is_new else CARDS_PER_ROW, ""
    if results is not None:
        more = f"/?{urlencode(fields | {'cursor': results.next_cursor or ''})}"
    return visit.page(
        "discover.html",
        "Discover",
        **fields,
        **sliders,
        mix=of_lists,
        genres=sorted(name for name, _ in service.model.catalogue.genres),
        found=results,
        found_title="" if results is None else _count_found(results, q, filters),
        more=more,
        n_set=n_set,
        mixed=mixed,
        first=first,
        rows=()
        if results or first
        else service.rows(visit.profile, n_in_row, filters, **sliders, **of_lists.wishes),
    )


def _n_set(filters: Filters, sliders: dict[str, float], mix: Mix) -> int:
    """How many filters and sliders are not as they were."""
    narrowing = (bool(filters.genre), filters.year_from is not None, filters.year_to is not None)
    of_lists = (*sliders.values(), mix.weight, mix.at_most)
    return sum((*narrowing, filters.min_ratings > 0, *map(bool, of_lists)))


def _count_found(results: ItemPage, q: str, filters: Filters) -> str:
    shown = q.strip()
    if not results.total:
        which = "" if filters == NO_FILTERS else " with these filters"
        return f"Nothing found for “{shown}”{which}"
    if results.are_guesses:
        return f"Nothing is called “{shown}”. Spelt alike:"
    return f"{results.total:,} found for “{shown}”"


def _slider(text: str, lowest: float) -> float:
    return min(max(numerals.number(text) or 0.0, lowest), 1.0)


# ---- an item ----


@router.api_route("/items/{item_id:id}", methods=GET_AND_POST)
def item_page(
    visit: CurrentVisit, change: FormChange, flag: FormFlag, item_id: IdInPath
) -> Response:
    """One item: facts, prediction, reasons, neighbours."""
    if flagged := flag.answer(visit):
        return flagged
    if change.apply(visit) and not visit.is_live:
        return visit.again()
    service = visit.service
    detail = service.item(item_id, visit.profile)
    explanation = service.explain(visit.profile, item_id)
    prediction = explanation.prediction
    has_ratings = service.model.has_ratings
    is_from_mean = explanation.additive and has_ratings
    parts = explanation.parts[1:] if is_from_mean else explanation.parts
    largest = max((abs(part.contribution) for part in parts), default=0.0)
    own_rating = detail.item.your_rating
    return visit.page(
        "item.html",
        detail=detail,
        prediction=prediction,
        lowered=service.lowered(visit.profile, item_id) if visit.flags else None,
        explanation=explanation,
        largest=largest,
        digits=digits_of(largest),
        histogram=[
            (short(bar.rating), bar.count, bar.rating == own_rating) for bar in detail.histogram
        ],
        distribution=[
            (short(bar.rating), bar.probability, False) for bar in prediction.distribution or ()
        ],
        similar=[] if detail.item.basis == "average" else _similar(visit, item_id),
        standing=None if has_ratings else service.standing(visit.profile, item_id),
        reasons=[part for part in explanation.parts if part.contribution],
    )


def _similar(visit: Visit, item_id: str) -> list[SimilarItem]:
    """Similar items, where the model can compare them."""
    with suppress(UnsupportedError):
        return visit.service.similar(item_id, 10, visit.profile).items
    return []


# ---- the map ----


@router.get("/map")
def map_page(visit: CurrentVisit, item: ItemId = "") -> Response:
    """The map; a script draws it from the routes below."""
    item_map = visit.service.model.map
    sentence = "" if item_map is None else item_map.sentence
    has_map = item_map is not None
    model = visit.service.model
    if model not in _regions:
        _regions[model] = visit.service.regions()
    shown: dict[str, Any] = {"has_map": has_map, "sentence": sentence, "item_id": item}
    return visit.page("map.html", "Map", regions=_regions[model], **shown)


@router.get("/map/data")
def map_data(visit: CurrentVisit) -> Response:
    """The items of the map in columns; ids as text, so that no browser rounds them."""
    model = visit.service.model
    tag = f'"{model.version}"'
    if has_already(visit.request, tag):
        return Response(status_code=304, headers={"ETag": tag})
    if model not in _maps:
        item_map = visit.service.map()
        if item_map is None:
            raise no_map()
        columns = asdict(item_map)
        counts = Counter(name for name in item_map.genre if name != OTHER)
        columns["title"] = columns.pop("name")
        columns["id"] = [str(item_id) for item_id in columns.pop("item_id")]
        columns["genre_names"] = sorted(counts, key=lambda name: (-counts[name], name))
        names = Counter(name for row in item_map.genres for name in row)
        columns["genre_list"] = sorted(names, key=lambda name: (-names[name], name))
        number = {name: at for at, name in enumerate(columns["genre_list"])}
        columns["genres"] = [[number[name] for name in row] for row in item_map.genres]
        _maps[model] = orjson.dumps(columns)
    return Response(_maps[model], media_type="application/json", headers={"ETag": tag})


@router.get("/map/me")
def map_me(visit: CurrentVisit) -> Response:
    """Where the person stands, and what they would give each item of the map."""
    shown = visit.service.own_map(visit.profile)
    answer = {
        "place": shown.place,
        "trail": shown.trail,
        "marked": shown.marked,
        "predicted_rating": shown.predicted_rating,
        "n_rated": visit.n_rated or 0,
        "n_marked": visit.n_marked or 0,
    }
    return Response(orjson.dumps(answer), media_type="application/json")


@router.get("/map/near/{item_id:id}")
def map_near(visit: CurrentVisit, item_id: IdInPath) -> Response:
    """The true nearest neighbours of an item."""
    similar = _similar(visit, item_id)
    return JSONResponse([(str(near.item.item_id), near.similarity) for near in similar])


@router.api_route("/map/card/{item_id:id}", methods=GET_AND_POST)
def map_card(visit: CurrentVisit, change: FormChange, item_id: IdInPath) -> Response:
    """The card of an item, to stand beside the map."""
    if change.apply(visit) and not visit.is_live:
        return visit.again(f"/map?{urlencode({'item': item_id})}")
    card = visit.service.item(item_id, visit.profile).item
    predicted = visit.service.prediction(visit.profile, item_id).predicted_rating
    return visit.page("card.html", item=replace(card, predicted_rating=predicted))


# ---- together ----


@router.api_route("/together", methods=GET_AND_POST)
def together(
    visit: CurrentVisit,
    name: Annotated[list[ShortText] | None, Form(max_length=Limits.members)] = None,
    lists: Lists = None,
    method: FormText = "least_misery",
    you: FormText = "",
    more: FormText = "",
) -> Response:
    """Items for several people, from lists that nothing is kept of."""
    is_sent = visit.request.method == "POST"
    members = list(zip(name or (), lists or (), strict=False))
    n_shown = min(max(2, len(members) + bool(more)), Limits.members)
    shown = members + [("", "")] * (n_shown - len(members))
    group, unread = _members(visit, shown)
    if you or not is_sent:
        group = {"you": visit.profile, **group}
    picks = None
    if is_sent and not more and group:
        picks = visit.service.group(group, method=method, k=N_GROUP_PICKS)
    return visit.page(
        "together.html",
        "Together",
        members=shown,
        unread=unread,
        method=method,
        you=bool(you) or not is_sent,
        picks=picks,
    )


def _members(
    visit: Visit, members: list[tuple[str, str]]
) -> tuple[dict[str, AnyProfile], list[list[str]]]:
    """The ratings of each member with a list, by name, and the lines that name no item."""
    group: dict[str, AnyProfile] = {}
    unread: list[list[str]] = []
    max_bytes = visit.request.app.state.settings.limits.body
    for number, (name, text) in enumerate(members, start=1):
        ratings, unmatched = _chosen(visit.service.model, text, max_bytes)
        unread.append(unmatched[:MAX_UNREAD_SHOWN])
        if ratings:
            label = name.strip()[:MAX_CHARACTERS_OF_NAME] or f"person {number}"
            group[label if label not in group else f"{label} ({number})"] = ratings
    return group, unread


def _chosen(model: LoadedModel, text: str, max_bytes: int) -> tuple[dict[str, float], list[str]]:
    """The ratings, or the likes, of a written list by item id, and what names no item."""
    if not text.strip():
        return {}, []
    if model.has_ratings:
        return chosen(model.ratings, read_list(text))
    likes = read_likes(text.encode(errors="replace"), max_bytes)
    return chosen_likes(model.data, likes)


# ---- the model ----


@router.get("/model")
def model_page(visit: CurrentVisit) -> Response:
    """What the model is, how good it is, and the figures of its data."""
    card = visit.service.card()
    errors = _errors(card.metrics)
    return visit.page(
        "model.html",
        "The model",
        card=card,
        errors=errors,
        has_baseline=any(baseline is not None for _, _, baseline in errors),
        measured_on=card.metrics.get(N_RATINGS_KEY),
        pictures=figures.pictures(visit.service.model),
    )


@router.get("/model/figures/{name}.png")
def model_figure(visit: CurrentVisit, name: IdInPath) -> Response:
    """One of the figures."""
    picture = figures.picture(visit.service.model, name)
    if picture is None:
        raise Problem(404, "unknown_figure", f"no figure is called {name[:60]!r}")
    return Response(picture, media_type="image/png", headers={"Cache-Control": "max-age=86400"})


def _errors(metrics: dict[str, Any]) -> list[tuple[str, float, float | None]]:
    """The recorded errors by name, each with the baseline's where that was recorded too.

    Numbers of users are no errors.
    """
    numbers = {
        name: value
        for name, value in metrics.items()
        if isinstance(value, int | float) and not name.startswith(COUNTS_OF_USERS)
    }
    return [
        (name.replace("_", " "), float(value), numbers.get(f"baseline_{name}"))
        for name, value in numbers.items()
        if not name.startswith("baseline_") and name != N_RATINGS_KEY
    ]
