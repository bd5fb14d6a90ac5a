"""Single values of a column: how tables write that there is none, and the error of a wrong one."""

import polars as pl

from tastemap.errors import DataError

# How tables write that there is no value, in small letters.
MISSING_MARKS = frozenset(
    {*("", "-", "--", "–", "—", "na", "n/a", "n.a.", "nan", "null", "none", "nil", "#n/a"), "\\n"}
)


def is_missing(text: str) -> bool:
    """Whether a text says that there is no value.

    Example:
        >>> is_missing(" N/A "), is_missing("—"), is_missing("0")
        (True, True, False)
    """
    return text.strip().casefold() in MISSING_MARKS


def present(series: pl.Series) -> pl.Series:
    """The values of a column without blanks around them, null where they say that there is none.

    Example:
        >>> present(pl.Series([" 3,5", "N/A", "", None])).to_list()
        ['3,5', None, None, None]
    """
    if series.dtype == pl.String:
        texts = series.str.strip_chars()
        return texts.set(texts.str.to_lowercase().is_in([*MISSING_MARKS]), None)
    return series.fill_nan(None) if series.dtype.is_float() else series


def bad_value(name: str, series: pl.Series, wrong: pl.Series, expected: str) -> DataError:
    """The error of the first wrong value of a column, with its row from 1."""
    row = wrong.fill_null(value=False).arg_max() or 0
    value = series[row]
    return DataError(
        f"{name}, row {row + 1}, column {series.name}",
        expected=expected,
        received="nothing" if value is None else repr(value),
        do="correct or remove the row",
    )
