"""The REST service under ``/api/v1``: each route parses, asks the service once, and answers."""

from functools import partial
from typing import Annotated, Any
from weakref import WeakKeyDictionary

import orjson
from fastapi import APIRouter, Depends, Request, Response
from fastapi.security import APIKeyHeader
from starlette.concurrency import run_in_threadpool

from tastemap.models.base.orders import LIKELY
from tastemap.models.base.reranking import words_as_columns
from tastemap.serve.answers.item_map import ItemMap
from tastemap.serve.model.additions import AddedItems
from tastemap.serve.model.catalogue import Filters
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.people.profiles import api_profile
from tastemap.serve.schemas import (
    EventAnswers,
    Explanation,
    FlaggedItems,
    InterestedUsers,
    ItemPage,
    ModelCard,
    OwnInteraction,
    OwnInteractions,
    OwnRating,
    OwnRatings,
    Predictions,
    Recommendations,
    SimilarItems,
    SimilarUsers,
)
from tastemap.serve.service import ItemDetail, Service
from tastemap.serve.web.errors import Problem, no_map
from tastemap.serve.web.etags import tag_of, tagged
from tastemap.serve.web.middleware import API_KEY_HEADER, check_key
from tastemap.serve.web.requests import (
    AtMost,
    Calibrated,
    Diversity,
    ExplainBody,
    IdInPath,
    K,
    ManyEvents,
    ManyItems,
    ManyRatings,
    N,
    New,
    Novelty,
    OneFlag,
    OneRating,
    OneWeight,
    Order,
    PredictBody,
    RecommendBody,
    Seed,
    Seen,
    Text,
    Why,
    known_errors,
    named_filters,
)

_key = APIKeyHeader(name=API_KEY_HEADER, auto_error=False, description="Where the server has one.")


# What routes depend on is async, though it waits for nothing: else it would take a thread.
async def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


AppService = Annotated[Service, Depends(_service)]


async def _of_ratings(service: AppService) -> None:
    service.live.current.require("ratings")


async def _of_interactions(service: AppService) -> None:
    service.live.current.require("interactions")


def _router(prefix: str, tag: str, *needs: Any) -> APIRouter:
    # Each has its whole prefix: the counts of requests name a route by the path in its own router.
    statuses = (400, 401, 409, 422, 429, 503) if needs else (400, 401, 422, 429, 503)
    return APIRouter(
        prefix=f"/api/v1{prefix}",
        tags=[tag],
        dependencies=[Depends(check_key), Depends(_key), *map(Depends, needs)],
        responses=known_errors(*statuses),
    )


USER = "/users/{user_id:id}"
of_items, of_users = _router("/items", "items"), _router(USER, "users")
of_ratings = _router(f"{USER}/ratings", "users", _of_ratings)
of_interactions = _router(f"{USER}/interactions", "users", _of_interactions)
of_events = _router(f"{USER}/events", "users", _of_interactions)
of_flags = _router(f"{USER}/flags", "users")
of_questions, of_model = _router("", "questions"), _router("", "the model")
of_people = of_ratings, of_interactions, of_events, of_flags, of_users
routers = of_items, *of_people, of_questions, of_model
# The map of each model in use, as it is sent.
_maps: WeakKeyDictionary[LoadedModel, tuple[bytes, str]] = WeakKeyDictionary()
Where = Annotated[Filters, Depends(named_filters)]


def body_of(value: Any) -> bytes:
    """A value as JSON."""
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)


def answered(request: Request, value: Any) -> Response:
    """A value as JSON, with an ETag; without a body where the client has it already."""
    body = body_of(value)
    return tagged(request, body, tag_of(body))


def _json(value: Any) -> Response:
    return Response(body_of(value), media_type="application/json")


# ---- items ----


@of_items.get("", response_model=ItemPage)
def items(
    request: Request, service: AppService, where: Where, q: Text = "", n: N = 20, cursor: Text = ""
) -> Response:
    """Items by title, genre, year and number of ratings, a page at a time."""
    return answered(request, service.items(q, where, n=n, cursor=cursor))


@of_items.post("", response_model=AddedItems, responses=known_errors(409, 413))
def add_items(service: AppService, body: ManyItems) -> Response:
    """Put items that nobody has rated into the model, without a fit; may be repeated."""
    return _json(service.add_items(body.listed()))


@of_items.get("/{item_id:id}", response_model=ItemDetail, responses=known_errors(404))
def item(request: Request, service: AppService, item_id: IdInPath) -> Response:
    """Everything about an item."""
    return answered(request, service.item(item_id))


@of_items.get(
    "/{item_id:id}/similar", response_model=SimilarItems, responses=known_errors(404, 409)
)
def similar_items(request: Request, service: AppService, item_id: IdInPath, k: K = 10) -> Response:
    """The items most similar to one."""
    return answered(request, service.similar(item_id, k))


@of_items.get(
    "/{item_id:id}/interested-users", response_model=InterestedUsers, responses=known_errors(404)
)
def interested_users(
    request: Request, service: AppService, item_id: IdInPath, k: K = 10
) -> Response:
    """The users of the training data who would like an item most and have not rated it."""
    return answered(request, service.interested_users(item_id, k))


# ---- users ----


@of_ratings.get("", response_model=OwnRatings)
def ratings(request: Request, service: AppService, user_id: IdInPath) -> Response:
    """All ratings of a user, the newest first."""
    return answered(request, service.profiles.ratings_of(api_profile(user_id)))


@of_ratings.put("", response_model=OwnRatings, responses=known_errors(404, 413))
def replace_ratings(service: AppService, user_id: IdInPath, body: ManyRatings) -> Response:
    """These ratings of a user and no others."""
    return _json(service.profiles.replace(api_profile(user_id), body.by_item()))


@of_ratings.post("", response_model=OwnRatings, responses=known_errors(404, 413))
def add_ratings(service: AppService, user_id: IdInPath, body: ManyRatings) -> Response:
    """These ratings beside the others of a user: all are kept, or none."""
    service.profiles.rate(api_profile(user_id), body.by_item())
    return _json(service.profiles.ratings_of(api_profile(user_id)))


@of_ratings.delete("", status_code=204)
def delete_ratings(service: AppService, user_id: IdInPath) -> Response:
    """No ratings of a user any more."""
    service.profiles.replace(api_profile(user_id), {})
    return Response(status_code=204)


@of_ratings.get("/{item_id:id}", response_model=OwnRating, responses=known_errors(404))
def rating(request: Request, service: AppService, user_id: IdInPath, item_id: IdInPath) -> Response:
    """One rating of a user."""
    own_rating = service.profiles.rating(api_profile(user_id), item_id)
    if own_rating is None:
        raise Problem(404, "unknown_rating", "the user has not rated this item")
    return answered(request, own_rating)


@of_ratings.put("/{item_id:id}", response_model=OwnRating, responses=known_errors(404, 413))
def rate(service: AppService, user_id: IdInPath, item_id: IdInPath, body: OneRating) -> Response:
    """Rate an item, or rate it anew; may be repeated."""
    (own_rating,) = service.profiles.rate(api_profile(user_id), {item_id: body.rating})
    return _json(own_rating)


@of_ratings.delete("/{item_id:id}", status_code=204, responses=known_errors(404))
def unrate(service: AppService, user_id: IdInPath, item_id: IdInPath) -> Response:
    """Take a rating back; may be repeated."""
    service.profiles.unrate(api_profile(user_id), item_id)
    return Response(status_code=204)


@of_interactions.get("", response_model=OwnInteractions)
def interactions(request: Request, service: AppService, user_id: IdInPath) -> Response:
    """What a user likes and dislikes, the newest first; each item once, all added up."""
    user_ratings = service.profiles.ratings_of(api_profile(user_id)).ratings
    return answered(request, OwnInteractions(list(map(OwnInteraction.of, user_ratings))))


@of_interactions.put(
    "/{item_id:id}", response_model=OwnInteraction, responses=known_errors(404, 413)
)
def interact(
    service: AppService, user_id: IdInPath, item_id: IdInPath, body: OneWeight | None = None
) -> Response:
    """Like an item, or dislike it with a weight below 0; this weight and no other from now on."""
    weight = (body or OneWeight()).weight
    (user_rating,) = service.profiles.rate(api_profile(user_id), {item_id: weight})
    return _json(OwnInteraction.of(user_rating))


@of_interactions.delete("/{item_id:id}", status_code=204, responses=known_errors(404))
def take_back(service: AppService, user_id: IdInPath, item_id: IdInPath) -> Response:
    """Take back all that a user has done with an item; may be repeated."""
    service.profiles.unrate(api_profile(user_id), item_id)
    return Response(status_code=204)


@of_events.post("", response_model=EventAnswers, responses=known_errors(413))
def add_events(service: AppService, user_id: IdInPath, body: ManyEvents) -> Response:
    """Add events to the weights of a user; what cannot be used is named, all else is kept."""
    return _json(service.record(api_profile(user_id), body.listed()))


@of_flags.get("", response_model=FlaggedItems)
def flags(request: Request, service: AppService, user_id: IdInPath) -> Response:
    """What a user says of items without a rating, the newest first."""
    return answered(request, FlaggedItems(service.profiles.flags_of(api_profile(user_id))))


@of_flags.put("/{item_id:id}", status_code=204, responses=known_errors(404, 409, 413))
def flag(service: AppService, user_id: IdInPath, item_id: IdInPath, body: OneFlag) -> Response:
    """Say that an item is seen, for later, unwanted or not seen, and nothing else of it."""
    if not service.profiles.flag(api_profile(user_id), [item_id], body.flag):
        raise Problem(409, "rated_item", "the user has rated this item: take the rating back first")
    return Response(status_code=204)


@of_flags.delete("/{item_id:id}", status_code=204, responses=known_errors(404))
def unflag(service: AppService, user_id: IdInPath, item_id: IdInPath) -> Response:
    """Take back what a user says of an item without a rating; may be repeated."""
    service.profiles.unflag(api_profile(user_id), item_id)
    return Response(status_code=204)


@of_users.get("/recommendations", response_model=Recommendations, responses=known_errors(409))
def recommendations(
    request: Request,
    service: AppService,
    where: Where,
    user_id: IdInPath,
    k: K = 10,
    exclude_seen: Seen = True,
    novelty: Novelty = 0.0,
    by: Order = "expected",
    seed: Seed = 0,
    reasons: Why = False,
    new: New = False,
    diversity: Diversity = 0.0,
    calibrated: Calibrated = None,
    at_most: AtMost = None,
) -> Response:
    """The best items for a user, known or new."""
    options: dict[str, Any] = {"exclude_seen": exclude_seen, "novelty": novelty, "reasons": reasons}
    options |= {"by": by, "seed": seed, "new": new, "diversity": diversity}
    options["calibrated"] = words_as_columns(calibrated, "calibrated")
    options["at_most"] = words_as_columns(at_most, "at_most")
    return answered(request, service.recommend(api_profile(user_id), k, filters=where, **options))


@of_users.get("/similar", response_model=SimilarUsers, responses=known_errors(409))
def similar_users(request: Request, service: AppService, user_id: IdInPath, k: K = 10) -> Response:
    """The users of the training data most similar to a user."""
    return answered(request, service.similar_users(api_profile(user_id), k))


@of_users.delete("", status_code=204)
def forget(service: AppService, user_id: IdInPath) -> Response:
    """Delete all about a user, and use their training ratings no more."""
    service.profiles.forget(api_profile(user_id))
    return Response(status_code=204)


# ---- questions ----


@of_questions.post(
    "/recommend",
    response_model=Recommendations,
    responses=known_errors(404, 409, 413),
)
async def recommend(service: AppService, body: RecommendBody) -> Response:
    """The best items for ratings, interactions or a history in hand; nothing is kept."""
    profile = body.profile(service.model)
    if profile is None:
        raise Problem(422, "invalid_request", "one of ratings, interactions and history is needed")
    names = {"exclude_seen", "novelty", "by", "seed", "new", "reasons"}
    options = body.model_dump(include=names | {"diversity", "calibrated", "at_most"})
    filters = body.where.filters()
    answer = partial(service.recommend, profile, body.k, filters=filters, **options)
    # A thread of its own, unless that takes longer than the answer.
    is_quick = service.model.is_quick and body.by != LIKELY
    return _json(answer() if is_quick else await run_in_threadpool(answer))


@of_questions.post("/predict", response_model=Predictions, responses=known_errors(404, 413))
def predict(service: AppService, body: PredictBody) -> Response:
    """Predicted ratings of pairs of a user and an item, in their order."""
    return _json(service.predict([(str(pair.user_id), str(pair.item_id)) for pair in body.pairs]))


@of_questions.post("/explain", response_model=Explanation, responses=known_errors(404, 409, 413))
def explain(service: AppService, body: ExplainBody) -> Response:
    """Why a prediction is what it is, and what it would be without a rating."""
    profile = body.profile(service.model)
    if body.user_id is not None:
        if profile is not None:
            raise Problem(422, "invalid_request", "a user_id or what is in hand, not both")
        profile = api_profile(str(body.user_id))
    return _json(service.explain({} if profile is None else profile, str(body.item_id)))


# ---- the model ----


@of_model.get("/map", response_model=ItemMap, responses=known_errors(404))
def whole_map(request: Request, service: AppService) -> Response:
    """All items on the map, in columns."""
    model = service.model
    if model not in _maps:
        columns = service.map()
        if columns is None:
            raise no_map()
        body = body_of(columns)
        _maps[model] = body, tag_of(body)
    return tagged(request, *_maps[model])


@of_model.get("/model", response_model=ModelCard)
def model(request: Request, service: AppService) -> Response:
    """What the model is, what it was fitted on, and how good it is."""
    return answered(request, service.card())
