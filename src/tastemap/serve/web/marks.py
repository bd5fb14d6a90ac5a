"""Changes that the pages' script sends by themselves: a rating, a like, or what takes it back.

The script keeps a change until it has this answer, and sends it once more where none comes. To keep
the same change twice is to keep it once.
"""

import time

from fastapi import APIRouter
from starlette.responses import JSONResponse

from tastemap.serve.web.errors import Problem
from tastemap.serve.web.rendering import CurrentVisit, FormChange, FormText
from tastemap.support import numerals

router = APIRouter(include_in_schema=False)

# A change may have waited so long for the network; no clock of a browser is asked for more.
MAX_AGE_SECONDS = 366 * 24 * 3600


@router.post("/marks")
def mark(
    visit: CurrentVisit,
    change: FormChange,
    age: FormText = "",
    moment: FormText = "",
    flag: FormText = "",
) -> JSONResponse:
    """Keep one change; how many marks there are now, and what an undo has to bring back.

    A form with a ``flag`` takes back the rating of what bore that flag before.
    """
    visit.check(change.csrf)
    if change.item is None:
        raise Problem(422, "invalid_argument", "the form names no item")
    change.moment = _moment(int(time.time()), age, moment)
    profiles, key, item = visit.service.profiles, visit.key, change.item
    previous = profiles.rating(key, item)
    flags = {str(of.item_id): of.flag for of in profiles.flags_of(key)}
    change.apply(visit)
    if flag:
        profiles.flag(key, [item], flag, change.moment)
    before = {
        "rating": None if previous is None else previous.rating,
        "moment": None if previous is None else previous.moment,
        "flag": flags.get(item),
    }
    return JSONResponse({"n_marked": visit.n_marked, "before": before})


def _moment(now: int, age: str, moment: str) -> int:
    """When a change was made, in seconds since 1970 and not later than now.

    Args:
        now: This moment.
        age: For how many seconds it has waited, by the browser's own clock, whatever that says.
        moment: Of an undo, the moment that is brought back.

    Example:
        >>> _moment(1000, "250", ""), _moment(1000, "", "400"), _moment(1000, "-5", "9000")
        (750, 400, 1000)
    """
    if (restored := numerals.number(moment)) is not None:
        return int(min(max(restored, 0), now))
    waited = numerals.number(age) or 0.0
    return now - int(min(max(waited, 0.0), MAX_AGE_SECONDS, now))
