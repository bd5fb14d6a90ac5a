"""irspack: implicit ALS, also with the facts of items, SLIM and graph models, compiled."""

from typing import Any

import irspack.recommenders
import numpy as np

from peers.table import Table, best_unseen

PACKAGE = "irspack"
THREADED = ("IALS", "SLIM", "RP3beta", "P3alpha")


def prepare(table: Table) -> Any:
    """Compressed rows of ones, and the genres of items, or nothing."""
    return table.ones(), table.side.get("genres")


def fit(
    data: Any, *, seed: int, threads: int, model: str, genres: bool = False, **options: Any
) -> Any:
    """A model by its name without ``Recommender``; with ``genres`` the prior of items is theirs."""
    seen, facts = data
    if genres:
        options["item_features"] = np.asarray(facts, dtype=np.float32)
    if model in THREADED:
        options["n_threads"] = threads
    if model == "IALS":
        options["random_seed"] = seed
    return getattr(irspack.recommenders, f"{model}Recommender")(seen, **options).learn()


def top(model: Any, data: Any, users: Any, k: int) -> Any:
    """From its scores, block by block."""
    blocks = (users[start : start + 1000] for start in range(0, len(users), 1000))
    seen = data[0]
    return np.concatenate([best_unseen(model.get_score(block), seen, block, k) for block in blocks])
