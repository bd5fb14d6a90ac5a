"""The Keras models of the lab and their `Recommender`: the only folder that imports Keras.

backend.py      the choice of the backend
networks.py     the models, each a keras.Model of [user ids, item ids]; so is ordinal.py
training.py     the training loop
baseline.py     the bias model, where a network has nothing to add to it
recommender.py  NeuralRecommender: a Recommender of any such model
"""

from tastemap.models.neural.backend import choose_backend

choose_backend()

from tastemap.models.neural.networks import (  # noqa: E402 - the backend is chosen first
    BiasedRegressionModel,
    DeepRegressionModel,
    RegressionModel,
)
from tastemap.models.neural.ordinal import OrdinalRegressionModel  # noqa: E402
from tastemap.models.neural.recommender import NeuralRecommender  # noqa: E402

__all__ = [
    "BiasedRegressionModel",
    "DeepRegressionModel",
    "NeuralRecommender",
    "OrdinalRegressionModel",
    "RegressionModel",
]
