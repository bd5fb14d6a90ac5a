"""Addresses in place of paths: they are not read, and shown as they were typed."""

import os
import re

from tastemap.errors import DataError

# A drive of Windows has one letter. `pathlib` makes one slash of two.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+")


def address_in(path: str | os.PathLike[str]) -> str | None:
    """The address that stands in place of a path, or None if it is a path.

    Example:
        >>> from pathlib import Path
        >>> address_in(Path("https://example.org/ratings.csv")), address_in("ratings.csv")
        ('https://example.org/ratings.csv', None)
    """
    text = os.fspath(path)
    match = _SCHEME.match(text)
    if match is None or os.path.lexists(text):
        return None
    slashes = "///" if match[1].casefold() == "file" else "//"
    return f"{match[1]}:{slashes}{text[match.end() :]}"


def refuse_address(path: str | os.PathLike[str]) -> None:
    """Refuse an address in place of a path.

    Raises:
        DataError: With the address as it was typed.
    """
    address = address_in(path)
    if address is None:
        return
    is_local = address.casefold().startswith("file:")
    do = "give the path itself" if is_local else "download it first, and give the path of the file"
    raise DataError(address, expected="a path", received="an address, which is not read", do=do)
