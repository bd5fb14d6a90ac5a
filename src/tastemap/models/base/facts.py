"""``Facts``: a table that describes items, or users, as numbers that a regression can use.

References:
    Salton, Buckley, "Term-weighting approaches in automatic text retrieval", Information Processing
    & Management 24(5), 1988 (words weigh by the logarithm of how rare they are).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.sparse import csr_array, hstack

from tastemap.arrays import F64, I64
from tastemap.data.readers.values import present

# Text with more distinct values (titles, addresses, post codes) is no category: rows hardly share
# any.
MAX_CATEGORIES = 50
# Numbers with more distinct values are put into so many bins, about equally full.
MAX_BINS = 12
# Text is told from codes by its words: so many in a value, in the mean.
MIN_WORDS = 2.0
# Words of a column that enter: those of at least so many rows, and of these the most frequent.
MIN_ROWS_OF_WORD, MAX_WORDS = 2, 1000
# Names are no facts.
TITLE_COLUMNS = ("title", "name")

CATEGORIES, LISTS = "categories", "lists of categories"
TAGS, WORDS, VECTOR = "lists of many values", "words", "a vector"


class Column(NamedTuple):
    """What has been learnt of a column.

    Attributes:
        name: Its name.
        kind: One of the five kinds above.
        values: Its categories or words, sorted; of a vector none.
        edges: Inner edges of the bins of a number; empty where each of its values is a category,
            and None of what is no number.
        weights: Of words how much each counts; of a vector its mean (d,) and then its scale.
    """

    name: str
    kind: str
    values: pl.Series
    edges: F64 | None
    weights: F64

    @property
    def size(self) -> int:
        """The number of its features."""
        return len(self.weights) - 1 if self.kind == VECTOR else len(self.values)

    def features(self, column: pl.Series) -> csr_array:
        """Features (n, size) of the values of a column; a missing value has none."""
        shape = (len(column), self.size)
        if self.kind == VECTOR:
            vectors = _vectors(column, self.size)
            present_rows = np.isfinite(vectors).all(axis=1, keepdims=True)
            return (
                csr_array(np.where(present_rows, vectors - self.weights[:-1], 0.0))
                * (self.weights[-1])
            )
        rows, value = _values(column, self.kind, self.edges)
        place = self.values.search_sorted(value).to_numpy().astype(np.int64)
        place = np.minimum(place, len(self.values) - 1)
        is_value = (value == self.values.gather(place)).fill_null(value=False).to_numpy()
        rows, place = rows[is_value], place[is_value]
        X = csr_array((np.ones(len(rows), np.float32), (rows, place)), shape=shape)
        if self.kind in (TAGS, WORDS):
            X.data[:] = np.sqrt(X.data) * self.weights[X.indices]
            norm = np.sqrt(X.multiply(X).sum(axis=1))
            return csr_array(X.multiply(1 / np.maximum(norm, 1e-12)[:, None]))
        X.data[:] = 1.0  # a list may have a value twice
        return X


@dataclass(frozen=True)
class Facts:
    """The columns of a table that say something of its rows, and what was learnt of each.

    A column is one of five kinds. *Categories*: text or truth values with at most 50 distinct
    values, and numbers and dates in at most 12 bins about equally full; each value is an
    indicator. *Lists of categories*, likewise. *Lists of many values* and *words*, of text of
    several words: the 1,000 that most rows share, weighed by how rare they are, each row at length
    one. *A vector*: arrays of equal length, in units of their deviation. Numbers that are text
    because some are a mark for nothing ("—", "n/a") are numbers. A missing value has no feature.
    Titles, and text that hardly any two rows share, such as addresses and ids, are left out.

    Attributes:
        columns: What was learnt of each column that is used.
        notes: What is used, and what is left out and why.

    Example:
        >>> table = pl.DataFrame({"item_id": [1, 2, 3], "genre": ["War", "Drama", "War"]})
        >>> facts = Facts.of(table)
        >>> facts.encode(table).toarray().tolist()
        [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]
        >>> facts.notes
        ('facts: genre (categories)',)
    """

    columns: tuple[Column, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, table: pl.DataFrame) -> "Facts":
        """What the columns say; the first one is the id."""
        columns: list[Column] = []
        reasons: dict[str, list[str]] = {}
        for name in table.columns[1:]:
            column = _learnt(table[name])
            if isinstance(column, Column):
                columns.append(column)
            else:
                reasons.setdefault(column, []).append(name)
        described = ", ".join(f"{column.name} ({column.kind})" for column in columns)
        used = [f"facts: {described}"] if columns else []
        left_out = [f"no facts: {', '.join(names)} ({why})" for why, names in reasons.items()]
        return cls(tuple(columns), (*used, *left_out))

    @property
    def size(self) -> int:
        """F, the number of features."""
        return sum(column.size for column in self.columns)

    def missing(self, table: pl.DataFrame) -> list[str]:
        """Names of the columns that a table lacks."""
        return [column.name for column in self.columns if column.name not in table.columns]

    def encode(self, table: pl.DataFrame) -> csr_array:
        """Features float32 (n, F) of the rows of a table; a column that it lacks has none."""
        blocks = [csr_array((len(table), 0), dtype=np.float32)]
        for column in self.columns:
            if column.name in table.columns:
                blocks.append(column.features(table[column.name]))
            else:
                blocks.append(csr_array((len(table), column.size), dtype=np.float32))
        return csr_array(hstack(blocks, format="csr"), dtype=np.float32)

    def of_kinds(self, *kinds: str) -> "Facts":
        """The columns of some kinds alone."""
        return Facts(tuple(column for column in self.columns if column.kind in kinds), ())


def _learnt(column: pl.Series) -> Column | str:
    """What a column says; or why it says nothing."""
    if not len(column.drop_nulls()):
        return "no values"
    if size := _vector_size(column):
        return _of_vectors(column, size)
    if isinstance(column.dtype, pl.List | pl.Array):
        return _of_values(column, LISTS, None)
    if _is_number(column):
        return _of_values(column, CATEGORIES, _edges(_numbers(column)))
    is_text = column.dtype in (pl.String, pl.Boolean)
    if is_text or isinstance(column.dtype, pl.Categorical | pl.Enum):
        return _of_values(column, CATEGORIES, None)
    return f"of type {column.dtype}"


def _of_vectors(column: pl.Series, size: int) -> Column | str:
    """The mean and the scale of a column of vectors."""
    vectors = _vectors(column, size)
    vectors = vectors[np.isfinite(vectors).all(axis=1)]
    deviation = float(np.sqrt(vectors.var(axis=0).sum())) if len(vectors) else 0.0
    if not deviation:
        return "the same in each row"
    weights = np.append(vectors.mean(axis=0), 1 / deviation)
    return Column(column.name, VECTOR, pl.Series([], dtype=pl.String), None, weights)


def _of_values(column: pl.Series, kind: str, edges: F64 | None) -> Column | str:
    """Categories if there are few; words if there are many and rows share them."""
    _, value = _values(column, kind, edges)
    distinct = value.drop_nulls().unique().sort()
    if len(distinct) < 2:
        return "the same in each row"
    if len(distinct) <= MAX_CATEGORIES:
        return Column(column.name, kind, distinct, edges, np.ones(len(distinct)))
    if kind == CATEGORIES:
        if column.name in TITLE_COLUMNS:
            return "a name"
        words = column.cast(pl.String).str.strip_chars().str.split(" ").list.len().mean()
        if not isinstance(words, float) or words < MIN_WORDS:
            return "hardly any two rows share a value"
    kind = WORDS if kind == CATEGORIES else TAGS
    rows, value = _values(column, kind, None)
    pairs = pl.DataFrame({"row": rows, "word": value}).drop_nulls().unique()
    counts = pairs.group_by("word").len().filter(pl.col("len") >= MIN_ROWS_OF_WORD)
    counts = counts.sort("len", "word", descending=[True, False]).head(MAX_WORDS).sort("word")
    if not len(counts):
        return "no two rows share a word"
    weights = np.log(len(column) / counts["len"].to_numpy()) + 1.0
    return Column(column.name, kind, counts["word"], None, weights)


def _values(column: pl.Series, kind: str, edges: F64 | None) -> tuple[I64, pl.Series]:
    """Row numbers and values, as text, of a column; of lists and words several for a row."""
    if kind == WORDS:
        text = column.cast(pl.String, strict=False).str.to_lowercase()
        column = text.str.extract_all(r"[\p{L}\p{N}]+")
    if isinstance(column.dtype, pl.List | pl.Array):
        frame = column.alias("value").to_frame().with_row_index("row").explode("value")
        values = frame["value"].cast(pl.String, strict=False)
        return frame["row"].to_numpy().astype(np.int64), values
    if edges is not None:
        column = _numbers(column)
        if len(edges):
            places = pl.Series(edges).search_sorted(column, side="right").cast(pl.Float64)
            column = places.set(column.is_null(), None)
    return np.arange(len(column)), column.cast(pl.String, strict=False)


def _is_number(column: pl.Series) -> bool:
    """Whether a column is one of numbers or dates.

    Text is, if all of it is numbers and marks for nothing, and there are both.
    """
    if column.dtype == pl.String:
        texts = present(column)
        n_numbers = len(texts) - texts.cast(pl.Float64, strict=False).null_count()
        n_texts = len(texts) - texts.null_count()
        return texts.null_count() > column.null_count() and 0 < n_texts == n_numbers
    return column.dtype.is_numeric() or column.dtype in (pl.Date, pl.Datetime)


def _numbers(column: pl.Series) -> pl.Series:
    """The numbers of a column as float64, of dates their years; null where there is none."""
    if column.dtype in (pl.Date, pl.Datetime):
        column = column.dt.year()
    numbers = present(column).cast(pl.Float64, strict=False).fill_nan(None)
    return numbers.set(numbers.is_infinite(), None)


def _edges(number: pl.Series) -> F64:
    """Inner edges of at most 12 bins about equally full; none if there are as few values."""
    values = number.drop_nulls()
    if values.n_unique() <= MAX_BINS:
        return np.zeros(0)
    return np.unique(np.quantile(values.to_numpy(), np.linspace(0, 1, MAX_BINS + 1))[1:-1])


def _vector_size(column: pl.Series) -> int:
    """The length of a column of arrays of numbers, or of lists of as many fractions; else 0."""
    if isinstance(column.dtype, pl.Array):
        is_vector = len(column.dtype.shape) == 1 and column.dtype.inner.is_numeric()
        return int(column.dtype.shape[0]) if is_vector else 0
    if isinstance(column.dtype, pl.List) and column.dtype.inner.is_float():
        lengths = column.drop_nulls().list.len().unique()
        return int(lengths[0]) if len(lengths) == 1 and lengths[0] > 1 else 0
    return 0


def _vectors(column: pl.Series, size: int) -> F64:
    """Vectors float64 (n, size); NaN where there is none, or one of another length."""
    vectors = np.full((len(column), size), np.nan)
    for row, vector in enumerate(column.to_list()):
        if isinstance(vector, list) and len(vector) == size:
            vectors[row] = [np.nan if value is None else value for value in vector]
    return vectors
