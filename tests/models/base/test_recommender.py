"""The smallest model there is, as somebody who brings a new one would write it."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError, NotFittedError, UnsupportedError
from tastemap.models.base.recommender import Recommender


class RowNumbers(Recommender):
    """The score of an item is its row number, for everybody; it learns nothing."""

    def __init__(self, limit: float = 5.0) -> None:
        self.limit = limit

    def _fit(self, ratings, validation, seed, progress) -> None:
        if seed == 13:
            raise ArgumentError("seed", received=13)
        self.n_items = ratings.n_items

    def _predict(self, user_index, item_index):
        return item_index.astype(float)

    def _score(self, user):
        return np.arange(self.n_items, dtype=float)

    def _user(self, user_index):
        return None

    def _arrays(self):
        return {"n_items": np.array([self.n_items])}

    def _restore(self, arrays) -> None:
        self.n_items = int(arrays.pop("n_items")[0])


@pytest.fixture
def data() -> Ratings:
    """Ann has seen the items a and f, Bob has seen f."""
    rows = {
        "user_id": ["Ann", "Ann", "Bob", "Bob", "Cy", "Cy", "Cy"],
        "item_id": ["a", "f", "f", "b", "c", "d", "e"],
        "rating": [1.0, 5.0, 4.0, 2.0, 3.0, 3.0, 3.0],
    }
    return Ratings.from_frame(pl.DataFrame(rows))


@pytest.fixture
def model(data: Ratings) -> RowNumbers:
    return RowNumbers().fit(data)


def test_five_hooks_are_enough_to_recommend(model: RowNumbers) -> None:
    frame = model.recommend("Ann", k=3)
    assert frame["item_id"].to_list() == ["e", "d", "c"]
    assert frame["score"].to_list() == [4.0, 3.0, 2.0]
    assert model.recommend("Ann", k=1, exclude_seen=False)["item_id"].to_list() == ["f"]
    assert model.recommend("Ann", exclude=["e"], candidates=["e", "b"])["item_id"].item() == "b"
    assert len(model.recommend("Ann")) == 4


def test_predictions_are_kept_inside_the_scale_unless_raw_ones_are_wanted(
    model: RowNumbers,
) -> None:
    assert model.predict("Ann", ["a", "c", "f"]).tolist() == [1.0, 2.0, 5.0]
    assert model.predict("Ann", "a", clip=False).tolist() == [0.0]


def test_users_are_ranked_for_an_item(model: RowNumbers) -> None:
    assert model.interested_users("f", k=1)["user_id"].to_list() == ["Cy"]


def test_what_it_cannot_do_is_refused(model: RowNumbers) -> None:
    for ask, message in (
        (lambda: model.fold_in({"a": 5}), "RowNumbers cannot describe a new person"),
        (lambda: model.predict_distribution("Ann", "a"), "cannot give a distribution"),
        (lambda: model.explain("Ann", item_id="a"), "cannot explain a prediction"),
        (lambda: model.similar_items("a"), "cannot compare items"),
        (lambda: model.similar_users("Ann"), "cannot compare users"),
    ):
        with pytest.raises(UnsupportedError, match=message):
            ask()


def test_a_fit_that_fails_leaves_no_model(model: RowNumbers, data: Ratings) -> None:
    with pytest.raises(ArgumentError, match="seed"):
        model.fit(data, seed=13)
    with pytest.raises(NotFittedError):
        model.recommend("Ann")


def test_a_model_is_made_from_its_artifact(model: RowNumbers) -> None:
    artifact = model.to_artifact()
    assert artifact.class_name == "RowNumbers"
    assert artifact.parameters == {"limit": 5.0}
    again = RowNumbers.from_artifact(artifact)
    assert again.recommend("Bob").equals(model.recommend("Bob"))
    assert artifact.digest() == again.to_artifact().digest() != artifact.digest("more")
