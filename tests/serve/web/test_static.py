"""Static files: asked for once, and small on the way."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tastemap.serve.web.static import FOREVER, address, version

KEEP, LOOK = FOREVER, "no-cache, private"


@pytest.mark.parametrize(
    ("path", "status", "cache"),
    [
        (f"/static/{version()}/page.js", 200, KEEP),
        ("/static/0123456789ab/page.js", 200, LOOK),  # of a page of the release before
        ("/static/page.js", 200, LOOK),
        (f"/static/{version()}/no-such.js", 404, LOOK),
        (f"/static/{version()}/a/page.js", 404, LOOK),
        (f"/static/{version()}/", 404, LOOK),
        ("/static/", 404, LOOK),
        ("/static/../app.py", 404, LOOK),
        (f"/static/{version()}/%2e%2e/app.py", 404, LOOK),
    ],
)
def test_a_file_is_kept_for_good_under_its_version_alone(
    client: TestClient, path: str, status: int, cache: str
) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["cache-control"]) == (status, cache)
    assert (b"What makes a page lively" in answer.content) == (status == 200)


def test_another_byte_is_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = set()
    for name, text in (("a.js", "1"), ("a.js", "2"), ("b.js", "2")):
        for old in tmp_path.iterdir():
            old.unlink()
        (tmp_path / name).write_text(text)
        monkeypatch.setattr("tastemap.serve.web.static._folder", lambda: tmp_path)
        versions.add(version.__wrapped__())
    assert len(versions) == 3


def test_pages_name_the_version_and_come_compressed(client: TestClient) -> None:
    page = client.get("/")
    assert address("page.js") in page.text
    assert page.headers["content-encoding"] == "gzip"
    assert int(page.headers["content-length"]) < len(page.content) / 4
    plain = client.get("/", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    icon = client.get(address("icon-192.png"))
    assert "content-encoding" not in icon.headers, "a picture is as small as it gets"


def test_a_browser_may_install_it(client: TestClient) -> None:
    answer = client.get(address("manifest.webmanifest"))
    assert answer.headers["content-type"] == "application/manifest+json"
    manifest = answer.json()
    assert (manifest["start_url"], manifest["scope"]) == ("/", "/")
    for icon in manifest["icons"]:
        assert client.get(address(icon["src"])).headers["content-type"] == icon["type"]
