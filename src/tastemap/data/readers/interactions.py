"""Read interactions, tables without ratings, from files, frames, matrices and collections."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from tastemap.data.feedback import Source, pair_numbers
from tastemap.data.interactions import Interactions
from tastemap.data.memmap import is_prepared
from tastemap.data.nouns import activity_in, item_noun, noun_in
from tastemap.data.readers.archive import ZIP, DataFile, boundary, first_bytes, open_files
from tastemap.data.readers.chunked_text import Columns, Reading, read_parts
from tastemap.data.readers.column_names import LIKED_NAMES
from tastemap.data.readers.columns import as_ids, item_table
from tastemap.data.readers.dialect import INFERRED, Dialect, sample, sniff
from tastemap.data.readers.event_weights import lacking_events, weights_of_kinds
from tastemap.data.readers.frames import NAME, as_polars
from tastemap.data.readers.interaction_roles import find_interaction_columns
from tastemap.data.readers.json_records import is_json, read_json
from tastemap.data.readers.kinds import START_BYTES, refuse_other_kind
from tastemap.data.readers.members import member, table_in
from tastemap.data.readers.numbers import as_numbers, truth_values
from tastemap.data.readers.prepared import prepared_interactions
from tastemap.data.readers.roles import first_named, item_columns
from tastemap.data.readers.table import sample_of
from tastemap.data.readers.timestamps import complete_times, evidence, read_times, time_form
from tastemap.data.readers.values import bad_value
from tastemap.errors import ArgumentError, DataError
from tastemap.support.addresses import refuse_address
from tastemap.support.boundary import refusing
from tastemap.support.counts import counted
from tastemap.support.memory import require

REPEATS = ("sum", "count", "last", "keep")
# Text of a file, its columns, and the ids as numbers: a multiple of the bytes of the file.
MEMORY_PER_BYTE = 6
#: Dislike, neither, like.
SIGNS = {-1.0, 0.0, 1.0}


class _Table(NamedTuple):
    """A source as a frame, with the notes on how it was read."""

    name: str
    frame: pl.DataFrame
    roles: Mapping[str, str]
    notes: list[str]


def read_interactions(
    source: Any,
    *,
    user: str | None = None,
    item: str | None = None,
    weight: str | None = None,
    event: str | None = None,
    timestamp: str | None = None,
    event_weights: Mapping[str, float] | None = None,
    repeats: str = "sum",
    delimiter: str | None = None,
    encoding: str | None = None,
    has_header: bool | None = None,
) -> Interactions:
    """Interactions, such as views, plays and purchases, from a file, a frame or a collection.

    What is not given is inferred; each inference is noted in ``source.notes`` of the result, whose
    first note says what was read.

    Args:
        source: A path or a frame, as `tastemap.read_ratings` takes them, a part that
            `tastemap split` wrote, too; ``{user: [items]}`` or
            ``{user: {item: weight}}``; a list of tuples ``(user, item)`` or ``(user, item,
            weight)``; an array of 2 or 3 such columns; or a SciPy sparse matrix of users by items.
        user, item, weight, event, timestamp: The columns. By default those with common names
            (``session_id``, ``artist``, ``plays``, ``liked``, ``action`` …); without a header,
            user, item, and what is in the further columns. ``"none"`` reads no such column.
            Sessions are taken as users. A column of True and False, or 1 and 0, that is called
            ``liked`` or the like holds dislikes, too: their weight is -1.
        event_weights: The weight of each kind of event: ``{"view": 1, "purchase": 10}``. By
            default each event weighs 1.
        repeats: What becomes of several interactions of a user with an item: their weights add up
            to one (``"sum"``), their number is the weight (``"count"``), the ``"last"`` stays (by
            time, else by position), or all stay (``"keep"``), as models of sequences need it.
        delimiter, encoding, has_header: How text is written.

    Raises:
        DataError: If the source cannot be read as interactions; a count is below 0; all is by one
            user; or no user has two items.
        ArgumentError: If an argument is none of its values, or a kind of event has no weight.

    Example:
        >>> plays = read_interactions({"ann": {"Abba": 12, "Björk": 3}, "bo": {"Abba": 1}})
        >>> plays.weight.tolist(), plays.source.notes[0]
        ([12.0, 3.0, 1.0], '3 interactions of 2 people with 2 items; no ratings: lists, no stars')
    """
    if repeats not in REPEATS:
        expected = f"one of {', '.join(REPEATS)}"
        raise ArgumentError("repeats", expected=expected, received=repr(repeats))
    chosen = {"user": user, "item": item, "weight": weight, "event": event, "timestamp": timestamp}
    if isinstance(source, str | Path) and is_prepared(Path(source).expanduser()):
        given = {**chosen, "event_weights": event_weights}
        given["repeats"] = repeats if repeats in ("count", "last") else None
        return prepared_interactions(Path(source).expanduser(), given)
    name, table = _read(source, chosen, Dialect(delimiter, encoding, has_header))
    interactions = _assembled(name, table, event_weights, repeats)
    _refuse_what_teaches_nothing(table, interactions)
    return interactions


def read_seen(source: Any) -> Interactions:
    """What was seen without a rating, to stand beside ratings.

    As `read_interactions`, but for what is asked of a table to learn from: it may be of one user.

    Example:
        >>> len(read_seen({"ann": ["Heat", "Alien"]}))
        2
    """
    if isinstance(source, Interactions):
        return source
    name, table = _read(source, {}, INFERRED)
    return _assembled(name, table, None, "sum")


# ---- from a source to a frame ----


def _read(source: Any, chosen: Mapping[str, str | None], dialect: Dialect) -> tuple[str, _Table]:
    """What the source is called, and its table."""
    if isinstance(source, str | Path):
        refuse_address(source)
        with boundary(str(source)):
            return Path(source).name, _of_path(Path(source), chosen, dialect)
    collected = _of_collection(source)
    frame, notes = as_polars(source, chosen) if collected is None else (collected, [])
    return "interactions", _of_frame(NAME, frame, chosen, notes)


def _of_path(path: Path, chosen: Mapping[str, str | None], dialect: Dialect) -> _Table:
    path = path.expanduser()
    notes: list[str] = []
    file = member(path)
    if file is None and (path.is_dir() or first_bytes(path) == ZIP):
        file, notes = table_in(path, open_files(path), chosen, dialect)
    file = (file or DataFile.of(path)).unpacked()
    start = file.start(START_BYTES)
    refuse_other_kind(file.name, start)
    if n_bytes := file.size():
        what, do = f"for a table of {n_bytes:,} bytes", "use a larger machine"
        require(file.name, MEMORY_PER_BYTE * n_bytes, what, do)
    if start.startswith((b"PAR1", b"ARROW1")):
        read = pl.read_ipc if start.startswith(b"ARROW1") else pl.read_parquet
        return _of_frame(file.name, read(file.read()), chosen, notes)
    if dialect.delimiter is None and is_json(start):
        records = read_json(file, dialect.encoding, chosen, Reading())
        return _of_frame(file.name, records.frame, chosen, [*notes, *records.notes])
    text, of_text = sniff(file, dialect)
    rows, layout = sample(text), text.layout
    sampled = {
        column: [row[place] if place < len(row) else "" for row in rows]
        for place, column in enumerate(layout.columns)
        if column in layout.names
    }
    roles, named = find_interaction_columns(file.name, chosen, sampled, named=layout.has_header)
    needed = [*roles.values(), *item_columns(layout.names, roles).values()]
    ids = (roles["user"], roles["item"])
    checks = dict.fromkeys(ids, (str.strip, "an id"))
    columns = Columns(dict.fromkeys(needed, pl.String()), checks, roles["item"], ids)
    frame, skipped = read_parts(text, columns, Reading())
    return _Table(file.name, frame, roles, [*notes, *of_text, *named, *skipped])


def _of_frame(
    name: str, frame: pl.DataFrame, chosen: Mapping[str, str | None], notes: list[str]
) -> _Table:
    roles, named = find_interaction_columns(name, chosen, sample_of(frame), named=True)
    return _Table(name, frame, roles, [*notes, *named])


def _of_collection(source: Any) -> pl.DataFrame | None:
    """A sparse matrix, an array, a dictionary or a list as a frame; None for anything else."""
    with refusing(_no_pairs, ArgumentError):
        if hasattr(source, "tocoo"):
            matrix = source.tocoo()
            columns = [matrix.row, matrix.col, matrix.data]
        elif isinstance(source, np.ndarray):
            columns = [*source.T]
        elif isinstance(source, Mapping):
            columns = [*zip(*_pairs_of(source), strict=True)]
        elif isinstance(source, list):
            columns = [*zip(*source, strict=True)]
        else:
            return None
        if len(columns) not in (2, 3):
            raise _no_pairs(f"{type(source).__name__} of {len(columns)} columns")
        roles = ("user_id", "item_id", "weight")
        return pl.DataFrame({r: pl.Series(c) for r, c in zip(roles, columns, strict=False)})


def _no_pairs(received: str) -> ArgumentError:
    return ArgumentError(
        "source",
        expected="pairs of a user and an item, maybe with a weight",
        received=received,
        do="give [(user, item), ...], {user: [items]}, or a frame",
    )


def _pairs_of(source: Mapping[Any, Any]) -> list[tuple[Any, ...]]:
    """The rows of ``{user: [items]}`` or ``{user: {item: weight}}``."""
    rows: list[tuple[Any, ...]] = []
    has_weights = {isinstance(items, Mapping) for items in source.values()}
    if len(has_weights) > 1:
        raise _no_pairs("weights of some users and none of others")
    for user, items in source.items():
        if isinstance(items, str | bytes):
            raise _no_pairs(f"the text {items!r} in place of a list of items")
        if isinstance(items, Mapping):
            rows += [(user, item, weight) for item, weight in items.items()]
        else:
            rows += [(user, item) for item in items]
    return rows


# ---- from a frame to interactions ----


def _assembled(
    name: str, table: _Table, event_weights: Mapping[str, float] | None, repeats: str
) -> Interactions:
    frame, roles, notes = table.frame, table.roles, [*table.notes]
    if not len(frame):
        raise DataError(table.name, expected="at least one interaction", received="no rows")
    columns = []
    for role in ("user", "item"):
        ids, of_ids = as_ids(frame[roles[role]])
        if ids.null_count():
            raise bad_value(table.name, frame[roles[role]], ids.is_null(), f"a {role}")
        columns.append(ids.alias(f"{role}_id"))
        notes += of_ids
    weight, of_weights = _weights(table, event_weights)
    columns.append(weight.alias("weight"))
    if "timestamp" in roles:
        times = frame[roles["timestamp"]]
        read, of_times = read_times(table.name, times, time_form(evidence(times)), named=False)
        columns += [] if read is None else [read.alias("timestamp")]
        notes += of_times
    items, described = item_table(columns[1], frame, item_columns(frame.columns, roles))
    data, of_gaps = complete_times(pl.DataFrame(columns), "drop")
    data = data.filter(pl.col("weight").is_not_null() & (pl.col("weight") != 0))
    if n_none := len(frame) - len(data):
        verb = "is" if n_none == 1 else "are"
        notes.append(f"{counted(n_none, 'row')} of weight 0, or without a weight, {verb} left out")
    notes += [*of_weights, *described, *of_gaps]
    if not len(data):
        received = "none; all weights are 0 or missing"
        do = "name the column of the weights: weight=..., or read none: weight='none'"
        raise DataError(table.name, expected="at least one interaction", received=received, do=do)
    data, of_repeats = _without_repeats(data, repeats)
    source = Source(name, tuple(notes + of_repeats), noun=noun_in(roles["item"]) or noun_in(name))
    interactions = Interactions.from_frame(data, item_table=items, source=source)
    notes = [_summary(interactions, roles), *interactions.source.notes]
    return interactions.replaced(source=replace(source, notes=tuple(notes)))


def _weights(
    table: _Table, event_weights: Mapping[str, float] | None
) -> tuple[pl.Series, list[str]]:
    """The weight of each row, and notes."""
    frame, roles = table.frame, table.roles
    notes: list[str] = []
    weight = pl.Series(np.ones(len(frame)))
    if "event" in roles:
        weight, notes = _weights_of_events(frame[roles["event"]], event_weights)
    elif event_weights is not None:
        raise lacking_events(frame.columns)
    if "weight" not in roles:
        return weight, notes
    column = frame[roles["weight"]]
    truths = truth_values(column)
    numbers, of_numbers = (truths, []) if truths is not None else as_numbers(table.name, column)
    values = set(numbers.drop_nulls().unique())
    is_liked = first_named(LIKED_NAMES, [column.name]) is not None and values <= SIGNS
    if truths is not None or is_liked:
        numbers = numbers.replace(0.0, -1.0)
        n_dislikes = int((numbers < 0).sum())
        return weight * numbers, [*notes, f"dislikes, of a weight below 0: {n_dislikes:,}"]
    wrong = ~numbers.is_finite().fill_null(value=True) | (
        (numbers < 0).fill_null(value=False) & bool(values - SIGNS)
    )
    if wrong.any():
        raise bad_value(table.name, column, wrong, "a count of at least 0")
    if len(values) == 1:
        notes.append(f"all weights are {next(iter(values)):g}: they tell no item from another")
    return weight * numbers, [*notes, *of_numbers]


def _weights_of_events(
    events: pl.Series, event_weights: Mapping[str, float] | None
) -> tuple[pl.Series, list[str]]:
    """The weight of each event by its kind, and a note on the kinds.

    With weights by kind, an event of which no kind is known has none.
    """
    kinds = events.cast(pl.String)
    kinds = kinds.set(kinds == "", None)
    counts = kinds.drop_nulls().value_counts(sort=True)
    weights, note = weights_of_kinds(counts.rows(), event_weights)
    if event_weights is None:
        return pl.Series(np.ones(len(events))), [note]
    return kinds.replace_strict(weights, default=None, return_dtype=pl.Float64), [note]


def _without_repeats(data: pl.DataFrame, repeats: str) -> tuple[pl.DataFrame, list[str]]:
    """The table with each pair of user and item once, where its last row stands; and a note."""
    pair = ["user_id", "item_id"]
    n_repeats = len(data) - data.select(pair).n_unique()
    words = {"sum": "weights added up", "count": "counted", "last": "the last kept", "keep": "kept"}
    notes = []
    if n_repeats:
        said = f"{counted(n_repeats, 'repeat')} of a pair of user and item"
        notes = [f"{said}: {words[repeats]}"]
    if repeats == "keep" or (not n_repeats and repeats != "count"):
        return data, notes
    rows = data.with_row_index("row")
    if "timestamp" in data.columns:
        rows = rows.sort("timestamp", maintain_order=True)
    value = {"sum": pl.col("weight").sum().over(pair), "count": pl.len().over(pair).cast(float)}
    if repeats in value:
        rows = rows.with_columns(weight=value[repeats])
    return rows.unique(pair, keep="last").sort("row").drop("row"), notes


def _refuse_what_teaches_nothing(table: _Table, data: Interactions) -> None:
    """Refuse a table of one user, or one in which nobody has two items."""
    n_users = data.n_users
    n_pairs = len(np.unique(pair_numbers(data.user_index, data.item_index, data.n_items)))
    column = table.roles["user"]
    if n_users == 1 and n_pairs > 1:
        received = f"all {len(data):,} interactions by one, {data.users.ids[0]!r}"
    elif n_pairs == n_users and n_users > 1:
        received = f"one item for each of {n_users:,} in the column {column}"
    else:
        return
    raise DataError(
        table.name,
        expected="several users, and some with two items: what goes together is learnt from them",
        received=received,
        do="name the column that says who it was: user=...",
    )


def _summary(interactions: Interactions, roles: Mapping[str, str]) -> str:
    """What was read, in one sentence; plays, clicks and the like are counted one by one."""
    is_session = "session" in roles["user"].casefold()
    people = counted(interactions.n_users, *(("session",) if is_session else ("person", "people")))
    items = counted(interactions.n_items, *item_noun(interactions))
    activity = activity_in(roles.get("weight", interactions.source.name))
    weight = interactions.weight
    if activity and "event" not in roles and ((weight > 0) & (weight % 1 == 0)).all():
        n = int(weight.sum(dtype=np.float64))
        said = f"{counted(n, *activity)} {'in' if is_session else 'by'} {people} of {items}"
    else:
        said = f"{counted(len(interactions), 'interaction')} of {people} with {items}"
    return f"{said}; no ratings: lists, no stars"
