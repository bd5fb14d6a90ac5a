"""Turn a table of ratings into a recommender people can trust, look into and serve.

import tastemap as tm

ratings = tm.load_dataset("ml-100k")
train, test = tm.train_test_split(ratings, test_size=0.2, seed=0)
model = tm.BiasModel().fit(train)
tm.evaluate(model, test)
model.recommend(5, k=10)
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tastemap.data.fetch import load_dataset as load_dataset
    from tastemap.data.prepared import prepare_ratings as prepare_ratings
    from tastemap.data.prepared_splits import split_prepared as split_prepared
    from tastemap.data.ratings import Ratings as Ratings
    from tastemap.data.ratings import Scale as Scale
    from tastemap.data.readers import read_ratings as read_ratings
    from tastemap.data.splits import forecast_split as forecast_split
    from tastemap.data.splits import leave_last_out as leave_last_out
    from tastemap.data.splits import per_user_split as per_user_split
    from tastemap.data.splits import published_fold as published_fold
    from tastemap.data.splits import time_split as time_split
    from tastemap.data.splits import train_test_split as train_test_split
    from tastemap.data.vocabulary import Vocabulary as Vocabulary
    from tastemap.errors import TastemapError as TastemapError
    from tastemap.evaluation.compare import compare as compare
    from tastemap.evaluation.metrics import mae as mae
    from tastemap.evaluation.metrics import mse as mse
    from tastemap.evaluation.metrics import rmse as rmse
    from tastemap.evaluation.ranking import evaluate_ranking as evaluate_ranking
    from tastemap.evaluation.rating import evaluate as evaluate
    from tastemap.evaluation.tune import tune as tune
    from tastemap.models import make_model as make_model
    from tastemap.models.als import ALS as ALS
    from tastemap.models.base import Recommender as Recommender
    from tastemap.models.bayesian import BayesianFactorization as BayesianFactorization
    from tastemap.models.bias import BiasModel as BiasModel
    from tastemap.models.blend import Blend as Blend
    from tastemap.models.ease import EASE as EASE
    from tastemap.models.everyone import recommend_all as recommend_all
    from tastemap.models.factorization import MatrixFactorization as MatrixFactorization
    from tastemap.models.factors import FactorModel as FactorModel
    from tastemap.models.knn import ItemKNN as ItemKNN
    from tastemap.models.lists import write_recommendations as write_recommendations
    from tastemap.models.neighbours import similar_all as similar_all
    from tastemap.models.neural import DeepRegressionModel as DeepRegressionModel
    from tastemap.models.neural import NeuralRecommender as NeuralRecommender
    from tastemap.models.neural import RegressionModel as RegressionModel
    from tastemap.models.popularity import Popularity as Popularity
    from tastemap.models.store import load_model as load_model
    from tastemap.models.two_tower import TwoTower as TwoTower

__version__ = version("tastemap")

# The public names and the module each is loaded from when it is first used, so that
# `import tastemap` stays fast and needs none of the optional packages.
_HOMES = {
    "ALS": "models.als",
    "BayesianFactorization": "models.bayesian",
    "BiasModel": "models.bias",
    "Blend": "models.blend",
    "DeepRegressionModel": "models.neural",
    "EASE": "models.ease",
    "FactorModel": "models.factors",
    "ItemKNN": "models.knn",
    "MatrixFactorization": "models.factorization",
    "NeuralRecommender": "models.neural",
    "Popularity": "models.popularity",
    "Ratings": "data.ratings",
    "Recommender": "models.base",
    "RegressionModel": "models.neural",
    "Scale": "data.ratings",
    "TastemapError": "errors",
    "TwoTower": "models.two_tower",
    "Vocabulary": "data.vocabulary",
    "compare": "evaluation.compare",
    "evaluate": "evaluation.rating",
    "evaluate_ranking": "evaluation.ranking",
    "forecast_split": "data.splits",
    "leave_last_out": "data.splits",
    "load_dataset": "data.fetch",
    "load_model": "models.store",
    "mae": "evaluation.metrics",
    "make_model": "models",
    "mse": "evaluation.metrics",
    "per_user_split": "data.splits",
    "prepare_ratings": "data.prepared",
    "published_fold": "data.splits",
    "read_ratings": "data.readers",
    "recommend_all": "models.everyone",
    "rmse": "evaluation.metrics",
    "similar_all": "models.neighbours",
    "split_prepared": "data.prepared_splits",
    "time_split": "data.splits",
    "train_test_split": "data.splits",
    "tune": "evaluation.tune",
    "write_recommendations": "models.lists",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - the names of the table above


def __getattr__(name: str) -> Any:
    """Load a public name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module 'tastemap' has no attribute {name!r}")
    value = getattr(import_module(f"tastemap.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
