"""Whether the server lives, and its figures."""

import logging
import sqlite3
from pathlib import Path

import pytest
from clients import client_of, error_of
from clusters import Cluster
from starlette.testclient import TestClient
from waiting import wait_until

from tastemap.serve.people.store import Store

RATING = "/api/v1/users/ann/ratings/1"


def test_health_and_figures(client: TestClient) -> None:
    client.put(RATING, json={"rating": 4})
    assert client.get("/health/live").json()["status"] == "ok"
    assert client.get("/health/ready").json()["model"]
    client.get("/api/v1/items/1")
    text = figures(client, "tastemap_persons")
    assert 'route="/api/v1/items/{item_id}",status="200"' in text.replace(":id", "")
    assert "tastemap_request_seconds_bucket" in text
    assert "tastemap_store_unavailable 0.0" in text
    assert "tastemap_store_counted_timestamp_seconds" in text


def test_neither_readiness_nor_figures_ask_the_store(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures(client, "tastemap_persons")
    client.app.state.service.profiles.store.close()

    def refuse(*_: object) -> None:
        raise AssertionError("the store is asked")

    for name in ("count", "read", "write"):
        monkeypatch.setattr(Store, name, refuse)
    assert client.get("/health/ready").status_code == 200
    assert "tastemap_persons" in client.get("/metrics").text


def figures(client: TestClient, name: str) -> str:
    """The figures, once this one is among them."""
    wait_until(lambda: name in client.get("/metrics").text)
    return client.get("/metrics").text


def answers_without_the_store(client: TestClient) -> None:
    """All that needs nobody's ratings is answered as ever."""
    body = {"ratings": [{"item_id": "2", "rating": 5}], "k": 3}
    assert client.post("/api/v1/recommend", json=body).status_code == 200
    for path in ("items", "items/1", "items/1/similar", "map", "model"):
        assert client.get(f"/api/v1/{path}").status_code == 200, path
    for path in ("/", "/items/1", "/map", "/map/me", "/you", "/together", "/model"):
        client.cookies.clear()
        assert client.get(path).status_code == 200, path


def test_a_locked_store_is_said_by_writes_readiness_and_figures(
    client: TestClient, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert client.put(RATING, json={"rating": 4}).status_code == 200
    other = sqlite3.connect(tmp_path / "ratings.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    for _ in range(3):
        answer = client.put(RATING, json={"rating": 5})
        assert (answer.status_code, error_of(answer)) == (503, "store_unavailable")
        assert answer.json()["error"]["message"].endswith("another process has it locked")
        assert int(answer.headers["Retry-After"]) > 0
    ready = client.get("/health/ready")
    assert (ready.status_code, error_of(ready)) == (503, "store_unavailable")
    assert "locked" in ready.json()["error"]["message"]
    assert "tastemap_store_unavailable 1.0" in client.get("/metrics").text
    assert client.get(RATING).json()["rating"] == 4
    answers_without_the_store(client)
    other.execute("ROLLBACK")
    other.close()
    wait_until(lambda: client.get("/health/ready").status_code == 200)
    assert client.put(RATING, json={"rating": 5}).status_code == 200
    lines = [r.getMessage() for r in caplog.records if r.name == "tastemap.serve"]
    assert len(lines) == 2, lines
    assert "is locked" in lines[0]
    assert "works again" in lines[1]


def test_a_store_that_goes_is_noticed_before_anybody_asks(
    client: TestClient, tmp_path: Path
) -> None:
    file = tmp_path / "ratings.db"
    client.put(RATING, json={"rating": 4})
    file.rename(tmp_path / "aside")
    wait_until(lambda: client.get("/health/ready").status_code == 503)
    for answer in (client.get(RATING), client.put(RATING, json={"rating": 4})):
        assert (answer.status_code, error_of(answer)) == (503, "store_unavailable")
    answers_without_the_store(client)
    assert not file.exists()
    (tmp_path / "aside").rename(file)
    wait_until(lambda: client.get("/health/ready").status_code == 200)
    assert client.get(RATING).json()["rating"] == 4


@pytest.mark.slow
def test_postgres_goes_and_comes(artifact: Path, tmp_path: Path, cluster: Cluster) -> None:
    with client_of(artifact, tmp_path, store=cluster.url) as client:
        assert client.put(RATING, json={"rating": 4}).status_code == 200
        cluster.stop()
        try:
            for answer in (client.get(RATING), client.put(RATING, json={"rating": 1})):
                assert (answer.status_code, error_of(answer)) == (503, "store_unavailable")
                assert "127.0.0.1" not in answer.text
            assert client.get("/health/ready").status_code == 503
            answers_without_the_store(client)
        finally:
            cluster.start()
        wait_until(lambda: client.get("/health/ready").status_code == 200)
        assert client.get(RATING).json()["rating"] == 4
        assert client.delete("/api/v1/users/ann").status_code == 204
