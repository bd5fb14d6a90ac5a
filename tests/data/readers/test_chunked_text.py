"""Large files: read in parts, one bad row among many named or skipped, memory foreseen."""

import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemap.data import scale, vocabulary
from tastemap.data.ratings import Ratings
from tastemap.data.readers import (
    chunked_text as partwise,
)
from tastemap.data.readers import (
    columns,
)
from tastemap.data.readers import (
    table as tables,
)
from tastemap.data.readers import (
    text as delimited,
)
from tastemap.data.readers.archive import DataFile
from tastemap.data.readers.read import read_ratings
from tastemap.data.scale import Scale
from tastemap.data.vocabulary import numbered
from tastemap.errors import ArgumentError, DataError
from tastemap.support import memory

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
    monkeypatch.setattr(delimited, "CHUNK_BYTES", 1000)
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


def test_half_a_character_at_the_end_of_the_first_chunk(tmp_path: Path) -> None:
    # The byte 999 is the first of the two of an é.
    start = "user,item,rating\n" + "1,a,3\n" * 163
    text = start + "x" * (999 - len(start)) + "é,b,4\n" + "2,a,3\n"
    path = tmp_path / "x.csv"
    path.write_bytes(text.encode())
    read = read_ratings(path, duplicates="first")
    assert "encoding inferred: utf-8" in read.source.notes
    assert read.users.ids.to_list()[-1].endswith("é")


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
        ("7,8,4,soon\n", "line 1502, column timestamp; expected seconds since 1970"),
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
    asked, judged = [], delimited.TextFile.judged

    def counted(self, checks):
        for found in judged(self, checks):
            asked.append(found)
            yield found

    monkeypatch.setattr(delimited.TextFile, "judged", counted)
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


def test_numbers_that_need_64_bits_only_later(tmp_path: Path) -> None:
    path = written(tmp_path, [HEADER, *LINES, f"{2**62},{2**40},3,5\n"])
    read = read_ratings(path)
    assert read.users.ids[-1] == 2**62
    assert read.items.ids[-1] == 2**40
    assert len(read) == N + 1


def test_bad_rows_of_frames_and_parquet_are_skipped(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "user": [1, None, 2, 3, 4],
            "item": [1, 1, None, 1, 1],
            "rating": ["5", "4", "3", "x", "2"],
        }
    )
    frame.write_parquet(tmp_path / "x.parquet")
    for source in (frame, tmp_path / "x.parquet"):
        read = read_ratings(source, on_bad_row="skip")
        assert read.to_frame().rows() == [(1, 1, 5.0), (4, 1, 2.0)]
        assert any("3 bad rows skipped, the first: " in note for note in read.source.notes)
    with pytest.raises(ArgumentError, match="on_bad_row; expected 'error' or 'skip'"):
        read_ratings(frame, on_bad_row="drop")


def test_of_parquet_only_the_columns_that_count_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    TABLE.with_columns(
        weight=pl.lit("x" * 100), title=pl.format("Film {}", "item_id")
    ).write_parquet(path)
    read = read_ratings(path)
    assert read.items.titles[0] == "Film 1"
    assert len(read) == N
    file, start = DataFile.of(path), path.read_bytes()[:6]
    columns = tables._read_arrow(file, start, {}).columns
    assert "title" in columns
    assert "weight" not in columns


def test_where_no_row_is_right_it_is_said(tmp_path: Path) -> None:
    path = written(tmp_path, [HEADER, "1,2,x,4\n", "1,3,y,5\n"])
    with pytest.raises(
        DataError, match="expected at least one rating; received none; .*2 bad rows"
    ):
        read_ratings(path, on_bad_row="skip")
    with pytest.raises(DataError, match="received none; 2,000 bad rows skipped"):
        read_ratings(TABLE.with_columns(rating=pl.lit(None, pl.Float64)), on_bad_row="skip")


def test_a_rating_beyond_32_bits_is_no_rating(tmp_path: Path) -> None:
    path = written(tmp_path, [HEADER, "1,2,4,4\n", "1,3,1e39,5\n"])
    with pytest.raises(DataError, match="line 3, column rating; expected a finite number"):
        read_ratings(path)
    assert read_ratings(path, on_bad_row="skip").scale.highest == 4
    with pytest.raises(DataError, match="row 1, column rating; expected a finite number"):
        read_ratings(pl.DataFrame({"user": [1], "item": [2], "rating": [1e39]}))


def test_how_far_a_large_file_is_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, told = written(tmp_path, [HEADER, *LINES]), []
    read_ratings(path, progress=lambda done, total: told.append((done, total)))
    assert not told
    monkeypatch.setattr(partwise, "MIN_PROGRESS_BYTES", 10)
    read_ratings(path, progress=lambda done, total: told.append((done, total)))
    assert len(told) > 20
    assert told[-1] == (path.stat().st_size,) * 2
    assert told == sorted(told)


# ---- memory ----


def test_too_little_memory_is_foreseen_before_the_work_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, [HEADER, *LINES])
    TABLE.write_parquet(tmp_path / "x.parquet")
    monkeypatch.setattr(memory, "MIN_CHECKED_BYTES", 1000)
    monkeypatch.setattr(memory, "free_memory", lambda: 50_000)
    monkeypatch.setattr(tables, "read_parts", None)
    for source in (path, tmp_path / "x.parquet"):
        with pytest.raises(
            DataError, match=r"expected 0\.0 GiB of free memory for some [12],\d{3} ratings; rec"
        ):
            read_ratings(source)
    monkeypatch.setattr(memory, "free_memory", lambda: None)
    assert len(read_ratings(tmp_path / "x.parquet")) == N


def test_free_memory_is_the_least_of_system_and_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = memory.free_memory()
    assert system is None or system > 2**20
    about, limit, used = (tmp_path / name for name in ("meminfo", "max", "current"))
    about.write_text("MemTotal: 9 kB\nMemAvailable:  100 kB\n")
    monkeypatch.setattr(memory, "_MEMINFO", about)
    monkeypatch.setattr(memory, "_LIMITS", ((limit, used),))
    assert memory.free_memory() == 102_400
    limit.write_text("5000\n")
    used.write_text("2000\n")
    assert memory.free_memory() == 3000
    # Pages of files are in use until somebody needs the room.
    (tmp_path / "memory.stat").write_text("anon 7\ninactive_file 500\nactive_file 300\n")
    assert memory.free_memory() == 3800
    limit.write_text("max\n")
    assert memory.free_memory() == 102_400


# ---- odd shapes ----


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 50), min_size=1, max_size=40))
def test_numbers_are_numbered_as_numpy_does(ids: list[int]) -> None:
    distinct, rows = numbered(pl.concat([pl.Series(ids[:3]), pl.Series(ids[3:], dtype=pl.Int64)]))
    expected, inverse = np.unique(np.array(ids, dtype=np.int64), return_inverse=True)
    np.testing.assert_array_equal(distinct.to_numpy(), expected)
    np.testing.assert_array_equal(rows, inverse)
    assert rows.dtype == np.int32


def test_a_table_of_numbers_is_not_longer_than_it_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "MAX_TABLE_ROWS", 10)
    monkeypatch.setattr(vocabulary, "_numbered_by_table", None)
    distinct, rows = numbered(pl.Series([5, 900, 5]))
    assert (distinct.to_list(), rows.tolist()) == ([5, 900], [0, 1, 0])


@given(st.lists(st.sampled_from([0.5, 1, 1.5, 2, 7.25, 9]), min_size=1, max_size=60))
def test_the_scale_is_found_slice_by_slice(values: list[float]) -> None:
    found = Scale.infer(np.array(values, dtype=np.float32))
    assert found == Scale.infer(np.unique(values))


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
