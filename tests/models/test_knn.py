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


def test_a_standard_error_is_what_neighbours_leave_open(ratings: Ratings) -> None:
    model = ItemKNN(n_neighbours=3, damping=0.2).fit(ratings, progress=False)
    user, items = model.user_at(4), np.array([39, 40], np.int32)
    s = np.sort(model.item_similarity[items][:, user.item_index].clip(min=0))[:, -3:].sum(axis=1)
    biases = BiasModel().fit(ratings)
    squares = biases._standard_errors(biases.user_at(4), items) ** 2
    squares += model._deviation_variance * (1 - s / (s + 0.2))
    np.testing.assert_allclose(model._standard_errors(user, items) ** 2, squares, rtol=1e-5)
    # Who has rated nothing has no neighbours: all of the deviation is open.
    nothing = user._replace(item_index=user.item_index[:0])
    assert (model._standard_errors(nothing, items) > model._standard_errors(user, items)).all()


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


def test_neighbours_of_chance_weigh_nothing() -> None:
    """Where residuals are noise, correlations are chance: the baseline predicts alone."""
    rng = np.random.default_rng(0)
    u, i = np.divmod(rng.permutation(400 * 100)[:8000], 100)
    value = rng.normal(0, 0.45, 400)[u] + rng.normal(0, 0.45, 100)[i] + rng.normal(0, 1, len(u))
    frame = pl.DataFrame({"user_id": u, "item_id": i, "rating": value})
    noise = Ratings.from_frame(frame)
    assert ItemKNN().fit(noise, progress=False).neighbour_weight < 0.2
    assert ItemKNN(weight=0.7).fit(noise, progress=False).neighbour_weight == 0.7


def test_a_weight_multiplies_what_the_neighbours_say(split: Split) -> None:
    moves = []
    for weight in (0.0, 0.5, 1.0):
        model = ItemKNN(weight=weight).fit(split.train, progress=False)
        predicted = model.predict_ratings(split.test, clip=False)
        moves.append(predicted - model.baseline.predict_ratings(split.test, clip=False))
    np.testing.assert_allclose(moves[0], 0, atol=1e-5)
    np.testing.assert_allclose(moves[1], 0.5 * moves[2], atol=1e-5)


def test_tastes_that_differ_are_worth_the_whole_weight(ratings: Ratings) -> None:
    assert ItemKNN().fit(ratings, progress=False).neighbour_weight > 0.8


def test_an_older_model_has_the_whole_weight(ratings: Ratings) -> None:
    model = ItemKNN(weight=0.3).fit(ratings, progress=False)
    older = model._arrays()
    del older["neighbour_weight"]
    model._restore(older)
    assert model.neighbour_weight == 1
