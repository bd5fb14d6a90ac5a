"""Text in columns: the line that is bad is named; parts end where lines end."""

import pytest

from tastemap.data.readers import text as module
from tastemap.data.readers.archive import DataFile
from tastemap.data.readers.read import read_ratings
from tastemap.data.readers.text import Layout, TextFile
from tastemap.errors import DataError


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
            "who,item,rating,whom\n1,2,3,4\n",
            r"column of the user; .*received columns who, item.*user='NAME', item='item'",
        ),
        ("1,2\n2,3\n", r"column of the rating; .* received columns column_1, column_2, none of "),
        (
            "hello\nworld\n",
            r"line 1; expected fields with a delimiter between them; received 'hell",
        ),
        (
            "user,user,rating\n1,2,3\n",
            r"line 1; expected each column name once; received user more",
        ),
        ("1,2,881250949\n2,2,881250950\n", r"column of the rating; .* none of numbers to rate"),
        (
            "a\0b,c,d\n",
            r"expected text in columns, JSON, Parquet or Arrow; received bytes that",
        ),
    ],
)
def test_bad_text_is_named_by_file_line_and_column(text, message, write):
    path = write(text)
    with pytest.raises(DataError, match=message) as caught:
        read_ratings(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_rows_of_delimiters_alone_are_blank(write) -> None:
    ratings = read_ratings(write("user,item,rating\n1,2,3\n,,\n2,2,4\n,,\n"))
    assert ratings.to_frame().rows() == [(1, 2, 3), (2, 2, 4)]


def test_parts_are_whole_lines_that_know_their_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK_BYTES", 4)
    content = b"a,b\n1,2\n3,4\n5,6\n"
    layout = Layout(("a", "b"), ",", has_header=True)
    parts = list(TextFile(DataFile("x", lambda: content), layout).parts())
    assert [part.first_line for part in parts] == [1, 3]
    assert [part.strings().rows() for part in parts] == [[("1", "2")], [("3", "4"), ("5", "6")]]
    assert [part.layout.has_header for part in parts] == [True, False]


def test_a_delimiter_of_two_characters_is_one_byte_for_polars() -> None:
    file = TextFile(DataFile("x", lambda: b"1::a:b\n2::c\n"), Layout(("n", "t"), "::"))
    assert file.strings().rows() == [("1", "a:b"), ("2", "c")]
    assert list(file.rows()) == [(1, ["1", "a:b"]), (2, ["2", "c"])]
