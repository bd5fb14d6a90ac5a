"""One table in every dialect that text has: it is read back the same, or refused in words of ours.

A dialect is drawn as a whole, since its parts meet: quotes and delimiters, marks and headers. What
nobody could know from the file alone may be refused; nothing is ever read as something else.
"""

import csv
import gzip
import io
import json
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tastemap as tm
from tastemap.errors import DataError

COLUMNS = ("user", "item", "rating", "timestamp")
#: User, item, rating and time of each row.
Rows = list[tuple[str, str, float, int]]

WORDS = st.from_regex(r"[B-Zb-zß][a-z0-9é_-]{0,5}", fullmatch=True)
NUMBERS = st.integers(1, 10**6).map(str)
PHRASES = st.builds("{} {}".format, WORDS, st.sampled_from(["x", "y,z", "y;z", "y|z", 'y "z"']))
SETTINGS = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Dialect(NamedTuple):
    """How a table is written as text."""

    delimiter: str
    quoting: int
    end: str
    encoding: str
    header: bool
    order: tuple[str, ...]
    extra: str
    top: str
    blocks: int


@st.composite
def tables(draw: st.DrawFn, ids: st.SearchStrategy[str] = WORDS) -> Rows:
    """Ratings of a few people, each pair of user and item once."""
    users, items = (draw(st.lists(ids, min_size=3, max_size=5, unique=True)) for _ in range(2))
    pairs = [(user, item) for user in users for item in items]
    chosen = draw(st.permutations(pairs))[: draw(st.integers(3, len(pairs)))]
    ratings = draw(st.lists(st.integers(2, 10), min_size=len(chosen), max_size=len(chosen)))
    return [
        (*pair, rating / 2, 1_600_000_000 + 100_000 * n)
        for n, (pair, rating) in enumerate(zip(chosen, ratings, strict=True))
    ]


@st.composite
def dialects(draw: st.DrawFn) -> Dialect:
    """A way to write a table from which a reader can know what it is."""
    header = draw(st.booleans())
    extra = draw(st.sampled_from(["", "index", "trailing", "note"] if header else ["", "trailing"]))
    return Dialect(
        delimiter=draw(st.sampled_from([",", ";", "\t", "|", "::", " ", "   "])),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        end=draw(st.sampled_from(["\n", "\r\n", "\r", "\r\r\n"])),
        encoding=draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"])),
        header=header,
        order=tuple(draw(st.permutations(COLUMNS))) if header else COLUMNS,
        extra=extra,
        top=draw(st.sampled_from(["", "# mine", "# it is\n# mine", "\n"])),
        blocks=draw(st.integers(1, 2)) if header and extra != "index" else 1,
    )


def text_of(rows: Rows, dialect: Dialect) -> bytes:
    """A table in a dialect."""
    size = -(-len(rows) // dialect.blocks)
    lines = []
    for start in range(0, len(rows), size):
        lines += [[*dialect.order]] if dialect.header else []
        for user, item, rating, time in rows[start : start + size]:
            fields = dict(zip(COLUMNS, (user, item, f"{rating:g}", str(time)), strict=True))
            lines.append([fields[name] for name in dialect.order])
    for n, line in enumerate(lines):
        is_header = line == [*dialect.order]
        if dialect.extra == "index":
            line.insert(0, "" if is_header else str(n))
        elif dialect.extra:
            line.append({"trailing": ""}.get(dialect.extra, "note" if is_header else "fine"))
    content = io.StringIO()
    sign = dialect.delimiter if len(dialect.delimiter) == 1 else "\x1f"
    writer = csv.writer(content, delimiter=sign, quoting=dialect.quoting, lineterminator="\n")
    writer.writerows(lines)
    above = dialect.top + "\n" if dialect.top else ""
    text = above + content.getvalue().replace(sign, dialect.delimiter)
    return text.replace("\n", dialect.end).encode(dialect.encoding)


def read(content: bytes, name: str = "ratings.csv", **options: Any) -> tm.Ratings:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        return tm.read_ratings(path, **options)


def rows_of(ratings: tm.Ratings) -> Rows:
    """The ratings as rows with ids as text."""
    ids = pl.col("user_id", "item_id").cast(pl.String)
    return ratings.to_frame().with_columns(ids).rows()


def zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("some table", content)
    return packed.getvalue()


@SETTINGS
@given(
    tables(WORDS | NUMBERS) | tables(NUMBERS),
    dialects(),
    st.sampled_from([bytes, gzip.compress, zipped]),
)
def test_text_is_read_back_whatever_its_dialect(rows: Rows, dialect: Dialect, pack: Any) -> None:
    ratings = read(pack(text_of(rows, dialect)))
    assert rows_of(ratings) == rows


@SETTINGS
@given(tables(PHRASES), dialects(), st.sampled_from([",", ";", "\t", "|"]))
def test_ids_that_hold_delimiters_and_quotes(rows: Rows, dialect: Dialect, delimiter: str) -> None:
    ratings = read(text_of(rows, dialect._replace(delimiter=delimiter)))
    assert rows_of(ratings) == rows


@SETTINGS
@given(tables(WORDS | NUMBERS), st.integers(0, 3), st.sampled_from([bytes, gzip.compress, zipped]))
def test_json_is_read_back_in_every_form(rows: Rows, form: int, pack: Any) -> None:
    records = [dict(zip(COLUMNS, row, strict=True), more={"a": [1]}) for row in rows]
    text = json.dumps(records, indent=(None, 1)[form % 2])
    if form > 1:
        text = "\n".join(json.dumps(record, ensure_ascii=form == 2) for record in records)
    assert rows_of(read(pack(text.encode()))) == rows


@SETTINGS
@given(
    tables(WORDS) | tables(NUMBERS),
    st.sampled_from(["user", "", "movie", "who"]),
    st.sampled_from(",;\t"),
    st.sampled_from(["", "NA", "0", "99"]),
)
def test_a_matrix_is_read_back_or_the_way_is_said(
    rows: Rows, key: str, delimiter: str, empty: str
) -> None:
    names = [*dict.fromkeys(row[key == "movie"] for row in rows)]
    others = [*dict.fromkeys(row[key != "movie"] for row in rows)]
    n_empty = len(names) * len(others) - len(rows)
    if empty == "0" and (n_empty < 0.2 * len(names) * len(others) or len({r[2] for r in rows}) < 2):
        empty = ""  # few zeros may be ratings, and many beside ones may be, too
    cells = {(row[key == "movie"], row[key != "movie"]): f"{row[2]:g}" for row in rows}
    lines = [[key, *others]] + [[n, *(cells.get((n, o), empty) for o in others)] for n in names]
    text = "\n".join(delimiter.join(line) for line in lines).encode()
    try:
        ratings = read(text)
    except DataError:
        ratings = read(text, layout="wide", has_header=True)
    assert sorted(rows_of(ratings)) == sorted(row[:3] for row in rows)


@SETTINGS
@given(
    tables(),
    st.sampled_from(["{:g}", "{:.1f}"]),
    st.booleans(),
    st.sampled_from(
        ["%s", "%Y-%m-%d", "%Y/%m/%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%d.%m.%Y", "%m/%d/%Y", "ms"]
    ),
)
def test_numbers_and_times_are_read_back_or_refused(
    rows: Rows, number: str, comma: bool, form: str
) -> None:
    def written(row: tuple[str, str, float, int]) -> str:
        rating = number.format(row[2])
        moment = datetime.fromtimestamp(row[3], UTC)
        time = f"{row[3]}000" if form == "ms" else moment.strftime(form)
        return ";".join([row[0], row[1], rating.replace(".", ",") if comma else rating, time])

    text = "\n".join([";".join(COLUMNS), *map(written, rows)]).encode()
    try:
        ratings = read(text)
    except DataError:
        return
    columns = [*zip(*rows_of(ratings), strict=True)]
    assert columns[:3] == [*zip(*rows, strict=True)][:3]
    if len(columns) > 3:
        day = 1 if "S" in form or form in ("%s", "ms") else 86_400
        assert [time // day for time in columns[3]] == [row[3] // day for row in rows]
