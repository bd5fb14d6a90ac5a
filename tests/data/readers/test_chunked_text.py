"""Large files: read in parts, one bad row among many named or skipped."""

import gzip
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tastemap.data import scale
from tastemap.data.ratings import Ratings
from tastemap.data.readers import chunked_text, columns
from tastemap.data.readers import text as text_module
from tastemap.data.readers.read import read_ratings
from tastemap.errors import DataError

N = 2_000
HEADER = "userId,movieId,rating,timestamp\n"
TABLE = pl.DataFrame(
    {
        "user_id": np.arange(N) // 20 + 1,
        "item_id": np.arange(N) % 20 + 1,
        "rating": np.arange(N) % 5 + 1.0,
        "timestamp": 1_000_000_000 + np.arange(N),
    }
)
LINES = TABLE.write_csv(include_header=False).splitlines(keepends=True)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read in parts of a kilobyte, and compared in slices of a few rows."""
    monkeypatch.setattr(text_module, "CHUNK_BYTES", 1000)
    monkeypatch.setattr("tastemap.data.readers.archive.CHUNK_BYTES", 1000)
    monkeypatch.setattr(columns, "CACHE_ROWS", 7)
    monkeypatch.setattr(scale, "CACHE_ROWS", 7)


def written(tmp_path: Path, lines: list[str], name: str = "ratings.csv") -> Path:
    path = tmp_path / name
    path.write_text("".join(lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_parts_are_put_together(end: str, packed: bool, tmp_path: Path) -> None:
    text = (HEADER + "".join(LINES)).replace("\n", end).removesuffix(end).encode()
    path = tmp_path / "ratings.csv"
    path.write_bytes(gzip.compress(text) if packed else text)
    read = read_ratings(path)
    assert read.to_frame().equals(TABLE.cast({"rating": pl.Float32}))
    assert read.source.notes[-1] == "times read as seconds since 1970"


def test_without_a_header_and_in_latin_1(tmp_path: Path) -> None:
    lines = [f"é{n},{n % 20},3,{n}\n" for n in range(N)]
    path = tmp_path / "x.csv"
    path.write_bytes("".join(lines).encode("latin-1"))
    read = read_ratings(path)
    assert len(read) == N
    assert "é1999" in read.users
    assert "encoding inferred: latin-1" in read.source.notes


def test_the_encoding_may_show_only_late_in_the_file(tmp_path: Path) -> None:
    lines = [HEADER, *LINES, "7,é,3,5\n", *(f"{n},99,3,5\n" for n in range(1, 50))]
    for encoding in ("utf-8", "latin-1"):
        path = tmp_path / "x.csv"
        path.write_bytes("".join(lines).encode(encoding))
        read = read_ratings(path)
        assert len(read) == N + 50
        assert "é" in read.items
        assert f"encoding inferred: {encoding}" in read.source.notes
        assert sum("encoding" in note for note in read.source.notes) == 1
    with pytest.raises(DataError, match=f"line {N + 2}; expected text in utf-8; .* 0xe9"):
        read_ratings(path, encoding="utf-8")


def test_a_field_in_quotes_may_hold_the_end_of_a_line(tmp_path: Path) -> None:
    lines = [*LINES[:1500], '"a\nb",7,3,5\n', *LINES[1500:]]
    read = read_ratings(written(tmp_path, [HEADER, *lines]))
    assert len(read) == N + 1
    assert "a\nb" in read.users


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("7,8,four,9\n", "line 1502, column rating; expected a finite number; received 'four'"),
        ("7,8,inf,9\n", "line 1502, column rating; expected a finite number; received 'inf'"),
        ("7,,4,9\n", "line 1502, column movieId; expected an id; received nothing"),
        ("7,8,4\n", "line 1502; expected 4 fields; received 3: '7,8,4'"),
    ],
)
def test_one_bad_row_is_named_or_skipped(bad: str, message: str, tmp_path: Path) -> None:
    path = written(tmp_path, [HEADER, *LINES[:1500], bad, *LINES[1500:]])
    with pytest.raises(DataError, match=message):
        read_ratings(path)
    read = read_ratings(path, on_bad_row="skip")
    assert read.to_frame().equals(TABLE.cast({"rating": pl.Float32}))
    (note,) = (note for note in read.source.notes if "skipped" in note)
    assert note.startswith(f"1 bad rows skipped, the first: {path}, line 1502")


def test_only_the_parts_with_bad_rows_are_looked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, judged = [], text_module.TextFile.judged

    def counted(self, checks):
        for found in judged(self, checks):
            asked.append(found)
            yield found

    monkeypatch.setattr(text_module.TextFile, "judged", counted)
    lines = [HEADER, *LINES[:100], "x,y\n", *LINES[100:900], "7,8,?,9\n", "7\n", *LINES[900:]]
    read = read_ratings(written(tmp_path, lines), on_bad_row="skip")
    assert len(read) == N
    assert any(note.startswith("3 bad rows skipped") for note in read.source.notes)
    assert 3 < len(asked) < 300


def test_ids_that_are_text_only_later_are_all_text(tmp_path: Path) -> None:
    for how in ("error", "skip"):
        path = written(tmp_path, [HEADER, *LINES, "ann,7,3,5\n"])
        read = read_ratings(path, on_bad_row=how)
        assert read.users.ids_at([0, 1]).to_list() == ["1", "10"]
        assert (len(read), "ann" in read.users) == (N + 1, True)
    path = written(tmp_path, [HEADER, *LINES, "ann,7,3,5\n", "bad\n"])
    assert len(read_ratings(path, on_bad_row="skip")) == N + 1


def test_how_far_a_large_file_is_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, told = written(tmp_path, [HEADER, *LINES]), []
    read_ratings(path, progress=lambda done, total: told.append((done, total)))
    assert not told
    monkeypatch.setattr(chunked_text, "MIN_PROGRESS_BYTES", 10)
    read_ratings(path, progress=lambda done, total: told.append((done, total)))
    assert len(told) > 20
    assert told[-1] == (path.stat().st_size,) * 2
    assert told == sorted(told)


# ---- threads ----

# Garbage in cycles makes the collector run wherever it may, inside threading's own locks, too.
REFUSALS = """
import sys
from tastemap.data.readers.read import read_ratings
from tastemap.errors import DataError
for _ in range(800):
    for _ in range(150):
        cycle = []
        cycle.append(cycle)
    try:
        read_ratings(sys.argv[1])
    except DataError as error:
        assert "line 3" in str(error)
    else:
        raise SystemExit("no error")
"""


def test_no_thread_outlives_a_refusal(tmp_path: Path) -> None:
    path = written(tmp_path, [HEADER, *LINES[:300], "7,8,four,9\n", *LINES[300:]])
    before = set(threading.enumerate())
    with pytest.raises(DataError, match="line 302") as caught:
        read_ratings(path)
    assert caught.value.__traceback__ is not None  # it still holds each frame of the reading
    assert set(threading.enumerate()) == before


@pytest.mark.slow
def test_many_refused_files_do_not_hang_the_process(tmp_path: Path) -> None:
    path = written(tmp_path, ["user,item,rating\n", "1,2,3\n", "1,3,bad\n"])
    command = [sys.executable, "-c", REFUSALS, str(path)]
    subprocess.run(command, check=True, timeout=60)


# ---- odd shapes ----


def test_ids_of_64_bits_and_of_300_characters(tmp_path: Path) -> None:
    users = [2**63 - 1, -(2**63), 12]
    items = ["a" * 300, "a" * 299 + "b", "ü" * 300]
    rows = [
        f"{u},{i},{n % 5 + 1}\n"
        for n, (u, i) in enumerate(zip(users * 3, sorted(items * 3), strict=True))
    ]
    read = read_ratings(written(tmp_path, ["user,item,rating\n", *rows]))
    assert read.users.ids.to_list() == sorted(users)
    assert read.items.ids.to_list() == sorted(items)
    assert read.rated_items(2**63 - 1)["item_id"].str.len_chars().to_list() == [300] * 3


def many(n: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A user who rated n items, and an item that n users rated."""
    numbers, one = np.arange(n), np.ones(n, dtype=np.int64)
    rating = numbers % 5 + 1
    return (
        pl.DataFrame({"user_id": one, "item_id": numbers, "rating": rating}),
        pl.DataFrame({"user_id": numbers, "item_id": one, "rating": rating}),
    )


@pytest.mark.parametrize("n", [1000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_one_user_with_all_ratings_and_an_item_that_everyone_rated(
    n: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    from tastemap.data.statistics import describe
    from tastemap.models.registry import make_model

    for frame, n_users in zip(many(n), (1, n), strict=True):
        frame.write_csv(tmp_path / "x.csv")
        read = read_ratings(tmp_path / "x.csv")
        assert (len(read), read.n_users, read.n_items) == (n, n_users, n + 1 - n_users)
        assert describe(read)["density"][0] == 1
        model = make_model("bias").fit(read)
        assert model.predict([1], [1])[0] >= 1


def test_a_file_out_of_order_with_duplicates(tmp_path: Path) -> None:
    lines = [*LINES[::-1], LINES[7].replace(",3.0,", ",5.0,")]
    read = read_ratings(written(tmp_path, [HEADER, *lines]), duplicates="first")
    assert len(read) == N
    assert any("1 ratings of a pair" in note for note in read.source.notes)
    assert isinstance(read, Ratings)
