"""Items that an entry of a person's file may be: what is certain, proposed, offered, or nothing."""

import polars as pl
import pytest

from tastemap.data.vocabulary import Vocabulary
from tastemap.explore.imports.entries import Entry
from tastemap.explore.imports.matching import Candidates, Matcher, matcher_of, rows_of_ids

FILMS = [
    ("Hamlet", 1990),
    ("Hamlet", 1996),
    ("Seven (Se7en)", 1995),
    ("Star Wars", 1977),
    ("Empire Strikes Back, The", 1980),
    ("Twelve Monkeys", 1995),
    ("Wrong Trousers, The", 1993),
    ("Postino, Il", 1994),
    ("Professional, The", 1994),
    ("Dead Man Walking", 1995),
    ("Batman", 1989),
    ("Godfather: Part II, The", 1974),
    ("Jurassic Park", 1993),
    ("Lost World: Jurassic Park, The", 1997),
    ("Star Trek: The Wrath of Khan", 1982),
    ("Chasing Amy", 1997),
    ("Chasing Amy", 1997),
]


def vocabulary(titles: list[tuple[str, int]] = FILMS, **columns: list[object]) -> Vocabulary:
    names, years = zip(*titles, strict=True)
    table = {"item_id": range(100, 100 + len(titles)), "title": names, "year": years}
    frame = pl.DataFrame(table | columns)
    return Vocabulary(frame["item_id"], "item", frame)


ITEMS = vocabulary()


def candidates(title: str, year: int | None, **more: str) -> Candidates:
    (answer,) = matcher_of(ITEMS).candidates([Entry(title, year, 4.0, **more)])
    return answer


def titles(answer: Candidates) -> list[str]:
    return [ITEMS.titles[row] for row in answer.rows]


@pytest.mark.parametrize(
    ("title", "year", "expected"),
    [
        ("Hamlet", 1996, "Hamlet (1996)"),
        ("Hamlet", 1989, "Hamlet (1990)"),
        ("Se7en", 1995, "Seven (Se7en) (1995)"),
        ("Seven (a.k.a. Se7en)", 1995, "Seven (Se7en) (1995)"),
        ("Star Wars: Episode IV - A New Hope", 1977, "Star Wars (1977)"),
        ("Star Wars: Episode V - The Empire Strikes Back", 1980, "Empire Strikes Back, The (1980)"),
        ("12 Monkeys", 1995, "Twelve Monkeys (1995)"),
        ("Wallace & Gromit: The Wrong Trousers", 1993, "Wrong Trousers, The (1993)"),
        ("Il postino", 1994, "Postino, Il (1994)"),
        ("The Godfather Part 2", 1974, "Godfather: Part II, The (1974)"),
        ("Star Trek II: The Wrath of Khan", 1982, "Star Trek: The Wrath of Khan (1982)"),
        ("the empire strikes back", None, "Empire Strikes Back, The (1980)"),
    ],
)
def test_one_film_under_several_names_is_certain(
    title: str, year: int | None, expected: str
) -> None:
    answer = candidates(title, year)
    assert (titles(answer), answer.is_sure) == ([expected], True)


@pytest.mark.parametrize(
    ("title", "year"),
    [
        ("Hamlet", 2000),  # a remake
        ("Hamlet", None),
        ("Batman", 1966),
        ("The Godfather", 1972),
        ("Jurassic Park", 1998),  # the end of another title, of a year next to it
        ("Dead Man", 1995),  # the beginning of another title of the same year
        ("Psycho", 1960),
        ("2 Monkeys", 1995),
    ],
)
def test_another_film_is_neither_ticked_nor_proposed(title: str, year: int | None) -> None:
    answer = candidates(title, year)
    assert not answer.is_sure
    assert not answer.is_likely


@pytest.mark.parametrize(
    ("title", "year", "expected"),
    [
        ("Léon: The Professional", 1994, "Professional, The (1994)"),
        ("Star Wrs", 1977, "Star Wars (1977)"),
        ("Il Postino: The Postman", 1994, "Postino, Il (1994)"),
        ("Chasing Amy", 1997, "Chasing Amy (1997)"),  # twice in the catalogue
    ],
)
def test_what_is_likely_is_proposed_and_not_ticked(title: str, year: int, expected: str) -> None:
    answer = candidates(title, year)
    assert (titles(answer)[0], answer.is_sure, answer.is_likely) == (expected, False, True)


def test_an_id_of_the_file_counts_where_its_title_agrees() -> None:
    assert candidates("Hamlet", None, item_id="101").rows == [1]
    assert candidates("Hamlet", 1996, item_id="103").rows == [1], "that of another catalogue"
    assert candidates("", None, item_id="101").is_sure
    entry = Entry("", None, 4.0, item_id="101", is_numbered=True)
    assert matcher_of(ITEMS).candidates([entry]) == [Candidates([])], "a number of MovieLens"
    assert matcher_of(ITEMS) is matcher_of(ITEMS), "it is made once"


def test_numbers_of_movielens_count_in_its_catalogues() -> None:
    shown = [("Toy Story", 1995), ("Heat", 1995), ("Forrest Gump", 1994), ("Jurassic Park", 1993)]
    names, years = zip(*shown, strict=True)
    table = pl.DataFrame({"item_id": [1, 6, 356, 480], "title": names, "year": years})
    entry = Entry("", None, 4.0, item_id="6", is_numbered=True)
    items = Vocabulary(table["item_id"], "item", table)
    assert Matcher(items).candidates([entry])[0].rows == [1]
    other = table.with_columns(title=pl.Series([*names[:3], "Some Other"]))
    items = Vocabulary(other["item_id"], "item", other)
    assert not Matcher(items).candidates([entry])[0].rows
    linked = other.with_columns(imdb_id=pl.lit("0113277"))
    items = Vocabulary(linked["item_id"], "item", linked)
    assert Matcher(items).candidates([entry])[0].rows == [1], "it has links.csv"


def test_links_say_what_a_film_is_under_any_title() -> None:
    items = vocabulary(
        [("Hamlet", 1990), ("Heat", 1995)], imdb_id=["0099726", "0113277"], tmdb_id=[None, 949]
    )
    matcher = Matcher(items)
    entries = [
        Entry("Pressing Hot", 1996, 4.0, imdb_id="tt0113277"),
        Entry("Pressing Hot", 1996, 4.0, tmdb_id="949"),
        Entry("Another", 2003, 4.0, tmdb_id="949", kind="tv"),
    ]
    assert [answer.rows for answer in matcher.candidates(entries)] == [[1], [1], []]


def test_ids_are_compared_as_they_are_written() -> None:
    assert rows_of_ids(ITEMS, ["102", "0102", "", "99"]) == [2, -1, -1, -1]
    assert rows_of_ids(Vocabulary(pl.Series([], dtype=pl.Int64), "item"), ["1"]) == [-1]
    assert candidates("!!", None) == Candidates([])
