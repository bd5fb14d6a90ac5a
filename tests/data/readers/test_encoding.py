"""Bytes become lines: encodings by marks, zeros and letters; three ends of lines; long lines."""

import pytest

from tastemap.data.readers import encoding as module
from tastemap.data.readers.archive import DataFile
from tastemap.data.readers.encoding import encoding_so_far, first_lines, guess_encoding, plain
from tastemap.data.readers.read import read_ratings
from tastemap.errors import DataError

CSV = "user,item,rating\nann,Heat,4\nbo,Heat,2\n"
ROWS = [("ann", "Heat", 4), ("bo", "Heat", 2)]


def file_of(content: bytes) -> DataFile:
    return DataFile("x", lambda: content, n_bytes=len(content))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_ends_of_lines_and_encodings(end: str, encoding: str, write) -> None:
    ratings = read_ratings(write(CSV.replace("\n", end).encode(encoding)))
    assert ratings.to_frame().rows() == ROWS
    is_unusual = end in ("\r", "\r\r\n")
    assert ("lines end in carriage returns" in ratings.source.notes) == is_unusual


@pytest.mark.parametrize(
    ("word", "encoding"), [("é", "latin-1"), ("it’s", "cp1252"), ("é\x81", "latin-1")]
)
def test_letters_of_windows_are_told_from_latin_1(word: str, encoding: str, write) -> None:
    text = CSV.replace("Heat", word)
    ratings = read_ratings(write(text.encode(encoding)))
    assert ratings.items.ids.to_list() == [word]
    assert f"encoding inferred: {encoding}" in ratings.source.notes


def test_letters_that_come_late_are_looked_for_in_the_whole_file(write, monkeypatch) -> None:
    monkeypatch.setattr("tastemap.data.readers.archive.CHUNK_BYTES", 200)
    monkeypatch.setattr("tastemap.data.readers.text.CHUNK_BYTES", 200)
    content = (CSV + "".join(f"u{n},Heat,3\n" for n in range(50))).encode() + "z,é,3\n".encode(
        "latin-1"
    )
    late = content + "z,it’s,3\n".encode("cp1252")
    assert encoding_so_far(file_of(late)) == ("utf-8", False)
    assert guess_encoding(file_of(content)) == "latin-1"
    assert guess_encoding(file_of(late)) == "cp1252"
    assert {"é", "it’s"} <= {*read_ratings(write(late)).items.ids}


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(DataError, match="received bytes that are none of these"):
        guess_encoding(file_of(b"a\0b,c,d\n"))
    with pytest.raises(DataError, match=r"line 2; expected text in utf-16-le"):
        plain(file_of("a\n".encode("utf-16-le") + b"\x00\xd8"), "utf-16-le")


def test_only_three_signs_end_a_line_and_files_that_were_joined_have_several_marks() -> None:
    lines = first_lines(file_of("\ufeffa\x85b\u2028c\n\n\ufeffd\r\n".encode()), "utf-8", 9)
    assert lines == [(1, "a\x85b\u2028c"), (3, "d")]


def test_more_is_looked_at_where_lines_are_long(monkeypatch) -> None:
    monkeypatch.setattr(module, "HEAD_BYTES", 10)
    lines = [",".join(["x"] * 50)] * 9
    assert [line.text for line in first_lines(file_of("\n".join(lines).encode()), "utf-8", 9)] == [
        *lines[:5]
    ]
