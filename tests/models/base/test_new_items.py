"""Items that nobody has rated, put into a fitted model; the contract has all models do it."""

from copy import copy
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError, UnsupportedError
from tastemap.evaluation.evaluate import evaluate_ranking
from tastemap.models.als import ALS
from tastemap.models.batch.recommend import recommend_all
from tastemap.models.batch.write import write_recommendations
from tastemap.models.popularity import Popularity
from tastemap.models.registry import load_model, make_model

NEW = pl.DataFrame(
    {"item_id": [900, 901], "title": ["New", "Odd"], "genres": [["Comedy"], None], "year": 1990}
)


def als() -> ALS:
    return ALS(n_factors=8, n_epochs=5, damping=0)


@pytest.fixture(scope="module")
def model(ratings: Ratings) -> ALS:
    return als().fit(ratings, progress=False)


def test_an_item_of_liked_facts_comes_into_lists_that_ask_for_it(model: ALS) -> None:
    larger = copy(model).add_items(NEW)
    fan, other = (larger.score_rows(larger.user_at(user))[80] for user in (0, 1))
    assert fan > other + 0.5  # the tastes of users alternate
    assert 900 not in larger.recommend(1, k=40)["item_id"]
    frame = larger.recommend(1, k=40, new=True)
    assert dict(frame.select("item_id", "basis").rows())[900] == "facts"
    assert dict(frame.select("item_id", "basis").rows())[901] == "facts"
    assert frame.filter(pl.col("basis") == "ratings").height == 38
    assert larger.explain(1, item_id=900)["part"][3] == "from facts"
    assert "from facts" not in larger.explain(1, item_id=1)["part"]


def test_the_model_that_was_copied_stays_as_it_is(model: ALS) -> None:
    weights = model.factors.item_weights
    weights.flags.writeable = False  # as one of a saved model that is mapped
    before = model.recommend(5)
    larger = copy(model).add_items(NEW)
    assert (model.fitted_data.n_items, larger.fitted_data.n_items) == (80, 82)
    assert model.factors.item_weights is weights
    assert model.recommend(5).equals(before)
    assert larger.recommend(5).equals(before)


def test_facts_that_are_missing_are_said(model: ALS) -> None:
    larger = copy(model).add_items(NEW.select("item_id", "title"))
    assert larger.basis_of(np.array([0, 80])) == ["ratings", "average"]
    assert larger.facts_[-1] == "the new items lack year, release_year, genres"
    np.testing.assert_array_equal(larger.factors.item_weights[80], larger.factors.item_weights[-1])


def test_added_items_are_saved_and_come_to_be_rated(model: ALS, tmp_path: Path) -> None:
    larger = copy(model).add_items(pd.DataFrame({"item_id": ["900"], "genres": [["Comedy"]]}))
    loaded = load_model(larger.save(tmp_path / "model"))
    assert loaded.recommend(1, k=50, new=True).equals(larger.recommend(1, k=50, new=True))
    loaded.add_items(NEW.tail(1))
    assert loaded.basis_of(np.array([79, 80, 81])) == ["ratings", "facts", "facts"]
    ratings = pl.DataFrame({"user_id": [1, 2], "item_id": [900, 900], "rating": [5.0, 5.0]})
    loaded.update(Ratings.from_frame(ratings), progress=False)
    assert loaded.basis_of(np.array([80, 81])) == ["ratings", "facts"]


def test_parts_of_a_model_are_saved_with_all_of_its_items(ratings: Ratings, tmp_path: Path) -> None:
    few = ratings.take(np.flatnonzero((ratings.item_index < 70) & (ratings.rating >= 4)))
    model = make_model("next-item").fit(few.likes(), progress=False)
    assert model.from_facts_.sum() == 10
    loaded = load_model(model.add_items(NEW).save(tmp_path / "model"))
    assert loaded.recommend(1, k=40, new=True).equals(model.recommend(1, k=40, new=True))


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ([900], "items; expected a data frame with item_id; received list"),
        (pl.DataFrame({"id": [1]}), "a column item_id, one row an item"),
        (NEW.head(0), "received no rows"),
        (pl.DataFrame({"item_id": [900, 900]}), "received 900, which comes twice"),
        (pl.DataFrame({"item_id": [900, 80]}), "received 80, which it has already"),
        (pl.DataFrame({"item_id": ["x900"]}), "row 1, item_id; expected .* whole numbers.*'x900'"),
        (pl.DataFrame({"item_id": [900, None]}), "row 2, item_id;.*received None"),
    ],
)
def test_what_cannot_be_added_is_refused(model: ALS, frame: object, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        copy(model).add_items(frame)


def test_an_item_is_added_once(model: ALS) -> None:
    larger = copy(model).add_items(NEW)
    with pytest.raises(ArgumentError, match="900, which it has already"):
        larger.add_items(NEW)


def test_facts_of_another_type_are_missing(model: ALS) -> None:
    odd = pl.DataFrame({"item_id": [900], "genres": ["Comedy"], "year": ["about 1990"]})
    larger = copy(model).add_items(odd)
    assert larger.fitted_data.items.frame["year"][80] is None


def test_a_model_without_items_of_its_own_says_so(ratings: Ratings) -> None:
    with pytest.raises(UnsupportedError, match="cannot take items that nobody has rated"):
        Popularity().fit(ratings).add_items(NEW)


def test_items_of_the_table_that_nobody_has_rated_are_added_after_the_fit(
    ratings: Ratings, model: ALS
) -> None:
    table = pl.concat([ratings.items.frame, NEW], how="diagonal_relaxed")
    data = Ratings.from_frame(ratings.to_frame(), item_table=table)
    assert data.n_items == 80
    fitted = als().fit(data, progress=False)
    assert fitted.fitted_data.n_items == 82
    np.testing.assert_array_equal(fitted.score_rows(fitted.user_at(5))[:80], scores(model))
    plays = Interactions.from_frame(
        ratings.to_frame().select("user_id", "item_id"), item_table=table
    )
    assert ALS("implicit", n_factors=4).fit(plays, progress=False).fitted_data.n_items == 82


def scores(model: ALS) -> np.ndarray:
    return model.score_rows(model.user_at(5))


def test_lists_for_everyone_and_scores_of_lists_have_new_items_where_asked(
    ratings: Ratings, tmp_path: Path
) -> None:
    hidden = ratings.item_index % 8 == 0
    train, test = ratings.take(~hidden), ratings.take(hidden)
    model = als().fit(train, progress=False)
    assert model.facts_[-1].startswith("facts help")
    users = [5, 9]
    frame = recommend_all(model, 20, users=users, new=True)
    for user, part in zip(users, frame.partition_by("user_id"), strict=True):
        assert part.drop("user_id").equals(model.recommend(user, k=20, new=True))
    write_recommendations(model, tmp_path / "lists.parquet", 20, new=True)
    written = pl.read_parquet(tmp_path / "lists.parquet")
    assert written.filter(pl.col("user_id").is_in(users)).equals(frame)
    model = ALS("implicit", n_factors=8, n_epochs=5).fit(train, progress=False)
    plain = evaluate_ranking(model, test).filter(metric="ndcg")["value"].item()
    with_new = evaluate_ranking(model, test, new=True).filter(metric="ndcg")["value"].item()
    assert (plain, with_new > 0.2) == (0, True)
