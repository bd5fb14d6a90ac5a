"""Alternating least squares: known answers, exact fold-in, explanations that sum up."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split, per_user_split, train_test_split
from tastemap.errors import ArgumentError, UnsupportedError
from tastemap.evaluation.evaluate import evaluate_ranking
from tastemap.metrics.rating import rmse
from tastemap.models.als import ALS
from tastemap.models.base.confidence import Confidence
from tastemap.models.registry import load_model, make_model


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


def plays(of_taste: bool) -> tuple[Interactions, np.ndarray]:
    """How often people play what they choose, by their taste or by chance; and their tastes.

    Where taste says how often, people choose by it less: what they play once says little.
    """
    rng = np.random.default_rng(0)
    affinity = rng.normal(size=(200, 4)) @ rng.normal(size=(4, 150)) / 2
    appeal = rng.normal(size=150) + rng.gumbel(size=affinity.shape)
    items = np.argsort(-appeal - (0.7 if of_taste else 1.5) * affinity)[:, :20]
    level = np.take_along_axis(affinity, items, 1) if of_taste else rng.normal(size=items.shape)
    counts = 1 + rng.poisson(np.exp(1.5 * level))
    users = np.repeat(np.arange(200), 20)
    columns = {"user_id": users, "item_id": items.ravel(), "weight": counts.ravel()}
    table = Interactions.from_frame(pl.DataFrame(columns))
    return table, affinity[np.ix_(table.users.ids.to_numpy(), table.items.ids.to_numpy())]


def affinity_of_lists(model: ALS, affinity: np.ndarray) -> float:
    """The mean affinity of people with the ten items that they get."""
    rows = [model.recommend_rows(model.user_at(user), 10)[0] for user in range(len(affinity))]
    return float(np.take_along_axis(affinity, np.array(rows), 1).mean())


@pytest.fixture(scope="module")
def of_plays() -> ALS:
    return ALS("implicit", n_factors=8).fit(plays(of_taste=True)[0], progress=False)


def test_counts_that_carry_taste_are_used_and_counts_by_chance_are_not(of_plays: ALS) -> None:
    data, affinity = plays(of_taste=True)
    equal = ALS("implicit", n_factors=8).fit(
        data.replaced(weight=np.ones_like(data.weight)), progress=False
    )
    assert equal.confidence_ == Confidence()
    assert of_plays.confidence_.form != "equal"
    gain = affinity_of_lists(of_plays, affinity) - affinity_of_lists(equal, affinity)
    assert gain > 0.3 * affinity.std()
    model = ALS("implicit", n_factors=8).fit(plays(of_taste=False)[0], progress=False)
    assert model.confidence_.form == "equal"


def test_weights_fold_in_explain_and_are_saved(of_plays: ALS, tmp_path: Path) -> None:
    data = of_plays.fitted_data
    for user in (1, 17):
        weights = data.items_of(user)
        folded = of_plays.fold_in(weights).description
        np.testing.assert_allclose(folded, of_plays._user(user), rtol=2e-3, atol=2e-4)
        np.testing.assert_allclose(
            of_plays.fold_in(data.take(data.by_user[user])).description, folded
        )
        more = weights.with_columns(
            pl.col("weight") * pl.when(pl.int_range(pl.len()) == 0).then(50).otherwise(1)
        )
        assert np.abs(of_plays.fold_in(more).description - folded).max() > 1e-3
        parts = of_plays.explain(ratings=more, item_id=40)
        score = of_plays.score_rows(of_plays.fold_in(more))[data.items.index_of(40)]
        assert parts["contribution"].sum() == pytest.approx(score, abs=1e-5)
    loaded = load_model(of_plays.save(tmp_path / "model"))
    assert loaded.confidence_ == of_plays.confidence_
    assert loaded.recommend(ratings={3: 9, 5: 1}).equals(of_plays.recommend(ratings={3: 9, 5: 1}))
    new = Interactions.from_frame(pl.DataFrame({"user_id": [1], "item_id": [7], "weight": [4.0]}))
    assert loaded.update(new, progress=False).confidence_.form == of_plays.confidence_.form
    arrays = of_plays._arrays()
    del arrays["confidence"]  # an older version, for which each like weighed 1
    loaded.confidence_ = Confidence()
    loaded._restore(arrays)
    assert loaded.confidence_ == Confidence()


def test_items_without_weights_count_as_the_median(of_plays: ALS) -> None:
    weight = of_plays.fitted_data.median_weight
    assert weight > 1
    listed = of_plays.recommend(ratings=[3, 5])
    assert listed.equals(of_plays.recommend(ratings={3: weight, 5: weight}))
    assert listed.equals(of_plays.recommend(history=[3, 5]))
