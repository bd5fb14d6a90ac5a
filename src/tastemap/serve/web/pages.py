"""The pages of the application for a person: each asks the service and fills a template."""

import csv
import io
from collections import Counter
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlencode
from weakref import WeakKeyDictionary

import orjson
from fastapi import APIRouter, File, Form, Query, UploadFile
from starlette.responses import JSONResponse, Response

from tastemap.errors import UnsupportedError
from tastemap.explore.item_map import OTHER
from tastemap.serve.answers import figures
from tastemap.serve.model.catalogue import Filters
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.people import import_ratings as importing
from tastemap.serve.people.profiles import Whoever
from tastemap.serve.people.retrain import MEASURED_ON
from tastemap.serve.schemas import ItemCard, SimilarItem
from tastemap.serve.web.errors import Problem
from tastemap.serve.web.rendering import Changing, PageRoute, Visit, Visiting

#: Cards in a row, in a list that was searched for, and ratings on a page.
PER_ROW, PER_LIST, PER_PAGE = 8, 24, 40
#: Members of a group beside the person, and films that are found for it.
MOST_MEMBERS, GROUP_PICKS = 6, 12
BOTH = ["GET", "POST"]

router = APIRouter(route_class=PageRoute, include_in_schema=False)
# The map of each model in use, as it is sent.
_maps: WeakKeyDictionary[LoadedModel, bytes] = WeakKeyDictionary()

Text = Annotated[str, Query(max_length=300)]


# ---- discover ----


@router.api_route("/", methods=BOTH)
def discover(
    visit: Visiting,
    change: Changing,
    q: Text = "",
    genre: Text = "",
    year_from: Text = "",
    year_to: Text = "",
    min_ratings: Text = "",
    novelty: Text = "0",
    cursor: Text = "",
) -> Response:
    """Search, filters and the rows of picks."""
    if change.apply(visit) and not visit.is_live:
        return visit.again()
    filters = Filters(genre, _whole(year_from), _whole(year_to), max(_whole(min_ratings) or 0, 0))
    slider = _slider(novelty)
    asked: dict[str, Any] = {"q": q, "genre": genre, "year_from": year_from, "year_to": year_to}
    asked |= {"min_ratings": min_ratings}
    service, found = visit.service, None
    if q.strip():
        found = service.items(q, filters, n=PER_LIST, cursor=cursor or None, person=visit.person)
    more = "" if found is None else f"/?{urlencode(asked | {'cursor': found.next_cursor or ''})}"
    return visit.page(
        "discover.html",
        "Discover",
        **asked,
        novelty=slider,
        genres=sorted(name for name, _ in service.model.catalogue.genres),
        found=found,
        found_title="" if found is None else _count_found(found.total, q),
        more=more,
        rows=() if found else service.rows(visit.person, PER_ROW, filters, slider),
    )


def _count_found(total: int, q: str) -> str:
    shown = q.strip()
    if not total:
        return f"Nothing found for “{shown}”"
    return f"{total:,} found for “{shown}”"


def _whole(text: str) -> int | None:
    """A whole number from a field that may be empty or hold anything."""
    try:
        return max(min(int(float(text)), 10**6), -(10**6))
    except (ValueError, OverflowError):
        return None


def _slider(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return min(max(value, -1.0), 1.0) if value == value else 0.0  # noqa: PLR0124 - no NaN


# ---- a film ----


@router.api_route("/items/{item_id:id}", methods=BOTH)
def film(visit: Visiting, change: Changing, item_id: str) -> Response:
    """One film: facts, prediction, reasons, neighbours."""
    if change.apply(visit) and not visit.is_live:
        return visit.again()
    service = visit.service
    detail = service.item(item_id, visit.person)
    explanation = service.explain(visit.person, item_id)
    prediction = explanation.prediction
    parts = explanation.parts[1:] if explanation.additive else explanation.parts
    own = detail.item.your_rating
    return visit.page(
        "film.html",
        detail=detail,
        prediction=prediction,
        explanation=explanation,
        largest=max((abs(part.contribution) for part in parts), default=0.0),
        histogram=[(f"{one.rating:.3g}", one.count, one.rating == own) for one in detail.histogram],
        distribution=[
            (f"{one.rating:.3g}", one.probability, False) for one in prediction.distribution or ()
        ],
        facts=[(name.replace("_", " "), value) for name, value in detail.facts.items()],
        similar=_similar(visit, item_id),
    )


def _similar(visit: Visit, item_id: str) -> list[SimilarItem]:
    """Similar films, where the model can compare them."""
    try:
        return visit.service.similar(item_id, 10, visit.person).items
    except UnsupportedError:
        return []


# ---- the map ----


@router.get("/map")
def map_page(visit: Visiting, item: Text = "") -> Response:
    """The map; a script draws it from the routes below."""
    model = visit.service.model
    has_map = model.map_frame is not None
    sentence = model.map_sentence if has_map else ""
    return visit.page("map.html", "Map", has_map=has_map, sentence=sentence, item_id=item)


@router.get("/map/data")
def map_data(visit: Visiting) -> Response:
    """The items of the map in columns; ids as text, so that no browser rounds them."""
    model = visit.service.model
    tag = f'"{model.version}"'
    if visit.request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"ETag": tag})
    if model not in _maps:
        found = visit.service.map()
        columns: dict[str, Any] = {name: getattr(found, name) for name in found.__slots__}
        counts = Counter(name for name in found.genre if name != OTHER)
        columns["id"] = [str(one) for one in columns.pop("item_id")]
        columns["genre_names"] = sorted(counts, key=lambda name: (-counts[name], name))
        _maps[model] = orjson.dumps(columns)
    return Response(_maps[model], media_type="application/json", headers={"ETag": tag})


@router.get("/map/me")
def map_me(visit: Visiting) -> Response:
    """Where the person stands, and what they would give each item of the map."""
    own = visit.service.own_map(visit.person)
    n_rated = len(visit.service.person(visit.person).rows)
    told = {"place": own.place, "predicted_rating": own.predicted_rating, "n_rated": n_rated}
    return Response(orjson.dumps(told), media_type="application/json")


@router.get("/map/near/{item_id:id}")
def map_near(visit: Visiting, item_id: str) -> Response:
    """The true nearest neighbours of an item."""
    near = [(str(one.item.item_id), one.similarity) for one in _similar(visit, item_id)]
    return JSONResponse(near)


@router.api_route("/map/card/{item_id:id}", methods=BOTH)
def map_card(visit: Visiting, change: Changing, item_id: str) -> Response:
    """The card of an item, to stand beside the map."""
    if change.apply(visit) and not visit.is_live:
        return visit.again(f"/map?{urlencode({'item': item_id})}")
    card = visit.service.item(item_id, visit.person).item
    predicted = visit.service.prediction(visit.person, item_id).predicted_rating
    return visit.page("card.html", item=replace(card, predicted_rating=predicted))


# ---- you ----


@router.api_route("/you", methods=BOTH)
def you(visit: Visiting, change: Changing, first: Text = "0", kept: Text = "") -> Response:
    """The person's ratings, taste, and what they can do with them."""
    if change.apply(visit) and not visit.is_live:
        return visit.again()
    own = visit.service.ratings_of(visit.person).ratings
    start = max(_whole(first) or 0, 0)
    shown = [
        ItemCard(one.item_id, one.title, one.year, your_rating=one.rating)
        for one in own[start : start + PER_PAGE]
    ]
    after = start + PER_PAGE
    return visit.page(
        "you.html",
        "You",
        ratings=shown,
        taste=visit.service.taste(visit.person),
        older=f"/you?first={after}" if after < len(own) else "",
        said=[f"{_whole(kept):,} ratings are kept."] if _whole(kept) else [],
    )


@router.get("/you/ratings.csv")
def ratings_csv(visit: Visiting) -> Response:
    """All ratings of the person, as a file."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["item_id", "title", "year", "rating", "timestamp"])
    for one in visit.service.ratings_of(visit.person).ratings:
        writer.writerow([one.item_id, one.title, one.year, f"{one.rating:g}", one.moment])
    headers = {"Content-Disposition": 'attachment; filename="my-ratings.csv"'}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


@router.post("/you/import")
def review_import(
    visit: Visiting, file: Annotated[UploadFile, File()], csrf: Annotated[str, Form()] = ""
) -> Response:
    """What a file holds, for the person to look at."""
    visit.check(csrf)
    most = visit.request.app.state.settings.limits.upload
    source, scale, entries = importing.read_export(file.file.read(most + 1), most)
    review = importing.review(visit.service.model, source, scale, entries)
    return visit.page("review.html", "You", review=review)


@router.post("/you/import/keep")
def keep_import(
    visit: Visiting,
    pick: Annotated[list[str] | None, Form()] = None,
    csrf: Annotated[str, Form()] = "",
) -> Response:
    """Keep the ratings that the person has confirmed; each is "rating id"."""
    visit.check(csrf)
    ratings: dict[str, float] = {}
    for one in (pick or [])[: importing.MOST_ENTRIES]:
        rating, _, item_id = one.partition(" ")
        try:
            ratings |= {item_id: float(rating)} if item_id else {}
        except ValueError:
            raise Problem(422, "invalid_argument", "a rating is a number") from None
    if ratings:
        visit.service.rate(visit.person, ratings)
    return visit.again(f"/you?kept={len(ratings)}")


@router.post("/you/forget")
def forget(visit: Visiting, csrf: Annotated[str, Form()] = "") -> Response:
    """Delete all that is kept of the person."""
    visit.check(csrf)
    visit.service.forget(visit.person)
    return visit.dismissed()


# ---- together ----


@router.api_route("/together", methods=BOTH)
def together(
    visit: Visiting,
    name: Annotated[list[str] | None, Form()] = None,
    lists: Annotated[list[str] | None, Form(alias="list")] = None,
    method: Annotated[str, Form()] = "least_misery",
    you: Annotated[str, Form()] = "",
    more: Annotated[str, Form()] = "",
) -> Response:
    """Films for several people, from lists that nothing is kept of."""
    asked = visit.request.method == "POST"
    members = list(zip(name or (), lists or (), strict=False))[:MOST_MEMBERS]
    wanted = max(2, len(members) + bool(more))
    shown = members + [("", "")] * (min(wanted, MOST_MEMBERS) - len(members))
    group, unread = _members(visit, shown)
    if you or not asked:
        group = {"you": visit.person, **group}
    picks = None
    if asked and not more and group:
        picks = visit.service.group(group, method=method, k=GROUP_PICKS)
    return visit.page(
        "together.html",
        "Together",
        members=shown,
        unread=unread,
        method=method,
        you=bool(you) or not asked,
        picks=picks,
    )


def _members(
    visit: Visit, members: list[tuple[str, str]]
) -> tuple[dict[str, Whoever], list[list[str]]]:
    """The ratings of each member with a list, by name, and the lines that name no film."""
    group: dict[str, Whoever] = {}
    unread = []
    most = visit.request.app.state.settings.limits.body
    for at, (name, text) in enumerate(members, start=1):
        entries = importing.read_list(text, most) if text.strip() else []
        ratings, left = importing.chosen(visit.service.model, entries)
        unread.append(left[:10])
        if ratings:
            called = name.strip()[:60] or f"person {at}"
            group[called if called not in group else f"{called} ({at})"] = ratings
    return group, unread


# ---- the model ----


@router.get("/model")
def model_page(visit: Visiting) -> Response:
    """What the model is, how good it is, and the figures of its data."""
    card = visit.service.card()
    errors = _errors(card.metrics)
    return visit.page(
        "model.html",
        "The model",
        card=card,
        errors=errors,
        has_baseline=any(baseline is not None for _, _, baseline in errors),
        measured_on=card.metrics.get(MEASURED_ON),
        pictures=figures.pictures(visit.service.model),
    )


@router.get("/model/figures/{name}.png")
def model_figure(visit: Visiting, name: str) -> Response:
    """One of the figures."""
    drawn = figures.picture(visit.service.model, name)
    return Response(drawn, media_type="image/png", headers={"Cache-Control": "max-age=86400"})


def _errors(metrics: dict[str, Any]) -> list[tuple[str, float, float | None]]:
    """The recorded errors by name, each with the baseline's where that was recorded too."""
    numbers = {name: value for name, value in metrics.items() if isinstance(value, int | float)}
    return [
        (name.replace("_", " "), float(value), numbers.get(f"baseline_{name}"))
        for name, value in numbers.items()
        if not name.startswith("baseline_") and name != MEASURED_ON
    ]
