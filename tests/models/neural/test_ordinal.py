"""The ordinal model: its probabilities, and what they may and may not look at."""

from dataclasses import replace

import keras
import numpy as np
import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split
from tastemap.errors import ArgumentError
from tastemap.models.neural import NeuralRecommender, OrdinalRegressionModel, ordinal
from tastemap.models.neural.networks import as_numpy
from tastemap.models.registry import load_model

LEVELS = np.arange(1.0, 6.0)


@pytest.fixture(scope="module")
def model(split: Split) -> NeuralRecommender:
    options = {"n_epochs": 6, "batch_size": 512, "learning_rate": 0.05, "cosine_decay": True}
    return NeuralRecommender("ordinal", **options).fit(split.train, progress=False)


@pytest.fixture
def network(ratings: Ratings) -> OrdinalRegressionModel:
    """An untrained one with random weights, as those that start at zero hide what they do."""
    network = OrdinalRegressionModel(4, ratings)
    rng = np.random.default_rng(1)
    for variable in network.trainable_variables:
        variable.assign(rng.normal(0, 0.3, variable.shape))
    return network


def probabilities(network: OrdinalRegressionModel, ratings: Ratings) -> np.ndarray:
    return keras.ops.convert_to_numpy(network([ratings.user_index, ratings.item_index]))


def test_probabilities_sum_to_one(network: OrdinalRegressionModel, ratings: Ratings) -> None:
    found = probabilities(network, ratings)
    assert found.shape == (len(ratings), 5)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-4)
    assert found.min() > 0


def test_trained_probabilities_sum_to_one(model: NeuralRecommender, split: Split) -> None:
    ids = split.test.to_frame()
    found = model.predict_distribution(ids["user_id"], ids["item_id"])
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-6)
    np.testing.assert_allclose(model.predict_ratings(split.test), found @ LEVELS, rtol=1e-5)


def test_cutpoints_ascend_whatever_the_weights(network: OrdinalRegressionModel) -> None:
    gaps = keras.ops.convert_to_tensor(np.random.default_rng(0).normal(0, 5, (200, 3)), "float32")
    score = keras.ops.zeros((200, 1))
    # Levels between ascending cutpoints have no negative probability; the floor is 1e-6.
    found = keras.ops.convert_to_numpy(network._levels(score, gaps))
    assert found.min() >= 1e-6
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-4)


def test_a_higher_score_makes_every_higher_rating_likelier(network: OrdinalRegressionModel) -> None:
    score = keras.ops.reshape(keras.ops.arange(-3.0, 3.0, 0.5), (-1, 1))
    gaps = keras.ops.zeros((score.shape[0], 3))
    found = keras.ops.convert_to_numpy(network._levels(score, gaps))
    at_most = np.cumsum(found, axis=1)[:, :-1]
    assert (np.diff(at_most, axis=0) < 0).all()


def test_probabilities_are_the_cumulative_logit(network: OrdinalRegressionModel) -> None:
    softplus = lambda x: np.log1p(np.exp(x))  # noqa: E731
    first, gaps = as_numpy(network.first_cut), as_numpy(network.gaps)
    own = np.array([[0.3, -0.2, 0.5]])
    cuts = np.concatenate([first, first + np.cumsum(softplus(gaps + own[0]))])
    below = 1 / (1 + np.exp(-1.7 * (cuts - 0.4)))
    expected = np.diff(np.concatenate([[0.0], below, [1.0]]))
    found = network._levels(
        keras.ops.full((1, 1), 0.4), keras.ops.convert_to_tensor(own, "float32")
    )
    np.testing.assert_allclose(keras.ops.convert_to_numpy(found)[0], expected, atol=1e-5)


def test_the_score_is_the_equation(network: OrdinalRegressionModel, ratings: Ratings) -> None:
    """P(r_ui <= c) of one pair from the docstring's sums, taken by loops."""
    row = 7
    u, i = int(ratings.user_index[row]), int(ratings.item_index[row])
    rated, residual = as_numpy(network.rated), as_numpy(network.residual)
    y, w, z = (as_numpy(t.embeddings) for t in (network.seen, network.liked, network.fans))
    p, q = as_numpy(network.user_embedding.embeddings), as_numpy(network.item_embedding.embeddings)
    items = [j for j in range(ratings.n_items) if rated[u, j] and j != i]
    users = [v for v in range(ratings.n_users) if rated[v, i] and v != u]
    seen_liked = sum(y[j] + residual[u, j] * w[j] for j in items) / np.sqrt(rated[u].sum())
    fans = sum(z[v] for v in users) / np.sqrt(rated[:, i].sum())
    biases = [as_numpy(t.embeddings) for t in (network.user_bias, network.item_bias)]
    score = biases[0][u, 0] + biases[1][i, 0] + (p[u] + seen_liked) @ (q[i] + fans)
    gaps = as_numpy(network.user_gaps.embeddings)[u : u + 1]
    expected = network._levels(
        keras.ops.full((1, 1), float(score)), keras.ops.convert_to_tensor(gaps)
    )
    found = probabilities(network, ratings)[row]
    np.testing.assert_allclose(found, keras.ops.convert_to_numpy(expected)[0], atol=1e-4)


def test_a_pair_is_left_out_of_its_own_sums(
    network: OrdinalRegressionModel, ratings: Ratings
) -> None:
    before = probabilities(network, ratings)
    for row in (0, 500, 2999):
        u, i = ratings.user_index[row], ratings.item_index[row]
        residual = as_numpy(network.residual).copy()
        kept = residual[u, i]
        residual[u, i] = 100.0
        network.residual.assign(residual)
        after = probabilities(network, ratings)
        np.testing.assert_allclose(after[row], before[row], atol=1e-4)
        # What others of the same user are told has changed.
        others = (ratings.user_index == u) & (ratings.item_index != i)
        assert np.abs(after[others] - before[others]).max() > 0.01
        residual[u, i] = kept
        network.residual.assign(residual)


def test_a_pairs_own_rating_hardly_moves_its_prediction(
    model: NeuralRecommender, split: Split
) -> None:
    # It is left out of the sums; what is left is its share in the user's and the item's average.
    network, train = model.network_, split.train
    for row in (0, 1000, 2000):
        means = []
        for value in (1.0, 5.0):
            rating = train.rating.copy()
            rating[row] = value
            network.observe(replace(train, rating=rating))
            means.append(probabilities(network, train.take(np.array([row])))[0] @ LEVELS)
        assert means[0] == pytest.approx(means[1], abs=0.1)
    network.observe(train)


def test_what_is_observed_is_read_at_once(
    network: OrdinalRegressionModel, ratings: Ratings
) -> None:
    before = probabilities(network, ratings)
    network.observe(ratings.take(np.arange(0, len(ratings), 2)))
    assert not np.allclose(probabilities(network, ratings), before)
    network.observe(ratings)
    np.testing.assert_array_equal(probabilities(network, ratings), before)


def test_neighbours_are_found_by_what_the_model_sees(
    network: OrdinalRegressionModel, ratings: Ratings
) -> None:
    users, items = network.vectors()
    rated, residual = as_numpy(network.rated), as_numpy(network.residual)
    y, w = as_numpy(network.seen.embeddings), as_numpy(network.liked.embeddings)
    own = sum(rated[3, j] * y[j] + residual[3, j] * w[j] for j in range(ratings.n_items))
    expected = as_numpy(network.user_embedding.embeddings)[3] + own / np.sqrt(rated[3].sum())
    np.testing.assert_allclose(users[3], expected, atol=1e-5)
    assert items.shape == (ratings.n_items, 4)


def test_who_has_no_ratings_is_the_average_of_the_others(
    network: OrdinalRegressionModel, ratings: Ratings
) -> None:
    known = (ratings.user_index != 3) & (ratings.item_index != 5)
    network.observe(ratings.take(known))
    p, q = (as_numpy(t.embeddings) for t in (network.user_embedding, network.item_embedding))
    users, items = network.vectors()
    for vectors, own, row in ((users, p, 3), (items, q, 5)):
        others = np.delete(vectors - own, row, axis=0)
        np.testing.assert_allclose(vectors[row] - own[row], others.mean(axis=0), atol=1e-5)
    # The probabilities read the same vectors.
    u, i = np.array([[3], [5]], dtype=np.int32)
    biases = [as_numpy(t.embeddings) for t in (network.user_bias, network.item_bias)]
    score = biases[0][3, 0] + biases[1][5, 0] + users[3] @ items[5]
    gaps = keras.ops.convert_to_tensor(as_numpy(network.user_gaps.embeddings)[3:4])
    expected = network._levels(keras.ops.full((1, 1), float(score)), gaps)
    np.testing.assert_allclose(network([u, i]), expected, atol=1e-5)


def test_median_is_a_level_and_mean_is_between(model: NeuralRecommender, split: Split) -> None:
    test = split.test
    median, mean = model.predict_ratings(test, point="median"), model.predict_ratings(test)
    assert set(median) <= set(LEVELS)
    assert mean.min() > 1
    assert mean.max() < 5
    # Each is best at what it is for.
    absolute, squared = np.abs(median - test.rating).mean(), np.square(median - test.rating).mean()
    assert absolute < np.abs(mean - test.rating).mean()
    assert np.square(mean - test.rating).mean() < squared


def test_the_median_halves_the_distribution(model: NeuralRecommender) -> None:
    users = np.arange(1, 100)
    cumulative = model.predict_distribution(users, 1).cumsum(axis=1)
    for median, below in zip(model.predict(users, 1, point="median"), cumulative, strict=True):
        level = int(median) - 1
        assert below[level] >= 0.5 - 1e-6
        assert level == 0 or below[level - 1] < 0.5


def test_it_beats_the_overall_distribution(model: NeuralRecommender, split: Split) -> None:
    test = split.test
    level = test.rating.astype(int) - 1
    share = np.bincount(split.train.rating.astype(int) - 1, minlength=5) / len(split.train)
    ids = test.to_frame()
    found = model.predict_distribution(ids["user_id"], ids["item_id"])
    assert -np.log(found[np.arange(len(test)), level]).mean() < -np.log(share[level]).mean() - 0.1


def test_round_trip(model: NeuralRecommender, tmp_path: object) -> None:
    loaded = load_model(model.save(tmp_path / "model"))
    users = np.arange(1, 100)
    for ask in (
        lambda m: m.predict_distribution(users, 3),
        lambda m: m.predict(users, 3, point="median"),
        lambda m: m.item_factors,
    ):
        np.testing.assert_array_equal(ask(loaded), ask(model))


def test_a_continuous_scale_is_refused() -> None:
    frame = pl.DataFrame({"user_id": [1, 1, 2], "item_id": [1, 2, 1], "rating": [0.1, 2.7183, 9.9]})
    with pytest.raises(ArgumentError, match="expected ratings on a scale with steps; .*biased-dot"):
        NeuralRecommender("ordinal").fit(Ratings.from_frame(frame), progress=False)


def test_too_many_cells_are_refused(ratings: Ratings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordinal, "MAX_CELLS", 120 * 80 - 1)
    with pytest.raises(ArgumentError, match="at most 9,599 pairs .*; received 120 x 80; .*biased"):
        OrdinalRegressionModel(4, ratings)


def test_validation_ratings_outside_the_scale_count_as_its_ends(model: NeuralRecommender) -> None:
    six = Ratings.from_frame(
        pl.DataFrame({"user_id": [1, 2, 3], "item_id": [1, 2, 3], "rating": [6.0, 7.0, 8.0]})
    )
    _, held_out = model._parts(model.ratings_, six, seed=0)
    assert model._batches(held_out).target.tolist() == [4, 4, 4]
