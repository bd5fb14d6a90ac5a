"""ETags: an answer that the client has already is not sent again."""

import hashlib

from fastapi import Request, Response

from tastemap.serve.settings import Limits


def tag_of(body: bytes) -> str:
    """The ETag of a body."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def tagged(request: Request, body: bytes, tag: str) -> Response:
    """JSON with an ETag; 304 where the client has it already."""
    if has_already(request, tag):
        return Response(status_code=304, headers={"ETag": tag})
    return Response(body, media_type="application/json", headers={"ETag": tag})


def has_already(request: Request, tag: str) -> bool:
    """Whether ``If-None-Match`` names a tag, among the first `Limits.tags` that it holds."""
    shown = request.headers.get("if-none-match", "").split(",", Limits.tags)[: Limits.tags]
    return tag in (one_tag.strip().removeprefix("W/") for one_tag in shown)
