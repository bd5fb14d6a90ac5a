"""Tables of services: whose they are, and what each row says."""

import pytest

from tastemap.explore.imports.entries import Export
from tastemap.explore.imports.tables import is_table, read_table, with_header

TABLES = {
    "MovieLens": (
        'movie_id,imdb_id,tmdb_id,rating,average_rating,title\n6,113277,949,4.5,3.9,"Heat (1995)"\n'
    ),
    "Letterboxd": (
        "Date,Name,Year,Letterboxd URI,Rating\n2024-01-02,Heat,1995,https://boxd.it/x,4.5\n"
    ),
    "IMDb": (
        "Const,Your Rating,Date Rated,Title,Original Title,URL,Title Type,IMDb Rating,"
        "Runtime (mins),Year,Genres,Num Votes,Release Date,Directors\n"
        'tt0113277,9,2024-01-02,Heat,Heat,u,Movie,8.3,170,1995,"Crime, Drama",9,1995-12-15,x\n'
    ),
    "Trakt": (
        "rated_at,type,title,year,trakt_rating,trakt_id,imdb_id,tmdb_id,tvdb_id,url,released,"
        "season_number,episode_number,episode_title,genres,rating\n"
        "2024-01-02T20:00:00.000Z,movie,Heat,1995,8.1,1,tt0113277,949,,https://x,1995-12-15,,,,,9\n"
    ),
    "Simkl": (
        "SIMKL_ID,Title,Type,Year,Watchlist,LastEpWatched,WatchedDate,Rating,Memo,TVDB,TMDB,IMDB\n"
        "1,Heat,movie,1995,completed,,2024-01-02,9,,,949,tt0113277\n"
    ),
    "TMDb": (
        "TMDb ID,IMDb ID,Type,Name,Release Date,Season Number,Episode Number,Rating,Your Rating,"
        "Date Rated\n"
        "949,tt0113277,movie,Heat,1995-12-15T00:00:00Z,,,7.9,9.0,2024-01-02T00:00:00Z\n"
    ),
    "Criticker": (
        'Score, Film Name, Year, Mini Review, URL, IMDB ID\n90, "Heat", 1995, "", u, tt0113277\n'
    ),
    "Goodreads": (
        "Book Id,Title,Author,My Rating,Average Rating,Year Published,Original Publication Year,"
        "Date Read,Date Added,Exclusive Shelf\n"
        '1,"Heat (Neil McCauley, #1)",x,5,4.4,2011,1995,2024/01/02,2024/01/01,read\n'
    ),
}
RATINGS = {"MovieLens": 4.5, "Letterboxd": 4.5, "Criticker": 90.0, "Goodreads": 5.0}


def entries_of(text: str, name: str = "") -> Export:
    return read_table(text, 100, name)


@pytest.mark.parametrize("service", TABLES)
def test_a_table_is_known_by_its_columns(service: str) -> None:
    export = entries_of(TABLES[service])
    (entry,) = export.entries
    assert (export.source, entry.name) == (service, "Heat (1995)")
    assert entry.rating == RATINGS.get(service, 9.0)
    assert entry.at[:4] in ("2024", ""), "the time of the rating, and not of something else"
    assert entry.imdb_id.removeprefix("tt0") in ("113277", "")


def test_rows_without_a_rating_are_seen_wanted_or_nothing() -> None:
    header = TABLES["Letterboxd"].partition("\n")[0]
    (entry,) = entries_of(f"{header}\n2024-01-02,Heat,1995,x,\n").entries
    assert entry.is_seen
    (entry,) = entries_of("title,item_id\nHeat,7\n").entries
    assert not entry.is_seen, "a list of one's own without a column of ratings"
    listed = "Position,Const,Created,Title,Year,Your Rating\n1,tt1,2024-01-02,Heat,1995,\n"
    assert [e.is_wanted for e in entries_of(f"{listed}2,tt2,2024-01-02,Up,2009,8\n").entries] == [
        True,
        False,
    ]
    simkl = TABLES["Simkl"].replace("completed", "plantowatch").replace(",9,", ",,")
    assert entries_of(simkl).entries[0].is_wanted


def test_episodes_are_told_from_series() -> None:
    for service, before, after in (
        ("IMDb", "Movie", "TV Episode"),
        ("Trakt", ",movie,", ",episode,"),
        ("TMDb", "T00:00:00Z,,,", "T00:00:00Z,1,2,"),
    ):
        (entry,) = entries_of(TABLES[service].replace(before, after)).entries
        assert entry.is_episode, service


def test_the_first_year_of_a_book_counts_and_not_that_of_an_edition() -> None:
    (entry,) = entries_of(TABLES["Goodreads"].replace(",1995,", ",,")).entries
    assert entry.year is None
    (entry,) = entries_of("Title,My Rating,Year Published\nEmma,4,1815\n").entries
    assert entry.year == 1815


def test_a_first_line_of_names_makes_a_table() -> None:
    assert is_table('"Name"\t"Rating"\nHeat\t4\n')
    assert not is_table("Heat = 4\nname = 5\n")


@pytest.mark.parametrize(
    "text",
    ["", "a,b,c,d\n", "a,b,c,7\n", "\0", "a\rb", "x" * 200_000, "artist,album,track,date\nx"],
)
def test_what_lacks_no_header(text: str) -> None:
    assert with_header(text) == text
