"""The models by name, and saved models from their folders; classes are loaded when first used."""

from importlib import import_module
from pathlib import Path
from typing import Any

from tastemap.errors import ArgumentError, ArtifactError
from tastemap.models.base.artifact import Artifact, damaged
from tastemap.models.base.recommender import Recommender

#: Where each class that an artifact may name lives.
CLASSES = {
    "ALS": "tastemap.models.als",
    "BayesianFactorization": "tastemap.models.bayesian.model",
    "BiasModel": "tastemap.models.bias",
    "Blend": "tastemap.models.blend",
    "EASE": "tastemap.models.ease",
    "FactorModel": "tastemap.models.base.factors",
    "ItemKNN": "tastemap.models.knn",
    "MatrixFactorization": "tastemap.models.matrix_factorization",
    "NeuralRecommender": "tastemap.models.neural.recommender",
    "Popularity": "tastemap.models.popularity",
    "TwoTower": "tastemap.models.two_tower",
}


#: The models by the name they go by in the command line: class, and the options that make them.
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "bias": ("BiasModel", {}),
    "mf": ("MatrixFactorization", {}),
    "als": ("ALS", {"feedback": "explicit"}),
    "ease": ("EASE", {}),
    "popularity": ("Popularity", {}),
    "knn": ("ItemKNN", {}),
    "ials": ("ALS", {"feedback": "implicit"}),
    "two-tower": ("TwoTower", {}),
    "blend": ("Blend", {}),
    "bayes": ("BayesianFactorization", {}),
    # The lab's own: ten epochs of batches of 64, absolute error.
    "dot": ("NeuralRecommender", {"network": "dot"}),
    # Learning rates and penalties of the others were chosen on validation parts of the lab's
    # training ratings.
    "biased-dot": (
        "NeuralRecommender",
        {"network": "biased-dot", "loss": "mse", "learning_rate": 0.02, "n_epochs": 20}
        | {"batch_size": 1024, "cosine_decay": True},
    ),
    "deep": (
        "NeuralRecommender",
        {"network": "deep", "network_options": {"reg": 1e-4}, "learning_rate": 0.005}
        | {"n_epochs": 10, "batch_size": 1024, "cosine_decay": True},
    ),
    "ordinal": (
        "NeuralRecommender",
        {"network": "ordinal", "learning_rate": 0.05, "n_epochs": 15}
        | {"batch_size": 4096, "cosine_decay": True},
    ),
}


def make_model(name: str, **options: Any) -> Recommender:
    """A new model by its short name, with constructor options of its class.

    Example:
        >>> make_model("bias", item_damping=10).item_damping
        10
    """
    if name not in MODELS:
        raise ArgumentError("model", expected=f"one of {', '.join(MODELS)}", received=repr(name))
    class_name, defaults = MODELS[name]
    try:
        return model_class(class_name)(**(defaults | options))
    except TypeError as error:
        raise ArgumentError(
            f"options of model {name}", received=f"{options}", do=str(error)
        ) from error


def model_class(name: str) -> type[Recommender]:
    """The class that an artifact names."""
    if name not in CLASSES:
        raise ArtifactError(
            "class of the artifact", expected=f"one of {', '.join(CLASSES)}", received=repr(name)
        )
    found: type[Recommender] = getattr(import_module(CLASSES[name]), name)
    return found


def load_model(path: str | Path, *, mapped: bool = False) -> Any:
    """Load a saved model; its class is the one that was saved.

    Args:
        path: The directory.
        mapped: Leave the arrays in the file, read-only, and map it into memory: processes that load
            the same artifact then share one copy of them. A model that is saved to the same path
            later is another file, and leaves this one as it is.

    Returns:
        A `Recommender`.

    Raises:
        ArtifactError: If there is no artifact, it is of a newer format, or its parts do not fit.
    """
    artifact = Artifact.read(path, mapped=mapped)
    cls = model_class(artifact.class_name)
    try:
        return cls.from_artifact(artifact)
    except (ArgumentError, KeyError, ValueError, IndexError, TypeError) as error:
        expected = "parameters and arrays that its class can use"
        raise damaged(path, expected, repr(error)) from error
