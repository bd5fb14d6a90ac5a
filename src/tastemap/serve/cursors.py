"""Cursors: where to go on in a list, for the question that it is a list of."""

import base64
import binascii
import hashlib
import json
from typing import Any

from tastemap.errors import ArgumentError


def cursor_at(position: int, mark: list[Any]) -> str:
    """A cursor that says where to go on, and for which question: the ``mark``.

    Example:
        >>> position_of(cursor_at(20, ["drama"]), ["drama"])
        20
    """
    text = json.dumps([position, _digest(mark)])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def position_of(cursor: str | None, mark: list[Any]) -> int:
    """The position of a cursor; 0 without one.

    Raises:
        ArgumentError: If it is no cursor, or one of another question.
    """
    if not cursor:
        return 0
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        position, digest = json.loads(text)
    except (ValueError, TypeError, binascii.Error):
        position, digest = -1, ""
    if not isinstance(position, int) or position < 0 or digest != _digest(mark):
        raise ArgumentError(
            "cursor",
            expected="one of the same question and model",
            received="another question or another model",
            do="start without one",
        )
    return position


def _digest(mark: list[Any]) -> str:
    return hashlib.blake2b(json.dumps(mark).encode(), digest_size=6).hexdigest()
