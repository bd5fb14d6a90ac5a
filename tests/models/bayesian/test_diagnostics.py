"""Convergence of chains whose correlation is known."""

import numpy as np
import pytest

from tastemap.models.bayesian.diagnostics import convergence, effective_size, r_hat


def autoregressive(rho: float, m: int = 4, n: int = 4000, seed: int = 0) -> np.ndarray:
    """Chains x_t = rho x_t-1 + noise, from their stationary distribution."""
    rng = np.random.default_rng(seed)
    x = np.empty((m, n))
    x[:, 0] = rng.normal(size=m) / np.sqrt(1 - rho**2)
    for t in range(1, n):
        x[:, t] = rho * x[:, t - 1] + rng.normal(size=m)
    return x


@pytest.mark.parametrize("rho", [-0.5, 0.0, 0.5, 0.9])
def test_effective_size_of_autoregressive_chains(rho: float) -> None:
    chains = autoregressive(rho)
    expected = chains.size * (1 - rho) / (1 + rho)
    assert effective_size(chains) == pytest.approx(expected, rel=0.15)
    assert r_hat(chains) == pytest.approx(1.0, abs=0.02)


def test_chains_at_different_places_and_chains_that_drift_are_noticed() -> None:
    chains = autoregressive(0.0)
    apart = chains + np.array([[0.0], [0.0], [0.0], [3.0]])
    assert r_hat(apart) > 1.3
    assert effective_size(apart) < 0.05 * effective_size(chains)
    assert r_hat(chains + np.linspace(0, 5, chains.shape[1])) > 1.3


def test_r_hat_by_hand() -> None:
    # Halves (0, 2), (4, 6): W = 2, means 1 and 5, B / n = 8, var+ = 1 + 8.
    assert r_hat(np.array([[0.0, 2.0, 4.0, 6.0]])) == pytest.approx(np.sqrt(9 / 2))


def test_nothing_to_go_by_is_not_a_number() -> None:
    for chains in (np.zeros((2, 10)), np.ones((1, 1)), np.array([[1.0, 2.0, 3.0]])):
        assert np.isnan(r_hat(chains))
        assert np.isnan(effective_size(chains))


def test_the_table_has_a_row_for_each_trace() -> None:
    traces = {name: autoregressive(0.3).astype(np.float32) for name in ("loss", "noise")}
    table = convergence(traces)
    assert table["quantity"].to_list() == ["loss", "noise"]
    assert table["effective_size"][0] == effective_size(traces["loss"].astype(float))
