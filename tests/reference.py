"""Slow twins of the package's routines, a few lines of NumPy each, with the algebra beside them."""

import numpy as np

from tastemap.data.ratings import Ratings


def bias_by_loops(ratings: Ratings, damping: float) -> tuple[float, np.ndarray, np.ndarray]:
    """mu, b_u, b_i: each bias a sum of residuals over (count + damping), items first."""
    mu = float(np.mean(ratings.rating, dtype=np.float64))
    rows = list(zip(ratings.user_index, ratings.item_index, ratings.rating, strict=True))
    b_i = np.zeros(ratings.n_items)
    for i in range(ratings.n_items):
        residuals = [r - mu for _, item, r in rows if item == i]
        if residuals:
            b_i[i] = sum(residuals) / (len(residuals) + damping)
    b_u = np.zeros(ratings.n_users)
    for u in range(ratings.n_users):
        residuals = [r - mu - b_i[item] for user, item, r in rows if user == u]
        if residuals:
            b_u[u] = sum(residuals) / (len(residuals) + damping)
    return mu, b_u, b_i


def ridge_by_gradient(
    X: np.ndarray, y: np.ndarray, mean: np.ndarray, precision: np.ndarray
) -> np.ndarray:
    """argmin_w |y - X w|^2 + (w - m)' P (w - m), by gradient descent with an exact step."""
    w = mean.copy()
    H = X.T @ X + precision  # half the Hessian
    for _ in range(20_000):
        g = H @ w - X.T @ y - precision @ mean
        curvature = g @ H @ g
        if g @ g < 1e-22 or curvature == 0:
            break
        w = w - (g @ g) / curvature * g
    return w


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """a.b / (|a| |b|)."""
    return float(a @ b / (np.sqrt(a @ a) * np.sqrt(b @ b)))
