"""Which column is what: by names in many spellings, by what is in them, or it is asked for."""

import pytest

from tastemap.data.readers.read import read_ratings
from tastemap.data.readers.roles import find_columns
from tastemap.errors import DataError

UNKNOWN = dict.fromkeys(("user", "item", "rating", "timestamp"))


def roles(header: str, **chosen: str) -> list[str | None]:
    found, _ = find_columns("x", header.split(","), UNKNOWN | chosen)
    return [found.get(role) for role in UNKNOWN]


@pytest.mark.parametrize(
    "header",
    [
        "userId,movieId,rating,timestamp",
        "user_id,Anime_ID,My Rating,date",
        "reviewer_name,product_id,movieRating,review_date",
        "visitorid,joke,Feedback,ts",
        "Nutzer,Film,Bewertung,Datum",
        "utilisateur,livre,note,horodatage",
        "usuario,película,calificación,fecha",
        "utente,canzone,voto,data",
        "usuário,livro,avaliação,data",
        "gebruiker,boek,beoordeling,tijdstip",
        "ID Usuario,ID Pelicula,Puntuación,Fecha",
        "userID,artistID,weight,time",
    ],
)
def test_names_in_many_spellings(header: str) -> None:
    assert roles(header) == header.split(",")
    assert roles(",".join(header.split(",")[::-1])) == header.split(",")


def test_names_that_only_speak_of_a_role_do_not_play_it() -> None:
    header = "avg_rating,rating_count,user_age,release_date,user,item,stars"
    assert roles(header) == ["user", "item", "stars", None]
    assert roles("user,title,movie_id,rating") == ["user", "movie_id", "rating", None]


def test_no_times_can_be_asked_for(write) -> None:
    assert roles("user,item,rating,time", timestamp="none")[3] is None
    assert roles("user,item,rating,none", timestamp="none")[3] == "none"
    path = write("user,item,rating,time\n1,2,3,1700000000\n2,2,4,1700000000\n")
    assert read_ratings(path).timestamp is not None
    assert read_ratings(path, timestamp="none").timestamp is None


CIAO = "".join(
    f"{n % 7},{n % 5},{(n % 5) % 3},{500 + 3 * n * n},{n % 4 + 1},2011-03-{n % 28 + 1:02}\n"
    for n in range(40)
)


def test_six_columns_without_a_header_are_told_by_what_is_in_them(write) -> None:
    ratings = read_ratings(write(CIAO))
    assert (ratings.n_users, ratings.n_items, str(ratings.scale)) == (7, 5, "1 to 4 in steps of 1")
    assert ratings.timestamp is not None
    assert any(
        note.startswith("told by what is in the columns: ") and "rating = column_5" in note
        for note in ratings.source.notes
    )


def test_other_orders_without_a_header(write) -> None:
    text = "".join(f"{n % 5 + 1},{n % 7 + 200},i{n % 11}\n" for n in range(70))
    ratings = read_ratings(write(text))
    assert (ratings.n_users, ratings.n_items, ratings.scale.highest) == (7, 11, 5)


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"{n % 7},{n % 5},{n % 3},{n % 4},{n % 6}\n" for n in range(60)),
        "a,1700000000\nb,1700000001\n",
    ],
)
def test_what_is_not_clear_is_asked_for(text: str, write) -> None:
    with pytest.raises(DataError, match="column of the .*(name them: user=|add a column of rat)"):
        read_ratings(write(text))


def test_the_column_that_is_left_plays_the_role_that_is_left(write) -> None:
    rows = "".join(f"{n % 7},{n % 5},{n % 4}\n" for n in range(35))
    ratings = read_ratings(write("user,item,foo\n" + rows))
    assert ratings.scale.highest == 3
    assert "told by what is in the columns: rating = foo" in ratings.source.notes


def test_small_numbers_in_a_fourth_column_without_a_name_are_no_times(write) -> None:
    ratings = read_ratings(write("1,2,3,4\n1,3,4,5\n2,2,5,1\n"))
    assert ratings.timestamp is None
    assert any("column_4 is not read as times" in note for note in ratings.source.notes)
    assert read_ratings(write("1,2,3,4\n1,3,4,5\n"), timestamp="column_4").timestamp is not None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("user,item,liked\na,x,True\nb,x,False\n", "True and False; .* rating='liked'"),
        ("user,item,rating\na,x,true\nb,x,false\n", "True and False; .* rating='rating'"),
        ("session_id,item_id,timestamp\ns0,i0,1700000000\n", "none of numbers to rate with; add a"),
        ("user,item,event\na,x,view\nb,x,addtocart\n", "event: addtocart, view"),
        (
            "item,title,price\n1,Heat,9.5\n2,Alien,—\n",
            "column of the user; .*user='NAME', item='item'",
        ),
    ],
)
def test_tables_without_ratings_say_so(text: str, message: str, write) -> None:
    with pytest.raises(DataError, match=message):
        read_ratings(write(text))


def test_true_and_false_are_ratings_if_the_column_is_named(write) -> None:
    ratings = read_ratings(write("user,item,liked\na,x,True\nb,x,False\n"), rating="liked")
    assert ratings.rating.tolist() == [1, 0]
    assert "column liked: True and False read as 1 and 0" in ratings.source.notes


@pytest.mark.parametrize("n_items", [3, 6])
def test_a_matrix_is_not_read_by_position(n_items: int, write) -> None:
    lines = [",".join(str((n * i) % 5 + 1) for i in range(1, n_items + 1)) for n in range(1, 20)]
    text = "".join(f"{n},{line}\n" for n, line in enumerate(lines))
    if n_items > 4:  # that many columns of one scale are items
        assert read_ratings(write(text)).n_items == n_items
        return
    with pytest.raises(DataError, match="name them: user="):
        read_ratings(write(text))


def test_tables_of_items_and_exports_are_no_tables_of_ratings(write) -> None:
    for text in (
        "".join(f"{n},Comedy,{n % 5 + 1}\n" for n in range(9)),
        "".join(f"{n},http://x/{n},{n % 5 + 1}\n" for n in range(3)),
    ):
        with pytest.raises(DataError, match="column of the user"):
            read_ratings(write("Title,Sort,Rating\n" + text))
    with pytest.raises(DataError, match="column of the user"):
        read_ratings(write("Title,Sort,Kind,Rating\na,x,y,3\nb,x,y,4\nb,z,y,4\n"))
