"""JSON: an object a line, or an array of objects, whatever the file is called."""

import gzip
import json

import pandas as pd
import pytest

from tastemap.data.readers.json_records import is_json
from tastemap.data.readers.read import read_ratings
from tastemap.errors import DataError

ROWS = [("ann", 7, 4.5, 1000), ("bo", 7, 2.0, 3000), ("ann", 9, 3.0, 2000)]
NAMES = ("user", "item", "rating", "timestamp")
RECORDS = [dict(zip(NAMES, row, strict=True)) for row in ROWS]
LINES = "\n".join(map(json.dumps, RECORDS))
FRAME = pd.DataFrame(RECORDS)


@pytest.mark.parametrize(
    "content",
    [
        LINES,
        LINES.replace("\n", "\r\n\r\n"),
        "\ufeff" + LINES,
        LINES.encode("utf-16"),
        gzip.compress(LINES.encode()),
        json.dumps(RECORDS),
        json.dumps(RECORDS, indent=2),
        FRAME.to_json(),
        LINES.replace("4.5", '"4.5"'),
        LINES.replace('"ann"', '"ann", "note": {"a": [1]}, "price": NaN'),
    ],
)
def test_forms_of_the_same_ratings(content: str | bytes, write) -> None:
    ratings = read_ratings(write(content, "ratings.txt"))
    assert ratings.to_frame().rows() == ROWS
    assert ratings.source.notes[0] == "read as JSON"


def test_nested_fields_are_left_out_and_said(write) -> None:
    content = LINES.replace('"ann"', '"ann", "helpful": [0, 1], "style": {"a": 1}')
    notes = read_ratings(write(content)).source.notes
    assert "nested fields left out: helpful, style" in notes
    with pytest.raises(
        DataError, match="received columns item, rating, .*; nested fields left out: u"
    ):
        read_ratings(write('{"user": {"id": 1}, "item": 2, "rating": 3}\n'))


def test_ids_keep_their_form_and_fields_may_be_missing(write) -> None:
    lines = ['{"user": 7, "item": "007", "rating": 3}', '{"item": "7", "user": 8, "rating": 4}']
    lines += ['{"user": 123456789012345678901234567890, "item": "x", "rating": 1, "time": null}']
    ratings = read_ratings(write("\n".join(lines)))
    assert ratings.items.ids.to_list() == ["007", "7", "x"]
    assert ratings.users.ids.to_list() == ["123456789012345678901234567890", "7", "8"]
    lines[2] = '{"user": 1, "item": 2}'
    assert len(read_ratings(write("\n".join(lines)))) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (LINES + "\n{oops\n", r"line 4; expected an object in each line; received '\{oops' \(JSON"),
        (LINES[:-9], "line 3; expected an object .* correct or remove the line"),
        ("{'user': 1, 'item': 2}\n", "received an object in Python's own form, with single quotes"),
        (json.dumps(RECORDS[0], indent=1), r"line 1; .* write an object a line: frame.to_json\("),
        ('{"ann": {"Heat": 5}, "bo": {"Heat": 2}}', "received objects in each of its fields ann"),
        ('[{"user": 1}, 5]', "expected an object in each line; received .*something else, too"),
        ('{"a":' + "[" * 100_000, "line 1; expected an object in each line"),
        ('{"a": 1, "b": 2}\n{"a": 2, "b": 2}', "column of the user; .* received columns a, b"),
    ],
)
def test_json_that_cannot_be_read_says_why(content: str, message: str, write) -> None:
    with pytest.raises(DataError, match=message):
        read_ratings(write(content))


def test_lines_that_are_no_objects_can_be_skipped(write) -> None:
    ratings = read_ratings(write(LINES + "\n{oops\n[1]\n"), on_bad_row="skip")
    assert ratings.to_frame().rows() == ROWS
    assert any("2 bad rows skipped, the first: " in note for note in ratings.source.notes)


def test_what_only_begins_like_json_is_text(write) -> None:
    assert read_ratings(write("{a},b,3\n{b},c,4\n")).users.ids.to_list() == ["{a}", "{b}"]
    assert all(map(is_json, (b' [ {"a": 1}', '{"a": 1}'.encode("utf-16"))))
    assert not any(map(is_json, (b"[1, 2]", b"", b"user,item", b"{3F25},7")))


def test_parts_of_a_long_file_may_differ_in_type(write, monkeypatch) -> None:
    monkeypatch.setattr("tastemap.data.readers.text.CHUNK_BYTES", 50)
    records = [{"user": 1, "item": 5, "rating": 3}, {"user": "b", "item": 6, "rating": 2.5}] * 3
    lines = "\n".join(json.dumps({**r, "item": n}) for n, r in enumerate(records))
    ratings = read_ratings(write(lines))
    assert ratings.users.ids.to_list() == ["1", "b"]
    assert ratings.rating.tolist() == [3, 2.5] * 3
