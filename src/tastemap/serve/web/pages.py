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
from tastemap.explore import exports
from tastemap.explore.import_likes import chosen_likes, read_likes
from tastemap.explore.import_ratings import chosen
from tastemap.explore.item_map import OTHER
from tastemap.serve.answers import figures
from tastemap.serve.model.catalogue import Filters
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.people.profiles import AnyProfile
from tastemap.serve.people.retrain import N_RATINGS_KEY
from tastemap.serve.schemas import SimilarItem
from tastemap.serve.settings import Limits
from tastemap.serve.web.errors import Problem, no_map
from tastemap.serve.web.etags import has_already
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
from tastemap.serve.web.templating import digits_of
from tastemap.support import numerals

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
    """Search, filters and the rows of picks."""
    if change.apply(visit) and not visit.is_live:
        return visit.again()
    filters = Filters(genre, whole(year_from), whole(year_to), max(whole(min_ratings) or 0, 0))
    sliders: dict[str, Any] = {"novelty": _slider(novelty, -1), "diversity": _slider(diversity, 0)}
    fields: dict[str, Any] = {"q": q, "genre": genre, "year_from": year_from, "year_to": year_to}
    fields |= {"min_ratings": min_ratings}
    service, results = visit.service, None
    mixed = Mix.of(service.model, mix, at_most, fields | sliders)
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
        mix=mixed,
        genres=sorted(name for name, _ in service.model.catalogue.genres),
        found=results,
        found_title="" if results is None else _count_found(results.total, q),
        more=more,
        rows=()
        if results
        else service.rows(visit.profile, n_in_row, filters, **sliders, **mixed.wishes),
    )


def _count_found(total: int, q: str) -> str:
    shown = q.strip()
    if not total:
        return f"Nothing found for “{shown}”"
    return f"{total:,} found for “{shown}”"


def _slider(text: str, lowest: float) -> float:
    return min(max(numerals.number(text) or 0.0, lowest), 1.0)


# ---- an item ----


@router.api_route("/items/{item_id:id}", methods=GET_AND_POST)
def item_page(visit: CurrentVisit, change: FormChange, item_id: IdInPath) -> Response:
    """One item: facts, prediction, reasons, neighbours."""
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
        explanation=explanation,
        largest=largest,
        digits=digits_of(largest),
        histogram=[
            (f"{bar.rating:.3g}", bar.count, bar.rating == own_rating) for bar in detail.histogram
        ],
        distribution=[
            (f"{bar.rating:.3g}", bar.probability, False) for bar in prediction.distribution or ()
        ],
        facts=[(name.replace("_", " "), value) for name, value in detail.facts.items()],
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
    return visit.page("map.html", "Map", has_map=has_map, sentence=sentence, item_id=item)


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
        columns["id"] = [str(item_id) for item_id in columns.pop("item_id")]
        columns["genre_names"] = sorted(counts, key=lambda name: (-counts[name], name))
        _maps[model] = orjson.dumps(columns)
    return Response(_maps[model], media_type="application/json", headers={"ETag": tag})


@router.get("/map/me")
def map_me(visit: CurrentVisit) -> Response:
    """Where the person stands, and what they would give each item of the map."""
    shown = visit.service.own_map(visit.profile)
    answer = {
        "place": shown.place,
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
        return chosen(model.ratings, exports.read_list(text, max_bytes))
    likes = read_likes(text.encode(errors="replace"), max_bytes)
    return chosen_likes(model.data.items, model.catalogue.popularity, likes)


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
