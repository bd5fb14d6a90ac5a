"""The Gibbs sampler as a sampler: held against the joint distribution that it claims to sample.

References:
    Geweke, "Getting it right: joint distribution tests of posterior simulators", JASA 99(467),
    2004, section 3. Talts, Betancourt, Simpson, Vehtari, Gelman, "Validating Bayesian inference
    algorithms with simulation-based calibration", arXiv:1804.06788, 2018, algorithm 1.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from model_simulator import SHARED, Conditioned, Parameters, design, use_priors
from scipy import stats

from tastemap.kernels.gibbs.few_ratings import draw_few
from tastemap.kernels.gibbs.rows import draw_link, noise_of_ratings
from tastemap.models.bayesian import sampler as bayesian_sampler
from tastemap.models.bayesian.observations import Observations
from tastemap.models.bayesian.sampler import Chain, _inverse_wishart

FACTORS = 1
# A score that none of thirty would reach in a thousand runs, were all well. The errors of the means
# are themselves known to a sixth only.
LARGE = 4.5
# Levels (0: numbers), and whether there are temporal effects.
CASES = {"stars": (3, False), "numbers": (0, False), "temporal": (3, True)}


def functions(
    data: Observations, found: Parameters, z: np.ndarray, level: np.ndarray
) -> dict[str, float]:
    """What the two simulations are compared by: a few numbers of parameters and ratings."""
    told = {
        "z": z.mean(),
        "z²": np.log(np.mean(z**2)),
        "sigma": np.log(found.sigma),
        "z of ratings one and two": np.tanh(z[0] * z[1]),
    }
    for name, side in (("user", found.users), ("item", found.items)):
        told[f"{name} bias²"] = np.log(np.mean(side.W[:, 0] ** 2))
        told[f"{name} factor²"] = np.log(np.mean(side.W[:, 1] ** 2))
        told[f"{name} precision of biases"] = np.log(side.lam[0])
        told[f"{name} precision of factors"] = np.log(side.lam[1])
        told[f"{name} link of biases"] = np.tanh(side.B[1, 0])
        told[f"{name} link²"] = np.log(np.mean(side.B**2))
        told[f"{name} precision of links"] = np.log(side.lam_B).mean()
        told[f"{name} noise"] = np.log(side.s).mean()
        told[f"{name} noise of the first"] = np.log(side.s[0]) ** 2
    if len(found.S):
        told |= {"level": level.mean(), "level²": np.mean(level.astype(float) ** 2)}
        told["spread"] = np.log(np.linalg.det(found.S))
        told["spread of one"] = np.log(found.S[0, 0])
        told["deviation of cutpoint"] = found.delta[0, 0]
        told["deviation of cutpoints²"] = np.mean(found.delta**2)
        delta, f = found.delta[data.user], np.tanh(found.predictor(data))
        told["deviation of cutpoints and predictor"] = np.mean(delta[:, 0] * f)
        spread = delta[:, 1] - delta[:, 0]
        told["their spread and predictor"] = np.mean(spread * f**2)
        told["their spread and noise"] = np.mean(spread * found.users.s[data.user])
    if len(found.typical):
        told["effect²"] = np.log(np.mean(found.h**2))
        told["moods of neighbours"] = np.tanh(np.mean(found.h[:, 0] * found.h[:, 1]))
        told["variance of effects"] = np.log(found.v).mean()
        told["typical variance"] = np.log(found.typical).mean()
    return told


def marginal(case: str, n: int, seed: int) -> np.ndarray:
    """Parameters from the prior, ratings given these; n times (n, functions)."""
    data, rng = design(5, 4, 18, *CASES[case]), np.random.default_rng(seed)
    rows = []
    for _ in range(n):
        found = Parameters.drawn(data, FACTORS, rng)
        rows.append(list(functions(data, found, *found.ratings(data, rng)).values()))
    return np.array(rows)


def successive(case: str, n: int, seed: int) -> np.ndarray:
    """A sweep of the sampler given the ratings, ratings given the parameters; and so on."""
    data, rng = design(5, 4, 18, *CASES[case]), np.random.default_rng(seed)
    chain, found = Conditioned(data, FACTORS, seed), Parameters.drawn(data, FACTORS, rng)
    chain.start_at(found)
    rows = []
    for _ in range(n):
        z, level = found.ratings(data, rng)
        rows.append(list(functions(data, found, z, level).values()))
        chain.observe(z, level, found.predictor(data))
        chain.sweep()
        found = chain.parameters()
    return np.array(rows)


def z_scores(case: str, n: int, seed: int) -> dict[str, float]:
    """Geweke's statistic of each function: difference of means over its standard error.

    The error of the mean of the chain, whose draws depend on each other, is that of means of 20
    batches.
    """
    free, chain = marginal(case, n // 2, seed), successive(case, n, seed)
    batches = chain[: n // 20 * 20].reshape(20, -1, chain.shape[1]).mean(axis=1)
    variance = free.var(axis=0) / len(free) + batches.var(axis=0, ddof=1) / 20
    difference = chain.mean(axis=0) - free.mean(axis=0)
    data, rng = design(5, 4, 18, *CASES[case]), np.random.default_rng(0)
    found = Parameters.drawn(data, FACTORS, rng)
    names = functions(data, found, *found.ratings(data, rng))
    scores = difference / np.sqrt(np.maximum(variance, 1e-20))
    return dict(zip(names, scores.tolist(), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_sampler_and_simulator_agree_on_the_joint_distribution(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_priors(monkeypatch)
    scores = z_scores(case, 6000, seed=1)
    assert {name: score for name, score in scores.items() if abs(score) > LARGE} == {}


def _one_too_few(values: np.ndarray, rng: np.random.Generator, *_: float) -> np.ndarray:
    shape = bayesian_sampler.PRECISION_SHAPE + 0.5 * (len(values) - 1)
    rate = bayesian_sampler.PRECISION_RATE + 0.5 * np.sum(values.astype(float) ** 2, axis=0)
    return (rng.gamma(shape, size=len(rate)) / rate).astype(np.float32)


def _link_of_another_prior(*arguments: Any) -> None:
    *first, lam, key, B, change = arguments
    draw_link(*first, 1.5 * lam, key, B, change)


def _few_of_another_prior(*arguments: Any) -> None:
    *first, lam, key, W, mean = arguments
    draw_few(*first, 1.5 * lam, key, W, mean)


def _one_degree_too_many(degrees: float, *arguments: Any) -> np.ndarray:
    return _inverse_wishart(degrees + 1, *arguments)


def _weight_too_large(*arguments: Any) -> None:
    noise_of_ratings(*arguments)
    arguments[-1][:] *= 1.5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("_precision", _one_too_few),
        ("draw_link", _link_of_another_prior),
        ("draw_few", _few_of_another_prior),
        ("_inverse_wishart", _one_degree_too_many),
        ("noise_of_ratings", _weight_too_large),
    ],
)
def test_the_test_finds_planted_errors(
    name: str, error: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_priors(monkeypatch)
    monkeypatch.setattr(bayesian_sampler, name, error)
    scores = z_scores("stars", 4000, seed=1)
    assert max(abs(score) for score in scores.values()) > LARGE


def quantities(found: Parameters, data: Observations) -> list[float]:
    """What is ranked: no factor by itself, as factors can be turned without a difference."""
    f = found.predictor(data)
    side = found.users
    return [
        f[0],
        side.W[0, 0],
        found.items.W[0, 0],
        side.W[0, -1],
        side.lam[0],
        side.B[0, 0],
        side.s[0],
        found.delta[0, 0] if len(found.S) else found.sigma,
        np.trace(found.S) if len(found.S) else found.items.s[0],
    ]


@pytest.mark.slow
@pytest.mark.parametrize("case", ["stars", "numbers"])
def test_true_values_have_uniform_ranks_among_the_draws(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Parameters from the prior, ratings from these, draws from the posterior: the rank of the true
    # value among 14 draws is any of 15 places alike. Neighbouring draws depend on each other, so
    # only every sixth counts.
    use_priors(monkeypatch)
    n_runs, n_draws, apart, burn_in = 150, 14, 6, 40
    data, rng = design(6, 5, 24, *CASES[case]), np.random.default_rng(2)
    ranks = []
    for run in range(n_runs):
        true = Parameters.drawn(data, FACTORS, rng)
        z, level = true.ratings(data, rng)
        data.level[:], data.value[:] = level, z
        chain = Conditioned(data, FACTORS, seed=run)
        draws = []
        for n in range(burn_in + n_draws * apart):
            chain.sweep()
            if n >= burn_in and n % apart == 0:
                draws.append(quantities(chain.parameters(), data))
        ranks.append(np.sum(np.array(draws) < quantities(true, data), axis=0))
    counts = np.array([np.bincount(rank // 3, minlength=5) for rank in np.array(ranks).T])
    assert len(draws) == n_draws
    # Nine tests of five groups of ranks; by chance one run in a thousand would fail.
    assert stats.chisquare(counts, axis=1).pvalue.min() > 1e-4


@pytest.mark.slow
def test_parameters_of_drawn_ratings_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    use_priors(monkeypatch)
    data, rng = design(80, 60, 4000, *CASES["stars"]), np.random.default_rng(3)
    true = Parameters.drawn(data, FACTORS, rng)
    data.level[:] = true.ratings(data, rng)[1]
    # The sampler as it is used: shared cutpoints are found, too.
    chain, draws = Chain(data, FACTORS, 0, 0), []
    for n in range(1500):
        chain.sweep()
        if n >= 500:
            draws.append(_known_of(chain.z - chain.e, chain.cutpoints.cuts, chain.users.s, data))
    cuts = SHARED[3] + true.delta
    expected = _known_of(true.predictor(data), cuts, true.users.s, data)
    for k, least in enumerate((0.95, 0.65, 0.3)):
        found = np.array([draw[k] for draw in draws])
        mean, deviation = found.mean(axis=0), found.std(axis=0)
        assert np.corrcoef(mean, expected[k])[0, 1] > least
        # As far from the truth as the draws say.
        assert 0.8 < np.sqrt(np.mean(((mean - expected[k]) / deviation) ** 2)) < 1.2


def _known_of(
    f: np.ndarray, cuts: np.ndarray, s: np.ndarray, data: Observations
) -> tuple[np.ndarray, ...]:
    """What the data tells of: f less the first cutpoint, the middle level's width, the noise."""
    return f - cuts[data.user, 0], cuts[:, 1] - cuts[:, 0], s / s.mean()


def test_inverse_wishart_mean() -> None:
    rng = np.random.default_rng(0)
    scale = np.array([[2.0, 0.5], [0.5, 1.0]])
    mean = np.mean([_inverse_wishart(9, scale, rng) for _ in range(4000)], axis=0)
    np.testing.assert_allclose(mean, scale / (9 - 3), atol=0.02)
