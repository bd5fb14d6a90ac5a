"""The next item: the closed form, order and ties, the gap, the trend, explanations."""

import numpy as np
import polars as pl
import pytest
from tests.kernels.test_next_item import rows_and_targets

from tastemap.data.histories import histories
from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError
from tastemap.models import next_item
from tastemap.models.base import item_based as item_models
from tastemap.models.ease import EASE
from tastemap.models.next_item import POPULARITY_DAMPING, NextItem
from tastemap.models.registry import make_model


@pytest.fixture(scope="module")
def model(ratings: Ratings) -> NextItem:
    return NextItem(window=6).fit(ratings, progress=False)


def walks(gap: int = 10) -> Ratings:
    """Everyone goes from item 0 to 1, 2, …, 9, round in a circle, from a place of their own."""
    items = [(start + step) % 10 for start in range(40) for step in range(6)]
    frame = pl.DataFrame({"user_id": np.repeat(range(40), 6), "item_id": items, "rating": 5.0})
    times = 1_000_000 * np.repeat(range(40), 6) + gap * np.tile(range(6), 40)
    return Ratings.from_frame(frame.with_columns(timestamp=pl.Series(times)))


def test_the_weights_solve_the_ridge_regression_on_the_next_item(ratings: Ratings) -> None:
    model = NextItem(window=6, reg=0.4, dropout=0.2, popularity=0.3).fit(ratings, progress=False)
    history = histories(ratings)
    sequences = [ratings.item_index[history[user]] for user in range(ratings.n_users)]
    S, Y = rows_and_targets(sequences, np.arange(1, 7) ** -0.7, 80)
    later, _ = rows_and_targets(sequences, np.arange(1, 7) ** -0.5, 80)
    G = S.T @ S
    L = np.diag(0.4 * G.diagonal().mean() + 0.25 * G.diagonal())
    counts = ratings.by_item.counts + POPULARITY_DAMPING
    expected = np.linalg.solve(G + L, later.T @ Y) * (counts / counts.mean()) ** -0.3
    np.testing.assert_allclose(model.transitions, expected, atol=2e-4)


def test_what_follows_is_recommended_first_and_the_order_counts() -> None:
    model = NextItem(window=3).fit(walks(), progress=False)
    assert model.recommend(history=[2, 9], k=1)["item_id"].item() == 0
    assert model.recommend(history=[9, 2], k=1)["item_id"].item() == 3
    assert model.recommend(ratings={9: 5, 2: 5}, k=1)["item_id"].item() == 3
    assert model.similar_items(7, k=1)["item_id"].item() == 8
    shuffled = walks(gap=0)  # all of a user at one time: the order is drawn
    drawn = NextItem(window=3).fit(shuffled, progress=False)
    assert drawn.transitions.max() < 0.7 * model.transitions.max()


def test_the_likeliest_other_item_is_the_measure_of_similarity() -> None:
    model = NextItem(window=3).fit(walks(), progress=False)
    seven = model.ratings_.items.index_of(7)
    model.transitions[seven, seven] = 9.0  # which is mostly followed by itself
    assert model.similar_items(7, k=1)["similarity"].item() == 1


def test_the_order_of_the_table_makes_no_difference() -> None:
    data = walks()
    rows = np.random.default_rng(0).permutation(len(data))
    expected, turned = (NextItem(window=3).fit(d, progress=False) for d in (data, data.take(rows)))
    np.testing.assert_allclose(turned.transitions, expected.transitions, atol=1e-6)
    for user in (0, 17):
        assert turned.recommend(user, k=4)["item_id"].equals(
            expected.recommend(user, k=4)["item_id"]
        )


def test_a_new_history_is_answered_like_that_of_a_user(
    ratings: Ratings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(next_item, "ELAPSED_POWER", 0.0)  # a new history has no times
    monkeypatch.setattr(next_item, "N_LATEST_GAPS", 0)
    model = NextItem(window=6, trend_days=1e5).fit(ratings, progress=False)
    last_user = ratings.users.ids[int(ratings.user_index[np.argmax(ratings.timestamp)])]
    rated = ratings.rated_items(last_user)  # the newest first, with times
    oldest_first = rated.reverse().drop("timestamp")
    expected = model.recommend(last_user, k=10)
    assert model.recommend(ratings=rated, k=10)["item_id"].equals(expected["item_id"])
    assert model.recommend(ratings=oldest_first, k=10)["item_id"].equals(expected["item_id"])
    history = model.recommend(history=oldest_first["item_id"].to_list(), k=10)
    likes = dict.fromkeys(oldest_first["item_id"], 5.0)
    assert history.equals(model.recommend(ratings=likes, k=10))


def test_what_is_long_before_the_latest_item_counts_less(monkeypatch: pytest.MonkeyPatch) -> None:
    model = NextItem(window=6, taste=0).fit(walks(gap=300), progress=False)
    by_time = model.explain(0, item_id=7).sort("places_back")["contribution"]
    monkeypatch.setattr(next_item, "ELAPSED_POWER", 0.0)
    by_place = model.explain(0, item_id=7).sort("places_back")["contribution"]
    expected = by_place * (1 + 300 * np.arange(6) / 60) ** -0.2
    np.testing.assert_allclose(by_time, expected, rtol=1e-5)


def test_an_update_is_a_fit_on_all(ratings: Ratings) -> None:
    """New users, a new item, ties, a rating that replaces one, and one before others."""
    rows = [(5, 1, 4.0, 900_000_000), (5, 9999, 5.0, 2_000_000_000), (9, 3, 2.0, 10)]
    rows += [(7777, item, 5.0, 1_000_000_000) for item in (1, 2, 3)]
    columns = ["user_id", "item_id", "rating", "timestamp"]
    new = Ratings.from_frame(pl.DataFrame(rows, columns, orient="row"))
    cold = NextItem(window=6).fit(ratings.merged_with(new), progress=False)
    warm = NextItem(window=6).fit(ratings, progress=False)
    for _ in range(2):  # the second time nothing is new
        warm.update(new, progress=False)
        np.testing.assert_allclose(warm.transitions, cold.transitions, atol=1e-5)
        np.testing.assert_allclose(warm._sums.G, cold._sums.G, rtol=1e-4, atol=1e-4)
        assert warm.recommend(7777, k=5)["item_id"].equals(cold.recommend(7777, k=5)["item_id"])


def test_other_models_take_a_history_as_likes(ratings: Ratings) -> None:
    ease = make_model("ease").fit(ratings, progress=False)
    expected = ease.recommend(ratings={1: 5, 3: 5}, k=5)
    assert ease.recommend(history=[3, "Comedy 1 (1960)"], k=5).equals(expected)
    for wrong in ([], "7", 7):
        with pytest.raises(ArgumentError, match="history; expected a list of item ids or titles"):
            ease.recommend(history=wrong)
    with pytest.raises(ArgumentError, match="ratings, history; expected one of the two"):
        ease.recommend(ratings={1: 5}, history=[1])


def test_the_longer_the_pause_the_more_taste_counts(model: NextItem, ratings: Ratings) -> None:
    taste = EASE().fit(ratings, progress=False)
    without = NextItem(window=6, taste=0.0).fit(ratings, progress=False)
    taste_scores = taste.score_rows(taste.user_at(4))
    sizes = []
    for gap in (0.0, 1.0, 1e7):
        later = model.later(gap)
        scores = later.score_rows(later.user_at(4))
        part = scores - without.score_rows(without.user_at(4))
        np.testing.assert_allclose(np.corrcoef(part, taste_scores)[0, 1], 1, atol=0.05)
        sizes.append(np.abs(part).sum())
    assert sizes[0] < 0.7 * sizes[1] < 0.01 * sizes[2]
    assert np.corrcoef(scores, taste_scores)[0, 1] > 0.95
    gaps = np.zeros(ratings.n_users)
    gaps[4] = 1e7
    mixed = model.later(gaps)
    assert mixed.recommend(5).equals(model.later(1e7).recommend(5))
    assert mixed.recommend(6).equals(model.later(0).recommend(6))
    gaps[5] = np.nan
    assert model.later(gaps).recommend(6).equals(model.recommend(6))
    assert model.later(gaps).recommend(history=[1, 3]).equals(model.recommend(history=[1, 3]))
    for wrong in (-1, np.nan, np.zeros(3)):
        with pytest.raises(ArgumentError, match="gap; expected seconds, at least 0"):
            model.later(wrong)


def test_who_mostly_pauses_long_is_taken_to_have_paused() -> None:
    """Users 0 to 19 take up an item a day, the others one in ten seconds, all on the same walks."""
    walk = walks().to_frame()
    step = pl.int_range(pl.len()).over("user_id")
    each = pl.when(pl.col("user_id") < 20).then(86_400).otherwise(10)
    model = NextItem(window=3).fit(
        Ratings.from_frame(walk.with_columns(timestamp=step * each)), progress=False
    )
    weights = {u: model._taste_weights(model._user(u))[0] for u in (0, 30)}
    at_once, after_a_day, new = (
        model._taste_weights(user)[0]
        for user in (model.later(10)._user(0), model.later(86_400)._user(0), model._user(-1))
    )
    new /= np.sqrt(6)  # of as many likes as the others have
    assert at_once < weights[30] < new < weights[0] < after_a_day
    # Five gaps of the user, all of one class of two halves, and two that are average.
    low, high = (np.log(1 / (1 - share)) for share in (0.25, 0.75))
    average = (low + high) / 2
    expected = np.exp((5 * low + 2 * average) / 7), np.exp((5 * high + 2 * average) / 7)
    found = [weights[u] / model.taste * np.sqrt(6) for u in (30, 0)]
    np.testing.assert_allclose(found, expected, rtol=0.01)


def test_an_explanation_says_how_many_places_back_and_sums_to_the_score(model: NextItem) -> None:
    parts = model.explain(5, item_id=40)
    assert parts["contribution"].sum() == pytest.approx(model._predict(*model._pairs(5, 40))[0])
    assert sorted(parts["places_back"]) == list(range(1, len(parts) + 1))
    rated = model.ratings_.rated_items(5)  # newest first
    assert parts.sort("places_back")["item_id"].equals(rated["item_id"])
    later = model.later(1e7)
    pair = later._pairs(5, 40)
    assert later.explain(5, item_id=40)["contribution"].sum() == pytest.approx(
        later._predict(*pair)[0], rel=1e-4
    )


def test_without_times_it_ranks_by_taste(ratings: Ratings) -> None:
    frame = ratings.to_frame().drop("timestamp")
    data = Ratings.from_frame(frame, item_table=ratings.item_table)
    model, ease = (m.fit(data, progress=False) for m in (NextItem(), EASE()))
    assert not model.transitions.any()
    assert model.recommend(5)["item_id"].equals(ease.recommend(5)["item_id"])
    assert set(model.explain(5, item_id=40)["places_back"]) == {0}


def test_options_out_of_range_and_too_many_items_are_refused(
    ratings: Ratings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("window", 0), ("decay", -1), ("reg", 0), ("dropout", 1), ("taste", -1)):
        with pytest.raises(ArgumentError, match=f"^{name}; expected"):
            NextItem(**{name: value})
    monkeypatch.setattr(item_models, "MAX_ITEMS", 79)
    with pytest.raises(ArgumentError, match="at most 79 items, for NextItem"):
        NextItem().fit(ratings, progress=False)


def test_a_dislike_is_no_part_of_a_history() -> None:
    walk = walks().to_frame().drop("rating").with_columns(weight=1.0)
    dislikes = walk.filter(pl.col("timestamp") % 1_000_000 == 20).with_columns(
        item_id=(pl.col("item_id") + 5) % 10, weight=-1.0, timestamp=pl.col("timestamp") + 5
    )
    liked, all_of_it = (
        Interactions.from_frame(table) for table in (walk, pl.concat([walk, dislikes]))
    )
    expected = NextItem(window=3, popularity=0, taste=0).fit(liked, progress=False)
    model = NextItem(window=3, popularity=0, taste=0).fit(all_of_it, progress=False)
    np.testing.assert_allclose(model.transitions, expected.transitions, atol=1e-6)
    np.testing.assert_array_equal(
        model.score_rows(model.user_at(3)), expected.score_rows(expected.user_at(3))
    )
    mixed = model.fold_in({1: 1.0, 8: -1.0, 2: 1.0})
    np.testing.assert_array_equal(
        model.score_rows(mixed), model.score_rows(model.fold_in({1: 1.0, 2: 1.0}))
    )
    assert model.explain(ratings={1: 1.0, 8: -1.0, 2: 1.0}, item_id=3)["places_back"].to_list() == [
        *(1, 2, 0)
    ]
