"""myFM: Bayesian factorisation machines by Gibbs sampling, here with an ordered probit.

The features are those of its paper's best rows: user and item, the items that a user has rated and
the users who have rated an item (each 1 / sqrt(n)), what is known about both, and the day.
"""

from typing import Any

import myfm
import numpy as np
from scipy.sparse import csr_matrix, hstack, identity

from peers.table import Table

PACKAGE = "myfm"
DAY = 86_400


def prepare(table: Table) -> Any:
    """Blocks of features of users and of items, with the sizes of their groups."""
    ones = table.ones()
    user = [identity(table.n_users), by_root(ones)]
    told = [name for name in ("age", "gender", "occupation", "zip_code") if name in table.side]
    user += [one_hot(table.side[name]) for name in told]
    item = [identity(table.n_items), by_root(ones.T.tocsr())]
    if "year" in table.side:
        item += [one_hot(table.side["year"]), by_root(csr_matrix(table.side["genres"]))]
    return table, user, item


def by_root(matrix: Any) -> Any:
    """Rows divided by the square root of their number of entries."""
    counts = np.maximum(np.diff(matrix.indptr), 1)
    return csr_matrix(matrix.multiply(1 / np.sqrt(counts)[:, None]))


def one_hot(values: Any) -> Any:
    """A column for each value, (n, values)."""
    _, column = np.unique(values, return_inverse=True)
    return csr_matrix((np.ones(len(column)), (np.arange(len(column)), column)))


def days(data: Any, times: Any) -> Any:
    """A column for each day with a rating in training; none for other days."""
    known = np.unique(data[0].times // DAY)
    day = times // DAY
    column = np.minimum(np.searchsorted(known, day), len(known) - 1)
    there = known[column] == day
    return csr_matrix(
        (np.ones(there.sum()), (np.flatnonzero(there), column[there])),
        shape=(len(times), len(known)),
    )


def fit(
    data: Any,
    *,
    seed: int,
    threads: int,
    rank: int,
    n_iter: int,
    burn_in: int,
    day: bool,
    ids: bool = False,
) -> Any:
    """The sampler; it has one thread. With ``ids``, of ids alone, and for a scale of any kind."""
    if ids:
        data = (data[0], *(parts[:1] for parts in data[1:]))
    table, user, item = data
    features = days(data, table.times) if day else csr_matrix((len(table), 0))
    sizes = ([features.shape[1]] if day else []) + [part.shape[1] for part in user + item]
    kind = myfm.MyFMRegressor if ids else myfm.MyFMOrderedProbit
    model = kind(rank=rank, random_seed=seed)
    # The probit would look at its callback's text every five iterations; the regressor has none.
    quiet = {} if ids else {"callback_default_freq": n_iter}
    model.fit(
        features,
        table.ratings.astype(np.float64) if ids else table.ratings.astype(np.int64) - 1,
        X_rel=blocks(data, table),
        n_iter=n_iter,
        n_kept_samples=n_iter - burn_in,
        group_shapes=sizes,
        callback=lambda *_: (False, None),
        **quiet,
    )
    return model, day, ids, threads


def blocks(data: Any, pairs: Table) -> Any:
    """Features of users and items, joined to the pairs by row."""
    both = zip((pairs.users, pairs.items), data[1:], strict=True)
    found = []
    for rows, parts in both:
        used, place = np.unique(rows, return_inverse=True)
        found.append(myfm.RelationBlock(place, hstack(parts, format="csr")[used]))
    return found


def predict(model: Any, data: Any, pairs: Table) -> Any:
    """Probabilities of the five levels, averaged over the draws it keeps."""
    machine, day, ids, threads = model
    if ids:
        data = (data[0], *(parts[:1] for parts in data[1:]))
    features = days(data, pairs.times) if day else csr_matrix((len(pairs), 0))
    joined = blocks(data, pairs)
    if ids:
        return machine.predict(features, joined, n_workers=threads)
    return machine.predict_proba(features, joined, n_workers=threads)
