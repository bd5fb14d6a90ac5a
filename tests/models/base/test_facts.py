"""The encoder of facts: what each kind of column becomes, and what says nothing."""

import numpy as np
import polars as pl

from tastemap.models.base.facts import MAX_WORDS, Facts

N = 60
TABLE = pl.DataFrame(
    {
        "item_id": range(N),
        "title": [f"Film {n}" for n in range(N)],
        "genres": [["War", "Drama"] if n % 2 else ["Drama"] for n in range(N)],
        "year": [None, *range(1941, 2000)],
        "pages": [str(n) if n % 3 else "—" for n in range(N)],
        "story": [("A robot dreams x{}", "Two sheep sleep {}")[n % 2].format(n) for n in range(N)],
        "tags": [[f"t{n}", f"t{(n + 1) % N}"] for n in range(N)],
        "code": [f"x{n}" for n in range(N)],
        "same": ["a"] * N,
        "nothing": [None] * N,
    }
).with_columns(
    picture=pl.Series([[n, 1.0, -n] for n in range(N)], dtype=pl.Array(pl.Float32, 3)),
)


def test_each_kind_of_column_is_told_and_what_says_nothing_is_said() -> None:
    facts = Facts.of(TABLE)
    kinds = {column.name: column.kind for column in facts.columns}
    assert kinds == {
        "genres": "lists of categories",
        "year": "categories",
        "pages": "categories",
        "story": "words",
        "tags": "lists of many values",
        "picture": "a vector",
    }
    notes = "\n".join(facts.notes)
    assert "facts: genres (lists of categories), year (categories)" in notes
    assert "no facts: title (a name)" in notes
    assert "no facts: code (hardly any two rows share a value)" in notes
    assert "no facts: same (the same in each row)" in notes
    assert "no facts: nothing (no values)" in notes


def features(name: str, table: pl.DataFrame = TABLE) -> np.ndarray:
    columns = tuple(column for column in Facts.of(TABLE).columns if column.name == name)
    return Facts(columns, ()).encode(table).toarray()


def test_a_number_column_with_marks_for_nothing_is_put_into_bins() -> None:
    pages = features("pages")
    assert pages.shape == (N, 12)
    assert pages[::3].sum() == 0
    assert (pages[1::3].sum(axis=1) == 1).all()
    without_marks = TABLE.filter(pl.col("pages") != "—")  # a later table may have none of them
    np.testing.assert_array_equal(features("pages", without_marks), pages[np.arange(N) % 3 > 0])


def test_words_weigh_by_how_rare_they_are_at_length_one() -> None:
    story = features("story")
    np.testing.assert_allclose((story**2).sum(axis=1), 1, rtol=1e-5)
    assert story.shape[1] == 6  # a, robot, dreams; two, sheep, sleep: numbers are in one row each
    assert features("story", TABLE.with_columns(story=pl.lit("Nothing in common"))).sum() == 0
    assert story.shape[1] <= MAX_WORDS


def test_vectors_are_relative_to_their_mean_in_units_of_their_deviation() -> None:
    picture = features("picture")
    np.testing.assert_allclose(picture.mean(axis=0), 0, atol=1e-6)
    assert np.isclose((picture**2).sum(axis=1).mean(), 1, rtol=1e-5)
    missing = TABLE.head(2).with_columns(
        picture=pl.Series([None, [1.0, float("nan"), 2.0]], dtype=pl.Array(pl.Float32, 3))
    )
    assert features("picture", missing).sum() == 0


def test_values_that_were_not_there_and_columns_that_are_missing_have_no_features() -> None:
    facts = Facts.of(TABLE)
    new = pl.DataFrame({"item_id": [1, 2], "genres": [["Western"], None], "year": [1890, None]})
    encoded = facts.encode(new).toarray()
    assert encoded.shape == (2, facts.size)
    assert encoded[0].sum() == 1  # a year before all others is in the first bin
    assert encoded[1].sum() == 0
    assert facts.missing(new) == ["pages", "story", "tags", "picture"]


def test_a_table_of_ids_alone_has_no_facts() -> None:
    facts = Facts.of(pl.DataFrame({"item_id": [1, 2]}))
    assert facts.size == 0
    assert facts.notes == ()
    assert facts.encode(pl.DataFrame({"item_id": [1, 2]})).shape == (2, 0)
