"""The greedy choice of lists against its slow twin, which weighs whole lists."""

import numpy as np
import pytest
import twins_fast
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemap.kernels.reranking import Caps, Likeness, Shortlists, Taste, rerank

N_ITEMS, N_GENRES, SMOOTHING = 12, 4, 0.01


def compressed(has: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    indptr = np.concatenate([[0], np.cumsum(has.sum(axis=1))]).astype(np.int64)
    return indptr, np.nonzero(has)[1].astype(np.int32)


def taste_of(has: np.ndarray, liked: list[list[int]], strength: float) -> Taste:
    shares = has / has.sum(axis=1, keepdims=True)
    return Taste(
        *compressed(has),
        shares[has],
        np.full(has.shape[1], strength),
        np.full(has.shape[1], 2 / max(has.shape[1], 1)),
        np.cumsum([0, *map(len, liked)]),
        np.concatenate(liked).astype(np.int32),
    )


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    k=st.sampled_from([1, 3, 8, 20]),
    of_likeness=st.sampled_from([0.0, 0.7]),
    strength=st.sampled_from([0.0, 5.0]),
    cap=st.sampled_from([1, 3, 20]),
    is_table=st.booleans(),
)
def test_lists_are_those_of_the_book(
    seed: int, k: int, of_likeness: float, strength: float, cap: int, is_table: bool
) -> None:
    rng = np.random.default_rng(seed)
    rows = np.stack([rng.permutation(N_ITEMS), rng.permutation(N_ITEMS)]).astype(np.int32)
    rows[1, 9:] = -1
    scores = -np.sort(-rng.normal(size=rows.shape), axis=1)
    factors = rng.normal(size=(N_ITEMS, 5)).astype(np.float32)
    factors /= np.linalg.norm(factors, axis=1, keepdims=True)
    similarity = factors @ factors.T
    has = rng.random((N_ITEMS, N_GENRES)) < 0.4
    has[np.arange(N_ITEMS), rng.integers(0, N_GENRES, N_ITEMS)] = True
    groups = rng.random((N_ITEMS, 3)) < 0.3
    liked = [rng.choice(N_ITEMS, 5, replace=False).tolist(), []]
    picks = np.empty((2, k), dtype=np.int32)
    rerank(
        Shortlists(rows, scores, rows),
        Likeness(similarity if is_table else factors, is_table),
        taste_of(has, liked, strength),
        Caps(*compressed(groups), np.full(3, cap)),
        (0.5, of_likeness, SMOOTHING, 2.0),
        picks,
    )
    shares = has / has.sum(axis=1, keepdims=True)
    for n, size in enumerate((N_ITEMS, 9)):
        items = rows[n, :size]
        p = (shares[liked[n]].sum(axis=0) + 2 / N_GENRES) / (len(liked[n]) + 2)
        expected = twins_fast.rerank(
            scores[n, :size],
            similarity[np.ix_(items, items)],
            shares[items],
            p,
            np.full(N_GENRES, strength),
            groups[items],
            cap,
            (0.5, of_likeness, SMOOTHING),
            k,
        )
        assert picks[n][picks[n] >= 0].tolist() == expected


@pytest.mark.parametrize(("of_likeness", "expected"), [(0.0, [0, 1]), (5.0, [0, 2])])
def test_a_copy_of_the_best_makes_way(of_likeness: float, expected: list[int]) -> None:
    factors = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    rows, picks = np.array([[0, 1, 2]], dtype=np.int32), np.empty((1, 2), dtype=np.int32)
    nothing = np.zeros((3, 0), dtype=bool)
    rerank(
        Shortlists(rows, np.array([[3.0, 2.9, 2.0]]), rows),
        Likeness(factors, False),
        taste_of(nothing, [[]], 0.0),
        Caps(*compressed(nothing), np.zeros(0, dtype=np.int64)),
        (1.0, of_likeness, SMOOTHING, 2.0),
        picks,
    )
    assert picks.tolist() == [expected]
