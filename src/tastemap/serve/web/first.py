"""The first minute of somebody new: whether it is now, and how it is skipped."""

from dataclasses import dataclass

from starlette.responses import Response

from tastemap.serve.answers.first_visit import N_ANSWERS, Backdrop
from tastemap.serve.schemas import ItemCard
from tastemap.serve.web.cookies import COOKIE, YEAR_SECONDS
from tastemap.serve.web.rendering import CurrentVisit, FormText, Visit, page_router

#: Says that somebody has gone on to the picks, and nothing of who they are.
SKIP_COOKIE = f"{COOKIE}-first"

router = page_router()


@dataclass(frozen=True, slots=True)
class FirstVisit:
    """What somebody new is shown.

    Attributes:
        items: The items to rate.
        backdrop: The map behind them, where there is one.
        n_answers, n_needed: How many are rated, and how many lead to the picks.
    """

    items: list[ItemCard]
    backdrop: Backdrop | None
    n_answers: int
    n_needed: int = N_ANSWERS


def first_visit(visit: Visit) -> FirstVisit | None:
    """What somebody is asked who has said little, unless they have skipped it; else None.

    Where the answer would change nothing, or there is not enough to ask for, nobody is asked.
    """
    model, n_rated = visit.service.model, visit.n_rated
    is_over = n_rated is None or n_rated >= N_ANSWERS or SKIP_COOKIE in visit.request.cookies
    if is_over or not (model.capabilities.folds_in and model.is_personal):
        return None
    items, backdrop = visit.service.first_visit(visit.profile)
    return FirstVisit(items, backdrop, n_rated or 0) if len(items) >= N_ANSWERS else None


@router.post("/first-visit/skip")
def skip(visit: CurrentVisit, csrf: FormText = "") -> Response:
    """Go on to the picks, now and from now on."""
    visit.check(csrf)
    response = visit.again("/")
    is_secure = visit.request.url.scheme == "https"
    response.set_cookie(
        SKIP_COOKIE, "skipped", YEAR_SECONDS, httponly=True, samesite="lax", secure=is_secure
    )
    return response
