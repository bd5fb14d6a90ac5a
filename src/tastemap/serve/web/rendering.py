"""Pages from templates: text stays text, and every page knows who looks at it."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote, urlsplit

from fastapi import Depends, Form, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tastemap.data.nouns import Noun, item_noun
from tastemap.data.scale import Scale
from tastemap.errors import StoreError, TastemapError
from tastemap.serve.model.catalogue import Catalogue
from tastemap.serve.people.profiles import AnyProfile
from tastemap.serve.schemas import OwnRating
from tastemap.serve.service import Service
from tastemap.serve.settings import Limits
from tastemap.serve.web.cookies import Visitor, Visitors
from tastemap.serve.web.errors import (
    Problem,
    problem_of,
    problem_of_http,
    problem_of_validation,
)

HERE = Path(__file__).parent.parent
#: Sent by the pages' own script, which wants the changed page at once and no redirection.
LIVE_HEADER = "X-Live"
#: A scale of more values than this is a number to type, not a row of stars.
MAX_RADIOS = 12
PART_NAMES = {
    "global mean": "average of all ratings",
    "mean of all ratings": "average of all ratings",
    "item bias": "how this {noun} is liked beyond it",
    "what others give it": "how this {noun} is liked beyond it",
    "average user": "what the average person adds",
    "training beyond the ratings": "what training found beyond your ratings",
}
HEADINGS = {
    403: "Once more, please",
    404: "Not here",
    413: "Too large",
    422: "That did not work",
    429: "Not so fast",
    431: "Too large",
    503: "Not just now",
}
STORE_NOTICE = "Your ratings cannot be had just now. Please come back in a moment."


@dataclass(frozen=True)
class PageFacts:
    """What the parts of a page ask for: the token for forms, and the scale of ratings."""

    csrf: str
    scale: Scale
    levels: tuple[float, ...]


class About(NamedTuple):
    """What is known of the items, so that pages ask for nothing that is not.

    Attributes:
        has_titles, has_years: Whether items have any.
        searched: What a search looks for, in words.
        example: A title that many know, for a list that people write; or an id.
    """

    has_titles: bool
    has_years: bool
    searched: str
    example: str

    @classmethod
    def of(cls, catalogue: Catalogue) -> "About":
        """What is known of the items of a catalogue."""
        has_titles, has_years = catalogue.has_titles, catalogue.has_years
        words = ["title" if has_titles else "id"]
        words += ["year"] * has_years + ["genre"] * bool(catalogue.genres)
        return cls(has_titles, has_years, ", ".join(words), catalogue.example)


class Visit:
    """One request of a person for a page.

    Attributes:
        request: The request.
        service: Where answers come from.
        visitor: Who asks.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self.service: Service = request.app.state.service
        self._visitors: Visitors = request.app.state.visitors
        self.visitor: Visitor = self._visitors.visitor(request)

    @property
    def key(self) -> str:
        """The key of the person's profile in the store."""
        return self.visitor.key

    @cached_property
    def n_rated(self) -> int | None:
        """How many ratings the person has; None where the store cannot be had."""
        if self.visitor.is_new:
            return 0
        try:
            return self.service.profiles.count(self.key)
        except StoreError:
            return None

    @property
    def ratings(self) -> list[OwnRating]:
        """The person's ratings, the newest first.

        Raises:
            StoreError: If the store cannot be had.
        """
        return [] if self.n_rated == 0 else self.service.profiles.ratings_of(self.key).ratings

    @property
    def profile(self) -> AnyProfile:
        """Whom answers are for: who has no ratings, or none that can be had, is nobody known."""
        return self.key if self.n_rated else {}

    @property
    def is_live(self) -> bool:
        """Whether the pages' own script asks, which wants no redirection."""
        return LIVE_HEADER in self.request.headers

    def check(self, csrf: str) -> None:
        """Refuse a change that does not come from one of our own pages."""
        self._visitors.check(self.visitor, self.request, csrf)

    def page(self, template: str, here: str = "", status: int = 200, **shown: Any) -> Response:
        """A page for this person.

        Args:
            template: Name of its template.
            here: The page of the menu that it belongs to.
            status: HTTP status.
            **shown: What the template shows.
        """
        model = self.service.model
        scale = model.scale
        levels = () if scale.levels is None else tuple(scale.levels.tolist())
        facts = PageFacts(self.visitor.csrf, scale, levels if len(levels) <= MAX_RADIOS else ())
        shared = {"page": facts, "here": here, "data_name": model.data.source.name}
        shared |= {"noun": item_noun(model.data), "about": About.of(model.catalogue)}
        said = [*([STORE_NOTICE] if self.n_rated is None else []), *shown.pop("said", ())]
        shared |= {"n_rated": "–" if self.n_rated is None else self.n_rated, "said": said}
        text = templates().get_template(template).render(shared | shown)
        response = HTMLResponse(text, status)
        self._visitors.welcome(self.visitor, self.request, response)
        return response

    def again(self, address: str = "") -> Response:
        """Go to an address of ours, or to this page again, after a change without scripts."""
        url = self.request.url
        here = quote(url.path, safe="/%") + (f"?{url.query}" if url.query else "")
        return RedirectResponse(address or here, 303)

    def dismissed(self) -> Response:
        """Go to the first page as somebody new."""
        response = RedirectResponse("/", 303)
        self._visitors.dismiss(self.visitor, response)
        return response


async def _visit(request: Request) -> Visit:
    return Visit(request)


CurrentVisit = Annotated[Visit, Depends(_visit)]


class RatingChange:
    """A rating that a form sets or takes back; nothing where the request is no such form."""

    def __init__(self, item: str | None, rating: str, remove: str, csrf: str) -> None:
        self.item, self.rating, self.remove, self.csrf = item, rating, remove, csrf

    def apply(self, visit: Visit) -> bool:
        """Do it; whether there was anything to do.

        Raises:
            Problem: If the form is not ours, or the rating not on the scale.
        """
        if visit.request.method != "POST" or self.item is None:
            return False
        visit.check(self.csrf)
        if self.remove:
            visit.service.profiles.unrate(visit.key, self.item)
            return True
        try:
            rating = float(self.rating)
        except ValueError:
            raise Problem(422, "invalid_argument", "choose a rating first") from None
        visit.service.profiles.rate(visit.key, {self.item: rating})
        return True


FormText = Annotated[str, Form(max_length=Limits.text_length)]


async def _change(
    item: Annotated[str | None, Form(max_length=Limits.id_length)] = None,
    rating: FormText = "",
    remove: FormText = "",
    csrf: FormText = "",
) -> RatingChange:
    return RatingChange(item, rating, remove, csrf)


FormChange = Annotated[RatingChange, Depends(_change)]


class PageRoute(APIRoute):
    """A route whose errors are pages too."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with its problems shown to a person."""
        handle = super().get_route_handler()

        async def handle_or_show(request: Request) -> Response:
            try:
                return await handle(request)
            except Problem as error:
                problem = error
            except TastemapError as error:
                problem = problem_of(error)
            except RequestValidationError as error:
                problem = _problem_of_form(error)
            except HTTPException as error:
                problem = problem_of_http(error)
            return error_page(request, problem)

        return handle_or_show


def _problem_of_form(error: RequestValidationError) -> Problem:
    """The faults of a form in words for a person, who does not see the names of its fields."""
    problem = problem_of_validation(error)
    _, _, message = problem.message.partition(": ")
    if message == "Field required":
        message = "the form is not complete"
    return Problem(problem.status, problem.code, message.replace("String", "A text"))


def error_page(request: Request, problem: Problem) -> Response:
    """A problem as a page."""
    page = Visit(request).page("error.html", status=problem.status, **_words_of(problem))
    page.headers.update(problem.headers or {})
    return page


def refusal(problem: Problem, headers: Mapping[bytes, bytes]) -> Response:
    """A problem of a request that is not looked at: a page for a browser, JSON for a program.

    The page costs no more than the JSON: it says nothing of the person, the model or the store.
    """
    if b"text/html" not in headers.get(b"accept", b""):
        return problem.response
    text = templates().get_template("refusal.html").render(_words_of(problem))
    return HTMLResponse(text, problem.status, problem.headers)


def _words_of(problem: Problem) -> dict[str, str]:
    """The heading and the sentence that tell a person of a problem."""
    return {
        "heading": HEADINGS.get(problem.status, "Something is wrong"),
        "message": problem.message[:1].upper() + problem.message[1:].rstrip(".") + ".",
    }


@cache
def templates() -> Environment:
    """The templates; whatever they are given is text, and a name they are not given an error."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "plain": plain,
        "signed": signed,
        "along": along,
        "segment": lambda value: quote(str(value), safe=""),
        "part_name": part_name,
        "host": lambda address: urlsplit(address).netloc,
    }
    return environment


def part_name(part: str, noun: Noun) -> str:
    """A part of a prediction in words.

    Example:
        >>> part_name("item bias", Noun("book", "books")), part_name("genre", Noun("book", "books"))
        ('how this book is liked beyond it', 'genre')
    """
    return PART_NAMES.get(part, part).replace("{noun}", noun.singular)


def plain(value: float) -> str:
    """A rating as it is written.

    Example:
        >>> plain(4.0), plain(3.5)
        ('4', '3.5')
    """
    return f"{value:g}"


def signed(value: float, digits: int = 3) -> str:
    """A difference, always with its sign.

    Example:
        >>> signed(0.5), signed(-0.25, 2)
        ('+0.500', '−0.25')
    """
    return ("−" if value < 0 else "+") + f"{abs(value):.{digits}f}"


def along(value: float, scale: Scale) -> float:
    """Where a value lies on a gauge of 100 units.

    Example:
        >>> along(3.0, Scale(1, 5, 1)), along(9.0, Scale(1, 5, 1))
        (50.0, 96.0)
    """
    width = (scale.highest - scale.lowest) or 1.0
    share = (min(max(value, scale.lowest), scale.highest) - scale.lowest) / width
    return round(4 + 92 * share, 1)
