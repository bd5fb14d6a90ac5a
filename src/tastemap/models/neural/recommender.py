"""``NeuralRecommender``: a `Recommender` of any Keras model that takes ``[users, items]``."""

import json
from dataclasses import replace
from typing import Any, ClassVar

import keras
import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.arrays import FloatArray, IndexArray, Mask
from tastemap.data.ratings import Ratings
from tastemap.data.splits import train_test_split
from tastemap.errors import ArgumentError, UnsupportedError
from tastemap.models.base.arrays import take
from tastemap.models.base.artifact import Artifact
from tastemap.models.base.capabilities import Capabilities
from tastemap.models.base.factors import Factors, HasFactors
from tastemap.models.base.recommender import Recommender
from tastemap.models.base.validation import positive, share, whole_number
from tastemap.models.neural.baseline import Baseline, network_share
from tastemap.models.neural.registry import named_network
from tastemap.models.neural.training import Batches, Plan, epoch_bar, losses, seed_keras, train

# Pairs predicted at once. The number is fixed: a backend compiles one shape only, and the
# prediction of a pair does not depend on the other pairs of a call.
CHUNK_ROWS = 4096

# With fewer ratings than this, none are held out.
MIN_RATINGS_TO_HOLD_OUT = 10


class NeuralRecommender(HasFactors):
    """A `Recommender` that trains a Keras model of pairs, with early stopping.

    References:
        The lab: explicit feedback as a regression problem on embeddings of users and items.

    Prediction:
        The output of the network for a user's row and an item's row: a rating (n, 1), or the
        probabilities (n, levels) of the values of the scale. A trained network of biases and
        factors (`PairModel.factors`) is saved as a `FactorModel`, which predicts, folds in,
        explains and loads without Keras. For a user or an item without a training rating it is the
        bias model's, to which both are the average of the others.

    Objective:
        The mean of ``loss`` over shuffled batches, minimised by Adam (Kingma and Ba 2015).

    Baseline:
        `"biased-dot"`, `"deep"` and `"ordinal"` have to show on the held-out ratings that they gain
        on the bias model, in their own loss and by more than chance. A network that does not, as on
        a table of few ratings a person, has a share of less than 1 in the predictions, and the bias
        model has the rest (`network_share`). The lab's network and your own are left as they are.

    Args:
        network: ``"dot"`` (the lab's), ``"biased-dot"``, ``"deep"`` or ``"ordinal"``; or a Keras
            model with weights for every row; or a function from `Ratings` to such a model.
        network_options: Constructor options of a named network (``{"embedding_size": 64}``).
        loss: A Keras loss; by default the absolute error, or for networks that give probabilities
            their negative logarithm.
        n_epochs: Largest number of passes over the ratings.
        batch_size: Number of ratings in an update.
        learning_rate: Learning rate of Adam.
        cosine_decay: Let the learning rate fall to zero over the epochs, along half a cosine
            (Loshchilov and Hutter 2017), so that the weights settle in the last epochs.
        validation_size: Share of the ratings, drawn at random, that judges the epochs, and the
            network beside the bias model, if `fit` gets no validation ratings; 0 for none. (Keras'
            ``validation_split`` takes the last rows: in a file sorted by user, these are users
            without training ratings.)
        patience: Epochs to wait for a lower validation loss before stopping; the weights of the
            best epoch are kept. None trains all epochs and keeps the last, as the lab does.

    Attributes:
        history_: Frame ``epoch, train_loss, validation_loss``.
        network_: The trained Keras model.
        network_share_: Its share in the predictions, from 0 to 1.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> model = NeuralRecommender("dot", n_epochs=2).fit(synthetic_ratings(), progress=False)
        >>> model.history_.columns, model.user_factors.shape
        (['epoch', 'train_loss', 'validation_loss'], (120, 64))
    """

    # XLA compiles for the shapes of the data: a fit on other data saves nothing.
    compiles: ClassVar = False

    def __init__(
        self,
        network: Any = "dot",
        network_options: dict[str, Any] | None = None,
        loss: Any = None,
        n_epochs: int = 10,
        batch_size: int = 64,
        learning_rate: float = 0.001,
        cosine_decay: bool = False,
        validation_size: float = 0.1,
        patience: int | None = None,
    ) -> None:
        self.network, self.network_options, self.loss = network, network_options or {}, loss
        self.n_epochs = whole_number("n_epochs", n_epochs)
        self.batch_size = whole_number("batch_size", batch_size)
        self.learning_rate = positive("learning_rate", learning_rate)
        self.cosine_decay = cosine_decay
        self.validation_size = validation_size
        self.patience = patience
        self._given_weights: Any = None

    def __str__(self) -> str:
        name = self.network if isinstance(self.network, str) else type(self.network).__name__
        return f"NeuralRecommender({name})"

    def _recipe(self) -> dict[str, Any] | None:
        """As in the base class; None for a custom network, which JSON cannot describe."""
        recipe = super()._recipe()
        try:
            json.dumps(recipe)
        except TypeError:
            return None
        return recipe

    # ---- training ----

    def _fit(self, ratings: Ratings, validation: Ratings | None, seed: int, progress: bool) -> None:
        seed_keras(seed)
        part, held_out = self._parts(ratings, validation, seed)
        self._make_network(part)
        plan = Plan(
            loss=self._training_loss,
            learning_rate=self.learning_rate,
            cosine_decay=self.cosine_decay,
            n_epochs=self.n_epochs,
            batch_size=min(self.batch_size, len(part)),
            patience=self.patience,
            seed=seed,
        )
        with epoch_bar(self.n_epochs, progress) as on_epoch:
            curves = train(
                self.network_,
                self._batches(part),
                None if held_out is None else self._batches(held_out),
                plan,
                on_epoch,
            )
        self.history_ = pl.DataFrame(curves)
        if not np.isfinite(curves[-1]["train_loss"]):
            raise ArgumentError(
                "network and its training",
                expected="a finite loss",
                received=curves[-1]["train_loss"],
                do="use a smaller learning_rate, or embeddings with a row for every user and item",
            )
        self._weigh(ratings, part, held_out)
        if hasattr(self.network_, "observe"):
            self.network_.observe(ratings)  # predictions also use the held-out ratings
        self._take_vectors(ratings, part)

    def _make_network(self, ratings: Ratings) -> None:
        """A new network by name or function, or the given model with its initial weights."""
        if isinstance(self.network, str):
            self.network_ = named_network(self.network, ratings, self.network_options)
        elif isinstance(self.network, keras.Model):
            self.network_ = self.network
        else:
            self.network_ = self.network(ratings) if callable(self.network) else self.network
        if not isinstance(self.network_, keras.Model):
            raise ArgumentError(
                "network",
                expected="a name, a Keras model, or a function of the ratings that makes one",
                received=type(self.network_).__name__,
            )
        # This builds the weights, and checks those of the first and the last row.
        users, items = (np.array([0, n - 1]) for n in (ratings.n_users, ratings.n_items))
        output = self._forward(users, items)
        if not np.isfinite(output).all():
            raise ArgumentError(
                "network",
                expected=f"room for {ratings.n_users} users and {ratings.n_items} items",
                received="no number for the last of them",
                do="make the network with larger embeddings",
            )
        width = output.shape[1]
        if isinstance(self.network, keras.Model):
            if self._given_weights is None:
                self._given_weights = self.network.get_weights()
            self.network.set_weights(self._given_weights)
        self._probable = width > 1 or getattr(self.network_, "gives_probabilities", False)
        levels = ratings.scale.levels
        if self._probable and (levels is None or width != len(levels)):
            raise ArgumentError(
                "network",
                expected=f"one output, or one for each value of the scale {ratings.scale}",
                received=f"{width} outputs",
            )

    def _parts(
        self, ratings: Ratings, validation: Ratings | None, seed: int
    ) -> tuple[Ratings, Ratings | None]:
        """The ratings to learn from, and those that judge the epochs: given or drawn at random."""
        if validation is not None:
            users, items = self.rows_of(validation)
            is_known = (users >= 0) & (items >= 0)
            same_rows = replace(
                ratings,
                user_index=users,
                item_index=items,
                rating=validation.rating,
                timestamp=None,
            )
            return ratings, same_rows.take(is_known) if is_known.any() else None
        if not self.validation_size or len(ratings) < MIN_RATINGS_TO_HOLD_OUT:
            return ratings, None
        return train_test_split(ratings, test_size=self.validation_size, seed=seed)

    @property
    def _training_loss(self) -> Any:
        return self.loss or ("sparse_categorical_crossentropy" if self._probable else "mae")

    def _batches(self, part: Ratings) -> Batches:
        target = part.rating
        if self._probable:
            scale = part.scale
            steps = (scale.clip(target) - scale.lowest) / (scale.step or 1.0)
            target = np.round(steps).astype(np.int32)
        return Batches(part.user_index, part.item_index, target)

    def _weigh(self, ratings: Ratings, part: Ratings, held_out: Ratings | None) -> None:
        """Set which rows the network has seen, and its share in the predictions of their pairs."""
        # The last place is that of the row -1, an unknown user or item.
        self._is_trained = [np.append(g.counts > 0, False) for g in (part.by_user, part.by_item)]
        self.network_share_ = 1.0
        if held_out is not None and getattr(self.network_, "yields", False):
            self.network_share_ = self._gaining_share(Baseline.of(part), held_out)
        self._baseline = Baseline.of(ratings)

    def _gaining_share(self, baseline: Baseline, held_out: Ratings) -> float:
        """The share of the network with which it gains on the baseline of the same ratings."""
        judged = held_out.take(self._knows(held_out.user_index, held_out.item_index))
        if len(judged) < MIN_RATINGS_TO_HOLD_OUT:
            return 0.0
        pairs, target = (judged.user_index, judged.item_index), self._batches(judged).target
        return network_share(
            lambda output: losses(self._training_loss, target, output),
            self._forward(*pairs),
            baseline.distribution(*pairs) if self._probable else baseline.predict(*pairs)[:, None],
        )

    def _take_vectors(self, ratings: Ratings, part: Ratings) -> None:
        """Set the factors of a network of factors; otherwise vectors to compare by, no prior."""
        factors = getattr(self.network_, "factors", lambda: None)()
        if factors is not None:
            mean, users, items = factors
            users, items = users[: part.n_users], items[: part.n_items]
            if self.network_share_ < 1:
                mean, users, items = self._mixed_factors(Factors.of(part, mean, users, items))
                part = ratings
            self.factors = Factors.with_estimated_prior(part, mean, users, items)
            return
        empty = (np.zeros((part.n_users, 0)), np.zeros((part.n_items, 0)))
        vectors = getattr(self.network_, "vectors", lambda: empty)()
        users, items = (np.pad(v, ((0, 0), (1, 0))) for v in vectors)
        self.factors = Factors.of(part, 0.0, users[: part.n_users], items[: part.n_items])

    def _mixed_factors(self, network: Factors) -> tuple[float, FloatArray, FloatArray]:
        """Mean and rows of the network's share and the bias model's; items keep their factors."""
        weight, bias = self.network_share_, self._baseline.bias.factors
        mean = weight * network.global_mean + (1 - weight) * bias.global_mean
        users, items = network.user_weights[:-1] * weight, network.item_weights[:-1].copy()
        items[:, 0] *= weight
        for rows, biases in ((users, bias.user_weights), (items, bias.item_weights)):
            rows[:, 0] += (1 - weight) * biases[:-1, 0]
        return mean, users, items

    @property
    def _is_factors(self) -> bool:
        """Whether predictions are those of the factors, not of the network."""
        return self.factors.prior is not None

    # ---- prediction ----

    @property
    def capabilities(self) -> Capabilities:
        """A network of factors folds in; one with an output for each rating has a distribution."""
        return replace(super().capabilities, distribution=getattr(self, "_probable", False))

    def _forward(self, user_index: IndexArray, item_index: IndexArray) -> FloatArray:
        """What the network gives for pairs of known rows, (n, width)."""
        outputs = []
        for start in range(0, len(user_index), CHUNK_ROWS):
            pairs = [column[start : start + CHUNK_ROWS] for column in (user_index, item_index)]
            n = len(pairs[0])
            padded = [np.pad(column, (0, CHUNK_ROWS - n)).astype(np.int32) for column in pairs]
            output = keras.ops.convert_to_numpy(self.network_(padded, training=False))
            outputs.append(output[:n].reshape(n, -1))
        return np.concatenate(outputs)

    def _knows(self, user_index: IndexArray, item_index: IndexArray) -> Mask:
        """Whether the network has seen ratings of both, (n,)."""
        users, items = self._is_trained
        return users[user_index] & items[item_index]

    def _mixed(
        self, user_index: IndexArray, item_index: IndexArray, outputs: FloatArray
    ) -> FloatArray:
        """The baseline's outputs (n, width), and in those of known pairs the network's share."""
        knows, weight = self._knows(user_index, item_index), self.network_share_
        if weight and knows.any():
            network = self._forward(user_index[knows], item_index[knows])
            outputs[knows] = weight * network + (1 - weight) * outputs[knows]
        return outputs

    def _predict(self, user_index: IndexArray, item_index: IndexArray) -> FloatArray:
        if self._is_factors:
            return super()._predict(user_index, item_index)
        levels = self.ratings_.scale.levels
        if self._probable and levels is not None:
            return self._predict_distribution(user_index, item_index) @ levels
        predicted = self._baseline.predict(user_index, item_index)[:, None]
        return self._mixed(user_index, item_index, predicted)[:, 0]

    def _predict_distribution(self, user_index: IndexArray, item_index: IndexArray) -> FloatArray:
        if not self._probable or self.ratings_.scale.levels is None:
            raise self._cannot("give a distribution over ratings")
        distribution = self._baseline.distribution(user_index, item_index)
        distribution = self._mixed(user_index, item_index, distribution)
        return distribution / distribution.sum(axis=1, keepdims=True)

    def _distribution_of(self, user: Any, item_index: IndexArray) -> FloatArray:
        return self._predict_distribution(np.full_like(item_index, user), item_index)

    def _user(self, user_index: int) -> Any:
        return super()._user(user_index) if self._is_factors else user_index

    def _score(self, user: Any) -> FloatArray:
        if self._is_factors:
            return super()._score(user)
        items = np.arange(self.ratings_.n_items, dtype=np.int32)
        return self._predict(np.full_like(items, user), items)

    def _score_many(
        self, user_index: IndexArray, out: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray | None]:
        if self._is_factors:
            return super()._score_many(user_index, out)
        return Recommender._score_many(self, user_index)

    # ---- the artifact ----

    def to_artifact(self) -> Artifact:
        """If the network consists of factors, only these: they need no Keras."""
        artifact = super().to_artifact()
        if self._is_factors:
            return replace(artifact, class_name="FactorModel", parameters={})
        return artifact

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        if self._is_factors:
            return super()._arrays()
        if not isinstance(self.network, str):
            raise UnsupportedError(
                "saving a network that is not one of tastemap's own",
                do="save model.network_ with Keras instead",
            )
        try:
            json.dumps([self.network_options, self.loss])
        except TypeError as error:
            raise UnsupportedError(
                "saving network options or a loss that are no plain values",
                do=f"use plain numbers, lists and the loss's name: {error}",
            ) from error
        weights = (v.value for v in self.network_.trainable_variables)
        users, items = self._is_trained
        return (
            super()._arrays()
            | {f"network_{n:03d}": keras.ops.convert_to_numpy(w) for n, w in enumerate(weights)}
            | {"trained_users": users.astype(np.float32), "trained_items": items.astype(np.float32)}
            | {"share": np.array([self.network_share_])}
        )

    def _restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        super()._restore(arrays)
        self.factors = replace(self.factors, prior=None)  # older versions saved one
        self._make_network(self.ratings_)
        names = sorted(name for name in arrays if name.startswith("network_"))
        for variable, name in zip(self.network_.trainable_variables, names, strict=True):
            variable.assign(take(arrays, name, *variable.shape))
        self._restore_baseline(arrays)

    def _restore_baseline(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """The share of the network, and the baseline; older versions saved neither."""
        data = self.ratings_
        self._is_trained = [np.append(g.counts > 0, False) for g in (data.by_user, data.by_item)]
        self.network_share_ = 1.0
        if "share" in arrays:
            rows = (("trained_users", data.n_users + 1), ("trained_items", data.n_items + 1))
            self._is_trained = [take(arrays, name, n) > 0 for name, n in rows]
            self.network_share_ = share("share", take(arrays, "share", 1).item())
        self._baseline = Baseline.of(data)
