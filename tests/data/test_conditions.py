import polars as pl
import pytest

from tastemap.data.conditions import parse_condition
from tastemap.errors import ArgumentError

FILMS = pl.DataFrame(
    {
        "item_id": [1, 2, 3, 4],
        "title": ["Alien", "Schindler's List", "It contains 'x'", None],
        "genres": [["Horror", "Sci-Fi"], ["Drama", "Children's"], [], None],
        "year": [1979, 1993, 1990, None],
    }
)


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        ("genres contains 'Horror'", [1]),
        ("genres CONTAINS 'sci-fi' and year < 1980", [1]),
        ("genres contains 'Children''s'", [2]),
        ("genres contains 'Western'", []),
        ("genres not contains 'Horror'", [2, 3]),
        ("not genres contains 'Horror'", [2, 3]),
        ("\"genres\" contains 'Horror' or year = 1990", [1, 3]),
        ("title contains 'LIST'", [2]),
        ("title contains 'r''s'", [2]),
        ("title contains '.'", []),
        ("title not contains 'list'", [1, 3]),
        ("title = 'It contains ''x'''", [3]),
        ("year between 1990 and 1995", [2, 3]),
        ("year is null", [4]),
        ("year in (1979, 1993) and item_id <> 1", [2]),
        (pl.col("year") > 1980, [2, 3]),
        (pl.col("genres").list.contains("Drama"), [2]),
    ],
)
def test_a_condition_selects_rows(condition, ids):
    assert FILMS.filter(parse_condition(condition, FILMS))["item_id"].to_list() == ids


@pytest.mark.parametrize(
    "text", ["", "year >=", "year > 1990 typo", "year > 1; year", "'a", "(year", "a and"]
)
def test_what_is_no_condition_is_refused_with_an_example(text):
    with pytest.raises(ArgumentError, match=r"expected an SQL condition; received .*write it like"):
        parse_condition(text, FILMS)


@pytest.mark.parametrize("condition", ["yeer > 1990", pl.col("yeer") > 1990])
def test_an_unknown_column_is_named_and_the_nearest_offered(condition):
    message = "column 'yeer' in the condition; expected one of item_id, title.*did you mean 'year'"
    with pytest.raises(ArgumentError, match=message):
        parse_condition(condition, FILMS)
    with pytest.raises(ArgumentError, match=r"column 'qqq' .* write it like"):
        parse_condition("qqq contains 'a'", FILMS)


@pytest.mark.parametrize("condition", ["year", "title", pl.col("year") + 1, "upper(title)"])
def test_an_answer_that_is_not_true_or_false_is_refused(condition):
    with pytest.raises(ArgumentError, match=r"true or false for each row; received .* which gives"):
        parse_condition(condition, FILMS)


@pytest.mark.parametrize(
    "condition", ["year > 'abc'", "genres = 'Drama'", "title ~ '(a{1000}){1000}'"]
)
def test_what_cannot_be_compared_says_which_columns_there_are(condition):
    with pytest.raises(ArgumentError, match=r"columns allow; received .*; columns: item_id, title"):
        parse_condition(condition, FILMS)


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("year = 1 or " * 1_000 + "year = 1", "2,000 characters"),
        ("1" + "+1" * 10_000 + " > year", "2,000 characters"),
        ("1" + "+1" * 400 + " > year", "300 words and signs"),
        ("-" * 10 + " 1 - " * 300 + "year = 1", "300 words and signs"),
        ("(" * 21 + "year = 1" + ")" * 21, "20 brackets inside each other"),
        ("[" * 900 + "1", "20 brackets inside each other"),
    ],
)
def test_a_condition_is_bounded_before_it_is_parsed(text, most, monkeypatch):
    monkeypatch.setattr(pl, "sql_expr", lambda sql: pytest.fail("Polars has seen it"))
    with pytest.raises(ArgumentError, match=f"condition; expected at most {most}; received"):
        parse_condition(text, FILMS)


def test_the_longest_conditions_that_are_taken_are_quick():
    condition = " or ".join(["year=1"] * 99 + ["year = 1979"])
    assert FILMS.filter(parse_condition(condition, FILMS))["item_id"].to_list() == [1]
    condition = "year in (" + ",".join(map(str, range(1600, 1980))) + ")"
    assert FILMS.filter(parse_condition(condition, FILMS))["item_id"].to_list() == [1]


@pytest.mark.parametrize(
    "text",
    [
        "replace(replace(title, 'a', 'aaaaaaaa'), 'a', 'aaaaaaaa') = ''",
        "lpad(title, 1000000000, 'x') = ''",
        "\"rpad\" (title, 1000000000, 'x') = ''",
        "array_to_string(array_agg(title), 'x') = ''",
        "year in (select 1) or exists (select 1)",
        "row_number() over () > 1",
    ],
)
def test_functions_that_multiply_text_or_rows_are_refused(text):
    with pytest.raises(ArgumentError, match=r"function \w+ in the condition; expected one of abs,"):
        parse_condition(text, FILMS)


@pytest.mark.parametrize("condition", ["null", "null = null", pl.lit(None)])
def test_null_selects_nothing(condition):
    assert len(FILMS.filter(parse_condition(condition, FILMS))) == 0


def test_what_ends_in_no_error_of_polars_is_one_of_ours():
    for text in ("year > " + "9" * 400, "year in (select 1)", "title[1] = 'a'", "year::x = 1"):
        with pytest.raises(ArgumentError, match="condition"):
            parse_condition(text, FILMS)
