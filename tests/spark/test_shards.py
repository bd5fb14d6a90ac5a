"""Some users of a model as a model, worked out by hand."""

import numpy as np
import pytest

from tastemap.spark.shards import csr, rows, shard

pa = pytest.importorskip("pyarrow")


def test_lists_of_arrow_are_compressed_rows_and_null_is_empty() -> None:
    column = pa.array([[3, 4], None, [5, 6]], pa.list_(pa.int32()))
    indptr, values = csr(column)
    assert indptr.tolist() == [0, 2, 2, 4]
    assert values.tolist() == [3, 4, 5, 6]
    assert rows(column, 2).tolist() == [[3, 4], [0, 0], [5, 6]]


def test_a_shard_predicts_and_leaves_out_what_was_seen() -> None:
    items = np.array([[0.5, 1.0], [-0.5, 2.0], [0.0, 0.0]], dtype=np.float32)
    weights = np.array([[0.25, 1.0], [0.0, -1.0]], dtype=np.float32)
    seen = np.array([0, 1, 1]), np.array([1], dtype=np.int32)
    part = shard(items, 3.0, weights, seen)
    pairs = np.array([0, 0, 1], dtype=np.int32), np.array([0, 1, 1], dtype=np.int32)
    # mu + b_u + b_i + p_u q_i
    assert part.predict_rows(*pairs).tolist() == [4.75, 4.75, 0.5]
    best, _, _ = part.recommend_rows(part.user_at(0), 1, new=True)
    assert best.tolist() == [0]
