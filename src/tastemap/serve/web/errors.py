"""What can be wrong with a request, and the one shape that says so."""

from dataclasses import dataclass

from tastemap.errors import ArgumentError, NotFittedError, TastemapError, UnsupportedError


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
    def answer(self) -> ErrorAnswer:
        """The one shape of every error."""
        return ErrorAnswer(ErrorDetail(self.code, self.message))


def unknown(kind: str, one_id: object) -> Problem:
    """No item, or no rating, has that id."""
    return Problem(404, f"unknown_{kind}", f"no {kind} has the id {str(one_id)[:200]!r}")


def problem_of(error: TastemapError) -> Problem:
    """An error of the library as what is wrong with a request.

    Example:
        >>> problem_of(ArgumentError("k", expected="at least 1", received=0)).status
        422
    """
    if isinstance(error, UnsupportedError | NotFittedError):
        return Problem(409, "unsupported_by_model", str(error))
    if isinstance(error, ArgumentError):
        return Problem(422, "invalid_argument", str(error))
    return Problem(503, "unavailable", str(error))
