"""Fold-in, explanation and similarity, against slow twins and known answers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference
from tastemap.data.datasets.synthetic import synthetic_ratings
from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split
from tastemap.errors import UnsupportedError
from tastemap.models.base.artifact import Artifact
from tastemap.models.base.factors import FactorModel, Factors, Prior
from tastemap.models.base.recommender import Recommender
from tastemap.models.bias import BiasModel
from tastemap.models.registry import load_model, make_model


@pytest.fixture(scope="module")
def model(ratings: Ratings) -> FactorModel:
    """Exact factors for the two tastes: one dimension, +1 and -1."""
    rng = np.random.default_rng(0)
    taste = np.where(np.arange(ratings.n_users) % 2, 1.0, -1.0)
    genre = np.where(np.arange(ratings.n_items) % 2, 1.0, -1.0)
    users = np.column_stack(
        [rng.normal(0, 0.3, len(taste)), taste, rng.normal(0, 0.01, len(taste))]
    )
    items = np.column_stack(
        [rng.normal(0, 0.3, len(genre)), genre, rng.normal(0, 0.01, len(genre))]
    )
    factors = Factors.with_estimated_prior(ratings, 3.3, users, items)
    artifact = Artifact("FactorModel", {}, factors.arrays(), ratings, 0, "by hand")
    return FactorModel.from_artifact(artifact)


def test_prediction_is_the_equation(model: FactorModel) -> None:
    u, i = 4, 9
    expected = (
        model.global_mean
        + model.user_bias[u]
        + model.item_bias[i]
        + model.user_factors[u] @ model.item_factors[i]
    )
    assert model.predict(u + 1, i + 1, clip=False)[0] == pytest.approx(expected, rel=1e-6)


def test_fold_in_is_the_ridge_solution(model: FactorModel) -> None:
    rows, rating = np.array([0, 1, 5], dtype=np.int32), np.array([5.0, 2.0, 1.0])
    X = np.column_stack([np.ones(3), model.item_factors[rows]]).astype(float)
    y = rating - model.global_mean - model.item_bias[rows]
    expected = reference.ridge_by_gradient(
        X, y, model.factors.prior.mean, model.factors.prior.precision
    )
    np.testing.assert_allclose(model._fold_in(rows, rating), expected, atol=1e-5)


def test_folding_in_a_known_user_gives_nearly_their_predictions(
    model: FactorModel, ratings: Ratings
) -> None:
    everything = ratings.items.ids
    for user in (1, 2, 50):
        own = ratings.rated_items(user)
        folded = model.recommend(ratings=own, k=80, exclude_seen=False).sort("item_id")
        trained = model.predict(user, everything)
        assert np.sqrt(np.mean((folded["predicted_rating"].to_numpy() - trained) ** 2)) < 0.35
        assert np.corrcoef(folded["predicted_rating"], trained)[0, 1] > 0.9


def test_a_new_person_is_placed_by_their_taste(model: FactorModel) -> None:
    comedies = dict.fromkeys((1, 3, 5), 5) | dict.fromkeys((2, 4), 1)
    titles = model.recommend(ratings=comedies, k=10)["title"]
    assert sum(title.startswith("Comedy") for title in titles) >= 9


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_explanations_sum_to_the_prediction(model: FactorModel, data: st.DataObject) -> None:
    rated = data.draw(
        st.dictionaries(st.integers(1, 80), st.sampled_from([1, 2, 3, 4, 5]), min_size=1)
    )
    item = data.draw(st.integers(1, 80))
    parts = model.explain(ratings=rated, item_id=item)
    answer = model.recommend(ratings=rated, candidates=[item], k=1, exclude_seen=False)
    assert parts["contribution"].sum() == pytest.approx(answer["predicted_rating"][0], abs=1e-5)
    assert set(parts["item_id"].drop_nulls()) == set(rated)


def test_explanation_of_a_known_user_says_what_training_found_beyond(model: FactorModel) -> None:
    parts = model.explain(7, item_id=2)
    assert parts["contribution"].sum() == pytest.approx(model.predict(7, 2)[0], abs=1e-5)
    assert "training beyond the ratings" in parts["part"].to_list()


def test_similar_items_are_of_the_same_kind_and_not_the_item_itself(model: FactorModel) -> None:
    frame = model.similar_items("Comedy 1 (1960)", k=39)
    assert frame.columns == ["rank", "item_id", "title", "similarity"]
    assert 1 not in frame["item_id"].to_list()
    assert all(title.startswith("Comedy") for title in frame["title"])
    assert frame["similarity"].is_sorted(descending=True)
    assert model.dissimilar_items(1, k=40)["title"].str.starts_with("Drama").all()


def test_similarity_is_the_cosine_shrunk_by_the_evidence_of_both(model: FactorModel) -> None:
    cosine = reference.cosine(model.item_factors[2], model.item_factors[7])
    n, s = model.ratings_.by_item.counts[[2, 7]], model.similarity_shrinkage
    expected = cosine * np.sqrt(n[0] / (n[0] + s) * n[1] / (n[1] + s))
    assert s > 0
    assert model.similarity(3, 8) == pytest.approx(expected, abs=1e-6)
    assert model.similarity(8, 3) == model.similarity(3, 8)
    assert model.similarity(3, 3) == pytest.approx(1.0)
    vectors = model.similarity_vectors()
    assert vectors[2] @ vectors[7] == pytest.approx(expected, abs=1e-6)
    assert -1 <= model.similarity(1, 2) <= 1


def test_similar_users(model: FactorModel) -> None:
    frame = model.similar_users(2, k=59)
    assert 2 not in frame["user_id"].to_list()
    assert all(user % 2 == 0 for user in frame["user_id"])


def test_biases_alone_have_no_neighbours(ratings: Ratings) -> None:
    with pytest.raises(UnsupportedError, match="no factors"):
        BiasModel().fit(ratings).similar_items(1)


def test_an_item_without_training_ratings_is_the_average_item(ratings: Ratings) -> None:
    train = ratings.take(ratings.item_index != 3)
    model = BiasModel().fit(train)
    assert model.item_bias[3] == pytest.approx(
        np.average(model.item_bias, weights=train.by_item.counts)
    )


def test_the_expected_item_fits_the_ratings_of_people_who_choose_what_suits_them(
    ratings: Ratings,
) -> None:
    train = ratings.take(ratings.item_index != 3)
    users, items = (np.ones((n, 2)) for n in (train.n_users, train.n_items))
    users[::2, 1] = items[::2, 1] = -1.0  # the two tastes
    users[:, 0] = items[:, 0] = 0.0
    suits = users[train.user_index, 1] == items[train.item_index, 1]
    chosen = replace(train.take(suits), rating=np.full(suits.sum(), 4.0, dtype=np.float32))
    mean = Factors.of(chosen, 3.0, users, items)
    expected = mean.with_expected_item(chosen)
    unseen = np.full(len(chosen), 3, dtype=np.int32)
    assert mean.predict(chosen.user_index, unseen).mean() == pytest.approx(3.0, abs=0.1)
    assert expected.predict(chosen.user_index, unseen).mean() == pytest.approx(4.0, abs=0.1)
    rated = chosen.item_index
    assert (expected.item_weights[rated] == mean.item_weights[rated]).all()
    assert (expected.item_weights[3] == expected.item_weights[-1]).all()


def test_prior_of_users_survives_a_constant_bias_and_few_users() -> None:
    weights = np.column_stack([np.zeros(3), np.eye(3), np.eye(3)])
    prior = Prior.of_users(weights, noise_variance=0.5)
    assert np.isfinite(prior.precision).all()
    assert (np.linalg.eigvalsh(prior.precision) > 0).all()


def test_a_model_of_loaded_factors_does_not_fit(ratings: Ratings) -> None:
    with pytest.raises(UnsupportedError, match="fit a new model"):
        FactorModel().fit(ratings)


NAMES = ("mf", "als", "ials")


@pytest.fixture(scope="module")
def parts() -> tuple[Ratings, Ratings, Ratings]:
    """Ratings to begin with; later ones, with users and items of their own; some to test on."""
    data = synthetic_ratings(n_users=300, n_items=120, n_ratings=12_000, seed=3)
    test = np.arange(len(data)) % 10 == 0
    late = (data.user_index % 12 == 0) | (data.item_index % 15 == 0)
    return tuple(
        Ratings.from_frame(data.take(rows).to_frame())
        for rows in (~test & ~late, ~test & late, test)
    )


def made(name: str) -> Recommender:
    return make_model(name, n_factors=8)


def error(model: Recommender, test: Ratings) -> float:
    """Root mean squared error, or for scores minus their correlation with the ratings."""
    predicted = model._predict(*model.rows_of(test))
    if model.predicts_ratings:
        return float(np.sqrt(np.mean((predicted - test.rating) ** 2)))
    return -float(np.corrcoef(predicted, test.rating)[0, 1])


@pytest.mark.parametrize("name", NAMES)
def test_an_update_is_close_to_a_fit_anew(name: str, parts: tuple[Ratings, ...]) -> None:
    old, new, test = parts
    model = made(name).fit(old, progress=False)
    before = error(model, test)
    model.update(new, progress=False)
    anew = error(made(name).fit(model.ratings_, progress=False), test)
    assert anew < before
    # Nearly all of what a fit anew gains.
    assert error(model, test) < anew + 0.15 * (before - anew)


@pytest.mark.parametrize("name", NAMES)
def test_updates_in_a_row_do_not_wear_a_model_out(name: str, parts: tuple[Ratings, ...]) -> None:
    old, new, test = parts
    model = made(name).fit(old, progress=False)
    before = error(model, test)
    for rows in np.array_split(np.random.default_rng(0).permutation(len(new)), 5):
        model.update(new.take(rows), progress=False)
    anew = error(made(name).fit(model.ratings_, progress=False), test)
    assert error(model, test) < anew + 0.2 * (before - anew)


@pytest.mark.parametrize("name", NAMES)
def test_an_update_follows_from_the_seed_and_leaves_no_trace(
    name: str, parts: tuple[Ratings, ...]
) -> None:
    old, new, _ = parts
    one, other = (made(name).fit(old, progress=False).update(new, progress=False) for _ in range(2))
    np.testing.assert_array_equal(one.factors.user_weights, other.factors.user_weights)
    one.fit(old, progress=False)
    np.testing.assert_array_equal(
        one.factors.item_weights, made(name).fit(old, progress=False).factors.item_weights
    )


def test_an_update_makes_fewer_epochs(split: Split) -> None:
    model = make_model("mf", n_factors=8, n_epochs=9).fit(split.train, progress=False)
    assert len(model.history_) == 9
    model.update(split.test, progress=False)
    assert model.history_["epoch"].to_list() == [5, 6, 7, 8, 9]


@pytest.mark.parametrize("name", NAMES)
def test_a_loaded_model_goes_on_as_the_saved_one_would(
    name: str, parts: tuple[Ratings, ...], tmp_path: Path
) -> None:
    old, new, _ = parts
    model = made(name).fit(old, progress=False)
    loaded = load_model(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(
        loaded.update(new, progress=False).factors.item_weights,
        model.update(new, progress=False).factors.item_weights,
    )


def test_a_changed_rating_changes_the_prediction(parts: tuple[Ratings, ...]) -> None:
    old, _, _ = parts
    user, item, _ = old.to_frame().select("user_id", "item_id", "rating").row(0)
    predicted = []
    for rating in (1.0, 5.0):
        model = made("als").fit(old, progress=False)
        table = pl.DataFrame({"user_id": [user], "item_id": [item], "rating": [rating]})
        model.update(Ratings.from_frame(table), progress=False)
        predicted.append(model.predict(user, item)[0])
    assert predicted[1] > predicted[0] + 0.2
