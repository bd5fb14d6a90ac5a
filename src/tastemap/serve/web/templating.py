"""The templates of the pages, and how they write ratings, differences and parts."""

import math
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tastemap.data.scale import Scale
from tastemap.models.base.explanation import part_in_words
from tastemap.serve.web.static import address
from tastemap.support.counts import percentage
from tastemap.support.titles import spoken

# From here on a slider's value is more than a little, and far more.
MODERATE, STRONG = 0.35, 0.75
HERE = Path(__file__).parent.parent


@cache
def templates() -> Environment:
    """The templates; whatever they are given is text, and a name they are not given an error."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "plain": plain,
        "signed": signed,
        "percentage": percentage,
        "fixed": lambda value, digits: f"{value:.{digits}f}",
        "along": along,
        "spoken": spoken,
        "segment": lambda value: quote(str(value), safe=""),
        "part_name": part_in_words,
        "host": lambda address: urlsplit(address).netloc,
    }
    environment.globals["static"] = address
    return environment


def plain(value: float) -> str:
    """A rating as it is written.

    Example:
        >>> plain(4.0), plain(3.5)
        ('4', '3.5')
    """
    return f"{value:g}"


def signed(value: float, digits: int = 3) -> str:
    """A difference, always with its sign.

    Example:
        >>> signed(0.5), signed(-0.25, 2)
        ('+0.500', '−0.25')
    """
    return ("−" if value < 0 else "+") + f"{abs(value):.{digits}f}"


def mixed(slider: str, value: float) -> str:
    """What a slider does to the picks, in words; static/sliders.js says the same.

    Example:
        >>> mixed("novelty", 0.0), mixed("novelty", -0.3), mixed("diversity", 1.0)
        ('as they are', 'a little more familiar', 'far more varied')
    """
    if not value:
        return "as they are"
    word = {"novelty": "surprising" if value > 0 else "familiar"}.get(slider, "varied")
    size = abs(value)
    degree = "a little more" if size < MODERATE else "more" if size < STRONG else "far more"
    return f"{degree} {word}"


def digits_of(largest: float) -> int:
    """So many digits after the point show the first two of the largest of some numbers, or three.

    Example:
        >>> digits_of(0.85), digits_of(0.0045)
        (3, 4)
    """
    return max(3, 1 - math.floor(math.log10(largest))) if largest > 0 else 3


def along(value: float, scale: Scale) -> float:
    """Where a value lies on a gauge of 100 units.

    Example:
        >>> along(3.0, Scale(1, 5, 1)), along(9.0, Scale(1, 5, 1))
        (50.0, 96.0)
    """
    width = (scale.highest - scale.lowest) or 1.0
    share = (min(max(value, scale.lowest), scale.highest) - scale.lowest) / width
    return round(4 + 92 * share, 1)
