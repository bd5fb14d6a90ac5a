"""Models that an earlier version saved still load, and answer as they did.

The artifacts are of twelve users and ten films; `expected.json` holds what the version that wrote
them answered. They are never written anew: what they hold is what people have on their disks. Only
these are of a later version: the intervals of levels, which are the shortest ones now; what
`ordinal` says of ids that it does not know, which is what the bias model says; explanations of
`bayes`, whose parts are what each rating changes; what `bayes` says to a new person, who is
described in closed form and no longer by sampling; and the similarities of films by models of
factors, which are shrunk by how many ratings there are.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import tastemap as tm

ARTIFACTS = Path(__file__).parent / "artifacts"
PERSON = {10: 5.0, "Brazil (1985)": 1.0, 60: 4.0}
USERS, FILMS = [1, 1, 4, 12], [10, 50, 80, 100]
# Two known ids, an unknown user, an unknown film, and both.
TABLE = pl.DataFrame(
    {"user_id": [2, 99, 3, 99], "item_id": [30, 30, 999, 999], "rating": [1.0, 5.0, 3.0, 4.0]}
    | {"timestamp": [1_000_004_000, 1_000_005_000, 1_000_008_000, 1_000_009_000]}
)
NEW = pl.DataFrame(
    {"user_id": [1, 50], "item_id": [20, 500], "rating": [5.0, 1.0]}
    | {"timestamp": [1_100_000_000, 1_100_000_060]}
)

QUESTIONS: dict[str, Callable[[Any], Any]] = {
    "name": str,
    "class": lambda model: type(model).__name__,
    "seed": lambda model: model.seed_,
    "metrics": lambda model: model.metrics_,
    "fingerprint": lambda model: model.ratings_.fingerprint(),
    "history": lambda model: model.history_.rows(),  # what the columns are called may change
    "map": lambda model: model.item_map_,
    "predictions": lambda model: model.predict(USERS, FILMS),
    "medians": lambda model: model.predict(USERS, FILMS, point="median"),
    "predictions of a table": lambda model: model.predict_ratings(tm.Ratings.from_frame(TABLE)),
    "distributions": lambda model: model.predict_distribution(USERS, FILMS),
    "distributions of a table": lambda model: model.ratings_distribution(
        tm.Ratings.from_frame(TABLE)
    ),
    "intervals": lambda model: model.predict_interval(USERS, FILMS),
    "recommendations": lambda model: model.recommend(4, k=3),
    "recommendations of unknown films": lambda model: model.recommend(4, k=3, novelty=0.5),
    "recommendations with a condition": lambda model: model.recommend(
        4, k=2, where="genres contains 'Horror'", exclude_seen=False
    ),
    "recommendations for a new person": lambda model: model.recommend(ratings=PERSON, k=3),
    "recommendations for all": lambda model: tm.recommend_all(model, 1, exclude_seen=False),
    "explanation": lambda model: model.explain(4, item_id=80),
    "explanation for a new person": lambda model: model.explain(ratings=PERSON, item_id=80),
    "similar films": lambda model: model.similar_items(10, 3),
    "dissimilar films": lambda model: model.dissimilar_items(10, 3),
    "similar users": lambda model: model.similar_users(4, 3),
    "neighbours of all": lambda model: tm.similar_all(model, 1).frame,
    "interested users": lambda model: model.interested_users(80, 3),
}


def answer(model: Any, asked: str) -> Any:
    """An answer as JSON can hold it; of one that is refused, the error's class."""
    try:
        found = QUESTIONS[asked](model)
    except tm.TastemapError as error:
        return type(error).__name__
    except AttributeError:  # a model without such a question
        return "UnsupportedError"
    found = found.to_dict(as_series=False) if isinstance(found, pl.DataFrame) else found
    return json.loads(json.dumps(found, default=np.ndarray.tolist))


def assert_same(found: Any, expected: Any, where: str) -> None:
    """Numbers are those of another machine, and of another table of the normal distribution."""
    assert type(found) is type(expected), where
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), where
        for key, value in expected.items():
            assert_same(found[key], value, f"{where}, {key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for n, value in enumerate(expected):
            assert_same(found[n], value, f"{where}, {n}")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=3e-6, abs=3e-6), where
    else:
        assert found == expected, where


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    return json.loads((ARTIFACTS / "expected.json").read_text(encoding="utf-8"))


NAMES = sorted(path.name for path in ARTIFACTS.glob("*") if path.is_dir())


@pytest.mark.parametrize("mapped", [False, True], ids=["read", "mapped"])
@pytest.mark.parametrize("name", NAMES)
def test_a_model_saved_before_answers_as_it_did(
    name: str, mapped: bool, expected: dict[str, Any]
) -> None:
    model = tm.load_model(ARTIFACTS / name, mapped=mapped)
    for asked, told in expected[name].items():
        assert_same(answer(model, asked), told, asked)


def test_each_artifact_has_its_answers(expected: dict[str, Any]) -> None:
    assert sorted(expected) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_model_saved_before_is_saved_again(
    name: str, expected: dict[str, Any], tmp_path: Path
) -> None:
    saved = tm.load_model(ARTIFACTS / name).save(tmp_path / "again")
    model = tm.load_model(saved)
    for asked in ("name", "class", "fingerprint", "recommendations", "similar films"):
        assert_same(answer(model, asked), expected[name][asked], asked)


@pytest.mark.parametrize(
    "name", ["als", "bias", "blend", "blend-of-knn", "dot", "ease-2019", "knn", "mf"]
)
def test_a_model_saved_before_learns_on(name: str, expected: dict[str, Any]) -> None:
    model = tm.load_model(ARTIFACTS / name)
    model.update(tm.Ratings.from_frame(NEW), progress=False)
    assert str(model) == expected[name]["name"]
    assert len(model.ratings_) == 60 + len(NEW)
    assert 500 in model.ratings_.items
