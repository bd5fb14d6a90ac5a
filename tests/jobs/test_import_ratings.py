"""A person's own ratings from a file: what is used, what is named as left out, what is refused."""

from pathlib import Path

import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.readers.interactions import read_interactions
from tastemap.errors import DataError
from tastemap.jobs.import_ratings import history_of_file, ratings_of_file

LETTERBOXD = """Date,Name,Year,Letterboxd URI,Rating
2024-01-02,Alien,1979,https://boxd.it/1,4.5
2024-01-02,Heat,1986,https://boxd.it/2,3
2024-01-02,Oppenheimer,2023,https://boxd.it/3,2
2024-01-02,Brazil,1985,https://boxd.it/4,0.5
"""


@pytest.fixture(scope="module")
def films() -> Ratings:
    table = {"item_id": [1, 2, 3], "title": ["Alien", "Heat", "Brazil"], "year": [1979, 1995, 1985]}
    rated = {"user_id": [1, 1, 2], "item_id": [1, 2, 3], "rating": [1.0, 5.0, 4.0]}
    return Ratings.from_frame(pl.DataFrame(rated), item_table=pl.DataFrame(table))


def read(films: Ratings, path: Path, content: str) -> tuple[dict[int, float], list[str]]:
    path.write_text(content)
    frame, notes = ratings_of_file(path, films)
    return dict(frame.iter_rows()), notes


def test_an_export_is_used_as_far_as_its_titles_are_in_the_data(
    films: Ratings, tmp_path: Path
) -> None:
    ratings, notes = read(films, tmp_path / "letterboxd.csv", LETTERBOXD)
    assert ratings == {1: 5.0, 3: 1.0}
    assert notes == [
        "letterboxd.csv (Letterboxd): 2 of 4 ratings used",
        "ratings brought from 0.5–5 to 1–5",
        "1 title is not known: Oppenheimer (2023)",
        "left out, may be Heat (1995): Heat (1986)",
    ]


def test_of_many_unknown_titles_the_first_are_named_and_all_counted(
    films: Ratings, tmp_path: Path
) -> None:
    unknown = "".join(f"zzzz{'q' * n},3\n" for n in range(8))
    ratings, notes = read(films, tmp_path / "mine.csv", f"title,rating\nAlien,4\n{unknown}")
    assert ratings == {1: 4.0}
    assert notes[0] == "mine.csv (Your list): 1 of 9 ratings used"
    assert notes[1].startswith("8 titles are not known: zzzz; zzzzq; ")
    assert notes[1].endswith(" and 3 more")


def test_ids_are_enough_and_the_last_rating_of_an_item_counts(
    films: Ratings, tmp_path: Path
) -> None:
    ids = "item_id,rating\n1,4.5\n99,2\n1,3.5\n"
    ratings, notes = read(films, tmp_path / "ids.csv", ids)
    assert ratings == {1: 4.0}
    assert notes == [
        "ids.csv (Your own export): 1 of 3 ratings used",
        "1 title is not known: 99",
        "1 further rating of an item that is rated twice, the last counts: 1 = 4.5",
        "1 rating is brought to a step of the scale: 1 = 3.5",
    ]
    frame = pl.DataFrame({"title": ["Heat"], "rating": [2], "genres": [["Crime"]]})
    frame.write_parquet(tmp_path / "mine.parquet")
    assert ratings_of_file(tmp_path / "mine.parquet", films)[0].rows() == [(2, 2.0)]


def test_a_written_list_is_read_line_by_line(films: Ratings, tmp_path: Path) -> None:
    lines = "Alien (1979) = 4\nI liked this\nBrazil;2\n"
    ratings, notes = read(films, tmp_path / "list.txt", lines)
    assert ratings == {1: 4.0, 3: 2.0}
    assert notes == [
        "list.txt (Your list): 2 of 3 ratings used",
        "1 line has no rating that can be read: I liked this",
    ]


def test_zeros_of_goodreads_are_no_ratings(films: Ratings, tmp_path: Path) -> None:
    rows = '1,"Alien (Alien, #1)",5,1979\n2,Heat,0,1995\n'
    header = "Book Id,Title,My Rating,Year Published\n"
    ratings, notes = read(films, tmp_path / "goodreads.csv", header + rows)
    assert ratings == {1: 5.0, 2: None}
    assert notes == [
        "goodreads.csv (Goodreads): 1 of 1 rating used; 1 of 1 without a rating is taken as seen"
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("film,rating\nAlien,5\n", "columns rating and title or item_id.*film, rating"),
        ("title,rating\nAlien,9\n", "1 rating is not from 1 to 5: Alien = 9"),
        ("title,rating\nNo Such,5\n", "expected titles or ids of the model's items.*No Such"),
        ("just words\n", "expected columns rating.*received just words"),
        ("", "expected columns rating.*received nothing.*export it again"),
        ("userId,movieId,rating\n1,1,5\n", "1 line has a number of MovieLens and no title"),
    ],
)
def test_what_holds_nothing_of_use_is_refused_in_one_line(
    films: Ratings, tmp_path: Path, content: str, message: str
) -> None:
    with pytest.raises(DataError, match=message) as error:
        read(films, tmp_path / "mine.csv", content)
    assert "\n" not in str(error.value)


WATCHED = """Date,Name,Year,Letterboxd URI
2024-01-03,Alien,1979,https://boxd.it/1
2024-01-01,Heat,1995,https://boxd.it/2
2024-01-02,Oppenheimer,2023,https://boxd.it/3
"""


def test_a_history_is_seen_by_a_model_of_ratings(films: Ratings, tmp_path: Path) -> None:
    ratings, notes = read(films, tmp_path / "watched.csv", WATCHED)
    assert ratings == {1: None, 2: None}
    assert notes == [
        "watched.csv (Letterboxd): 2 of 3 without a rating are taken as seen",
        "1 title is not known: Oppenheimer (2023)",
    ]


def test_shelves_are_counted_and_a_rating_counts_more(films: Ratings, tmp_path: Path) -> None:
    books = (
        "Title,My Rating,Exclusive Shelf\nAlien,4,read\nAlien,0,read\n"
        "Heat,0,to-read\nBrazil,0,read\n"
    )
    ratings, notes = read(films, tmp_path / "goodreads.csv", books)
    assert ratings == {1: 4.0, 3: None}
    assert notes == [
        "goodreads.csv (Goodreads): 1 of 1 rating used;"
        " 1 of 1 without a rating is taken as seen (1 read)",
        "1 title is still to be seen or read: Heat",
    ]


def test_a_history_is_likes_in_order_for_a_model_of_interactions(
    films: Ratings, tmp_path: Path
) -> None:
    path = tmp_path / "watched.csv"
    path.write_text(WATCHED)
    items, notes = history_of_file(path, films.likes(1))
    assert items == [2, 1]
    assert notes[:2] == [
        "watched.csv (Letterboxd): 2 of 3 taken as liked",
        "what stands there without a rating is read as liked",
    ]
    path.write_text(LETTERBOXD)
    items, notes = history_of_file(path, films.likes(1))
    assert items == [1]
    assert "ratings from 3.875 on are read as likes" in notes
    path.write_text("Heat\nAlien (1979)\n")
    assert history_of_file(path, films.likes(1))[0] == [2, 1], "a list of titles will do"
    path.write_text("Date,Name,Year,Letterboxd URI\n2024-01-02,Oppenheimer,2023,x\n")
    with pytest.raises(DataError, match="Oppenheimer"):
        history_of_file(path, films.likes(1))


def test_plays_are_of_tracks_or_of_artists(tmp_path: Path) -> None:
    path = tmp_path / "scrobbles.csv"
    path.write_text(
        "Cher,Believe,Strong Enough,02 Jan 2024 10:30\nAbba,Arrival,Tiger,01 Jan 2024 10:30\n"
        "Cher,Believe,Believe,01 Jan 2024 09:30\n"
    )
    plays = read_interactions({1: ["Abba", "Cher"], 2: ["Cher", "Björk"]})
    assert history_of_file(path, plays)[0] == ["Abba", "Cher"]
