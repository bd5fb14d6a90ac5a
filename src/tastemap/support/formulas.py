"""Text in tables for people: what a spreadsheet would take for a formula stays text.

A cell that begins with one of a few signs is computed when the file is opened in a spreadsheet, and
a title may come from anybody. Such text gets an apostrophe before it, which makes it text there.
Numbers are no text and stay as they are; so is Parquet, which no spreadsheet computes.
"""

import re
from typing import TypeVar

import polars as pl

# What formulas begin with, in the full width of East Asian texts, too.
_FORMULA = r"'*[=+\-@\t\r\n＝＋－＠]"
_PYTHON_FORMULA = re.compile(_FORMULA)

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)


def defused_text(text: str) -> str:
    """Text that no spreadsheet computes; one apostrophe more where it begins like a formula.

    Example:
        >>> defused_text("=1+1"), defused_text("'=1"), defused_text("'Tis")
        ("'=1+1", "''=1", "'Tis")
    """
    return f"'{text}" if _PYTHON_FORMULA.match(text) else text


def restored_text(text: str) -> str:
    """The text that `defused_text` was given.

    Example:
        >>> restored_text("'=1+1"), restored_text("''=1"), restored_text("'Tis")
        ('=1+1', "'=1", "'Tis")
    """
    return text[1:] if text[:1] == "'" and _PYTHON_FORMULA.match(text) else text


def defused(frame: Frame) -> Frame:
    """A frame whose text and whose column names no spreadsheet computes."""
    text = pl.col(pl.String).str.replace(f"^({_FORMULA})", "'$1")
    return frame.with_columns(text).rename(defused_text)


def restored(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame that `defused` was given, but for the names of its columns."""
    return frame.with_columns(pl.col(pl.String).str.replace(f"^'({_FORMULA})", "$1"))
