"""What lists are ordered by: claims about each order, and what happens where one makes no sense."""

from copy import copy
from typing import Any

import numpy as np
import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError, UnsupportedError
from tastemap.models.base import orders
from tastemap.models.base.orders import CAUTION, ORDERS, check_order
from tastemap.models.base.recommender import Recommender
from tastemap.models.batch.recommend import recommend_all
from tastemap.models.bias import BiasModel
from tastemap.models.registry import make_model

ROWS = np.arange(80, dtype=np.int32)
SURE = ("expected", "cautious", "relative")


@pytest.fixture(scope="module")
def mf(ratings: Ratings) -> Recommender:
    return make_model("mf", n_factors=16, n_epochs=10).fit(ratings, progress=False)


def rated(**values: list[float]) -> Ratings:
    """Each rating of an item is of a user of its own; user 0 has rated another item, 3."""
    pairs = [("other", 3.0)] + [(item, float(r)) for item, some in values.items() for r in some]
    frame = pl.DataFrame(pairs, schema=["item_id", "rating"], orient="row")
    return Ratings.from_frame(frame.with_row_index("user_id"))


def test_an_order_is_one_of_a_list() -> None:
    assert check_order("likely-and-liked") == "likely-and-liked"
    with pytest.raises(ArgumentError, match="by; expected one of expected, cautious, curious, rel"):
        check_order("best")


def test_a_cautious_list_has_what_many_like_before_what_three_like_more() -> None:
    data = rated(few=[5, 5, 5], many=[5, 5, 5, 4, 5, 5] * 10, divided=[1, 5] * 30)
    model = BiasModel(item_damping=0).fit(data)
    assert model.recommend(0, k=2)["item_id"].to_list() == ["few", "many"]
    assert model.recommend(0, k=2, by="cautious")["item_id"].to_list() == ["many", "few"]


def test_caution_looks_at_how_many_have_rated_and_not_at_how_divided_they_are() -> None:
    data = rated(divided=[1, 5] * 20, agreed=[3] * 40, few=[3, 3], good=[5] * 40, bad=[1] * 40)
    model = BiasModel().fit(data)
    user, rows = model.user_at(0), data.items.index(["divided", "agreed", "few"])
    divided, agreed, few = model._standard_errors(user, rows)
    assert divided == pytest.approx(agreed)
    assert few > divided + 0.1


@pytest.mark.parametrize("novelty", [0.0, 0.4])
def test_a_shortlist_gives_what_all_standard_errors_give(
    mf: Recommender, novelty: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "MIN_SHORTLIST", 1)
    monkeypatch.setattr(orders, "SHORTLIST_PER_PLACE", 1)
    for row in range(20):
        user = mf.user_at(row)
        rows, predicted, score = mf.recommend_rows(user, 7, by="cautious", novelty=novelty)
        sure = mf.score_rows(user) - CAUTION * mf._standard_errors(user, ROWS)
        np.testing.assert_array_equal(predicted, mf.score_rows(user)[rows])
        if not novelty:
            sure[user.touched] = -np.inf
            assert rows.tolist() == np.argsort(-sure, kind="stable")[:7].tolist()
            np.testing.assert_allclose(score, sure[rows])


def test_a_curious_list_is_drawn_anew_with_each_seed(mf: Recommender) -> None:
    lists = [mf.recommend(1, by="curious", seed=seed)["item_id"].to_list() for seed in (0, 0, 1)]
    assert lists[0] == lists[1] != lists[2]
    user = mf.user_at(0)
    other = user._replace(user_index=1)
    alike = [mf.recommend_rows(who, 10, by="curious")[0].tolist() for who in (user, other)]
    assert alike[0] != alike[1]
    with pytest.raises(ArgumentError, match="seed"):
        mf.recommend(1, by="curious", seed=-1)


def test_a_relative_list_has_what_somebody_likes_more_than_others(mf: Recommender) -> None:
    comedies = dict.fromkeys((1, 3, 5, 7), 5) | dict.fromkeys((2, 4, 6), 2)
    titles = mf.recommend(ratings=comedies, k=10, by="relative")["title"]
    assert titles.str.starts_with("Comedy").all()
    # Everything a level lower, and the taste is the same.
    lower = {item: rating - 1 for item, rating in comedies.items()}
    same = mf.recommend(ratings=lower, k=10, by="relative")["title"]
    assert len({*titles} & {*same}) >= 8


def test_of_whom_nothing_is_known_a_relative_list_is_the_expected_one(mf: Recommender) -> None:
    average = mf.user_at(0)._replace(description=mf._user(-1), item_index=ROWS[:0])
    expected, relative = (mf.recommend_rows(average, 5, by=by)[0] for by in SURE[::2])
    assert expected.tolist() == relative.tolist()


def test_newness_alone_brings_no_film_of_one_rating_into_a_cautious_list() -> None:
    single = {f"s{n}": [3.0] for n in range(12)} | {f"t{n}": [1.0] for n in range(9)}
    data = rated(**{f"m{n}": [4.0, 5.0] * (15 + n) for n in range(12)}, **single)
    model = BiasModel().fit(data)
    expected, cautious = (
        model.recommend(0, k=8, novelty=0.8, by=by)["item_id"].str.head(1).to_list()
        for by in ("expected", "cautious")
    )
    assert "s" in expected
    assert cautious == ["m"] * 8


def test_a_model_says_which_orders_it_has_and_refuses_the_others(ratings: Ratings) -> None:
    bias, ease = BiasModel().fit(ratings), make_model("ease").fit(ratings, progress=False)
    assert ease.orders == ("expected",)
    assert bias.orders == tuple(order for order in ORDERS if order != "relative")
    with pytest.raises(UnsupportedError, match="only scores items.*one of expected; take one of"):
        ease.recommend(1, by="cautious")
    with pytest.raises(UnsupportedError, match="has no tastes"):
        bias.recommend(1, by="relative")
    with pytest.raises(UnsupportedError, match="has no tastes"):
        recommend_all(bias, by="relative")


DEGENERATE: dict[str, dict[str, Any]] = {
    "all ratings equal": {"user_id": [1, 1, 2, 2, 3], "item_id": [1, 2, 1, 3, 2], "rating": 3.0},
    "one rating": {"user_id": [1], "item_id": [7], "rating": 4.0},
    "all items rated": {"user_id": [1, 1, 1], "item_id": [1, 2, 3], "rating": [1.0, 2.0, 5.0]},
}


@pytest.mark.parametrize("case", DEGENERATE)
@pytest.mark.parametrize("name", ["bias", "mf", "als", "knn", "bayes"])
def test_tables_that_say_little_have_every_order(name: str, case: str) -> None:
    options = {"bayes": {"n_iterations": 5, "n_draws": 4}, "mf": {"n_factors": 4}}
    options |= {"als": {"n_factors": 4}}
    data = Ratings.from_frame(pl.DataFrame(DEGENERATE[case]))
    model = make_model(name, **options.get(name, {})).fit(data, progress=False)
    for by in model.orders:
        frame = model.recommend(1, by=by, exclude_seen=False, seed=3)
        assert len(frame) == data.n_items
        assert np.isfinite(frame["score"].to_numpy()).all(), by


def test_neighbours_know_how_certain_a_new_item_is(ratings: Ratings) -> None:
    model = make_model("knn").fit(ratings, progress=False)
    model.recommend(1, by="cautious")
    model.add_items(pl.DataFrame({"item_id": [900], "genres": [["Comedy"]]}))
    assert len(model.recommend(1, k=1, by="cautious", new=True, candidates=[900])) == 1


def test_nothing_is_less_certain_than_what_nobody_has_rated(mf: Recommender) -> None:
    mf.recommend(1, by="likely-and-liked")
    new = pl.DataFrame({"item_id": [900], "genres": [["Comedy"]]})
    model = copy(mf).add_items(new)
    errors = model._standard_errors(model.user_at(0), np.arange(81, dtype=np.int32))
    assert errors[80] > np.median(errors[:80])
    for by in model.orders:
        assert len(model.recommend(1, k=1, by=by, new=True, candidates=[900])) == 1
