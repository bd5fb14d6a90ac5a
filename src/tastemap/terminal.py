"""The output of the command line: tables, notes, JSON, files of results, progress."""

import contextlib
import json
import shlex
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from tastemap.errors import ArgumentError
from tastemap.support.atomic import new_file
from tastemap.support.formulas import defused
from tastemap.support.frames import digits_of, with_spoken_titles, without_repetition

console = Console(highlight=False)
aside = Console(stderr=True, highlight=False)

# A single row of more columns than this is shown as names and values, one a line.
MAX_COLUMNS_OF_ROW = 10
# With more columns than this they stand closer together.
MAX_COLUMNS_APART = 6
# Text is not folded into columns of fewer characters than this.
MIN_TEXT_CHARACTERS = 14
# Numbers in columns with these words have four digits after the point, all others two.
WORDS_OF_FOUR_DIGITS = (
    *("mse", "rmse", "mae", "loss", "similarity", "contribution", "std", "density", "error"),
    *(
        "recall",
        "precision",
        "ndcg",
        "map",
        "mrr",
        "coverage",
        "diversity",
        "share",
        "difference",
        "minus",
    ),
)
NAMES_OF_FOUR_DIGITS = ("low", "high", "p_holm", "promised", "observed")

# The endings of files that `write_frame` writes.
TABLE_ENDINGS = (".csv", ".tsv", ".parquet", ".json")


@dataclass(frozen=True)
class Output:
    """The form of an answer: a table, JSON on standard output, or a file."""

    as_json: bool = False
    path: Path | None = None

    def show(
        self,
        frame: pl.DataFrame,
        title: str,
        notes: Iterable[str] = (),
        *,
        shown: pl.DataFrame | None = None,
        below: str = "",
    ) -> None:
        """Print a frame, or write it to the file.

        Args:
            frame: The rows.
            title: The title of the printed table.
            notes: Lines beside it.
            shown: The rows as they are printed, if not as they are written.
            below: A column of sentences, which are printed below the table, beside the ranks.
        """
        self._write(frame)
        if self.as_json:
            print_json({"title": title, "rows": rows_of(frame), "notes": list(notes)})
            return
        if self.path is None:
            _print_frame(frame if shown is None else shown, title, below)
        self._print_notes(notes)

    def tables(self, frames: Mapping[str, pl.DataFrame], notes: Iterable[str] = ()) -> None:
        """Print several frames, each under its title; the first goes to the file, if any."""
        for frame in [*frames.values()][:1]:
            self._write(frame)
        if self.as_json:
            tables = [{"title": title, "rows": rows_of(f)} for title, f in frames.items()]
            print_json({"tables": tables, "notes": list(notes)})
            return
        for title, frame in frames.items():
            if len(frame) == 1 and frame.width > MAX_COLUMNS_OF_ROW:
                self.facts(frame.row(0, named=True), title)
            else:
                _print_frame(frame, title)
        self._print_notes(notes)

    def facts(self, facts: Mapping[str, Any], title: str, notes: Iterable[str] = ()) -> None:
        """Print names and values."""
        if self.as_json:
            print_json(dict(facts))
            return
        table = Table(box=None)
        table.add_column("", style="cyan")
        table.add_column("", overflow="fold")
        table.show_header = False
        for name, value in facts.items():
            if value is not None:
                table.add_row(escape(name), escape(fact_text(name, value)))
        _print_table(table, title)
        self._print_notes(notes)

    def _write(self, frame: pl.DataFrame) -> None:
        if self.path is not None:
            write_frame(frame, self.path)
            say(f"wrote {self.path}")

    def _print_notes(self, notes: Iterable[str]) -> None:
        for note in notes:
            say(f"note: {note}")


def _print_frame(frame: pl.DataFrame, title: str, below: str = "") -> None:
    """A frame under its title; one too wide for the terminal in pieces below each other."""
    spoken = with_spoken_titles(without_repetition(frame))
    pieces = pieces_of(spoken.drop(below, strict=False), console.width)
    if below in spoken.columns:
        pieces.append(spoken.select(spoken.columns[0], below).drop_nulls(below))
    _print_table(table_of(pieces[0]), title)
    for piece in pieces[1:]:
        console.print(table_of(piece))


def pieces_of(frame: pl.DataFrame, width: int) -> list[pl.DataFrame]:
    """A frame cut into pieces that are no wider than a terminal; each begins with the same columns.

    These are the first column, and the text beside it that tells its rows apart.

    Example:
        >>> frame = pl.DataFrame({"model": ["mf"], "rmse": [0.92], "mae": [0.72]})
        >>> [piece.columns for piece in pieces_of(frame, 16)]
        [['model', 'rmse'], ['model', 'mae']]
    """
    first, second = frame.columns[:1], frame.columns[1:2]
    is_label = frame[first].n_unique() < len(frame) and frame[second].dtypes == [pl.String]
    start = [*first, *second] if is_label else first
    pieces = [[*start]]
    for column in frame.columns[len(start) :]:
        longer = [*pieces[-1], column]
        if len(longer) > len(start) + 1 and _least_width(frame.select(longer)) > width:
            longer = [*start, column]
            pieces.append([])
        pieces[-1] = longer
    return [frame.select(piece) for piece in pieces]


def _least_width(frame: pl.DataFrame) -> int:
    """Characters that a table of a frame needs, its numbers whole."""
    endless = Console(width=10_000)
    return endless.measure(table_of(frame)).minimum


def _print_table(table: Table, title: str) -> None:
    """A table under its title; Rich's own titles fold at the width of the table."""
    console.print()
    _print_text(console, title, "bold")
    console.print(table)


def _print_text(output: Console, text: str, style: str) -> None:
    """Text, on a terminal in lines broken between words; a path stays whole, as all for a pipe."""
    lines = [printable(line) for line in text.split("\n")]
    if output.is_terminal:
        wrapper = textwrap.TextWrapper(output.width, break_long_words=False, break_on_hyphens=False)
        lines = [wrapper.fill(line) for line in lines]
    output.print(escape("\n".join(lines)), style=style, soft_wrap=True)


def program() -> str:
    """The words that call the command line from here: its name, or its path where need be.

    After ``make demo`` it lies in ``.venv/bin``, and no shell would find it by its name.
    """
    called = Path(sys.argv[0])
    if called.name != "tastemap" or not called.is_file():
        return "tastemap"
    on_path = shutil.which("tastemap")
    if on_path is not None and Path(on_path).resolve() == called.resolve():
        return "tastemap"
    here = called.absolute()
    if not here.is_relative_to(Path.cwd()):
        return str(here)
    return f"./{here.name}" if here.parent == Path.cwd() else str(here.relative_to(Path.cwd()))


def command() -> str | None:
    """The command that runs, as it is typed again; None where it is not the command line."""
    if Path(sys.argv[0]).name not in ("tastemap", "__main__.py"):
        return None
    return shlex.join(["tastemap", *sys.argv[1:]])


def say(line: str) -> None:
    """One line on standard error, beside the answer."""
    _print_text(aside, line, "dim")


def complain(line: str) -> None:
    """The line of an error on standard error."""
    _print_text(aside, line, "")


def bar(value: float, most: float, half: int) -> str:
    """A bar to the right of a middle line for what is more than 0, to its left for what is less.

    Args:
        value: What is drawn.
        most: The value, above 0, of a bar of ``half`` characters.
        half: Characters on either side of the middle.

    Example:
        >>> bar(0.5, 1.0, 4), bar(-0.6, 1.0, 4), bar(0.0, 0.0, 4)
        ('    │██', '  ▐██│', '    │')
    """
    n_halves = round(2 * half * abs(value) / most) if most > 0 else 0
    whole, is_odd = "█" * (n_halves // 2), n_halves % 2
    if value < 0:
        return f"{('▐' if is_odd else '') + whole:>{half}}│"
    return f"{' ' * half}│{whole}{'▌' if is_odd else ''}"


@contextlib.contextmanager
def working(what: str) -> Iterator[Callable[[str], None]]:
    """A spinner on standard error; its function sets the text of the details."""
    with aside.status(f"{escape(what)} …") as status:
        yield lambda detail: status.update(f"{escape(what)}: {escape(detail)} …")


@contextlib.contextmanager
def download_bar(name: str, doing: str = "fetching") -> Iterator[Callable[[int, int | None], None]]:
    """A progress bar of bytes; it appears with the first of them."""
    columns = (TextColumn(f"{doing} {escape(name)}"), BarColumn(), DownloadColumn())
    bar = Progress(*columns, console=aside, transient=True, disable=not aside.is_terminal)
    tasks: list[Any] = []

    def progress(done: int, total: int | None) -> None:
        if not tasks:
            bar.start()
            tasks.append(bar.add_task(name, total=total))
        bar.update(tasks[0], completed=done, total=total)

    try:
        yield progress
    finally:
        if tasks:
            bar.stop()


@contextlib.contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar of a count; its function adds a number to what is done."""
    columns = (TextColumn(escape(what)), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=aside, transient=True, disable=not aside.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda n: bar.advance(task, n)


def table_of(frame: pl.DataFrame) -> Table:
    """A Rich table of a frame; text to the left, numbers to the right."""
    table = Table(
        header_style="cyan",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=frame.width > MAX_COLUMNS_APART,
    )
    for name, dtype in frame.schema.items():
        number = dtype.is_numeric()
        # Headings fold at their spaces, titles where they must; a number never folds.
        table.add_column(
            name.replace("_", " ").replace(" ", "\n") if number else name.replace("_", " "),
            justify="right" if number else "left",
            no_wrap=number,
            overflow="fold",
            min_width=None if number else min(_longest(frame[name]), MIN_TEXT_CHARACTERS),
        )
    digits = [digits_of(frame[name], _digits(name)) for name in frame.columns]
    has_metrics = "metric" in frame.columns
    for row in frame.iter_rows():
        if has_metrics:  # the values of a row are what its metric says
            digits = [_digits(row[frame.columns.index("metric")])] * len(row)
        cells = zip(frame.columns, row, digits, strict=True)
        table.add_row(*(escape(cell_text(name, value, n)) for name, value, n in cells))
    return table


def _longest(column: pl.Series) -> int:
    """Characters of the longest cell."""
    return max((len(cell_text(column.name, value)) for value in column), default=0)


def _digits(column: str) -> int:
    """Decimals of the floats in a column of a name, or of a metric."""
    if column.startswith("users"):
        return 0
    has_word = any(word in column for word in WORDS_OF_FOUR_DIGITS)
    return 4 if column in NAMES_OF_FOUR_DIGITS or has_word else 2


def cell_text(column: str, value: Any, digits: int | None = None) -> str:
    """One value as text for a reader; without a number of digits, that of the column's name.

    Example:
        >>> cell_text("test_mae", 0.73951), cell_text("rating", 4.0), cell_text("item_id", 50)
        ('0.7395', '4.00', '50')
    """
    if value is None:
        return ""
    if isinstance(value, float):
        digits = digits_of(pl.Series([value]), _digits(column)) if digits is None else digits
        return f"{value:,.{digits}f}"
    if isinstance(value, list):
        return printable(", ".join(map(str, value)))
    if isinstance(value, int) and not column.endswith(("id", "year", "rank")):
        return f"{value:,}"
    return printable(str(value))


def printable(text: str) -> str:
    """Text without control characters, which could command a terminal.

    Example:
        >>> printable("Alien" + chr(27) + "[2J")
        'Alien�[2J'
    """
    return "".join(letter if letter.isprintable() else "�" for letter in text)


def fact_text(name: str, value: Any) -> str:
    """One fact as text for a reader; a nested one as ``name value, name value``."""
    if isinstance(value, dict):
        inner = {n: f"{v:,.6g}" if isinstance(v, float) else v for n, v in value.items()}
        texts = [f"{n} {fact_text(n, v)}" for n, v in inner.items() if v is not None]
        return ", ".join(texts) or "none"
    if isinstance(value, list | tuple):
        return "; ".join(fact_text(name, v) for v in value) or "none"
    return cell_text(name, value)


def rows_of(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """A frame as a list of plain objects for JSON, with null in place of NaN."""
    return [
        {name: None if value != value else value for name, value in row.items()}  # noqa: PLR0124
        for row in frame.to_dicts()
    ]


def print_json(value: Any) -> None:
    """Write one JSON value to standard output."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=str)
    sys.stdout.write(text + "\n")


def write_frame(frame: pl.DataFrame, path: Path) -> None:
    """Write a frame as CSV, TSV, Parquet or JSON, by the ending of the path, whole or not at all.

    Lists (genres) are joined by "|" in CSV, as MovieLens does, and text that a spreadsheet would
    compute gets an apostrophe before it.
    """
    flat = defused(frame.with_columns(pl.col(pl.List(pl.String)).list.join("|")))
    writers: dict[str, Callable[[Path], Any]] = {
        ".csv": flat.write_csv,
        ".tsv": lambda file: flat.write_csv(file, separator="\t"),
        ".parquet": frame.write_parquet,
        ".json": lambda file: file.write_text(json.dumps(rows_of(frame), default=str)),
    }
    write = writers.get(path.suffix)
    if write is None:
        raise ArgumentError(
            "-o", expected=f"a file ending in {', '.join(TABLE_ENDINGS)}", received=str(path)
        )
    with new_file(path) as fresh:
        write(fresh)
