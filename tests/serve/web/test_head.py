"""HEAD wherever GET is."""

import pytest
from loops import in_loop
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from tastemap.serve.web import you
from tastemap.serve.web.head import AnswersHead


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
    # The token is another each time, and so is the length of a compressed page.
    client.headers["Accept-Encoding"] = "identity"
    answer, head = client.get(path), client.head(path)
    assert head.status_code == answer.status_code
    assert head.content == b""
    if path != "/metrics":  # which counts in between
        assert head.headers.get("content-length") == answer.headers.get("content-length")
    assert head.headers.get("etag") == answer.headers.get("etag")
    assert head.headers["content-type"] == answer.headers["content-type"]


@in_loop
async def test_no_byte_of_the_body_is_passed_on() -> None:
    """Test clients and servers drop it by themselves; it is not left to them."""
    sent = []

    async def app(scope: Scope, _: Receive, send: Send) -> None:
        assert scope["method"] == "GET"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"some", "more_body": True})
        await send({"type": "http.response.body", "body": b" more"})

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "HEAD"}
    await AnswersHead(app)(scope, None, send)
    assert [message.get("body") for message in sent] == [None, b"", b""]
    assert scope["method"] == "HEAD"


def test_head_changes_nothing(client: TestClient) -> None:
    posts = [route.path for route in you.router.routes if route.methods == {"POST"}]
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
