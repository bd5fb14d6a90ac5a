"""From a fit on Spark to a fitted model, which is saved like any other."""

from typing import Any

import numpy as np

from tastemap.data.ratings import Ratings
from tastemap.models.als import ALS
from tastemap.models.base.artifact import Artifact
from tastemap.models.base.factors import Factors
from tastemap.spark.als import Fitted
from tastemap.spark.index import Indexed, to_polars


def assemble(model: ALS, data: Indexed, fitted: Fitted, metrics: dict[str, Any], seed: int) -> ALS:
    """A model with the weights of a fit on Spark; all of them pass through the driver.

    Args:
        model: The model, not yet fitted.
        data: The training table, which becomes part of the model.
        fitted: The weights.
        metrics: Test errors to save with the model.
        seed: Seed of the fit.
    """
    rows = to_polars(fitted.users)
    width = fitted.item_weights.shape[1]
    users = np.zeros((len(data.users), width), dtype=np.float32)
    users[rows["user_index"].to_numpy()] = rows["weights"].list.to_array(width).to_numpy()
    ratings, parameters = data.collect(), model.get_params()
    factors = Factors.of(ratings, fitted.global_mean, users, fitted.item_weights, fitted.prior)
    more = {} if model.predicts_ratings else {"confidence": fitted.confidence.to_array()}
    if isinstance(ratings, Ratings) and model.predicts_ratings:
        factors = factors.with_expected_item(ratings)
    return ALS.from_artifact(
        Artifact(
            class_name="ALS",
            parameters=parameters,
            arrays=factors.arrays() | more,
            ratings=ratings,
            seed=seed,
            learnt_by=str(model),
            recipe={"class": "ALS", "parameters": parameters},
            metrics=metrics,
        )
    )
