"""Numbers as people write them, and nothing that Python alone takes for one."""

import pytest

from tastemap.support.numerals import number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3.0),
        (" -0.5 ", -0.5),
        ("\N{MINUS SIGN}1", -1.0),
        ("5.", 5.0),
        (".5", 0.5),
        ("1e3", 1e3),
    ],
)
def test_numbers_are_read(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize(
    "text", ["", "1_0", "٣", "３", "inf", "nan", "1e999", "0x10", "1,5", "five", "1 0", "--1"]
)
def test_all_else_is_none(text: str) -> None:
    assert number(text) is None
