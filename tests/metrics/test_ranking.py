"""Ranking metrics: claims worked out by hand, and the protocol."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemap.data.ratings import Ratings
from tastemap.data.splits import per_user_split
from tastemap.errors import ArgumentError
from tastemap.evaluation.evaluate import evaluate_ranking
from tastemap.metrics.ranking import METRICS, coverage, novelty
from tastemap.models.popularity import Popularity
from tastemap.models.registry import make_model


def metric(name: str, *rows: str, n_relevant: list[int]) -> float:
    """The mean of a metric over lists written as text, where x is a hit."""
    hits = np.array([[c == "x" for c in row] for row in rows])
    return float(METRICS[name](hits, np.array(n_relevant)).mean())


def test_second_relevant_item_of_two_gives_one_half() -> None:
    assert metric("recall", ".x", n_relevant=[2]) == 0.5
    assert metric("precision", ".x", n_relevant=[2]) == 0.5
    assert metric("mrr", ".x", n_relevant=[2]) == 0.5


def test_recall_divides_by_all_relevant_items_and_precision_by_k() -> None:
    assert metric("recall", "xx..", n_relevant=[8]) == 0.25
    assert metric("precision", "xx..", n_relevant=[2]) == 0.5


def test_ndcg_of_a_hit_at_rank_three_is_one_half() -> None:
    assert metric("ndcg", "..x", n_relevant=[1]) == pytest.approx(0.5)


def test_ndcg_of_first_and_third_of_two() -> None:
    # (1 + 1 / log2(4)) / (1 + 1 / log2(3))
    assert metric("ndcg", "x.x", n_relevant=[2]) == pytest.approx(1.5 / (1 + 1 / np.log2(3)))


def test_a_list_full_of_hits_is_perfect_even_if_more_items_are_relevant() -> None:
    for name in ("ndcg", "map", "mrr", "precision"):
        assert metric(name, "xxx", n_relevant=[9]) == pytest.approx(1.0)
    assert metric("recall", "xxx", n_relevant=[9]) == pytest.approx(1 / 3)


def test_average_precision_of_first_and_third_of_two() -> None:
    # (1 / 1 + 2 / 3) / 2
    assert metric("map", "x.x", n_relevant=[2]) == pytest.approx(5 / 6)


def test_nothing_found_is_nothing() -> None:
    assert all(metric(name, "...", n_relevant=[2]) == 0 for name in METRICS)


def test_users_count_alike_however_many_items_are_relevant() -> None:
    assert metric("recall", "x.", "..", n_relevant=[1, 9]) == 0.5
    assert metric("mrr", "x.", ".x", n_relevant=[1, 9]) == 0.75


@given(seed=st.integers(0, 1000), k=st.integers(1, 6))
def test_metrics_lie_in_0_1_and_a_hit_moved_up_never_hurts(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    hits = rng.random((4, k)) < 0.4
    n_relevant = np.maximum(hits.sum(axis=1), 1) + rng.integers(0, 3, 4)
    sorted_up = -np.sort(-hits.astype(int), axis=1) > 0
    for one in METRICS.values():
        found, better = one(hits, n_relevant), one(sorted_up, n_relevant)
        assert (found >= 0).all()
        assert (found <= better + 1e-12).all()
        assert (better <= 1 + 1e-9).all()


def test_a_user_without_a_relevant_item_is_refused() -> None:
    with pytest.raises(ArgumentError, match="n_relevant; expected at least 1"):
        metric("recall", "..", n_relevant=[0])
    with pytest.raises(ArgumentError, match="shapes"):
        metric("recall", "..", n_relevant=[1, 1])


def test_coverage_counts_each_item_once() -> None:
    assert coverage(np.array([[0, 1], [1, 0]]), 8) == 0.25
    assert coverage(np.array([[-1, -1]]), 8) == 0


def test_an_item_that_a_quarter_has_rated_is_worth_two_bits() -> None:
    counts = np.array([4, 1, 0])
    assert novelty(np.array([[1]]), counts, 4) == 2
    assert novelty(np.array([[0, -1]]), counts, 4) == 0
    assert novelty(np.array([[2]]), counts, 4) == 2
    assert novelty(np.array([[-1]]), counts, 4) == 0


def values(frame: pl.DataFrame) -> dict[str, float]:
    return dict(zip(frame["metric"], frame["value"], strict=True))


def few(people: dict[str, dict[int, int]]) -> Ratings:
    rows = [(user, item, r) for user, rated in people.items() for item, r in rated.items()]
    return Ratings.from_frame(
        pl.DataFrame(rows, schema=["user_id", "item_id", "rating"], orient="row")
    )


def test_the_protocol_by_hand() -> None:
    # Popularity: item 1 (3 users), 2 (2), 3 (1), 4 (1). Unseen: ann 2, 3, 4; ben 3, 4; cy 4.
    train = few(
        {"ann": {1: 5}, "ben": {1: 1, 2: 4}, "cy": {1: 5, 2: 4, 3: 5}, "dan": {4: 5}},
    )
    test = few(
        {"ann": {2: 4, 3: 3}, "ben": {4: 5, 99: 5}, "cy": {4: 2}, "eve": {1: 5, 4: 1}},
    )
    found = values(evaluate_ranking(Popularity().fit(train), test, k=2))
    # ann: 2, 3 with 2 relevant; ben: 3, 4 with 4 and the unknown 99 relevant. cy likes nothing in
    # the test and eve is unknown.
    assert found["users"] == 2
    assert found["users_left_out"] == 2
    assert found["recall"] == (1 + 0.5) / 2
    assert found["precision"] == 0.5
    assert found["mrr"] == (1 + 0.5) / 2
    assert found["map"] == (1 + 0.25) / 2
    assert found["coverage"] == 0.75
    # Shares 2/4, 1/4, 1/4, 1/4.
    assert found["novelty"] == (1 + 2 + 2 + 2) / 4


def test_a_list_that_ends_early_has_misses_at_its_end() -> None:
    train = few({"ann": {1: 5, 2: 5}, "ben": {3: 5}})
    test = few({"ann": {3: 5}, "ben": {9: 1}})
    found = values(evaluate_ranking(Popularity().fit(train), test, k=3))
    assert found["recall"] == found["mrr"] == 1
    assert found["precision"] == pytest.approx(1 / 3)


def test_lists_are_those_of_recommend(ratings: Ratings) -> None:
    train, test = per_user_split(ratings)
    model = make_model("ease", reg=20.0).fit(train, progress=False)
    liked = test.to_frame().filter(pl.col("rating") >= 4)
    shares = []
    for (user,), rows in liked.group_by("user_id"):
        best = model.recommend(user, k=5)["item_id"].to_list()
        shares.append(rows["item_id"].is_in(best).mean())
    assert values(evaluate_ranking(model, test, k=5))["recall"] == pytest.approx(np.mean(shares))


def test_models_that_know_tastes_rank_better_than_popularity(ratings: Ratings) -> None:
    train, test = per_user_split(ratings)
    models = [make_model("popularity"), make_model("ease"), make_model("ials", n_factors=4)]
    popularity, *others = (
        values(evaluate_ranking(model.fit(train, progress=False), test))["ndcg"] for model in models
    )
    assert min(others) > popularity


def test_impossible_questions(ratings: Ratings) -> None:
    model = Popularity().fit(ratings)
    for k in (0, 81, 2.5, True):
        with pytest.raises(ArgumentError, match="k; expected a whole number from 1 to 80"):
            evaluate_ranking(model, ratings, k=k)
    with pytest.raises(ArgumentError, match="lower the threshold"):
        evaluate_ranking(model, ratings, threshold=6)
