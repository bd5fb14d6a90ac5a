"""The shapes of `benchmarks/planted.py` in small: no model of ratings loses to the bias model."""

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split, train_test_split
from tastemap.metrics import calibration
from tastemap.metrics.bootstrap import paired_differences, user_sums
from tastemap.metrics.rating import rmse
from tastemap.models.base.recommender import Recommender
from tastemap.models.registry import make_model

BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks"
# At their defaults. Networks and the sampler take longer: they are tried on what they lost on.
MODELS = ("knn", "als", "mf")
# Each fit compiles for seconds; each is judged by the error that it is trained on.
NETWORKS = {"biased-dot": 2, "deep": 1, "ordinal": 2}
THIN = "one-item"
SAMPLED, BRIEF = ("one-each", "shop"), {"n_iterations": 30, "n_draws": 12, "n_chains": 1}
# So many times smaller than the shapes of the benchmark.
SHARES = {
    "dense": 4,
    "sparse": 20,
    "shop": 6,
    "dvd": 20,
    "one-each": 10,
    "one-item": 4,
    "ten-levels": 20,
    "songs": 1,
    "jokes": 10,
    "no-taste": 4,
    "no-people": 4,
    "catalogue": 100,
}


@cache
def benchmark() -> ModuleType:
    """A script beside the package, and no part of it."""
    spec = importlib.util.spec_from_file_location("planted", BENCHMARKS / "planted.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def small(name: str) -> Ratings:
    module, share = benchmark(), SHARES[name]
    shape = module.SHAPES[name]
    root = share**0.5 if shape.n_ratings > 4 * max(shape.n_users, shape.n_items) else share
    sizes = {"n_users": int(shape.n_users / root), "n_items": int(shape.n_items / root)}
    return module.planted(replace(shape, **sizes, n_ratings=shape.n_ratings // share), 1)


@pytest.fixture(scope="module", params=list(SHARES))
def split(request: pytest.FixtureRequest) -> Split:
    return train_test_split(small(request.param), 0.2, 0)


def test_every_shape_has_its_small_one() -> None:
    assert set(SHARES) == set(benchmark().SHAPES)


def test_the_same_seed_draws_the_same_table_of_the_stated_size() -> None:
    module = benchmark()
    shape = module.Shape(300, 200, 2000, everybody=1)
    first, again = module.planted(shape, 3), module.planted(shape, 3)
    assert first.fingerprint() == again.fingerprint()
    assert (first.n_users, first.n_items) == (300, 200)
    assert first.by_item.counts.max() == 300
    assert 2000 <= len(first) <= 2300
    assert np.quantile(first.by_item.counts, 0.5) < first.by_item.counts.mean() / 2


def loses(model: Recommender, split: Split, power: int = 2) -> bool:
    """Whether the bias model has a smaller error, by more than the interval of the difference."""
    errors = []
    for each in (make_model("bias").fit(split.train, progress=False), model):
        error = np.abs(split.test.rating - each.predict_ratings(split.test)) ** power
        errors.append(user_sums(split.test.user_index, error))
    totals, counts = zip(*errors, strict=True)
    difference = paired_differences(totals, counts[0], 0, root=power == 2, n_resamples=300)
    return bool(difference.low[1] > 0)


@pytest.mark.parametrize("name", MODELS)
def test_no_model_loses_to_the_bias_model(name: str, split: Split) -> None:
    assert not loses(make_model(name).fit(split.train, progress=False), split)


@pytest.mark.parametrize("shape", SAMPLED)
def test_nor_does_the_sampler_where_ratings_are_few(shape: str) -> None:
    split = train_test_split(small(shape), 0.2, 0)
    assert not loses(make_model("bayes", **BRIEF).fit(split.train, progress=False), split)


@pytest.mark.parametrize(("name", "power"), NETWORKS.items())
def test_no_network_loses_to_the_bias_model(name: str, power: int) -> None:
    """On a thin table, and on its items and users without ratings: the average of the others."""
    data = small(THIN)
    hidden = (data.item_index % 9 == 1) | (data.user_index % 9 == 1)
    rest = train_test_split(data.take(~hidden), 0.2, 0)
    model = make_model(name).fit(rest.train, progress=False)
    baseline = make_model("bias").fit(rest.train, progress=False)
    for test in (rest.test, data.take(hidden)):
        assert not loses(model, Split(rest.train, test), power)
        predicted, limit = (each.predict_ratings(test) for each in (model, baseline))
        assert rmse(test.rating, predicted) < 1.02 * rmse(test.rating, limit)
        if model.has_distribution:
            p = model.ratings_distribution(test)
            level = calibration.places(test.rating, data.scale.levels)
            promised = calibration.promised_coverage(p, 0.8)
            assert calibration.coverage(level, p, 0.8) == pytest.approx(promised, abs=0.05)


def table(*rows: tuple[object, object, float]) -> Callable[[], Ratings]:
    """A table, made when it is needed."""
    columns = {
        name: list(column)
        for name, column in zip(
            ("user_id", "item_id", "rating"), zip(*rows, strict=True), strict=True
        )
    }
    return lambda: Ratings.from_frame(pl.DataFrame(columns))


TABLES = {
    "two ratings": table((1, 1, 2.0), (2, 2, 4.0)),
    "one user": table(*((1, i, float(i % 3)) for i in range(9))),
    "one item": table(*((u, 1, float(u % 3)) for u in range(9))),
    "all equal": table(*((u, u * i % 7, 3.0) for u in range(20) for i in (1, 2))),
    "one rating each": table(*((u, f"item {u}", float(u % 5)) for u in range(60))),
    # One user with two ratings, one item with two, and not of each other: no axes of what is rated.
    "nothing in common": table(*((max(u, 1), u - (u == 3), float(u % 5)) for u in range(60))),
    "huge numbers": table(*((u, i, 1e12 * (u - i)) for u in range(9) for i in range(u % 4))),
    "tiny numbers": table(*((u, i, 1e-12 * (u - i)) for u in range(9) for i in range(u % 4))),
    "text": table(*((f"ann {u}", f"book {u % 3}", float(u % 2)) for u in range(30))),
}


@pytest.mark.parametrize("name", ["bias", *MODELS, "bayes"])
@pytest.mark.parametrize("rows", TABLES.values(), ids=TABLES)
def test_no_table_is_too_small_or_too_plain(name: str, rows: Callable[[], Ratings]) -> None:
    ratings = rows()
    model = make_model(name, **(BRIEF if name == "bayes" else {})).fit(ratings, progress=False)
    assert np.isfinite(model.predict_ratings(ratings, clip=False)).all()


def test_als_ends_on_a_hundred_ratings_of_a_hundred_people() -> None:
    """Where a residual is too small for its square, a step divided by zero."""
    rng = np.random.default_rng(0)
    for seed in range(8):
        u, i = rng.permutation(100) % 99, rng.permutation(100) % 99
        frame = pl.DataFrame({"user_id": u, "item_id": i, "rating": rng.integers(1, 6, 100)})
        ratings = Ratings.from_frame(frame.unique(["user_id", "item_id"], maintain_order=True))
        for damping in (None, 0.0, 8.0):
            model = make_model("als", damping=damping).fit(ratings, seed=seed, progress=False)
            assert np.isfinite(model.factors.user_weights).all()
