"""Pages from templates: text stays text, and every page knows who looks at it."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tastemap.data.scale import Scale
from tastemap.errors import StoreError, TastemapError
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.people.profiles import AnyProfile
from tastemap.serve.schemas import FlaggedItem, Id, OwnRating
from tastemap.serve.service import Service
from tastemap.serve.settings import Limits
from tastemap.serve.web.cookies import Visitor, Visitors
from tastemap.serve.web.errors import (
    Problem,
    problem_of,
    problem_of_http,
    problem_of_validation,
)
from tastemap.serve.web.faces import PageFaces
from tastemap.serve.web.templating import templates
from tastemap.serve.words import Words
from tastemap.support import numerals

#: Sent by the pages' own script, which wants the changed page at once and no redirection.
LIVE_HEADER = "X-Live"
GET_AND_POST = ["GET", "POST"]
#: A scale of more values than this is a number to type, not a row of stars.
MAX_RADIOS = 12
HEADINGS = {
    403: "Once more, please",
    404: "Not here",
    405: "That did not work",
    413: "Too large",
    422: "That did not work",
    429: "Not so fast",
    431: "Too large",
    500: "Our fault",
    503: "Not just now",
}


@dataclass(frozen=True)
class PageFacts:
    """What the parts of a page ask for: the token for forms, and the scale of ratings.

    Attributes:
        csrf: The token.
        has_ratings: Whether people give ratings; else they like, and are not interested.
        scale: The scale of ratings, if there are any.
        levels: The ratings to choose from, if they are few.
        flags: What the person says of items without a rating, by id.
    """

    csrf: str
    has_ratings: bool
    scale: Scale | None
    levels: tuple[float, ...]
    flags: Mapping[Id, str]

    @classmethod
    def of(cls, csrf: str, model: LoadedModel, flags: Mapping[Id, str]) -> "PageFacts":
        """Those of a model, for somebody."""
        if not model.has_ratings:
            return cls(csrf, False, None, (), flags)
        levels = () if model.scale.levels is None else tuple(model.scale.levels.tolist())
        levels = levels if len(levels) <= MAX_RADIOS else ()
        return cls(csrf, True, model.scale, levels, flags)


class About(NamedTuple):
    """What is known of the items, so that pages ask for nothing that is not.

    Attributes:
        has_titles, has_years: Whether items have any.
        is_ordered: Whether it looks at the order: similar items are what people go on to.
        is_compared: Whether the model can compare items, so that lists can be varied.
        searched: What a search looks for, in words.
        example: A title that many know, for a list that people write; or an id.
    """

    has_titles: bool
    has_years: bool
    is_ordered: bool
    is_compared: bool
    searched: str
    example: str

    @classmethod
    def of(cls, model: LoadedModel) -> "About":
        """What is known of the items of a model."""
        catalogue = model.catalogue
        has_titles, has_years = catalogue.has_titles, catalogue.has_years
        words = ["title" if has_titles else "id"]
        words += ["year"] * has_years + ["genre"] * bool(catalogue.genres)
        can, searched = model.capabilities, ", ".join(words)
        kinds = (has_titles, has_years, can.ordered, can.similar_items)
        return cls(*kinds, searched, catalogue.example)


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
    def words(self) -> Words:
        """What pages say of the model."""
        model = self.service.model
        return Words.of(model.data, is_personal=model.has_ratings or model.is_personal)

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

    @cached_property
    def ratings(self) -> list[OwnRating]:
        """The person's ratings, the newest first; of a model of interactions, weights of likes.

        Raises:
            StoreError: If the store cannot be had.
        """
        return [] if self.n_rated == 0 else self.service.profiles.ratings_of(self.key).ratings

    @cached_property
    def flags(self) -> list[FlaggedItem]:
        """What the person says of items without a rating, the newest first."""
        if self.visitor.is_new or self.n_rated is None:
            return []
        return self.service.profiles.flags_of(self.key)

    def flagged(self, flag: str) -> list[FlaggedItem]:
        """What bears a flag, the newest first."""
        return [item for item in self.flags if item.flag == flag]

    @property
    def profile(self) -> AnyProfile:
        """Whom answers are for: of whom nothing is kept, or can be had, is nobody known."""
        return self.key if self.n_rated or self.flags else {}

    @property
    def n_marked(self) -> int | None:
        """How many items the person has rated, or likes; None where the store cannot be had."""
        if self.service.model.has_ratings or not self.n_rated:
            return self.n_rated
        try:
            return sum(mark.rating > 0 for mark in self.ratings)
        except StoreError:
            return None

    @property
    def is_live(self) -> bool:
        """Whether the pages' own script asks, which wants no redirection."""
        return LIVE_HEADER in self.request.headers

    def value_of(self, text: str) -> float:
        """The rating that a form sends, or the weight of its like or dislike.

        Raises:
            ValueError: If it is no number.
        """
        model, value = self.service.model, float(text)
        return model.value_of_like if value > 0 and not model.has_ratings else value

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
        response = self._rendered(template, here, status, **shown)
        self._visitors.welcome(self.visitor, self.request, response)
        return response

    def _rendered(self, template: str, here: str, status: int, **shown: Any) -> HTMLResponse:
        """The page, without a cookie."""
        model, words, n_marked = self.service.model, self.words, self.n_marked
        flags = {item.item_id: item.flag for item in self.flags}
        facts = PageFacts.of(self.visitor.csrf, model, flags)
        shared = {
            "page": facts,
            "here": here,
            "person": self.visitor.alias,
            "data_name": model.data.source.name,
        }
        shared |= {"noun": words.noun, "words": words, "about": About.of(model)}
        shared["faces"] = PageFaces(model)
        said = [*([words.unavailable] if n_marked is None else []), *shown.pop("said", ())]
        shared |= {"n_rated": "–" if self.n_rated is None else self.n_rated, "said": said}
        shared |= {"n_marked": "–" if n_marked is None else n_marked}
        text = templates().get_template(template).render(shared | shown)
        return HTMLResponse(text, status)

    def again(self, address: str = "") -> Response:
        """Go to an address of ours, or to this page again, after a change without scripts."""
        url = self.request.url
        here = quote(url.path, safe="/%") + (f"?{url.query}" if url.query else "")
        return RedirectResponse(address or here, 303)

    def dismissed(self, template: str, here: str, **shown: Any) -> Response:
        """A page for somebody who is known no more: their cookie goes."""
        stranger = Visit(self.request)
        stranger.visitor = self._visitors.stranger()
        response = stranger._rendered(template, here, 200, **shown)
        self._visitors.dismiss(self.visitor, response)
        return response


async def _visit(request: Request) -> Visit:
    return Visit(request)


CurrentVisit = Annotated[Visit, Depends(_visit)]


class RatingChange:
    """A rating that a form sets or takes back; nothing where the request is no such form.

    Attributes:
        moment: When it was given, in seconds since 1970; None for now.
    """

    def __init__(self, item: str | None, rating: str, remove: str, csrf: str) -> None:
        self.item, self.rating, self.remove, self.csrf = item, rating, remove, csrf
        self.moment: int | None = None

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
            rating = visit.value_of(self.rating)
        except ValueError:
            raise Problem(422, "invalid_argument", "choose a rating first") from None
        visit.service.profiles.rate(visit.key, {self.item: rating}, self.moment)
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


def page_router() -> APIRouter:
    """A router of pages, whose errors are pages and whose forms are small."""
    return APIRouter(
        route_class=PageRoute,
        include_in_schema=False,
        form_limits={"max_fields": Limits.fields, "max_files": 1},
    )


def whole(text: str) -> int | None:
    """A whole number from a field that may be empty or hold anything.

    Example:
        >>> whole("12"), whole("many"), whole("1e999")
        (12, None, None)
    """
    value = numerals.number(text)
    return None if value is None else max(min(int(value), 10**6), -(10**6))


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
    shown = {**_words_of(problem), "is_missing": problem.status == HTTPStatus.NOT_FOUND}
    text = templates().get_template("refusal.html").render(shown)
    return HTMLResponse(text, problem.status, problem.headers)


def _words_of(problem: Problem) -> dict[str, str]:
    """The heading and the sentence that tell a person of a problem."""
    return {
        "heading": HEADINGS.get(problem.status, "Something is wrong"),
        "message": problem.message[:1].upper() + problem.message[1:].rstrip(".") + ".",
    }
