"""Rows that stand for no item: each kind, and titles that only look like one."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.placeholders import placeholder_mask
from tastemap.data.ratings import Ratings
from tastemap.data.vocabulary import Vocabulary
from tastemap.errors import TastemapWarning
from tastemap.models.batch.recommend import recommend_all
from tastemap.models.batch.similar import similar_all
from tastemap.models.registry import make_model


def table(*rows: tuple[str | None, int | None, list[str]], n: int = 80) -> pl.DataFrame:
    """A table of n items that are some, behind rows of a title, a year and genres."""
    rows = (*rows, *((f"Film {i}", 1990, ["Drama"]) for i in range(n - len(rows))))
    titles, years, genres = zip(*rows, strict=True)
    columns = {"item_id": range(1, n + 1), "title": titles, "year": years, "genres": genres}
    return pl.DataFrame(columns, schema_overrides={"genres": pl.List(pl.String)})


@pytest.mark.parametrize(
    "title", [None, "", "  ", "unknown", "Unkonwn", "N/A", "(untitled)", "<null>", "???", "1"]
)
def test_titles_that_name_nothing(title: str | None) -> None:
    mask = placeholder_mask(table((title, None, [])), "item_id")
    assert np.flatnonzero(mask).tolist() == [0]
    assert placeholder_mask(table((title, None, ["unknown", ""])), "item_id")[0]


def test_a_film_of_that_name_has_facts() -> None:
    items = (("Unknown", 2011, []), ("untitled", None, ["Music"]), ("4", 1984, []), ("M", None, []))
    assert not placeholder_mask(table(*items), "item_id").any()
    with_maker = table(("Untitled", None, [])).with_columns(maker=pl.lit("Rothko"))
    assert not placeholder_mask(with_maker, "item_id").any()
    assert not placeholder_mask(table(("Unknown Soldier", None, [])), "item_id").any()


def test_tables_without_titles_or_with_few_have_none() -> None:
    assert not placeholder_mask(pl.DataFrame({"item_id": [1, 2]}), "item_id").any()
    mostly = table(*[(None, None, [])] * 20)
    assert not placeholder_mask(mostly, "item_id").any()
    by_id = pl.DataFrame({"item_id": range(40), "title": [str(i) for i in range(40)]})
    assert not placeholder_mask(by_id, "item_id").any()
    assert placeholder_mask(pl.DataFrame({"item_id": [], "title": []}), "item_id").shape == (0,)


@pytest.mark.parametrize("name", ["mf", "ease"])
def test_lists_leave_them_out_unless_they_are_named(ratings: Ratings, name: str) -> None:
    """The best-known item loses its title."""
    items = Vocabulary(ratings.items.ids, "item", table(("unknown", None, [])))
    untitled = ratings.with_items(items)
    model = make_model(name).fit(untitled, progress=False)
    lists = [model.recommend(5, k=70, exclude_seen=False), model.similar_items(3, k=70)]
    lists += [model.dissimilar_items(3, k=70)]
    for part in lists:
        assert 1 not in part["item_id"].to_list()
    assert model.similar_items(1, k=3)["item_id"].to_list() != []
    everyone = recommend_all(model, k=30, exclude_seen=False)
    assert 1 not in everyone["item_id"].to_list()
    assert model.recommend(5, candidates=[1], exclude_seen=False)["item_id"].to_list() == [1]
    with pytest.warns(TastemapWarning, match="no item is left"):
        model.recommend(5, where="title = 'unknown'", exclude_seen=False)
    if name == "mf":
        frame = similar_all(model, 3).frame
        assert 1 not in frame["neighbour_id"].to_list() + frame["item_id"].to_list()
