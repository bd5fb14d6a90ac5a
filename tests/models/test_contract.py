"""What every model must do, whatever it is: no model can skip this."""

import inspect
from copy import copy
from dataclasses import fields
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tastemap.data.datasets.synthetic import synthetic_ratings
from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split, train_test_split
from tastemap.errors import (
    ArgumentError,
    NotFittedError,
    TastemapError,
    UnknownIdError,
    UnsupportedError,
)
from tastemap.explore.item_map import item_map
from tastemap.metrics import calibration
from tastemap.metrics.rating import rmse
from tastemap.models.base.artifact import CLASSES, model_class, read_manifest
from tastemap.models.base.orders import ORDERS
from tastemap.models.base.recommender import Recommender
from tastemap.models.base.selection import ShortAnswerWarning
from tastemap.models.batch.recommend import recommend_all
from tastemap.models.bias import BiasModel
from tastemap.models.registry import MODELS, load_model, make_model

# Options that keep a fit short; every other option stays at its default.
QUICK = {
    "ItemKNN": {},
    "ImplicitKNN": {},
    "Popularity": {},
    "EASE": {},
    "NextItem": {"window": 5},
    "Blend": {"models": {"ease": {}, "ials": {"n_factors": 8}}},
    "BayesianFactorization": {"n_factors": 4, "n_iterations": 20, "n_draws": 8},
    "ALS": {"n_factors": 8},
    "BiasModel": {},
    "MatrixFactorization": {},
    "TwoTower": {"n_factors": 8, "n_epochs": 3},
    "SASRec": {"n_factors": 8, "n_blocks": 1, "window": 10, "n_epochs": 2},
    "NeuralRecommender": {"n_epochs": 3, "batch_size": 256},
}


# An item of known facts that nobody has rated.
NEW = pl.DataFrame({"item_id": [900], "title": "New", "genres": [["Comedy"]], "year": [1970]})


def quick(name: str) -> Recommender:
    return make_model(name, **QUICK[MODELS[name][0]])


def scores(model: Recommender, ratings: Ratings) -> np.ndarray:
    """Predictions for each row, which for a model that only ranks are its scores."""
    return model._predict(*model.rows_of(ratings))


@pytest.fixture(scope="module", params=list(MODELS))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def model(name: str, split: Split) -> Recommender:
    return quick(name).fit(split.train, progress=False)


def test_every_class_is_reached_by_a_name_or_by_loading() -> None:
    assert set(CLASSES) == {class_name for class_name, _ in MODELS.values()} | {"FactorModel"}


# Constructors of more than eight parameters, each with its reason.
LARGE = {"NeuralRecommender": "what Keras' own fit takes apart from the network, no more"}


def test_constructor_is_small_and_kept_in_the_artifact(name: str) -> None:
    cls = model_class(MODELS[name][0])
    parameters = list(inspect.signature(cls).parameters)
    assert len(parameters) <= 8 or cls.__name__ in LARGE
    assert set(cls.parameters) == set(parameters)


def test_same_seed_same_result_and_refit_forgets(
    name: str, model: Recommender, split: Split, tiny: Ratings
) -> None:
    refitted = quick(name).fit(tiny, progress=False).fit(split.train, progress=False)
    np.testing.assert_array_equal(scores(model, split.test), scores(refitted, split.test))


def test_a_model_that_only_ranks_predicts_no_ratings(model: Recommender, split: Split) -> None:
    if model.predicts_ratings:
        return
    for ask in (lambda: model.predict(1, 1), lambda: model.predict_ratings(split.test)):
        with pytest.raises(UnsupportedError, match="cannot predict ratings.*see recommend"):
            ask()
    assert model.recommend(5)["predicted_rating"].to_list() == [None] * 10
    assert model.interested_users(1)["predicted_rating"].to_list() == [None] * 10


def test_predictions_stay_inside_the_scale(model: Recommender, split: Split) -> None:
    if not model.predicts_ratings:
        assert np.isfinite(scores(model, split.test)).all()
        return
    predicted = model.predict_ratings(split.test)
    assert predicted.shape == (len(split.test),)
    assert np.isfinite(predicted).all()
    assert predicted.min() >= 1
    assert predicted.max() <= 5


def test_batch_equals_single(model: Recommender, split: Split) -> None:
    test = split.test.take(np.arange(5))
    batch = scores(model, test)
    single = [scores(model, test.take([row]))[0] for row in range(5)]
    if model.predicts_ratings:
        frame = test.to_frame()
        batch = model.predict(frame["user_id"], frame["item_id"])
        single = [model.predict(u, i)[0] for u, i in frame.select("user_id", "item_id").rows()]
    np.testing.assert_allclose(batch, single, rtol=1e-5)


def test_recommendations_agree_with_predictions(model: Recommender) -> None:
    frame = model.recommend(5, k=10)
    assert frame.columns == ["rank", "item_id", "title", "predicted_rating", "score"]
    assert frame["rank"].to_list() == list(range(1, 11))
    assert frame["score"].is_sorted(descending=True)
    pairs = model._pairs(5, frame["item_id"])
    np.testing.assert_allclose(frame["score"], model._predict(*pairs), rtol=1e-4)
    if model.predicts_ratings:
        np.testing.assert_allclose(
            frame["predicted_rating"], model.predict(5, frame["item_id"]), rtol=1e-4
        )
    titles = dict(zip(model.ratings_.items, model.ratings_.items.titles, strict=True))
    assert frame["title"].to_list() == [titles[item] for item in frame["item_id"]]


def test_the_best_item_can_be_the_last_id(model: Recommender) -> None:
    last = model.ratings_.items.ids[-1]
    seen = last in model.ratings_.rated_items(5)["item_id"].to_list()
    answer = model.recommend(5, candidates=[last], k=1, exclude_seen=False)
    assert answer["item_id"].to_list() == [last]
    if not seen:
        n_unseen = model.ratings_.n_items - len(model.ratings_.rated_items(5))
        assert last in model.recommend(5, k=n_unseen)["item_id"].to_list()


def test_seen_items_are_left_out_unless_asked_for(model: Recommender) -> None:
    seen = set(model.ratings_.rated_items(5)["item_id"])
    n_unseen = model.ratings_.n_items - len(seen)
    assert seen.isdisjoint(model.recommend(5, k=n_unseen)["item_id"])
    assert len(model.recommend(5, k=model.ratings_.n_items, exclude_seen=False)) == 80


def test_fewer_rows_than_asked_for_is_said(model: Recommender) -> None:
    seen = len(model.ratings_.rated_items(5))
    with pytest.warns(ShortAnswerWarning, match=f"only {80 - seen} of the 80 items"):
        assert len(model.recommend(5, k=80)) == 80 - seen


def test_where_everything_is_seen_the_list_is_empty_for_one_and_for_all(model: Recommender) -> None:
    seen = model.ratings_.rated_items(5)["item_id"].to_list()
    with pytest.warns(ShortAnswerWarning, match="no item is left: all are seen, excluded"):
        answer = model.recommend(5, candidates=seen, k=2)
    with pytest.warns(ShortAnswerWarning, match="1 of 1 user has"):
        together = recommend_all(model, users=[5], candidates=seen, k=2)
    assert len(answer) == 0
    assert together.drop("user_id").equals(answer)
    assert answer.schema == model.recommend(5, k=2).schema


def test_conditions_and_exclusions(model: Recommender) -> None:
    frame = model.recommend(5, k=3, where="genres contains 'Drama' and year >= 1970")
    table = model.ratings_.item_table.filter(pl.col("item_id").is_in(frame["item_id"].implode()))
    assert all("Drama" in genres for genres in table["genres"])
    assert table["year"].min() >= 1970
    first = frame["item_id"][0]
    without = model.recommend(
        5, k=3, where="genres contains 'Drama' and year >= 1970", exclude=[first]
    )
    assert first not in without["item_id"].to_list()


def test_novelty_moves_from_popular_to_little_known(model: Recommender) -> None:
    counts = model.ratings_.by_item.counts

    def popularity(novelty: float) -> float:
        items = model.recommend(5, k=10, novelty=novelty)["item_id"]
        return float(counts[model.ratings_.items.index(items)].mean())

    assert popularity(-1.0) > popularity(1.0)


def test_a_varied_list_is_that_of_everybody_or_is_refused(model: Recommender) -> None:
    wishes: dict = {"diversity": 0.5, "calibrated": "genres", "at_most": {"genres": 6}}
    if not model.capabilities.similar_items:
        with pytest.raises(UnsupportedError, match="cannot compare"):
            model.recommend(5, k=10, **wishes)
        del wishes["diversity"]
    frame = model.recommend(5, k=10, **wishes)
    assert 4 <= frame["title"].str.starts_with("Drama").sum() <= 6
    assert recommend_all(model, 10, users=[5], **wishes).drop("user_id").equals(frame)


@pytest.mark.parametrize("k", [0, -1, 81, 2.5, True])
def test_impossible_k(model: Recommender, k: object) -> None:
    with pytest.raises(ArgumentError, match="k; expected a whole number from 1 to 80"):
        model.recommend(5, k=k)


def test_unknown_ids_are_named_and_neighbours_offered(model: Recommender) -> None:
    with pytest.raises(UnknownIdError, match="user_id.*'9999'.*nearest: 120"):
        model.predict("9999", 1)
    with pytest.raises(UnknownIdError, match="item_id"):
        model.predict(1, 9999)
    with pytest.raises(UnknownIdError, match="user_id"):
        model.recommend(9999)
    assert model._pairs("5", "7") == model._pairs(5.0, np.int64(7))


def test_unknown_ids_of_a_table_get_an_average(model: Recommender) -> None:
    strangers = Ratings.from_frame(
        pl.DataFrame({"user_id": [9001, 1], "item_id": [1, 9001], "rating": [3.0, 4.0]})
    )
    assert np.isfinite(scores(model, strangers)).all()
    if model.predicts_ratings:
        predicted = model.predict_ratings(strangers)
        assert predicted.min() >= 1
        assert predicted.max() <= 5


@pytest.fixture(scope="module")
def hidden(ratings: Ratings) -> tuple[Ratings, dict[str, Ratings]]:
    """Ratings of which popular items get better ones, and those of hidden items and users."""
    x = np.log(ratings.by_item.counts + 1.0)
    better = ratings.rating + 0.7 * ((x - x.mean()) / x.std())[ratings.item_index]
    frame = ratings.to_frame().with_columns(rating=pl.Series(np.clip(np.round(better), 1, 5)))
    data = Ratings.from_frame(frame, item_table=ratings.item_table)
    popular = np.flatnonzero(data.by_item.counts >= 20)[::4]
    items, users = np.isin(data.item_index, popular), data.user_index % 8 == 0
    parts = {"items": data.take(items & ~users), "users": data.take(users & ~items)}
    return data.take(~items & ~users), parts


def test_items_and_users_without_ratings_are_the_average_of_the_others(
    name: str, hidden: tuple[Ratings, dict[str, Ratings]]
) -> None:
    model = quick(name)
    # The networks are held to it in test_shapes.py, where they are trained to their end.
    if not model.predicts_ratings or MODELS[name][0] == "NeuralRecommender":
        return
    train, parts = hidden
    model.fit(train, progress=False)
    baseline = BiasModel().fit(train, progress=False)
    for part in parts.values():
        error, limit = (rmse(part.rating, m.predict_ratings(part)) for m in (model, baseline))
        assert error < 1.05 * limit
        if model.has_distribution:
            p = model.ratings_distribution(part)
            level = calibration.places(part.rating, train.scale.levels)
            promised = calibration.promised_coverage(p, 0.8)
            assert abs(calibration.coverage(level, p, 0.8) - promised) < 0.1


def test_new_person(model: Recommender) -> None:
    if not model.folds_in:
        with pytest.raises(UnsupportedError, match="cannot describe a new person"):
            model.fold_in({1: 5, 3: 4})
        return
    person = model.fold_in({1: 5, "Comedy 3 (1962)": 4})
    assert person.item_index.tolist() == [0, 2]
    frame = model.recommend(ratings={1: 5, 3: 4}, k=5)
    assert {1, 3}.isdisjoint(frame["item_id"])
    with pytest.raises(UnknownIdError):
        model.recommend(ratings={"No such film": 5})


def test_lists_for_everyone_are_those_of_recommend(model: Recommender) -> None:
    users = [5, 9, 11]
    found = recommend_all(model, 4, users=users)
    for user, own in zip(users, found.partition_by("user_id"), strict=True):
        assert own.drop("user_id").equals(model.recommend(user, k=4))
    for by in {*model.orders} - {"expected", "likely-and-liked"}:  # it learns a model for each
        (own,) = recommend_all(model, 4, users=users[1:2], by=by, seed=2).partition_by("user_id")
        assert own.drop("user_id").equals(model.recommend(users[1], k=4, by=by, seed=2)), by


def test_a_model_has_the_orders_that_it_says(model: Recommender) -> None:
    for by in {*ORDERS} - {*model.orders}:
        with pytest.raises(UnsupportedError, match=f"order lists by '{by}'"):
            model.recommend(5, by=by)


def test_a_model_answers_what_it_declares_and_refuses_the_rest(model: Recommender) -> None:
    data = model.ratings_
    calls = {
        "predicts": lambda: model.predict(5, 1),
        "distribution": lambda: model.predict_distribution(5, 1),
        "cumulative": lambda: model.ratings_cumulative(data, data.rating.astype(np.float64)),
        "folds_in": lambda: model.fold_in({1: 5}),
        "explains": lambda: model.explain(5, item_id=1),
        "similar_items": lambda: model.similar_items(1),
        "similar_users": lambda: model.similar_users(5),
        "map": lambda: item_map(model, perplexity=5),
        "new_items": lambda: copy(model).add_items(NEW),
        "standard_errors": lambda: model.recommend(5, by="cautious"),
    }
    no_calls = {"interactions", "ordered"}  # see the end of this file, and the next test
    assert {*calls} | no_calls == {field.name for field in fields(model.capabilities)}
    for name, call in calls.items():
        if name == "map" and model.capabilities.map:
            assert model.item_factors.shape[0] == data.n_items
        elif getattr(model.capabilities, name):
            assert call() is not None
        else:
            with pytest.raises(UnsupportedError):
                call()


def test_a_model_that_looks_at_the_order_says_how_many_places_back_a_part_is(
    model: Recommender,
) -> None:
    if model.capabilities.explains:
        columns = model.explain(5, item_id=1).columns
        assert model.capabilities.ordered is ("places_back" in columns)


def test_the_parts_of_an_explanation_sum_to_the_score(model: Recommender) -> None:
    if not model.capabilities.explains:
        return
    for user in (model.user_at(5), model.fold_in({1: 5, 3: 4})):
        score = float(model.score_rows(user)[7])
        if model.predicts_ratings:
            score = float(model.ratings_.scale.clip(np.array(score)))
        assert model.explain_rows(user, 7).total == pytest.approx(score, abs=1e-4)


def test_five_items_are_compared_as_any_number_is(
    name: str, model: Recommender, ratings: Ratings
) -> None:
    if not model.capabilities.similar_items:
        return
    five = Ratings.from_frame(ratings.take(ratings.item_index < 5).to_frame())
    model = quick(name).fit(five, progress=False)
    frame = model.similar_items(1)
    assert sorted(frame["item_id"]) == [2, 3, 4, 5]
    assert frame["similarity"].is_sorted(descending=True)
    assert frame["similarity"].is_between(-1, 1).all()
    assert model.similar_items(1, k=2).equals(frame.head(2))
    with pytest.warns(ShortAnswerWarning, match="only 4 of the 5 items"):
        assert len(model.similar_items(1, k=5)) == 4
    with pytest.raises(ArgumentError, match="k; expected a whole number from 1 to 5"):
        model.similar_items(1, k=6)


def test_interested_users_have_not_rated_the_item(model: Recommender) -> None:
    frame = model.interested_users(1, k=3)
    rated = model.ratings_.to_frame().filter(pl.col("item_id") == 1)["user_id"].to_list()
    assert set(frame["user_id"]).isdisjoint(rated)
    assert frame["score"].is_sorted(descending=True)


def test_save_and_load_give_identical_scores(
    model: Recommender, split: Split, tmp_path: Path
) -> None:
    model.metrics_ = {"test_mae": 0.5}
    loaded = load_model(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(scores(model, split.test), scores(loaded, split.test))
    assert model.recommend(5).equals(loaded.recommend(5))
    assert loaded.metrics_ == {"test_mae": 0.5}
    assert loaded.history_.equals(model.history_)


def test_new_items_are_placed_saved_and_listed_where_asked(
    model: Recommender, tmp_path: Path
) -> None:
    if not model.capabilities.new_items:
        return
    user, before = model.user_at(5), model.recommend(5)
    larger = copy(model).add_items(NEW)
    old, new = model.score_rows(user), larger.score_rows(larger.user_at(5))
    np.testing.assert_array_equal(new[:80], old)
    assert np.isfinite(new).all()
    assert model.recommend(5).equals(before)
    assert larger.recommend(5).equals(before)
    frame = larger.recommend(5, candidates=[900, 1], k=2, new=True, exclude_seen=False)
    assert sorted(frame["item_id"]) == [1, 900]
    assert set(frame["basis"]) < {"ratings", "facts", "average"}
    loaded = load_model(larger.save(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.score_rows(loaded.user_at(5)), new)
    assert loaded.basis_of(np.arange(81)) == larger.basis_of(np.arange(81))


def test_the_input_is_unchanged(model: Recommender, split: Split) -> None:
    fresh = train_test_split(synthetic_ratings(), test_size=0.2, seed=0)
    assert model.ratings_ is split.train
    assert split.train.to_frame().equals(fresh.train.to_frame())


@pytest.mark.parametrize(
    "rows",
    [
        {"user_id": [1], "item_id": [1], "rating": [3.0]},
        {"user_id": [1, 1, 1], "item_id": [1, 2, 3], "rating": [3.0, 4.0, 5.0]},
        {"user_id": [1, 2, 3], "item_id": [1, 1, 1], "rating": [3.0, 4.0, 5.0]},
        {"user_id": [1, 2, 3], "item_id": [1, 2, 3], "rating": [4.0, 4.0, 4.0]},
    ],
    ids=["one rating", "one user", "one item", "constant ratings"],
)
def test_small_and_constant_data(name: str, rows: dict[str, list[float]]) -> None:
    data = Ratings.from_frame(pl.DataFrame(rows))
    model = quick(name).fit(data, progress=False)
    assert np.isfinite(scores(model, data)).all()
    if model.predicts_ratings:
        predicted = model.predict_ratings(data)
        assert predicted.min() >= data.scale.lowest
        assert predicted.max() <= data.scale.highest
    assert len(model.recommend(1, k=1, exclude_seen=False)) == 1


def test_update_learns_new_users_and_items(name: str, ratings: Ratings) -> None:
    model = quick(name).fit(ratings, progress=False)
    new = Ratings.from_frame(
        pl.DataFrame({"user_id": [7777, 7777], "item_id": [1, 8888], "rating": [5.0, 1.0]})
    )
    model.update(new, progress=False)
    assert np.isfinite(model._predict(*model._pairs(7777, 8888))).all()
    assert len(model.ratings_) == len(ratings) + 2


def test_a_loaded_model_learns_on(model: Recommender, tmp_path: Path) -> None:
    loaded = load_model(model.save(tmp_path / "model"))
    new = Ratings.from_frame(pl.DataFrame({"user_id": [5], "item_id": [9999], "rating": [5.0]}))
    loaded.update(new, progress=False)
    assert len(loaded.ratings_) == len(model.ratings_) + 1
    assert str(loaded) == str(model)
    assert 9999 in loaded.ratings_.items


def test_not_fitted(name: str) -> None:
    for ask in (lambda m: m.recommend(1), lambda m: m.predict(1, 1), lambda m: m.fold_in({1: 5})):
        with pytest.raises(NotFittedError, match="call fit first"):
            ask(quick(name))


def test_bad_calls_are_tastemap_errors(model: Recommender) -> None:
    for ask in (
        model.recommend,
        lambda: model.recommend(5, ratings={1: 5}),
        lambda: model.recommend(5, novelty=2),
        lambda: model.predict([1, 2], [1, 2, 3]),
        lambda: model.predict(1, 1, point="mode"),
        lambda: model.fit(model.ratings_.take(np.arange(0))),
    ):
        with pytest.raises(TastemapError):
            ask()


# ---- interactions ----

IMPLICIT = [name for name in MODELS if quick(name).capabilities.interactions]


@pytest.fixture(scope="module", params=IMPLICIT)
def implicit(request: pytest.FixtureRequest, split: Split) -> Recommender:
    """A model that has learnt from interactions: from what is liked in the training part."""
    return quick(request.param).fit(split.train.likes(), progress=False)


@pytest.mark.parametrize("name", [name for name in MODELS if name not in IMPLICIT])
def test_a_model_of_ratings_refuses_interactions(name: str, split: Split) -> None:
    model = quick(name)
    says = r"expected ratings; received interactions \(no ratings\); use one of: ease"
    with pytest.raises(UnsupportedError, match=says) as error:
        model.fit(split.train.likes(), progress=False)
    assert all(other in str(error.value) for other in IMPLICIT)
    with pytest.raises(NotFittedError):
        model.fitted_data  # noqa: B018


def test_interactions_teach_what_the_same_likes_teach(implicit: Recommender, split: Split) -> None:
    rated = split.train.take(split.train.liked(split.train.rating))
    other = type(implicit)(**implicit.get_params()).fit(rated, progress=False)
    np.testing.assert_array_equal(scores(implicit, split.test), scores(other, split.test))


def test_a_model_of_interactions_answers(implicit: Recommender) -> None:
    items = implicit.fitted_data.items_of(5)["item_id"].to_list()
    answer = implicit.recommend(5, k=5)
    assert answer["predicted_rating"].to_list() == [None] * 5
    assert not {*answer["item_id"]} & {*items}
    assert recommend_all(implicit, 5, users=[5])["item_id"].to_list() == answer["item_id"].to_list()
    new = implicit.recommend(ratings=items, k=5)
    weighed = implicit.recommend(ratings=dict.fromkeys(items, 2.0), k=5)
    np.testing.assert_allclose(new["score"], weighed["score"])
    if implicit.capabilities.similar_items:
        assert len(implicit.similar_items(1, k=3)) == 3
    if implicit.capabilities.explains:
        parts = implicit.explain(ratings=items, item_id=new["item_id"][0])
        np.testing.assert_allclose(parts["contribution"].sum(), new["score"][0], rtol=1e-3)


def test_a_model_of_interactions_has_no_ratings(implicit: Recommender, split: Split) -> None:
    with pytest.raises(UnsupportedError, match="a model that has learnt from ratings"):
        implicit.fitted_ratings  # noqa: B018
    with pytest.raises(UnsupportedError, match="cannot predict ratings"):
        implicit.predict(1, 1)
    with pytest.raises(ArgumentError, match="expected interactions"):
        implicit.update(split.test, progress=False)
    with pytest.raises(ArgumentError, match="at least one weight, each a finite number"):
        implicit.recommend(ratings={1: float("nan")})


def test_a_saved_model_of_interactions_answers_alike(implicit: Recommender, tmp_path: Path) -> None:
    implicit.save(tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert isinstance(loaded.fitted_data, Interactions)
    assert loaded.fitted_data.fingerprint() == implicit.fitted_data.fingerprint()
    assert loaded.recommend(5, k=5).equals(implicit.recommend(5, k=5))
    assert read_manifest(tmp_path / "model")["scale"] is None
