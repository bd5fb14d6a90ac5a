"""The two towers: what a batch asks for, the loss by hand, the correction for what is drawn."""

import keras
import numpy as np
import pytest

from tastemap.data.ratings import Ratings
from tastemap.models.neural.networks import as_numpy
from tastemap.models.neural.two_tower import (
    LEFT_OUT,
    MAX_TARGETS,
    NEGATIVE,
    TowerPlan,
    TwoTowerModel,
    UserBatches,
    sampled_softmax,
    train_towers,
)


@pytest.fixture(scope="module")
def likes(ratings: Ratings) -> Ratings:
    return ratings.take(ratings.rating >= 4)


@pytest.fixture
def network() -> TwoTowerModel:
    """An untrained one with random weights and biases."""
    log_q = np.log(np.array([0.4, 0.3, 0.2, 0.1], dtype=np.float32))
    network = TwoTowerModel(3, log_q, temperature=0.5)
    rng = np.random.default_rng(1)
    for variable in network.trainable_variables:
        variable.assign(rng.normal(0, 1, variable.shape))
    return network


def matrix(likes: Ratings) -> np.ndarray:
    X = np.zeros((likes.n_users, likes.n_items), dtype=bool)
    X[likes.user_index, likes.item_index] = True
    return X


def test_scores_are_products_of_unit_vectors(network: TwoTowerModel) -> None:
    history = np.array([[1, 0, 1, 0], [0, 0, 0, 0]], dtype=np.float32)
    items = np.array([3, 1, 1])
    h, q, b = network.learnt()
    np.testing.assert_allclose(np.linalg.norm(q, axis=1), 1, atol=1e-5)
    p = (h[0] + h[2]) / np.linalg.norm(h[0] + h[2])
    expected = [q[items] @ p / 0.5 + b[items, 0], b[items, 0]]  # without likes, the bias alone
    found = keras.ops.convert_to_numpy(network([history, items]))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    in_training = keras.ops.convert_to_numpy(network([history, items], training=True))
    np.testing.assert_allclose(
        found - in_training, np.tile(network.log_q[items], (2, 1)), atol=1e-5
    )


def test_the_loss_by_hand() -> None:
    """One like with the logit 1, one with 2, a negative of 0, another like that does not count."""
    y = np.array([[1, 1, NEGATIVE, LEFT_OUT]])
    loss = float(sampled_softmax(y, keras.ops.convert_to_tensor([[1.0, 2.0, 0.0, 9.0]]))[0])
    each = [np.log(np.e + 1) - 1, np.log(np.e**2 + 1) - 2]
    assert loss == pytest.approx(np.mean(each), abs=1e-6)


def test_without_a_negative_there_is_no_loss() -> None:
    y = np.array([[1, LEFT_OUT]])
    assert float(sampled_softmax(y, keras.ops.convert_to_tensor([[-3.0, 4.0]]))[0]) == 0


def test_the_correction_makes_the_candidates_stand_for_all_items() -> None:
    """Drawn with probability Q, less log Q: the mean of the exponentials is the sum over all."""
    rng = np.random.default_rng(0)
    q, score = rng.dirichlet(np.ones(50)), rng.normal(0, 1, 50)
    drawn = rng.choice(50, size=200_000, p=q)
    drawn_sum = np.mean(np.exp(score[drawn] - np.log(q[drawn])))
    assert drawn_sum == pytest.approx(np.exp(score).sum(), rel=0.05)


def test_each_like_is_asked_for_once_an_epoch(likes: Ratings) -> None:
    """In one batch of all groups, where none is filled in."""
    batches = UserBatches(likes, 10_000, dropout=0.0, seed=0)
    assert len(batches) == 1
    for _ in range(2):
        user, targets, asked = (part[0] for part in batches.batches)
        found = np.zeros(matrix(likes).shape, dtype=int)
        np.add.at(found, (np.repeat(user, asked.sum(axis=1)), targets[asked]), 1)
        np.testing.assert_array_equal(found, matrix(likes))
        assert targets.shape[1] == MAX_TARGETS
        assert (asked.sum(axis=1) <= np.maximum(likes.by_user.counts[user] // 2, 1)).all()
        batches.on_epoch_end()


def test_a_batch_hides_what_it_asks_for(likes: Ratings) -> None:
    batches = UserBatches(likes, 16, dropout=0.0, seed=0)
    X = matrix(likes)
    for n in range(len(batches)):
        user, targets, asked = (part[n] for part in batches.batches)
        (history, candidates), y = batches[n]
        hidden = X[user].copy()
        hidden[np.arange(16)[:, None], targets] = False
        np.testing.assert_array_equal(history, hidden)
        np.testing.assert_array_equal(candidates, targets.ravel())
        # A negative is no like of the user's, all that is asked for is one.
        np.testing.assert_array_equal(y == NEGATIVE, ~X[user][:, candidates])
        own = np.kron(np.eye(16, dtype=bool), np.ones(MAX_TARGETS, dtype=bool))
        np.testing.assert_array_equal(y == 1, own & asked.ravel())


def test_dropout_takes_its_share_of_the_history(likes: Ratings) -> None:
    whole, part = (UserBatches(likes, 10_000, dropout, seed=0)[0][0][0] for dropout in (0.0, 0.5))
    assert (part <= whole).all()
    assert part.sum() / whole.sum() == pytest.approx(0.5, abs=0.05)


def test_candidates_come_up_as_often_as_is_said(likes: Ratings) -> None:
    batches = UserBatches(likes, 10_000, dropout=0.0, seed=0)
    count = np.zeros(likes.n_items)
    for _ in range(50):
        count += np.bincount(batches[0][0][1], minlength=likes.n_items)
        batches.on_epoch_end()
    often = likes.by_item.counts >= 20
    assert often.sum() > 10
    np.testing.assert_allclose(count[often] / count.sum(), np.exp(batches.log_q[often]), rtol=0.1)


def test_training_lowers_the_loss_and_follows_the_seed(likes: Ratings) -> None:
    plan = TowerPlan(8, 4, 256, 0.05, 0.2, 0.5, seed=3)
    rows: list[dict[str, float]] = []
    network, curve = train_towers(likes, plan, rows.append)
    again, _ = train_towers(likes, plan, lambda row: None)
    assert rows == curve
    assert [row["epoch"] for row in curve] == [1, 2, 3, 4]
    assert curve[-1]["train_loss"] < curve[0]["train_loss"]
    for one, other in zip(network.trainable_variables, again.trainable_variables, strict=True):
        np.testing.assert_array_equal(as_numpy(one), as_numpy(other))
