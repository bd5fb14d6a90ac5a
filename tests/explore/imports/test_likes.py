"""Likes from lists, tables and exports of ratings: what is read, matched and left out."""

import io
import zipfile

import polars as pl
import pytest

from tastemap.data.interactions import Interactions
from tastemap.errors import DataError
from tastemap.explore.imports.likes import chosen_likes, read_likes, review_likes

MAX_BYTES = 10_000
TITLES = ["Alien (1979)", "Heat (1995)", "Up (2009)", "Up (1984)", "12 Monkeys (1995)"]


@pytest.fixture
def films() -> Interactions:
    table = pl.DataFrame(
        {
            "item_id": [7, 8, 9, 10, 11],
            "title": [title[:-7] for title in TITLES],
            "year": [int(title[-5:-1]) for title in TITLES],
        }
    )
    frame = pl.DataFrame({"user_id": [1, 1, 2, 2, 2, 3], "item_id": [7, 8, 9, 10, 11, 9]})
    return Interactions.from_frame(frame, item_table=table)


def names(content: str) -> list[tuple[str, float]]:
    likes = read_likes(content.encode(), MAX_BYTES)
    return [(entry.name, entry.rating) for entry in likes.entries]


def test_a_list_is_liked_line_by_line() -> None:
    assert names("Heat (1995)\n\nAlien\n") == [("Heat (1995)", 1), ("Alien", 1)]


def test_a_table_of_titles_or_ids_is_liked_row_by_row_oldest_first() -> None:
    assert names("Name,Year,Date\nHeat,1995,2024-05-02\nAlien,1979,2024-05-01\n") == [
        ("Alien (1979)", 1),
        ("Heat (1995)", 1),
    ]
    assert names("item_id\n8\n7\n") == [("8", 1), ("7", 1)]


def test_a_column_of_likes_says_what_is_liked_and_what_not() -> None:
    content = (
        "item_id,title,year,liked,timestamp\n8,Heat,1995,-1,30\n7,Alien,1979,1,20\n9,Up,,0,10\n"
    )
    likes = read_likes(content.encode(), MAX_BYTES)
    assert [(entry.item_id, entry.rating) for entry in likes.entries] == [("7", 1), ("8", -1)]
    assert likes.source == "Your own export"
    assert [remark.shown() for remark in likes.remarks] == [
        "1 row is neither liked nor unwanted: Up"
    ]
    rows = "item_id,title,liked,timestamp\n8,Heat,1,9\n7,Alien,1,9\n"
    assert names(rows) == [("Alien", 1), ("Heat", 1)], "saved by the application, newest first"
    assert names("item_id,liked\n8,1\n7,1\n") == [("8", 1), ("7", 1)], "saved by a site"
    assert names("title,liked\nHeat,true\nUp,no\n") == [("Heat", 1), ("Up", -1)]


def test_the_upper_quarter_of_ratings_are_likes_and_the_file_says_from_where_on() -> None:
    content = "Const,Your Rating,Title,Year\ntt1,9,Heat,1995\ntt2,7,Alien,1979\ntt3,x,Up,2009\n"
    likes = read_likes(content.encode(), MAX_BYTES)
    assert [entry.name for entry in likes.entries] == ["Heat (1995)"]
    assert likes.rule == "Ratings from 7.75 on are read as likes."
    assert [remark.shown() for remark in likes.remarks] == [
        "1 rating is too low for a like: Alien (1979) = 7",
        "1 line has no rating that can be read: Up (2009) = x",
    ]
    assert names("Heat = 5\nAlien = 1\n") == [("Heat", 1)]


def test_a_zip_is_read_as_it_comes() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        rows = "Date,Name,Year,Letterboxd URI,Rating\n2024-01-01,Heat,1995,x,4.5\n"
        archive.writestr("ratings.csv", rows)
    likes = read_likes(file.getvalue(), MAX_BYTES)
    assert (likes.source, likes.entries[0].name) == ("Letterboxd", "Heat (1995)")


@pytest.mark.parametrize("content", ["", "\0\1", "title\n", "title\n" + "x\n" * 6])
def test_what_holds_no_likes_or_too_many_is_refused(content: str) -> None:
    with pytest.raises(DataError, match="that can be read"):
        read_likes(content.encode(), MAX_BYTES, max_entries=5)


def test_entries_are_matched_by_title_year_and_id(films: Interactions) -> None:
    likes = read_likes(b"Heat\nUp\n7\nNo such thing\nAlein\nHeat (1995)\n", MAX_BYTES)
    review = review_likes(films, likes)
    sure = [(match.entry.name, match.rows) for match in review.sure]
    assert sure == [("7", [0]), ("Heat (1995)", [1])], "a line may be an id; the last of two counts"
    unsure = {match.entry.name: match.rows for match in review.unsure}
    assert unsure == {"Up": [2, 3], "Alein": [0]}
    assert [remark.shown() for remark in review.remarks] == ["1 title is not known: No such thing"]


def test_of_several_items_of_a_title_the_best_known_is_chosen(films: Interactions) -> None:
    likes = read_likes(b"Up\nAlien\nno such\n", MAX_BYTES)
    chosen = chosen_likes(films, likes)
    assert chosen == ({"9": 1.0, "7": 1.0}, ["no such"])


def test_histories_are_likes_and_a_low_rating_says_more(films: Interactions) -> None:
    trakt = '[{"watched_at": "2024-01-02", "movie": {"title": "Heat", "year": 1995}},'
    trakt += ' {"rating": 2, "rated_at": "2024-01-01", "movie": {"title": "Alien", "year": 1979}},'
    trakt += ' {"watched_at": "2023-01-02", "movie": {"title": "Alien", "year": 1979}},'
    trakt += ' {"watched_at": "2023-01-01", "movie": {"title": "Up", "year": 2009}}]'
    likes = read_likes(trakt.encode(), MAX_BYTES)
    assert likes.source == "Trakt"
    assert [entry.name for entry in likes.entries] == ["Up (2009)", "Heat (1995)"], "oldest first"
    assert likes.rule.endswith("What stands there without a rating is read as liked.")
    shelf = "Title,My Rating,Exclusive Shelf\nHeat,0,read\nAlien,0,to-read\n"
    likes = read_likes(shelf.encode(), MAX_BYTES)
    assert [entry.name for entry in likes.entries] == ["Heat"]
    assert [remark.shown() for remark in likes.remarks] == [
        "1 title is still to be seen or read: Alien"
    ]
    plays = "artist,album,track,date\nHeat,a,Alien Song,02 Jan 2024 10:30\n"
    review = review_likes(films, read_likes(plays.encode(), MAX_BYTES))
    assert [match.rows for match in review.sure] == [[1]], "the items are the artists"
