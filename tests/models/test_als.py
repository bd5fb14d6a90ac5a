"""Alternating least squares: known answers, exact fold-in, explanations that sum up."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split, per_user_split, train_test_split
from tastemap.errors import ArgumentError, UnsupportedError
from tastemap.evaluation.evaluate import evaluate_ranking
from tastemap.metrics.rating import rmse
from tastemap.models.als import ALS
from tastemap.models.registry import make_model


@pytest.fixture(scope="module", params=["explicit", "implicit"])
def model(request: pytest.FixtureRequest, ratings: Ratings) -> ALS:
    return ALS(request.param, n_factors=8, reg_exponent=0.8).fit(ratings, progress=False)


def test_a_matrix_of_rank_two_is_completed() -> None:
    rng = np.random.default_rng(0)
    values = 3 + rng.normal(size=(60, 2)) @ rng.normal(size=(2, 50))
    u, i = np.indices(values.shape).reshape(2, -1)
    frame = pl.DataFrame({"user_id": u, "item_id": i, "rating": values.ravel()})
    train, test = train_test_split(Ratings.from_frame(frame), 0.3)
    model = ALS(n_factors=4, n_epochs=40, reg=1e-4).fit(train, progress=False)
    assert rmse(test.rating, model.predict_ratings(test)) < 0.05 * test.rating.std()


def test_implicit_feedback_finds_two_blocks() -> None:
    """Users like only items of their own block; those they lack come before all others."""
    u, i = np.indices((30, 20)).reshape(2, -1)
    kept = ((u + i) % 2 == 0) & (np.random.default_rng(0).random(len(u)) < 0.7)
    frame = pl.DataFrame({"user_id": u[kept], "item_id": i[kept], "rating": np.ones(kept.sum())})
    model = ALS("implicit", n_factors=2, alpha=0.1).fit(Ratings.from_frame(frame), progress=False)
    for user in range(30):
        liked = model.ratings_.rated_items(user)["item_id"].to_list()
        missing = set(range(user % 2, 20, 2)) - set(liked)
        if missing:
            assert set(model.recommend(user, k=len(missing))["item_id"]) == missing


def test_beats_the_biases_where_tastes_differ(split: Split) -> None:
    errors = [
        rmse(split.test.rating, m.fit(split.train, progress=False).predict_ratings(split.test))
        for m in (ALS(n_factors=8), make_model("bias"))
    ]
    assert errors[0] < errors[1]


def test_folding_in_the_ratings_of_a_user_gives_the_user(model: ALS, ratings: Ratings) -> None:
    for user in (1, 17, 64):
        own = ratings.rated_items(user)
        np.testing.assert_allclose(
            model.fold_in(own).description, model._user(user - 1), rtol=1e-3, atol=1e-4
        )


def test_explanations_sum_to_the_score(model: ALS) -> None:
    parts = model.explain(5, item_id=40)
    pair = model._pairs(5, 40)
    score = model._predict(*pair)[0]
    if model.predicts_ratings:
        score = model.predict(5, 40)[0]
    assert parts["contribution"].sum() == pytest.approx(score, abs=1e-5)
    assert parts.columns == ["part", "item_id", "title", "rating", "contribution"]
    of_implicit = {"your rating", "training beyond the ratings"}
    assert model.predicts_ratings or set(parts["part"]) <= of_implicit


def test_what_is_not_liked_explains_nothing(ratings: Ratings) -> None:
    model = ALS("implicit", n_factors=8, threshold=5).fit(ratings, progress=False)
    parts = model.explain(ratings={1: 5, 3: 4}, item_id=7).drop_nulls("item_id")
    assert parts.filter(pl.col("rating") == 4)["contribution"].to_list() == [0.0]
    assert parts.filter(pl.col("rating") == 5)["contribution"][0] != 0


def test_a_person_who_likes_nothing_has_no_scores(ratings: Ratings) -> None:
    model = ALS("implicit", n_factors=8).fit(ratings, progress=False)
    assert set(model.recommend(ratings={1: 1, 2: 2}, k=5)["score"]) == {0.0}


def test_implicit_scores_are_no_ratings(ratings: Ratings) -> None:
    model = ALS("implicit", n_factors=8).fit(ratings, progress=False)
    with pytest.raises(UnsupportedError, match="ALS cannot predict ratings"):
        model.predict(1, 1)
    frame = model.recommend(1)
    assert frame["predicted_rating"].null_count() == len(frame)
    assert frame["score"].max() < 1.5


def test_the_scale_makes_no_difference(split: Split) -> None:
    frame = split.train.to_frame().with_columns(pl.col("rating") * 20 - 50)
    wide = ALS(n_factors=8).fit(Ratings.from_frame(frame), progress=False)
    plain = ALS(n_factors=8).fit(split.train, progress=False)
    everything = split.train.items.ids
    np.testing.assert_allclose(
        wide.predict(3, everything, clip=False),
        20 * plain.predict(3, everything, clip=False) - 50,
        atol=0.05,
    )
    person = {1: 5, 2: 1, 5: 4}
    wide_person = {item: 20 * rating - 50 for item, rating in person.items()}
    np.testing.assert_allclose(
        wide._score(wide.fold_in(wide_person).description),
        20 * plain._score(plain.fold_in(person).description) - 50,
        atol=0.05,
    )


@pytest.mark.parametrize(
    "options",
    [
        {"feedback": "loud"},
        {"n_factors": 0},
        {"n_epochs": 0},
        {"reg": 0},
        {"alpha": -1},
        {"reg_exponent": 2},
    ],
)
def test_impossible_options(options: dict[str, float]) -> None:
    with pytest.raises(ArgumentError, match=f"{next(iter(options))}; expected"):
        ALS(**options)


def test_a_damping_that_is_given_is_used(split: Split) -> None:
    norms = [
        np.linalg.norm(
            ALS(n_factors=8, damping=damping).fit(split.train, progress=False).user_factors
        )
        for damping in (0.0, 4.0, 100.0)
    ]
    assert norms[0] > norms[1] > 10 * norms[2]


def test_an_older_model_folds_in_with_a_penalty_that_grows_as_a_whole(ratings: Ratings) -> None:
    model = ALS(n_factors=8, damping=0.0).fit(ratings, progress=False)
    arrays = model._arrays()
    older = {name: arrays[name] for name in arrays if name not in ("prior_growth", "reg")}
    older["prior_precision"] = 2.0 * np.eye(9)
    del older["prior_exponent"]
    model._restore(older)
    assert model.reg_ == 0.4
    np.testing.assert_allclose(model.factors.prior.ridge(5), 2.0 * 5**0.7 * np.eye(9))


def many_items(n_users: int = 300, n_items: int = 3000) -> Ratings:
    """Four circles of people, each with its own items, of which each person likes a few."""
    rng = np.random.default_rng(0)
    appeal = np.exp(rng.normal(0, 1.5, n_items))
    users, items = [], []
    for user in range(n_users):
        of_circle = np.arange(n_items) % 4 == user % 4
        share = appeal * np.where(of_circle, 20.0, 1.0)
        drawn = rng.choice(n_items, 30, replace=False, p=share / share.sum())
        users += [user] * 30
        items += drawn.tolist()
    frame = pl.DataFrame({"user_id": users, "item_id": items, "rating": 1.0})
    return Ratings.from_frame(frame)


def test_on_many_items_the_penalty_does_not_erase_taste() -> None:
    train, test = per_user_split(many_items(), 0.2)
    scores = {}
    for reg in (None, 0.1):
        model = ALS("implicit", n_factors=16, reg=reg, alpha=3.0).fit(train, progress=False)
        frame = evaluate_ranking(model, test, k=10)
        scores[reg] = dict(zip(frame["metric"], frame["value"], strict=True))["ndcg"]
    assert scores[None] > 1.5 * scores[0.1]
    learnt = ALS("implicit", n_factors=16, alpha=3.0).fit(train, progress=False)
    assert learnt.reg is None
    assert learnt.reg_ < 0.1
    one = Ratings.from_frame(pl.DataFrame({"user_id": [0], "item_id": [5], "rating": [1.0]}))
    assert learnt.update(one, progress=False).reg_ < 0.1
