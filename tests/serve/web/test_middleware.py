"""Who may ask what: keys, hosts, rates, sizes, headers, and titles that are no markup."""

from pathlib import Path

import pytest
from clients import client_of, error_of
from small_models import SCRIPT

from tastemap.serve.settings import Limits
from tastemap.serve.web.middleware import Rate, shows_key

KEY = "a key of many characters"


def test_the_api_of_a_server_that_others_reach_asks_for_its_key(
    artifact: Path, tmp_path: Path
) -> None:
    with client_of(artifact, tmp_path, host="192.0.2.1", api_key=KEY) as client:
        for path in ("/api/v1/items", "/api/v1/users/3/ratings", "/metrics", "/openapi.json"):
            refused = client.get(path)
            assert (refused.status_code, error_of(refused)) == (401, "wrong_api_key")
            for wrong in ({"X-API-Key": KEY + "x"}, {"Authorization": f"Basic {KEY}"}):
                assert client.get(path, headers=wrong).status_code == 401
            for right in ({"X-API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}):
                assert client.get(path, headers=right).status_code == 200
        put = client.put("/api/v1/users/3/ratings/1", json={"rating": 5})
        assert put.status_code == 401
        assert client.get("/health/live").status_code == 200
        assert client.get("/").status_code == 200


def test_a_page_elsewhere_cannot_borrow_the_servers_name(artifact: Path, tmp_path: Path) -> None:
    with client_of(artifact, tmp_path, allowed_hosts=("films.example",), api_key=KEY) as client:
        for host, status in (
            ("127.0.0.1:8000", 200),
            ("LOCALHOST", 200),
            ("[::1]:8000", 200),
            ("films.example", 200),
            ("evil.example", 400),
            ("127.0.0.1.evil.example:8000", 400),
            ("", 400),
        ):
            assert client.get("/health/live", headers={"Host": host}).status_code == status, host


@pytest.mark.parametrize(
    ("limits", "sent", "status"),
    [
        (Limits(), {"headers": {"Host": "evil.example"}}, 400),
        (Limits(body=1), {"content": b"ab"}, 413),
        (Limits(rate=0.01), {}, 429),
        (Limits(bodies=1), {"content": b"ab"}, 503),
    ],
    ids=["host", "body", "rate", "overload"],
)
def test_a_browser_that_is_refused_gets_a_page_and_a_program_json(
    artifact: Path, tmp_path: Path, limits: Limits, sent: dict[str, object], status: int
) -> None:
    shown = sent.get("headers", {})
    with client_of(artifact, tmp_path, limits=limits) as client:
        client.get("/health/live")
        refused = client.post("/", **sent)
        page = client.post("/", **sent | {"headers": shown | {"Accept": "text/html,*/*;q=0.8"}})
    assert (refused.status_code, page.status_code) == (status, status)
    message = refused.json()["error"]["message"]
    assert page.headers["content-type"].startswith("text/html")
    assert f"{message[0].upper()}{message[1:]}." in page.text
    assert page.headers.get("retry-after") == refused.headers.get("retry-after")
    assert "content-security-policy" in page.headers
    assert "set-cookie" not in page.headers


def test_bodies_have_a_limit_whether_they_say_their_size_or_not(
    artifact: Path, tmp_path: Path
) -> None:
    with client_of(artifact, tmp_path, limits=Limits(body=1000)) as client:
        path, headers = "/api/v1/recommend", {"Content-Type": "application/json"}
        told = client.post(path, content=b" " * 1001, headers=headers)
        untold = client.post(path, content=iter([b" " * 600] * 2), headers=headers)
        for answer in (told, untold):
            assert (answer.status_code, error_of(answer)) == (413, "too_large")
        assert client.post(path, content=b'{"ratings": []}', headers=headers).status_code == 200


def test_a_client_that_asks_too_often_waits(artifact: Path, tmp_path: Path) -> None:
    with client_of(artifact, tmp_path, api_key=KEY, limits=Limits(rate=0.5)) as client:
        answers = [client.get("/health/live") for _ in range(4)]
        assert [answer.status_code for answer in answers[:2]] == [200, 200]
        assert answers[-1].status_code == 429
        assert error_of(answers[-1]) == "too_many_requests"
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert client.get("/health/live", headers={"X-API-Key": KEY}).status_code == 200


def test_without_a_key_nothing_shows_it() -> None:
    assert not shows_key({}, None)


def test_rates_are_kept_of_few_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tastemap.serve.web.middleware.MAX_CLIENTS", 3)
    rate = Rate(1.0)
    for n in range(10):
        rate.wait(str(n), 0.0)
    assert len(rate._clients) == 3


def test_every_answer_carries_the_headers_of_safety(artifact: Path, tmp_path: Path) -> None:
    with client_of(artifact, tmp_path) as client:
        for path in ("/", "/docs", "/api/v1/items/1", "/nothing", "/api/v1/items/999"):
            headers = client.get(path).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "http" not in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert "server" not in headers
        refused = client.get("/", headers={"Host": "evil.example"})
        assert "content-security-policy" in refused.headers


def test_titles_ids_and_searches_are_text_everywhere(artifact: Path, tmp_path: Path) -> None:
    with client_of(artifact, tmp_path) as client:
        for path in (
            "/",
            "/items/1",
            "/?q=%3Cscript%3Ealert(1)%3C/script%3E",
            "/items/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
            "/docs",
        ):
            page = client.get(path)
            assert page.headers["content-type"].startswith("text/html"), path
            assert "<script>alert" not in page.text, path
        assert client.get("/api/v1/items/1").json()["item"]["title"] == SCRIPT
        user = "%27%3B%20DROP%20TABLE%20ratings%3B--"
        path = f"/api/v1/users/{user}/ratings"
        assert client.put(f"{path}/1", json={"rating": 5}).status_code == 200
        assert len(client.get(path).json()["ratings"]) == 1
