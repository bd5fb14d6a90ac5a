"""The causal transformer in NumPy: its equations by hand, its window, its arrays."""

from dataclasses import replace

import numpy as np
import pytest

from tastemap.models.transformer import Transformer, normalised

F, WINDOW = 4, 3


def transformer(n_blocks: int = 1) -> Transformer:
    """One that attends evenly and maps to nothing: an item adds the mean of what is so far."""
    parts = {
        name: np.zeros(shape, dtype=np.float32)
        for name, shape in Transformer.shapes(F, n_blocks, WINDOW).items()
    }
    for name in ("attention_norm", "map_norm"):
        parts[name][:, 0] = 1
    parts["norm"][0] = 1
    parts["projection"][:, :, 2 * F :] = np.eye(F)
    parts["output"][:] = np.eye(F)
    return Transformer(**parts)


@pytest.fixture
def embedding() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(6, F)).astype(np.float32)


def unit(x: np.ndarray) -> np.ndarray:
    return (x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True)


def test_even_attention_adds_the_mean_of_the_items_so_far(embedding: np.ndarray) -> None:
    x = 2 * embedding[[5, 1, 3]]  # sqrt(f) = 2
    expected = unit(x[-1] + unit(x).mean(axis=0))
    state = transformer().state(embedding, np.array([5, 1, 3]))
    np.testing.assert_allclose(state, expected, atol=1e-5)


def test_a_place_that_weighs_more_is_attended_to(embedding: np.ndarray) -> None:
    one_back = replace(transformer(), places=np.array([[0, 50, 0]], dtype=np.float32))
    x = 2 * embedding[[5, 1, 3]]
    state = one_back.state(embedding, np.array([5, 1, 3]))
    np.testing.assert_allclose(state, unit(x[2] + unit(x)[1]), atol=1e-5)


def test_the_map_of_a_place_keeps_what_is_above_zero(embedding: np.ndarray) -> None:
    eye = np.eye(F, dtype=np.float32)[None]
    mapped = replace(transformer(), output=0 * eye, first=eye, second=eye)
    x = 2 * embedding[4]
    state = mapped.state(embedding, np.array([4]))
    np.testing.assert_allclose(state, unit(x + np.maximum(unit(x), 0)), atol=1e-5)


def test_only_the_window_counts_and_nothing_gives_zeros(embedding: np.ndarray) -> None:
    model = transformer(n_blocks=2)
    long, short = np.array([0, 2, 5, 1, 3]), np.array([5, 1, 3])
    np.testing.assert_array_equal(model.state(embedding, long), model.state(embedding, short))
    assert not model.state(embedding, long[:0]).any()


def test_vectors_of_one_number_are_normalised_to_their_shift() -> None:
    x, scale_and_shift = np.full((2, F), 7.0, np.float32), np.stack([np.ones(F), np.arange(F)])
    np.testing.assert_array_equal(normalised(x, scale_and_shift), np.tile(np.arange(F), (2, 1)))


def test_arrays_come_back_and_are_checked(embedding: np.ndarray) -> None:
    model, items = transformer(n_blocks=2), np.array([1, 2])
    arrays = model.arrays()
    restored = Transformer.from_arrays(arrays, F, 2, WINDOW)
    assert not arrays
    np.testing.assert_array_equal(restored.state(embedding, items), model.state(embedding, items))
    with pytest.raises(ValueError, match="transformer_places"):
        Transformer.from_arrays(model.arrays(), F, 2, WINDOW + 1)
