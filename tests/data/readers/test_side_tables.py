"""Tables beside the ratings: how they are written, which column holds the ids, what is refused."""

from pathlib import Path

import polars as pl
import pytest

import tastemap as tm
from tastemap.data.ratings import Ratings
from tastemap.data.readers.side_tables import with_tables
from tastemap.errors import DataError

RATED = pl.DataFrame(
    {"user_id": ["ann", "ann", "bo"], "item_id": [1, 2, 3], "rating": [4.0, 2.0, 5.0]}
)


@pytest.fixture(scope="module")
def ratings() -> Ratings:
    return Ratings.from_frame(RATED)


def test_a_table_of_any_dialect_is_read_and_marks_become_nothing(
    ratings: Ratings, tmp_path: Path
) -> None:
    path = tmp_path / "readers.csv"
    text = (
        "Name;Age;Zip;Town\nann;30;02139;Köln\nbo;?;12345;—\ncy;9;1;X\nann;31;02139;Köln\n;7;x;y\n"
    )
    path.write_text(text, encoding="cp1252")
    described = with_tables(ratings, users=path)
    assert described.user_table.rows() == [
        ("ann", 31, "02139", "Köln"),
        ("bo", None, "12345", None),
    ]
    assert described.user_table["Age"].dtype == pl.Int64
    assert described.source.notes == (
        "users described by the columns Age, Zip, Town of readers.csv, ids in Name",
        "readers.csv: 1 row without an id, left out",
        "readers.csv: 1 row of users that come again below, the last counts",
        "readers.csv: 1 of 3 users in it without a rating, left out",
        "column Age of readers.csv: “?” read as no number",
    )


def test_items_without_a_rating_stay_aside(ratings: Ratings) -> None:
    table = pl.DataFrame({"no": [*ratings.items.ids, 9001], "pages": 9})
    described = with_tables(ratings, items=table)
    assert described.items.untouched["item_id"].to_list() == [9001]
    assert described.source.notes[-1].endswith("without a rating, in lists where asked for")
    again = with_tables(described, items=pl.DataFrame({"no": ratings.items.ids, "price": 1.5}))
    assert again.items.untouched["item_id"].to_list() == [9001]
    assert again.items.table["price"].to_list() == [1.5] * ratings.n_items


@pytest.mark.parametrize("form", ["csv", "parquet", "json", "jsonl", "arrow", "frame", "pandas"])
def test_every_form_gives_titles_years_genres_and_numbers(
    ratings: Ratings, tmp_path: Path, form: str
) -> None:
    table = pl.DataFrame(
        {
            # The places are numbers of the same range, and no ids.
            "place": ["1", "1", "2"],
            "no": ["3", "2", "1"],
            "movie title": ["Heat (1995)", "Alien (1979)", "1984 (1984)"],
            "genre": ["Crime, Drama", "Horror", "-"],
            "price": ["9.5", "—", "3"],
        }
    )
    source, path = table, tmp_path / f"films.{form}"
    if form == "pandas":
        pandas = pytest.importorskip("pandas")
        source = pandas.DataFrame(table.to_dict(as_series=False))
    elif form != "frame":
        writers = {
            "csv": table.write_csv,
            "parquet": table.write_parquet,
            "json": table.write_json,
            "jsonl": table.write_ndjson,
            "arrow": table.write_ipc,
        }
        writers[form](path)
        source = path
    described = tm.read_ratings(RATED, items=source)
    assert described.items.titles.to_list() == ["1984 (1984)", "Alien (1979)", "Heat (1995)"]
    facts = described.item_table.select("genres", "price", "place")
    assert facts.rows() == [(None, 3.0, 2), (["Horror"], None, 1), (["Crime", "Drama"], 9.5, 1)]
    assert described.item_table["release_year"].to_list() == [1984, 1979, 1995]


def test_a_table_of_ids_alone_says_which_items_there_are(ratings: Ratings) -> None:
    ids = [*ratings.items.ids.head(2), 900]
    described = with_tables(ratings, items=pl.DataFrame({"item": ids}))
    assert described.items.untouched["item_id"].to_list() == [900]


def test_a_name_of_an_id_wins_over_another_column_with_more_of_them(ratings: Ratings) -> None:
    table = pl.DataFrame({"rank": [1, 2, 3], "item_id": [3, 2, 9], "title": ["c", "b", "i"]})
    described = with_tables(ratings, items=table)
    assert described.item_table["title"].to_list() == [None, "b", "c"]


def test_what_is_known_stays_where_the_table_says_nothing() -> None:
    frame = RATED.with_columns(title=pl.Series(["a", "b", "c"]), year=1990)
    described = tm.read_ratings(frame, items=pl.DataFrame({"item": [1, 2], "title": ["A", "B"]}))
    assert described.item_table["title"].to_list() == ["A", "B", "c"]
    assert described.item_table["year"].to_list() == [1990, 1990, 1990]
    assert described.rating.tolist() == RATED["rating"].to_list()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("isbn,title\n77,Heat\n78,Up\n", "ids as those of the ratings, such as 1, 2, 3; received"),
        ("", "an empty file"),
        ("PK\x03\x04", "films.csv"),
        ('[{"id": 1}, 2', "expected a table"),
    ],
)
def test_what_describes_nothing_is_refused_in_one_line(
    ratings: Ratings, tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "films.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=message) as error:
        with_tables(ratings, items=path)
    assert "\n" not in str(error.value)


def test_an_address_and_a_path_that_is_not_there_are_refused(ratings: Ratings) -> None:
    for source in ("https://example.org/items.csv", "no-such-items.csv"):
        with pytest.raises(tm.TastemapError, match="items.csv"):
            with_tables(ratings, items=source)
