import gzip
import io
from datetime import UTC, date, datetime

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemap.data.readers.read import read_ratings
from tastemap.errors import ArgumentError, DataError

ROWS = [("ann", 7, 4.5, 1000), ("bo", 7, 2.0, 3000), ("ann", 9, 3.0, 2000)]
FRAME = pl.DataFrame(ROWS, schema=["user_id", "item_id", "rating", "timestamp"], orient="row")
CSV = "user,movieId,stars,date\nann,7,4.5,1000\nbo,7,2,3000\nann,9,3,2000\n"


@pytest.fixture
def write(tmp_path):
    def writer(content, name="ratings.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return writer


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


def test_compressed_text_parquet_and_arrow_are_told_by_their_first_bytes(write, tmp_path):
    same(read_ratings(write(gzip.compress(CSV.encode()), "ratings.data")))
    FRAME.write_parquet(tmp_path / "a.x")
    same(read_ratings(tmp_path / "a.x"))
    FRAME.write_ipc(tmp_path / "b.x")
    same(read_ratings(str(tmp_path / "b.x")))


def test_recboles_typed_header(write):
    text = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    rows = "".join("\t".join(map(str, row)) + "\n" for row in ROWS)
    same(read_ratings(write(text + rows, "x.inter")))


def test_frames_of_any_kind():
    same(read_ratings(FRAME))
    same(read_ratings(FRAME.lazy()))
    same(read_ratings(FRAME.to_pandas()))
    same(read_ratings(FRAME.to_pandas().set_index(pd.Index([5, 6, 7]))))
    same(read_ratings(FRAME.to_arrow()))

    class Streams:
        def __arrow_c_stream__(self, requested_schema=None):
            return FRAME.to_arrow().__arrow_c_stream__(requested_schema)

    class Interchanges:
        def __dataframe__(self, **options):
            return pa.table({c: FRAME[c].to_list() for c in FRAME.columns}).__dataframe__(**options)

    same(read_ratings(Streams()))
    same(read_ratings(Interchanges()))
    with pytest.raises(
        ArgumentError, match=r"source; expected a path or a data frame .* list; giv"
    ):
        read_ratings([1, 2])
    categorical = FRAME.with_columns(pl.col("user_id").cast(pl.Categorical))
    same(read_ratings(categorical))


@given(
    st.lists(
        st.tuples(
            st.one_of(st.integers(-5, 99), st.text("abcÄ ,;\"'|7", min_size=1, max_size=4)),
            st.integers(0, 2**40),
            st.floats(-1e4, 1e4, width=32),
            st.integers(0, 2**31),
        ),
        min_size=2,
        max_size=30,
        unique_by=lambda row: (str(row[0]).strip(), row[1]),
    )
)
def test_any_table_survives_the_round_trip_through_csv(rows):
    rows = [(str(user).strip(), *rest) for user, *rest in rows if str(user).strip()]
    if not rows:
        return
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "rating", "timestamp"], orient="row")
    file = io.BytesIO()
    frame.write_csv(file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pathlib.Path.is_file", lambda self: False)
        patch.setattr("pathlib.Path.is_dir", lambda self: False)
        patch.setattr(
            "tastemap.data.readers.archive.DataFile.of", lambda path: memory(file.getvalue())
        )
        read = read_ratings("memory.csv").to_frame()
    assert read["user_id"].cast(pl.String).to_list() == frame["user_id"].to_list()
    assert read["item_id"].to_list() == frame["item_id"].to_list()
    assert read["rating"].to_list() == frame["rating"].to_list()
    assert read["timestamp"].to_list() == frame["timestamp"].to_list()


def memory(content):
    from tastemap.data.readers.archive import DataFile

    return DataFile("memory.csv", lambda: content)


def test_ids_stay_what_they_are(write):
    def ids(*values):
        lines = "".join(f"1,{value},{n % 5}\n" for n, value in enumerate(values))
        return read_ratings(write("user,item,rating\n" + lines)).items.ids.to_list()

    assert ids(3, 1, 2) == [1, 2, 3]
    assert ids("007", "7") == ["007", "7"]
    assert ids("b", "1") == ["1", "b"]
    assert ids(*range(2000), "late") == sorted([*map(str, range(2000)), "late"])
    assert ids("9" * 30, "1") == ["1", "9" * 30]
    assert ids('"x, y"', "z") == ["x, y", "z"]


@pytest.mark.parametrize(
    ("times", "seconds", "note"),
    [
        ([1_700_000_000, 5], [1_700_000_000, 5], "seconds"),
        ([1_700_000_000_999, 1_700_000_001_000], [1_700_000_000, 1_700_000_001], "milliseconds"),
        ([1_700_000_000_999_999] * 2, [1_700_000_000] * 2, "microseconds"),
        ([1_700_000_000_999_999_999] * 2, [1_700_000_000] * 2, "nanoseconds"),
        (["1.5e9", "12.75"], [1_500_000_000, 12], "seconds"),
        (["1970-01-02", "1970-01-01"], [86_400, 0], "dates"),
        (["1970-01-01T00:01:00Z", "1970-01-01T01:00:00+01:00"], [60, 0], "dates"),
        (["1970-01-01 00:00:07.9", "1970-01-01 00:00:08"], [7, 8], "dates"),
    ],
)
def test_times_are_read_as_seconds(times, seconds, note, write):
    lines = "".join(f"{n},1,{n + 3},{time}\n" for n, time in enumerate(times))
    for text in (lines, "user,item,rating,time\n" + lines):
        ratings = read_ratings(write(text))
        assert ratings.timestamp.tolist() == seconds
        assert f"times read as {note}" in ratings.source.notes[-1]


def test_times_in_frames_may_be_dates():
    days = FRAME.with_columns(timestamp=pl.Series([date(1970, 1, 2)] * 3))
    assert read_ratings(days).timestamp.tolist() == [86_400] * 3
    moments = FRAME.with_columns(timestamp=pl.Series([datetime(1970, 1, 1, 0, 1, tzinfo=UTC)] * 3))
    assert read_ratings(moments).timestamp.tolist() == [60] * 3


def test_a_fourth_column_that_is_no_time_is_left_alone(write):
    ratings = read_ratings(write("1,2,3,fine film\n1,3,4,a bore\n"))
    assert ratings.timestamp is None
    assert len(ratings) == 2


def test_missing_times(write):
    path = write("1,1,3,10\n1,2,4,\n1,3,5,30\n2,1,2,\n")
    ratings = read_ratings(path)
    assert ratings.timestamp is None
    assert "2 of 4 times are missing: times are left out" in ratings.source.notes[-1]
    filled = read_ratings(path, missing_times="fill")
    assert filled.timestamp.tolist() == [10, 20, 30, 20]
    with pytest.raises(
        ArgumentError, match="missing_times; expected 'drop' or 'fill'; received 'x'"
    ):
        read_ratings(path, missing_times="x")


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("last", [(1, 1, 5, 30), (2, 1, 4, 20)]),
        ("first", [(2, 1, 4, 20), (1, 1, 3, 10)]),
        ("mean", [(1, 1, 3, 30), (2, 1, 4, 20)]),
    ],
)
def test_duplicates_are_resolved_by_time_and_reported(how, expected, write):
    path = write("1,1,1,20\n1,1,5,30\n2,1,4,20\n1,1,3,10\n")
    ratings = read_ratings(path, duplicates=how)
    assert ratings.to_frame().rows() == expected
    assert ratings.source.notes[-1] == (
        "2 ratings of a pair of user and item already rated: "
        f"{how} kept (e.g. user 1, item 1: 1, 5, 3)"
    )


def test_duplicates_without_times_go_by_position_and_can_be_refused(write):
    path = write("1,1,1\n2,1,4\n1,1,3\n")
    assert read_ratings(path).to_frame().rows() == [(2, 1, 4), (1, 1, 3)]
    assert read_ratings(path, duplicates="first").to_frame().rows() == [(1, 1, 1), (2, 1, 4)]
    with pytest.raises(
        DataError, match=r"each pair .* once; received 1 .* user 1, item 1: 1, 3; say which to keep"
    ):
        read_ratings(path, duplicates="error")
    with pytest.raises(ArgumentError, match="duplicates; expected one of last, first, mean, error"):
        read_ratings(path, duplicates="newest")


def test_columns_that_describe_the_items_become_their_table(write):
    text = 'user,item,rating,title,genres,year,mood\n1,7,3,"Up, up",A|B,1999,x\n'
    ratings = read_ratings(write(text + '2,7,4,"Up, up",A|B,1999,y\n2,8,5,Down,A,,z\n'))
    assert ratings.item_table.select("item_id", "title", "genres", "year").rows() == [
        (7, "Up, up", ["A", "B"], 1999),
        (8, "Down", ["A"], None),
    ]
    assert "items described by the columns title, genres, year" in ratings.source.notes
    differing = read_ratings(write("user,item,rating,title\n1,7,3,a\n2,7,4,b\n"))
    assert differing.item_table is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"expected ratings; received an empty file; check"),
        ("\n \n", r"expected ratings; received an empty file; check"),
        ("user,item,rating\n", r"expected ratings below the header; received one line: 'user,it"),
        (
            "user,item,rating\n1,2,x\n",
            r"line 2, column rating; expected a finite number; received 'x'",
        ),
        ("user,item,rating\n1,2,3\n1,3,\n", r"line 3, column rating; .* received nothing; correct"),
        ("user,item,rating\n1,2,3\n1,3,nan\n", r"line 3, column rating; .* received 'nan'; corr"),
        ("user,item,rating\n1,2,3\n1,3,inf\n", r"line 3, column rating; .* received 'inf'; corr"),
        (
            "user,item,rating\n1,2,3\n,3,4\n",
            r"line 3, column user; expected an id; received nothing",
        ),
        (
            "user,item,rating\n1,2,3\n1,,4\n",
            r"line 3, column item; expected an id; received nothing",
        ),
        ("user,item,rating\na,2,3\n ,3,4\n", r"line 3, column user; expected an id; received ' '"),
        (
            "user,item,rating\n1,2,3\n1,3\n",
            r"line 3; expected 3 fields; received 2: '1,3'; complete",
        ),
        ("user,item,rating\n1,2,3\n1,3,4,5\n", r"line 3; expected 3 fields; received 4: '1,3,4,5'"),
        ("1,2,3,9\n1,3,4", r"line 2; expected 4 fields; received 3: '1,3,4'; complete or remove"),
        ('user,item,rating\n1,"2,3\n1,3,4\n', r"line 2; expected fields whose quotes are closed"),
        ("user,item,rating\n\n1,2,3\n1,3,x\n", r"line 4, column rating; expected a finite number"),
        (
            'user,item,rating\n1,"a\nb",3\n1,3,x\n',
            r"line 4, column rating; expected a finite number; received 'x'",
        ),
        ("user,item\n1,2\n", r"column of the rating; expected a name such as rating, ratings, sco"),
        (
            "who,item,rating\n1,2,3\n",
            r"column of the user; .*received columns who, item.*user=\.\.\.",
        ),
        ("1,2\n2,3\n", r"column of the rating; .* received columns column_1, column_2; name it"),
        (
            "hello\nworld\n",
            r"line 1; expected fields with a delimiter between them; received 'hell",
        ),
        ("user,user,rating\n1,2,3\n", r"line 1; expected each column name once; received user, us"),
        ("1,2,881250949\n2,2,881250950\n", r"column_3; expected ratings, .* looks like a time"),
        (
            "user,item,rating,time\n1,2,3,5\n1,3,3,noon\n",
            r"line 3, column time; expected seconds si",
        ),
        ("user,item,rating,time\n1,2,3,1/2/2020\n", r"line 2, column time; .* received '1/2/2020'"),
        ("a\0b,c,d\n", r"expected text in columns, Parquet or Arrow; received bytes that are none"),
    ],
)
def test_bad_text_is_named_by_file_line_and_column(text, message, write):
    path = write(text)
    with pytest.raises(DataError, match=message) as caught:
        read_ratings(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bytes_that_do_not_fit_the_encoding(write):
    text = "user,item,rating\n1,a,3\n1,é,4\n".encode("latin-1")
    assert read_ratings(write(text)).items.ids.to_list() == ["a", "é"]
    assert "encoding inferred: latin-1" in read_ratings(write(text)).source.notes
    with pytest.raises(DataError, match=r"line 3; expected text in utf-8; .* 0xe9; name its enc"):
        read_ratings(write(text), encoding="utf-8")
    with pytest.raises(ArgumentError, match="encoding; expected a text encoding .* 'klingon'"):
        read_ratings(write(text), encoding="klingon")


def test_files_that_cannot_be_read(write, tmp_path):
    with pytest.raises(DataError, match=r"no.csv; expected a readable file; received No such file"):
        read_ratings(tmp_path / "no.csv")
    with pytest.raises(DataError, match="expected one MovieLens release"):
        read_ratings(tmp_path)
    with pytest.raises(DataError, match=r"expected a complete compressed file; .* fetch it again"):
        read_ratings(write(gzip.compress(CSV.encode())[:-12], "a.gz"))
    FRAME.write_parquet(tmp_path / "a.parquet")
    cut = (tmp_path / "a.parquet").read_bytes()[:-20]
    with pytest.raises(DataError, match=r"b.parquet; expected a complete Parquet or Arrow file"):
        read_ratings(write(cut, "b.parquet"))
    with pytest.raises(DataError, match=r"cut.zip; expected a folder or a complete zip; received"):
        read_ratings(write(b"PK\x03\x04 and no more", "cut.zip"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rating": [1.0, None, 2.0]}, "row 2, column rating; expected a rating; received nothing"),
        (
            {"rating": [1.0, 2.0, float("nan")]},
            "row 3, column rating; expected a finite number; rec",
        ),
        (
            {"rating": [float("inf"), 2.0, 3.0]},
            "row 1, column rating; expected a finite number; rec",
        ),
        (
            {"rating": ["1", "2", "three"]},
            "row 3, column rating; expected a number; received 'three'",
        ),
        ({"user_id": [1, None, 2]}, "row 2, column user_id; expected a user; received nothing"),
        ({"item_id": [[1], [2], [3]]}, "column item_id; expected integers or text; received List"),
        (
            {"timestamp": ["then", "now", "1"]},
            "row 1, column timestamp; expected seconds since 1970",
        ),
        (
            {"timestamp": [True, False, True]},
            "column timestamp; expected seconds .*received Boolean",
        ),
    ],
)
def test_bad_frames_are_named_by_row_and_column(change, message):
    frame = FRAME.with_columns(**{name: pl.Series(values) for name, values in change.items()})
    with pytest.raises(DataError, match=message):
        read_ratings(frame)


def test_frames_without_what_is_asked_for():
    with pytest.raises(DataError, match=r"column who; expected one of its columns user_id, item"):
        read_ratings(FRAME, user="who")
    with pytest.raises(DataError, match="expected at least one rating; received no rows"):
        read_ratings(FRAME.head(0))
    with pytest.raises(ArgumentError, match="user and item; expected different columns; received"):
        read_ratings(FRAME, user="user_id", item="user_id")
