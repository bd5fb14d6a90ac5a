"""Styles, scripts and icons: an address names what it holds, so that a browser asks for it once."""

import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

PREFIX = "/static"
N_DIGITS_OF_VERSION = 12
FOREVER = "public, max-age=31536000, immutable"


@cache
def version() -> str:
    """A digest of all static files, which is part of their addresses.

    It is one for all: scripts name their neighbours by relative addresses, which so stay with it.
    """
    digest = hashlib.blake2b()
    for path in sorted(_folder().iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:N_DIGITS_OF_VERSION]


def address(name: str) -> str:
    """Where a page finds a static file.

    Example:
        >>> address("icon.svg") == f"/static/{version()}/icon.svg"
        True
    """
    return f"{PREFIX}/{version()}/{name}"


class VersionedFiles(StaticFiles):
    """The files of ``static/``, for good under their version, looked after under any other.

    A page of the release before asks for its own version: it gets what there is, which it must not
    keep. The plain address, without a version, is answered likewise.
    """

    def __init__(self) -> None:
        super().__init__(directory=_folder())

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file at a path below the prefix."""
        folder, name = Path(path).parent, Path(path).name
        response = await super().get_response(name if len(folder.parts) == 1 else path, scope)
        if str(folder) == version() and response.status_code in {200, 304}:
            response.headers["Cache-Control"] = FOREVER
        return response


def _folder() -> Path:
    return Path(str(files("tastemap.serve") / "static"))
