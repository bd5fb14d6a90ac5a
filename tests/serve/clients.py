"""A client of the application in the same process."""

from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from tastemap.serve.app import create_app
from tastemap.serve.settings import Settings
from tastemap.serve.web.first import SKIP_COOKIE


def client_of(model: Path, folder: Path, **settings: Any) -> TestClient:
    """A client of an application on a model, with its store in a folder, after the first visit."""
    told = {"store": str(folder / "ratings.db")} | settings
    app = create_app(Settings(model, **told))
    client = TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)
    client.cookies.set(SKIP_COOKIE, "skipped")
    return client


def error_of(response: Any) -> str:
    """The code of an error in the one shape of every error."""
    answer = response.json()
    assert set(answer) == {"error"}
    assert set(answer["error"]) == {"code", "message"}
    assert answer["error"]["message"]
    return answer["error"]["code"]
