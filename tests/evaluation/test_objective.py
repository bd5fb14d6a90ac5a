"""What models are chosen by: the metrics of the library, and the users' parts of them."""

from dataclasses import replace

import numpy as np
import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.scale import Scale
from tastemap.data.splits import Split, per_user_split
from tastemap.errors import ArgumentError
from tastemap.evaluation.evaluate import evaluate_ranking
from tastemap.evaluation.objective import Objective, like_threshold, liking
from tastemap.metrics.rating import mae, rmse
from tastemap.models.registry import make_model


@pytest.mark.parametrize(("metric", "function"), [("rmse", rmse), ("mae", mae)])
def test_errors_are_those_of_the_metrics(split: Split, metric: str, function) -> None:
    model = make_model("bias").fit(split.train)
    score = Objective(metric).score(model, split.test)
    assert score.value == pytest.approx(
        function(split.test.rating, model.predict_ratings(split.test))
    )
    assert score.counts.sum() == len(split.test)


def test_the_mae_of_a_distribution_is_that_of_its_median(split: Split) -> None:
    model = make_model("bayes", n_iterations=20, n_draws=10, n_factors=2)
    model.fit(split.train, progress=False)
    median = model.predict_ratings(split.test, point="median")
    score = Objective.of(model, "mae").score(model, split.test)
    assert score.value == pytest.approx(mae(split.test.rating, median))


def test_lists_are_scored_as_evaluate_ranking_does(ratings: Ratings) -> None:
    train, test = per_user_split(ratings)
    model = make_model("ease", reg=20).fit(train)
    table = evaluate_ranking(model, test)
    score = Objective.of(model).score(model, test)
    assert score.value == pytest.approx(table.filter(metric="ndcg")["value"][0])


def test_the_difference_is_that_of_the_values(split: Split) -> None:
    objective = Objective("rmse")
    one, other = (
        objective.score(make_model(name).fit(split.train), split.test) for name in ("bias", "mf")
    )
    gain = objective.difference(one, other)
    assert gain.value == pytest.approx(one.value - other.value)
    assert gain.low < gain.value < gain.high
    assert objective.difference(one, one) == (0, 0, 0)


def test_a_metric_must_fit_the_model() -> None:
    assert Objective.of(make_model("ials")).metric == "ndcg"
    assert Objective.of(make_model("mf"), "ndcg").split == "per-user"
    with pytest.raises(ArgumentError, match="expected ndcg for a EASE"):
        Objective.of(make_model("ease"), "rmse")
    with pytest.raises(ArgumentError, match="rmse or mae or ndcg"):
        Objective.of(make_model("mf"), "auc")


def test_values_of_infinite_or_equal_errors() -> None:
    assert Objective("mae").best([2.0, 1.0, 1.0]) == 1
    assert Objective("ndcg").best([np.inf, 1.0]) == 0


def test_what_is_liked_where_the_scale_says_little(ratings: Ratings) -> None:
    assert like_threshold(ratings) is None
    rating = ratings.rating.copy()
    rating[:149] = 350_000
    counts = replace(ratings, rating=rating, scale=Scale.infer(rating))
    assert like_threshold(counts) == np.median(rating), "149 of 3,000 are less than a twentieth"
    rating[149] = 350_000
    assert like_threshold(counts) is None


def test_a_model_learns_from_the_likes_that_judge_it(split: Split) -> None:
    assert liking(make_model("ials"), 3.0).get_params()["threshold"] == 3.0
    assert liking(make_model("ials", threshold=2.0), 3.0).get_params()["threshold"] == 2.0
    assert "threshold" not in vars(liking(make_model("mf"), 3.0))
    model = make_model("popularity").fit(split.train)
    everything = Objective("ndcg", threshold=1.0).score(model, split.test)
    assert everything.value != Objective("ndcg").score(model, split.test).value
