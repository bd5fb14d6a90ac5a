"""A causal transformer in NumPy: what it makes of a sequence, without Keras."""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from tastemap.arrays import F32, AnyArray, IndexArray
from tastemap.models.base.arrays import take

# Added to a variance before its root is taken.
EPSILON = 1e-6
_PREFIX = "transformer_"


@dataclass(frozen=True)
class Transformer:
    """The weights of a causal transformer of m blocks on vectors of length f, one head each.

    References:
        Kang, McAuley, "Self-attentive sequential recommendation", ICDM 2018, section III. Here each
        block takes the norm before it attends or maps, and adds a weight for how many places back
        an item is in place of an embedding of its place. Press, Smith, Lewis, "Train short, test
        long", ICLR 2022, has such weights, fixed where these are learnt.

    Output:
        x_t = sqrt(f) e_t at first. Each block: x_t += O sum over s <= t of a_ts v_s with a_ts
        the softmax over s of q_t . k_s / sqrt(f) + c_(t - s), where (q, k, v)_t = A norm(x_t) + a;
        then x_t += D relu(C norm(x_t) + c) + d. The output is the norm of the last x_t.

    Attributes:
        attention_norm, map_norm: (m, 2, f), scales and shifts of the norms of a block.
        projection, projection_bias: A (m, f, 3 f) and a (m, 3 f).
        output, output_bias: O (m, f, f), and its bias (m, f).
        places: c (m, window): by how much an item counts for its place.
        first, first_bias, second, second_bias: C, c, D and d, (m, f, f) and (m, f).
        norm: (2, f), scale and shift of the last norm.
    """

    attention_norm: F32
    projection: F32
    projection_bias: F32
    places: F32
    output: F32
    output_bias: F32
    map_norm: F32
    first: F32
    first_bias: F32
    second: F32
    second_bias: F32
    norm: F32

    @property
    def window(self) -> int:
        """The number of latest items that it looks at."""
        return self.places.shape[1]

    def state(self, embedding: F32, item_index: IndexArray) -> F32:
        """The output (f,) after the last of some items; zeros where there is none.

        Args:
            embedding: e (n_items, f) or more rows.
            item_index: Rows of the items (n,), oldest first; only those of the window count.
        """
        items, f = item_index[-self.window :], embedding.shape[1]
        if not len(items):
            return np.zeros(f, dtype=np.float32)
        x = embedding[items] * np.float32(np.sqrt(f))
        back = np.arange(len(items))[:, None] - np.arange(len(items))
        for block in range(len(self.places)):
            q, k, v = np.split(self._projected(block, x), 3, axis=1)
            logits = q @ k.T / np.float32(np.sqrt(f)) + self.places[block][np.maximum(back, 0)]
            a = np.exp(np.where(back < 0, -np.inf, logits - logits.max(axis=1, keepdims=True)))
            a /= a.sum(axis=1, keepdims=True)
            x = x + a @ v @ self.output[block] + self.output_bias[block]
            hidden = normalised(x, self.map_norm[block]) @ self.first[block]
            hidden = np.maximum(hidden + self.first_bias[block], 0)
            x = x + hidden @ self.second[block] + self.second_bias[block]
        return normalised(x[-1], self.norm)

    def _projected(self, block: int, x: F32) -> F32:
        projected = normalised(x, self.attention_norm[block]) @ self.projection[block]
        return projected + self.projection_bias[block]

    def arrays(self) -> dict[str, AnyArray]:
        """The weights by name, for the artifact."""
        return {f"{_PREFIX}{part.name}": getattr(self, part.name) for part in fields(self)}

    @staticmethod
    def shapes(f: int, n_blocks: int, window: int) -> dict[str, tuple[int, ...]]:
        """The shape of each weight by its name."""
        square, row, norms = (n_blocks, f, f), (n_blocks, f), (n_blocks, 2, f)
        return {
            "attention_norm": norms,
            "projection": (n_blocks, f, 3 * f),
            "projection_bias": (n_blocks, 3 * f),
            "places": (n_blocks, window),
            "output": square,
            "output_bias": row,
            "map_norm": norms,
            "first": square,
            "first_bias": row,
            "second": square,
            "second_bias": row,
            "norm": (2, f),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, Any], f: int, n_blocks: int, window: int) -> Self:
        """The weights that `arrays` gave, which are taken out.

        Raises:
            KeyError, ValueError: If one is missing, or has another shape.
        """
        shapes = cls.shapes(f, n_blocks, window).items()
        return cls(**{name: take(arrays, f"{_PREFIX}{name}", *shape) for name, shape in shapes})


def normalised(x: F32, scale_and_shift: F32) -> F32:
    """Vectors (..., f) of mean 0 and variance 1, then scaled and shifted."""
    x = x - x.mean(axis=-1, keepdims=True)
    deviation = np.sqrt(np.square(x).mean(axis=-1, keepdims=True) + np.float32(EPSILON))
    return x / deviation * scale_and_shift[0] + scale_and_shift[1]
