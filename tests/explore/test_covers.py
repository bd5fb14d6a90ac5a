"""Covers can be read whatever their colour, and no word of a title is cut."""

import math
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemap.explore.covers import (
    LINE_WIDTH,
    SHAPE_OF_GENRE,
    SHAPES,
    SIZES,
    cover_svg,
    drawing_rules,
    inks,
    inks_of,
    lettering,
    shape_of,
)

LONG = "Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb"


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def test_white_letters_stand_out_on_every_ground_and_so_does_every_shape() -> None:
    for ground, shapes in inks():
        assert 1.05 / (luminance(ground) + 0.05) >= 4.5
        for shape in shapes:
            assert (luminance(shape) + 0.05) / (luminance(ground) + 0.05) >= 2.4


def test_neighbours_look_alike_and_each_hue_has_as_many_items() -> None:
    angle = np.linspace(0, 2 * math.pi, 960, endpoint=False)
    places = np.stack([np.cos(angle), np.sin(angle)], axis=1) * np.tile([1, 2, 3, 4], 240)[:, None]
    rows = inks_of(places)
    assert np.bincount(rows // 4).tolist() == [40] * 24
    steps = np.abs(np.diff(np.sort(rows // 4)))
    assert steps.max() <= 1
    assert inks_of(np.vstack([places, [[np.nan, 1.0]]]))[-1] == len(inks()) - 1
    assert inks_of(np.full((2, 2), np.nan)).tolist() == [len(inks()) - 1] * 2


def test_each_genre_has_its_shape_and_unknown_ones_always_the_same() -> None:
    assert set(SHAPE_OF_GENRE.values()) <= {*SHAPES}
    assert shape_of(["FILM-NOIR"]) == "blinds"
    assert shape_of(["Gardening"]) == shape_of(["Gardening"])
    assert shape_of([]) in SHAPES


@given(st.text(st.sampled_from("aiWÉ -/(),.…日𝔸"), max_size=90) | st.just(LONG))
def test_lines_hold_whole_words_and_fit(title: str) -> None:
    lines, size, widths = lettering(title)
    assert size in SIZES
    assert all(0 <= width <= 100 * LINE_WIDTH for width in widths)
    shown = "".join("".join(lines).split())
    whole = "".join(title.split())
    if lines and lines[-1].endswith(" …"):
        assert whole.startswith(shown[:-1])
    else:
        assert shown in (whole, "".join(title.partition(" (")[0].split()))


def test_a_long_title_has_small_letters_and_a_short_one_large() -> None:
    assert " ".join(lettering(LONG).lines) == LONG
    assert lettering("Alien").size == SIZES[0]
    assert lettering("Extra-Terrestrial").lines == ["Extra-", "Terrestrial"]


@pytest.mark.parametrize("title", ['<b>"O\'Neill" & Sons</b>', "", "日本" * 40, LONG * 9])
def test_a_cover_is_one_small_element_whose_text_is_text(title: str) -> None:
    text = cover_svg(title, 1999, 5, "planet")
    drawing = ET.fromstring(text)  # noqa: S314 - our own
    assert drawing.attrib["aria-label"] == f"Cover: {title}"
    assert {element.tag for element in drawing.iter()} <= {"svg", "path", "text", "tspan"}
    assert len(text) < 2_000 + 2 * len(title)
    assert "1999" in text
    assert "1999" not in cover_svg(title, None, 5, "planet")


def test_scripts_get_all_that_they_need() -> None:
    rules = drawing_rules()
    assert len(rules["shapes"]) == len(SHAPES)
    assert len(rules["inks"]) == len(inks())
