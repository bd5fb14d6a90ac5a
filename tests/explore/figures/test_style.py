"""The style of figures."""

from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from tastemap.explore.figures import style


def test_a_label_stands_on_the_side_of_its_offset() -> None:
    ax = Figure().subplots()
    sides = {(5, 0): "left", (-5, 0): "right", (0, 5): "center"}
    for offset, side in sides.items():
        text = style.label(ax, "x", (0, 0), offset)
        assert text.get_horizontalalignment() == side
        assert text.get_verticalalignment() == ("center" if offset[0] else "baseline")
    assert style.label(ax, "x", (0, 0), (5, 0), ha="right").get_horizontalalignment() == "right"


def test_colours_differ_and_dollars_are_no_formula() -> None:
    assert len({to_rgb(colour) for colour in style.PALETTE}) == 7
    with style.styled():
        figure, axes = style.new_figure("Ca$h $x$", panels=2)
    assert [text.get_text() for text in figure.texts] == ["Ca$h $x$"]
    assert not figure.texts[0].get_parse_math()
    assert len(axes) == 2


def test_a_character_that_the_font_lacks_is_not_drawable() -> None:
    assert style.drawable("Amélie")
    assert not style.drawable("千と千尋")
