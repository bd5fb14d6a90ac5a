"""The application as a whole: its parts on one model and one store."""

from pathlib import Path

from clients import client_of
from starlette.testclient import TestClient


def test_the_parts_of_the_application_share_one_service(client: TestClient) -> None:
    service = client.app.state.service
    client.put("/api/v1/users/ann/ratings/2", json={"rating": 5})
    assert service.profiles.count("user:ann") == 1
    assert service.live.current is service.model
    assert client.get("/health/ready").json()["model"] == service.model.version


def test_the_model_is_asked_before_anybody_waits_and_remembers_nobody(client: TestClient) -> None:
    model = client.app.state.service.model
    assert {"entropy", "genres"} & vars(model.catalogue).keys()
    assert model._remembered.cache_info().currsize == 0


def test_the_secret_lies_beside_the_store(artifact: Path, tmp_path: Path) -> None:
    client_of(artifact, tmp_path)
    assert (tmp_path / "tastemap.key").is_file()
