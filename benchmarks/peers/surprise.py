"""Surprise: rating prediction with the classics of the Netflix prize.

Its lists are made as its documentation does: every unseen pair is predicted, one by one.
"""

from typing import Any

import numpy as np
import surprise

from peers.table import Table, best_unseen

PACKAGE = "scikit-surprise"
ITEM_BASED = {"sim_options": {"name": "pearson_baseline", "user_based": False}}


def prepare(table: Table) -> Any:
    """A trainset; ids are the rows. The table stays beside it for what has been seen."""
    import pandas as pd

    frame = pd.DataFrame({"user": table.users, "item": table.items, "rating": table.ratings})
    reader = surprise.Reader(rating_scale=tuple(table.side["scale"][:2].tolist()))
    data = surprise.Dataset.load_from_df(frame, reader)
    return data.build_full_trainset(), table


def fit(data: Any, *, seed: int, threads: int, model: str, **options: Any) -> Any:
    """One of its algorithms, without talk."""
    if model.startswith("KNN"):
        options = ITEM_BASED | {"verbose": False} | options
    elif model == "BaselineOnly":
        options = {"verbose": False} | options
    else:
        options["random_state"] = seed
    return getattr(surprise, model)(**options).fit(data[0])


def predict(model: Any, data: Any, pairs: Table) -> Any:
    """Its predictions, of which each is an object."""
    ids = zip(pairs.users.tolist(), pairs.items.tolist(), strict=True)
    return np.array([model.predict(user, item).est for user, item in ids])


def top(model: Any, data: Any, users: Any, k: int) -> Any:
    """All pairs predicted; the seen ones do not take part."""
    table = data[1]
    items = range(table.n_items)
    scores = [[model.predict(int(user), item).est for item in items] for user in users]
    return best_unseen(scores, table.ones(), users, k)
