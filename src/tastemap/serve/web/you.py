"""The pages of a person: their ratings or likes, the import of others, and forgetting it all."""

import csv
import io
from collections import Counter
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import File, Form, Query, UploadFile
from pydantic import StringConstraints
from starlette.responses import Response

from tastemap.explore import exports
from tastemap.explore.import_likes import LikesReview, read_likes, review_likes
from tastemap.explore.import_ratings import Review, review
from tastemap.serve.people.flag_file import FLAG_COLUMN, flags_of_file
from tastemap.serve.people.tables import FLAGS
from tastemap.serve.schemas import FlaggedItem, ItemCard, OwnRating
from tastemap.serve.settings import Limits
from tastemap.serve.web.errors import Problem
from tastemap.serve.web.first import SKIP_COOKIE
from tastemap.serve.web.flags import FormFlag
from tastemap.serve.web.rendering import (
    GET_AND_POST,
    CurrentVisit,
    FormChange,
    FormText,
    page_router,
    whole,
)
from tastemap.serve.web.requests import Text
from tastemap.support.counts import counted
from tastemap.support.formulas import defused_text

#: Ratings on a page.
RATINGS_PER_PAGE = 40

router = page_router()

KeptText = Annotated[str, Query(max_length=Limits.text_length, alias="kept")]
SeenText = Annotated[str, Query(max_length=Limits.text_length, alias="seen")]
#: In the place of a rating: the item was seen without one.
HISTORY_MARK = "seen"
# A rating, or "seen", a blank and an id.
Picked = Annotated[str, StringConstraints(max_length=Limits.text_length + Limits.id_length)]


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
    writer.writerow(["item_id", "title", "year", value, "timestamp", *more])
    for marked in visit.ratings:
        item_id, title = defused_text(str(marked.item_id)), defused_text(marked.title)
        shown = f"{marked.rating:g}" if has_ratings else _sign(marked)
        rest = [""] * len(more)
        writer.writerow([item_id, title, marked.year, shown, marked.moment, *rest])
    for item in visit.flags:
        item_id, title = defused_text(str(item.item_id)), defused_text(item.title)
        rest = [item.flag] * len(more)
        writer.writerow([item_id, title, item.year, "", item.moment, *rest])
    headers = {"Content-Disposition": f'attachment; filename="my-{mark}s.csv"'}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _sign(mark: OwnRating) -> str:
    """A like as 1, a dislike as -1."""
    return "1" if mark.rating > 0 else "-1"


@router.post("/you/import")
def review_import(
    visit: CurrentVisit, file: Annotated[UploadFile, File()], csrf: FormText = ""
) -> Response:
    """What a file holds, for the person to look at."""
    visit.check(csrf)
    max_bytes = visit.request.app.state.settings.limits.upload
    model, content = visit.service.model, file.file.read(max_bytes + 1)
    content, flagged = flags_of_file(content, model.catalogue)
    result: Review | LikesReview
    if model.has_ratings:
        source, scale, entries = exports.read_entries(content, max_bytes, with_seen=True)
        result = review(model.ratings, source, scale, entries)
    else:
        result = review_likes(model.data.items, read_likes(content, max_bytes))
    cards = model.catalogue.cards
    return visit.page("review.html", "You", review=result, cards=cards, flagged=flagged)


@router.post("/you/import/keep", form_limits={"max_fields": Limits.picks + Limits.fields})
def keep_import(
    visit: CurrentVisit,
    pick: Annotated[list[Picked] | None, Form(max_length=Limits.picks)] = None,
    csrf: FormText = "",
) -> Response:
    """Keep the ratings that the person has confirmed, "rating id", and flags, such as "seen id"."""
    visit.check(csrf)
    ratings: dict[str, float] = {}
    flagged: dict[str, list[str]] = {}
    for picked in pick or []:
        rating, _, item_id = picked.partition(" ")
        if rating in FLAGS:
            flagged.setdefault(rating, []).append(item_id)
            continue
        try:
            ratings |= {item_id: visit.value_of(rating)} if item_id else {}
        except ValueError:
            raise Problem(422, "invalid_argument", "a rating is a number") from None
    if ratings:
        visit.service.profiles.rate(visit.key, ratings)
    profiles = visit.service.profiles
    n = {flag: profiles.flag(visit.key, items, flag) for flag, items in flagged.items()}
    n_seen = n.get(HISTORY_MARK, 0)
    return visit.again(f"/you?kept={len(ratings)}" + (f"&seen={n_seen}" if n_seen else ""))


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
