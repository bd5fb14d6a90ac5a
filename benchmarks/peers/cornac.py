"""Cornac: MF for ratings; BPR, EASE and others for lists.

A dataset numbers users and items as they come; its maps lead back. `score` of a saved model needs
the training set, so a model is used where it was fitted.
"""

from typing import Any

import cornac
import numpy as np

from peers.table import Table, best_unseen

PACKAGE = "cornac"
SEEDED = ("MF", "BPR")


def prepare(table: Table) -> Any:
    """Its dataset, made of triples; the table stays beside it."""
    columns = (column.tolist() for column in (table.users, table.items, table.ratings))
    return cornac.data.Dataset.from_uir(list(zip(*columns, strict=True)), seed=0), table


def fit(data: Any, *, seed: int, threads: int, model: str, **options: Any) -> Any:
    """One of its models; a seed makes it use one thread. EASE sees likes, not their ratings."""
    dataset, _ = data
    if model == "EASE":
        users, items, _ = dataset.uir_tuple
        sizes = (dataset.num_users, dataset.num_items)
        ones = (users, items, np.ones(len(users)))
        dataset = cornac.data.Dataset(*sizes, dataset.uid_map, dataset.iid_map, ones, seed=0)
    if model in SEEDED:
        options["seed"] = seed
    return getattr(cornac.models, model)(verbose=False, **options).fit(dataset)


def predict(model: Any, data: Any, pairs: Table) -> Any:
    """From the factors and biases that it publishes, as its own `score` adds them up."""
    dataset, table = data
    user, known_user = rows(dataset.uid_map, pairs.users, table.n_users)
    item, known_item = rows(dataset.iid_map, pairs.items, table.n_items)
    both = known_user & known_item
    dots = np.einsum("nk,nk->n", model.u_factors[user], model.i_factors[item])
    biases = model.u_biases[user] * known_user + model.i_biases[item] * known_item
    return model.global_mean + biases + dots * both


def rows(ids: Any, asked: Any, n: int) -> tuple[Any, Any]:
    """Its number of each row, 0 where it has none, and whether it has one."""
    found = np.full(n, -1)
    found[list(ids)] = list(ids.values())
    return np.maximum(found[asked], 0), found[asked] >= 0


def top(model: Any, data: Any, users: Any, k: int) -> Any:
    """Its scores user by user; items that it has not met come last."""
    dataset, table = data
    items = np.array(list(dataset.iid_map))
    seen, lists = table.ones(), []
    for start in range(0, len(users), 500):
        part = users[start : start + 500]
        scores = np.full((len(part), table.n_items), -np.finfo(np.float32).max)
        for row, user in enumerate(part):
            scores[row, items] = model.score(dataset.uid_map[int(user)])
        lists.append(best_unseen(scores, seen, part, k))
    return np.concatenate(lists)
