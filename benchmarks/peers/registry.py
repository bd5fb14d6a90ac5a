"""Who takes part: the models of tastemap and of its peers, their settings, and their tasks.

A peer runs at its own defaults and, where a grid is given, at the best of the grid. The best was
chosen on a split of the training ratings alone (``python benchmarks/leaderboard.py --choose``
prints it) and is fixed here, so that nobody is judged by settings that saw the test part.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

ML_100K = ("u1", "lab", "forecast")
RATINGS = (*ML_100K, "ml-1m")
LISTS = ("lists-100k", "lists-1m")
NEXT = ("next-1m",)
RANKING = (*LISTS, *NEXT)

Options = dict[str, Any]


@dataclass(frozen=True)
class Contender:
    """A model in the tables.

    Attributes:
        name: What the tables call it; a model of tastemap has its name in the registry.
        adapter: Module of `peers`.
        tasks: Names of the tasks it takes part in.
        options: What makes it this model, at its library's defaults.
        beside: The model of tastemap that it is compared with, of the same kind where there is one.
        grid: Values to choose from, by option.
        chosen: The best of the grid, by data set.
        defaults: Whether it runs at its defaults too, where settings are chosen.
        threads: Threads and processor cores that it may use.
        slow: Left out of a quick run.
        sample: How many users are answered where answering all takes minutes; the seconds are
            multiplied up.
    """

    name: str
    adapter: str
    tasks: tuple[str, ...]
    options: Options = field(default_factory=dict)
    beside: str = ""
    grid: dict[str, list[Any]] = field(default_factory=dict)
    chosen: dict[str, Options] = field(default_factory=dict)
    defaults: bool = True
    threads: int = 1
    slow: bool = False
    sample: int | None = None

    @property
    def ours(self) -> bool:
        """Whether it is a model of tastemap."""
        return self.adapter == "ours"

    @property
    def library(self) -> str:
        """The environment it runs in: what brings PyTorch has one of its own, for its pins."""
        return self.adapter if self.adapter in ("lenskit", "rectools") else "peers"

    def settings(self, data: str) -> Iterator[tuple[str, Options]]:
        """Name and options of each of its runs on a data set."""
        if self.defaults or not self.chosen:
            yield "defaults", self.options
        if data in self.chosen:
            yield "chosen", self.options | self.chosen[data]

    def points(self) -> list[Options]:
        """Every point of the grid."""
        return [
            dict(zip(self.grid, values, strict=True)) for values in product(*self.grid.values())
        ]


def _ours(name: str, tasks: tuple[str, ...], model: str = "", **more: Any) -> Contender:
    options = {"model": model or name} | more.pop("options", {})
    return Contender(name, "ours", tasks, options, **more)


_MYFM = {"rank": 10, "n_iter": 300, "burn_in": 10}

CONTENDERS = [
    # ---- ratings ----
    _ours("bias", RATINGS),
    _ours("knn", RATINGS),
    _ours("als", RATINGS),
    _ours("mf", RATINGS),
    _ours("dot", ("lab",), slow=True),
    _ours("ordinal", ("lab",), slow=True),
    _ours("bayes", RATINGS, threads=2, slow=True),
    _ours("bayes, time", ML_100K, "bayes", options={"time": "session"}, threads=2, slow=True),
    Contender("Surprise BaselineOnly", "surprise", RATINGS, {"model": "BaselineOnly"}, "bias"),
    Contender("Surprise KNNBaseline", "surprise", RATINGS, {"model": "KNNBaseline"}, "knn"),
    Contender(
        "Surprise SVD",
        "surprise",
        RATINGS,
        {"model": "SVD"},
        "mf",
        grid={
            "n_factors": [50, 100],
            "n_epochs": [40],
            "init_std_dev": [0.01],
            "lr_all": [0.005, 0.01],
            "reg_all": [0.05, 0.08],
        },
        chosen={
            "ml-100k": {
                "n_factors": 100,
                "n_epochs": 40,
                "init_std_dev": 0.01,
                "lr_all": 0.01,
                "reg_all": 0.08,
            },
            "ml-1m": {
                "n_factors": 100,
                "n_epochs": 40,
                "init_std_dev": 0.01,
                "lr_all": 0.01,
                "reg_all": 0.05,
            },
        },
    ),
    Contender("Surprise SVDpp", "surprise", ML_100K, {"model": "SVDpp"}, "mf", slow=True),
    Contender(
        "Cornac MF",
        "cornac",
        RATINGS,
        {"model": "MF"},
        "mf",
        grid={
            "k": [50, 100],
            "max_iter": [20, 40],
            "learning_rate": [0.01, 0.02],
            "lambda_reg": [0.04, 0.05, 0.08],
        },
        chosen={
            "ml-100k": {"k": 50, "max_iter": 40, "learning_rate": 0.01, "lambda_reg": 0.08},
            "ml-1m": {"k": 50, "max_iter": 40, "learning_rate": 0.01, "lambda_reg": 0.05},
        },
    ),
    Contender(
        "libmf",
        "libmf",
        RATINGS,
        {},
        "mf",
        grid={
            "centred": [True],
            "k": [40],
            "nr_iters": [20, 40],
            "eta": [0.05, 0.1],
            "lambda_p2": [0.05, 0.1],
            "lambda_q2": [0.05, 0.1],
            "lambda_p1": [0.0],
            "lambda_q1": [0.0],
        },
        chosen={
            "ml-100k": {
                "centred": True,
                "k": 40,
                "nr_iters": 20,
                "eta": 0.05,
                "lambda_p2": 0.05,
                "lambda_q2": 0.1,
                "lambda_p1": 0.0,
                "lambda_q1": 0.0,
            },
            "ml-1m": {
                "centred": True,
                "k": 40,
                "nr_iters": 40,
                "eta": 0.05,
                "lambda_p2": 0.05,
                "lambda_q2": 0.1,
                "lambda_p1": 0.0,
                "lambda_q1": 0.0,
            },
        },
    ),
    Contender(
        "cmfrec CMF",
        "cmfrec",
        RATINGS,
        {"model": "CMF"},
        "als",
        grid={"k": [40], "lambda_": [7.0, 10.0, 15.0, 20.0, 30.0]},
        chosen={"ml-100k": {"k": 40, "lambda_": 10.0}, "ml-1m": {"k": 40, "lambda_": 20.0}},
    ),
    Contender(
        "LensKit BiasedMF",
        "lenskit",
        RATINGS,
        {"model": "BiasedMF"},
        "als",
        grid={"embedding_size": [20, 50], "epochs": [10, 20], "regularization": [0.07, 0.1, 0.2]},
        chosen={
            "ml-100k": {"embedding_size": 50, "epochs": 20, "regularization": 0.1},
            "ml-1m": {"embedding_size": 50, "epochs": 20, "regularization": 0.1},
        },
    ),
    Contender("myFM", "myfm", ML_100K, _MYFM | {"day": True}, "bayes", threads=2, slow=True),
    Contender(
        "myFM, no day", "myfm", ("forecast",), _MYFM | {"day": False}, "bayes", threads=2, slow=True
    ),
    # ---- lists ----
    _ours("popularity", RANKING),
    _ours("item-knn", LISTS),
    _ours("ease", LISTS),
    _ours("ials", (*LISTS, "everyone")),
    _ours("blend", LISTS),
    _ours("two-tower", LISTS, slow=True),
    _ours("next-item", ("lists-100k", *NEXT)),
    _ours("sasrec", ("lists-100k", *NEXT), slow=True),
    # A like is what was rated, whatever the stars.
    *(
        _ours(name, NEXT, options={"threshold": 1.0}, slow=name == "two-tower")
        for name in ("item-knn", "ease", "ials", "blend", "two-tower")
    ),
    _ours(
        "blend, two-tower",
        LISTS,
        "blend",
        options={"models": ["ease", "ials", "two-tower"]},
        slow=True,
    ),
    Contender(
        "implicit ALS",
        "implicit",
        RANKING,
        {"model": "ALS"},
        "ials",
        grid={
            "factors": [64],
            "iterations": [15],
            "regularization": [10.0, 30.0, 60.0, 100.0],
            "alpha": [3.0, 10.0, 20.0],
        },
        chosen={
            "ml-100k": {"factors": 64, "iterations": 15, "regularization": 60.0, "alpha": 10.0},
            "ml-1m": {"factors": 64, "iterations": 15, "regularization": 100.0, "alpha": 10.0},
            "ml-1m-order": {"factors": 64, "iterations": 15, "regularization": 30.0, "alpha": 3.0},
        },
    ),
    Contender(
        "implicit BPR",
        "implicit",
        RANKING,
        {"model": "BPR"},
        "ials",
        grid={
            "factors": [64],
            "iterations": [50, 100],
            "learning_rate": [0.02, 0.05],
            "regularization": [0.01, 0.05],
        },
        chosen={
            "ml-100k": {
                "factors": 64,
                "iterations": 50,
                "learning_rate": 0.02,
                "regularization": 0.01,
            },
            "ml-1m": {
                "factors": 64,
                "iterations": 50,
                "learning_rate": 0.02,
                "regularization": 0.01,
            },
        },
    ),
    Contender(
        "implicit TF-IDF",
        "implicit",
        RANKING,
        {"model": "TFIDF"},
        "item-knn",
        grid={"K": [20, 50, 100, 200, 400]},
        chosen={"ml-100k": {"K": 400}, "ml-1m": {"K": 400}, "ml-1m-order": {"K": 20}},
    ),
    Contender(
        "implicit BM25",
        "implicit",
        RANKING,
        {"model": "BM25"},
        "item-knn",
        grid={"K": [50, 200], "K1": [0.3, 1.2, 10.0], "B": [0.2, 0.75]},
        chosen={
            "ml-100k": {"K": 200, "K1": 0.3, "B": 0.75},
            "ml-1m": {"K": 200, "K1": 10.0, "B": 0.2},
            "ml-1m-order": {"K": 50, "K1": 1.2, "B": 0.75},
        },
    ),
    Contender(
        "irspack iALS",
        "irspack",
        RANKING,
        {"model": "IALS"},
        "ials",
        grid={
            "n_components": [64],
            "train_epochs": [16],
            "alpha0": [0.1, 0.3],
            "reg": [0.003, 0.01, 0.02, 0.03],
        },
        chosen={
            "ml-100k": {"n_components": 64, "train_epochs": 16, "alpha0": 0.1, "reg": 0.03},
            "ml-1m": {"n_components": 64, "train_epochs": 16, "alpha0": 0.3, "reg": 0.01},
        },
    ),
    # At the settings that were chosen without genres, and the weight of these.
    Contender(
        "irspack iALS, genres",
        "irspack",
        LISTS,
        {"model": "IALS", "genres": True},
        "ials",
        defaults=False,
        grid={
            "n_components": [64],
            "train_epochs": [16],
            "alpha0": [0.1, 0.3],
            "reg": [0.01, 0.03],
            "lambda_item_feature": [0.01, 0.1, 1.0],
        },
        chosen={
            "ml-100k": {
                "n_components": 64,
                "train_epochs": 16,
                "alpha0": 0.1,
                "reg": 0.03,
                "lambda_item_feature": 1.0,
            },
        },
    ),
    Contender(
        "irspack SLIM",
        "irspack",
        LISTS,
        {"model": "SLIM"},
        "ease",
        grid={"alpha": [0.01, 0.05, 0.1], "l1_ratio": [0.01, 0.1]},
        chosen={
            "ml-100k": {"alpha": 0.1, "l1_ratio": 0.01},
            "ml-1m": {"alpha": 0.05, "l1_ratio": 0.01},
        },
    ),
    Contender(
        "irspack RP3beta",
        "irspack",
        LISTS,
        {"model": "RP3beta"},
        "ease",
        grid={"alpha": [1.0], "beta": [0.2, 0.4, 0.6, 0.8]},
        chosen={"ml-100k": {"alpha": 1.0, "beta": 0.4}, "ml-1m": {"alpha": 1.0, "beta": 0.6}},
    ),
    Contender(
        "irspack DenseSLIM",
        "irspack",
        RANKING,
        {"model": "DenseSLIM"},
        "ease",
        grid={"reg": [100.0, 250.0, 500.0, 1000.0]},
        chosen={"ml-100k": {"reg": 250.0}, "ml-1m": {"reg": 1000.0}},
    ),
    Contender(
        "Cornac EASE",
        "cornac",
        LISTS,
        {"model": "EASE"},
        "ease",
        grid={"posB": [False], "lamb": [100, 250, 500, 1000]},
        chosen={"ml-100k": {"posB": False, "lamb": 250}, "ml-1m": {"posB": False, "lamb": 1000}},
    ),
    Contender(
        "Cornac BPR",
        "cornac",
        LISTS,
        {"model": "BPR"},
        "ials",
        grid={
            "k": [64],
            "max_iter": [50, 100],
            "learning_rate": [0.02, 0.05],
            "lambda_reg": [0.003, 0.01, 0.03],
        },
        chosen={
            "ml-100k": {"k": 64, "max_iter": 100, "learning_rate": 0.05, "lambda_reg": 0.03},
            "ml-1m": {"k": 64, "max_iter": 100, "learning_rate": 0.02, "lambda_reg": 0.01},
        },
    ),
    Contender(
        "LensKit ImplicitMF",
        "lenskit",
        LISTS,
        {"model": "ImplicitMF"},
        "ials",
        grid={
            "embedding_size": [64],
            "epochs": [10],
            "weight": [3.0, 10.0],
            "regularization": [3.0, 10.0, 30.0, 60.0],
            "user_embeddings": ["prefer"],
        },
        chosen={
            "ml-100k": {
                "embedding_size": 64,
                "epochs": 10,
                "user_embeddings": "prefer",
                "weight": 3.0,
                "regularization": 30.0,
            },
            "ml-1m": {
                "embedding_size": 64,
                "epochs": 10,
                "user_embeddings": "prefer",
                "weight": 10.0,
                "regularization": 30.0,
            },
        },
    ),
    Contender(
        "LensKit ItemKNN",
        "lenskit",
        RANKING,
        {"model": "ItemKNN", "feedback": "implicit"},
        "item-knn",
        grid={"max_nbrs": [20, 50, 200], "save_nbrs": [50, 200, 1000]},
        chosen={"ml-100k": {"max_nbrs": 200, "save_nbrs": 1000}},
    ),
    Contender(
        "LensKit EASE",
        "lenskit",
        LISTS,
        {"model": "EASE"},
        "ease",
        grid={"regularization": [100.0, 250.0, 500.0, 1000.0]},
        chosen={"ml-100k": {"regularization": 250.0}, "ml-1m": {"regularization": 1000.0}},
    ),
    Contender(
        "cmfrec CMF_implicit",
        "cmfrec",
        LISTS,
        {"model": "CMF_implicit"},
        "ials",
        grid={"k": [64], "lambda_": [5.0, 20.0, 40.0], "alpha": [1.0, 3.0, 10.0]},
        chosen={
            "ml-100k": {"k": 64, "lambda_": 20.0, "alpha": 3.0},
            "ml-1m": {"k": 64, "lambda_": 20.0, "alpha": 1.0},
        },
    ),
    # Sizes as in ours; the network looks at as many latest items, in as many passes.
    Contender(
        "RecTools SASRec",
        "rectools",
        ("lists-100k", *NEXT),
        {},
        "sasrec",
        grid={
            "n_factors": [64],
            "n_heads": [1],
            "session_max_len": [50],
            "epochs": [20],
            "batch_size": [32, 128],
            "lr": [0.001, 0.003],
        },
        slow=True,
    ),
    # ---- ten items for everyone: the seconds of answering count, so fits are short ----
    Contender("NumPy alone", "plain", ("everyone",), {"n_factors": 64}, "ials"),
    Contender(
        "implicit ALS, 64 factors",
        "implicit",
        ("everyone",),
        {"model": "ALS", "factors": 64, "iterations": 3},
        "ials",
    ),
    Contender(
        "irspack iALS, 64 factors",
        "irspack",
        ("everyone",),
        {"model": "IALS", "n_components": 64, "train_epochs": 3},
        "ials",
    ),
    Contender("Cornac MF, 64 factors", "cornac", ("everyone",), {"model": "MF", "k": 64}, "ials"),
    Contender(
        "LensKit ImplicitMF, 64 factors",
        "lenskit",
        ("everyone",),
        {
            "model": "ImplicitMF",
            "embedding_size": 64,
            "epochs": 2,
            "user_embeddings": "prefer",
        },
        "ials",
    ),
    Contender(
        "Surprise SVD, 64 factors",
        "surprise",
        ("everyone",),
        {"model": "SVD", "n_factors": 64, "n_epochs": 2},
        "ials",
        sample=60,
    ),
]
