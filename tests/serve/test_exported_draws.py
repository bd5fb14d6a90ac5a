"""The draws of a Bayesian model in an exported site: few bytes, and what they mean."""

import base64
from typing import Any

import numpy as np
import pytest

from tastemap.data.ratings import Ratings
from tastemap.errors import UnsupportedError
from tastemap.models.base.posterior_draws import PosteriorModel
from tastemap.models.registry import make_model
from tastemap.serve import exported_draws
from tastemap.serve.exported_draws import coded, draws_data, stepped


def numbers(text: str, dtype: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype=dtype)


def unstepped(data: dict[str, str], dtype: str) -> np.ndarray:
    step = numbers(data["step"], "<f4")
    return numbers(data["numbers"], dtype).reshape(-1, len(step)) * step


def decoded(data: dict[str, Any], shape: tuple[int, ...]) -> np.ndarray:
    """As static/posterior.js has it."""
    bits = data["bits"]
    shifts = bits * np.arange(8 // bits)
    codes = (numbers(data["codes"], "u1")[:, None] >> shifts) & (2**bits - 1)
    codes = codes.ravel()[: np.prod(shape)].reshape(shape)
    mean, spread = unstepped(data["mean"], "<i2"), unstepped(data["spread"], "u1")
    return mean + spread * (codes - (2**bits - 1) / 2)


@pytest.mark.parametrize(("bits", "largest"), [(2, 0.4), (4, 0.13), (8, 0.03)])
def test_coded_numbers_keep_their_mean_and_spread(bits: int, largest: float) -> None:
    values = np.random.default_rng(0).normal(2.0, 0.3, (50, 7, 3))
    values[:, 2, 1] = 1.5  # the same in every draw
    again = decoded(coded(values, bits), values.shape)
    np.testing.assert_allclose(again.mean(axis=0), values.mean(axis=0), atol=3e-3)
    np.testing.assert_allclose(again.std(axis=0), values.std(axis=0), atol=3e-3)
    assert np.sqrt(np.mean((again - values) ** 2)) < largest * 0.3


def test_an_odd_number_of_codes_is_filled_up() -> None:
    values = np.arange(9.0).reshape(3, 1, 3)
    np.testing.assert_allclose(decoded(coded(values, 8), values.shape), values, atol=0.05)


def test_columns_of_zeros_have_a_step() -> None:
    data = stepped(np.array([[0.0, 2.0], [0.0, -4.0]]), np.int8)
    np.testing.assert_allclose(unstepped(data, "i1"), [[0, 2], [0, -4]], atol=0.02)


@pytest.fixture(scope="module")
def model(ratings: Ratings) -> PosteriorModel:
    model = make_model("bayes", n_factors=2, n_iterations=10, n_draws=6)
    return model.fit(ratings, progress=False)


def test_a_large_catalogue_has_fewer_draws_or_is_refused(
    model: PosteriorModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert draws_data(model)["n"] == 6
    n_numbers = model.ratings_.n_items * 4
    monkeypatch.setattr(exported_draws, "MIN_DRAWS", 2)
    monkeypatch.setattr(exported_draws, "MAX_NUMBERS", 3 * n_numbers)
    assert draws_data(model)["n"] == 3
    monkeypatch.setattr(exported_draws, "MAX_NUMBERS", 1)
    assert draws_data(model)["n"] == 2
    monkeypatch.setattr(exported_draws, "MAX_NUMBERS_LARGE", n_numbers)
    with pytest.raises(UnsupportedError, match="a page can be sent 2 draws of 160"):
        draws_data(model)


def test_nobody_s_prediction_is_the_average_user_s(model: PosteriorModel) -> None:
    rows = np.arange(model.ratings_.n_items, dtype=np.int32)
    expected = model.predict_rows(np.full(len(rows), -1, dtype=np.int32), rows)
    np.testing.assert_allclose(numbers(draws_data(model)["averages"], "<f4"), expected, atol=1e-5)


def test_a_model_without_implicit_scores_is_exported(ratings: Ratings) -> None:
    model = make_model("bayes", n_factors=2, n_iterations=6, n_draws=4, n_implicit=0)
    data = draws_data(model.fit(ratings, progress=False))
    assert (data["n_scores"], data["axes"]["numbers"], data["link"]["codes"]) == (0, "", "")
