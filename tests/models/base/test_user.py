import polars as pl
import pytest

from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError, UnsupportedError
from tastemap.models.base.propensity import Propensity
from tastemap.models.batch.recommend import recommend_all
from tastemap.models.bias import BiasModel
from tastemap.models.registry import make_model


@pytest.fixture(scope="module")
def model(ratings: Ratings) -> BiasModel:
    return BiasModel().fit(ratings)


def test_a_user_may_name_items_by_title(model: BiasModel) -> None:
    frame = pl.DataFrame({"title": ["Comedy 3 (1962)", "Drama 2 (1961)"], "rating": [5, 1]})
    assert model.fold_in(frame).item_index.tolist() == [2, 1]
    assert model.recommend(ratings=frame).equals(model.recommend(ratings={3: 5, 2: 1}))


def test_ratings_of_a_user_must_be_numbers(model: BiasModel) -> None:
    for bad in (
        {1: float("nan")},
        {1: "five"},
        {1: 99},
        {1: 0},
        {},
        [5, 4],
        pl.DataFrame({"a": [1]}),
    ):
        with pytest.raises(ArgumentError, match="ratings"):
            model.recommend(ratings=bad)


def test_what_was_seen_is_left_out_and_is_no_rating(model: BiasModel) -> None:
    """By name, as a null in a frame, or beside the ratings of a table."""
    best = model.recommend(ratings={3: 5}, k=2)["item_id"].to_list()
    without_first = model.recommend(ratings={3: 5}, seen=best[:1], k=1)
    assert without_first["item_id"].to_list() == best[1:]
    frame = pl.DataFrame({"item_id": [3, best[0]], "rating": [5, None]})
    assert model.recommend(ratings=frame, k=1).equals(without_first)
    rated = frame.drop_nulls().with_columns(user_id=1)
    table = Ratings.from_frame(rated, seen=frame.tail(1).with_columns(user_id=1))
    assert model.fold_in(table).touched.tolist() == [2, best[0] - 1]
    anyone = model.recommend(ratings={3: 5}, seen=best[:1], k=2, exclude_seen=False)
    assert best[0] in anyone["item_id"].to_list()
    alone = model.fold_in(seen=[1, 2])
    assert (alone.item_index.tolist(), alone.seen.tolist()) == ([], [0, 1])
    for bad in ({"user_id": 1, "seen": [2]}, {"seen": "Comedy"}, {"seen": []}):
        with pytest.raises(ArgumentError, match="seen|ratings"):
            model.recommend(**bad)


def test_what_a_user_of_the_data_has_seen_is_left_out(ratings: Ratings) -> None:
    model = BiasModel().fit(ratings)
    user, item = ratings.users.ids[0], model.recommend(ratings.users.ids[0], k=1)["item_id"][0]
    pair = pl.DataFrame({"user_id": [user], "item_id": [item]})
    seen = ratings.with_seen(Interactions.from_frame(pair))
    model = BiasModel().fit(seen)
    assert item not in model.recommend(user, k=5)["item_id"].to_list()
    everyone = recommend_all(model, 5, users=[user])
    assert everyone["item_id"].to_list() == model.recommend(user, k=5)["item_id"].to_list()
    n = ratings.n_users - len(ratings.by_item[ratings.items.find(item)])
    assert len(model.interested_users(item, n - 1)) == n - 1
    assert user not in model.interested_users(item, n - 1)["user_id"].to_list()


def test_likely_and_liked_weighs_the_rating_with_the_probability(ratings: Ratings) -> None:
    model = BiasModel().fit(ratings)
    frame = model.recommend(1, k=5, by="likely-and-liked")
    user, rows = model.user_at(0), ratings.items.index(frame["item_id"])
    p = Propensity.of(ratings)(user.touched)[rows]
    assert frame["score"].to_list() == pytest.approx((p * frame["predicted_rating"]).to_list())
    assert frame["score"].is_sorted(descending=True)
    assert model.recommend(1, k=5, by="expected").equals(model.recommend(1, k=5))
    ranking = make_model("ease").fit(ratings)
    with pytest.raises(UnsupportedError, match="likely-and-liked"):
        ranking.recommend(1, by="likely-and-liked")
