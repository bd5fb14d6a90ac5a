"""Tables beside the ratings that describe items or users: titles, genres, prices, ages.

They are read as ratings are: any delimiter, encoding and form of number. Which column holds the ids
is told by its values, since a name such as "title" or "no" tells little.
"""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from tastemap.data.feedback import Feedback, Source
from tastemap.data.nouns import noun_in
from tastemap.data.readers.archive import DataFile, boundary
from tastemap.data.readers.columns import as_ids
from tastemap.data.readers.dialect import INFERRED, sniff
from tastemap.data.readers.frames import as_polars
from tastemap.data.readers.json_records import is_json
from tastemap.data.readers.kinds import START_BYTES, refuse_other_kind
from tastemap.data.readers.members import member
from tastemap.data.readers.numbers import as_numbers, number_form
from tastemap.data.readers.roles import KEYS, first_named
from tastemap.data.readers.values import MISSING_MARKS
from tastemap.data.vocabulary import Vocabulary
from tastemap.errors import DataError, TastemapError
from tastemap.support.addresses import refuse_address
from tastemap.support.boundary import refusing, shortened
from tastemap.support.counts import counted

TableT = TypeVar("TableT", bound=Feedback)

# What a side table, beside the marks of a table of ratings, writes where it has no value.
MARKS = frozenset({*MISSING_MARKS, "?", "??", ".", "unknown", "unbekannt"})
# Between the genres of an item, the first that occurs.
SEPARATORS = ("|", ";", ",")
# A column with the name of an id is taken before others that match at most so many times as many.
MAX_LEAD = 2
ID_NAMES = {
    "item": "itemid movieid filmid bookid isbn songid trackid productid asin parentasin jokeid"
    " gameid beerid animeid id item",
    "user": "userid uid memberid customerid reviewerid personid visitorid nutzerid id user",
}
# Common names of what is known of items, in small letters without what stands between words.
ITEM_NAMES = {
    "title": "title movietitle booktitle filmtitle songtitle trackname productname itemname titel"
    " buchtitel titre titulo titolo name",
    "genres": "genres genre gattung generos genero generi categories category kategorie",
    "year": "year releaseyear yearofpublication publicationyear yearpublished jahr"
    " erscheinungsjahr annee ano anno",
}
_TITLE_AND_YEAR = r"^(.*?)\s*\(([0-9]{4})\)\s*$"


def with_tables(ratings: TableT, items: Any = None, users: Any = None) -> TableT:
    """The ratings or interactions with tables that describe their items and users.

    What is known already stays where the table says nothing of it.

    Args:
        ratings: The ratings, or the interactions.
        items, users: A path or a data frame, or None. One column holds the ids; a title, genres and
            a year are known by their names; columns of numbers become numbers.

    Raises:
        DataError: If a table cannot be read, or no column of it holds ids of the ratings.

    Example:
        >>> from tastemap.data.ratings import Ratings
        >>> frame = pl.DataFrame({"user_id": [1, 1], "item_id": [7, 8], "rating": [4, 2]})
        >>> books = pl.DataFrame({"no": [8, 7], "Title": ["Emma", "Dune"], "pages": ["474", "—"]})
        >>> ratings = with_tables(Ratings.from_frame(frame), items=books)
        >>> ratings.item_table.rows()
        [(7, 'Dune', None), (8, 'Emma', 474)]
    """
    if items is not None:
        described, notes = _described(items, ratings.items)
        source = _noting(ratings, notes)
        if not source.noun and isinstance(items, str | Path):
            source = replace(source, noun=noun_in(Path(items).name))
        ratings = ratings.replaced(source=source).with_items(described)
    if users is not None:
        described, notes = _described(users, ratings.users)
        ratings = ratings.replaced(users=described, source=_noting(ratings, notes))
    return ratings


def _noting(ratings: Feedback, notes: list[str]) -> Source:
    return replace(ratings.source, notes=(*ratings.source.notes, *notes))


def _described(source: Any, vocabulary: Vocabulary) -> tuple[Vocabulary, list[str]]:
    """The vocabulary with a table of it, and notes."""
    kind, name = vocabulary.kind, f"the frame of {vocabulary.kind}s"
    if isinstance(source, str | Path):
        refuse_address(source)
        name = Path(source).name
        with boundary(str(source)):
            path = Path(source).expanduser()
            frame = _read(member(path) or DataFile.of(path))
    else:
        frame, _ = as_polars(source, {})
    key = _key(name, frame, vocabulary)
    table, notes = _of_ids(name, frame, key, kind)
    rows = vocabulary.index(table[vocabulary.key], missing="negative")
    if n_unrated := int((rows < 0).sum()):
        n_rows = counted(len(table), kind)
        fate = "left out" if kind == "user" else "in lists where asked for"
        notes.append(f"{name}: {n_unrated:,} of {n_rows} in it without a rating, {fate}")
    if n_missing := len(vocabulary) - (len(rows) - n_unrated):
        notes.append(f"{name}: {n_missing:,} of {counted(len(vocabulary), kind)} not in it")
    columns, of_columns = _columns(name, table.drop(vocabulary.key), kind)
    table = pl.DataFrame([table[vocabulary.key], *columns])
    shown = shortened(", ".join(c.name for c in columns if c.name != "release_year")) or "none"
    notes = [f"{kind}s described by the columns {shown} of {name}, ids in {key}", *notes]
    described = Vocabulary(vocabulary.ids, kind, table)
    if vocabulary.table is not None and described.table is not None:
        tables = [_joined(described.table, vocabulary.table)]
        tables += [v.untouched for v in (described, vocabulary) if v.untouched is not None]
        table = pl.concat(tables, how="diagonal_relaxed").unique(vocabulary.key, keep="first")
        described = Vocabulary(vocabulary.ids, kind, table)
    return described, [*notes, *of_columns]


def _joined(table: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """A table with what was there before where it says nothing; both in the order of the rows."""
    same = [name for name in table.columns if before.schema.get(name) == table.schema[name]]
    whole = [pl.coalesce(table[name], before[name]).alias(name) for name in same]
    others = before.select(pl.exclude(table.columns))
    return pl.concat([table.with_columns(whole), others], how="horizontal")


def _read(file: DataFile) -> pl.DataFrame:
    """The columns of a file: as they are typed, or as text."""
    file = file.unpacked()
    start = file.start(START_BYTES)
    refuse_other_kind(file.name, start)

    def refusal(reason: str) -> DataError:
        return DataError(file.name, expected="a table", received=reason, do="write it again as CSV")

    with refusing(refusal, TastemapError):
        if start.startswith(b"PAR1"):
            return pl.read_parquet(io.BytesIO(file.read()))
        if start.startswith(b"ARROW1"):
            return pl.read_ipc(io.BytesIO(file.read()))
        if is_json(start):
            reader = pl.read_json if start.lstrip()[:1] == b"[" else pl.read_ndjson
            return reader(io.BytesIO(file.read()), infer_schema_length=None)
        text, _ = sniff(file, INFERRED)
        return text.strings(text.layout.names)


def _key(name: str, frame: pl.DataFrame, vocabulary: Vocabulary) -> str:
    """The column that holds the ids: the one with most of them, or one that is called so."""
    n_ids = {column: _n_ids(frame[column], vocabulary) for column in frame.columns}
    most = max(n_ids.values(), default=0)
    if not most:
        examples = ", ".join(map(str, vocabulary.ids.head(3)))
        raise DataError(
            f"{name}, column of the {vocabulary.kind}s",
            expected=f"ids as those of the ratings, such as {examples}",
            received=f"columns {shortened(', '.join(frame.columns))}, none with one of them",
            do="check that it describes the same data",
        )
    likely = [column for column, n in n_ids.items() if n * MAX_LEAD >= most]
    named = first_named(ID_NAMES[vocabulary.kind], likely)
    return named or next(column for column in likely if n_ids[column] == most)


def _n_ids(column: pl.Series, vocabulary: Vocabulary) -> int:
    """How many of the ids are in a column."""
    if column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object, pl.Boolean):
        return 0
    if not column.dtype.is_numeric():
        column = column.cast(pl.String, strict=False)
    ids = as_ids(column)[0].drop_nulls().unique()
    return int((vocabulary.index(ids, missing="negative") >= 0).sum())


def _of_ids(name: str, frame: pl.DataFrame, key: str, kind: str) -> tuple[pl.DataFrame, list[str]]:
    """The frame with its ids under the usual name, each of them once, and notes."""
    key_name, notes = KEYS[kind], []
    others = [column for column in frame.columns if column not in (key, key_name)]
    table = frame.select(as_ids(frame[key])[0].alias(key_name), *others)
    table = table.filter(table[key_name].is_not_null())
    if n_without := len(frame) - len(table):
        notes.append(f"{name}: {counted(n_without, 'row')} without an id, left out")
    n_rows = len(table)
    table = table.unique(key_name, keep="last", maintain_order=True)
    if n_repeated := n_rows - len(table):
        rows = counted(n_repeated, "row")
        notes.append(f"{name}: {rows} of {kind}s that come again below, the last counts")
    return table, notes


def _columns(name: str, table: pl.DataFrame, kind: str) -> tuple[list[pl.Series], list[str]]:
    """The columns by their standard names, as numbers, lists and text, and notes."""
    names = ITEM_NAMES if kind == "item" else {}
    standard = {first_named(words, table.columns): name for name, words in names.items()}
    columns: dict[str, pl.Series] = {}
    notes: list[str] = []
    for column in sorted(table, key=lambda column: column.name not in standard):
        title = standard.get(column.name, column.name)
        if title in columns or column.dtype in (pl.Binary, pl.Object, pl.Struct):
            continue
        values = column
        if title == "genres":
            values = _genres(values)
        elif column.dtype == pl.String:
            values, of_values = _values(name, column, is_text=title == "title")
            notes += of_values
        columns[title] = values.alias(title)
    if kind == "item":
        columns = _with_years(columns)
    return [*columns.values()], notes


def _genres(column: pl.Series) -> pl.Series:
    """Genres as a list of each row."""
    if column.dtype != pl.String:
        return column
    texts = _unmarked(column)
    joined = texts.drop_nulls()
    by = next((mark for mark in SEPARATORS if joined.str.contains(mark, literal=True).any()), "|")
    return texts.str.split(by).list.eval(pl.element().str.strip_chars())


def _unmarked(column: pl.Series) -> pl.Series:
    """Text without blanks around it, null where it says that there is no value."""
    texts = column.str.strip_chars()
    return texts.set(texts.str.to_lowercase().is_in([*MARKS]), None)


def _values(name: str, column: pl.Series, *, is_text: bool) -> tuple[pl.Series, list[str]]:
    """A column of text as numbers where it holds nothing else, and a note on marks in it."""
    texts = _unmarked(column)
    distinct = texts.drop_nulls().unique()
    is_code = distinct.str.contains(r"^[+-]?0[0-9]").any()  # 02139 is no number
    if is_text or is_code or not len(distinct) or number_form(distinct) is None:
        return texts, []
    numbers, notes = as_numbers(name, texts)
    whole = numbers.cast(pl.Int64, strict=False)
    marks = column.filter(texts.is_null() & (column.str.strip_chars() != "")).unique().sort()
    if len(marks):
        shown = ", ".join(f"“{mark.strip()}”" for mark in marks)
        notes = [*notes, f"column {column.name} of {name}: {shown} read as no number"]
    is_whole = numbers.is_null().all() or bool((whole == numbers).fill_null(value=True).all())
    return whole if is_whole else numbers, notes


def _with_years(columns: dict[str, pl.Series]) -> dict[str, pl.Series]:
    """The columns with the year as a whole number, taken out of the titles if they hold it."""
    title, year = columns.get("title"), columns.get("year")
    if year is None and title is not None and title.dtype == pl.String:
        parts = title.to_frame("title").select(
            pl.col("title").str.extract(_TITLE_AND_YEAR, 1).alias("name"),
            pl.col("title").str.extract(_TITLE_AND_YEAR, 2).alias("year"),
        )
        if 0 < title.count() <= 2 * parts["year"].count():
            year = parts["year"]
            columns["title"] = pl.select(pl.coalesce(parts["name"], title)).to_series()
            columns["title"] = columns["title"].alias("title")
    if year is not None:
        whole = year.cast(pl.Int32, strict=False)
        columns |= {"year": whole.alias("year"), "release_year": whole.alias("release_year")}
    return columns
