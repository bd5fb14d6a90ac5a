"""The import of what a person brings: every match is shown before anything is kept."""

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from fastapi import File, Form, UploadFile
from pydantic import StringConstraints
from starlette.responses import Response

from tastemap.explore.imports.likes import LikesReview, read_likes, review_likes
from tastemap.explore.imports.ratings import Match, Review, read_ratings, review
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.people.flag_file import flags_of_file
from tastemap.serve.people.tables import FLAGS
from tastemap.serve.settings import Limits
from tastemap.serve.web.errors import Problem
from tastemap.serve.web.rendering import CurrentVisit, FormText, Visit, page_router

#: In the place of a rating: the item was seen without one.
HISTORY_MARK = "seen"
#: So many matches of a kind are shown with a tick each; the rest has one together.
MAX_MATCHES_SHOWN = 300
#: So many titles of a kind that are left out are named.
MAX_TITLES_NAMED = 200
# A rating, or a flag, maybe with "@" and when it was given, a blank and an id.
Picked = Annotated[str, StringConstraints(max_length=Limits.text_length + Limits.id_length)]

router = page_router()


class Choice(NamedTuple):
    """An item that an entry may be: what is kept if it is chosen, and its name."""

    value: str
    label: str


@dataclass(frozen=True)
class Row:
    """A match, as the page shows it.

    Attributes:
        title: What the file calls it, with its year.
        written: The rating as the file has it, "" where it has none.
        rating: What would be kept: a rating, "seen", "liked", "not interested".
        choices: The items that it may be.
        is_likely: Whether the first of them is proposed.
    """

    title: str
    written: str
    rating: str
    choices: list[Choice]
    is_likely: bool


class Part(NamedTuple):
    """The matches of a kind.

    Attributes:
        rows: Those that are shown one by one.
        rest: What would be kept of the others, a line each; "" where there are none.
        others: The others in words.
    """

    rows: list[Row]
    rest: str
    others: list[str]

    @property
    def n(self) -> int:
        """The number of matches."""
        return len(self.rows) + len(self.others)


@router.post("/you/import")
def review_import(
    visit: CurrentVisit, file: Annotated[UploadFile, File()], csrf: FormText = ""
) -> Response:
    """What a file holds, for the person to look at."""
    visit.check(csrf)
    max_bytes = visit.request.app.state.settings.limits.upload
    model, content = visit.service.model, file.file.read(max_bytes + 1)
    content, flagged = flags_of_file(content, model.catalogue)
    name = (file.filename or "")[: Limits.text_length]
    result: Review | LikesReview
    if model.has_ratings:
        result = review(model.ratings, read_ratings(content, max_bytes, name=name))
        seen = result.seen
    else:
        result, seen = review_likes(model.data, read_likes(content, max_bytes, name=name)), []
    parts = [_part(model, matches) for matches in (result.unsure, result.sure, seen)]
    unsure, sure, seen_part = parts
    return visit.page(
        "review.html",
        "You",
        review=result,
        unsure=unsure,
        sure=sure,
        seen=seen_part,
        flagged=flagged,
        named=MAX_TITLES_NAMED,
    )


@router.post("/you/import/keep", form_limits={"max_fields": Limits.picks + Limits.fields})
def keep_import(
    visit: CurrentVisit,
    pick: Annotated[list[Picked] | None, Form(max_length=Limits.picks)] = None,
    rest: Annotated[list[str] | None, Form(max_length=2)] = None,
    csrf: FormText = "",
) -> Response:
    """Keep what the person has confirmed, "rating id" or a flag and an id, and when it was."""
    visit.check(csrf)
    lines = [line for text in rest or () for line in text.splitlines()]
    ratings, flagged, moments = _read_picks(visit, [*(pick or ()), *lines])
    profiles, key = visit.service.profiles, visit.key
    if ratings:
        profiles.rate(key, ratings, moments=moments)
    n = {flag: profiles.flag(key, items, flag, moments=moments) for flag, items in flagged.items()}
    n_seen = n.get(HISTORY_MARK, 0)
    return visit.again(f"/you?kept={len(ratings)}" + (f"&seen={n_seen}" if n_seen else ""))


def _read_picks(
    visit: Visit, picks: Iterable[str]
) -> tuple[dict[str, float], dict[str, list[str]], dict[str, int]]:
    """The ratings by item, the items of each flag, and when; no time lies ahead."""
    ratings: dict[str, float] = {}
    flagged: dict[str, list[str]] = {}
    moments: dict[str, int] = {}
    now = int(time.time())
    for picked in picks:
        mark, _, item_id = picked.partition(" ")
        rating, _, moment = mark.partition("@")
        if not item_id:
            continue
        if moment.isascii() and moment.removeprefix("-").isdecimal() and len(moment) < 12:
            moments[item_id] = min(int(moment), now)
        if rating in FLAGS:
            flagged.setdefault(rating, []).append(item_id)
            continue
        try:
            ratings[item_id] = visit.value_of(rating)
        except ValueError:
            raise Problem(422, "invalid_argument", "a rating is a number") from None
    return ratings, flagged, moments


def _part(model: LoadedModel, matches: list[Match]) -> Part:
    """The first matches as rows, and the others in words."""
    shown, others = matches[:MAX_MATCHES_SHOWN], matches[MAX_MATCHES_SHOWN:]
    titles, ids = model.data.items.titles, model.data.items.ids
    rows = [
        Row(
            match.entry.name,
            _written(match),
            _in_words(model, match),
            [Choice(f"{_mark(model, match)} {ids[row]}", titles[row]) for row in match.rows],
            match.is_likely,
        )
        for match in shown
    ]
    rest = "\n".join(f"{_mark(model, match)} {ids[match.rows[0]]}" for match in others)
    words = [f"{match.entry.name}: {titles[match.rows[0]]}" for match in others]
    return Part(rows, rest, words)


def _mark(model: LoadedModel, match: Match) -> str:
    """What is kept of a match: the rating or "seen", and when it was."""
    mark = HISTORY_MARK if match.entry.is_seen and model.has_ratings else f"{match.rating:g}"
    return mark if match.moment is None else f"{mark}@{match.moment}"


def _written(match: Match) -> str:
    """The rating as the file has it."""
    entry = match.entry
    if entry.is_seen or entry.liked is not None or math.isnan(entry.rating):
        return ""
    return f"{entry.rating:g}"


def _in_words(model: LoadedModel, match: Match) -> str:
    """What is kept of a match, in words."""
    if not model.has_ratings:
        return "not interested" if match.rating < 0 else ""
    return HISTORY_MARK if match.entry.is_seen else f"{match.rating:g}"
