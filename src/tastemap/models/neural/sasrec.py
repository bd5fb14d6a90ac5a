"""The network of SASRec in Keras: a causal transformer, its sampled softmax, and its batches."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from tastemap.arrays import F32, I32, I64
from tastemap.models.neural.networks import as_numpy, table
from tastemap.models.neural.training import Row, seed_keras, train_by_epochs
from tastemap.models.transformer import EPSILON, Transformer

# Share of the updates over which the learning rate rises.
WARMUP = 0.05
# The logit of what is no candidate.
NO_CANDIDATE = -1e9


@dataclass(frozen=True)
class SequencePlan:
    """How to train: see `SASRec` for the meaning of each."""

    n_factors: int
    n_blocks: int
    window: int
    n_epochs: int
    batch_size: int
    learning_rate: float
    dropout: float
    n_negatives: int
    seed: int


class SASRecModel(keras.Model):
    """Logits of the item that follows each place of a sequence, and of items drawn beside it.

    ``[sequences, targets, drawn]`` in, logits (n, L, 1 + m) out, that of the target first:
    ``sequences`` and ``targets`` (n, L) are rows of items, filled up with n_items on the right,
    ``drawn`` (m,) are the other candidates, the same for all places.

    Args:
        n_items: Number of items.
        plan: Sizes and dropout.

    Attributes:
        parts: The weights of a `Transformer`, by their names there.
    """

    def __init__(self, n_items: int, plan: SequencePlan) -> None:
        super().__init__()
        self.n_items, self.plan = n_items, plan
        # A row more, for places that are filled up.
        std = 1 / math.sqrt(plan.n_factors)
        self.item_embedding = table("item_embedding", n_items + 1, plan.n_factors, std=std)
        self.item_bias = table("item_bias", n_items + 1, 1)
        shapes = Transformer.shapes(plan.n_factors, plan.n_blocks, plan.window)
        self.parts = {
            name: self.add_weight(shape, initializer=_initializer(name, plan.n_factors), name=name)
            for name, shape in shapes.items()
        }
        self.draws = keras.random.SeedGenerator(plan.seed)
        back = np.arange(plan.window)[:, None] - np.arange(plan.window)
        self.is_later, self.back = back < 0, np.maximum(back, 0)

    def states(self, sequences: Any, training: bool = False) -> Any:
        """The vectors (n, L, f) after each place: the equations of `Transformer`."""
        root = math.sqrt(self.plan.n_factors)
        x = self._dropped(self.item_embedding(sequences) * root, training)
        for block in range(self.plan.n_blocks):
            w = {name: part[block] for name, part in self.parts.items() if name != "norm"}
            y = normalised(x, w["attention_norm"]) @ w["projection"] + w["projection_bias"]
            q, k, v = ops.split(y, 3, axis=-1)
            logits = q @ ops.transpose(k, (0, 2, 1)) / root + ops.take(w["places"], self.back)
            a = ops.softmax(ops.where(self.is_later, NO_CANDIDATE, logits), axis=-1)
            x = x + self._dropped(a @ v @ w["output"] + w["output_bias"], training)
            hidden = ops.relu(normalised(x, w["map_norm"]) @ w["first"] + w["first_bias"])
            x = x + self._dropped(hidden @ w["second"] + w["second_bias"], training)
        return normalised(x, self.parts["norm"])

    def _dropped(self, x: Any, training: bool) -> Any:
        if not training or not self.plan.dropout:
            return x
        return keras.random.dropout(x, self.plan.dropout, seed=self.draws)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Logits (n, L, 1 + m); log(n_items / m) is added to those of the m drawn items."""
        sequences, targets, drawn = inputs
        p = self.states(sequences, training)
        of_target = ops.sum(p * self.item_embedding(targets), axis=-1, keepdims=True)
        of_target = of_target + self.item_bias(targets)
        correction = math.log(self.n_items / drawn.shape[0])
        of_drawn = p @ ops.transpose(self.item_embedding(drawn))
        of_drawn = of_drawn + ops.transpose(self.item_bias(drawn)) + correction
        is_target = ops.equal(ops.expand_dims(targets, -1), drawn)
        of_drawn = ops.where(is_target, NO_CANDIDATE, of_drawn)
        return ops.concatenate([of_target, of_drawn], axis=-1)

    def learnt(self) -> tuple[Transformer, F32, F32]:
        """The transformer, e (n_items, f) and b (n_items,)."""
        e, b = as_numpy(self.item_embedding.embeddings), as_numpy(self.item_bias.embeddings)
        parts = {name: as_numpy(part) for name, part in self.parts.items()}
        return Transformer(**parts), e[: self.n_items], b[: self.n_items, 0]


def _initializer(part: str, f: int) -> Any:
    """Norms that change nothing, biases and places of 0, and random maps."""
    if part.endswith("norm"):
        return keras.initializers.Constant(np.array([[1.0], [0.0]]))  # scale and shift
    if part.endswith("bias") or part == "places":
        return "zeros"
    return keras.initializers.RandomNormal(0.0, 1 / math.sqrt(f))


def normalised(x: Any, scale_and_shift: Any) -> Any:
    """Vectors (..., f) of mean 0 and variance 1, then scaled and shifted."""
    x = x - ops.mean(x, axis=-1, keepdims=True)
    deviation = ops.sqrt(ops.mean(ops.square(x), axis=-1, keepdims=True) + EPSILON)
    return x / deviation * scale_and_shift[0] + scale_and_shift[1]


def sampled_softmax(y_true: Any, y_pred: Any) -> Any:
    """The mean of -log p of the targets among their candidates, over the places that have one.

    Args:
        y_true: (n, L), 1 at a place that has a target, otherwise 0.
        y_pred: Logits (n, L, 1 + m), that of the target first.
    """
    losses = ops.logsumexp(y_pred, axis=-1) - y_pred[..., 0]
    return ops.sum(y_true * losses) / ops.sum(y_true)


class SequenceBatches(keras.utils.PyDataset):
    """Batches of parts of histories, of at most ``window`` places, each with the item that follows.

    Each epoch cuts longer histories at other places, and draws the order anew. The number of
    batches is the same in all: some parts come twice, or not, as the cuts give fewer or more.

    Args:
        items: Rows of items, user by user, oldest first.
        indptr: (n_users + 1,), where the items of each user begin.
        n_items: Number of items.
        plan: The window, the size of a batch, the items drawn for it, and the seed.
    """

    def __init__(self, items: I32, indptr: I64, n_items: int, plan: SequencePlan) -> None:
        super().__init__()
        self.items, self.n_items, self.plan = items, n_items, plan
        self.rng = np.random.default_rng(plan.seed)
        n_targets = np.maximum(np.diff(indptr) - 1, 0)
        self.begin, self.n_targets = indptr[:-1][n_targets > 0], n_targets[n_targets > 0]
        self.n_drawn = min(plan.n_negatives, n_items)
        # A cut elsewhere gives half a part more on average. Keras asks for the number once.
        is_cut = self.n_targets > plan.window
        n_parts = int(np.ceil(self.n_targets / plan.window + is_cut / 2).sum())
        size = max(1, min(plan.batch_size, n_parts))
        self.shape = (-(-n_parts // size), size)
        self.on_epoch_end()

    def __len__(self) -> int:
        return self.shape[0]

    def on_epoch_end(self) -> None:
        """Cut the histories: the first part of one that is longer than the window is shorter."""
        L, n = self.plan.window, self.n_targets
        shift = np.where(n > L, self.rng.integers(0, L, len(n)), 0)
        n_parts = -(-(n + shift) // L)
        user = np.repeat(np.arange(len(n)), n_parts)
        part = np.arange(len(user)) - np.repeat(np.cumsum(n_parts) - n_parts, n_parts)
        low, high = part * L - shift[user], (part + 1) * L - shift[user]
        self.start = self.begin[user] + np.maximum(low, 0)
        self.end = self.begin[user] + np.minimum(high, n[user])
        self.batches = np.resize(self.rng.permutation(len(user)), self.shape)

    def __getitem__(self, index: int) -> tuple[list[npt.NDArray[Any]], F32]:
        rows = self.batches[index]
        place = self.start[rows][:, None] + np.arange(self.plan.window)
        has_target = place < self.end[rows][:, None]
        place = np.where(has_target, place, 0)
        sequences, targets = (
            np.where(has_target, self.items[at], self.n_items).astype(np.int32)
            for at in (place, place + 1)
        )
        drawn = self.rng.choice(self.n_items, self.n_drawn, replace=False).astype(np.int32)
        return [sequences, targets, drawn], has_target.astype(np.float32)


def train_sequences(
    items: I32, indptr: I64, n_items: int, plan: SequencePlan, on_epoch: Callable[[Row], None]
) -> tuple[SASRecModel, list[Row]]:
    """A trained network, and its curve ``epoch, train_loss``; untrained if nobody has two items.

    Args:
        items: Rows of items, user by user, oldest first.
        indptr: (n_users + 1,), where the items of each user begin.
        n_items: Number of items.
        plan: How to train.
        on_epoch: Called after each epoch with its row of the curve.
    """
    seed_keras(plan.seed)
    batches = SequenceBatches(items, indptr, n_items, plan)
    network = SASRecModel(n_items, plan)
    if not len(batches):
        return network, []
    steps = plan.n_epochs * len(batches)
    warmup = max(1, round(WARMUP * steps))
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, max(steps - warmup, 1), warmup_target=plan.learning_rate, warmup_steps=warmup
    )
    network.compile(keras.optimizers.Adam(schedule, beta_2=0.98), loss=sampled_softmax)
    return network, train_by_epochs(network, batches, plan.n_epochs, on_epoch)
