from datetime import date

import polars as pl
import pytest

from tastemap.data.readers.movielens import read_movielens
from tastemap.errors import DataError

ROWS = [(2, 1), (1, 2), (1, 1), (2, 3)]


def pairs(ratings):
    return ratings.to_frame().select("user_id", "item_id").rows()


def items(ratings, *columns):
    return ratings.item_table.select("item_id", *columns).rows()


def test_100k_keeps_the_files_order_and_parses_titles_dates_and_genres(ml_100k):
    ratings = read_movielens(ml_100k)
    assert pairs(ratings) == ROWS
    assert ratings.rating.tolist() == [5, 3, 4, 1]
    assert ratings.timestamp.tolist()[0] == 978300760
    assert ratings.source.name == "folder-100k"
    assert ratings.source.notes[0] == "read as MovieLens 100K (u.data)"
    assert "1 items of the item table have no rating" in ratings.source.notes[-1]
    assert items(ratings, "title", "year", "release_date", "release_year", "genres") == [
        (1, "Shall We Dance?", 1937, date(1937, 1, 1), 1937, ["Comedy", "Musical"]),
        (2, "Café, The (Le café (de nuit))", 1995, date(1996, 2, 4), 1996, ["Drama"]),
        (3, "unknown", None, None, None, []),
    ]
    assert ratings.item_table["imdb_url"][0] == "http://imdb/1"
    assert ratings.user_table.rows() == [
        (1, 24, "M", "writer", "05201"),
        (2, 56, "F", "writer", "T8H1N"),
    ]


def test_1m_reads_its_codes_and_latin_1(ml_1m):
    ratings = read_movielens(ml_1m)
    assert pairs(ratings) == ROWS
    assert items(ratings, "title", "year", "release_year", "genres")[1] == (
        2, "Café, The (Le café (de nuit))", 1995, 1995, ["Drama"],
    )  # fmt: skip
    assert ratings.item_table["release_date"].null_count() == 3
    assert ratings.user_table.rows() == [
        (1, "25-34", "M", "self-employed", "05201"),
        (2, "56 and over", "F", "other", "T8H1N"),
    ]


def test_1m_with_ratings_in_parquet_and_times_missing(ml_1m):
    frame = pl.read_csv(ml_1m / "ratings.dat", separator=":", has_header=False)[:, ::2]
    frame.columns = ["user_id", "item_id", "rating", "timestamp"]
    frame = frame.with_columns(pl.when(pl.col("item_id") != 3).then("timestamp").alias("timestamp"))
    frame.write_parquet(ml_1m / "ratings.parquet")
    (ml_1m / "ratings.dat").unlink()
    ratings = read_movielens(ml_1m)
    assert pairs(ratings) == ROWS
    assert ratings.timestamp is None
    assert any("1 of 4 times are missing: times are left out" in n for n in ratings.source.notes)
    filled = read_movielens(ml_1m, missing_times="fill")
    assert filled.timestamp.tolist()[3] == 978300760


def test_10m_is_utf_8_with_half_stars_and_tags(ml_1m):
    (ml_1m / "users.dat").unlink()
    text = (ml_1m / "movies.dat").read_text("latin-1")
    (ml_1m / "movies.dat").write_text(text, "utf-8")
    (ml_1m / "ratings.dat").write_text("1::1::3.5::838985046\n1::2::5::838983525\n")
    (ml_1m / "tags.dat").write_text("15::2::coffee::1215184630\n")
    ratings = read_movielens(ml_1m)
    assert ratings.rating.tolist() == [3.5, 5]
    assert items(ratings, "title", "tags")[1] == (2, "Café, The (Le café (de nuit))", ["coffee"])


def test_latest_reads_quoted_titles_links_and_tags(ml_latest):
    ratings = read_movielens(ml_latest)
    assert pairs(ratings) == ROWS
    assert ratings.rating.tolist() == [4.5, 2.5, 3.5, 0.5]
    assert items(ratings, "title", "year", "genres", "imdb_id", "tmdb_id", "tags") == [
        (1, "Shall We Dance?", 1937, ["Comedy", "Musical"], "0029546", 22688,
         ["dance", "slow, old"]),
        (2, "Café, The (Le café (de nuit))", 1995, ["Drama"], "0112346", None, ["coffee"]),
        (3, 'Say "Hi", 2', 2006, [], None, None, None),
    ]  # fmt: skip


def test_latest_without_companions_is_just_ratings(ml_latest):
    for name in ("movies.csv", "links.csv", "tags.csv"):
        (ml_latest / name).unlink()
    assert read_movielens(ml_latest).item_table is None


def test_recboles_form(recbole):
    ratings = read_movielens(recbole)
    assert pairs(ratings) == ROWS
    assert items(ratings, "title", "year", "release_year", "genres") == [
        (1, "Shall We Dance?", 1937, 1937, ["Comedy", "Musical"]),
        (2, "Café, The", 1995, 1995, ["Drama"]),
        (3, "unknown", None, None, []),
    ]
    assert ratings.user_table["age"].to_list() == [24, 56]


@pytest.mark.parametrize("form", ["ml_100k", "ml_1m", "ml_latest", "recbole"])
def test_a_zip_gives_what_the_folder_gives(form, zipped, request):
    folder = request.getfixturevalue(form)
    archive = zipped(folder, "any name.zip")
    assert read_movielens(archive).fingerprint() == read_movielens(folder).fingerprint()
    assert read_movielens(archive).item_table.equals(read_movielens(folder).item_table)
    assert read_movielens(folder.parent).fingerprint() == read_movielens(folder).fingerprint()


def test_a_folder_without_a_release_or_with_several_says_so(tmp_path, ml_100k, ml_1m):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match=r"empty; expected one MovieLens .* received none of these"):
        read_movielens(empty)
    with pytest.raises(
        DataError, match="received several: folder-100k, folder-1m; name the folder"
    ):
        read_movielens(tmp_path)
    with pytest.raises(DataError, match="nowhere; expected a file or folder; received nothing"):
        read_movielens(tmp_path / "nowhere")


def test_a_bad_line_of_a_companion_file_is_named(ml_100k, ml_latest):
    items = (ml_100k / "u.item").read_bytes().splitlines()
    (ml_100k / "u.item").write_bytes(b"\n".join([items[0], items[1][:40], *items[2:]]))
    with pytest.raises(DataError, match=r"u.item, line 2; expected 24 fields; received 3"):
        read_movielens(ml_100k)
    with (ml_latest / "movies.csv").open("a") as file:
        file.write("9,One, two (1999),Drama\n")
    with pytest.raises(DataError, match=r"movies.csv, line 6; expected 3 fields; received 4"):
        read_movielens(ml_latest)


def test_a_bad_rating_is_named_by_file_and_line(ml_100k):
    with (ml_100k / "u.data").open("a") as file:
        file.write("9\t1\tfive\t978300275\n")
    with pytest.raises(
        DataError,
        match=r"u.data, line 5, column column_3; expected a finite number; received 'five'",
    ):
        read_movielens(ml_100k)


def test_a_companion_file_without_a_column_is_named(ml_latest):
    text = (ml_latest / "movies.csv").read_text("utf-8")
    (ml_latest / "movies.csv").write_text(text.replace("genres", "kinds"), "utf-8")
    with pytest.raises(
        DataError,
        match=r"movies.csv, column genres; expected .* received movieId, title, kinds; use",
    ):
        read_movielens(ml_latest)
