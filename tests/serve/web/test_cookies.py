"""Cookies that are signed, and forms that bring their token back."""

import stat
from pathlib import Path

import pytest
from clients import client_of
from starlette.requests import Request
from starlette.responses import Response

from tastemap.serve.web.cookies import COOKIE, Visitors, load_secret
from tastemap.serve.web.errors import Problem


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
