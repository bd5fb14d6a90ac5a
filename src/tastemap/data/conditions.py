"""Conditions on items or users, as a Polars expression or as text."""

import difflib
import re

import polars as pl
from polars.exceptions import ColumnNotFoundError, PolarsError

from tastemap.errors import ArgumentError

_EXAMPLE = "write it like: genres contains 'Horror' and year >= 1990"
# Either a quoted text, which is skipped and not rewritten, or: column contains 'text'.
_CONTAINS = re.compile(
    r"""'(?:[^']|'')*'
    | (?P<column>"[^"]+"|\w+)\s+(?P<negated>not\s+)?contains\s+'(?P<text>(?:[^']|'')*)'""",
    re.IGNORECASE | re.VERBOSE,
)


def parse_condition(condition: str | pl.Expr, frame: pl.DataFrame) -> pl.Expr:
    """A condition on the rows of ``frame`` as a Polars expression, checked on that frame.

    Text is an SQL condition (``and or not = != < <= > >= between in like is null``), which may
    hold ``column contains 'text'``: whether a list (genres) holds that value, or a text those
    characters. ``contains`` ignores case. A row whose value is missing fulfils no comparison.

    Args:
        condition: The text, or an expression that is checked and returned.
        frame: The table whose columns the condition names.

    Raises:
        ArgumentError: If the text is no condition, names a column that the frame does not have,
            compares what cannot be compared, or is neither true nor false.

    Example:
        >>> films = pl.DataFrame({"title": ["Alien", "Up"], "genres": [["Horror"], ["Drama"]]})
        >>> films.filter(parse_condition("genres contains 'horror'", films))["title"].to_list()
        ['Alien']
        >>> films.filter(parse_condition("title not contains 'ali'", films))["title"].to_list()
        ['Up']
    """
    expression = condition if isinstance(condition, pl.Expr) else _parse(condition, frame)
    shown = repr(condition) if isinstance(condition, str) else str(condition)
    try:
        answer = frame.select(expression.alias("condition"))["condition"]
    except ColumnNotFoundError as error:
        raise _unknown_column(expression, frame, shown) from error
    except PolarsError as error:
        reason = str(error).splitlines()[0]
        raise ArgumentError(
            "condition",
            expected="a comparison that these columns allow",
            received=f"{shown} ({reason})",
            do=f"{_EXAMPLE}; columns: {', '.join(frame.columns)}",
        ) from error
    if answer.dtype not in (pl.Boolean, pl.Null):
        raise ArgumentError(
            "condition",
            expected="an answer of true or false for each row",
            received=f"{shown}, which gives {answer.dtype}",
            do=_EXAMPLE,
        )
    return expression


def _parse(text: str, frame: pl.DataFrame) -> pl.Expr:
    sql = _CONTAINS.sub(lambda match: _contains(match, frame), text)
    try:
        # In parentheses, "year > 3 typo" is an error and not a column renamed to "typo".
        return pl.sql_expr(f"({sql})")
    except PolarsError as error:
        raise ArgumentError(
            "condition", expected="an SQL condition", received=repr(text), do=_EXAMPLE
        ) from error


def _contains(match: re.Match[str], frame: pl.DataFrame) -> str:
    """One ``column contains 'text'`` in Polars' SQL; any other match is left as it is."""
    if match["column"] is None:
        return match[0]
    column, text = match["column"].strip('"'), match["text"]
    if isinstance(frame.schema.get(column), pl.List):
        values = frame[column].explode().drop_nulls().unique().cast(pl.String)
        requested = text.replace("''", "'").casefold()
        value = next((value for value in values if value.casefold() == requested), None)
        literal = text if value is None else value.replace("'", "''")
        sql = f"array_contains(\"{column}\", '{literal}')"
        return f"(not {sql})" if match["negated"] else sql
    # A value contains the text if removing the text changes it. (strpos would read a pattern.)
    lower = f'lower("{column}")'
    sign = "=" if match["negated"] else "<>"
    return f"(replace({lower}, '{text.lower()}', '') {sign} {lower})"


def _unknown_column(expression: pl.Expr, frame: pl.DataFrame, shown: str) -> ArgumentError:
    unknown = next(n for n in expression.meta.root_names() if n not in frame.columns)
    near = difflib.get_close_matches(unknown, frame.columns, n=1)
    return ArgumentError(
        f"column {unknown!r} in the condition",
        expected=f"one of {', '.join(frame.columns)}",
        received=shown,
        do=f"did you mean {near[0]!r}?" if near else _EXAMPLE,
    )
