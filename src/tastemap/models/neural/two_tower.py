"""Two towers that meet in a dot product, and their loss: a softmax over the items of a batch."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers, ops

from tastemap.data.ratings import Ratings
from tastemap.models.neural.networks import as_numpy, table
from tastemap.models.neural.training import Row, seed_keras

Floats = npt.NDArray[np.float32]
# Likes of one user that are to be found in an update, with the same history in front of them.
MAX_TARGETS = 8
# What an item is to a user in a batch, beside 1 for a like that is to be found.
NEGATIVE, LEFT_OUT = 0, -1


class TwoTowerModel(keras.Model):
    """One vector from what a user likes, one from an item, and how well they agree.

    ``[history, items]`` in, scores (n, m) out: ``history`` (n, n_items) has a 1 for each like that
    the user tower may read, ``items`` (m,) are the candidates, the same for all.

    References:
        Covington, Adams, Sargin, "Deep neural networks for YouTube recommendations", RecSys 2016,
        section 3 (a user is the average of embedded items). Yi et al., "Sampling-bias-corrected
        neural modeling for large corpus item recommendations", RecSys 2019, section 3 (the softmax
        over a batch, its correction, vectors of length 1, temperature).

    Prediction:
        s_ui = p_u . q_i / temperature + b_i with p_u = unit(sum of h_j over the likes j of u) and
        q_i = unit(e_i). The length of a sum does not count, so it is the average of what is liked.

    Args:
        n_factors: Length f of each vector.
        log_q: log Q_i (n_items,), how often an item is a candidate of a training batch.
        temperature: Of the softmax; the smaller, the more the best few candidates count.
    """

    def __init__(self, n_factors: int, log_q: Floats, temperature: float) -> None:
        super().__init__()
        n_items = len(log_q)
        std = 1 / np.sqrt(n_factors)  # vectors of length 1 to start with
        self.log_q, self.temperature = log_q, temperature
        # A dense layer on zeros and ones sums up the embeddings of the ones.
        self.history_sum = layers.Dense(
            n_factors,
            use_bias=False,
            kernel_initializer=keras.initializers.RandomNormal(0.0, std),
            name="history_embedding",
        )
        self.history_sum.build((None, n_items))
        self.item_embedding = table("item_embedding", n_items, n_factors, std=std)
        self.item_bias = table("item_bias", n_items, 1)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Scores (n, m) of candidates; in training less log Q, which makes up for their choice.

        Popular items are candidates more often. With log Q taken off, the sum over candidates in
        the softmax estimates that over all items; without, the popular would be pushed down.
        """
        history, items = inputs
        p, q = unit(self.history_sum(history)), unit(self.item_embedding(items))
        scores = p @ ops.transpose(q) / self.temperature + ops.transpose(self.item_bias(items))
        return scores - ops.take(self.log_q, items) if training else scores

    def learnt(self) -> tuple[Floats, Floats, Floats]:
        """Embeddings h (n_items, f), q (n_items, f) and b (n_items, 1)."""
        h, e = as_numpy(self.history_sum.kernel), as_numpy(self.item_embedding.embeddings)
        return h, np.asarray(unit(e)), as_numpy(self.item_bias.embeddings)


def unit(x: Any) -> Any:
    """Rows of length 1; a row of zeros stays one."""
    return x / ops.sqrt(ops.sum(x * x, axis=-1, keepdims=True) + 1e-6)


def sampled_softmax(y_true: Any, y_pred: Any) -> Any:
    """Minus the log-probability of each like among the candidates of its batch, a mean a user (n,).

    Args:
        y_true: (n, m): 1 for a like that is to be found, `NEGATIVE` for what the user does not
            like, `LEFT_OUT` for another like, which is neither.
        y_pred: Scores (n, m) less log Q.
    """
    found = ops.cast(y_true > 0, y_pred.dtype)
    rest = ops.logsumexp(ops.where(y_true == NEGATIVE, y_pred, -1e9), axis=1, keepdims=True)
    return ops.sum(found * ops.softplus(rest - y_pred), axis=1) / ops.sum(found, axis=1)


class UserBatches(keras.utils.PyDataset):
    """Users with some likes hidden, which are to be found by the others.

    Each epoch deals the likes of a user out anew, into groups of at most `MAX_TARGETS` and at most
    half of them, so that something is left to read; each group is a row of one batch. Of the likes
    that are left a share is dropped at random, so that no vector relies on another.

    Args:
        likes: Pairs of users and items, each a like.
        n_rows: Rows in a batch.
        dropout: Share of the history that is dropped.
        seed: Of the groups, the order and what is dropped.
    """

    def __init__(self, likes: Ratings, n_rows: int, dropout: float, seed: int) -> None:
        super().__init__()
        self.dropout, self.rng, self.n_items = dropout, np.random.default_rng(seed), likes.n_items
        self.counts, self.offsets = likes.by_user.counts, likes.by_user.indptr
        self.items = likes.item_index[likes.by_user.indices]
        self.users = likes.user_index[likes.by_user.indices]
        n = self.counts
        self.n_groups = -(-n // np.clip(n // 2, 1, MAX_TARGETS))  # of each user
        self.n_rows = min(n_rows, int(self.n_groups.sum()))
        # Groups are filled up to MAX_TARGETS, so a user's likes come up more or less often.
        often = MAX_TARGETS * self.n_groups / np.maximum(n, 1)
        q = np.bincount(self.items, often[self.users], minlength=likes.n_items)
        self.log_q = np.log(np.maximum(q, 1e-9) / q.sum()).astype(np.float32)
        self.on_epoch_end()

    def __len__(self) -> int:
        return math.ceil(int(self.n_groups.sum()) / self.n_rows)

    def on_epoch_end(self) -> None:
        """Deal the likes out into groups, and those to batches; the last is filled up."""
        dealt = self.items[np.lexsort((self.rng.random(len(self.items)), self.users))]
        user = np.repeat(np.arange(len(self.counts)), self.n_groups)
        number = np.arange(len(user)) - np.repeat(
            np.cumsum(self.n_groups) - self.n_groups, self.n_groups
        )
        # Group k of g begins at the like floor(k n / g) of n: all of nearly the same size.
        n, g = self.counts[user], self.n_groups[user]
        start, end = number * n // g, (number + 1) * n // g
        place = np.arange(MAX_TARGETS)
        size = (end - start)[:, None]
        targets = dealt[(self.offsets[user] + start)[:, None] + place % size]
        order = np.resize(self.rng.permutation(len(user)), (len(self), self.n_rows))
        self.batches = user[order], targets[order], (place < size)[order]

    def __getitem__(self, index: int) -> tuple[list[npt.NDArray[Any]], npt.NDArray[np.int8]]:
        user, targets, asked = (part[index] for part in self.batches)
        row = np.repeat(np.arange(len(user)), self.counts[user])
        before = np.cumsum(self.counts[user]) - self.counts[user]
        items = self.items[np.arange(len(row)) + (self.offsets[user] - before)[row]]
        liked = np.zeros((len(user), self.n_items), dtype=bool)
        liked[row, items] = True
        kept = self.rng.random(len(row)) >= self.dropout
        history = np.zeros(liked.shape, dtype=np.float32)
        history[row[kept], items[kept]] = 1
        history[np.arange(len(user))[:, None], targets] = 0
        candidates = targets.ravel()
        y = np.where(liked[:, candidates], LEFT_OUT, NEGATIVE).astype(np.int8)
        at = np.arange(len(candidates)).reshape(targets.shape)
        y[np.nonzero(asked)[0], at[asked]] = 1
        return [history, candidates], y


@dataclass(frozen=True)
class TowerPlan:
    """How to train: see `TwoTower` for the meaning of each."""

    n_factors: int
    n_epochs: int
    batch_size: int
    learning_rate: float
    temperature: float
    dropout: float
    seed: int


def train_towers(
    likes: Ratings, plan: TowerPlan, on_epoch: Callable[[Row], None]
) -> tuple[TwoTowerModel, list[Row]]:
    """A trained network of both towers, and its curve ``epoch, train_loss``."""
    seed_keras(plan.seed)
    batches = UserBatches(likes, -(-plan.batch_size // MAX_TARGETS), plan.dropout, plan.seed)
    network = TwoTowerModel(plan.n_factors, batches.log_q, plan.temperature)
    steps = plan.n_epochs * len(batches)
    schedule = keras.optimizers.schedules.CosineDecay(plan.learning_rate, steps)
    network.compile(keras.optimizers.Adam(schedule), loss=sampled_softmax)
    history: list[Row] = []

    def epoch_end(epoch: int, logs: dict[str, float]) -> None:
        history.append({"epoch": epoch + 1, "train_loss": float(logs["loss"])})
        on_epoch(history[-1])

    callback = keras.callbacks.LambdaCallback(on_epoch_end=epoch_end)
    network.fit(batches, epochs=plan.n_epochs, shuffle=False, verbose=0, callbacks=[callback])
    return network, history
