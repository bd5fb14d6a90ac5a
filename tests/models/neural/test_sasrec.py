"""The network of SASRec: the same states as in NumPy, no look ahead, the loss, the batches."""

import keras
import numpy as np
import pytest

from tastemap.models.neural.sasrec import (
    SASRecModel,
    SequenceBatches,
    SequencePlan,
    sampled_softmax,
)

N_ITEMS = 9
PLAN = SequencePlan(
    n_factors=4,
    n_blocks=2,
    window=5,
    n_epochs=1,
    batch_size=3,
    learning_rate=0.01,
    dropout=0.5,
    n_negatives=4,
    seed=0,
)


@pytest.fixture(scope="module")
def network() -> SASRecModel:
    """An untrained one with random weights."""
    network, rng = SASRecModel(N_ITEMS, PLAN), np.random.default_rng(1)
    for variable in network.trainable_variables:
        variable.assign(rng.normal(0, 1, variable.shape))
    return network


def states(network: SASRecModel, sequences: np.ndarray) -> np.ndarray:
    return keras.ops.convert_to_numpy(network.states(sequences))


def test_numpy_has_the_same_states(network: SASRecModel) -> None:
    sequences = np.array([[3, 1, 4, 1, 5], [8, 2, N_ITEMS, N_ITEMS, N_ITEMS]])
    transformer, e, _ = network.learnt()
    of_keras = states(network, sequences)
    for row, n in ((0, 5), (0, 2), (1, 2)):
        expected = transformer.state(e, sequences[row, :n])
        np.testing.assert_allclose(of_keras[row, n - 1], expected, atol=1e-4)


def test_what_comes_later_changes_nothing_before(network: SASRecModel) -> None:
    one, other = states(network, np.array([[3, 1, 4, 1, 5], [3, 1, 4, 7, 0]]))
    np.testing.assert_allclose(one[:3], other[:3], atol=1e-5)
    assert np.abs(one[3:] - other[3:]).min(axis=1).max() > 1e-3


def test_logits_are_products_and_stand_for_the_sum_over_all_items(network: SASRecModel) -> None:
    sequences, targets = np.array([[3, 1, 4, 1, 5]]), np.array([[1, 4, 1, 5, 2]])
    _, e, b = network.learnt()
    p = states(network, sequences)[0]
    every = np.arange(N_ITEMS)
    logits = keras.ops.convert_to_numpy(network([sequences, targets, every]))[0]
    expected = p @ e.T + b
    np.testing.assert_allclose(logits[:, 0], expected[range(5), targets[0]], atol=1e-4)
    # All items are drawn: the softmax is that over all, in which the target comes once.
    total = np.log(np.exp(logits).sum(axis=1))
    np.testing.assert_allclose(total, np.log(np.exp(expected).sum(axis=1)), atol=1e-4)
    some = keras.ops.convert_to_numpy(network([sequences, targets, np.array([0, 8])]))[0]
    np.testing.assert_allclose(some[:, 1:], expected[:, [0, 8]] + np.log(9 / 2), atol=1e-4)


def test_the_loss_is_the_mean_over_places_with_a_target() -> None:
    y = np.array([[1.0, 1.0], [1.0, 0.0]])
    logits = keras.ops.convert_to_tensor([[[1.0, 0.0], [2.0, 0.0]], [[0.0, 0.0], [9.0, 99.0]]])
    each = [np.log(np.e + 1) - 1, np.log(np.e**2 + 1) - 2, np.log(2)]
    assert float(sampled_softmax(y, logits)) == pytest.approx(np.mean(each), abs=1e-6)


def batches(lengths: list[int], **changes: int) -> SequenceBatches:
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    items = (np.arange(indptr[-1]) % N_ITEMS).astype(np.int32)
    plan = SequencePlan(**{**vars(PLAN), **changes})
    return SequenceBatches(items, indptr, N_ITEMS, plan)


def test_each_item_but_the_first_is_a_target_once_and_follows_its_place() -> None:
    data = batches([4, 1, 6, 0, 3])
    pairs = []
    for index in range(len(data)):
        (sequences, targets, drawn), has_target = data[index]
        assert sequences.shape == targets.shape == has_target.shape == (3, PLAN.window)
        assert len({*drawn.tolist()}) == 4
        assert (sequences[has_target == 0] == N_ITEMS).all()
        at = has_target == 1
        pairs += zip(sequences[at].tolist(), targets[at].tolist(), strict=True)
    # Users of 4, 6 and 3 items, whose items are numbered on: 0 to 3, 5 to 10 and 11 to 13.
    places = [*range(3), *range(5, 10), *range(11, 13)]
    assert sorted(pairs) == sorted((at % N_ITEMS, (at + 1) % N_ITEMS) for at in places)


def test_long_histories_are_cut_elsewhere_in_each_epoch_into_as_many_batches() -> None:
    data = batches([60] * 20, batch_size=1)
    cuts, n_batches = set(), len(data)
    for _ in range(4):
        assert len(data.batches) == len(data) == n_batches
        assert (data.end - data.start).sum() == 59 * 20
        assert (data.end - data.start).max() == PLAN.window
        cuts.add(tuple(data.start.tolist()))
        data.on_epoch_end()
    assert len(cuts) == 4


def test_nobody_has_two_items() -> None:
    assert len(batches([1, 0, 1])) == 0
