"""The pages of a person: their ratings or likes, and forgetting it all."""

import csv
import io
from collections import Counter
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from tastemap.serve.people.flag_file import FLAG_COLUMN
from tastemap.serve.people.tables import FLAGS
from tastemap.serve.schemas import FlaggedItem, ItemCard, OwnRating
from tastemap.serve.settings import Limits
from tastemap.serve.web.errors import Problem
from tastemap.serve.web.first import SKIP_COOKIE
from tastemap.serve.web.flags import FormFlag
from tastemap.serve.web.imports import HISTORY_MARK
from tastemap.serve.web.rendering import (
    GET_AND_POST,
    CurrentVisit,
    FormChange,
    FormText,
    page_router,
    whole,
)
from tastemap.serve.web.requests import Text
from tastemap.serve.web.templating import templates
from tastemap.support.counts import counted
from tastemap.support.formulas import defused_text

#: Ratings on a page.
RATINGS_PER_PAGE = 40

router = page_router()

KeptText = Annotated[str, Query(max_length=Limits.text_length, alias="kept")]
SeenText = Annotated[str, Query(max_length=Limits.text_length, alias="seen")]


@router.api_route("/you", methods=GET_AND_POST)
def you(
    visit: CurrentVisit,
    change: FormChange,
    flag: FormFlag,
    first: Text = "0",
    n_kept: KeptText = "",
    n_seen: SeenText = "",
) -> Response:
    """The person's ratings, taste, and what they can do with them."""
    if flagged := flag.answer(visit):
        return flagged
    if change.apply(visit) and not visit.is_live:
        return visit.again()
    ratings = visit.ratings
    start = max(whole(first) or 0, 0)
    shown = [
        ItemCard(rated.item_id, rated.title, rated.year, your_rating=rated.rating)
        for rated in ratings[start : start + RATINGS_PER_PAGE]
    ]
    lists = {flag: list(map(_card, visit.flagged(flag))) for flag in FLAGS}
    longest = max(len(ratings), *map(len, lists.values()))
    after, n, mark = start + RATINGS_PER_PAGE, whole(n_kept), visit.words.mark
    said = [f"{counted(n, mark)} {'is' if n == 1 else 'are'} kept."] if n else []
    if n := whole(n_seen):
        noun = visit.words.noun
        said.append(f"{counted(n, *noun)} {'is' if n == 1 else 'are'} kept as seen.")
    return visit.page(
        "you.html",
        "You",
        ratings=shown,
        likes=[card for card in shown if card.your_rating and card.your_rating > 0],
        dislikes=[card for card in shown if card.your_rating and card.your_rating < 0],
        taste=visit.service.taste(visit.profile),
        older=f"/you?first={after}" if after < longest else "",
        flagged={flag: cards[start : start + RATINGS_PER_PAGE] for flag, cards in lists.items()},
        n_flagged={flag: len(cards) for flag, cards in lists.items()},
        said=said,
    )


def _card(item: FlaggedItem) -> ItemCard:
    return ItemCard(item.item_id, item.title, item.year)


@router.get("/you/ratings.csv")
@router.get("/you/likes.csv")
def marks_csv(visit: CurrentVisit) -> Response:
    """All ratings of the person, or all likes and dislikes, as a file.

    What was seen without a rating has none there; a last column says what else is said of items,
    where there is something.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    has_ratings, mark = visit.service.model.has_ratings, visit.words.mark
    value = "rating" if has_ratings else "liked"
    more = [FLAG_COLUMN] if any(item.flag != HISTORY_MARK for item in visit.flags) else []
    writer.writerow(["item_id", "title", "year", value, "timestamp", "name", *more])
    for marked in visit.ratings:
        shown = f"{marked.rating:g}" if has_ratings else _sign(marked)
        writer.writerow([*_csv_row(marked, shown), *([""] * len(more))])
    for item in visit.flags:
        writer.writerow([*_csv_row(item, ""), *([item.flag] * len(more))])
    headers = {"Content-Disposition": f'attachment; filename="my-{mark}s.csv"'}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _csv_row(item: OwnRating | FlaggedItem, value: str) -> list[Any]:
    """A row of the file: the title as the data has it and, last, as people say it."""
    item_id, title = defused_text(str(item.item_id)), defused_text(item.title)
    return [item_id, title, item.year, value, item.moment, defused_text(item.name or "")]


def _sign(mark: OwnRating) -> str:
    """A like as 1, a dislike as -1."""
    return "1" if mark.rating > 0 else "-1"


@router.get("/you/card.svg")
def card_svg(visit: CurrentVisit) -> Response:
    """The card of the person's taste, a picture of 1200 by 630."""
    card = visit.service.taste_card(visit.profile)
    if card is None:
        raise Problem(404, "no_ratings", "rate something first: the card shows what you like")
    text = (
        templates()
        .get_template("card.svg")
        .render(card=card, has_ratings=visit.service.model.has_ratings)
    )
    headers = {"Cache-Control": "no-store"}
    return Response(text, media_type="image/svg+xml", headers=headers)


@router.post("/you/forget")
def forget(visit: CurrentVisit, csrf: FormText = "", sure: FormText = "") -> Response:
    """Ask whether all that is kept of the person is to be deleted; delete it, with a receipt."""
    visit.check(csrf)
    counts = Counter(item.flag for item in visit.flags)
    shown: dict[str, Any] = {"n_kept": visit.service.profiles.count(visit.key)}
    shown["flags_kept"] = {flag: counts[flag] for flag in FLAGS if counts[flag]}
    if not sure:
        return visit.page("forget.html", "You", **shown)
    visit.service.profiles.forget(visit.key)
    moment = f"{datetime.now(UTC):%d %B %Y, %H:%M:%S} UTC"
    response = visit.dismissed("forgotten.html", "You", moment=moment, **shown)
    response.delete_cookie(SKIP_COOKIE, httponly=True, samesite="lax")
    return response
