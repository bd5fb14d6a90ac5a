"""Lists from shortlists: those of the exact scores, for one user and for all."""

import numpy as np
import pytest

from tastemap.data.datasets.synthetic import synthetic_ratings
from tastemap.models.base.shortlist import MIN_SHORTLIST, shortlisted
from tastemap.models.batch.recommend import recommend_all
from tastemap.models.bayesian.model import BayesianFactorization

N_ITEMS = 3 * MIN_SHORTLIST


@pytest.fixture(scope="module")
def model() -> BayesianFactorization:
    data = synthetic_ratings(60, N_ITEMS, 6000)
    options = {"n_factors": 2, "n_iterations": 20, "n_draws": 16}
    return BayesianFactorization(**options).fit(data, progress=False)


@pytest.mark.parametrize("options", [{}, {"novelty": 0.5}, {"k": 30}, {"exclude_seen": False}])
def test_lists_are_those_of_all_scores(model, options, monkeypatch) -> None:
    k, others = options.get("k", 10), {n: v for n, v in options.items() if n != "k"}
    lists, full = [], []
    for row in range(12):
        user = model.user_at(row)
        rows, _, scores = model.recommend_rows(user, k, scores=model.score_rows(user), **others)
        full.append((rows.tolist(), scores))
    monkeypatch.setattr(type(model), "_score", lambda *_: pytest.fail("all scores"))
    for row in range(12):
        rows, _, scores = model.recommend_rows(model.user_at(row), k, **others)
        lists.append((rows.tolist(), scores))
    for (rows, scores), (rows_of_all, scores_of_all) in zip(lists, full, strict=True):
        if "novelty" in others:  # its unit is the spread of scores, some of which are quick ones
            assert len({*rows} & {*rows_of_all}) >= 8
        else:
            assert rows == rows_of_all
            np.testing.assert_array_equal(scores, scores_of_all)


def test_the_lists_of_everybody_are_those_of_each(model) -> None:
    together = recommend_all(model, 5, where="genres contains 'Comedy'")
    for user_id in (1, 7, 30):
        alone = model.recommend(user_id, k=5, where="genres contains 'Comedy'")
        assert together.filter(user_id=user_id).drop("user_id").equals(alone)


def test_few_items_are_all_exact(model) -> None:
    user, order = model.user_at(0), lambda scores, *_: scores
    few = np.zeros(N_ITEMS, dtype=bool)
    few[:3] = True
    scores, exact = shortlisted(model, user, few, 10, order)
    assert exact.tolist() == few.tolist()
    np.testing.assert_array_equal(scores[:3], model.score_rows(user)[:3])
    every, allowed = shortlisted(model, user, few, N_ITEMS, order)
    assert allowed is few
    np.testing.assert_array_equal(every, model.score_rows(user))
