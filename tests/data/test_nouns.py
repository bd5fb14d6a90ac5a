"""What is rated, in a word."""

import json
from pathlib import Path

import polars as pl
import pytest

import tastemap as tm
from tastemap.data.feedback import Source
from tastemap.data.memmap import MANIFEST
from tastemap.data.nouns import item_noun, noun_called, noun_of_notes
from tastemap.data.ratings import Ratings
from tastemap.data.readers.prepare import prepare_ratings


def rated(column: str) -> pl.DataFrame:
    return pl.DataFrame({"user": [1, 2, 2], column: [7, 7, 8], "rating": [5, 4, 3]})


@pytest.mark.parametrize(
    ("column", "plural"),
    [
        *(("movieId", "films"), ("ISBN", "books"), ("track_id", "songs"), ("JOKES", "jokes")),
        *(("Anime_ID", "anime"), ("asin", "products"), ("item", "items"), ("booking", "items")),
    ],
)
def test_the_column_says_what_is_rated_whoever_names_it(column: str, plural: str) -> None:
    assert item_noun(tm.read_ratings(rated(column), item=column)).plural == plural
    assert item_noun(tm.read_ratings(rated(column), item=column, noun="tales")).plural == "tales"


def test_the_file_says_it_where_no_column_does(tmp_path: Path) -> None:
    matrix = "reader,a,b,c\nann,5,,3\nbo,,4,2\ncy,1,,5\n"
    for name, plural in (("jokes.csv", "jokes"), ("marks.csv", "items")):
        (tmp_path / name).write_text(matrix)
        assert item_noun(tm.read_ratings(tmp_path / name)).plural == plural
    (tmp_path / "rows.csv").write_text("book,ann,bo\nDune,5,4\nEmma,,2\n")
    assert item_noun(tm.read_ratings(tmp_path / "rows.csv", layout="wide")).plural == "books"
    books = tmp_path / "books.csv"
    books.write_text("no,title\n7,Emma\n")
    assert item_noun(tm.read_ratings(rated("item"), items=books)).singular == "book"


def test_models_and_tables_keep_it_and_old_ones_have_it_in_their_notes(tmp_path: Path) -> None:
    rated("movieId").write_parquet(tmp_path / "r.parquet")
    prepare_ratings(tmp_path / "r.parquet", tmp_path / "table")
    tm.BiasModel().fit(tm.read_ratings(tmp_path / "table")).save(tmp_path / "model")
    for path, key in ((tmp_path / "table" / MANIFEST, ()), (tmp_path / "model/model.json", "data")):
        written = json.loads(path.read_text())
        part = written[key] if key else written
        assert part["noun"] == "film"
        for noun, plural in (("joke", "jokes"), (None, "films")):
            part |= {"noun": noun}
            path.write_text(json.dumps(written))
            data = tm.read_ratings(path.parent) if not key else tm.load_model(path.parent).ratings_
            assert item_noun(data).plural == plural


def test_notes_of_earlier_versions_say_it() -> None:
    assert noun_of_notes(["read as MovieLens 100K (u.data)"]) == "film"
    assert noun_of_notes(["delimiter inferred: comma", "column ISBN read as item"]) == "book"
    assert noun_of_notes(["column book read as user"]) == ""
    # No note of a table that is read now is looked at.
    data = Ratings.from_frame(
        pl.DataFrame({"user_id": [1], "item_id": [7], "rating": [5]}),
        source=Source("some", ("column ISBN read as item",)),
    )
    assert item_noun(data).indefinite == "an item"


@pytest.mark.parametrize("word", ["", "<b>", "a" * 31, "b00k"])
def test_what_is_no_word_is_refused(word: str) -> None:
    with pytest.raises(tm.TastemapError, match="what an item is called"):
        noun_called(word)
