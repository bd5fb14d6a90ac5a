"""From a fit on Spark to a model, which is saved as any other."""

from typing import Any

import numpy as np
import polars as pl

from tastemap.models.als import ALS
from tastemap.spark.als import Fitted
from tastemap.spark.index import Indexed, to_polars


def assemble(model: ALS, data: Indexed, fitted: Fitted, metrics: dict[str, Any], seed: int) -> ALS:
    """A model with the weights of a fit on Spark; all of them pass through the driver.

    Args:
        model: Not fitted.
        data: The ratings, which the model keeps.
        fitted: The weights.
        metrics: Test errors to save with the model.
        seed: Of the fit.
    """
    rows = to_polars(fitted.users)
    width = fitted.item_weights.shape[1]
    users = np.zeros((len(data.users), width), dtype=np.float32)
    users[rows["user_index"].to_numpy()] = rows["weights"].list.to_array(width).to_numpy()
    ratings = data.collect()
    model.history_, model.metrics_, model.item_map_ = pl.DataFrame(), metrics, None
    model.seed_, model.ratings_ = seed, ratings
    model.learnt_by_, model.recipe_ = str(model), model._recipe()
    model._learnt(ratings, fitted.global_mean, users, fitted.item_weights, fitted.prior)
    return model
