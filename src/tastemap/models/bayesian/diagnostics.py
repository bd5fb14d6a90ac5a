"""Convergence of Markov chains: R-hat and effective sample size.

References:
    Vehtari, Gelman, Simpson, Carpenter, Buerkner, "Rank-normalization, folding, and localization:
    an improved R-hat for assessing convergence of MCMC", Bayesian Analysis 16(2), 2021, sections
    3.1 (R-hat of split chains) and 3.2 (effective sample size). Geyer, "Practical Markov chain
    Monte Carlo", Statistical Science 7(4), 1992, section 3.3 (where to end the sum).
"""

import numpy as np
import polars as pl

from tastemap.arrays import F32, F64


def r_hat(chains: F64) -> float:
    """R-hat of draws (m, n) of m chains, each split into halves; near 1 if they agree.

    With W the mean variance within the 2m halves and B / n the variance of their means,
    R-hat = sqrt(((n - 1) / n W + B / n) / W). NaN for fewer than four draws a chain, and for
    constant draws.

    Example:
        >>> r_hat(np.array([[0.0, 1.0, 0.0, 1.0], [9.0, 8.0, 9.0, 8.0]])) > 5
        True
    """
    halves = _halves(chains)
    within, total = _variances(halves)
    return float(np.sqrt(total / within)) if within > 0 else float("nan")


def effective_size(chains: F64) -> float:
    """Effective sample size: the number of independent draws whose mean is as exact.

    For draws (m, n) of m chains, n m / (1 + 2 sum of rho_t), where rho_t = 1 - (W - mean of the
    chains' autocovariances at lag t) / var+ for the halves of the chains. The sum ends before the
    first pair of neighbours whose sum is not positive, and no pair counts more than the one before
    it (Geyer's initial monotone sequence). At most n m log10(n m); NaN as for `r_hat`.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> 1600 < effective_size(rng.normal(size=(2, 1000))) < 2500
        True
    """
    halves = _halves(chains)
    m, n = halves.shape
    within, total = _variances(halves)
    if not within > 0:
        return float("nan")
    centred = halves - halves.mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(centred, 2 * n)) ** 2
    covariance = np.fft.irfft(power)[:, :n].mean(axis=0) / (n - 1)
    rho = 1 - (within - covariance) / total
    rho[0] = 1.0
    pairs = rho[: n // 2 * 2].reshape(-1, 2).sum(axis=1)
    end = int(np.argmax(pairs <= 0)) if (pairs <= 0).any() else len(pairs)
    tau = -1 + 2 * float(np.minimum.accumulate(pairs[:end]).sum())
    return float(m * n / max(tau, 1 / np.log10(m * n)))


def convergence(traces: dict[str, F32]) -> pl.DataFrame:
    """Frame ``quantity, mean, deviation, effective_size, r_hat``: a row for each trace (m, n)."""
    rows = []
    for name, trace in sorted(traces.items()):
        values = trace.astype(np.float64)
        rows.append((name, values.mean(), values.std(), effective_size(values), r_hat(values)))
    columns = ("mean", "deviation", "effective_size", "r_hat")
    schema = {"quantity": pl.String} | dict.fromkeys(columns, pl.Float64)
    return pl.DataFrame(rows, schema=schema, orient="row")


def _halves(chains: F64) -> F64:
    """First and second halves (2 m, n // 2) of m chains; of an odd n the middle is left out."""
    n = chains.shape[1] // 2
    return np.vstack([chains[:, :n], chains[:, chains.shape[1] - n :]]).astype(np.float64)


def _variances(halves: F64) -> tuple[float, float]:
    """W, and var+ = (n - 1) / n W + B / n; zeros for halves of fewer than two draws."""
    n = halves.shape[1]
    if n < 2:
        return 0.0, 0.0
    within = float(halves.var(axis=1, ddof=1).mean())
    between = float(halves.mean(axis=1).var(ddof=1))
    return within, (n - 1) / n * within + between
