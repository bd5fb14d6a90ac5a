"""Figures that are light on light pages and dark on dark ones."""

import re

from tastemap.explore.figures import style

# Colours of the figures, and what they are in the dark: contrast stays, and hues stay what they
# are. A colour that is not here is seen on both grounds.
DARK_COLOURS = {
    "#ffffff": "#1b2127",
    "#000000": "#e6e9ed",
    style.INK: "#e6e9ed",
    style.QUIET: "#a3adb8",
    style.RULE: "#2e363f",
    style.PALE: "#566270",
    style.BLUE: "#3d96d4",
    style.PALETTE[5]: "#a9daf7",
    style.VERMILION: "#f0883e",
    style.GREEN: "#2cc295",
    style.PALETTE[-1]: "#c9ced6",
}
_COLOUR = re.compile(r"(?<=[ :])#[0-9a-f]{6}\b")


def themed(svg: str) -> str:
    """An SVG of Matplotlib whose colours follow the page: CSS variables stand for them.

    An image inside a page has the page's colour scheme, in which its own style sheet is read.

    Example:
        >>> drawn = themed('<svg><path style="fill: #1c2733; stroke: #abcdef"/></svg>')
        >>> 'style="fill: var(--c1c2733); stroke: #abcdef"' in drawn
        True
    """
    dark = {colour.lower(): other for colour, other in DARK_COLOURS.items()}

    def variable(colour: "re.Match[str]") -> str:
        return f"var(--c{colour[0][1:]})" if colour[0] in dark else colour[0]

    drawn = _COLOUR.sub(variable, svg)
    light = "".join(f"--c{colour[1:]}:{colour};" for colour in dark)
    night = "".join(f"--c{colour[1:]}:{other};" for colour, other in dark.items())
    sheet = f"<style>svg{{{light}}}@media (prefers-color-scheme:dark){{svg{{{night}}}}}</style>"
    start = drawn.index(">", drawn.index("<svg")) + 1
    return drawn[:start] + sheet + drawn[start:]
