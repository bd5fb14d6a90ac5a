"""Which column of a table without ratings holds the users, items, weights, events and times."""

from collections.abc import Mapping

from tastemap.data.readers.column_names import EVENT_NAMES, LIKED_NAMES, WEIGHT_NAMES
from tastemap.data.readers.contents import Content
from tastemap.data.readers.roles import (
    KEYS,
    NAMES,
    Sample,
    chosen_columns,
    columns_by_name,
    first_named,
    item_columns,
)
from tastemap.data.readers.timestamps import NO_TIMES
from tastemap.errors import DataError

# A note names so many columns.
MAX_COLUMNS_NAMED = 6


def find_interaction_columns(
    name: str, chosen: Mapping[str, str | None], sample: Sample, *, named: bool
) -> tuple[dict[str, str], list[str]]:
    """Which column holds the user, the item, the weight, the kind of event and the time.

    Args:
        name: What to call the table in messages.
        chosen: For a role, the column that the caller has named, or None to infer it; ``"none"``
            for no times, weights or events.
        sample: Values of each column.
        named: Whether the names of the columns mean something; otherwise the first two are the
            user and the item, and a third is the times or the weights, by what is in it.

    Returns:
        The column of each role that there is, and a note for each inference.

    Raises:
        DataError: If a chosen column is not there, or those of users and items are not clear.
        ArgumentError: If two roles are chosen to be of one column.
    """
    left_out = {role for role, column in chosen.items() if column == NO_TIMES}
    wanted = {role: column for role, column in chosen.items() if role not in left_out}
    roles = chosen_columns(name, [*sample], wanted)
    free = [column for column in sample if column not in roles.values()]
    guess: dict[str, str] = {}
    if named:
        guess = columns_by_name([role for role in ("user", "item") if role not in roles], free)
    else:
        lacking = [role for role in ("user", "item") if role not in roles]
        guess = dict(zip(lacking, free, strict=False))
    roles |= guess
    for role in ("timestamp", "event", "weight"):
        free = [column for column in sample if column not in roles.values()]
        if role in roles or role in left_out:
            continue
        column = _named_for(role, free) if named else _next_of(role, free, sample)
        if column is not None:
            roles[role] = guess[role] = column
    lacking = [role for role in ("user", "item") if role not in roles]
    if lacking:
        calls = ", ".join(f"{role}={roles.get(role, 'NAME')!r}" for role in ("user", "item"))
        raise DataError(
            f"{name}, column of the {lacking[0]}",
            expected=f"a name such as {', '.join(NAMES[lacking[0]].split()[:3])}",
            received=f"columns {', '.join([*sample][:8])}",
            do=f"name them: {calls}",
        )
    notes = [f"column {c} read as {r}" for r, c in guess.items() if c != KEYS.get(r, r)]
    described = item_columns(sample, roles).values()
    unread = [column for column in sample if column not in (*roles.values(), *described)]
    if unread:
        notes.append(f"columns that are not read: {', '.join(unread[:MAX_COLUMNS_NAMED])}")
    return roles, notes


def _named_for(role: str, free: list[str]) -> str | None:
    """The column of times, events or weights by its name."""
    if role == "timestamp":
        return columns_by_name([role], free).get(role)
    names = {"event": EVENT_NAMES, "weight": f"{LIKED_NAMES} {WEIGHT_NAMES}"}
    return first_named(names[role], free)


def _next_of(role: str, free: list[str], sample: Sample) -> str | None:
    """The next column without a name, if its values are times, events or weights."""
    if not free:
        return None
    content = Content(sample[free[0]])
    fits = {
        "timestamp": content.is_time,
        "event": content.numbers is None and not content.is_truth,
        "weight": content.numbers is not None or content.is_truth,
    }
    return free[0] if fits[role] else None
