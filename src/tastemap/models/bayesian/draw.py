"""One draw of the posterior of `BayesianFactorization`: what predictions need of it."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from tastemap.arrays import F32, F64, FloatArray, IndexArray, Mask
from tastemap.data.chunks import chunks

# Attributes of a draw in half precision, which changes a latent value by less than a thousandth of
# its spread.
HALF_PRECISION = (
    *("user_means", "cuts", "user_scales", "items", "item_scales"),
    *("effects", "effect_variances"),
)


@dataclass(frozen=True)
class Draw:
    """The part of one draw of the posterior that predictions need; U users, I items.

    The arrays named in `HALF_PRECISION` are float16, the others float32.

    Attributes:
        user_means: (U + 1, D), m_a, means of the users' rows given all else; last the average user.
        cuts: (U + 1, C - 1), cutpoints.
        user_scales: (U + 1,), noise scales s_a; last that of a new user with ratings.
        items: (I + 1, D), rows (d_j, q_j, x_j); last the average item.
        item_scales: (I + 1,), noise scales s_j. Those of items without ratings, and of the average
            item, hold what such an item may be else.
        average_scale: Noise scale of the average user and of users without ratings, likewise.
        user_precision: (D,), prior precision of a user's row.
        user_link: (n_implicit, D), the part of B that belongs to the implicit scores.
        user_prior: (D,), the mean row of a user without implicit scores.
        spread: (C - 1, C - 1), S.
        effects: (c, M), the temporal effects at the nodes of the users' times.
        effect_variances: (c, U + 1), their variances; last the typical one.
    """

    user_means: F32
    cuts: F32
    user_scales: F32
    items: F32
    item_scales: F32
    average_scale: F32
    user_precision: F32
    user_link: F32
    user_prior: F32
    spread: F32
    effects: F32
    effect_variances: F32

    def of_rows(self, users: IndexArray, items: IndexArray) -> "Draw":
        """The draw of other tables: rows of its users and items in their order, -1 the average.

        The effects stay as they are: they belong to times, and not to users.
        """
        users, items = np.append(users, -1), np.append(items, -1)
        values = {name: getattr(self, name)[users] for name in ("user_means", "user_scales")}
        values |= {name: getattr(self, name)[items] for name in ("items", "item_scales")}
        if len(self.effect_variances):
            values["effect_variances"] = self.effect_variances[:, users]
        if self.cuts.shape[1]:
            values["cuts"] = self.cuts[users]
        return replace(self, **values)


def halved(draw: Draw) -> Draw:
    """The draw with the arrays named in `HALF_PRECISION` in half precision."""
    limit = float(np.finfo(np.float16).max)
    values = {name: getattr(draw, name) for name in HALF_PRECISION}
    halves = {n: np.clip(v, -limit, limit).astype(np.float16) for n, v in values.items()}
    return replace(draw, **halves)


class WithoutRatings(NamedTuple):
    """The rows of one side if they had no ratings: the average, but for side information.

    Attributes:
        rows: float64 (n + 1, D); last that without side information.
        scale: Noise scale relative to that of others, with what such a row may be else.
    """

    rows: F64
    scale: F32

    @classmethod
    def of(
        cls,
        average: FloatArray,
        side: FloatArray,
        others: F32,
        pairs: "Pairs",
        unit: float,
        present: float = 0.0,
    ) -> "WithoutRatings":
        """From the average row (D,), side information (n, D) and the rows (m, D) of the others.

        People rate what they like. So the average row predicts too little for the pairs that were
        rated: it is moved to where it predicts them best (least squares, and a unit ridge that
        keeps it where there are few pairs). What it leaves open is noise.

        Args:
            average, side: The average row, and what side information adds to it.
            others: The rows of the other side, that of the popularity too.
            pairs: Some of the pairs that were rated.
            unit: Mean square of the noise scale of the others.
            present: The part of the variance that predictions have from elsewhere.
        """
        rows = np.vstack([average + side, average])
        lack = pairs.f - predictor(rows, others.astype(np.float64), pairs.row, pairs.other)
        X = others[pairs.other].astype(np.float64)
        X[:, 0] = 1.0
        step = np.linalg.solve(X.T @ X + np.eye(X.shape[1]), X.T @ lack)
        rows += step
        lack -= X @ step
        scale = np.sqrt(1.0 + max(float(lack.var()) - present, 0.0) / unit)
        return cls(rows, np.asarray(scale, np.float32))

    def moved(self, by: FloatArray) -> "WithoutRatings":
        """The same, each row moved (n, D) by what was seen says of it.

        That has no part in the least squares: they are of rows of which nothing is known.
        """
        return self._replace(rows=self.rows + np.vstack([by, np.zeros_like(by[:1])]))

    def fill(self, rows: F32, rated: Mask) -> F32:
        """Rows (n + 1, D): those given where there are ratings, elsewhere and last these."""
        values = self.rows.astype(np.float32)
        values[:-1][rated] = rows[rated]
        return values

    def scales(self, s: F32, rated: Mask) -> F32:
        """Noise scales (n + 1,), likewise."""
        return np.append(np.where(rated, s, self.scale), self.scale).astype(np.float32)


class Pairs(NamedTuple):
    """Pairs that were rated: rows of one side and of the other, and the predictor f, (n,) each."""

    row: IndexArray
    other: IndexArray
    f: F32


def predictor(users: Any, items: Any, user: IndexArray, item: IndexArray) -> Any:
    """b_a + d_j + p_a . q_j of pairs (n,), for rows (b_a, p_a) and (d_j, q_j)."""
    f = np.empty(len(user), dtype=users.dtype)
    for part in chunks(len(user)):
        w, x = users[user[part]], items[item[part]]
        f[part] = w[:, 0] + x[:, 0] + np.einsum("nk,nk->n", w[:, 1:], x[:, 1:])
    return f
