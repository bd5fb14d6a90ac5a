"""Confidence of likes: known values, no units, and what is no confidence."""

import numpy as np
import pytest

from tastemap.models.base.confidence import FORMS, Confidence

PLAYS = np.array([1.0, 2.0, 2.0, 14.0])


def test_a_median_weight_by_hand() -> None:
    # Unit 2: the ratios are 0.5, 1, 1, 7, of mean 2.375, and the logarithms of 1 + ratio these.
    np.testing.assert_allclose(Confidence.of("linear", PLAYS)(PLAYS), PLAYS / 2 / 2.375, rtol=1e-6)
    grown = np.log([1.5, 2, 2, 8])
    logarithmic = Confidence.of("logarithmic", PLAYS)
    np.testing.assert_allclose(logarithmic(PLAYS), grown / grown.mean(), rtol=1e-6)
    assert Confidence.of("equal", PLAYS)(PLAYS).tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("form", FORMS)
def test_the_mean_is_one_in_any_unit_and_an_artifact_holds_it(form: str) -> None:
    confidence = Confidence.of(form, PLAYS)
    assert confidence(PLAYS).mean() == pytest.approx(1)
    in_hundreds = Confidence.of(form, PLAYS / 100)(PLAYS / 100)
    np.testing.assert_allclose(in_hundreds, confidence(PLAYS), rtol=1e-5)
    assert Confidence.from_array(confidence.to_array()) == confidence


def test_weights_below_zero_have_no_logarithm() -> None:
    assert Confidence.of("linear", np.array([-1.0, 2.0])).form == "equal"
    assert Confidence.of("linear", PLAYS)(np.array([-3.0])).tolist() == [0]


@pytest.mark.parametrize("numbers", [[3, 1, 1], [0.5, 1, 1], [1, 0, 1], [1, 1, np.nan]])
def test_numbers_that_are_no_confidence(numbers: list[float]) -> None:
    with pytest.raises(ValueError, match="a confidence of"):
        Confidence.from_array(np.array(numbers))
