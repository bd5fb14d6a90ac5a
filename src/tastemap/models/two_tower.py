"""Two towers: a user is the average of liked items, and gets the items near to it."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.arrays import FloatArray, IndexArray
from tastemap.data.feedback import Feedback
from tastemap.models.base.arrays import take
from tastemap.models.base.capabilities import Capabilities
from tastemap.models.base.factors import Array, FactorModel, Factors, Prior
from tastemap.models.base.regression import NewItems
from tastemap.models.base.validation import positive, share, whole_number


class TwoTower(FactorModel):
    """Vectors of items, and vectors of users from the items that they like, trained in Keras.

    References:
        Covington, Adams, Sargin, "Deep neural networks for YouTube recommendations", RecSys 2016,
        section 3 (a user is the average of embedded items). Yi et al., "Sampling-bias-corrected
        neural modeling for large corpus item recommendations", RecSys 2019, section 3 (the softmax
        over a batch, its correction, vectors of length 1, temperature).

    Prediction:
        s_ui = p_u . q_i / temperature + b_i with |q_i| = 1 and
        p_u = (sum of h_j over the likes j of u) / |the same sum|, a score to rank by. It is not a
        rating: `predict` is refused, and `recommend` leaves ``predicted_rating`` empty. A user
        without likes has p_u = 0. Items without likes count as unknown: q_i = 0 and the least bias.

    Objective:
        Some likes of a user are hidden, and the others predict them: the mean over hidden likes of
        -log(exp s_ui / (exp s_ui + sum over candidates j of exp(s_uj) / (m Q_j))). The m
        candidates are the hidden likes of all users in the batch, without the likes of u. Q_j is
        the probability that j is drawn, so the sum estimates the sum over all items.

    Fold-in:
        A new user's vector is the same average; nothing is learnt.

    Args:
        n_factors: f, the length of a vector.
        n_epochs: Number of passes over the likes.
        batch_size: Number of hidden likes in an update; they are also the candidates.
        learning_rate: Learning rate of Adam; it falls to zero along half a cosine.
        temperature: Temperature of the softmax; a smaller one favours the best candidates more.
        dropout: Share of a user's other likes that is dropped in training, from 0 to below 1.
        threshold: Lowest rating that counts as a like; None takes the upper quarter of the
            scale (from 4 on a scale of 1 to 5).

    Attributes:
        history_embedding: h_j, float32 (n_items, f).
        user_factors, item_factors: p_u / temperature (n_users, f), q_i (n_items, f).
        item_bias: b_i, (n_items,).
        history_: Frame ``epoch, train_loss``.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> model = TwoTower(n_epochs=5).fit(synthetic_ratings(), progress=False)
        >>> model.recommend(ratings={1: 5, 3: 5}, k=3)["title"].str.head(6).to_list()
        ['Comedy', 'Comedy', 'Comedy']
    """

    history_embedding: npt.NDArray[np.float32]

    def __init__(
        self,
        n_factors: int = 64,
        n_epochs: int = 10,
        batch_size: int = 1024,
        learning_rate: float = 0.02,
        temperature: float = 0.2,
        dropout: float = 0.5,
        threshold: float | None = None,
    ) -> None:
        self.n_factors = whole_number("n_factors", n_factors)
        self.n_epochs = whole_number("n_epochs", n_epochs)
        self.batch_size = whole_number("batch_size", batch_size)
        self.learning_rate = positive("learning_rate", learning_rate)
        self.temperature = positive("temperature", temperature)
        self.dropout, self.threshold = share("dropout", dropout, with_one=False), threshold

    @property
    def capabilities(self) -> Capabilities:
        """Scores that rank items and are not ratings; likes may be interactions."""
        capabilities = replace(super().capabilities, predicts=False, interactions=True)
        return replace(capabilities, standard_errors=False)

    def _fit(
        self, ratings: Feedback, validation: Feedback | None, seed: int, progress: bool
    ) -> None:
        from tastemap.models.neural.training import epoch_bar
        from tastemap.models.neural.two_tower import TowerPlan, train_towers

        likes = ratings.likes(self.threshold)
        liked = likes.by_item.counts > 0
        h, q, b = (np.zeros((len(liked), size), np.float32) for size in (*2 * [self.n_factors], 1))
        if len(likes):
            options = {name: getattr(self, name) for name in self.parameters if name != "threshold"}
            with epoch_bar(self.n_epochs, progress) as on_epoch:
                network, curve = train_towers(likes, TowerPlan(**options, seed=seed), on_epoch)
            h, q, b = network.learnt()
            self.history_ = pl.DataFrame(curve)
        self.history_embedding = (h * liked[:, None]).astype(np.float32)
        sums = np.zeros((ratings.n_users, self.n_factors), dtype=np.float32)
        np.add.at(sums, likes.user_index, self.history_embedding[likes.item_index])
        users, items = np.pad(self._directed(sums), ((0, 0), (1, 0))), np.hstack([b, q])
        size = 1 + self.n_factors
        factors = Factors.of(ratings, 0.0, users, items, Prior(np.zeros(size), np.eye(size)))
        without_likes = np.append(~liked, True)  # the last row stands for an unknown item
        factors.item_weights[without_likes] = 0
        factors.item_weights[without_likes, 0] = b[liked].min() if liked.any() else 0
        self.factors = factors

    def _directed(self, sums: Array) -> Array:
        """Rows of length 1 / temperature; a row of zeros stays zero."""
        length = np.linalg.norm(sums, axis=-1, keepdims=True)
        return sums / (self.temperature * np.maximum(length, 1e-12))

    def _rating_effects(self, item_index: IndexArray, rating: FloatArray) -> Array:
        """What each like adds to the vector of a user: columns (1 + f, n)."""
        h = self.history_embedding[item_index].astype(np.float64)
        h *= self.fitted_data.liked(rating, self.threshold)[:, None]
        length = max(float(np.linalg.norm(h.sum(axis=0))), 1e-12)
        return np.pad(h / (self.temperature * length), ((0, 0), (1, 0))).T

    def _place(self, items: NewItems) -> None:
        weights = self.factors.item_weights
        rows = items.put(weights[:-1], items.expected(weights[:-1], None, weights[-1]))
        self.factors = replace(self.factors, item_weights=np.vstack([rows, weights[-1:]]))
        history = items.expected(self.history_embedding, None)
        self.history_embedding = items.put(self.history_embedding, history)

    def _arrays(self) -> dict[str, Array]:
        return super()._arrays() | {"history_embedding": self.history_embedding}

    def _restore(self, arrays: dict[str, Array]) -> None:
        super()._restore(arrays)
        self.history_embedding = take(arrays, "history_embedding", *self.item_factors.shape)
