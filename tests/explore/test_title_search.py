import difflib
import time

import polars as pl
import pytest

from tastemap.data.vocabulary import Vocabulary
from tastemap.errors import ArgumentError
from tastemap.explore.title_search import MAX_CANDIDATES, MAX_WORDS, search_titles

TITLES = [
    ("Star Wars", 1977),
    ("Return of the Jedi", 1983),
    ("Star Trek: First Contact", 1996),
    ("Usual Suspects, The", 1995),
    ("Amélie", 2001),
    ("M*A*S*H", 1970),
    ("Schindler's List", 1993),
    ("Monty Python and the Holy Grail", 1974),
    ("Spider-Man", 2002),
    ("Thelma & Louise", 1991),
    ("2001: A Space Odyssey", 1968),
    ("七人の侍", 1954),
    ("Misérables, Les", None),
    ("Avventura, L'", 1960),
]


@pytest.fixture
def films() -> Vocabulary:
    table = pl.DataFrame(TITLES, schema=["title", "year"], orient="row").with_row_index(
        "item_id", 1
    )
    return Vocabulary(table["item_id"], "item", table)


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("JEDI", "Return of the Jedi (1983)"),
        ("jedi return", "Return of the Jedi (1983)"),
        ("the usual suspects", "Usual Suspects, The (1995)"),
        ("a usual suspects", "Usual Suspects, The (1995)"),
        ("amelie", "Amélie (2001)"),
        ("AMÉLIE", "Amélie (2001)"),
        ("mash", "M*A*S*H (1970)"),
        ("schindlers list", "Schindler's List (1993)"),
        ("schindler’s", "Schindler's List (1993)"),
        ("spiderman", "Spider-Man (2002)"),
        ("spider man", "Spider-Man (2002)"),
        ("thelma and louise", "Thelma & Louise (1991)"),
        ("star wars 1977", "Star Wars (1977)"),
        ("starwars", "Star Wars (1977)"),
        ("2001 odyssey", "2001: A Space Odyssey (1968)"),
        ("七人の侍", "七人の侍 (1954)"),
        ("les miserables", "Misérables, Les"),
        ("l'avventura", "Avventura, L' (1960)"),
        ("avventura", "Avventura, L' (1960)"),
    ],
)
def test_words_are_found_whatever_their_case_accents_and_order(films, query, title):
    assert search_titles(films, query).select("title", "match").row(0) == (title, "words")


def test_the_beginning_of_a_word_is_enough(films):
    frame = search_titles(films, "sta")
    assert frame["match"].to_list() == ["prefix", "prefix"]
    assert frame["title"][0] == "Star Wars (1977)"  # the shorter title is the better answer


def test_whole_words_come_before_beginnings():
    table = pl.DataFrame({"item_id": [1, 2], "title": ["Alienation", "Alien and some more words"]})
    frame = search_titles(Vocabulary(table["item_id"], "item", table), "alien")
    assert frame["match"].to_list() == ["words", "prefix"]


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("star warz", "Star Wars (1977)"),
        ("monty phyton", "Monty Python and the Holy Grail (1974)"),
        ("usual sispects", "Usual Suspects, The (1995)"),
        ("shindlers lst", "Schindler's List (1993)"),
    ],
)
def test_close_spellings_are_offered_when_nothing_matches(films, query, title):
    assert search_titles(films, query).select("title", "match").row(0) == (title, "spelling")


def test_nothing_alike_gives_an_empty_frame_of_the_same_columns(films):
    frame = search_titles(films, "zzzzqqq")
    assert frame.columns == ["item_id", "title", "match", "score"]
    assert len(frame) == 0


def test_the_score_of_a_whole_title_is_one_and_k_bounds_the_rows(films):
    assert search_titles(films, "return of the jedi")["score"].to_list() == [1.0]
    assert len(search_titles(films, "star", k=1)) == 1
    assert all(0 < score <= 1 for score in search_titles(films, "star")["score"])


def test_items_without_titles_are_found_by_their_ids():
    assert (
        search_titles(Vocabulary(pl.Series(["a-1", "b-2"]), "item"), "B 2")["item_id"][0] == "b-2"
    )


def test_no_items_is_no_error():
    table = pl.DataFrame({"item_id": [], "title": []}, schema={"item_id": int, "title": str})
    assert len(search_titles(Vocabulary(table["item_id"], "item", table), "star")) == 0


@pytest.mark.parametrize("query", ["", "   ", "?!"])
def test_a_query_without_letters_is_refused(films, query):
    with pytest.raises(ArgumentError, match="query; expected at least one letter or digit"):
        search_titles(films, query)


def test_k_below_one_is_refused(films):
    with pytest.raises(ArgumentError, match="k; expected at least 1"):
        search_titles(films, "star", k=0)


@pytest.mark.parametrize(
    "unit", ["\u0315\u0300", "a", " ", "a ", ".a", "&", "(1995)", "\ufdfa", "'"]
)
def test_long_titles_and_queries_take_no_long_time(unit):
    """Taking the accents off 10^5 of them takes half a minute: the square of their number."""
    long, start = unit * (100_000 // len(unit)), time.monotonic()
    table = pl.DataFrame({"item_id": [1, 2], "title": ["Star Wars", f"Alien {long}"]})
    films = Vocabulary(table["item_id"], "item", table)
    assert search_titles(films, "star wars")["item_id"].to_list() == [1]
    assert search_titles(films, f"alien {unit}")["item_id"].to_list() == [2]
    search_titles(films, f"star {long}")
    search_titles(films, f"sta wras {long}")
    assert time.monotonic() - start < 10


def test_spellings_are_compared_within_bounds(films, monkeypatch):
    compared = []

    class Matcher(difflib.SequenceMatcher):
        def ratio(self):
            compared.append(self.a)
            return super().ratio()

    monkeypatch.setattr(difflib, "SequenceMatcher", Matcher)
    assert len(search_titles(films, "usual sispects")) == 1
    assert 0 < len(compared) <= 2 * MAX_CANDIDATES
    del compared[:]
    assert not len(search_titles(films, "x" * 41 + "s"))
    assert not len(search_titles(films, " ".join(f"wars{n}" for n in range(33))))
    assert not compared


def test_a_long_query_costs_no_more_than_its_first_words() -> None:
    names = [f"word{n}" for n in range(MAX_WORDS + 1)]
    table = pl.DataFrame({"item_id": [1, 2], "title": [" ".join(names[:-1]), "Another"]})
    items = Vocabulary(table["item_id"], "item", table)
    assert search_titles(items, " ".join(names))["item_id"].to_list() == [1]
    assert search_titles(items, "x" * 10**6).is_empty()
    assert search_titles(items, "another" + " " * 10**6 + "word1")["item_id"].to_list() == [2]
