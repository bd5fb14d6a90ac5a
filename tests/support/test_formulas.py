"""What a spreadsheet would compute is text in our files, and comes back as it was."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemap.support.formulas import defused, defused_text, restored, restored_text

FORMULAS = [
    '=HYPERLINK("http://x","y")',
    "@SUM(1)",
    "-2+3",
    "+1",
    "\tx",
    "\rx",
    "＝1+1",
    "=",
    "'=1",
]
PLAIN = ["Alien", "'Tis", "2001", "M*A*S*H", "", "''", " =1", "x=1", "'"]


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_become_text(text: str) -> None:
    assert defused_text(text) == f"'{text}"
    assert restored_text(f"'{text}") == text


@pytest.mark.parametrize("text", PLAIN)
def test_other_text_stays(text: str) -> None:
    assert defused_text(text) == text
    assert restored_text(text) == text


@given(st.text("'=+-@\t\r\n＝aé\\$1", max_size=6))
def test_the_way_there_and_back_is_the_identity(text: str) -> None:
    assert restored_text(defused_text(text)) == text
    assert defused_text(text).lstrip("'")[:1] == text.lstrip("'")[:1]
    frame = pl.DataFrame({"title": [text, None], "n": [-1, 2]})
    assert defused(frame)["title"].to_list() == [defused_text(text), None]
    assert restored(defused(frame)).equals(frame)


def test_frames_have_their_names_defused_and_their_numbers_as_they_are() -> None:
    frame = pl.DataFrame({"=A1": ["-2+3"], "n": [-1], "genres": [["=x"]]})
    for result in (defused(frame), defused(frame.lazy()).collect()):
        assert result.rows(named=True) == [{"'=A1": "'-2+3", "n": -1, "genres": ["=x"]}]
