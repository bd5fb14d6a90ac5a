"""A cover for each item: its colour from its place among the others, its shape from its genre.

A cover is a drawing of `WIDTH` by `HEIGHT` units: the year, the title in letters as large as fit,
and below them the shape. No line is wider than the cover, whatever font a browser has: each is
drawn at the width that is computed here, in whole numbers. The exported site draws the same covers
in the browser, from `drawing_rules` (static/covers.js).
"""

import math
from collections.abc import Sequence
from functools import cache, lru_cache
from html import escape
from typing import Any, NamedTuple

import numpy as np

from tastemap.arrays import F64, I64, FloatArray

WIDTH, HEIGHT = 100, 150
# Where text begins and how wide a line may be; the lines of a title lie between two heights.
MARGIN, LINE_WIDTH, TOP, BOTTOM = 9, 82, 24, 90
# Sizes of letters of a title, the largest first; what follows is in hundredths of a size.
SIZES = (18, 16, 14, 12, 11, 10, 9, 8)
LINE_HEIGHT = 114
# A word is broken after a hyphen or a stroke that has so many letters on both sides; one that is at
# most so wide, in hundredths of a line, is drawn narrower.
MIN_PART, MAX_SQUEEZE = 3, 115
# Widths of letters, as in Arial's bold; of those that are not listed, and of signs of
# East Asia, which begin at a code point.
WIDTHS = {
    **dict.fromkeys("ijlI.,:;'’!| ", 29),
    **dict.fromkeys("frt-()/", 38),
    **dict.fromkeys("mwMW@%", 88),
    **dict.fromkeys("ABCDEFGHKNOPQRSTUVXYZ&", 70),
}
WIDTH_OF_LETTER, WIDTH_OF_SIGN, FIRST_SIGN = 57, 100, 0x2E80
# So many covers are kept, drawn.
MAX_COVERS = 1024
# Colours: so many hues around the middle of the map, and so many tones from there outwards. The
# ground is dark enough for white letters, which people who see few colours read as well.
N_HUES, N_TONES = 24, 4
LIGHTNESS_OF_GROUND, CHROMA_OF_GROUND = (0.53, 0.48, 0.43, 0.37), (0.06, 0.085, 0.1, 0.1)
# Shapes differ from their ground in lightness, and by so many degrees in hue; a title has its turn.
LIGHTNESS_OF_SHAPE, CHROMA_OF_SHAPE, TURNS_OF_SHAPE = 0.81, 0.1, (40.0, -45.0, 150.0)
# Blue stands where the map begins, to the right.
FIRST_HUE = 250.0

_DISC = "a{0} {0} 0 1 0 {1} 0a{0} {0} 0 1 0-{1} 0z"


def _disc(x: float, y: float, radius: float) -> str:
    """A disc as a path."""
    return f"M{x - radius:g} {y:g}" + _DISC.format(f"{radius:g}", f"{2 * radius:g}")


def _box(x: float, y: float, width: float, height: float) -> str:
    """A rectangle as a path."""
    return f"M{x:g} {y:g}h{width:g}v{height:g}h-{width:g}z"


# Shapes on the lower part of a cover; where parts of one overlap, they leave the ground free.
SHAPES = {
    "rings": "M0 150a50 50 0 0 1 100 0H88a38 38 0 0 0-76 0zM24 150a26 26 0 0 1 52 0H64a14 14 0 0 0"
    "-28 0z",
    "smiles": "".join(
        f"M{x} {y}h26a13 13 0 0 1-26 0z" for y in (100, 118, 136) for x in (5, 37, 69)
    ),
    "slashes": "".join(f"M{x} 150L{x + 44} 98h13L{x + 13} 150z" for x in (-30, -4, 22, 48, 74)),
    "bars": "".join(
        _box(x, 98, width, 52)
        for x, width in ((0, 22), (30, 16), (54, 11), (72, 7), (85, 4), (94, 2))
    ),
    "links": _disc(37, 124, 24) + _disc(63, 124, 24),
    "planet": _disc(50, 124, 19)
    + "M12 133c-9-5 20-14 44-21s42-7 34 1c14-13-14-13-38-6s-52 18-40 26z"
    + _disc(16, 104, 2)
    + _disc(84, 141, 2.5)
    + _disc(74, 101, 1.5),
    "peaks": "M-6 150L30 98l36 52zM40 150l28-38 34 38zM30 98l9 13-9 6-9-6z",
    "blocks": _box(6, 120, 24, 24)
    + _disc(50, 132, 13)
    + "M68 144l13-25 13 25z"
    + _disc(18, 108, 6),
    "bounce": _disc(12, 140, 6) + _disc(30, 120, 8) + _disc(54, 113, 10) + _disc(82, 126, 12),
    "aim": _disc(50, 124, 24)
    + _disc(50, 124, 17)
    + _disc(50, 124, 5)
    + _box(48.5, 94, 3, 16)
    + _box(48.5, 138, 3, 16)
    + _box(20, 122.5, 16, 3)
    + _box(64, 122.5, 16, 3),
    "teeth": "M0 98h100v8L90 128 80 106 70 128 60 106 50 128 40 106 30 128 20 106 10 128 0 106z"
    "M0 150l20-20 20 20 20-20 20 20 20-20v20z",
    "chevrons": "".join(f"M8 {y}l42-16 42 16v11L50 {y - 5} 8 {y + 11}z" for y in (114, 132, 150)),
    "levels": "".join(
        _box(x, 150 - height, 8, height)
        for x, height in zip(range(6, 96, 11), (18, 34, 26, 46, 38, 52, 30, 22), strict=False)
    ),
    "horizon": "M22 130a28 28 0 0 1 56 0zM6 135h88v3H6zM14 142h72v2.5H14zM24 148h52v2H24z",
    "frame": "M10 100h22v5H15v16h-5zM68 100h22v21h-5v-16H68zM10 148v-21h5v16h17v5zM90 148v-21h-5v16"
    "H68v5z" + _disc(50, 124, 9),
    "moon": "M58 98a26 26 0 1 0 24 38 22 22 0 1 1-24-38z"
    "M76 100l2.5 7.5 7.5 2.5-7.5 2.5-2.5 7.5-2.5-7.5-7.5-2.5 7.5-2.5z" + _disc(16, 104, 2),
    "blinds": "".join(_box(0, y, 100, 4.5) for y in range(100, 150, 9)) + "M62 96h14l-34 58H28z",
    "keyhole": _disc(50, 124, 25) + "M50 108a9 9 0 0 1 5 16.5l4 15.5H41l4-15.5a9 9 0 0 1 5-16.5z",
    "columns": "M8 106L50 94l42 12z"
    + "".join(_box(x, 110, 10, 32) for x in (14, 35, 55, 76))
    + _box(8, 145, 84, 5),
    "lanes": "M-4 150a60 60 0 0 1 60-54h50v7H56a53 53 0 0 0-53 47zM16 150a40 40 0 0 1 40-38h50v7H56"
    "a33 33 0 0 0-33 31zM36 150a20 20 0 0 1 20-22h50v7H56a13 13 0 0 0-13 15z",
    "quarters": "M0 100h25a25 25 0 0 1-25 25zM50 100v25a25 25 0 0 1-25-25zM50 100h25a25 25 0 0 1-25"
    " 25zM100 100v25a25 25 0 0 1-25-25zM0 150v-25a25 25 0 0 1 25 25zM25 125h25v25a25 25 0 0 1-25-25"
    "zM50 125a25 25 0 0 1 25 25H50zM75 150a25 25 0 0 1 25-25v25z",
    "waves": "".join(
        f"M0 {y}q12.5-14 25 0t25 0 25 0 25 0v6q-12.5 14-25 0t-25 0-25 0-25 0z"
        for y in (104, 122, 140)
    ),
    "diamonds": "".join(
        f"M{x} {y - 12}l12 12-12 12-12-12z" for y in (112, 138) for x in (14, 38, 62, 86)
    )
    + "".join(_disc(x, 125, 3) for x in (2, 26, 50, 74, 98)),
}
# The shape of each genre; genres of other names have one of the last three, by their letters.
SHAPE_OF_GENRE = {
    "drama": "rings",
    "comedy": "smiles",
    "humor": "smiles",
    "action": "slashes",
    "thriller": "bars",
    "romance": "links",
    "sci-fi": "planet",
    "science fiction": "planet",
    "adventure": "peaks",
    "travel": "peaks",
    "children's": "blocks",
    "children": "blocks",
    "family": "blocks",
    "animation": "bounce",
    "anime": "bounce",
    "crime": "aim",
    "horror": "teeth",
    "war": "chevrons",
    "musical": "levels",
    "music": "levels",
    "western": "horizon",
    "documentary": "frame",
    "nonfiction": "frame",
    "fantasy": "moon",
    "film-noir": "blinds",
    "mystery": "keyhole",
    "history": "columns",
    "biography": "columns",
    "classics": "columns",
    "sport": "lanes",
    "sports": "lanes",
}
OTHER_SHAPES = ("quarters", "waves", "diamonds")


class Ink(NamedTuple):
    """The colour of the ground of a cover, and those of its shape to choose from, as #rrggbb."""

    ground: str
    shapes: tuple[str, ...]


def inks_of(places: FloatArray) -> I64:
    """The colours of items by their places, so that neighbours look alike.

    Around the middle of the map runs the hue, and the farther out, the darker and the fuller the
    colour. Both go by ranks: each hue and each tone is that of as many items.

    Args:
        places: Where the items lie, (n, 2); NaN where that is not known.

    Returns:
        int64 (n,), rows of `inks`; the last row for an item whose place is not known.

    Example:
        >>> places = np.array([[1.0, 0.1], [-1.0, 0.1], [1.1, 0.1], [np.nan, 0.0]])
        >>> inks_of(places).tolist()
        [0, 66, 1, 96]
    """
    rows = np.full(len(places), N_HUES * N_TONES)
    drawn = np.flatnonzero(np.isfinite(places).all(axis=1))
    centred = places[drawn] - np.median(places[drawn], axis=0) if len(drawn) else places[drawn]
    hue = _shares(np.arctan2(centred[:, 1], centred[:, 0]))
    distance = _shares(np.hypot(centred[:, 0], centred[:, 1]))
    rows[drawn] = (hue * N_HUES).astype(int) * N_TONES + (distance * N_TONES).astype(int)
    return rows


def _shares(values: F64) -> F64:
    """The share of the values that are smaller than each, in [0, 1)."""
    return np.searchsorted(np.sort(values), values) / max(len(values), 1)


@cache
def inks() -> tuple[Ink, ...]:
    """All colours: tone by tone of each hue, and a grey."""
    turns = [FIRST_HUE + 360.0 * hue / N_HUES for hue in range(N_HUES)]
    coloured = [
        Ink(
            _hex(LIGHTNESS_OF_GROUND[tone], CHROMA_OF_GROUND[tone], turn),
            tuple(
                _hex(LIGHTNESS_OF_SHAPE, CHROMA_OF_SHAPE, turn + more) for more in TURNS_OF_SHAPE
            ),
        )
        for turn in turns
        for tone in range(N_TONES)
    ]
    return (
        *coloured,
        Ink(_hex(0.45, 0.015, FIRST_HUE), (_hex(0.81, 0.02, FIRST_HUE),) * len(TURNS_OF_SHAPE)),
    )


def _hex(lightness: float, chroma: float, hue: float) -> str:
    """A colour of OKLCH (Ottosson 2020) in sRGB; one outside of it with less chroma."""
    while True:
        a, b = (chroma * turn(math.radians(hue)) for turn in (math.cos, math.sin))
        long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
        middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
        short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
        linear = (
            4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
        )
        if all(-1e-4 <= part <= 1 for part in linear):
            return "#" + "".join(f"{round(255 * _encoded(max(part, 0.0))):02x}" for part in linear)
        chroma *= 0.97


def _encoded(linear: float) -> float:
    """A part of a colour as sRGB writes it."""
    return 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055


def shape_of(genres: Sequence[str]) -> str:
    """The name of the shape of the first genre that has one of its own.

    Example:
        >>> shape_of(["Sci-Fi", "Action"]), shape_of(["Gardening", "Drama"]), shape_of([])
        ('planet', 'rings', 'quarters')
    """
    names = [genre.casefold() for genre in genres]
    for name in names:
        if name in SHAPE_OF_GENRE:
            return SHAPE_OF_GENRE[name]
    return OTHER_SHAPES[sum(map(ord, names[0])) % len(OTHER_SHAPES) if names else 0]


class Lettering(NamedTuple):
    """The lines of a title, the size of its letters, and the width of each line in hundredths."""

    lines: list[str]
    size: int
    widths: list[int]


def lettering(title: str) -> Lettering:
    """A title in letters as large as fit, in lines that are broken between words.

    Names in brackets are left out. A title that is too long for the smallest letters ends after the
    last word that fits.

    Example:
        >>> lettering("Cité des enfants perdus (City of Lost Children)").lines
        ['Cité des', 'enfants', 'perdus']
    """
    words = (title.partition(" (")[0].strip(" ") or title).split(" ")
    parts = [part for word in words if word for part in _parts(word)]
    most = 100 * LINE_WIDTH
    for size in SIZES:
        lines = _lines(parts, most // size)
        n_fitting = 100 * (BOTTOM - TOP) // (size * LINE_HEIGHT)
        widest = max(map(_width, lines), default=0) * size
        if len(lines) <= n_fitting and 100 * widest <= MAX_SQUEEZE * most:
            break
    if len(lines) > n_fitting:
        lines = [*lines[: n_fitting - 1], f"{lines[n_fitting - 1]} …"]
    return Lettering(lines, size, [min(_width(line) * size, most) for line in lines])


def _parts(word: str) -> list[str]:
    """A word, cut after hyphens and strokes; the last part ends with the blank after the word.

    Example:
        >>> _parts("Extra-Terrestrial"), _parts("F/X")
        (['Extra-', 'Terrestrial '], ['F/X '])
    """
    parts, start = [], 0
    for place, letter in enumerate(word):
        if letter in "-/" and min(place - start, len(word) - place - 1) >= MIN_PART:
            parts.append(word[start : place + 1])
            start = place + 1
    return [*parts, f"{word[start:]} "]


def _lines(parts: Sequence[str], most: int) -> list[str]:
    """Parts of words in lines that are at most so wide; a wider part has a line of its own."""
    lines: list[str] = []
    for part in parts:
        if lines and _width((lines[-1] + part).rstrip(" ")) <= most:
            lines[-1] += part
        else:
            lines.append(part)
    return [line.rstrip(" ") for line in lines]


def _width(text: str) -> int:
    """How wide a text is, in hundredths of the size of its letters."""
    return sum(
        WIDTHS.get(letter, WIDTH_OF_SIGN if ord(letter) >= FIRST_SIGN else WIDTH_OF_LETTER)
        for letter in text
    )


@lru_cache(MAX_COVERS)
def cover_svg(title: str, year: int | None, ink: int, shape: str) -> str:
    """A cover as an SVG element, with the title as its alternative text.

    Args:
        title: As people say it.
        year: Its year, if it has one.
        ink: A row of `inks`.
        shape: A name among `SHAPES`.

    Returns:
        The element, some 600 bytes; the text in it is escaped.

    Example:
        >>> cover_svg("Heat", 1995, 0, "aim").count("<text")
        2
    """
    ground, colours = inks()[ink]
    colour = colours[sum(map(ord, title)) % len(colours)]
    lines, size, widths = lettering(title)
    text = (
        f'<text class="cover-year" x="{MARGIN}" y="18" font-size="9">{year}</text>' if year else ""
    )
    text += f'<text font-size="{size}">'
    for number, (line, width) in enumerate(zip(lines, widths, strict=True)):
        y = 100 * (TOP + size) + number * size * LINE_HEIGHT
        text += (
            f'<tspan x="{MARGIN}" y="{y / 100:g}" textLength="{width / 100:g}"'
            f' lengthAdjust="spacingAndGlyphs">{escape(line)}</tspan>'
        )
    return (
        f'<svg class="cover" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' aria-label="Cover: {escape(title)}"><path fill="{ground}" d="M0 0h{WIDTH}v{HEIGHT}H0z"/>'
        f'<path fill="{colour}" fill-rule="evenodd" d="{SHAPES[shape]}"/>{text}</text></svg>'
    )


def drawing_rules() -> dict[str, Any]:
    """All that a script needs to draw the same covers, ready for JSON."""
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": MARGIN,
        "lineWidth": LINE_WIDTH,
        "minPart": MIN_PART,
        "maxSqueeze": MAX_SQUEEZE,
        "top": TOP,
        "bottom": BOTTOM,
        "sizes": SIZES,
        "lineHeight": LINE_HEIGHT,
        "widths": WIDTHS,
        "widthOfLetter": WIDTH_OF_LETTER,
        "widthOfSign": WIDTH_OF_SIGN,
        "firstSign": FIRST_SIGN,
        "inks": inks(),
        "shapes": list(SHAPES.values()),
    }
