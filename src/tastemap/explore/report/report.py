"""One self-contained HTML report: text, figures, tables, a map; opens with no network."""

import re
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Self, TypeAlias

import polars as pl

from tastemap.errors import ArgumentError
from tastemap.explore.report.blocks import (
    Code,
    Facts,
    Picture,
    Questions,
    Summary,
    Table,
    Text,
)
from tastemap.explore.report.page import Fragment, document, write_page

#: What a section holds; a string stands for `Text`, a frame for `Table`.
Block: TypeAlias = (
    str | pl.DataFrame | Text | Table | Picture | Facts | Questions | Code | Summary | Fragment
)


@dataclass
class Report:
    """A report in sections, with a table of contents and, on top, a summary if it has one.

    Every text is escaped: no part of it can become markup.

    Example:
        >>> from tastemap.explore.report.blocks import Facts
        >>> report = Report("Films", "what 943 people think of 1,682 films")
        >>> html = report.section("Sizes", "As read.", Facts([("ratings", 100_000)])).html()
        >>> "<h2" in html, "100,000" in html
        (True, True)
    """

    title: str
    subtitle: str = ""
    sections: list[tuple[str, tuple[Block, ...]]] = field(default_factory=list)
    summary: Summary | None = None

    def section(self, title: str, *blocks: Block) -> Self:
        """Add a section; blocks follow each other down the page.

        Raises:
            ArgumentError: If a report cannot show blocks of this kind.
        """
        for block in blocks:
            if not isinstance(block, Block):
                raise ArgumentError(
                    "block",
                    expected="text, a frame, or a block of tastemap.explore.report.blocks",
                    received=type(block).__name__,
                    do="wrap a figure in Picture(figure, alt)",
                )
        self.sections.append((title, blocks))
        return self

    def html(self) -> str:
        """The whole page."""
        names = _anchors([title for title, _ in self.sections])
        contents = "".join(
            f'<li><a href="#{name}">{escape(title)}</a></li>'
            for name, (title, _) in zip(names, self.sections, strict=True)
        )
        scripts: list[str] = []
        parts = []
        for name, (title, blocks) in zip(names, self.sections, strict=True):
            rendered = [_rendered(block) for block in blocks]
            scripts += [script for part in rendered for script in part.scripts]
            inner = "\n".join(part.html for part in rendered)
            parts.append(
                f'<section aria-labelledby="{name}">\n'
                f'<h2 id="{name}">{escape(title)}</h2>\n{inner}\n</section>'
            )
        subtitle = f'<p class="subtitle">{escape(self.subtitle)}</p>' if self.subtitle else ""
        body = (
            f'<nav aria-label="Contents"><p>Contents</p><ol>{contents}</ol></nav>\n'
            f"<main>\n<header><h1>{escape(self.title)}</h1>{subtitle}"
            f"{'' if self.summary is None else self.summary.html()}</header>\n"
            + "\n".join(parts)
            + "\n</main>"
        )
        return document(self.title, body, scripts)

    def write(self, path: str | Path) -> Path:
        """Write the page whole or not at all; if it fails, an older report stays.

        Raises:
            OSError: If the file cannot be written.
        """
        return write_page(path, self.html())


def _rendered(block: Block) -> Fragment:
    """One block as markup."""
    if isinstance(block, Fragment):
        return block
    if isinstance(block, str):
        block = Text(block)
    if isinstance(block, pl.DataFrame):
        block = Table(block)
    return Fragment(block.html())


def _anchors(titles: list[str]) -> list[str]:
    """A name for each section to link to: its words, with a number if two are equal."""
    names: list[str] = []
    for title in titles:
        stem = re.sub(r"\W+", "-", title.casefold()).strip("-") or "section"
        name, n = stem, 1
        while name in names:
            n += 1
            name = f"{stem}-{n}"
        names.append(name)
    return names
