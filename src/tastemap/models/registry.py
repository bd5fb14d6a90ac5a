"""Models by their short names, and saved models; a class is imported when it is first used."""

from pathlib import Path
from typing import Any

from tastemap.errors import ArgumentError, ArtifactError
from tastemap.models.base.artifact import Artifact, model_class
from tastemap.models.base.manifest import damaged
from tastemap.models.base.recommender import Recommender
from tastemap.support.boundary import refusing

#: The models by their names on the command line: class, and options of its constructor.
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "bias": ("BiasModel", {}),
    "mf": ("MatrixFactorization", {}),
    "als": ("ALS", {"feedback": "explicit"}),
    "ease": ("EASE", {}),
    "next-item": ("NextItem", {}),
    "popularity": ("Popularity", {}),
    "knn": ("ItemKNN", {}),
    "item-knn": ("ImplicitKNN", {}),
    "ials": ("ALS", {"feedback": "implicit"}),
    "two-tower": ("TwoTower", {}),
    "sasrec": ("SASRec", {}),
    "blend": ("Blend", {}),
    "bayes": ("BayesianFactorization", {}),
    # The lab's model: ten epochs of batches of 64, absolute error.
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


def load_model(path: str | Path, *, mapped: bool = False) -> Any:
    """Load a saved model; its class is the one that was saved.

    Args:
        path: The directory.
        mapped: Map files of arrays of 64 MB and more into memory, read-only, instead of reading
            them: processes that load the same artifact share one copy. The loaded model does not
            change if another model is later saved to the same path. Other programs must not write
            into the files while they are mapped: replace the folder, or save with `tastemap`.

    Returns:
        A `Recommender`.

    Raises:
        ArtifactError: If there is no artifact, it is of a newer format, or its parts do not fit.
    """
    return restored(Artifact.read(path, mapped=mapped), path)


def restored(artifact: Artifact, path: str | Path) -> Any:
    """The `Recommender` of an artifact that was read from a path.

    Raises:
        ArtifactError: If its parameters and arrays do not fit its class.
    """
    cls = model_class(artifact.class_name)
    expected = "parameters and arrays that its class can use"
    with refusing(lambda reason: damaged(path, expected, reason), ArtifactError, ImportError):
        return cls.from_artifact(artifact)
