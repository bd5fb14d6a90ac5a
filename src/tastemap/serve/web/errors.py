"""What can be wrong with a request, its HTTP status, and the one shape that says so."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, TypeAlias

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from tastemap.errors import (
    ArgumentError,
    DataError,
    NotFittedError,
    StoreError,
    TastemapError,
    UnknownIdError,
    UnsupportedError,
)

log = logging.getLogger("tastemap.serve")
MAX_CHARACTERS_OF_ID = 200
# After so many seconds it is worth asking again for what cannot be had now.
RETRY_SECONDS = 2
# Where programs ask: what is wrong there is JSON, also for a browser.
PROGRAMS = ("/api/", "/health/", "/metrics", "/openapi.json")
# Pydantic's names of a value that is over a limit: of several faults this one is told.
OVER_A_LIMIT = {"too_long", "string_too_long", "less_than_equal", "less_than"}
# Pydantic's names of the two kinds of an id, which say nothing to a client.
BRANCHES = {"constrained-int", "constrained-str"}
# Codes of the statuses that Starlette answers with.
CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
# Code and message, by the argument that cannot be used, where they are not the general ones.
WORDS = {
    "cursor": ("invalid_cursor", "the cursor belongs to {error.received}; {error.do}"),
    "method": ("invalid_argument", "method is {error.expected}, not {error.received}"),
    "new item": ("item_exists", "{error.received}; {error.do}"),
    "weight": ("invalid_weight", "{error.received} is not {error.expected}"),
    "rating": ("invalid_rating", "{error.received} is not {error.expected}"),
}


@dataclass(frozen=True, slots=True)
class ErrorDetail:
    """What is wrong: a ``code`` for programs, a ``message`` for people."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """Every answer that is not the one asked for."""

    error: ErrorDetail


class Problem(Exception):  # noqa: N818 - it is what a person is told, not a failure of ours
    """A request that cannot be answered, with the HTTP status that says so.

    Attributes:
        status: The HTTP status.
        code: A word for programs.
        message: A sentence for people.
        headers: Headers that go with it.
    """

    def __init__(
        self, status: int, code: str, message: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers

    @property
    def response(self) -> JSONResponse:
        """The problem as an answer, in the one shape of every error."""
        answer = ErrorAnswer(ErrorDetail(self.code, self.message))
        return JSONResponse(asdict(answer), self.status, self.headers)


def too_large(max_bytes: int) -> Problem:
    """A body of more bytes than are read."""
    return Problem(413, "too_large", f"a request has at most {max_bytes:,} bytes")


def overloaded() -> Problem:
    """More requests than can be answered in time."""
    message = "too many requests are being answered; try again soon"
    return Problem(503, "overloaded", message, {"Retry-After": "1"})


def no_map() -> Problem:
    """A map that the artifact does not have."""
    return Problem(404, "no_map", "this model has no map; tastemap map draws one and keeps it")


def problem_of(error: TastemapError) -> Problem:
    """An error of the library as what is wrong with a request.

    Example:
        >>> problem_of(ArgumentError("k", expected="at least 1", received=0)).status
        422
        >>> problem_of(UnknownIdError("item_id", "x")).message
        "no item has the id 'x'"
    """
    match error:
        case UnknownIdError():
            kind = error.what.removesuffix("_id")
            shown = str(error.unknown_id)[:MAX_CHARACTERS_OF_ID]
            return Problem(404, f"unknown_{kind}", f"no {kind} has the id {shown!r}")
        case UnsupportedError() | NotFittedError():
            return Problem(409, "unsupported_by_model", str(error))
        case ArgumentError():
            code, message = WORDS.get(error.what, ("invalid_argument", "{error}"))
            return Problem(422, code, message.format(error=error))
        case StoreError():
            message = f"the ratings that people gave cannot be had now: {error.reason}"
            headers = {"Retry-After": str(RETRY_SECONDS)}
            return Problem(503, "store_unavailable", message, headers)
        case DataError():
            message = f"these {error.what} cannot be read: {error.received}"
            return Problem(422, "unreadable_file", message)
    return Problem(503, "unavailable", str(error), {"Retry-After": str(RETRY_SECONDS)})


Answer: TypeAlias = Callable[[Problem, Mapping[bytes, bytes]], Response]


def handle_errors(app: FastAPI, refusal: Answer) -> None:
    """Answer every error of an application in the one shape.

    Args:
        app: The application.
        refusal: Makes an answer of a problem and the headers of the request, a page for a browser:
            for what is no address of the API, which answers everybody alike.
    """

    def answer(request: Request, problem: Problem) -> Response:
        if request.url.path.startswith(PROGRAMS):
            return problem.response
        return refusal(problem, dict(request.scope["headers"]))

    @app.exception_handler(Problem)
    async def problem(request: Request, error: Problem) -> Response:
        return answer(request, error)

    @app.exception_handler(TastemapError)
    async def refused(request: Request, error: TastemapError) -> Response:
        return answer(request, problem_of(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return answer(request, problem_of_validation(error))

    @app.exception_handler(HTTPException)
    async def of_http(request: Request, error: HTTPException) -> Response:
        return answer(request, problem_of_http(error))

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        message = "this is our fault; the log says more"
        return answer(request, Problem(500, "internal_error", message))


def problem_of_validation(error: RequestValidationError) -> Problem:
    """The faults of a request as one of them: that something is over its limit, or the first."""
    faults: Any = error.errors()
    worst = next((fault for fault in faults if fault["type"] in OVER_A_LIMIT), faults[0])
    where = ".".join(str(part) for part in worst["loc"] if part not in BRANCHES)
    code = "too_many" if worst["type"] == "too_long" else "invalid_request"
    return Problem(422, code, f"{where}: {worst['msg']}")


def problem_of_http(error: HTTPException) -> Problem:
    """What Starlette refuses by itself."""
    code = CODES.get(error.status_code, "bad_request")
    message = str(error.detail or HTTPStatus(error.status_code).phrase)
    if error.status_code == HTTPStatus.NOT_FOUND:
        message = "there is nothing at this address"
    headers = dict(error.headers) if error.headers else None
    return Problem(error.status_code, code, message, headers)
