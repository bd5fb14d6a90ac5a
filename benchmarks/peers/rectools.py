"""RecTools: SASRec in PyTorch, for the next item."""

from typing import Any

import numpy as np
import pandas as pd
from lightning_fabric import seed_everything
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel

from peers.table import Table, best_unseen

PACKAGE = "rectools"


def prepare(table: Table) -> Any:
    """Its dataset, interactions with their order as times; and the table as a matrix of ones."""
    order = table.times if table.positions is None else table.positions
    columns = {Columns.User: table.users, Columns.Item: table.items, Columns.Weight: 1.0}
    times = pd.to_datetime(order, unit="s")
    return Dataset.construct(pd.DataFrame(columns | {Columns.Datetime: times})), table.ones()


def fit(data: Any, *, seed: int, threads: int, **options: Any) -> Any:
    """A trained network, on as many threads as PyTorch's variables say."""
    seed_everything(seed)
    return SASRecModel(verbose=0, **options).fit(data[0])


def top(model: Any, data: Any, users: Any, k: int) -> Any:
    """Its own batch of lists; popularity for users of one item, whom it has no lists for."""
    frame = model.recommend(
        users=users, dataset=data[0], k=k, filter_viewed=True, on_unsupported_targets="ignore"
    )
    frame = frame.sort_values([Columns.User, Columns.Rank])
    answered = frame[Columns.User].to_numpy()[::k]
    popular = np.tile(np.asarray(data[1].sum(axis=0)), (len(users), 1))
    lists = best_unseen(popular, data[1], users, k)
    lists[np.searchsorted(users, answered)] = frame[Columns.Item].to_numpy().reshape(-1, k)
    return lists
