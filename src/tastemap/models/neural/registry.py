"""The networks by name, each with embeddings for the users and items of some ratings."""

from collections.abc import Callable
from typing import Any

from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError
from tastemap.models.neural.networks import (
    BiasedRegressionModel,
    DeepRegressionModel,
    PairModel,
    RegressionModel,
)
from tastemap.models.neural.ordinal import OrdinalRegressionModel


def _sizes(ratings: Ratings) -> dict[str, Any]:
    return {"max_user_id": ratings.n_users - 1, "max_item_id": ratings.n_items - 1}


def _centred(ratings: Ratings) -> dict[str, Any]:
    return _sizes(ratings) | {"global_mean": ratings.global_mean}


# Class, length of the embeddings, and the arguments that come from the ratings.
NETWORKS: dict[str, tuple[type[PairModel], int, Callable[[Ratings], dict[str, Any]]]] = {
    "dot": (RegressionModel, 64, _sizes),
    "biased-dot": (BiasedRegressionModel, 16, _centred),
    "deep": (DeepRegressionModel, 32, _centred),
    "ordinal": (OrdinalRegressionModel, 16, lambda ratings: {"ratings": ratings}),
}


def named_network(name: str, ratings: Ratings, options: dict[str, Any]) -> PairModel:
    """A new network by its name, with options of its constructor.

    Raises:
        ArgumentError: If the name or an option is unknown.
    """
    if name not in NETWORKS:
        raise ArgumentError(
            "network", expected=f"one of {', '.join(NETWORKS)}", received=repr(name)
        )
    network, size, of_ratings = NETWORKS[name]
    try:
        return network(**{"embedding_size": size} | of_ratings(ratings) | options)
    except TypeError as error:
        raise ArgumentError(
            "network_options",
            expected=f"options of {network.__name__}",
            received=options,
            do=str(error),
        ) from error
