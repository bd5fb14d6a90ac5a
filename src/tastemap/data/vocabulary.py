"""Ids and their row numbers: the one place where ``user_id`` and ``user_index`` meet."""

import difflib
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.arrays import IndexArray, Mask
from tastemap.data.placeholders import placeholder_mask
from tastemap.errors import ArgumentError, DataError, UnknownIdError
from tastemap.support.titles import spoken, spoken_all

Id: TypeAlias = int | str

# Ids are looked up in a table of all numbers up to the largest id, if it has at most
# MAX_TABLE_ROWS rows and MAX_TABLE_ROWS_PER_ID more for each id that is looked up.
MAX_TABLE_ROWS = 2**20
MAX_TABLE_ROWS_PER_ID = 4


class Vocabulary:
    """The ids of all users or of all items, in row order, and the table that describes them.

    Ids are integers (int64) or text, as the data has them. They are looked up in either form:
    ``1``, ``1.0``, ``"1"`` and ``numpy.int64(1)`` all find the integer id 1, but ``"007"`` does not
    find the integer id 7, nor ``7`` the text id ``"007"``.

    Args:
        ids: Distinct ids, integers or text, none missing; row ``i`` belongs to ``ids[i]``.
        kind: ``"user"`` or ``"item"``; names the id column (``user_id``, ``item_id``).
        table: Columns that describe each id (title, year, genres …), keyed by the id column.
            Rows are brought into the order of ``ids``; ids without a row get nulls.

    Attributes:
        ids: The ids, in row order.
        table: The columns that describe them, in row order; None where there are none.
        untouched: The rows of the table whose ids are not among ``ids``, such as those of items
            that nobody has rated yet; None where there are none.

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
        self.table: pl.DataFrame | None = None
        self.untouched: pl.DataFrame | None = None
        if table is not None:
            self.table, self.untouched = self._aligned(table)

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Id]:
        return iter(self.ids.to_list())

    def __contains__(self, id_: object) -> bool:
        return bool(self.index([id_], missing="negative")[0] >= 0)

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
    def has_titles(self) -> bool:
        """Whether rows have names that people know: titles, or ids that are words.

        Most ids are words where they hold a blank, or letters and nothing else; codes do not.

        Example:
            >>> Vocabulary(pl.Series(["Heat", "Toy Story 2"]), "item").has_titles
            True
            >>> Vocabulary(pl.Series(["tt0113277", "B00005JLXH"]), "item").has_titles
            False
        """
        if "title" in self.frame.columns:
            return True
        if not self.is_text or not len(self.ids):
            return False
        words = self.ids.str.contains(" ", literal=True) | self.ids.str.contains(r"^\p{L}+$")
        return int(words.sum()) * 2 > len(words)

    @cached_property
    def placeholders(self) -> Mask:
        """Mask (n,) of the items that are none, as `placeholder_mask` finds them.

        Lists leave them out. Users have no titles, and none of them is a placeholder.
        """
        return placeholder_mask(self.frame, self.key)

    @cached_property
    def _rows_by_title(self) -> dict[str, list[int]]:
        """Rows by title, with and without the year, article first or last, case folded."""
        rows: dict[str, list[int]] = {}
        titles = self.frame["title"] if "title" in self.frame.columns else self.titles
        for row, names in enumerate(zip(self.titles, titles, strict=True)):
            forms = [form for name in names if name for form in (name, spoken(name))]
            for name in {form.casefold() for form in forms}:
                rows.setdefault(name, []).append(row)
        return rows

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The table, or the id column alone where there is no table."""
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
        requested = _to_series(ids)
        keys = self._coerce(requested).alias(self.key).to_frame()
        joined_rows = keys.join(self._rows, on=self.key, how="left", maintain_order="left")["row"]
        rows = joined_rows.cast(pl.Int32).fill_null(-1).to_numpy()
        if missing == "error" and (rows < 0).any():
            unknown = requested[int(np.argmax(rows < 0))]
            raise UnknownIdError(self.key, unknown, self.nearest(unknown))
        return rows

    def index_of(self, id_: Id) -> int:
        """Row number of an id; `UnknownIdError` with the nearest ids if there is none."""
        return int(self.index([id_])[0])

    def find_all(self, ids_or_titles: Any) -> IndexArray:
        """Row numbers (int32) of a sequence of ids or titles; each as `find` gives it."""
        rows = self.index(ids_or_titles, missing="negative").copy()
        for place in np.flatnonzero(rows < 0):
            rows[place] = self.find(ids_or_titles[int(place)])
        return rows

    def ids_at(self, rows: npt.ArrayLike) -> pl.Series:
        """The ids at the given row numbers."""
        return self.ids.gather(np.asarray(rows, dtype=np.int64))

    def find(self, id_or_title: Id) -> int:
        """Row number of an id or, failing that, of an exact title.

        Case does not matter, nor whether the article stands first or last.

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
            close = difflib.get_close_matches(str(id_or_title), spoken_all(self.titles))
            raise UnknownIdError(self.key, id_or_title, close or self.nearest(id_or_title))
        return int(rows[0])

    def nearest(self, unknown: object, n: int = 3) -> list[Id]:
        """The ids closest to an unknown one: by value for integers, by spelling for text."""
        if self.is_text:
            return list(difflib.get_close_matches(str(unknown), self.ids.to_list(), n=n))
        try:
            gap = np.abs(self.ids.to_numpy().astype(np.float64) - float(str(unknown)))
        except ValueError:
            return []
        return self.ids_at(np.argsort(gap, kind="stable")[:n]).to_list()

    def extended(self, other: "Vocabulary") -> "Vocabulary":
        """These ids in their rows, then the ids that only ``other`` has; its table wins."""
        if self.is_text != other.is_text:
            other = Vocabulary(self._coerce(other.ids), self.kind, None)
        new = other.ids.filter(~other.ids.is_in(self.ids.implode()))
        tables = [v.table for v in (other, self) if v.table is not None]
        tables += [v.untouched for v in (other, self) if v.untouched is not None]
        table = None
        if tables:
            table = pl.concat(tables, how="diagonal_relaxed").unique(self.key, keep="first")
            in_order = dict.fromkeys(name for part in tables[::-1] for name in part.columns)
            table = table.select(*in_order)
        return Vocabulary(pl.concat([self.ids, new]), self.kind, table)

    def _coerce(self, ids: pl.Series) -> pl.Series:
        """Ids as the type of this vocabulary's; what cannot be one of its ids becomes null."""
        if ids.dtype.is_float():
            whole = ids.cast(pl.Int64, strict=False)
            ids = whole.set(whole.cast(pl.Float64) != ids.cast(pl.Float64), None)
        if isinstance(ids.dtype, pl.Categorical | pl.Enum):
            ids = ids.cast(pl.String)
        if ids.dtype == pl.String and not self.is_text:
            whole = ids.cast(pl.Int64, strict=False)
            return whole.set(~whole.cast(pl.String).eq_missing(ids), None)  # "007" is not 7
        if self.is_text or ids.dtype.is_integer():
            return ids.cast(self.ids.dtype, strict=False)
        return pl.Series([None] * len(ids), dtype=self.ids.dtype)

    def without_untouched(self) -> "Vocabulary":
        """The same ids and their table, without the rows of other ids."""
        return self if self.untouched is None else Vocabulary(self.ids, self.kind, self.table)

    def as_ids(self, ids: pl.Series) -> pl.Series:
        """Ids in the type of these, whether they are among them or not; null where one cannot be.

        Example:
            >>> Vocabulary(pl.Series([50, 181]), "item").as_ids(pl.Series(["7", "x"])).to_list()
            [7, None]
        """
        return self._coerce(ids).alias(self.key)

    def _aligned(self, table: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame | None]:
        """The rows of a table in the order of the ids, and those of other ids, if any."""
        name, key = f"{self.kind} table", self.key
        if key not in table.columns:
            raise DataError(name, expected=f"a column {key}", received=table.columns)
        rest = [column for column in table.columns if column != key]
        keyed = table.select(self._coerce(table[key]).alias(key), *rest)
        ids = keyed[key].drop_nulls()
        if len(repeated := ids.filter(ids.is_duplicated())):
            received = f"{repeated[0]!r} more than once"
            raise DataError(name, expected=f"each {key} once", received=received)
        rows = self.ids.to_frame()
        untouched = keyed.filter(keyed[key].is_not_null()).join(rows, on=key, how="anti")
        aligned = rows.join(keyed, on=key, how="left", maintain_order="left")
        return aligned, untouched if len(untouched) else None


def numbered(ids: pl.Series) -> tuple[pl.Series, IndexArray]:
    """The distinct ids, ascending, and for each given id its row among them.

    Args:
        ids: Ids, none missing.

    Returns:
        The distinct ids, and an int32 array as long as ``ids``.

    Example:
        >>> distinct, rows = numbered(pl.Series([50, 7, 50]))
        >>> distinct.to_list(), rows.tolist()
        ([7, 50], [1, 0, 1])
    """
    if ids.dtype.is_integer() and len(ids):
        low, high = int(ids.min()), int(ids.max())  # type: ignore[arg-type]
        if low >= 0 and high < MAX_TABLE_ROWS + MAX_TABLE_ROWS_PER_ID * len(ids):
            return _numbered_by_table(ids, high)
    distinct = ids.unique().sort()
    table = distinct.to_frame("id").with_row_index("row")
    rows = ids.to_frame("id").join(table, on="id", how="left", maintain_order="left")["row"]
    return distinct, rows.cast(pl.Int32).to_numpy()


def _numbered_by_table(ids: pl.Series, highest: int) -> tuple[pl.Series, IndexArray]:
    """As `numbered`, by a table of all numbers up to the highest id."""
    is_id, end = np.zeros(highest + 1, dtype=np.bool_), 0
    parts = [chunk.to_numpy() for chunk in ids.get_chunks()]
    for part in parts:
        is_id[part] = True
    row_of = np.cumsum(is_id, dtype=np.int32) - np.int32(1)
    rows = np.empty(len(ids), dtype=np.int32)
    for part in parts:
        start, end = end, end + len(part)
        # No id lies outside of the table: "clip" only spares a copy.
        np.take(row_of, part, out=rows[start:end], mode="clip")
    return pl.Series(ids.name, np.flatnonzero(is_id)), rows


def _to_series(ids: Any) -> pl.Series:
    """A sequence, array or series of ids as a Polars series (mixed kinds as text)."""
    if isinstance(ids, pl.Series):
        return ids
    if isinstance(ids, Sequence) and not isinstance(ids, str):
        ids = [id_.item() if isinstance(id_, np.generic) else id_ for id_ in ids]
        if len(set(map(type, ids))) > 1:
            ids = list(map(str, ids))
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
