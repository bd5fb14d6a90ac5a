"""Who may ask what: keys, hosts, rates, sizes, cookies, headers, and titles that are no markup."""

import stat
from pathlib import Path

import pytest
from clients import client_of, error_of
from small_models import SCRIPT
from starlette.requests import Request
from starlette.responses import Response

from tastemap.errors import ArgumentError
from tastemap.serve.server import read_key
from tastemap.serve.settings import Limits, Settings
from tastemap.serve.web.cookies import COOKIE, Visitors, load_secret
from tastemap.serve.web.errors import Problem
from tastemap.serve.web.middleware import Rate, shows_key

KEY = "a key of many characters"


def test_a_server_that_others_reach_needs_a_key(artifact: Path, tmp_path: Path) -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):  # noqa: S104 - refused
        with pytest.raises(ArgumentError, match="api_key"):
            Settings(artifact, host=host)
    for host in ("127.0.0.1", "::1", "localhost", "127.9.9.9"):
        assert Settings(artifact, host=host).is_loopback
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


def test_a_key_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    with pytest.raises(ArgumentError, match="can be read"):
        read_key(file)
    file.write_text("short\n")
    with pytest.raises(ArgumentError, match="sixteen"):
        read_key(file)
    file.write_text(KEY + "\n")
    assert read_key(file) == KEY
    assert read_key(None) is None
    assert not shows_key({}, None)


def test_a_page_elsewhere_cannot_borrow_the_servers_name(artifact: Path, tmp_path: Path) -> None:
    with client_of(artifact, tmp_path, allowed_hosts=("films.example",)) as client:
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


def test_nobody_reads_or_changes_the_ratings_of_another(artifact: Path, tmp_path: Path) -> None:
    with client_of(artifact, tmp_path) as ann, client_of(artifact, tmp_path) as ben:
        visitors = ann.app.state.visitors
        ann.get("/")
        cookie = ann.cookies[COOKIE]
        token = visitors.read(cookie)
        ann.app.state.service.profiles.rate(f"page:{token}", {"1": 5.0})
        # The API has another name space, so an id that is guessed leads nowhere.
        for guess in (token, f"page:{token}", f"page%3A{token}", f"user:page:{token}"):
            assert ben.get(f"/api/v1/users/{guess}/ratings").json() == {"ratings": []}
            assert ben.delete(f"/api/v1/users/{guess}").status_code == 204
        # A cookie without its signature, or with another's, is nobody's.
        for forged in (token, f"{token}.", f"{token}.{'0' * 64}", cookie[:-1], f"x{cookie}"):
            assert visitors.read(forged) is None
        assert len(ann.app.state.service.profiles.ratings_of(f"page:{token}").ratings) == 1


def test_cookies_are_signed_and_out_of_reach(tmp_path: Path) -> None:
    visitors = Visitors(b"secret")
    for scheme, secure in (("http", False), ("https", True)):
        request = request_of({}, scheme)
        visitor, response = visitors.visitor(request), Response()
        assert visitor.is_new
        visitors.welcome(visitor, request, response)
        told = response.headers["set-cookie"].lower()
        assert "httponly" in told
        assert "samesite=lax" in told
        assert ("secure" in told) == secure
        assert len(visitor.token) >= 22
        known = visitors.visitor(request_of({COOKIE: visitors.sign(visitor.token)}, scheme))
        assert (known.token, known.is_new) == (visitor.token, False)
        assert known.csrf == visitor.csrf
        assert Visitors(b"another").read(visitors.sign(visitor.token)) is None


def test_forms_bring_their_token_back() -> None:
    visitors = Visitors(b"secret")
    request = request_of({COOKIE: visitors.sign("abc")})
    visitor = visitors.visitor(request)
    visitors.check(visitor, request, visitor.csrf)
    stranger = visitors.visitor(request_of({COOKIE: visitors.sign("xyz")}))
    for wrong in ("", "x", stranger.csrf, "é"):
        with pytest.raises(Problem, match="too old"):
            visitors.check(visitor, request, wrong)
    new = visitors.visitor(request_of({}))
    with pytest.raises(Problem, match="too old"):
        visitors.check(new, request, new.csrf)


def request_of(cookies: dict[str, str], scheme: str = "http") -> Request:
    told = "; ".join(f"{name}={value}" for name, value in cookies.items())
    headers = [(b"host", b"127.0.0.1"), (b"cookie", told.encode())]
    scope = {"type": "http", "scheme": scheme, "path": "/", "headers": headers}
    return Request(scope | {"method": "GET", "query_string": b"", "server": ("127.0.0.1", 80)})


def test_the_secret_is_kept_and_private(tmp_path: Path) -> None:
    secret = load_secret(tmp_path / "new")
    assert len(secret) == 32
    assert load_secret(tmp_path / "new") == secret
    (file,) = (tmp_path / "new").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
