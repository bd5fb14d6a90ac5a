"""The blocks of a report: each writes itself as HTML."""

import base64
import datetime as dt
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import polars as pl

from tastemap.explore.report.themed_svg import themed
from tastemap.support.counts import counted
from tastemap.support.extras import lab_package
from tastemap.support.frames import digits_of, with_spoken_titles, without_repetition

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: A figure whose SVG is larger than this, in bytes, is put in as a picture of dots (PNG).
MAX_SVG_BYTES = 500_000
DOTS_PER_INCH = 200  # twice the size on the page, for fine screens
# A table with more columns than this has them close together and their headings folded.
MAX_WIDE_COLUMNS = 4


@dataclass(frozen=True)
class Text:
    """Paragraphs, parted by blank lines; `backticks` mark code."""

    text: str

    def html(self) -> str:
        """The paragraphs."""
        parts = re.split(r"\n\s*\n", self.text)
        return "".join(f"<p>{_inline(part.strip())}</p>\n" for part in parts if part.strip())


@dataclass(frozen=True)
class Picture:
    """A figure, a description for readers who cannot see it, and optionally a caption."""

    figure: "Figure"
    alt: str
    caption: str = ""

    def html(self) -> str:
        """The figure as an image inside the page, at most at the size it was made for."""
        width, height = self.figure.get_size_inches() * 100
        caption = f"<figcaption>{_inline(self.caption)}</figcaption>" if self.caption else ""
        return (
            f'<figure><div class="card"><img src="{self._data_uri()}" alt="{escape(self.alt)}" '
            f'width="{width:.0f}" height="{height:.0f}"></div>{caption}</figure>'
        )

    def _data_uri(self) -> str:
        """The figure as SVG, the same for the same figure, or as PNG if the SVG is large.

        An SVG is dark where the page is.
        """
        drawn, kind = io.BytesIO(), "svg+xml"
        with lab_package("matplotlib").rc_context({"svg.hashsalt": "tastemap"}):
            self.figure.savefig(drawn, format="svg", dpi=DOTS_PER_INCH, metadata={"Date": None})
        content = themed(drawn.getvalue().decode()).encode()
        if len(content) > MAX_SVG_BYTES:
            drawn, kind = io.BytesIO(), "png"
            self.figure.savefig(drawn, format="png", dpi=DOTS_PER_INCH)
            content = drawn.getvalue()
        return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


@dataclass(frozen=True)
class Table:
    """A frame as a table, numbers to the right.

    On a phone each row of a table with many columns stands below the one before, a value a line.

    Attributes:
        frame: The rows.
        caption: A line above the table.
        digits: Decimals of numbers that are not whole.
        rows: Most rows to show; a note tells how many are left out.
        folded: Whether only the caption is seen until somebody opens it, as of a table whose
            numbers are those of a figure beside it.
    """

    frame: pl.DataFrame
    caption: str = ""
    digits: int = 3
    rows: int = 50
    folded: bool = False

    def html(self) -> str:
        """The table, its caption, and the number of rows that are left out."""
        frame = with_spoken_titles(without_repetition(self.frame.head(self.rows)))
        # An id or a year is a name, not an amount: to the left, without a thousands separator.
        names = [name.endswith("_id") or "year" in name or name == "id" for name in frame.columns]
        sides = [
            "" if is_name else ' class="number"' if dtype.is_numeric() else ' class="text"'
            for is_name, dtype in zip(names, frame.dtypes, strict=True)
        ]
        titles = [escape(name.replace("_", " ")) for name in frame.columns]
        digits = [digits_of(column, self.digits) for column in frame]
        heads = zip(titles, sides, strict=True)
        head = "".join(f'<th scope="col"{side}>{title}</th>' for title, side in heads)
        body = ""
        for row in frame.rows():
            texts = [
                escape(str(value)) if is_name and value is not None else _cell(value, n_digits)
                for value, is_name, n_digits in zip(row, names, digits, strict=True)
            ]
            cells = zip(texts, sides, titles, strict=True)
            row_html = "".join(
                f'<td{side} data-label="{label}">{text}</td>' for text, side, label in cells
            )
            body += f"<tr>{row_html}</tr>\n"
        caption = _inline(self.caption)
        on_top = f"<caption>{caption}</caption>" if caption and not self.folded else ""
        kind = "table wide" if frame.width > MAX_WIDE_COLUMNS else "table"
        left_out = len(self.frame) - len(frame)
        more = f'<p class="note">… and {counted(left_out, "more row")}.</p>' if left_out else ""
        table = (
            f'<div class="{kind}" role="group" aria-label="{escape(self.caption or "Table")}" '
            f'tabindex="0"><table>{on_top}<thead><tr>{head}</tr></thead>\n'
            f"<tbody>\n{body}</tbody></table></div>{more}"
        )
        return f"<details><summary>{caption}</summary>{table}</details>" if self.folded else table


@dataclass(frozen=True)
class Facts:
    """Key figures, large, side by side.

    Attributes:
        pairs: Name and value of each.
        digits: Decimals of numbers that are not whole.
    """

    pairs: Sequence[tuple[str, object]]
    digits: int = 2

    def html(self) -> str:
        """One tile a figure."""
        tiles = ""
        for name, value in self.pairs:
            words = escape(name.replace("_", " "))
            tiles += f"<div><dt>{words}</dt><dd>{_cell(value, self.digits)}</dd></div>"
        return f'<dl class="facts">{tiles}</dl>'


@dataclass(frozen=True)
class Summary:
    """What a report comes to: the figures that count, and how it was made.

    Attributes:
        figures: Name and value of each key figure, three of them say.
        facts: Name and value of each further fact, one a line; None where nothing is known.
    """

    figures: Sequence[tuple[str, object]]
    facts: Sequence[tuple[str, str | None]]

    def html(self) -> str:
        """The tiles, and the facts below them."""
        lines = "".join(
            f"<div><dt>{escape(name)}</dt><dd>{_inline(value)}</dd></div>"
            for name, value in self.facts
            if value
        )
        return f'{Facts(self.figures, digits=4).html()}<dl class="made">{lines}</dl>'


@dataclass(frozen=True)
class Questions:
    """Pairs of question and answer."""

    pairs: Sequence[tuple[str, str]]

    def html(self) -> str:
        """Each question in bold, its answer below it."""
        pairs = [
            f"<dt>{_inline(question)}</dt><dd>{Text(answer).html()}</dd>"
            for question, answer in self.pairs
        ]
        return f'<dl class="questions">{"".join(pairs)}</dl>'


@dataclass(frozen=True)
class Code:
    """Commands or code, as they are typed."""

    text: str

    def html(self) -> str:
        """The lines in a fixed-width type; long lines scroll."""
        return f'<pre tabindex="0"><code>{escape(self.text)}</code></pre>'


def _cell(value: Any, digits: int) -> str:
    """A value as text for a reader, escaped."""
    match value:
        case None:
            text = "–"
        case bool():
            text = "yes" if value else "no"
        case int():
            text = f"{value:,}"
        case float():
            text = f"{value:,.{digits}f}"
        case list():
            return ", ".join(_cell(part, digits) for part in value)
        case dt.datetime():
            text = f"{value:%Y-%m-%d %H:%M}"
        case _:
            text = str(value)
    return escape(text)


def _inline(text: str) -> str:
    """Escaped text, with `code` between backticks."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
