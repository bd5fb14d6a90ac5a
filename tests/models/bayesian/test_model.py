"""The Bayesian factorisation: as a sampler, as a predictor, and on awkward data."""

import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split
from tastemap.errors import ArgumentError, DataError, UnsupportedError
from tastemap.evaluation.evaluate import model_calibration
from tastemap.metrics import calibration
from tastemap.metrics.rating import rmse
from tastemap.models.bayesian import model as bayesian
from tastemap.models.bayesian.model import (
    BayesianFactorization,
    default_factors,
    default_iterations,
)
from tastemap.models.bayesian.posterior import ItemLists
from tastemap.models.bayesian.sampler import Chain
from tastemap.models.bias import BiasModel
from tastemap.models.registry import load_model


def planted(scale: str, seed: int = 0) -> tuple[Split, np.ndarray]:
    """Ratings drawn from the model, and the true mean of z for the test ratings."""
    rng = np.random.default_rng(seed)
    U, M, N = 150, 100, 6000
    pair = rng.choice(U * M, N, replace=False)
    u, i = pair // M, pair % M
    P, Q = rng.normal(size=(U, 2)), rng.normal(0, 0.8, (M, 2))
    f = rng.normal(0, 0.4, U)[u] + rng.normal(0, 0.5, M)[i] + np.sum(P[u] * Q[i], axis=1)
    z = f + rng.normal(0, 1, N)
    rating = np.digitize(z, [-1.5, -0.5, 0.4, 1.4]) + 1.0 if scale == "stars" else z
    frame = pl.DataFrame({"user_id": u, "item_id": i, "rating": rating, "row": np.arange(N)})
    ratings = Ratings.from_frame(frame)
    rows = np.random.default_rng(1).permutation(N)
    return Split(ratings.take(rows[1200:]), ratings.take(rows[:1200])), f[rows[:1200]]


@pytest.fixture(scope="module", params=["stars", "numbers"])
def case(request: pytest.FixtureRequest) -> tuple[Split, np.ndarray, BayesianFactorization]:
    split, f = planted(request.param)
    model = BayesianFactorization(n_factors=3, n_iterations=120, n_draws=40, n_implicit=10)
    return split, f, model.fit(split.train, validation=split.test, progress=False)


def test_planted_factors_are_found(case) -> None:
    (train, test), f, model = case
    predicted = model.predict_ratings(test)
    error = rmse(test.rating, predicted)
    assert error < 0.9 * rmse(test.rating, BiasModel().fit(train).predict_ratings(test))
    assert np.corrcoef(predicted, f)[0, 1] > 0.9
    # The error on the way is that of the same averages, before they were rounded to be kept.
    assert model.history_["validation_rmse"][-1] == pytest.approx(error, abs=1e-3)
    assert model.history_.columns == ["epoch", "train_loss", "validation_rmse"]


def test_probabilities_are_calibrated(case) -> None:
    (_, test), _, model = case
    if not model.has_distribution:
        with pytest.raises(UnsupportedError, match="no levels"):
            model._predict_distribution(*model.rows_of(test))
        return
    p = model._predict_distribution(*model.rows_of(test))
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-9)
    level = test.rating.astype(int) - 1
    for c in range(5):
        assert abs(p[:, c].mean() - np.mean(level == c)) < 0.04
    for low, high in ((0.1, 0.3), (0.3, 0.5), (0.5, 0.8)):
        inside = (p >= low) & (p < high)
        hit = (level[:, None] == np.arange(5))[inside]
        assert abs(hit.mean() - p[inside].mean()) < 0.07
    median = model.predict_ratings(test, point="median")
    assert np.isin(median, [1, 2, 3, 4, 5]).all()
    assert (
        np.abs(median - test.rating).mean()
        <= np.abs(model.predict_ratings(test) - test.rating).mean()
    )


def test_probabilities_up_to_a_value_are_those_of_the_quantiles(case) -> None:
    (_, test), _, model = case
    if model.has_distribution:
        with pytest.raises(UnsupportedError, match="predict_distribution"):
            model.ratings_cumulative(test, test.rating)
        return
    few = test.take(np.arange(50))
    users, items = (few.to_frame()[name].to_list() for name in ("user_id", "item_id"))
    ends = model.predict_interval(users, items, mass=0.8)
    for end, probability in zip(ends, (0.1, 0.9), strict=True):
        inside = (end > model.ratings_.scale.lowest) & (end < model.ratings_.scale.highest)
        up_to = model.ratings_cumulative(few, end)[inside]
        np.testing.assert_allclose(up_to, probability, atol=2e-3)
    with pytest.raises(UnsupportedError, match="a median on a scale without levels"):
        model.predict_ratings(few, point="median")


def test_folding_in_own_ratings_agrees_with_training(case) -> None:
    (train, _), _, model = case
    agreement = []
    for user in train.users.ids[:20]:
        own = train.rated_items(user)
        person = model.fold_in(dict(own.select("item_id", "rating").rows()))
        known = model._score(model._user(train.users.index_of(user)))
        agreement.append(np.corrcoef(model._score(person.description), known)[0, 1])
    assert np.median(agreement) > 0.95
    assert min(agreement) > 0.9


def test_posterior_means_predict_nearly_as_well(case) -> None:
    (_, test), _, model = case
    u, i = model.rows_of(test)
    linear = super(BayesianFactorization, model)._predict(u, i)
    linear = model.ratings_.scale.clip(linear)
    assert rmse(test.rating, linear) < 1.03 * rmse(test.rating, model.predict_ratings(test))
    assert model.similar_items(1, k=3)["similarity"].is_sorted(descending=True)


def test_explanations_sum_to_the_prediction(case) -> None:
    model = case[2]
    scale = model.ratings_.scale
    known = model.explain(1, item_id=7)
    total = scale.clip(model._score(model._user(model.ratings_.users.index_of(1))))[7]
    assert known["contribution"].sum() == pytest.approx(total, abs=1e-6)
    assert known["contribution"].sum() == pytest.approx(model.predict(1, 7)[0], abs=1e-6)
    own = {3: float(scale.highest), 5: float(scale.lowest)}
    new = model.explain(ratings=own, item_id=7)
    person = model.fold_in(own)
    total = scale.clip(model._score(person.description))[7]
    assert new["contribution"].sum() == pytest.approx(total, abs=1e-6)
    assert new.filter(part="your rating")["item_id"].sort().to_list() == [3, 5]
    assert new["part"].to_list()[:2] == ["global mean", "item bias"]


def test_intervals_hold_their_mass(case) -> None:
    (_, test), _, model = case
    users, items = (test.to_frame()[name].to_list() for name in ("user_id", "item_id"))
    for mass in (0.5, 0.8, 0.95):
        low, high = model.predict_interval(users, items, mass=mass)
        assert (low <= high).all()
        share = np.mean((low <= test.rating) & (test.rating <= high))
        if model.has_distribution:
            p = model.predict_distribution(users, items)
            level = calibration.places(test.rating, model.ratings_.scale.levels)
            assert share == calibration.coverage(level, p, mass)
            assert abs(share - calibration.promised_coverage(p, mass)) < 0.03
            assert np.isin(low, [1, 2, 3, 4, 5]).all()
        else:
            assert abs(share - mass) < 0.04
            row = model_calibration(model, test).coverage.row(by_predicate=pl.col("mass") == mass)
            assert row[1:] == pytest.approx((mass, share), abs=0.01)
    with pytest.raises(ArgumentError, match="mass"):
        model.predict_interval(1, 1, mass=80)


def test_diagnostics_say_how_well_the_chains_agree(case, tmp_path) -> None:
    model = case[2]
    found = model.diagnostics_
    assert found.columns == ["quantity", "mean", "deviation", "effective_size", "r_hat"]
    names = found["quantity"].to_list()
    assert {"loss", "predictor_sd", "user_bias_sd", "item_bias_sd"} <= set(names)
    assert ("cutpoint_4" in names) == model.has_distribution
    assert ("noise" in names) == (not model.has_distribution)
    n = model.traces["loss"].size
    assert model.traces["loss"].shape == (2, 96)
    assert found["effective_size"].is_between(1, n * np.log10(n)).all()
    assert found["r_hat"].is_between(0.95, 4).all()
    loaded = load_model(model.save(tmp_path / "model"))
    assert loaded.diagnostics_.equals(found)


def test_the_number_of_threads_makes_no_difference() -> None:
    code = """
import os, sys
if sys.argv[1] == "1" and hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
from tastemap.data.datasets.synthetic import synthetic_ratings
from tastemap.models.bayesian.model import BayesianFactorization, default_factors
data = synthetic_ratings(1000, 400, 30000)  # BLAS takes its threads for large matrices alone
model = BayesianFactorization(n_factors=24, n_iterations=3, n_draws=2).fit(data, progress=False)
print(model.predict_ratings(data).tobytes().hex()[:4000])
"""
    one, all_ = (
        subprocess.run(
            [sys.executable, "-c", code, n], capture_output=True, text=True, check=True
        ).stdout
        for n in ("1", "all")
    )
    assert one == all_
    assert len(one) > 1000


def test_ratings_a_row_bear_factors(split: Split) -> None:
    def factors(n_rows: int, a_row: float) -> int:
        # Twice as many ratings a user or item alone as a user or item together.
        return default_factors(np.full(n_rows, 2 * a_row))

    assert factors(1000, 4.9) == bayesian.DEFAULT_FACTORS_SPARSE
    assert factors(1000, 5) == factors(1000, 24.9) == bayesian.DEFAULT_FACTORS
    assert factors(1000, 25) == factors(10_000, 99) == bayesian.DEFAULT_FACTORS_DENSE
    # Rows without ratings say nothing.
    assert default_factors(np.array([10, 10, 0, 0, 0, 0])) == bayesian.DEFAULT_FACTORS
    quick = {"n_iterations": 2, "n_draws": 2, "n_chains": 1}
    default = BayesianFactorization(**quick).fit(split.train, progress=False)
    assert default.item_factors.shape[1] == bayesian.DEFAULT_FACTORS
    assert default_iterations(np.ones(9)) == bayesian.DEFAULT_ITERATIONS_SPARSE
    assert default_iterations(np.full(9, 2)) == bayesian.DEFAULT_ITERATIONS
    own = BayesianFactorization(n_factors=3, **quick).fit(split.train, progress=False)
    assert own.item_factors.shape[1] == 3


def test_blanking_the_test_ratings_changes_nothing(split: Split) -> None:
    model = BayesianFactorization(n_factors=2, n_iterations=10, n_draws=4)
    model.fit(split.train, validation=split.test, progress=False)
    with_truth = model.predict_ratings(split.test)
    model.fit(split.train, progress=False)
    np.testing.assert_array_equal(with_truth, model.predict_ratings(split.test))


def test_side_information_helps_items_without_ratings(ratings: Ratings) -> None:
    # Taste is for one of two genres: for an unseen item the genre tells who likes it.
    cold = ratings.item_index >= 70
    train, test = ratings.take(~cold), ratings.take(cold)
    quick = {"n_factors": 4, "n_iterations": 60, "n_draws": 20}
    with_side, without = (
        rmse(test.rating, BayesianFactorization(side=side, **quick).fit(train, progress=False)
             .predict_ratings(test))
        for side in (True, False)
    )  # fmt: skip
    assert with_side < 0.9 * without


def test_side_information_that_says_nothing_does_no_harm_to_new_users() -> None:
    rng = np.random.default_rng(0)
    user, item = np.divmod(rng.permutation(150 * 40)[:1800], 40)
    rating = np.round(3 + 0.7 * rng.normal(size=40)[item] + rng.normal(size=1800)).clip(1, 5)
    frame = pl.DataFrame({"user_id": user, "item_id": item, "rating": rating})
    columns = {f"column {n}": rng.choice(list("abcdefgh"), 150) for n in range(5)}
    ratings = Ratings.from_frame(
        frame, user_table=pl.DataFrame({"user_id": np.arange(150)} | columns)
    )
    is_new = ratings.user_index >= 75
    train, test = ratings.take(~is_new), ratings.take(is_new)
    quick = {"n_factors": 2, "n_iterations": 60, "n_draws": 20, "n_chains": 1, "n_implicit": 0}
    with_side, without = (
        rmse(test.rating, BayesianFactorization(side=side, **quick).fit(train, progress=False)
             .predict_ratings(test))
        for side in (True, False)
    )  # fmt: skip
    assert with_side < 1.02 * without


@pytest.mark.parametrize("n_levels", [2, 10, 21, 150])
def test_any_scale(n_levels: int) -> None:
    rng = np.random.default_rng(0)
    frame = {"user_id": rng.integers(0, 20, 400), "item_id": np.arange(400) % 25}
    rating = np.round(rng.uniform(0, n_levels - 1, 400)) / 2
    data = Ratings.from_frame(pl.DataFrame(frame | {"rating": rating}))
    model = BayesianFactorization(n_factors=2, n_iterations=10, n_draws=4)
    predicted = model.fit(data, progress=False).predict_ratings(data)
    assert np.isfinite(predicted).all()
    assert abs(predicted.mean() - data.global_mean) < 0.2 * (n_levels / 2)
    if model.has_distribution:
        p = model.predict_distribution(1, [1, 2, 3])
        np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-9)
        assert (p >= 0).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [("n_factors", 0), ("n_iterations", 0), ("n_chains", 1.5), ("n_draws", 0), ("n_implicit", -1)],
)
def test_impossible_options(name: str, value: float) -> None:
    with pytest.raises(ArgumentError, match=name):
        BayesianFactorization(**{name: value})


def test_times_may_be_missing_or_stand_still(tiny: Ratings) -> None:
    model = BayesianFactorization(n_factors=2, n_iterations=10, n_draws=4, time="session")
    assert np.isfinite(model.fit(tiny, progress=False).predict_ratings(tiny)).all()
    frame = tiny.to_frame().with_columns(timestamp=pl.lit(7))
    still = Ratings.from_frame(frame)
    assert np.isfinite(model.fit(still, progress=False).predict_ratings(still)).all()
    assert np.isfinite(model.predict("ann", [10, 30])).all()
    with pytest.raises(ArgumentError, match="time"):
        BayesianFactorization(time="day")
    with pytest.raises(ArgumentError, match="point"):
        model.predict_ratings(still, point="mode")


AWKWARD = {
    "constant": {"user_id": [1, 1, 2], "item_id": [1, 2, 1], "rating": [3.0, 3.0, 3.0]},
    "one user": {"user_id": [1, 1, 1], "item_id": [1, 2, 3], "rating": [3.0, 1.0, 5.0]},
    "one item": {"user_id": [1, 2, 3], "item_id": [1, 1, 1], "rating": [3.0, 1.0, 5.0]},
    "one rating": {"user_id": [1], "item_id": [1], "rating": [4.0]},
    "equal ratings of a user": {
        "user_id": [1, 1, 1, 2, 2, 3],
        "item_id": [1, 2, 3, 1, 2, 3],
        "rating": [5.0, 5.0, 5.0, 1.0, 2.0, 4.0],
    },
}


@pytest.mark.parametrize("time", [None, "session"])
@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_ratings(name: str, time: str | None) -> None:
    frame = pl.DataFrame(AWKWARD[name])
    backwards = frame.with_columns(timestamp=100 - 7 * pl.int_range(pl.len()))
    data = Ratings.from_frame(backwards)
    # More factors than the data could ever bear.
    model = BayesianFactorization(n_factors=20, n_iterations=10, n_draws=4, time=time)
    model.fit(data, progress=False)
    predicted = model.predict_ratings(data)
    assert ((predicted >= data.scale.lowest) & (predicted <= data.scale.highest)).all()
    assert np.isfinite(model.predict(1, 1, point="median")).all()
    low, high = model.predict_interval(1, 1)
    assert data.scale.lowest <= low[0] <= high[0] <= data.scale.highest
    assert np.isfinite(model.fold_in({1: float(data.rating[0])}).description.means).all()
    assert len(model.diagnostics_)


def test_quantiles_far_above_all_ratings_are_around_the_prediction() -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"user_id": np.repeat(np.arange(60), 20), "item_id": [*range(20)] * 60})
    rating = rng.normal(0, 1, len(frame))
    rating[0] = 500.0  # the highest, some thirty deviations above the mean
    data = Ratings.from_frame(frame.with_columns(rating=rating))
    model = BayesianFactorization(n_factors=1, n_iterations=20, n_draws=4).fit(data, progress=False)
    new = model.fold_in(dict.fromkeys(range(10), 500.0)).description
    targets = ItemLists.of([np.arange(10, 20, dtype=np.int32)])
    predicted = model.draws.mean(new, targets, data.scale)
    assert predicted.min() > data.global_mean + 5 * data.deviation
    low, high = model.draws.quantiles(new, targets, (0.1, 0.9))
    assert ((low < predicted) & (predicted < high)).all()


def test_an_update_goes_on_from_the_draws(case, monkeypatch) -> None:
    (train, test), _, whole = case
    model = BayesianFactorization(n_factors=3, n_iterations=60, n_draws=30, n_implicit=10)
    model.fit(train.take(np.arange(len(train)) % 4 > 0), seed=1, progress=False)
    before = rmse(test.rating, model.predict_ratings(test))
    n_sweeps = []
    sweep = Chain.sweep
    monkeypatch.setattr(
        Chain, "sweep", lambda self, keep=False: n_sweeps.append(self) or sweep(self, keep)
    )
    model.update(train.take(np.arange(len(train)) % 4 == 0), seed=2, progress=False)
    error, anew = (rmse(test.rating, m.predict_ratings(test)) for m in (model, whole))
    assert error < before - 0.8 * (before - anew)
    # Twenty chains of four iterations, each a draw of the old fit's; two draws of each are kept.
    assert (len(n_sweeps), len({*map(id, n_sweeps)}), len(model.draws)) == (80, 20, 40)
    assert model._before is None


def test_new_ratings_may_leave_the_scale_and_the_catalogue(split: Split) -> None:
    model = BayesianFactorization(n_factors=2, n_iterations=10, n_draws=4)
    model.fit(split.train, progress=False)
    beyond = Ratings.from_frame(
        pl.DataFrame({"user_id": [1, 999], "item_id": [9999, 2], "rating": [40.0, -3.0]})
    )
    predicted = model.predict_ratings(beyond)
    assert ((predicted >= 1) & (predicted <= 5)).all()
    updated = BayesianFactorization(n_factors=2, n_iterations=10, n_draws=4)
    updated.fit(split.train, progress=False).update(beyond, progress=False)
    assert updated.ratings_.scale.highest == 40
    assert updated.ratings_.scale.lowest == -3
    assert np.isfinite(updated.predict(999, 2)).all()


def test_a_table_whose_times_are_missing_in_part_says_so() -> None:
    frame = {"user_id": [1, 1, 2], "item_id": [1, 2, 1], "rating": [3.0, 4.0, 5.0]}
    with pytest.raises(DataError, match="timestamp"):
        Ratings.from_frame(pl.DataFrame(frame | {"timestamp": [5, None, 7]}))


def test_of_whom_nothing_is_known_is_right_on_average_though_people_rate_what_they_like() -> None:
    """Users rate twelve items of their own half well, and three of the other badly."""
    rng, rows = np.random.default_rng(0), []
    for user in range(80):
        for half, n, low in ((user % 2, 12, 4), (1 - user % 2, 3, 1)):
            items = 2 * rng.choice(20, n, replace=False) + half
            rows += [(user, int(item), int(rng.integers(low, low + 2))) for item in items]
    schema = ["user_id", "item_id", "rating"]
    ratings = Ratings.from_frame(pl.DataFrame(rows, schema=schema, orient="row"))
    model = BayesianFactorization(n_factors=2, n_iterations=40, n_draws=20)
    model.fit(ratings, progress=False)
    unknown = np.full(len(ratings), -1, dtype=np.int32)
    for pair in ((unknown, ratings.item_index), (ratings.user_index, unknown)):
        assert abs((model.predict_rows(*pair) - ratings.rating).mean()) < 0.2


def test_somebody_who_has_only_seen_things_is_known_by_them(ratings: Ratings) -> None:
    """A user of the data without a rating is told from the average, as a new user is."""
    is_first = ratings.user_index == 0
    table = ratings.take(~is_first).with_seen(ratings.take(is_first).likes(-np.inf))
    model = BayesianFactorization(n_factors=2, n_iterations=40, n_draws=20).fit(table)
    items = np.arange(ratings.n_items, dtype=np.int32)
    predicted = model.predict_rows(np.zeros_like(items), items)
    average = model.predict_rows(np.full_like(items, -1), items)
    new = model.score_rows(model.fold_in(seen=table.items.ids_at(model.user_at(0).seen).to_list()))
    assert np.abs(predicted - average).max() > 0.02
    assert np.abs(new - predicted).max() < 0.5 * np.abs(predicted - average).max()


def test_new_items_have_wider_distributions_and_no_facts_without_side(ratings: Ratings) -> None:
    new = pl.DataFrame({"item_id": [900], "genres": [["Comedy"]]})
    options = {"n_factors": 2, "n_iterations": 10, "n_draws": 4}
    model = BayesianFactorization(**options).fit(ratings, progress=False).add_items(new)
    levels = model.ratings_.scale.levels
    assert model.basis_of(np.array([0, 80])) == ["ratings", "facts"]
    p = model.predict_distribution(1, [1, 900])
    mean = p @ levels
    variance = p @ levels**2 - mean**2
    assert variance[1] > variance[0]
    plain = BayesianFactorization(**options, side=False).fit(ratings, progress=False)
    assert plain.add_items(new).basis_of(np.array([80])) == ["average"]


def test_standard_errors_are_the_spread_of_what_curious_lists_draw(case) -> None:
    _, _, model = case
    user, rng, rows = model.user_at(3), np.random.default_rng(0), np.arange(20, dtype=np.int32)
    scores = model.score_rows(user)
    sampled = np.stack([model._sampled(user, scores, rng) for _ in range(2000)])[:, rows]
    errors = model._standard_errors(user, rows)
    np.testing.assert_allclose(sampled.mean(axis=0), scores[rows], atol=0.1)
    np.testing.assert_allclose(sampled.std(axis=0), errors, rtol=0.15)
