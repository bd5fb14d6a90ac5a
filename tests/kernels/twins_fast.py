"""Slow twins of the kernels of the fast models, a few lines of NumPy each."""

import numpy as np


def sgd_epoch(u, i, r, b_u, b_i, p, q, eta, reg, bias_reg):
    """One step a rating, by the book; in place. Returns the sum of squared errors on arrival."""
    total = 0.0
    for a, c, value in zip(u, i, r, strict=True):
        e = value - b_u[a] - b_i[c] - p[a] @ q[c]
        total += e**2
        b_u[a] += eta * (e - bias_reg * b_u[a])
        b_i[c] += eta * (e - bias_reg * b_i[c])
        p[a], q[c] = (
            p[a] + eta * (e * q[c] - reg * p[a]),
            q[c] + eta * (e * p[a] - reg * q[c]),
        )
    return total


def sgd_loss(r, b_u, b_i, p, q, reg, bias_reg):
    """Half the objective at one rating, whose negative gradient is a step over eta."""
    e = r - b_u - b_i - p @ q
    return 0.5 * (e**2 + reg * (p @ p + q @ q) + bias_reg * (b_u**2 + b_i**2))


def solve_rows(indptr, indices, target, confidence, fixed, gram, ridge, first_ridge):
    """Each row by forming A = G + L + Y'CY and b = Y'Ct, and solving A w = b."""
    f = fixed.shape[1]
    rows = np.zeros((len(ridge), f))
    for u in range(len(ridge)):
        Y = fixed[indices[indptr[u] : indptr[u + 1]]].astype(np.float64)
        t = target[indptr[u] : indptr[u + 1]]
        C = np.diag(confidence[indptr[u] : indptr[u + 1]] if len(confidence) else np.ones(len(t)))
        L = np.diag([first_ridge[u], *[ridge[u]] * (f - 1)])
        A = (gram if len(gram) else np.zeros((f, f))) + L + Y.T @ C @ Y
        rows[u] = np.linalg.solve(A, Y.T @ C @ t)
    return rows


def pair_similarities(rated, residual, shrinkage):
    """Shrunk correlations of the columns over their common rows, pair by pair."""
    n = rated.shape[1]
    similarity = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            common = rated[:, i] & rated[:, j]
            a, b = residual[common, i].astype(float), residual[common, j].astype(float)
            if i != j and (lengths := (a @ a) * (b @ b)) > 0:
                shrunk = common.sum() / (common.sum() + shrinkage)
                similarity[i, j] = shrunk * (a @ b) / np.sqrt(lengths)
    return similarity


def weighted_neighbours(asked, rated, residual, similarity, k, damping):
    """Sum of s e / (sum of s + damping) over the k largest s above 0, by sorting."""
    moves = np.zeros(len(asked))
    for a, i in enumerate(asked):
        s = similarity[i, rated].clip(min=0)
        nearest = np.argsort(-s, kind="stable")[:k]
        if i >= 0 and s[nearest].sum() > 0:
            moves[a] = s[nearest] @ residual[nearest] / (s[nearest].sum() + damping)
    return moves


def residual_sums(index, other, rating, mean, bias, n):
    """Sums of r - mean - b by row, and the sum of all their squares, rating by rating."""
    totals, squares = np.zeros(n), 0.0
    for row, opposite, r in zip(index, other, rating, strict=True):
        rest = float(r) - mean - bias[opposite]
        totals[row] += rest
        squares += rest * rest
    return totals, squares


def rerank(scores, similarity, shares, p, strength, groups, most, weights, k):
    """One list by the book: of all that fit, the item of the largest whole objective, k times.

    shares (m, G) of the items, p and strength (G,), groups (m, H) whether an item has a group,
    weights a, b and the smoothing. Places without an item count as filled by p.
    """
    a, b, smoothing = weights
    z = (scores - scores[0]) / (scores.std() or 1.0)
    picks = []
    for _ in range(min(k, len(scores))):
        gains = {}
        for j in range(len(scores)):
            picked = [*picks, j]
            if j in picks or (groups[picked].sum(axis=0) > most).any():
                continue
            q = (shares[picked].sum(axis=0) + (k - len(picked)) * p) / k
            q = (1 - smoothing) * q + smoothing * p
            divergence = (
                strength * p * np.log(np.where(p > 0, p, 1) / np.where(p > 0, q, 1))
            ).sum()
            nearest = max((similarity[i, j] for i in picks), default=0.0)
            gains[j] = a * z[j] - b * nearest - divergence
        if not gains:
            break
        picks.append(max(gains, key=gains.get))
    return sorted(picks)
