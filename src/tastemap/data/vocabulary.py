"""Ids and their row numbers: the one place where ``user_id`` and ``user_index`` meet."""

import difflib
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.arrays import IndexArray
from tastemap.errors import ArgumentError, DataError, UnknownIdError

Id: TypeAlias = int | str

# Numbers that are compared at a time: they fit a processor's cache.
SLICE = 2**17
# A table of numbers may be so long, and so many times as long as there are ids to look up.
_TABLE_LEAST, _TABLE_SHARE = 2**20, 4


class Vocabulary:
    """The ids of all users or of all items, in row order, with what is known about each.

    Ids are integers (int64) or text; which of the two, the data decides. A question may use
    either, as long as it is unambiguous: ``1``, ``1.0``, ``"1"`` and ``numpy.int64(1)`` all find
    the integer id 1, and ``7`` does not find the text id ``"007"``.

    Args:
        ids: Distinct ids, integers or text, none missing; row ``i`` belongs to ``ids[i]``.
        kind: ``"user"`` or ``"item"``; names the id column (``user_id``, ``item_id``).
        table: What is known about each id (title, year, genres …), keyed by the id column.
            Rows are brought into the order of ``ids``; ids without a row get nulls.

    Raises:
        DataError: If ids repeat or are missing, or the table has an id twice.

    Example:
        >>> films = Vocabulary(pl.Series([50, 181]), "item")
        >>> films.index([181, 50, 7], missing="negative").tolist()
        [1, 0, -1]
    """

    def __init__(self, ids: pl.Series, kind: str, table: pl.DataFrame | None = None) -> None:
        self.kind = kind
        self.key = f"{kind}_id"
        self.ids = _as_ids(ids, self.key).rename(self.key)
        if self.ids.null_count() or self.ids.n_unique() != len(self.ids):
            raise DataError(
                f"{self.key}s of a vocabulary",
                expected="distinct ids, none missing",
                received=f"{len(self.ids)} ids, {self.ids.n_unique()} distinct",
            )
        self.table = None if table is None else self._aligned(table)

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Id]:
        return iter(self.ids.to_list())

    def __contains__(self, one_id: object) -> bool:
        return bool(self.index([one_id], missing="negative")[0] >= 0)

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} {self.kind}s)"

    @property
    def is_text(self) -> bool:
        """Whether the ids are text rather than integers."""
        return self.ids.dtype == pl.String

    @cached_property
    def titles(self) -> pl.Series:
        """A name for each row: "title (year)" or the title where known, else the id as text."""
        names = pl.col(self.key).cast(pl.String)
        columns = self.frame.columns
        if "title" in columns:
            dated = [pl.format("{} ({})", "title", "year")] if "year" in columns else []
            names = pl.coalesce(*dated, "title", names)
        return self.frame.select(names.alias("title"))["title"]

    @cached_property
    def _rows_by_title(self) -> dict[str, list[int]]:
        """Rows by title, with and without the year, case folded."""
        rows: dict[str, list[int]] = {}
        labels = [self.titles.to_list()]
        if "title" in self.frame.columns:
            labels.append(self.frame["title"].to_list())
        for row, names in enumerate(zip(*labels, strict=True)):
            for name in {name.casefold() for name in names if name}:
                rows.setdefault(name, []).append(row)
        return rows

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The table, or just the id column where nothing else is known."""
        return self.ids.to_frame() if self.table is None else self.table

    @cached_property
    def _rows(self) -> pl.DataFrame:
        return self.ids.to_frame().with_row_index("row")

    def index(self, ids: Any, *, missing: str = "error") -> IndexArray:
        """Row numbers of ids.

        Args:
            ids: A sequence, array or series of ids.
            missing: ``"error"`` to refuse an unknown id, ``"negative"`` to answer -1 for it.

        Returns:
            int32 array of the same length.

        Raises:
            UnknownIdError: If an id is unknown and ``missing`` is ``"error"``.
        """
        asked = _to_series(ids)
        same_kind = self._coerce(asked).alias(self.key).to_frame()
        found = same_kind.join(self._rows, on=self.key, how="left", maintain_order="left")["row"]
        rows = found.cast(pl.Int32).fill_null(-1).to_numpy()
        if missing == "error" and (rows < 0).any():
            unknown = asked[int(np.argmax(rows < 0))]
            raise UnknownIdError(self.key, unknown, self.nearest(unknown))
        return rows

    def index_of(self, one_id: Id) -> int:
        """Row number of one id; `UnknownIdError` with the nearest ids if there is none."""
        return int(self.index([one_id])[0])

    def find_all(self, ids_or_titles: Any) -> IndexArray:
        """Row numbers (int32) of a sequence of ids or titles, looked up together; as `find`."""
        rows = self.index(ids_or_titles, missing="negative").copy()
        for place in np.flatnonzero(rows < 0):
            rows[place] = self.find(ids_or_titles[int(place)])
        return rows

    def ids_at(self, rows: npt.ArrayLike) -> pl.Series:
        """The ids at the given row numbers."""
        return self.ids.gather(np.asarray(rows, dtype=np.int64))

    def find(self, id_or_title: Id) -> int:
        """Row number of an id or, failing that, of an exact title (case does not matter).

        Raises:
            UnknownIdError: If nothing has that id or title; the nearest are offered.
            ArgumentError: If several rows share the title; their ids are listed.
        """
        rows = self.index([id_or_title], missing="negative").tolist()
        if rows[0] < 0:
            rows = self._rows_by_title.get(str(id_or_title).casefold().strip(), [])
        if len(rows) > 1:
            raise ArgumentError(
                self.key,
                expected="a title that only one has",
                received=repr(id_or_title),
                do=f"give one of the ids {', '.join(map(str, self.ids_at(rows)))}",
            )
        if not rows:
            close = difflib.get_close_matches(str(id_or_title), self.titles.to_list())
            raise UnknownIdError(self.key, id_or_title, close or self.nearest(id_or_title))
        return int(rows[0])

    def nearest(self, one_id: object, n: int = 3) -> list[Id]:
        """Known ids close to an unknown one: by value for integers, by spelling for text."""
        if self.is_text:
            return list(difflib.get_close_matches(str(one_id), self.ids.to_list(), n=n))
        try:
            gap = np.abs(self.ids.to_numpy().astype(np.float64) - float(str(one_id)))
        except ValueError:
            return []
        return [int(known) for known in self.ids_at(np.argsort(gap, kind="stable")[:n])]

    def extended(self, other: "Vocabulary") -> "Vocabulary":
        """These ids in their rows, then the ids that only ``other`` has; its table wins."""
        if self.is_text != other.is_text:
            other = Vocabulary(self._coerce(other.ids), self.kind, None)
        new = other.ids.filter(~other.ids.is_in(self.ids.implode()))
        tables = [v.table for v in (other, self) if v.table is not None]
        table = pl.concat(tables, how="diagonal_relaxed") if tables else None
        if table is not None:
            table = table.unique(self.key, keep="first")
        return Vocabulary(pl.concat([self.ids, new]), self.kind, table)

    def _coerce(self, ids: pl.Series) -> pl.Series:
        """Ids as this vocabulary's own type; what cannot be one of its ids becomes null."""
        if ids.dtype.is_float():
            whole = ids.cast(pl.Int64, strict=False)
            ids = whole.set(whole.cast(pl.Float64) != ids.cast(pl.Float64), None)
        if isinstance(ids.dtype, pl.Categorical | pl.Enum):
            ids = ids.cast(pl.String)
        if self.is_text or ids.dtype == pl.String or ids.dtype.is_integer():
            return ids.cast(self.ids.dtype, strict=False)
        return pl.Series([None] * len(ids), dtype=self.ids.dtype)

    def _aligned(self, table: pl.DataFrame) -> pl.DataFrame:
        if self.key not in table.columns:
            raise DataError(
                f"{self.kind} table", expected=f"a column {self.key}", received=table.columns
            )
        rest = [column for column in table.columns if column != self.key]
        keyed = table.select(self._coerce(table[self.key]).alias(self.key), *rest)
        if keyed[self.key].drop_nulls().is_duplicated().any():
            twice = keyed[self.key].drop_nulls()
            raise DataError(
                f"{self.kind} table",
                expected=f"each {self.key} once",
                received=f"{twice.filter(twice.is_duplicated())[0]!r} more than once",
            )
        return self.ids.to_frame().join(keyed, on=self.key, how="left", maintain_order="left")


def numbered(ids: pl.Series) -> tuple[pl.Series, IndexArray]:
    """The distinct ids, ascending, and for each given one its row among them.

    Args:
        ids: None missing. Whole numbers that lie close together are looked up in a table of all
            numbers up to the largest; others are found by their hashes.

    Returns:
        The distinct ids, and an int32 array as long as ``ids``.

    Example:
        >>> distinct, rows = numbered(pl.Series([50, 7, 50]))
        >>> distinct.to_list(), rows.tolist()
        ([7, 50], [1, 0, 1])
    """
    if ids.dtype.is_integer() and len(ids):
        low, high = int(ids.min()), int(ids.max())  # type: ignore[arg-type]
        if low >= 0 and high < _TABLE_LEAST + _TABLE_SHARE * len(ids):
            return _looked_up(ids, high)
    distinct = ids.unique().sort()
    rows = distinct.to_frame("id").with_row_index("row")
    found = ids.to_frame("id").join(rows, on="id", how="left", maintain_order="left")["row"]
    return distinct, found.cast(pl.Int32).to_numpy()


def _looked_up(ids: pl.Series, high: int) -> tuple[pl.Series, IndexArray]:
    """As `numbered`, by a table of all numbers up to the largest id; piece by piece."""
    seen, end = np.zeros(high + 1, dtype=np.bool_), 0
    pieces = [chunk.to_numpy() for chunk in ids.get_chunks()]
    for piece in pieces:
        seen[piece] = True
    row = np.cumsum(seen, dtype=np.int32) - np.int32(1)
    rows = np.empty(len(ids), dtype=np.int32)
    for piece in pieces:
        start, end = end, end + len(piece)
        # None lies outside: "clip" only spares a copy.
        np.take(row, piece, out=rows[start:end], mode="clip")
    return pl.Series(ids.name, np.flatnonzero(seen)), rows


def joined(column: pl.Series) -> npt.NDArray[Any]:
    """A column of numbers, none missing, as one array of NumPy's, which takes large pages."""
    chunks = [chunk.to_numpy() for chunk in column.get_chunks()]
    return np.concatenate(chunks) if len(chunks) > 1 else chunks[0].copy()


def _to_series(ids: Any) -> pl.Series:
    """A sequence, array or series of ids as a Polars series (mixed kinds as text)."""
    if isinstance(ids, pl.Series):
        return ids
    if isinstance(ids, Sequence) and not isinstance(ids, str):
        ids = [one.item() if isinstance(one, np.generic) else one for one in ids]
        if len({type(one) for one in ids}) > 1:
            ids = [str(one) for one in ids]
    elif isinstance(ids, str) or not hasattr(ids, "__len__"):
        raise ArgumentError("ids", expected="a list, array or series of ids", received=repr(ids))
    return pl.Series(ids)


def _as_ids(ids: pl.Series, name: str) -> pl.Series:
    """The ids as int64 where they are whole numbers, as text where they are text."""
    if ids.dtype.is_integer():
        if ids.dtype == pl.UInt64 and (ids > np.iinfo(np.int64).max).any():
            return ids.cast(pl.String)
        return ids.cast(pl.Int64)
    if isinstance(ids.dtype, pl.Categorical | pl.Enum) or ids.dtype == pl.String:
        return ids.cast(pl.String)
    if ids.dtype.is_float() and ids.is_finite().all():
        whole = ids.cast(pl.Int64)
        if (whole.cast(pl.Float64) == ids).all():
            return whole
    if ids.dtype == pl.Null:
        return ids.cast(pl.Int64)
    raise DataError(
        f"column {name}",
        expected="integers or text",
        received=str(ids.dtype),
        do="name the id column, or convert it to text",
    )
