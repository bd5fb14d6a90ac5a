"""Who uses the pages: a random id in a signed cookie, and tokens that forms must bring back."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from tastemap.serve.people.profiles import page_profile
from tastemap.serve.web.errors import Problem

# The name of the cookie, before the digest of the key: two servers on one host have one jar of
# cookies. Once it was the whole name.
COOKIE = "tastemap"
N_DIGITS_OF_NAME = 12
CSRF_HEADER = "X-CSRF-Token"
YEAR_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True)
class Visitor:
    """A person at the pages.

    Attributes:
        token: Their random id, of 128 bits, which nobody can guess.
        csrf: What their forms carry in the field ``csrf``, and scripts in ``X-CSRF-Token``; another
            on each page, see `masked`.
        is_new: Whether they have no cookie yet; `Visitors.welcome` gives them one.
        is_renamed: Whether their cookie still has the old name, which says nothing of the server.
        alias: By which the pages' scripts tell people in one browser apart; it opens nothing.
    """

    token: str
    csrf: str
    is_new: bool
    is_renamed: bool = False
    alias: str = ""

    @property
    def key(self) -> str:
        """The key of the person's profile in the store."""
        return page_profile(self.token)


class Visitors:
    """Recognises people by their cookie, which holds a random id and nothing else.

    Attributes:
        cookie: The name of the cookie, in which the key that signs it has left a trace: servers
            with other keys have other names.

    Example:
        >>> visitors = Visitors(b"secret")
        >>> signed = visitors.sign("abc")
        >>> visitors.read(signed), visitors.read(signed + "x"), visitors.read("abc")
        ('abc', None, None)
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.cookie = f"{COOKIE}-{self._mac('cookie', COOKIE)[:N_DIGITS_OF_NAME]}"

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
        signed = self.read(request.cookies.get(self.cookie, ""))
        renamed = None if signed else self.read(request.cookies.get(COOKIE, ""))
        if (token := signed or renamed) is None:
            return self.stranger()
        return self._visitor(token, is_renamed=renamed is not None)

    def stranger(self) -> Visitor:
        """Somebody new."""
        return self._visitor(secrets.token_urlsafe(16), is_new=True)

    def _visitor(self, token: str, *, is_new: bool = False, is_renamed: bool = False) -> Visitor:
        alias = self._mac("alias", token)[:N_DIGITS_OF_NAME]
        return Visitor(token, masked(self._mac("csrf", token)), is_new, is_renamed, alias)

    def welcome(self, visitor: Visitor, request: Request, response: Response) -> None:
        """Give a new person their cookie: for this site's own requests, out of scripts' reach."""
        if visitor.is_renamed:
            _delete(response, COOKIE)
        if visitor.is_new or visitor.is_renamed:
            response.set_cookie(
                self.cookie,
                self.sign(visitor.token),
                max_age=YEAR_SECONDS,
                httponly=True,
                samesite="lax",
                secure=request.url.scheme == "https",
            )

    def dismiss(self, visitor: Visitor, response: Response) -> None:
        """Take the cookie away."""
        _delete(response, COOKIE if visitor.is_renamed else self.cookie)

    def check(self, visitor: Visitor, request: Request, field: str = "") -> None:
        """Refuse a change that does not come from one of our own pages.

        Args:
            visitor: Who sends it.
            request: The request, whose header may hold the token.
            field: The form's field ``csrf``, if it is a form.

        Raises:
            Problem: If the token is missing or another's.
        """
        sent = unmasked(field or request.headers.get(CSRF_HEADER, ""))
        csrf = self._mac("csrf", visitor.token)
        if visitor.is_new or not hmac.compare_digest(sent.encode(), csrf.encode()):
            raise Problem(403, "wrong_token", "the form is too old: load the page again")

    def _mac(self, purpose: str, token: str) -> str:
        text = f"{purpose}:{token}".encode(errors="surrogateescape")
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()


def masked(csrf: str) -> str:
    """A token (hexadecimal digits) under a mask of random bits, which stand before it.

    Pages are sent compressed, and the length of a compressed page tells how much of what a stranger
    has it say, in a search, stands in it already (BREACH, Gluck, Harris, Prado 2013, section 3.4).

    Example:
        >>> masked("00ff") == masked("00ff"), unmasked(masked("00ff"))
        (False, '00ff')
    """
    mask = secrets.token_bytes(len(csrf) // 2)
    return mask.hex() + _mixed(mask, bytes.fromhex(csrf)).hex()


def unmasked(text: str) -> str:
    """The token of `masked`; nothing where it is no such text."""
    try:
        sent = bytes.fromhex(text)
    except ValueError:
        return ""
    half = len(sent) // 2
    return _mixed(sent[:half], sent[half:]).hex()


def _mixed(mask: bytes, text: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(mask, text, strict=False))


def own_cookies(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    r"""The headers of a request with the cookies that may be ours alone, which hold no quotes.

    A browser sends those of every server on the same host, and Python's parser takes the square of
    the number of quotes in one.

    Example:
        >>> own_cookies([(b"host", b"a"), (b"cookie", b'other="x"; tastemap-1=y; tastemap="')])
        [(b'host', b'a'), (b'cookie', b'tastemap-1=y')]
    """
    rest = [header for header in headers if header[0] != b"cookie"]
    if len(rest) == len(headers):
        return headers
    sent = b";".join(value for name, value in headers if name == b"cookie").split(b";")
    named = [cookie.strip() for cookie in sent if cookie.strip().startswith(COOKIE.encode())]
    plain = [cookie for cookie in named if b'"' not in cookie]
    return [*rest, (b"cookie", b"; ".join(plain))] if plain else rest


def _delete(response: Response, cookie: str) -> None:
    response.delete_cookie(cookie, httponly=True, samesite="lax")
