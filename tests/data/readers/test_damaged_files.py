"""Files that are damaged, or no files at all: read, or refused by an error of ours in one line."""

import gzip
import io
import os
import random
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tastemap.data.datasets.fetch import load_dataset
from tastemap.data.readers.movielens import read_movielens
from tastemap.data.readers.prepare import prepare_ratings
from tastemap.data.readers.read import read_ratings
from tastemap.errors import ArgumentError, DataError, TastemapError

ROWS = [(n // 6 + 1, n % 7 + 1, n % 5 + 1.0, 978_300_000 + n) for n in range(40)]
COLUMNS = ["userId", "movieId", "rating", "timestamp"]
FRAME = pl.DataFrame(ROWS, schema=COLUMNS, orient="row")
TITLED = FRAME.with_columns(title=pl.format('"Film" {}, the', "movieId"), genres=pl.lit("a|b"))
# Mutations of each file; all of them together take a few seconds.
N_MUTATIONS = 40


def text(frame: pl.DataFrame, delimiter: str, *, header: bool) -> bytes:
    return frame.write_csv(separator=delimiter, include_header=header).encode()


def packed(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def binary(write: Callable[[io.BytesIO], object]) -> bytes:
    file = io.BytesIO()
    write(file)
    return file.getvalue()


CSV = text(TITLED, ",", header=True)
FILES = {
    "csv": CSV,
    "tsv": text(FRAME, "\t", header=False),
    "dat": text(FRAME, "\t", header=False).replace(b"\t", b"::"),
    "dates": CSV.replace(b",9783000", b",2001-01-01T00:00:"),
    "latin-1": CSV.replace(b"Film", "Fürm".encode("latin-1")),
    "utf-16": CSV.decode().encode("utf-16"),
    "gz": gzip.compress(CSV),
    "zip": packed("x/ratings.csv", text(FRAME, ",", header=True)),
    "zip-100k": packed("u.data", text(FRAME, "\t", header=False)),
    "parquet": binary(TITLED.write_parquet),
    "parquet-plain": binary(lambda file: FRAME.write_parquet(file, compression="uncompressed")),
    "arrow": binary(TITLED.write_ipc),
    "inter": b"user_id:token\titem_id:token\trating:float\n1\t2\t3\n2\t3\t4\n",
}


def mutated(content: bytes, draw: random.Random) -> bytes:
    """The bytes with some of them changed, cut off, left out, doubled, or put elsewhere."""
    data = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 8))):
        start = draw.randrange(len(data) or 1)
        end = start + draw.choice((1, 2, 4, 16, 64))
        how = draw.randrange(6)
        if how <= 1 and data:
            data[start : start + 1] = bytes(
                [draw.choice((0, 1, 34, 44, 57, 127, 128, 255, start % 256))]
            )
        elif how == 2:
            data[start:end] = draw.randbytes(end - start)
        elif how == 3:
            del data[start : end if draw.random() < 0.7 else None]
        elif how == 4:
            data[start:start] = data[start:end] * draw.choice((1, 3, 50))
        else:
            data[start:start] = data[: end - start]
    return bytes(data)


def refusal(path: Path, **options: str) -> str:
    """Why a file is refused, or "" where it is read; any other error than ours ends the test."""
    try:
        read_ratings(path, **options)
    except TastemapError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("kind", FILES)
def test_damaged_files_are_read_or_refused(kind: str, tmp_path: Path) -> None:
    draw, path = random.Random(kind), tmp_path / "ratings"  # noqa: S311 - no secret
    path.write_bytes(FILES[kind])
    assert len(read_ratings(path)) >= 2
    for _ in range(N_MUTATIONS):
        path.write_bytes(mutated(FILES[kind], draw))
        assert "\n" not in refusal(path, on_bad_row=draw.choice(("error", "skip")))


# ---- what mutations, or people, came to ----


@pytest.mark.parametrize("how", ["error", "skip"])
@pytest.mark.parametrize(
    "content",
    [
        b"user,item,rating\n1,2,3\n" + b"a" * 140_000 + b",2,3\n",  # more than csv's limit
        b"a" * 140_000 + b",b,c\n1,2,3\n",
        b'user,item,rating\n1,"' + b"a" * 140_000 + b'",3\n1,2,x\n',
        b"user,item,rating\n1,2,1e400\n",
        b"user,item,rating\n1,2," + b"9" * 6_000 + b"\n",
        b"user\nitem\nrating\n",
        b"\xff\xfe",
        b"\xff\xfeu\0s",
        b"\0" * 100,
        b'"' * 1_001,
        b"," * 50_000 + b"\n1,2,3\n",
        b"PAR1",
        b"PAR1\0\0\0\0PAR1",
        b"PAR1" + b"\xff" * 64 + b"PAR1",
        b"ARROW1",
        b"ARROW1\0\0" + b"\xff" * 64 + b"ARROW1",
        b"\x1f\x8b",
        b"\x1f\x8b\x08\0" + b"\xff" * 40,
        b"PK\x03\x04",
        b"(\xb5/\xfd" + b"\xff" * 40,  # zstandard
        b"BZh9" + b"\xff" * 40,
        b"\xfd7zXZ\0" + b"\xff" * 40,
    ],
)
def test_odd_files_are_refused(content: bytes, how: str, tmp_path: Path) -> None:
    path = tmp_path / "ratings"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_ratings(path, on_bad_row=how)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message


def test_times_that_no_calendar_has_are_named_or_skipped(tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    path.write_text("user,item,rating,time\n1,2,3,5\n1,3,3,1e20\n1,4,3,6\n1,5,3,nan\n")
    assert read_ratings(path).timestamp is None
    with pytest.raises(DataError, match=r"line 3, column time; expected seconds .* '1e20'"):
        read_ratings(path, timestamp="time")
    read = read_ratings(path, on_bad_row="skip")
    assert (len(read), read.timestamp) == (4, None)
    filled = read_ratings(path, on_bad_row="skip", missing_times="fill")
    assert filled.timestamp.tolist() == [5, 5, 6, 5]
    named = read_ratings(path, on_bad_row="skip", missing_times="fill", timestamp="time")
    assert named.timestamp.tolist() == [5, 6, 5]  # "nan" says that a time is missing
    frame = pl.DataFrame({"user": [1], "item": [2], "rating": [3], "time": [2**63]})
    for times in (
        pl.Series([1e20]),
        pl.Series([float("-inf")]),
        pl.Series([2**63], dtype=pl.UInt64),
    ):
        with pytest.raises(DataError, match="row 1, column time; expected seconds since"):
            read_ratings(frame.with_columns(time=times), timestamp="time")
        assert read_ratings(frame.with_columns(time=times)).timestamp is None


@pytest.mark.parametrize(
    "time", ["1e20", "1e400", "-1e400", "9223372036854775808", "99999-12-31", "31.05.24", "soon"]
)
@pytest.mark.parametrize("how", ["error", "skip"])
def test_a_column_of_no_times_is_left_out_unless_it_is_named(time, how, tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    path.write_text(f"user,item,rating,time\n1,2,3,{time}\n2,2,4,{time}\n")
    read = read_ratings(path, on_bad_row=how)
    assert (len(read), read.timestamp) == (2, None)
    assert any("times" in note and time.lstrip("-")[:2] in note for note in read.source.notes)
    with pytest.raises(DataError, match="expected (seconds since 1970|at least one rating)"):
        read_ratings(path, on_bad_row=how, timestamp="time")


@pytest.mark.parametrize(
    "encoding",
    [
        *("rot13", "hex", "base64", "idna", "punycode", "undefined", "unknown", "", "a\0b", "é"),
        *("unicode_escape", "raw_unicode_escape", "zlib"),
    ],
)
def test_what_is_no_encoding_of_text_is_refused(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    path.write_bytes(CSV)
    with pytest.raises(ArgumentError, match="encoding; expected a text encoding such as 'utf-8'"):
        read_ratings(path, encoding=encoding)


@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-16-le", "utf-32", "utf-7", "cp037", "utf-8-sig", "big5", "ascii"]
)
def test_other_encodings_are_read_or_refused(encoding: str, tmp_path: Path) -> None:
    path, draw = tmp_path / "ratings.csv", random.Random(1)  # noqa: S311 - no secret
    sound = CSV.decode().encode(encoding)
    for content in (sound, *(mutated(sound, draw) for _ in range(20)), b"+2AA-,1,2\n3,4,5\n", CSV):
        path.write_bytes(content)
        for on_bad_row in ("error", "skip"):
            assert "\n" not in refusal(path, encoding=encoding, on_bad_row=on_bad_row)


# ---- no files ----

READERS: list[Callable[[Path], object]] = [
    read_ratings,
    read_movielens,
    lambda path: load_dataset("ml-100k", source=path, report=lambda _: None),
    lambda path: prepare_ratings(path, path.parent / "prepared"),
]


@pytest.mark.parametrize("reader", READERS)
def test_pipes_sockets_and_folders_are_no_files(
    reader: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASTEMAP_DATA", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)  # the address of a socket is short
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        (tmp_path / "folder" / "ratings.csv").mkdir(parents=True)
        for name in ("pipe", "socket", "folder", "nothing", "nu\0l", "x" * 5_000):
            with pytest.raises(TastemapError):
                reader(tmp_path / name)


def test_the_shell_does_not_wait_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    command = [sys.executable, "-m", "tastemap", "describe", str(tmp_path / "pipe")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert "expected a file; received a pipe, a socket or a device" in result.stderr


def test_a_file_that_vanishes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ratings.csv"
    path.write_bytes(CSV)

    def vanish(*_: object) -> None:
        path.unlink()

    monkeypatch.setattr("tastemap.data.readers.table._require_memory", vanish)
    with pytest.raises(DataError, match=r"ratings.csv; expected a readable file; received No such"):
        read_ratings(path)


def test_mistakes_of_callers_are_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    path.write_bytes(CSV)
    with pytest.raises(TypeError):
        read_ratings(path, delimiter=3)
