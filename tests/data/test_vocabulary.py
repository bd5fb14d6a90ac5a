"""Ids and row numbers: found whatever form they come in, and never mixed up."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemap.data import vocabulary as module
from tastemap.data.vocabulary import Vocabulary, numbered
from tastemap.errors import ArgumentError, DataError, UnknownIdError

ids = st.one_of(
    st.lists(st.integers(-(2**63), 2**63 - 1), unique=True, max_size=30),
    st.lists(st.text(max_size=300), unique=True, max_size=30),
)


@given(ids=ids, data=st.data())
def test_there_and_back(ids: list[int] | list[str], data: st.DataObject) -> None:
    kind = pl.String if ids and isinstance(ids[0], str) else pl.Int64
    vocabulary = Vocabulary(pl.Series(ids, dtype=kind), "item")
    asked = data.draw(st.lists(st.sampled_from(ids), max_size=20)) if ids else []
    rows = vocabulary.index(pl.Series(asked, dtype=kind))
    assert rows.dtype == np.int32
    assert vocabulary.ids_at(rows).to_list() == asked
    assert [ids[row] for row in rows] == asked


@pytest.mark.parametrize("asked", [1, 1.0, "1", np.int64(1), np.float32(1)])
def test_one_id_in_many_forms(asked: object) -> None:
    assert Vocabulary(pl.Series([7, 1]), "item").index_of(asked) == 1
    assert Vocabulary(pl.Series(["7", "1"]), "item").index_of(asked) == 1


@pytest.mark.parametrize("asked", ["01", "1.5", 1.5, "one", None, True, float("nan")])
def test_what_is_no_id_is_not_found(asked: object) -> None:
    for vocabulary in (
        Vocabulary(pl.Series(["001", "x"]), "item"),
        Vocabulary(pl.Series([7]), "item"),
    ):
        assert vocabulary.index([asked], missing="negative").tolist() == [-1]


def test_mixed_and_foreign_sequences() -> None:
    vocabulary = Vocabulary(pl.Series([5, 6]), "user")
    assert vocabulary.index(["5", 6, 7], missing="negative").tolist() == [0, 1, -1]
    assert vocabulary.index(np.array([6.0, 5.0])).tolist() == [1, 0]
    assert vocabulary.index(pl.Series(["6"], dtype=pl.Categorical)).tolist() == [1]
    assert vocabulary.index(pl.Series([2**63 + 5], dtype=pl.UInt64), missing="negative") == [-1]
    assert 5 in vocabulary
    assert "nobody" not in vocabulary


def test_a_bare_id_is_no_sequence() -> None:
    for bare in ("5", 5):
        with pytest.raises(ArgumentError, match="a list, array or series"):
            Vocabulary(pl.Series([5]), "user").index(bare)


def test_unknown_ids_come_with_their_nearest() -> None:
    with pytest.raises(UnknownIdError, match="user_id.*received 8; nearest: 7, 11, 1") as caught:
        Vocabulary(pl.Series([1, 7, 11, 900]), "user").index_of(8)
    assert caught.value.nearest == (7, 11, 1)
    with pytest.raises(UnknownIdError, match="nearest: 'anna'"):
        Vocabulary(pl.Series(["anna", "zoe"]), "user").index_of("ann")


def test_ids_and_titles_are_found_together() -> None:
    table = pl.DataFrame({"item_id": [4, 5, 6], "title": ["Solaris", "Stalker", "Alien"]})
    films = Vocabulary(pl.Series([4, 5, 6]), "item", table)
    found = films.find_all([6, "Stalker", 4])
    assert found.tolist() == [2, 1, 0]
    assert found.dtype == np.int32
    assert films.find_all(pl.Series(["Alien", "solaris"])).tolist() == [2, 0]
    with pytest.raises(UnknownIdError, match="Solar"):
        films.find_all([4, "Solar"])


def test_titles_are_found_with_and_without_the_year() -> None:
    table = pl.DataFrame(
        {"item_id": [1, 2, 3], "title": ["Solaris", "Solaris", "Alien"], "year": [1972, 2002, None]}
    )
    films = Vocabulary(pl.Series([1, 2, 3]), "item", table)
    assert films.titles.to_list() == ["Solaris (1972)", "Solaris (2002)", "Alien"]
    assert films.find("solaris (2002)") == 1
    assert films.find("ALIEN") == 2
    assert films.find("3") == films.find(3) == 2
    with pytest.raises(ArgumentError, match="give one of the ids 1, 2"):
        films.find("Solaris")
    with pytest.raises(UnknownIdError, match=r"nearest: 'Alien'"):
        films.find("Aliens")


def test_titles_are_found_with_their_article_first_or_last() -> None:
    table = pl.DataFrame({"item_id": [1, 2], "title": ["Postino, Il", "Boot, Das"], "year": 1994})
    films = Vocabulary(pl.Series([1, 2]), "item", table)
    for title in ("il postino", "Postino, Il", "Il Postino (1994)", "postino, il (1994)"):
        assert films.find(title) == 0
    with pytest.raises(UnknownIdError, match=r"nearest: 'Das Boot \(1994\)'"):
        films.find("Das Bot (1994)")


def test_tables_are_brought_into_row_order() -> None:
    table = pl.DataFrame({"item_id": [9, 3], "title": ["Nine", "Three"]})
    films = Vocabulary(pl.Series([3, 5, 9]), "item", table)
    assert films.frame["title"].to_list() == ["Three", None, "Nine"]
    assert films.titles.to_list() == ["Three", "5", "Nine"]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (pl.DataFrame({"id": [3]}), "a column item_id"),
        (pl.DataFrame({"item_id": [3, 3]}), "3 more than once"),
    ],
)
def test_tables_that_cannot_be_used(table: pl.DataFrame, says: str) -> None:
    with pytest.raises(DataError, match=says):
        Vocabulary(pl.Series([3]), "item", table)


@pytest.mark.parametrize("ids", [[1, 1], [1, None], [0.5, 1.0], [[1], [2]]])
def test_ids_that_cannot_be_used(ids: list[object]) -> None:
    with pytest.raises(DataError):
        Vocabulary(pl.Series(ids), "item")


def test_rows_of_other_ids_stay_aside_until_they_come_in() -> None:
    table = pl.DataFrame({"item_id": [3, 1, 4], "title": ["c", "a", "d"]})
    films = Vocabulary(pl.Series([1, 2]), "item", table)
    assert films.untouched.rows() == [(3, "c"), (4, "d")]
    larger = films.extended(Vocabulary(pl.Series([4]), "item"))
    assert larger.titles.to_list() == ["a", "2", "d"]
    assert larger.untouched.rows() == [(3, "c")]
    plain = larger.without_untouched()
    assert plain.untouched is None
    assert plain.without_untouched() is plain
    assert plain.as_ids(pl.Series(["4", "x", None])).to_list() == [4, None, None]


def test_extended_keeps_rows_and_takes_what_is_newer() -> None:
    old = Vocabulary(pl.Series([3, 1]), "item", pl.DataFrame({"item_id": [3], "title": ["old"]}))
    table = pl.DataFrame({"item_id": [9, 3], "title": ["n", "new"]})
    both = old.extended(Vocabulary(pl.Series([9, 3]), "item", table))
    assert both.ids.to_list() == [3, 1, 9]
    assert both.frame["title"].to_list() == ["new", None, "n"]


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 50), min_size=1, max_size=40))
def test_numbers_are_numbered_as_numpy_does(ids: list[int]) -> None:
    distinct, rows = numbered(pl.concat([pl.Series(ids[:3]), pl.Series(ids[3:], dtype=pl.Int64)]))
    expected, inverse = np.unique(np.array(ids, dtype=np.int64), return_inverse=True)
    np.testing.assert_array_equal(distinct.to_numpy(), expected)
    np.testing.assert_array_equal(rows, inverse)
    assert rows.dtype == np.int32


def test_a_table_of_numbers_is_not_longer_than_it_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TABLE_ROWS", 10)
    monkeypatch.setattr(module, "_numbered_by_table", None)
    distinct, rows = numbered(pl.Series([5, 900, 5]))
    assert (distinct.to_list(), rows.tolist()) == ([5, 900], [0, 1, 0])


def test_a_text_finds_a_number_only_as_it_is_printed() -> None:
    vocabulary = Vocabulary(pl.Series([7, -1]), "item")
    texts = ["7", "-1", "007", "+7", " 7", "7.0", "-01"]
    assert vocabulary.index(texts, missing="negative").tolist() == [0, 1, -1, -1, -1, -1, -1]
