import numpy as np
import pytest

from tastemap.data.ratings import Ratings
from tastemap.models.base.factors import FactorModel
from tastemap.models.bias import BiasModel
from tastemap.models.registry import make_model


@pytest.fixture(scope="module")
def model(ratings: Ratings) -> FactorModel:
    return make_model("mf", n_factors=4).fit(ratings)


def test_parameters_are_those_of_the_constructor() -> None:
    assert BiasModel.parameters == ("item_damping", "user_damping")
    assert BiasModel(3).get_params() == {"item_damping": 3, "user_damping": 5.0}


def test_rows_of_another_table_are_found_by_id(model: FactorModel, ratings: Ratings) -> None:
    part = Ratings.from_frame(ratings.take(np.arange(50, 90)).to_frame())
    users, items = model.rows_of(part)
    assert users.tolist() == ratings.user_index[50:90].tolist()
    assert items.tolist() == ratings.item_index[50:90].tolist()


def test_a_known_user_is_described_with_their_ratings(model: FactorModel) -> None:
    user = model.user_at(3)
    rows = model.ratings_.by_user[3]
    assert user.user_index == 3
    assert user.item_index.tolist() == model.ratings_.item_index[rows].tolist()
    new = model.fold_in_rows(user.item_index, user.rating)
    assert new.user_index == -1


def test_scores_of_one_user_are_predictions_of_pairs(model: FactorModel) -> None:
    items = np.arange(model.ratings_.n_items, dtype=np.int32)
    predicted = model.predict_rows(np.full_like(items, 3), items)
    np.testing.assert_array_equal(model.score_rows(model.user_at(3)), predicted)
    scores, error = model.score_users(np.array([3], np.int32))
    offset = predicted[0] - scores[0, 0]
    assert np.abs(scores[0] + offset - predicted).max() <= 2 * error[0]


def test_the_best_rows_are_the_highest_scores_of_those_allowed(model: FactorModel) -> None:
    user = model.user_at(3)
    scores = model.score_rows(user)
    allowed = np.arange(len(scores)) % 2 == 0
    rows, predicted, ranked = model.recommend_rows(user, 5, allowed=allowed)
    candidates = np.setdiff1d(np.flatnonzero(allowed), user.item_index)
    assert rows.tolist() == candidates[np.argsort(-scores[candidates], kind="stable")[:5]].tolist()
    np.testing.assert_array_equal(predicted, scores[rows])
    np.testing.assert_array_equal(ranked, predicted)
    none, _, _ = model.recommend_rows(user, 5, allowed=np.zeros_like(allowed))
    assert len(none) == 0


def test_lifts_are_how_far_each_rating_moves_an_item_above_the_average_item(
    model: FactorModel,
) -> None:
    user = model.user_at(3)
    (lifts,) = model.lift_rows(user, np.array([7], np.int32))
    x = model.factors.item_weights[7].astype(float) - model.factors.item_weights[-1]
    prior = model.factors.prior
    effects = model.factors.rating_effects(prior, user.item_index, user.rating)
    np.testing.assert_allclose(lifts, x[1:] @ effects[1:])
