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
    from tastemap.data.datasets.fetch import load_dataset as load_dataset
    from tastemap.data.datasets.synthetic import synthetic_ratings as synthetic_ratings
    from tastemap.data.interactions import Interactions as Interactions
    from tastemap.data.prepared_splits import split_prepared as split_prepared
    from tastemap.data.ratings import Ratings as Ratings
    from tastemap.data.readers.interactions import read_interactions as read_interactions
    from tastemap.data.readers.prepare import prepare_ratings as prepare_ratings
    from tastemap.data.readers.read import read_ratings as read_ratings
    from tastemap.data.scale import Scale as Scale
    from tastemap.data.sittings import sittings as sittings
    from tastemap.data.splits import forecast_split as forecast_split
    from tastemap.data.splits import leave_last_out as leave_last_out
    from tastemap.data.splits import per_user_split as per_user_split
    from tastemap.data.splits import published_fold as published_fold
    from tastemap.data.splits import time_split as time_split
    from tastemap.data.splits import train_test_split as train_test_split
    from tastemap.data.vocabulary import Vocabulary as Vocabulary
    from tastemap.errors import TastemapError as TastemapError
    from tastemap.evaluation.by_gap import evaluate_by_gap as evaluate_by_gap
    from tastemap.evaluation.compare import compare as compare
    from tastemap.evaluation.evaluate import evaluate as evaluate
    from tastemap.evaluation.evaluate import evaluate_ranking as evaluate_ranking
    from tastemap.evaluation.tuning.tune import tune as tune
    from tastemap.metrics.rating import mae as mae
    from tastemap.metrics.rating import mse as mse
    from tastemap.metrics.rating import rmse as rmse
    from tastemap.models.als import ALS as ALS
    from tastemap.models.base.factors import FactorModel as FactorModel
    from tastemap.models.base.recommender import Recommender as Recommender
    from tastemap.models.batch.recommend import recommend_all as recommend_all
    from tastemap.models.batch.similar import similar_all as similar_all
    from tastemap.models.batch.write import write_recommendations as write_recommendations
    from tastemap.models.bayesian.model import BayesianFactorization as BayesianFactorization
    from tastemap.models.bias import BiasModel as BiasModel
    from tastemap.models.blend import Blend as Blend
    from tastemap.models.ease import EASE as EASE
    from tastemap.models.implicit_knn import ImplicitKNN as ImplicitKNN
    from tastemap.models.knn import ItemKNN as ItemKNN
    from tastemap.models.matrix_factorization import MatrixFactorization as MatrixFactorization
    from tastemap.models.neural import DeepRegressionModel as DeepRegressionModel
    from tastemap.models.neural import NeuralRecommender as NeuralRecommender
    from tastemap.models.neural import RegressionModel as RegressionModel
    from tastemap.models.next_item import NextItem as NextItem
    from tastemap.models.popularity import Popularity as Popularity
    from tastemap.models.registry import load_model as load_model
    from tastemap.models.registry import make_model as make_model
    from tastemap.models.sasrec import SASRec as SASRec
    from tastemap.models.two_tower import TwoTower as TwoTower
    from tastemap.support.deadline import deadline as deadline

__version__ = version("tastemap")

# The public names of each module. A module is imported when one of its names is first used:
# `import tastemap` stays fast and needs no optional package.
_HOMES = {
    "data.datasets.fetch": "load_dataset",
    "data.datasets.synthetic": "synthetic_ratings",
    "data.interactions": "Interactions",
    "data.prepared_splits": "split_prepared",
    "data.ratings": "Ratings",
    "data.readers.interactions": "read_interactions",
    "data.readers.prepare": "prepare_ratings",
    "data.readers.read": "read_ratings",
    "data.scale": "Scale",
    "data.sittings": "sittings",
    "data.splits": "forecast_split leave_last_out per_user_split published_fold"
    " time_split train_test_split",
    "data.vocabulary": "Vocabulary",
    "errors": "TastemapError",
    "evaluation.compare": "compare",
    "evaluation.by_gap": "evaluate_by_gap",
    "evaluation.evaluate": "evaluate evaluate_ranking",
    "evaluation.tuning.tune": "tune",
    "metrics.rating": "mae mse rmse",
    "models.als": "ALS",
    "models.base.factors": "FactorModel",
    "models.base.recommender": "Recommender",
    "models.batch.recommend": "recommend_all",
    "models.batch.similar": "similar_all",
    "models.batch.write": "write_recommendations",
    "models.bayesian.model": "BayesianFactorization",
    "models.bias": "BiasModel",
    "models.blend": "Blend",
    "models.ease": "EASE",
    "models.implicit_knn": "ImplicitKNN",
    "models.knn": "ItemKNN",
    "models.matrix_factorization": "MatrixFactorization",
    "models.neural": "DeepRegressionModel NeuralRecommender RegressionModel",
    "models.next_item": "NextItem",
    "models.popularity": "Popularity",
    "models.registry": "load_model make_model",
    "models.sasrec": "SASRec",
    "models.two_tower": "TwoTower",
    "support.deadline": "deadline",
}

_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605 - the names of the table above


def __getattr__(name: str) -> Any:
    """Load a public name from its module."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'tastemap' has no attribute {name!r}")
    value = getattr(import_module(f"tastemap.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
