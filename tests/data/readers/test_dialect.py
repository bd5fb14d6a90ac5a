"""Text of any layout: delimiter, header and encoding are inferred, noted, and can be given."""

from pathlib import Path

import pytest

from tastemap.data.readers.archive import DataFile
from tastemap.data.readers.dialect import Dialect, sniff
from tastemap.data.readers.read import read_ratings
from tastemap.errors import ArgumentError, DataError

ROWS = [("ann", 7, 4.5, 1000), ("bo", 7, 2.0, 3000), ("ann", 9, 3.0, 2000)]
CSV = "user,movieId,stars,date\nann,7,4.5,1000\nbo,7,2,3000\nann,9,3,2000\n"


def same(ratings):
    assert ratings.to_frame().rows() == ROWS
    return ratings.source.notes


@pytest.mark.parametrize("delimiter", ["§", "<->"])
def test_any_other_delimiter_can_be_named(delimiter, write):
    same(read_ratings(write(CSV.replace(",", delimiter)), delimiter=delimiter))
    with pytest.raises(ArgumentError, match="delimiter; expected one character or more; received"):
        read_ratings(write(CSV), delimiter="")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "::"])
@pytest.mark.parametrize("header", [True, False])
def test_delimiter_header_and_columns_are_inferred_and_noted(delimiter, header, write):
    text = CSV if header else CSV.split("\n", 1)[1]
    notes = same(read_ratings(write(text.replace(",", delimiter))))
    names = {",": "comma", ";": "semicolon", "\t": "tab", "|": "|", "::": "::"}
    assert notes[:2] == ("encoding inferred: utf-8", f"delimiter inferred: {names[delimiter]}")
    if header:
        assert notes[2] == "first line read as the header"
        assert "column movieId read as item" in notes
        assert "column stars read as rating" in notes
        assert "column date read as timestamp" in notes
    else:
        assert notes[2] == "first line read as data, not a header"
        assert "column column_2 read as item" in notes
    assert notes[-1] == "times read as seconds since 1970"


def test_every_inference_can_be_overridden(write):
    text = "a;b;c;d\nann;7;4.5;1000\nbo;7;2;3000\nann;9;3;2000\n".encode("utf-16")
    notes = same(
        read_ratings(
            write(text),
            user="a",
            item="b",
            rating="c",
            timestamp="d",
            delimiter=";",
            encoding="utf-16",
            has_header=True,
        )
    )
    assert notes == ("times read as seconds since 1970",)


def test_windows_lines_blank_lines_and_a_byte_order_mark_do_no_harm(write):
    same(read_ratings(write("\ufeff" + CSV.replace("\n", "\r\n"))))
    same(read_ratings(write(CSV.replace("bo,", "\nbo,") + "\n\n")))
    same(read_ratings(write(CSV.encode("utf-16"))))


def test_recboles_typed_header(write):
    text = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    rows = "".join("\t".join(map(str, row)) + "\n" for row in ROWS)
    same(read_ratings(write(text + rows, "x.inter")))


def test_bytes_that_do_not_fit_the_encoding(write):
    text = "user,item,rating\n1,a,3\n1,é,4\n".encode("latin-1")
    assert read_ratings(write(text)).items.ids.to_list() == ["a", "é"]
    assert "encoding inferred: latin-1" in read_ratings(write(text)).source.notes
    with pytest.raises(DataError, match=r"line 3; expected text in utf-8; .* 0xe9; name its enc"):
        read_ratings(write(text), encoding="utf-8")
    with pytest.raises(ArgumentError, match="encoding; expected a text encoding .* 'klingon'"):
        read_ratings(write(text), encoding="klingon")


def test_half_a_character_at_the_end_of_the_first_chunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tastemap.data.readers.archive.CHUNK_BYTES", 1000)
    # The byte 999 is the first of the two of an é.
    start = "user,item,rating\n" + "1,a,3\n" * 163
    text = start + "x" * (999 - len(start)) + "é,b,4\n" + "2,a,3\n"
    path = tmp_path / "x.csv"
    path.write_bytes(text.encode())
    read = read_ratings(path, duplicates="first")
    assert "encoding inferred: utf-8" in read.source.notes
    assert read.users.ids.to_list()[-1].endswith("é")


def test_a_layout_is_what_the_first_lines_say() -> None:
    file = DataFile("x", lambda: b'a;b\n"1;2";3\n')
    text, _ = sniff(file, Dialect())
    layout = text.layout
    assert (layout.columns, layout.delimiter, layout.has_header) == (("a", "b"), ";", True)
    assert (layout.encoding, layout.quoted, layout.certain) == ("utf-8", True, True)
    assert text.strings().rows() == [("1;2", "3")]
