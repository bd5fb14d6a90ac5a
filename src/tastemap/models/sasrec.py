"""SASRec: the next item from a transformer over a user's latest items, trained in Keras."""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from tastemap.arrays import F32, AnyArray, FloatArray, IndexArray
from tastemap.data.feedback import Feedback, Groups
from tastemap.data.histories import histories
from tastemap.data.ratings import Ratings
from tastemap.models.base.capabilities import Capabilities
from tastemap.models.base.explanation import Explanation
from tastemap.models.base.factors import Factors, HasFactors
from tastemap.models.base.user import User
from tastemap.models.base.validation import positive, share, whole_number
from tastemap.models.transformer import Transformer


class SASRec(HasFactors):
    """What people go on to after their last items, by self-attention over these.

    References:
        Kang, McAuley, "Self-attentive sequential recommendation", ICDM 2018. Its binary loss is
        replaced by a sampled softmax, as in Klenitskiy, Vasilev, "Turning dross into gold loss: is
        BERT4Rec really better than SASRec?", RecSys 2023.

    Prediction:
        s_uj = p_u . e_j + b_j, where p_u is the output of the `Transformer` after the latest items
        of u, as many as the window has. It is a score to rank by, not a rating, so `predict` is
        refused. An unknown user has p_u = 0. Items that nobody took up count as unknown: e_j = 0
        and the least bias.

    Objective:
        The mean over users and places t from 2 on of -log p(item at t | items before), p being the
        softmax of s over all items. The sum over items is estimated from some that are drawn for
        each update: N / n of the sum over n of N.

    Order:
        As in `NextItem`: by time; equal times, and all items of a table without times, in an order
        that is drawn by the seed. Every rating is an item taken up, whatever its value; of
        interactions those of a weight above 0.

    Fold-in:
        A new user's vector is the output after their items, oldest first; nothing is learnt.

    Args:
        n_factors: f, the length of a vector.
        n_blocks: Blocks of the transformer.
        window: Number of latest items that it looks at.
        n_epochs: Number of passes over the data.
        batch_size: Sequences in an update; a longer history is cut into several.
        learning_rate: Of Adam; it rises over a twentieth of the updates, and falls to zero along
            half a cosine.
        dropout: Share of the vectors' numbers that is dropped in training, from 0 to below 1.
        n_negatives: Items drawn for an update; all, where there are no more.

    Attributes:
        item_factors, item_bias: e_j, float32 (n_items, f), and b_j, (n_items,).
        user_factors: p_u, float32 (n_users, f).
        transformer: The `Transformer`.
        history_: Frame ``epoch, train_loss``.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> model = SASRec(n_factors=8, n_epochs=1).fit(synthetic_ratings(), progress=False)
        >>> model.recommend(history=[1, 3], k=3).columns
        ['rank', 'item_id', 'title', 'predicted_rating', 'score']
    """

    transformer: Transformer
    learns_from_repeats = True

    # Chosen on the second last item of each user of MovieLens 1M.
    def __init__(
        self,
        n_factors: int = 64,
        n_blocks: int = 2,
        window: int = 50,
        n_epochs: int = 20,
        batch_size: int = 32,
        learning_rate: float = 0.003,
        dropout: float = 0.2,
        n_negatives: int = 256,
    ) -> None:
        self.n_factors = whole_number("n_factors", n_factors)
        self.n_blocks = whole_number("n_blocks", n_blocks)
        self.window = whole_number("window", window)
        self.n_epochs = whole_number("n_epochs", n_epochs)
        self.batch_size = whole_number("batch_size", batch_size)
        self.learning_rate = positive("learning_rate", learning_rate)
        self.dropout = share("dropout", dropout, with_one=False)
        self.n_negatives = whole_number("n_negatives", n_negatives)

    @property
    def capabilities(self) -> Capabilities:
        """Scores that rank items and are no sums; new users by their items, in order."""
        return replace(
            super().capabilities, predicts=False, folds_in=True, explains=False, interactions=True
        )

    # ---- learning ----

    def _fit(
        self, ratings: Feedback, validation: Feedback | None, seed: int, progress: bool
    ) -> None:
        from tastemap.models.neural.sasrec import SequencePlan, train_sequences
        from tastemap.models.neural.training import epoch_bar

        taken = ratings.take(np.flatnonzero(_is_taken(ratings, ratings.values)))
        history = _ordered(taken, seed)
        items = taken.item_index[history.indices]
        with epoch_bar(self.n_epochs, progress) as on_epoch:
            network, curve = train_sequences(
                items,
                history.indptr,
                ratings.n_items,
                SequencePlan(**self.get_params(), seed=seed),
                on_epoch,
            )
        self.history_ = pl.DataFrame(curve)
        self.transformer, e, b = network.learnt()
        is_known = taken.by_item.counts > 0
        least = b[is_known].min() if is_known.any() else 0.0
        weights = np.column_stack([np.where(is_known, b, least), e * is_known[:, None]])
        weights = np.vstack([weights, [least, *np.zeros(self.n_factors)]]).astype(np.float32)
        states = [
            self._state(weights, items[start:end])
            for start, end in zip(history.indptr[:-1], history.indptr[1:], strict=True)
        ]
        nobody = np.zeros((1, weights.shape[1]), dtype=np.float32)
        self.factors = Factors(0.0, np.vstack([*states, nobody]), weights)

    def _state(self, item_weights: F32, item_index: IndexArray) -> F32:
        """The weights (0, p_u) of a user, float32 (1 + f,)."""
        state = self.transformer.state(item_weights[:, 1:], item_index)
        return np.concatenate([[0.0], state]).astype(np.float32)

    # ---- hooks ----

    def _fold_in(self, item_index: IndexArray, rating: FloatArray) -> F32:
        taken = item_index[_is_taken(self.fitted_data, rating)]
        return self._state(self.factors.item_weights, taken)

    def _explain(self, user: User, item: int) -> Explanation:
        raise self._cannot("explain a prediction: it is no sum of parts")

    def _lifts(self, user: User, item_index: IndexArray) -> FloatArray:
        raise self._cannot("say what a rating adds to a score: it is no sum of parts")

    def _arrays(self) -> dict[str, AnyArray]:
        return super()._arrays() | self.transformer.arrays()

    def _restore(self, arrays: dict[str, Any]) -> None:
        super()._restore(arrays)
        f = self.item_factors.shape[1]
        if f != self.n_factors:
            raise ValueError(f"{f} factors, where n_factors is {self.n_factors}")
        self.transformer = Transformer.from_arrays(arrays, f, self.n_blocks, self.window)


def _is_taken(data: Feedback, values: FloatArray) -> Any:
    """Which rows (n,) say that an item was taken up."""
    return np.ones(len(values), dtype=bool) if isinstance(data, Ratings) else values > 0


def _ordered(taken: Feedback, seed: int) -> Groups:
    """The rows of each user in order; in a drawn one, if the table says nothing of the order."""
    history = histories(taken, seed)
    if history is not None:
        return history
    drawn = np.random.default_rng(seed).permutation(len(taken))
    return Groups(taken.by_user.indptr, np.lexsort((drawn, taken.user_index)))
