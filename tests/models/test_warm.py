"""Updates from what has been learnt: close to a fit anew, in fewer epochs, time after time."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split
from tastemap.data.synthetic import synthetic_ratings
from tastemap.models import make_model
from tastemap.models.base import Recommender
from tastemap.models.store import load_model

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
    predicted = model._predict(*model._rows(test))
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
    np.testing.assert_array_equal(one.user_weights, other.user_weights)
    one.fit(old, progress=False)
    np.testing.assert_array_equal(
        one.item_weights, made(name).fit(old, progress=False).item_weights
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
        loaded.update(new, progress=False).item_weights,
        model.update(new, progress=False).item_weights,
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
