"""Slow twins of the kernels of the Gibbs sampler, a few lines of NumPy each."""

from math import erf, sqrt

import numpy as np


def phi(x):
    """The standard normal distribution function."""
    return np.vectorize(lambda t: 0.5 * (1 + erf(t / sqrt(2))), otypes=[float])(x)


def design(rows):
    """x_j = (1, q_j) for rows (b_j, q_j)."""
    X = rows.astype(np.float64)
    X[:, 0] = 1
    return X


def row_statistics(row, other, rows, e, w, n):
    """r_a = sum of w x e and G_a = sum of w x x', each rating at a time."""
    X = design(rows)
    D = X.shape[1]
    r, G = np.zeros((n, D)), np.zeros((n, D, D))
    for a, j, residual, weight in zip(row, other, e, w, strict=True):
        r[a] += weight * residual * X[j]
        G[a] += weight * np.outer(X[j], X[j])
    return r, G


def level_probabilities(f, s, cuts):
    """P(level c) = Phi((cuts[c] - f) / s) - Phi((cuts[c - 1] - f) / s), (n, C)."""
    below = phi((cuts[None, :] - f[:, None]) / s[:, None])
    return np.diff(np.pad(below, ((0, 0), (1, 1)), constant_values=((0, 0), (0, 1))), axis=1)


def row_moments(r, G, prior, lam, W):
    """Mean and covariance of one row given all else."""
    A = np.diag(lam) + G
    return np.linalg.solve(A, r + G @ W + lam * prior), np.linalg.inv(A)


def link_moments(r, G, phi_f, lam, b, k):
    """Mean and variance of the step of one coefficient b = B[f, k], rows moving with it."""
    precision = lam + np.sum(phi_f**2 * G[:, k, k])
    return (np.sum(phi_f * r[:, k]) - lam * b) / precision, 1 / precision


def predictive(mean, rated, targets, items, item_scales, s, lam, cuts, effects):
    """f_j = d_j + m . x_j + effect, P(level); variance (s s_j)^2 + x_j' A^-1 x_j + effect's."""
    X = design(items)
    A = np.diag(lam) + (X[rated].T / (s * item_scales[rated]) ** 2) @ X[rated]
    f = items[targets, 0] + X[targets] @ mean + effects[:, 0]
    variance = (
        effects[:, 1]
        + (s * item_scales[targets]) ** 2
        + np.einsum("jk,kl,jl->j", X[targets], np.linalg.inv(A), X[targets])
    )
    return f, np.cumsum(level_probabilities(f, np.sqrt(variance), cuts), axis=1)[:, :-1]


def effect_moments(times, total, weight, tau, v):
    """Mean and covariance of N(0, K) times the likelihoods N(total / weight, 1 / weight)."""
    K = v * np.exp(-np.abs(times[:, None] - times) / tau)
    covariance = np.linalg.inv(np.linalg.inv(K) + np.diag(weight))
    return covariance @ total, covariance


def effect_at(times, h, t, tau, v):
    """Mean and variance at t given h at the times: Gaussian conditioning on all of them."""
    K = v * np.exp(-np.abs(times[:, None] - times) / tau)
    k = v * np.exp(-np.abs(times - t) / tau)
    weights = np.linalg.solve(K, k)
    return weights @ h, v - weights @ k
