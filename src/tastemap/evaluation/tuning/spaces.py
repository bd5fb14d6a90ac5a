"""The options of each model that `tastemap.tune` varies, and their ranges."""

from typing import Any, Literal, NamedTuple

from tastemap.errors import ArgumentError


class Span(NamedTuple):
    """The range of one option.

    Attributes:
        kind: ``"int"`` or ``"float"``.
        low, high: The ends, both included; the default lies between them.
        log: Whether the scale of the range is logarithmic.
        default: The default if the model has no attribute with it: an option of the network, or
            one that depends on the size of the data. Otherwise None.
    """

    kind: Literal["int", "float"]
    low: float
    high: float
    log: bool = True
    default: float | None = None


_EMBEDDING = "network_options.embedding_size"
_REG = "network_options.reg"
_TRAINING = {"n_epochs": Span("int", 3, 40), "learning_rate": Span("float", 3e-4, 0.1)}

#: Model to option to range; ``network_options.reg`` is the entry ``reg`` of ``network_options``.
#: On MovieLens 100K and 1M the ends of a span are clearly too low and clearly too high.
SPACES: dict[str, dict[str, Span]] = {
    "bias": {"item_damping": Span("float", 0.1, 100), "user_damping": Span("float", 0.1, 100)},
    "mf": {
        "n_factors": Span("int", 8, 256),
        "n_epochs": Span("int", 8, 80),
        "learning_rate": Span("float", 0.005, 0.1),
        "reg": Span("float", 0.01, 0.3),
    },
    "als": {
        "n_factors": Span("int", 8, 256),
        "n_epochs": Span("int", 5, 40),
        "reg": Span("float", 0.03, 4, default=0.4),
        "reg_exponent": Span("float", 0, 1, log=False),
    },
    "ials": {
        "n_factors": Span("int", 8, 256),
        "n_epochs": Span("int", 5, 40),
        "reg": Span("float", 0.003, 3, default=0.1),
        "reg_exponent": Span("float", 0, 1, log=False),
        "alpha": Span("float", 0.01, 2),
    },
    "ease": {
        "reg": Span("float", 1, 10_000),
        "dropout": Span("float", 0, 0.9, log=False),
        "user_power": Span("float", 0, 1, log=False),
    },
    "item-knn": {
        "n_neighbours": Span("int", 20, 1000),
        "shrinkage": Span("float", 0, 200, log=False),
    },
    "next-item": {
        "window": Span("int", 2, 200),
        "decay": Span("float", 0, 2, log=False),
        "reg": Span("float", 0.01, 5),
        "dropout": Span("float", 0, 0.9, log=False),
        "popularity": Span("float", 0, 0.5, log=False),
        "taste": Span("float", 0.001, 3),
    },
    "two-tower": {
        "n_factors": Span("int", 16, 256),
        "batch_size": Span("int", 256, 8192),
        "temperature": Span("float", 0.05, 1),
        "dropout": Span("float", 0, 0.9, log=False),
        **_TRAINING,
    },
    "sasrec": {
        "n_factors": Span("int", 16, 256),
        "window": Span("int", 10, 200),
        "batch_size": Span("int", 8, 256),
        "dropout": Span("float", 0, 0.6, log=False),
        **_TRAINING,
    },
    "popularity": {},
    "blend": {},
    "knn": {
        "n_neighbours": Span("int", 5, 200),
        "shrinkage": Span("float", 1, 1000),
        "damping": Span("float", 0.01, 5),
    },
    "bayes": {
        "n_factors": Span("int", 4, 80, default=30),
        "n_implicit": Span("int", 0, 200, log=False),
    },
    "dot": {
        _EMBEDDING: Span("int", 8, 128, default=64),
        "batch_size": Span("int", 32, 2048),
        **_TRAINING,
    },
    "biased-dot": {
        _EMBEDDING: Span("int", 4, 64, default=16),
        _REG: Span("float", 1e-5, 2e-3, default=2e-4),
        **_TRAINING,
    },
    "deep": {
        _EMBEDDING: Span("int", 8, 128, default=32),
        _REG: Span("float", 1e-6, 1e-3, default=1e-4),
        "network_options.dropout": Span("float", 0, 0.6, log=False, default=0.2),
        **_TRAINING,
    },
    "ordinal": {
        _EMBEDDING: Span("int", 4, 64, default=16),
        "network_options.factor_std": Span("float", 0.05, 0.8, default=0.22),
        "network_options.sum_std": Span("float", 0.03, 0.6, default=0.14),
        **_TRAINING,
    },
}


def search_space(name: str, fixed: dict[str, Any]) -> dict[str, Span]:
    """The options of a model that may be varied, without the fixed ones.

    Args:
        name: A name from `tastemap.models.registry.MODELS`.
        fixed: Options of the constructor; ``network_options`` fixes all options of the network.

    Raises:
        ArgumentError: If nothing is left to vary.

    Example:
        >>> list(search_space("mf", {"n_epochs": 20, "reg": 0.05}))
        ['n_factors', 'learning_rate']
    """
    space = SPACES.get(name, {})
    left = {option: span for option, span in space.items() if option.partition(".")[0] not in fixed}
    if not left:
        tunable = ", ".join(model for model, options in SPACES.items() if options)
        raise ArgumentError(
            "model",
            expected=f"one with options to vary: {tunable}",
            received=f"{name!r} with {len(fixed)} of its {len(space)} options given",
        )
    return left


def nested(options: dict[str, Any]) -> dict[str, Any]:
    """Options as the constructor takes them: ``a.b`` becomes the entry ``b`` of ``a``.

    Example:
        >>> nested({"n_epochs": 9, "network_options.reg": 0.1, "network_options.dropout": 0.2})
        {'n_epochs': 9, 'network_options': {'reg': 0.1, 'dropout': 0.2}}
    """
    made: dict[str, Any] = {}
    for name, value in options.items():
        outer, _, inner = name.partition(".")
        if inner:
            made.setdefault(outer, {})[inner] = value
        else:
            made[name] = value
    return made
