"""Numbers of a column as people write them: decimal commas, stars, ``4/5``, marks for nothing.

A column has one form, and every value of it must have that form: ``3,5`` beside ``3.5`` is refused,
since one of the two may mean something else.
"""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import polars as pl
from polars.exceptions import PolarsError

from tastemap.data.readers.values import bad_value, is_missing
from tastemap.errors import DataError
from tastemap.support.numerals import MINUS, number

# Ratings are numbers of 32 bits.
MAX_NUMBER = float(np.finfo(np.float32).max)
TRUTH_WORDS = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}
_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
_FRACTION = re.compile(
    r"([0-9]+(?:[.,][0-9]+)?) ?(?:/|out of|of|von|sur|de|su|van) ?([0-9]{1,3})", re.IGNORECASE
)
_STARS = re.compile(r"([★⭐]{1,10})\uFE0F?(½?)[☆✩]{0,10}")
_COUNTED_STARS = re.compile(
    r"([0-9]+(?:[.,][0-9]+)?) ?(?:stars?|sterne?|étoiles?|estrellas?|stelle|estrelas?|sterren)",
    re.IGNORECASE,
)
_PERCENT = re.compile(r"([0-9]+(?:[.,][0-9]+)?) ?%")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:[.,' \u00A0\u202F][0-9]{3})+(?:[.,][0-9]+)?")
# A comma before three digits may part thousands.
_UNCLEAR_COMMA = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")


class NumberForm(NamedTuple):
    """One way to write numbers.

    Attributes:
        value: The number that a text is, or None where it is not written in this way.
        note: What a note says of a column of this form; "" of the usual one.
    """

    value: Callable[[str], float | None]
    note: str


def _decimal(text: str) -> float | None:
    return number(text.replace(",", ".")) if _COMMA.fullmatch(text) else number(text)


def _with_comma(text: str) -> float | None:
    # A point beside commas may part thousands.
    return None if "." in text else _decimal(text)


def _stars(text: str) -> float | None:
    match = _STARS.fullmatch(text)
    if match is None:
        return {"½": 0.5}.get(text.rstrip("☆✩"))
    return len(match[1]) + 0.5 * len(match[2])


def _first(match: "re.Match[str] | None") -> float | None:
    return None if match is None else _decimal(match[1])


PLAIN = NumberForm(number, "")
_FORMS = (
    PLAIN,
    NumberForm(_with_comma, "written with a decimal comma"),
    NumberForm(lambda text: _first(_FRACTION.fullmatch(text)), "written as 4/5 read as 4"),
    NumberForm(_stars, "written as stars read as their number"),
    NumberForm(lambda text: _first(_COUNTED_STARS.fullmatch(text)), "written as 4 stars read as 4"),
    NumberForm(lambda text: _first(_PERCENT.fullmatch(text)), "written as 80 % read as 80"),
)


def number_form(texts: Iterable[str]) -> NumberForm | None:
    """The form in which all of these texts are numbers, those that say nothing aside; or None.

    Example:
        >>> number_form(["3,5", "4", "NA"]).note
        'written with a decimal comma'
        >>> number_form(["3,5", "4.5"]) is None
        True
    """
    values = [_cleaned(text) for text in texts if not is_missing(text)]
    for form in _FORMS:
        if all(form.value(value) is not None for value in values) and _is_clear(form, values):
            return form
    return None


def value_check(form: NumberForm | None) -> Callable[[str], bool]:
    """Whether a text is a number of a form, or says that there is none.

    For None any form will do, and True and False, of which the whole column decides. A number
    that 32 bits do not hold is none.
    """
    forms = _FORMS if form is None else (form,)

    def is_right(text: str) -> bool:
        cleaned = _cleaned(text)
        values = (each.value(cleaned) for each in forms)
        value = next((value for value in values if value is not None), None)
        if value is None:
            return is_missing(text) or (form is None and cleaned.casefold() in TRUTH_WORDS)
        return abs(value) <= MAX_NUMBER

    return is_right


def common_form(texts: Iterable[str]) -> NumberForm:
    """The form in which the most of these texts are numbers."""
    values = [_cleaned(text) for text in texts if not is_missing(text)]
    return max(_FORMS, key=lambda form: sum(form.value(value) is not None for value in values))


def _cleaned(text: str) -> str:
    return text.strip().replace(MINUS, "-")


def _is_clear(form: NumberForm, values: list[str]) -> bool:
    """Whether there is one way to read these: ``1,234`` alone may be a thousand and more."""
    fractions = [match[2] for value in values if (match := _FRACTION.fullmatch(value))]
    if form.value is not _with_comma:
        return len(set(fractions)) <= 1
    commas = [value for value in values if "," in value]
    return not all(_UNCLEAR_COMMA.fullmatch(value) for value in commas)


def as_numbers(name: str, series: pl.Series) -> tuple[pl.Series, list[str]]:
    """A column as floats, null where it says that there is no number, and a note on its form.

    Raises:
        DataError: With the row of the first value that is no number, or is not in the form of the
            others.
    """
    if series.dtype.is_float():
        return series.fill_nan(None), []
    if series.dtype.is_numeric():
        return series.cast(pl.Float64), []
    if series.dtype != pl.String:
        return _other_kind(name, series), []
    texts = series.fill_null("")
    distinct = texts.unique(maintain_order=True)
    form = number_form(distinct)
    if form is None:
        raise _fault(name, series, distinct)
    values = [None if is_missing(text) else form.value(_cleaned(text)) for text in distinct]
    numbers = texts.replace_strict(distinct, pl.Series(values, dtype=pl.Float64))
    notes = [f"column {series.name}: numbers {form.note}"] if form.note else []
    return numbers.rename(series.name), notes


def truth_values(series: pl.Series) -> pl.Series | None:
    """A column of True and False as 1 and 0, or None if it is none."""
    if series.dtype == pl.Boolean:
        return series.cast(pl.Float64)
    if series.dtype != pl.String:
        return None
    words = series.str.strip_chars().str.to_lowercase()
    distinct = words.drop_nulls().unique()
    if not len(distinct) or not all(word in TRUTH_WORDS for word in distinct):
        return None
    return words.replace_strict(TRUTH_WORDS, return_dtype=pl.Float64)


def _other_kind(name: str, series: pl.Series) -> pl.Series:
    """A column that is neither of numbers nor of text."""
    try:
        return series.cast(pl.Float64)
    except PolarsError as error:
        raise DataError(
            f"{name}, column {series.name}",
            expected="numbers",
            received=str(series.dtype),
            do="name the column of the rating: rating=...",
        ) from error


def _fault(name: str, series: pl.Series, distinct: pl.Series) -> DataError:
    """The error of the first text that does not fit the form of the most others."""
    form = common_form(distinct)
    wrong = [text for text in distinct if not is_missing(text)]
    wrong = [text for text in wrong if form.value(_cleaned(text)) is None] or [
        text for text in wrong if _UNCLEAR_COMMA.fullmatch(_cleaned(text)) or "/" in text
    ]
    grouped = any(_GROUPED.fullmatch(_cleaned(text)) for text in wrong)
    expected = "a number"
    if grouped:
        expected = "a number without marks between thousands"
    elif form.note:
        expected = f"a number as the others, {form.note}"
    return bad_value(name, series, series.is_in(wrong), expected)
