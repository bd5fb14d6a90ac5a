"""Figures in the dark."""

import re
import xml.etree.ElementTree as ET

from tastemap.explore.figures import style
from tastemap.explore.report.themed_svg import DARK_COLOURS, themed


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2."""
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_only_colours_of_the_figures_follow_the_page() -> None:
    drawn = themed('<svg a="1">\n<path style="fill: #0072b2"/><g id="#0072b2x" fill="red"/></svg>')
    ET.fromstring(drawn)  # noqa: S314 - our own
    assert 'style="fill: var(--c0072b2)"' in drawn
    assert 'id="#0072b2x"' in drawn
    dark = drawn.partition("prefers-color-scheme:dark")[2]
    assert {*re.findall(r"--c(\w{6}):", dark)} == {key[1:].lower() for key in DARK_COLOURS}


def test_words_and_lines_are_seen_on_the_dark_ground() -> None:
    ground = luminance(DARK_COLOURS["#ffffff"])
    for colour in (style.INK, style.QUIET, style.BLUE, style.VERMILION, style.GREEN):
        contrast = (luminance(DARK_COLOURS[colour]) + 0.05) / (ground + 0.05)
        assert contrast >= 4.5, colour
    for colour in style.PALETTE:
        shown = luminance(DARK_COLOURS.get(colour, colour))
        assert (shown + 0.05) / (ground + 0.05) >= 3, colour
