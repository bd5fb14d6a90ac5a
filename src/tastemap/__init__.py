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
    from tastemap.data.fetch import load_dataset
    from tastemap.data.ratings import Ratings, Scale
    from tastemap.data.readers import read_ratings
    from tastemap.data.splits import (
        forecast_split,
        leave_last_out,
        per_user_split,
        published_fold,
        time_split,
        train_test_split,
    )
    from tastemap.data.vocabulary import Vocabulary
    from tastemap.errors import TastemapError
    from tastemap.models import make_model
    from tastemap.models.base import Recommender
    from tastemap.models.bias import BiasModel
    from tastemap.models.factors import FactorModel
    from tastemap.models.store import load_model

__version__ = version("tastemap")

# The public names and the module each is loaded from when it is first used, so that
# `import tastemap` stays fast and needs none of the optional packages.
_HOMES = {
    "BiasModel": "models.bias",
    "FactorModel": "models.factors",
    "Ratings": "data.ratings",
    "Recommender": "models.base",
    "Scale": "data.ratings",
    "TastemapError": "errors",
    "Vocabulary": "data.vocabulary",
    "forecast_split": "data.splits",
    "leave_last_out": "data.splits",
    "load_dataset": "data.fetch",
    "load_model": "models.store",
    "make_model": "models",
    "per_user_split": "data.splits",
    "published_fold": "data.splits",
    "read_ratings": "data.readers",
    "time_split": "data.splits",
    "train_test_split": "data.splits",
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
