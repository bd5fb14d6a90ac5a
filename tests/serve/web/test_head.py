"""HEAD wherever GET is."""

import pytest
from starlette.testclient import TestClient

from tastemap.serve.web import pages


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/items/1", "/map", "/you", "/you/ratings.csv", "/together", "/model", "/docs"),
        *("/static/site.js", "/health/live", "/metrics", "/openapi.json", "/map/data"),
        *("/api/v1/items", "/api/v1/items/1", "/api/v1/users/3/ratings", "/api/v1/map"),
        *("/items/no-such", "/api/v1/items/no-such", "/nothing"),
    ],
)
def test_head_is_get_without_its_body(client: TestClient, path: str) -> None:
    client.get("/")  # the cookie, and the token of the forms with it
    answer, head = client.get(path), client.head(path)
    assert head.status_code == answer.status_code
    assert head.content == b""
    if path != "/metrics":  # which counts in between
        assert head.headers["content-length"] == str(len(answer.content))
    assert head.headers.get("etag") == answer.headers.get("etag")
    assert head.headers["content-type"] == answer.headers["content-type"]


def test_head_changes_nothing(client: TestClient) -> None:
    posts = [route.path for route in pages.router.routes if route.methods == {"POST"}]
    assert "/you/forget" in posts
    for path in posts:
        assert client.head(path).status_code == 405
    token = client.get("/").text.split('name="csrf" value="')[1].split('"')[0]
    form = {"csrf": token, "item": "3", "rating": "5"}
    client.request("HEAD", "/", data=form)
    assert "<b>0</b> rated" in client.get("/").text


def test_a_head_is_counted_as_one_under_its_route(client: TestClient) -> None:
    client.head("/api/v1/items/1")
    (line,) = [
        line
        for line in client.get("/metrics").text.splitlines()
        if 'method="HEAD"' in line and "_total" in line
    ]
    assert 'route="/api/v1/items/{item_id:id}"' in line
