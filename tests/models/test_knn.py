"""Item neighbourhoods: by hand, explanations, better than the baseline."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split
from tastemap.errors import ArgumentError
from tastemap.metrics.rating import rmse
from tastemap.models.bias import BiasModel
from tastemap.models.knn import ItemKNN
from tastemap.models.registry import make_model


def test_a_prediction_is_the_equation(ratings: Ratings) -> None:
    model = ItemKNN(n_neighbours=3, damping=0.2).fit(ratings, progress=False)
    baseline = BiasModel().fit(ratings)
    own = ratings.rated_items(5)
    j = ratings.items.index(own["item_id"])
    item = 39
    s = model.item_similarity[item, j]
    nearest = [n for n in np.argsort(-s)[:3] if s[n] > 0]
    e = own["rating"].to_numpy() - baseline.predict(5, own["item_id"], clip=False)
    move = s[nearest] @ e[nearest] / (s[nearest].sum() + 0.2)
    expected = baseline.predict(5, item + 1, clip=False)[0] + move
    assert model.predict(5, item + 1, clip=False)[0] == pytest.approx(expected, abs=1e-5)


def test_beats_the_biases_where_tastes_differ(split: Split) -> None:
    errors = [
        rmse(split.test.rating, m.fit(split.train, progress=False).predict_ratings(split.test))
        for m in (ItemKNN(), make_model("bias"))
    ]
    assert errors[0] < errors[1]


def test_neighbours_are_of_the_same_kind(ratings: Ratings) -> None:
    model = ItemKNN().fit(ratings, progress=False)
    titles = model.similar_items(1, k=5)["title"]
    assert all(title.startswith("Comedy") for title in titles)
    assert (model.item_similarity == model.item_similarity.T).all()
    assert not model.item_similarity.diagonal().any()


def test_explanations_sum_to_the_prediction(ratings: Ratings) -> None:
    model = ItemKNN(n_neighbours=5).fit(ratings, progress=False)
    for item in (2, 40, 77):
        parts = model.explain(5, item_id=item)
        assert parts["contribution"].sum() == pytest.approx(model.predict(5, item)[0], abs=1e-5)
        of_rated = parts.filter(pl.col("part") == "your rating")
        assert np.count_nonzero(of_rated["contribution"]) <= 5


def test_a_new_person_gets_what_a_user_with_the_same_ratings_gets(ratings: Ratings) -> None:
    model = ItemKNN().fit(ratings, progress=False)
    known = model.recommend(5, k=10)
    assert model.recommend(ratings=ratings.rated_items(5), k=10).equals(known)


def test_who_is_unknown_gets_the_baseline(ratings: Ratings) -> None:
    model, baseline = ItemKNN().fit(ratings, progress=False), BiasModel().fit(ratings)
    unknown = np.array([-1, -1, 3], dtype=np.int32), np.array([4, -1, -1], dtype=np.int32)
    np.testing.assert_allclose(model._predict(*unknown), baseline._predict(*unknown), atol=1e-5)


@pytest.mark.parametrize(
    "options", [{"n_neighbours": 0}, {"shrinkage": -1}, {"damping": float("nan")}]
)
def test_impossible_options(options: dict[str, float]) -> None:
    with pytest.raises(ArgumentError, match=f"{next(iter(options))}; expected a"):
        ItemKNN(**options)
