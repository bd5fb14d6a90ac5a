"""Keras models of pairs: ``[user_ids, item_ids]`` in, a rating or its distribution out.

`RegressionModel` is the lab's, line by line; the others are its exercises. All of them are plain
`keras.Model`s to compile and fit, on any backend.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import keras
import numpy as np
import numpy.typing as npt
from keras import layers, ops

from tastemap.errors import ArgumentError
from tastemap.models.base.validation import whole_number

# The mu, the rows (b_u, p_u) and the rows (b_i, q_i) of a model of biases and factors.
Factors = tuple[float, npt.NDArray[Any], npt.NDArray[Any]]


class PairModel(keras.Model):
    """A Keras model of ``[user_ids, item_ids]`` that refuses ids without an embedding.

    Keras looks ids up without a check: an id past the end gives NaN or zeros on some backends, and
    a negative one the row of another user or item. Here both are errors. Ids come as lists,
    arrays or series of any kind, of shape (n,) or (n, 1).

    Args:
        max_user_id, max_item_id: The largest ids; plain or NumPy integers, 0 or more.

    Attributes:
        yields: Whether `NeuralRecommender` lets the bias model predict where the network does not
            gain on it. The lab's model shows what it is, also where it loses.
    """

    yields: ClassVar = False

    def __init__(self, max_user_id: int, max_item_id: int) -> None:
        super().__init__()
        self.max_user_id = whole_number("max_user_id", max_user_id, at_least=0)
        self.max_item_id = whole_number("max_item_id", max_item_id, at_least=0)

    def fit(self, x: Any = None, y: Any = None, *args: Any, **options: Any) -> Any:
        """As `keras.Model.fit`, with ids checked, also those of ``validation_data``."""
        held_out = options.get("validation_data")
        if isinstance(held_out, tuple | list):
            pairs, *rest = held_out
            options["validation_data"] = (self.checked(pairs), *map(np.asarray, rest))
        return super().fit(self.checked(x), _array(y), *args, **options)

    def evaluate(self, x: Any = None, y: Any = None, *args: Any, **options: Any) -> Any:
        """As `keras.Model.evaluate`, with ids checked."""
        return super().evaluate(self.checked(x), _array(y), *args, **options)

    def predict(self, x: Any, *args: Any, **options: Any) -> Any:
        """As `keras.Model.predict`, with ids checked."""
        return super().predict(self.checked(x), *args, **options)

    def train_on_batch(self, x: Any, y: Any = None, *args: Any, **options: Any) -> Any:
        """As `keras.Model.train_on_batch`, with ids checked."""
        return super().train_on_batch(self.checked(x), _array(y), *args, **options)

    def test_on_batch(self, x: Any, y: Any = None, *args: Any, **options: Any) -> Any:
        """As `keras.Model.test_on_batch`, with ids checked."""
        return super().test_on_batch(self.checked(x), _array(y), *args, **options)

    def predict_on_batch(self, x: Any) -> Any:
        """As `keras.Model.predict_on_batch`, with ids checked."""
        return super().predict_on_batch(self.checked(x))

    def __call__(self, inputs: Any, **options: Any) -> Any:
        """Predictions for ids, checked unless they are a compiled graph's placeholders."""
        return super().__call__(self.checked(inputs), **options)

    def checked(self, inputs: Any) -> Any:
        """``[users, items]`` as int32 arrays; other inputs (data sets) are returned unchanged.

        Raises:
            ArgumentError: If an id is not a whole number from 0 to the largest id.
        """
        if isinstance(inputs, np.ndarray):
            raise ArgumentError(
                "inputs", expected="[user_ids, item_ids]", received=f"one array {inputs.shape}"
            )
        if not isinstance(inputs, list | tuple) or len(inputs) != 2:
            return inputs
        names = ("user_ids", "item_ids")
        largest = (self.max_user_id, self.max_item_id)
        return [_checked_ids(*part) for part in zip(names, inputs, largest, strict=True)]

    def factors(self) -> Factors | None:
        """Biases and factors, if a prediction is mu + b_u + b_i + p_u . q_i; otherwise None."""
        return None

    def vectors(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """The vectors of users (n_users, f) and of items (n_items, f), to compare them by."""
        return as_numpy(self.user_embedding.embeddings), as_numpy(self.item_embedding.embeddings)


class RegressionModel(PairModel):
    """The lab's model: the dot product of a user's and an item's embedding.

    Prediction:
        r_ui = p_u . q_i

    Args:
        embedding_size: Length of each embedding.
        max_user_id, max_item_id: The largest ids; the tables have one row more, as ids start at 1.

    Example:
        >>> model = RegressionModel(embedding_size=8, max_user_id=2, max_item_id=3)
        >>> model.compile(optimizer="adam", loss="mae")
        >>> history = model.fit([[1, 2], [3, 1]], [4.0, 2.0], epochs=1, verbose=0)
        >>> [weight.shape for weight in model.get_weights()]
        [(3, 8), (4, 8)]
    """

    def __init__(self, embedding_size: int, max_user_id: int, max_item_id: int) -> None:
        super().__init__(max_user_id, max_item_id)
        embedding_size = whole_number("embedding_size", embedding_size)
        self.user_embedding = layers.Embedding(
            output_dim=embedding_size, input_dim=self.max_user_id + 1, name="user_embedding"
        )
        self.item_embedding = layers.Embedding(
            output_dim=embedding_size, input_dim=self.max_item_id + 1, name="item_embedding"
        )
        # The following two layers have no parameters.
        self.flatten = layers.Flatten()
        self.dot = layers.Dot(axes=1)

    def call(self, inputs: Any) -> Any:
        """Predictions (n, 1)."""
        user_vecs = self.flatten(self.user_embedding(inputs[0]))
        item_vecs = self.flatten(self.item_embedding(inputs[1]))
        return self.dot([user_vecs, item_vecs])

    def factors(self) -> Factors:
        """The embeddings; mean and biases are zero."""
        users, items = (as_numpy(e.embeddings) for e in (self.user_embedding, self.item_embedding))
        return 0.0, np.pad(users, ((0, 0), (1, 0))), np.pad(items, ((0, 0), (1, 0)))


class BiasedRegressionModel(PairModel):
    """The lab's model with a mean, biases, and a penalty on large weights.

    Prediction:
        r_ui = mu + b_u + b_i + p_u . q_i

    Objective:
        The loss plus reg (|P|^2 + |Q|^2) + bias_reg (|b_U|^2 + |b_I|^2), as in Koren, Bell,
        Volinsky 2009, equation 5, but with the whole tables in every batch's penalty.

    Args:
        embedding_size: Length of each embedding.
        max_user_id, max_item_id: The largest ids.
        global_mean: mu, the mean rating of the training part.
        reg, bias_reg: Weights of the penalties, 0 or more.
    """

    yields: ClassVar = True

    def __init__(
        self,
        embedding_size: int,
        max_user_id: int,
        max_item_id: int,
        global_mean: float = 0.0,
        reg: float = 2e-4,
        bias_reg: float = 3e-5,
    ) -> None:
        super().__init__(max_user_id, max_item_id)
        size = whole_number("embedding_size", embedding_size)
        users, items = self.max_user_id + 1, self.max_item_id + 1
        self.global_mean = float(global_mean)
        self.user_embedding = table("user_embedding", users, size, reg, std=0.1)
        self.item_embedding = table("item_embedding", items, size, reg, std=0.1)
        self.user_bias = table("user_bias", users, 1, bias_reg)
        self.item_bias = table("item_bias", items, 1, bias_reg)

    def call(self, inputs: Any) -> Any:
        """Predictions (n, 1)."""
        u, i = (ops.reshape(ids, (-1,)) for ids in inputs)
        dot = ops.sum(self.user_embedding(u) * self.item_embedding(i), axis=1, keepdims=True)
        return self.global_mean + self.user_bias(u) + self.item_bias(i) + dot

    def factors(self) -> Factors:
        """The mean, the rows (b_u, p_u) and the rows (b_i, q_i)."""
        users = [as_numpy(t.embeddings) for t in (self.user_bias, self.user_embedding)]
        items = [as_numpy(t.embeddings) for t in (self.item_bias, self.item_embedding)]
        return self.global_mean, np.hstack(users), np.hstack(items)


class DeepRegressionModel(PairModel):
    """The exercises' model: both embeddings side by side, dense layers and dropout on top.

    Prediction:
        r_ui = mu + dense(dropout(relu(dense(... [p_u, q_i] ...))))

    Args:
        embedding_size: Length of each embedding.
        max_user_id, max_item_id: The largest ids.
        hidden: Sizes of the dense layers.
        dropout: Share of the outputs of each dense layer that is dropped in training, in [0, 1).
        global_mean: The initial value of the predictions.
        reg: Weight of the penalty |P|^2 + |Q|^2.
    """

    yields: ClassVar = True

    def __init__(
        self,
        embedding_size: int,
        max_user_id: int,
        max_item_id: int,
        hidden: Sequence[int] = (64, 32),
        dropout: float = 0.2,
        global_mean: float = 0.0,
        reg: float = 0.0,
    ) -> None:
        super().__init__(max_user_id, max_item_id)
        size = whole_number("embedding_size", embedding_size)
        self.user_embedding = table("user_embedding", self.max_user_id + 1, size, reg, std=0.05)
        self.item_embedding = table("item_embedding", self.max_item_id + 1, size, reg, std=0.05)
        self.flatten = layers.Flatten()
        self.concatenate = layers.Concatenate()
        self.hidden = [layers.Dense(whole_number("hidden", n), activation="relu") for n in hidden]
        self.dropouts = [layers.Dropout(dropout) for _ in hidden]
        start = keras.initializers.Constant(global_mean)
        self.rating = layers.Dense(1, bias_initializer=start)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Predictions (n, 1)."""
        user_vecs = self.flatten(self.user_embedding(inputs[0]))
        item_vecs = self.flatten(self.item_embedding(inputs[1]))
        x = self.concatenate([user_vecs, item_vecs])
        for dense, dropout in zip(self.hidden, self.dropouts, strict=True):
            x = dropout(dense(x), training=training)
        return self.rating(x)


def table(name: str, rows: int, size: int, reg: float = 0.0, std: float = 0.0) -> Any:
    """An embedding with zero or normal initial weights and the penalty reg |weights|^2."""
    layer = layers.Embedding(
        rows,
        size,
        embeddings_initializer=keras.initializers.RandomNormal(0.0, std) if std else "zeros",
        embeddings_regularizer=keras.regularizers.L2(reg) if reg else None,
        name=name,
    )
    layer.build(None)
    return layer


def _checked_ids(name: str, ids: Any, largest: int) -> Any:
    """Ids as int32, or an error that names the first bad id; a placeholder is not checked."""
    try:
        values = np.asarray(ids)
    except (TypeError, NotImplementedError, ValueError, RuntimeError):
        return ids  # a placeholder of a graph that is being compiled: fit has checked its ids
    numeric = values.dtype.kind in "iuf"
    bad = (values < 0) | (values > largest) | (values != np.floor(values)) if numeric else None
    if bad is None or bad.any():
        raise ArgumentError(
            name,
            expected=f"whole numbers from 0 to {largest}",
            received=f"values of type {values.dtype}" if bad is None else values[bad].flat[0],
            do="make the model with a larger maximum, or number the ids from 0",
        )
    return values.astype(np.int32)


def _array(values: Any) -> Any:
    """Ratings, from a list, an array or a series, as a float32 array; None stays None."""
    return None if values is None else np.asarray(values, dtype=np.float32)


def as_numpy(variable: Any) -> npt.NDArray[Any]:
    """The value of a Keras variable."""
    return np.asarray(ops.convert_to_numpy(variable.value))
