"""What each rating changes: signs, sums, and what a fold-in without the rating says."""

import numpy as np
import pytest

from tastemap.data.ratings import Ratings
from tastemap.models.base.explanation import PartKind
from tastemap.models.bayesian.influence import MAX_FACTOR, scaled_to_sum
from tastemap.models.bayesian.model import BayesianFactorization


@pytest.fixture(scope="module")
def model(ratings: Ratings) -> BayesianFactorization:
    return BayesianFactorization(n_factors=2, n_iterations=60, n_draws=48).fit(
        ratings, progress=False
    )


def test_scaled_effects_keep_their_signs_and_sum_to_what_they_can() -> None:
    rng = np.random.default_rng(0)
    cases = [(rng.normal(0, 0.3, n), rng.normal()) for n in range(10) for _ in range(20)]
    cases += [(np.array([0.2, 0.0]), -1.0), (np.array([-0.2, -1e-9]), 1.0), (np.zeros(2), 0.0)]
    for effects, total in cases:
        scaled = scaled_to_sum(effects, total)
        assert (np.sign(scaled) == np.sign(effects)).all()
        above, below = effects[effects > 0].sum(), -effects[effects < 0].sum()
        ends = [above * x - below / x for x in (1 / MAX_FACTOR, MAX_FACTOR)]
        assert scaled.sum() == pytest.approx(np.clip(total, *ends), abs=1e-9)


def test_what_a_rating_adds_and_what_is_without_it_never_differ_in_sign(model) -> None:
    rng, data = np.random.default_rng(0), model.ratings_
    for n in (1, 2, 3, 8, 20, 8, 3, 20):
        rows = rng.permutation(data.n_items)[:n].astype(np.int32)
        user = model.fold_in_rows(rows, rng.integers(1, 6, n).astype(np.float32))
        item = int(rng.integers(data.n_items))
        prediction = model.scores_at(user, np.array([item], np.int32))[0]
        explanation = model.explain_rows(user, item)
        assert explanation.total == pytest.approx(data.scale.clip(np.array(prediction)), abs=1e-9)
        assert explanation.parts[0] == (PartKind.GLOBAL_MEAN, data.global_mean, "")
        difference = prediction - explanation.without
        is_inside = np.abs(difference) > 1e-9  # beyond the scale both are its end
        assert (np.sign(difference) == np.sign(explanation.effects))[is_inside].all()


def test_effects_are_those_of_folding_in_the_others(model) -> None:
    data = model.ratings_
    rows = np.array([0, 1, 2, 3, 10, 11, 12, 13], np.int32)
    rating = np.array([5, 1, 4, 2, 5, 1, 1, 5], np.float32)
    user, targets = model.fold_in_rows(rows, rating), np.array([20, 21, 30, 31], np.int32)
    effects = model._effects_of(user, targets)

    def average(places):
        folded = model.draws.fold_in(rows[places], rating[places], data.scale, rows[:0])
        return model.draws.mean(folded, _one_list(targets), data.scale)

    whole = average(np.arange(8))
    anew = np.stack([whole - average(np.delete(np.arange(8), i)) for i in range(8)], axis=1)
    assert np.corrcoef(effects.ravel(), anew.ravel())[0, 1] > 0.95
    lifts = model.lift_rows(user, targets)
    np.testing.assert_allclose(
        lifts, effects - model._effects_of(user, np.array([-1], np.int32)), atol=1e-12
    )


def _one_list(rows):
    from tastemap.models.bayesian.posterior import ItemLists

    return ItemLists.of([rows])


def test_somebody_without_ratings_and_somebody_who_has_only_seen(model) -> None:
    items = model.ratings_.items.ids_at(np.array([0, 2, 4]))
    nobody, seen = (
        model.fold_in_rows(np.zeros(0, np.int32), np.zeros(0, np.float32)),
        model.fold_in(seen=items.to_list()),
    )
    assert not model.explain_rows(nobody, 7).corrections
    explanation = model.explain_rows(seen, 7)
    assert [part.kind for part in explanation.corrections] == [PartKind.TRAINING]
    assert explanation.total == pytest.approx(model.score_rows(seen)[7], abs=1e-9)
