"""Whether the server lives, and its figures."""

from starlette.testclient import TestClient


def test_health_and_figures(client: TestClient) -> None:
    assert client.get("/health/live").json()["status"] == "ok"
    assert client.get("/health/ready").json()["model"]
    client.get("/api/v1/items/1")
    text = client.get("/metrics").text
    assert 'route="/api/v1/items/{item_id}",status="200"' in text.replace(":id", "")
    assert "tastemap_request_seconds_bucket" in text
