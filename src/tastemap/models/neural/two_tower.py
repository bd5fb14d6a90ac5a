"""Two towers that meet in a dot product, and their loss: a softmax over the items of a batch."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers, ops

from tastemap.data.interactions import Interactions
from tastemap.models.neural.networks import as_numpy, table
from tastemap.models.neural.training import Row, seed_keras, train_by_epochs

Floats = npt.NDArray[np.float32]
# Hidden likes of a user in one row of a batch; the same history predicts them all.
MAX_TARGETS = 8
# Labels of a user's candidates in a batch; a hidden like of the row has the label 1.
NEGATIVE, NEITHER = 0, -1


class TwoTowerModel(keras.Model):
    """A vector from the likes of a user, a vector from an item, and a score of the two.

    ``[history, items]`` in, scores (n, m) out: ``history`` (n, n_items) has a 1 for each like that
    the user tower reads, ``items`` (m,) are the candidates, the same for all rows.

    References:
        Covington, Adams, Sargin, "Deep neural networks for YouTube recommendations", RecSys 2016,
        section 3 (a user is the average of embedded items). Yi et al., "Sampling-bias-corrected
        neural modeling for large corpus item recommendations", RecSys 2019, section 3 (the softmax
        over a batch, its correction, vectors of length 1, temperature).

    Prediction:
        s_ui = p_u . q_i / temperature + b_i with p_u = unit(sum of h_j over the likes j of u) and
        q_i = unit(e_i). The length of the sum has no effect, so p_u is the direction of an average.

    Args:
        n_factors: Length f of each vector.
        log_q: log Q_i (n_items,), Q_i being how often item i is a candidate in training.
        temperature: Temperature of the softmax; a smaller one favours the best candidates more.
    """

    def __init__(self, n_factors: int, log_q: Floats, temperature: float) -> None:
        super().__init__()
        n_items = len(log_q)
        std = 1 / np.sqrt(n_factors)  # initial vectors have a length of about 1
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
        """Scores (n, m) of candidates; in training less log Q, the correction of the sampling bias.

        Popular items are candidates more often. With log Q subtracted, the sum over candidates in
        the softmax estimates the sum over all items. Otherwise popular items would score too low.
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
    """Rows of length 1; a row of zeros stays zero."""
    return x / ops.sqrt(ops.sum(x * x, axis=-1, keepdims=True) + 1e-6)


def sampled_softmax(y_true: Any, y_pred: Any) -> Any:
    """The mean of -log p of each row's hidden likes among the candidates of the batch, (n,).

    Args:
        y_true: (n, m): 1 for a hidden like of the row, `NEGATIVE` for an item that the user does
            not like, `NEITHER` for another like of the user.
        y_pred: Scores (n, m) less log Q.
    """
    targets = ops.cast(y_true > 0, y_pred.dtype)
    rest = ops.logsumexp(ops.where(y_true == NEGATIVE, y_pred, -1e9), axis=1, keepdims=True)
    return ops.sum(targets * ops.softplus(rest - y_pred), axis=1) / ops.sum(targets, axis=1)


class UserBatches(keras.utils.PyDataset):
    """Batches of users with some likes hidden; the user's other likes predict them.

    Each epoch splits the likes of a user anew into groups of at most `MAX_TARGETS`, and of at most
    half of the likes, so that others remain. One row of a batch hides one group. A share of the
    other likes is dropped at random, so that no vector depends on a single other one.

    Args:
        likes: Pairs of users and items, each a like.
        n_rows: Rows in a batch.
        dropout: Share of the history that is dropped.
        seed: Seed of the groups, their order and the dropout.
    """

    def __init__(self, likes: Interactions, n_rows: int, dropout: float, seed: int) -> None:
        super().__init__()
        self.dropout, self.rng, self.n_items = dropout, np.random.default_rng(seed), likes.n_items
        self.counts, self.offsets = likes.by_user.counts, likes.by_user.indptr
        self.items = likes.item_index[likes.by_user.indices]
        self.users = likes.user_index[likes.by_user.indices]
        n = self.counts
        self.n_groups = -(-n // np.clip(n // 2, 1, MAX_TARGETS))  # of each user
        self.n_rows = min(n_rows, int(self.n_groups.sum()))
        # Groups are filled up to MAX_TARGETS, so the likes of some users occur more often.
        frequency = MAX_TARGETS * self.n_groups / np.maximum(n, 1)
        q = np.bincount(self.items, frequency[self.users], minlength=likes.n_items)
        self.log_q = np.log(np.maximum(q, 1e-9) / q.sum()).astype(np.float32)
        self.on_epoch_end()

    def __len__(self) -> int:
        return math.ceil(int(self.n_groups.sum()) / self.n_rows)

    def on_epoch_end(self) -> None:
        """Split the likes into groups, and the groups into batches; the last is filled up."""
        shuffled = self.items[np.lexsort((self.rng.random(len(self.items)), self.users))]
        user = np.repeat(np.arange(len(self.counts)), self.n_groups)
        number = np.arange(len(user)) - np.repeat(
            np.cumsum(self.n_groups) - self.n_groups, self.n_groups
        )
        # Group k of g begins at the like floor(k n / g) of n: all of nearly the same size.
        n, g = self.counts[user], self.n_groups[user]
        start, end = number * n // g, (number + 1) * n // g
        place = np.arange(MAX_TARGETS)
        size = (end - start)[:, None]
        targets = shuffled[(self.offsets[user] + start)[:, None] + place % size]
        order = np.resize(self.rng.permutation(len(user)), (len(self), self.n_rows))
        self.batches = user[order], targets[order], (place < size)[order]

    def __getitem__(self, index: int) -> tuple[list[npt.NDArray[Any]], npt.NDArray[np.int8]]:
        user, targets, is_target = (part[index] for part in self.batches)
        row = np.repeat(np.arange(len(user)), self.counts[user])
        before = np.cumsum(self.counts[user]) - self.counts[user]
        items = self.items[np.arange(len(row)) + (self.offsets[user] - before)[row]]
        liked = np.zeros((len(user), self.n_items), dtype=bool)
        liked[row, items] = True
        stays = self.rng.random(len(row)) >= self.dropout
        history = np.zeros(liked.shape, dtype=np.float32)
        history[row[stays], items[stays]] = 1
        history[np.arange(len(user))[:, None], targets] = 0
        candidates = targets.ravel()
        y = np.where(liked[:, candidates], NEITHER, NEGATIVE).astype(np.int8)
        at = np.arange(len(candidates)).reshape(targets.shape)
        y[np.nonzero(is_target)[0], at[is_target]] = 1
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
    likes: Interactions, plan: TowerPlan, on_epoch: Callable[[Row], None]
) -> tuple[TwoTowerModel, list[Row]]:
    """A trained network of both towers, and its curve ``epoch, train_loss``."""
    seed_keras(plan.seed)
    batches = UserBatches(likes, -(-plan.batch_size // MAX_TARGETS), plan.dropout, plan.seed)
    network = TwoTowerModel(plan.n_factors, batches.log_q, plan.temperature)
    steps = plan.n_epochs * len(batches)
    schedule = keras.optimizers.schedules.CosineDecay(plan.learning_rate, steps)
    network.compile(keras.optimizers.Adam(schedule), loss=sampled_softmax)
    return network, train_by_epochs(network, batches, plan.n_epochs, on_epoch)
