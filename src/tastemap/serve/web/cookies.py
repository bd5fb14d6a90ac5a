"""Who uses the pages: a random id in a signed cookie, and tokens that forms must bring back."""

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from tastemap.serve.people.profiles import page_profile
from tastemap.serve.web.errors import Problem

COOKIE = "tastemap"
CSRF_HEADER = "X-CSRF-Token"
YEAR_SECONDS = 365 * 24 * 3600
SECRET_FILE, SECRET_BYTES = "tastemap.key", 32


@dataclass(frozen=True)
class Visitor:
    """A person at the pages.

    Attributes:
        token: Their random id, of 128 bits, which nobody can guess.
        csrf: What their forms carry in the field ``csrf``, and scripts in ``X-CSRF-Token``.
        is_new: Whether they have no cookie yet; `Visitors.welcome` gives them one.
    """

    token: str
    csrf: str
    is_new: bool

    @property
    def key(self) -> str:
        """The key of the person's profile in the store."""
        return page_profile(self.token)


class Visitors:
    """Recognises people by their cookie, which holds a random id and nothing else.

    Example:
        >>> visitors = Visitors(b"secret")
        >>> signed = visitors.sign("abc")
        >>> visitors.read(signed), visitors.read(signed + "x"), visitors.read("abc")
        ('abc', None, None)
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(self, token: str) -> str:
        """The value of a person's cookie."""
        return f"{token}.{self._mac('person', token)}"

    def read(self, cookie: str) -> str | None:
        """The id in a cookie, or None where it was not made here."""
        token, _, mac = cookie.rpartition(".")
        genuine = hmac.compare_digest(mac.encode(), self._mac("person", token).encode())
        return token if token and genuine else None

    def visitor(self, request: Request) -> Visitor:
        """Who sends a request: known by their cookie, or new."""
        signed = self.read(request.cookies.get(COOKIE, ""))
        token = signed or secrets.token_urlsafe(16)
        return Visitor(token, self._mac("csrf", token), is_new=signed is None)

    def welcome(self, visitor: Visitor, request: Request, response: Response) -> None:
        """Give a new person their cookie: for this site's own requests, out of scripts' reach."""
        if visitor.is_new:
            response.set_cookie(
                COOKIE,
                self.sign(visitor.token),
                max_age=YEAR_SECONDS,
                httponly=True,
                samesite="lax",
                secure=request.url.scheme == "https",
            )

    def dismiss(self, response: Response) -> None:
        """Take the cookie away."""
        response.delete_cookie(COOKIE, httponly=True, samesite="lax")

    def check(self, visitor: Visitor, request: Request, field: str = "") -> None:
        """Refuse a change that does not come from one of our own pages.

        Args:
            visitor: Who sends it.
            request: The request, whose header may hold the token.
            field: The form's field ``csrf``, if it is a form.

        Raises:
            Problem: If the token is missing or another's.
        """
        csrf = field or request.headers.get(CSRF_HEADER, "")
        if visitor.is_new or not hmac.compare_digest(csrf.encode(), visitor.csrf.encode()):
            raise Problem(403, "wrong_token", "the form is too old: load the page again")

    def _mac(self, purpose: str, token: str) -> str:
        text = f"{purpose}:{token}".encode(errors="surrogateescape")
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()


def load_secret(folder: Path) -> bytes:
    """The secret of a folder, which only its owner can read; made where there is none.

    Several processes that start at once agree on the one that was there first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / SECRET_FILE
    fresh = folder / f".{SECRET_FILE}.{os.getpid()}"
    if not file.exists():
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(handle, secrets.token_bytes(SECRET_BYTES))
            os.fsync(handle)
        finally:
            os.close(handle)
        try:
            os.link(fresh, file)  # fails where another process was first
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return file.read_bytes()
