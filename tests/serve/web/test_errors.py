"""Every error in its one shape."""

import pytest
from clients import error_of
from starlette.testclient import TestClient

from tastemap.errors import (
    ArgumentError,
    ArtifactError,
    DataError,
    StoreError,
    UnknownIdError,
    UnsupportedError,
)
from tastemap.serve.web.errors import problem_of


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/v1/items?n=0", None, 422),
        ("GET", "/api/v1/items?year_from=x", None, 422),
        ("GET", "/api/v1/users/%FF/ratings", None, 422),
        ("GET", "/api/v1/users/a/recommendations?novelty=2", None, 422),
        ("GET", "/api/v1/users/a/recommendations?by=best", None, 422),
        ("PUT", "/api/v1/users/a/ratings/1", "no json", 422),
        ("PUT", "/api/v1/users/a/ratings/1", '{"rating": NaN}', 422),
        ("PUT", "/api/v1/users/a/ratings/1", '{"rating": 1e999}', 422),
        ("PUT", "/api/v1/users/a/ratings/1", '{"rating": 3.5}', 422),
        ("POST", "/api/v1/predict", '{"pairs": [{"user_id": "\\ud800", "item_id": 1}]}', 422),
        ("POST", "/api/v1/predict", '{"pairs": [{"user_id": true, "item_id": 1}]}', 422),
        ("POST", "/api/v1/recommend", '{"ratings": [], "more": 1}', 422),
        ("GET", "/api/v1/nothing", None, 404),
        ("PATCH", "/api/v1/items", None, 405),
    ],
)
def test_every_error_has_one_shape(
    client: TestClient, method: str, path: str, body: str | None, status: int
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = client.request(method, path, content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert error_of(answer)


@pytest.mark.parametrize(
    ("method", "path", "status", "heading"),
    [
        ("GET", "/nonsense", 404, "Not here"),
        ("GET", "/static/no-such.css", 404, "Not here"),
        ("DELETE", "/", 405, "That did not work"),
    ],
)
def test_what_is_not_there_is_a_page_for_a_browser_and_json_for_a_program(
    client: TestClient, method: str, path: str, status: int, heading: str
) -> None:
    page = client.request(method, path, headers={"Accept": "text/html,*/*;q=0.8"})
    assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert f"<h1>{heading}</h1>" in page.text
    assert ('type="search"' in page.text) == (status == 404), "a way on"
    assert "set-cookie" not in page.headers, "nothing is kept of who lost their way"
    assert error_of(client.request(method, path)), "a program has the one shape"
    answer = client.get("/api/v1/nothing", headers={"Accept": "text/html"})
    assert error_of(answer) == "not_found", "so has the API, whoever asks"


def test_an_error_of_ours_tells_nothing(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(client.app.state.service, "card", fail)
    answer = client.get("/api/v1/model")
    assert (answer.status_code, error_of(answer)) == (500, "internal_error")
    assert "secret" not in answer.text


def test_errors_of_the_library_have_a_status_a_code_and_a_message() -> None:
    other = "another question or another model"
    for error, status, code, message in (
        (
            UnknownIdError("item_id", "x" * 300),
            404,
            "unknown_item",
            f"no item has the id '{'x' * 200}'",
        ),
        (
            ArgumentError("rating", expected="a rating from 1 to 5", received="7"),
            422,
            "invalid_rating",
            "7 is not a rating from 1 to 5",
        ),
        (
            ArgumentError("cursor", received=other, do="start without one"),
            422,
            "invalid_cursor",
            f"the cursor belongs to {other}; start without one",
        ),
        (ArgumentError("k", received=0), 422, "invalid_argument", "k; received 0."),
        (
            DataError("ratings", received="no ratings in it"),
            422,
            "unreadable_file",
            "these ratings cannot be read: no ratings in it",
        ),
        (
            UnsupportedError("bias cannot compare"),
            409,
            "unsupported_by_model",
            "bias cannot compare.",
        ),
        (
            StoreError("store", "locked", "another process has it locked", "database is locked"),
            503,
            "store_unavailable",
            "the ratings that people gave cannot be had now: another process has it locked",
        ),
        (ArtifactError("damaged"), 503, "unavailable", "damaged."),
    ):
        problem = problem_of(error)
        assert (problem.status, problem.code, problem.message) == (status, code, message)
