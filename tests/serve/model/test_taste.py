"""What somebody likes beyond what everybody likes."""

import numpy as np
import pytest

from tastemap.serve.model.taste import taste_beyond

RNG = np.random.default_rng(3)


def test_leniency_and_agreement_with_everybody_are_no_taste() -> None:
    everybody, extra = RNG.normal(size=50), RNG.normal(size=50)
    mine = taste_beyond(everybody, everybody + 0.3 * extra)
    kinder = taste_beyond(everybody, 2 + 1.7 * everybody + 0.6 * extra)
    np.testing.assert_allclose(mine.direction, kinder.direction, atol=1e-12)
    assert mine.direction @ everybody == pytest.approx(0, abs=1e-12)
    assert mine.direction.sum() == pytest.approx(0, abs=1e-12)
    assert np.linalg.norm(mine.direction) == pytest.approx(1)


def test_nobody_differs_where_nothing_does() -> None:
    for scores in (np.ones(5), np.arange(5.0)):
        assert not taste_beyond(np.arange(5.0), scores).direction.any()
    assert np.isfinite(taste_beyond(np.ones(5), np.arange(5.0)).direction).all()
