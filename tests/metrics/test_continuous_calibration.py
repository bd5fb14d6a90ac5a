"""Calibration on scales without levels: claims worked out by hand, then planted distributions."""

import numpy as np
import pytest

from tastemap.errors import ArgumentError
from tastemap.metrics.continuous_calibration import (
    continuous_calibration,
    continuous_coverage,
    reliability_of_parts,
)


def test_ratings_in_the_middle_of_their_distributions_fill_the_middle_part_by_hand() -> None:
    parts = reliability_of_parts([0.1, 0.4, 0.5, 0.9], [0.1, 0.4, 0.5, 0.9], 4)
    assert parts["share"].to_list() == pytest.approx([0.25, 0.25, 0.25, 0.25], abs=1e-3)
    spread = reliability_of_parts([0.5], [0.9], 2)  # a value with a probability of its own
    assert spread["share"].to_list() == [0.0, 1.0]
    half = reliability_of_parts([0.25], [0.75], 2)
    assert half["observed"].to_list() == [0.5, 1.0]


def test_draws_from_the_distribution_are_covered_as_promised_also_at_clipped_ends() -> None:
    rng = np.random.default_rng(0)
    # Uniform on (-0.3, 1), clipped to (0, 1): 3 of 13 lie at the lower end.
    u = rng.random(20_000)
    at_end, none = 3 / 13, np.zeros(len(u))
    below, up_to = np.where(u < at_end, 0.0, u), np.maximum(u, at_end)
    result = continuous_calibration(below, up_to, (none + at_end, none + 1))
    assert result.coverage["promised"].to_list() == pytest.approx([0.5, 0.9, 0.975])
    assert np.allclose(result.coverage["observed"], result.coverage["promised"], atol=0.01)
    assert np.allclose(result.reliability["share"], 0.1, atol=0.01)
    assert result.error < 0.01
    assert result.log_loss is None
    assert result.metrics == {"test_calibration_error": result.error}


def test_distributions_that_are_too_sure_or_too_low_are_told_apart() -> None:
    u = (np.arange(1000) + 0.5) / 1000
    too_sure = np.where(u < 0.5, 0.5 * (2 * u) ** 4, 1 - 0.5 * (2 - 2 * u) ** 4)
    assert continuous_coverage(too_sure, too_sure)["observed"][1] < 0.6
    shares = continuous_calibration(too_sure, too_sure).reliability["share"]
    assert shares[0] > 0.2 < shares[9]
    assert continuous_calibration(u**0.5, u**0.5).error > 0.1


def test_transforms_that_are_no_probabilities_are_refused() -> None:
    for below, up_to in (([0.5], [0.4]), ([-0.1], [0.5]), ([0.5], [1.1]), ([], []), ([0.5], 0.5)):
        with pytest.raises(ArgumentError, match="below and up_to"):
            reliability_of_parts(below, up_to)
    with pytest.raises(ArgumentError, match="n_parts"):
        reliability_of_parts([0.5], [0.5], 0)
