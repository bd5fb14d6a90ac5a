"""What the API and the pages take, and that each part of it has a limit."""

from collections.abc import Iterator
from typing import Any

import pytest
from clients import error_of
from fastapi import FastAPI
from pydantic import TypeAdapter, ValidationError
from starlette.testclient import TestClient

from tastemap.serve.model.additions import NewItem
from tastemap.serve.model.catalogue import Filters
from tastemap.serve.settings import Limits
from tastemap.serve.web import api, health, pages
from tastemap.serve.web.requests import (
    ManyRatings,
    NewItemBody,
    OneRating,
    RecommendBody,
    known_errors,
)


def test_of_an_item_that_stands_twice_the_last_rating_counts() -> None:
    rated = [
        {"item_id": 1, "rating": 2},
        {"item_id": "x", "rating": 3},
        {"item_id": "1", "rating": 5},
    ]
    assert ManyRatings(ratings=rated).by_item() == {"1": 5.0, "x": 3.0}


@pytest.mark.parametrize("item_id", [True, 1.0, None, "\ud800"])
def test_an_id_is_a_whole_number_or_text(item_id: object) -> None:
    with pytest.raises(ValidationError):
        ManyRatings(ratings=[{"item_id": item_id, "rating": 3}])


@pytest.mark.parametrize("rating", [float("nan"), float("inf")])
def test_a_rating_is_a_finite_number(rating: float) -> None:
    with pytest.raises(ValidationError, match="finite"):
        OneRating(rating=rating)


@pytest.mark.parametrize("fact", [None, True, 7, 1.5, "a\tb", ["x", None, 3], [0.5] * 1000])
def test_a_fact_is_text_or_a_number_or_a_list(fact: Any) -> None:
    sent = NewItemBody(item_id=7, title=" ", facts={"colour": fact})
    assert sent.item() == NewItem("7", {"colour": fact})


@pytest.mark.parametrize(
    "fact",
    [float("nan"), 10**400, "x" * 10_001, "\ud800", [[1]], {"a": 1}, [0] * 1001, ["x" * 10_001]],
)
def test_a_fact_has_a_limit(fact: Any) -> None:
    with pytest.raises(ValidationError, match="A fact is text of at most 10000 characters"):
        NewItemBody(item_id=7, facts={"colour": fact})


def test_filters_that_are_left_out_ask_for_nothing() -> None:
    assert RecommendBody(ratings=[]).where.filters() == Filters()
    where = {"genre": "Drama", "year_to": 1999}
    assert RecommendBody(ratings=[], where=where).where.filters() == Filters("Drama", None, 1999)


def test_every_error_of_a_route_has_a_meaning() -> None:
    assert {400, 404, 429} == set(known_errors(400, 404, 429))
    with pytest.raises(KeyError):
        known_errors(418)


# ---- limits ----


def unbounded(schema: Any, place: str = "") -> Iterator[str]:
    """The places in a JSON schema of what may be as long or as large as one likes."""
    if isinstance(schema, list):
        for part in schema:
            yield from unbounded(part, place)
    if not isinstance(schema, dict):
        return
    match schema.get("type"):
        case "string" if not {"maxLength", "contentMediaType", "enum"} & schema.keys():
            yield f"{place}: text"
        case "array" if "maxItems" not in schema:
            yield f"{place}: list"
        case "integer":
            bounds = {"minimum", "exclusiveMinimum"}, {"maximum", "exclusiveMaximum"}
            if not all(bound & schema.keys() for bound in bounds):
                yield f"{place}: whole number"
    for name, part in schema.items():
        yield from unbounded(part, f"{place}.{name}")


def test_the_walk_sees_what_has_no_limit() -> None:
    assert list(unbounded({"type": "string"}, "q")) == ["q: text"]
    some = {"anyOf": [{"type": "array", "items": {"type": "integer", "minimum": 0}}]}
    assert list(unbounded(some, "x")) == ["x.anyOf: list", "x.anyOf.items: whole number"]
    assert list(unbounded({"type": "string", "maxLength": 3}, "q")) == []


def test_every_part_of_a_request_to_the_api_has_a_limit() -> None:
    document = FastAPI()
    for router in (health.router, *api.routers):
        document.include_router(router)
    told = document.openapi()
    shapes, asked, seen = told["components"]["schemas"], [], set()
    for path, ways in told["paths"].items():
        for method, way in ways.items():
            contents = way.get("requestBody", {}).get("content", {}).values()
            parts = [*way.get("parameters", ()), *contents]
            asked += [(f"{method} {path} {part.get('name')}", part["schema"]) for part in parts]
    for place, schema in asked:
        assert list(unbounded(schema, place)) == []
        todo = list(named_shapes(schema))
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                assert list(unbounded(shapes[name]["properties"], name)) == []
                todo += named_shapes(shapes[name])
    assert {"RecommendBody", "ItemRating", "Named", "PredictBody", "Pair", "ExplainBody"} <= seen
    assert len(asked) > 30


def named_shapes(schema: Any) -> Iterator[str]:
    """The names of the shapes that a schema refers to."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].rsplit("/", 1)[-1]
        for part in schema.values():
            yield from named_shapes(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from named_shapes(part)


@pytest.mark.parametrize("route", pages.router.routes, ids=lambda route: route.path)
def test_every_part_of_a_request_for_a_page_has_a_limit(route: Any) -> None:
    fields, dependants = [], [route.dependant]
    while dependants:
        part = dependants.pop()
        dependants += part.dependencies
        fields += [*part.path_params, *part.query_params, *part.body_params]
    assert fields or route.path in {"/map/data", "/map/me", "/you/ratings.csv", "/model"}
    for field in fields:
        schema = TypeAdapter(field.field_info.rebuild_annotation()).json_schema()
        assert list(unbounded(schema, field.alias)) == []


LONG_ID, LONG_TEXT = "x" * (Limits.id_length + 1), "x" * (Limits.text_length + 1)
MANY = [{"item_id": 2, "rating": 5}] * (Limits.batch + 1)
STRANGERS = [{"user_id": f"user {n}", "item_id": 1} for n in range(Limits.users + 1)]


@pytest.mark.parametrize(
    ("method", "path", "body", "code", "number"),
    [
        ("GET", f"/api/v1/items?q={LONG_TEXT}", None, "invalid_request", 300),
        ("GET", f"/api/v1/items?genre={LONG_TEXT}", None, "invalid_request", 300),
        ("GET", f"/api/v1/items?cursor={LONG_TEXT}", None, "invalid_request", 300),
        ("GET", "/api/v1/items?n=1001", None, "invalid_request", 1000),
        ("GET", f"/api/v1/items/{LONG_ID}", None, "invalid_request", 500),
        ("GET", "/api/v1/items/1/similar?k=1001", None, "invalid_request", 1000),
        ("GET", "/api/v1/items/1/interested-users?k=1001", None, "invalid_request", 1000),
        ("GET", f"/api/v1/users/{LONG_ID}/ratings", None, "invalid_request", 500),
        ("PUT", f"/api/v1/users/a/ratings/{LONG_ID}", {"rating": 5}, "invalid_request", 500),
        ("GET", "/api/v1/users/a/recommendations?k=1001", None, "invalid_request", 1000),
        ("GET", "/api/v1/users/a/recommendations?novelty=1.5", None, "invalid_request", 1),
        ("GET", "/api/v1/users/a/recommendations?seed=-1", None, "invalid_request", 0),
        ("GET", "/api/v1/users/a/recommendations?k=101&reasons=1", None, "invalid_argument", 100),
        (
            "POST",
            "/api/v1/recommend",
            {"ratings": [], "k": 101, "reasons": True},
            "invalid_argument",
            100,
        ),
        ("PUT", "/api/v1/users/a/ratings", {"ratings": MANY}, "too_many", 1000),
        ("POST", "/api/v1/users/a/ratings", {"ratings": MANY}, "too_many", 1000),
        ("POST", "/api/v1/recommend", {"ratings": MANY}, "too_many", 1000),
        ("POST", "/api/v1/recommend", {"ratings": [], "k": 1001}, "invalid_request", 1000),
        (
            "POST",
            "/api/v1/recommend",
            {"ratings": [{"item_id": LONG_ID, "rating": 5}]},
            "invalid_request",
            500,
        ),
        (
            "POST",
            "/api/v1/recommend",
            {"ratings": [], "where": {"genre": LONG_TEXT}},
            "invalid_request",
            300,
        ),
        ("POST", "/api/v1/explain", {"item_id": 1, "ratings": MANY}, "too_many", 1000),
        ("POST", "/api/v1/explain", {"item_id": 10**30}, "invalid_request", 2**63),
        ("POST", "/api/v1/predict", {"pairs": STRANGERS[:1] * 1001}, "too_many", 1000),
        ("POST", "/api/v1/predict", {"pairs": STRANGERS}, "too_many", 50),
    ],
)
def test_what_is_over_its_limit_is_refused_with_the_number(
    client: TestClient, method: str, path: str, body: object, code: str, number: int
) -> None:
    answer = client.request(method, path, json=body)
    assert (answer.status_code, error_of(answer)) == (422, code), answer.text
    message = answer.json()["error"]["message"]
    assert str(number) in message
    assert "constrained" not in message


def test_what_is_at_its_limit_is_answered(client: TestClient) -> None:
    for path in (
        f"items?q={LONG_TEXT[1:]}",
        "items?n=1000",
        "users/a/recommendations?k=1000",
        "users/a/recommendations?k=100&reasons=true",
    ):
        assert client.get(f"/api/v1/{path}").status_code == 200
    assert client.post("/api/v1/recommend", json={"ratings": MANY[1:]}).status_code == 200
    pairs = {"pairs": STRANGERS[1:] * 20}
    assert client.post("/api/v1/predict", json=pairs).status_code == 200
    assert client.get(f"/api/v1/users/{LONG_ID[1:]}/ratings").status_code == 200
