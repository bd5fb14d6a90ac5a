"""Conditions on items or users, as a Polars expression or as text."""

import difflib
import re
from itertools import accumulate, pairwise

import polars as pl
from polars.exceptions import ColumnNotFoundError

from tastemap.errors import ArgumentError
from tastemap.support.boundary import LIBRARY_ERRORS, first_line

# Polars takes the cube of the number of operators, and ends the process at some thousands.
MAX_CHARACTERS, MAX_WORDS, MAX_DEPTH = 2_000, 300, 20
#: What a condition may call: nothing that writes a text longer than those that it is given.
FUNCTIONS = frozenset(
    (
        *("abs", "ceil", "ceiling", "floor", "round", "sign", "sqrt", "cbrt", "exp", "ln", "log"),
        *("log2", "log10", "pow", "power", "mod", "div", "greatest", "least", "cast", "try_cast"),
        *("min", "max", "avg", "median", "count", "coalesce", "ifnull", "nullif", "if"),
        *("lower", "upper", "initcap", "left", "right", "substr", "substring", "reverse"),
        *("trim", "ltrim", "rtrim", "length", "char_length", "character_length", "octet_length"),
        *("position", "strpos", "starts_with", "ends_with", "regexp_like"),
        *("array_contains", "array_length", "date", "date_part", "extract"),
    )
)
# Words of SQL that may stand before a bracket.
_KEYWORDS = frozenset(
    ("and", "or", "not", "in", "between", "like", "ilike", "is", "case", "when", "then", "else")
)
_TOKEN = re.compile(r"""'(?:[^']|'')*'|"[^"]*"|\d[\w.]*|\w+|[(\[{]|[)\]}]|[^\s\w'"()\[\]{},]+""")
_EXAMPLE = "write it like: genres contains 'Horror' and year >= 1990"
# Either a quoted text, which is skipped and not rewritten, or: column contains 'text'.
_CONTAINS = re.compile(
    r"""'(?:[^']|'')*'
    | (?P<column>"[^"]+"|\b\w++)\s++(?P<negated>not\s++)?contains\s++'(?P<text>(?:[^']|'')*)'""",
    re.IGNORECASE | re.VERBOSE,
)


def parse_condition(condition: str | pl.Expr, frame: pl.DataFrame) -> pl.Expr:
    """A condition on the rows of ``frame`` as a Polars expression, checked on that frame.

    Text is an SQL condition (``and or not = != < <= > >= between in like is null``), which may
    hold ``column contains 'text'``: whether a list (genres) holds that value, or a text those
    characters. ``contains`` ignores case. A row whose value is missing fulfils no comparison.
    Text has at most 2,000 characters and 300 words and signs, and calls only functions that take
    a bounded time (`FUNCTIONS`); an expression is the caller's own and is not bounded.

    Args:
        condition: The text, or an expression that is checked and returned.
        frame: The table whose columns the condition names.

    Raises:
        ArgumentError: If the text is no condition or too long, names a column that the frame does
            not have, compares what cannot be compared, or is neither true nor false.

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
    except LIBRARY_ERRORS as error:
        raise ArgumentError(
            "condition",
            expected="a comparison that these columns allow",
            received=f"{shown} ({first_line(error)})",
            do=f"{_EXAMPLE}; columns: {', '.join(frame.columns)}",
        ) from error
    if answer.dtype not in (pl.Boolean, pl.Null):
        raise ArgumentError(
            "condition",
            expected="an answer of true or false for each row",
            received=f"{shown}, which gives {answer.dtype}",
            do=_EXAMPLE,
        )
    return expression if answer.dtype == pl.Boolean else expression.cast(pl.Boolean)


def _check(text: str) -> None:
    """Refuse a text that would take Polars long, before it sees it."""
    if len(text) > MAX_CHARACTERS:
        raise _too_much(text, f"{MAX_CHARACTERS:,} characters", len(text))
    tokens = [match[0] for match in _TOKEN.finditer(text)]
    n_words = sum(token[0] not in "'\"()[]{}0123456789" for token in tokens)
    if n_words > MAX_WORDS:
        raise _too_much(text, f"{MAX_WORDS} words and signs", n_words)
    depth = max(accumulate((t in "([{") - (t in ")]}") for t in tokens), default=0)
    if depth > MAX_DEPTH:
        raise _too_much(text, f"{MAX_DEPTH} brackets inside each other", depth)
    for word, following in pairwise(tokens):
        name = word.strip('"').lower()
        if following == "(" and name.isidentifier() and name not in FUNCTIONS | _KEYWORDS:
            raise ArgumentError(
                f"function {name} in the condition",
                expected=f"one of {', '.join(sorted(FUNCTIONS))}",
                received=repr(text),
                do=_EXAMPLE,
            )


def _too_much(text: str, most: str, n: int) -> ArgumentError:
    return ArgumentError(
        "condition",
        expected=f"at most {most}",
        received=f"{n:,}: {text[:60]!r}",
        do="shorten it, or give a Polars expression or the list of candidates",
    )


def _parse(text: str, frame: pl.DataFrame) -> pl.Expr:
    _check(text)
    sql = _CONTAINS.sub(lambda match: _contains(match, frame), text)
    try:
        # In parentheses, "year > 3 typo" is an error and not a column renamed to "typo".
        return pl.sql_expr(f"({sql})")
    except LIBRARY_ERRORS as error:
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
    names = expression.meta.root_names()
    unknown = next((n for n in names if n not in frame.columns), "of a subquery")
    near = difflib.get_close_matches(unknown, frame.columns, n=1)
    return ArgumentError(
        f"column {unknown!r} in the condition",
        expected=f"one of {', '.join(frame.columns)}",
        received=shown,
        do=f"did you mean {near[0]!r}?" if near else _EXAMPLE,
    )
