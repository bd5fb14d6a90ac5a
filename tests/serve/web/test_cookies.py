"""Cookies that are signed, and forms that bring their token back."""

from http.cookiejar import CookieJar
from pathlib import Path

import pytest
from clients import client_of
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient

from tastemap.serve.web.cookies import COOKIE, Visitors, unmasked
from tastemap.serve.web.errors import Problem
from tastemap.serve.web.first import SKIP_COOKIE


def test_nobody_reads_or_changes_the_ratings_of_another(artifact: Path, tmp_path: Path) -> None:
    with client_of(artifact, tmp_path) as ann, client_of(artifact, tmp_path) as ben:
        visitors = ann.app.state.visitors
        ann.get("/")
        cookie = ann.cookies[visitors.cookie]
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
        known = visitors.visitor(
            request_of({visitors.cookie: visitors.sign(visitor.token)}, scheme)
        )
        assert (known.token, known.is_new) == (visitor.token, False)
        assert unmasked(known.csrf) == unmasked(visitor.csrf)
        assert known.csrf != visitor.csrf, "no two pages show the same text to compress"
        assert Visitors(b"another").read(visitors.sign(visitor.token)) is None


def test_forms_bring_their_token_back() -> None:
    visitors = Visitors(b"secret")
    request = request_of({visitors.cookie: visitors.sign("abc")})
    visitor = visitors.visitor(request)
    visitors.check(visitor, request, visitor.csrf)
    stranger = visitors.visitor(request_of({visitors.cookie: visitors.sign("xyz")}))
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


def test_two_servers_on_one_host_leave_each_others_cookie_alone(
    artifact: Path, tmp_path: Path
) -> None:
    """A browser sends one jar of cookies to every port of a host."""
    with (
        client_of(artifact, tmp_path / "one") as one,
        client_of(artifact, tmp_path / "other") as other,
    ):
        one.cookies = other.cookies = CookieJar()
        names = [client.app.state.visitors.cookie for client in (one, other)]
        one.get("/")
        first = one.cookies[names[0]]
        other.get("/")
        one.get("/")
        assert one.cookies[names[0]] == first
        assert set(one.cookies) == set(names)


def test_a_cookie_of_the_old_name_is_known_and_gets_the_new_one(
    artifact: Path, tmp_path: Path
) -> None:
    with client_of(artifact, tmp_path) as client:
        visitors = client.app.state.visitors
        client.app.state.service.profiles.rate("page:abc", {"1": 5.0})
        client.cookies.clear()
        client.cookies.set(COOKIE, visitors.sign("abc"), domain="127.0.0.1")
        assert "<b>1</b> rated" in client.get("/you").text
        assert dict(client.cookies) == {visitors.cookie: visitors.sign("abc")}
        assert "<b>1</b> rated" in client.get("/you").text
        # One that another server gave says nothing here, and is that server's to take away.
        client.cookies.clear()
        foreign = Visitors(b"another").sign("abc")
        client.cookies.set(COOKIE, foreign, domain="127.0.0.1")
        assert "<b>0</b> rated" in client.get("/you").text
        assert client.cookies[COOKIE] == foreign


def test_who_is_forgotten_keeps_no_cookie_of_either_name(artifact: Path, tmp_path: Path) -> None:
    with client_of(artifact, tmp_path) as client:
        visitors = client.app.state.visitors
        for name in (COOKIE, visitors.cookie):
            client.cookies.clear()
            client.cookies.set(name, visitors.sign("abc"), domain="127.0.0.1")
            csrf = visitors.visitor(request_of(dict(client.cookies))).csrf
            client.cookies.set(SKIP_COOKIE, "skipped", domain="127.0.0.1")
            answer = client.post("/you/forget", data={"csrf": csrf, "sure": "1"})
            assert answer.status_code == 200
            assert dict(client.cookies) == {}


def test_the_cookies_of_other_servers_are_not_read(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python's parser takes a second for 16 KB of quotes, and FastAPI parses for every request."""
    monkeypatch.setattr(
        "http.cookies._unquote", lambda value: pytest.fail(value) if '"' in value else value
    )
    rated = client.put("/api/v1/users/ann/ratings/2", json={"rating": 5})
    assert rated.status_code == 200
    page = client.get("/")
    mine = page.headers["set-cookie"].partition(";")[0]
    quotes = '"' + '\\"' * 4_000 + '"'
    client.cookies.clear()
    for cookie in (f"other={quotes}; {mine}", f"tastemap={quotes}; {mine}"):
        again = client.get("/", headers={"Cookie": cookie})
        assert again.status_code == 200
        assert "set-cookie" not in again.headers
