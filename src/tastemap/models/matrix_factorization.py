"""Matrix factorisation with biases, by stochastic gradient descent: accurate within a second."""

from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemap.data.chunks import chunks
from tastemap.data.ratings import Ratings
from tastemap.data.splits import train_test_split
from tastemap.errors import ArgumentError
from tastemap.kernels.sgd import sgd_epoch, squared_error
from tastemap.models.base.evidence import Biases, chosen_damping, estimated_biases
from tastemap.models.base.factors import Factors, Prior, WarmStart
from tastemap.models.base.validation import not_negative, whole_number
from tastemap.support.deadline import current, deadline, is_over

# Standard deviation of the initial factors. With smaller ones the strongest directions of taste
# are learnt first, and the predictions for tables of few users are better.
INITIAL_DEVIATION = 0.01
# Larger factors do not fit in a processor's cache. The ratings are then visited block by block:
# the users' factors of a block, and the items', take at most BLOCK_BYTES.
CACHE_BYTES, BLOCK_BYTES = 2**23, 2**20
# Ratings of a table on disk that are read and shuffled at a time.
CHUNK_ROWS = 2**22
# Share of the ratings that judges the epochs if `patience` is given without validation.
HOLDOUT_SHARE = 0.1
# An update starts from the present factors times this. It and the share of the epochs below were
# chosen on inner validation parts of MovieLens 1M, for one update and for six in a row.
WARM_START_SHARE = 0.5
# The small fits that choose the damping: in half the epochs at twice the rate they come as far.
TRIAL_FACTORS, TRIAL_EPOCHS, TRIAL_RATE = 16, 10, 0.08

_Columns = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.float32]]
F32 = npt.NDArray[np.float32]
_Weights = tuple[F32, F32, F32, F32]


class _Descent(NamedTuple):
    """What an end of the epochs leaves.

    Attributes:
        weights: b_u, b_i, p, q for standardised ratings.
        mean: mu, which standardised ratings are relative to.
        history: The training curves.
        user_damping: That of the users' biases; 0 where the penalty was given instead.
    """

    weights: _Weights
    mean: float
    history: pl.DataFrame
    user_damping: float


class MatrixFactorization(WarmStart):
    """Biases and factors, learnt rating by rating.

    References:
        Koren, Bell, Volinsky, "Matrix factorization techniques for recommender systems", Computer
        42(8), 2009, equations 4 and 5 and the updates below them. Funk, "Netflix update: try this
        at home", 2006. Rendle, Zhang, Koren, "On the difficulty of evaluating baselines", 2019
        (how far the method goes once it is tuned).

    Prediction:
        r_ui = mu + b_u + b_i + p_u . q_i

    Objective:
        The sum over the ratings, in units of their standard deviation s, of e_ui^2, plus the sum
        over the users of d_u b_u^2 + (reg n_u + damping) |p_u|^2, and the same over the items; e_ui
        is the error, n_u the number of ratings. A step for one rating, which has its share of the
        penalties, 1 / n_u of the user's:
        b_u <- (b_u + eta e_ui) / (1 + eta d_u / n_u),
        p_u <- (p_u + eta e_ui q_i) / (1 + eta (reg + damping / n_u)), and the same for i.
        The learning rate eta falls in a straight line from epoch to epoch, to ``learning_rate`` /
        ``n_epochs`` in the last one. The ratings are put in a random order once. If the factors
        exceed 8 MiB, the order goes block by block of some users and some items, so that the
        factors of a block stay in the cache (Zhuang et al., "A fast parallel SGD for matrix
        factorization in shared memory systems", 2013, section 4.2).

    Penalties:
        The dampings d_u and d_i of the biases come from the variances of the biases and the noise,
        and mu and the biases to start from as well: `estimated_biases`. The damping of
        the factors is 0 where the ratings are many, and larger where rows have few or the factors
        explain little: `chosen_damping`, which tries small fits of 16 factors and 10 epochs on
        nine tenths of the ratings, one to four of them, each in a quarter of the time of the fit.

    Speed:
        A step reads and writes 16 f bytes of factors and computes 12 f operations. With 64 factors
        the tables of MovieLens 1M (2.5 MB) do not leave the caches, and a rating costs about
        30 ns on one core; 20 epochs over 900,000 ratings are 0.55 s.

    Update:
        The last half of the epochs of a fit, from the present biases and half the present factors.
        From whole factors, each update would fit the same ratings more closely.

    Args:
        n_factors: f, the length of p_u and q_i; multiples of 16 are fastest.
        n_epochs: Passes over the ratings; 0 leaves the initial weights, which predict the biases.
        learning_rate: eta of the first epoch.
        reg: Penalty of the factors for each rating.
        bias_reg: Penalty of the biases for each rating, in place of d_u / n_u and d_i / n_i; then
            they start at 0. None takes the dampings from the ratings.
        patience: Stop after this many epochs in a row without a lower validation error, and use
            the best epoch. Without ``validation`` a tenth of the ratings is held out to find the
            number of epochs; then the model learns from all ratings. None: never stop.
        damping: Penalty of the factors of a user or item, whatever the number of ratings. None
            tries several on held-out ratings.

    Attributes:
        damping_: The damping of the factors in the last fit.
        global_mean, user_bias, item_bias: mu, b_u (n_users,), b_i (n_items,).
        user_factors, item_factors: p_u (n_users, f), q_i (n_items, f).
        history_: Frame ``epoch, train_rmse`` and, with a validation part, ``validation_rmse``;
            the training error is measured during the epoch.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> model = MatrixFactorization(n_factors=16).fit(synthetic_ratings())
        >>> model.user_factors.shape, model.history_.columns
        ((120, 16), ['epoch', 'train_rmse'])
    """

    _share: ClassVar = 0.5

    def __init__(
        self,
        n_factors: int = 64,
        n_epochs: int = 20,
        learning_rate: float = 0.04,
        reg: float = 0.045,
        bias_reg: float | None = None,
        patience: int | None = None,
        damping: float | None = None,
    ) -> None:
        self.n_factors = whole_number("n_factors", n_factors)
        self.n_epochs = whole_number("n_epochs", n_epochs, at_least=0)
        self.learning_rate = not_negative("learning_rate", learning_rate)
        self.reg = not_negative("reg", reg)
        self.bias_reg = None if bias_reg is None else not_negative("bias_reg", bias_reg)
        self.patience = None if patience is None else whole_number("patience", patience)
        self.damping = None if damping is None else not_negative("damping", damping)

    def _fit(self, ratings: Ratings, validation: Ratings | None, seed: int, progress: bool) -> None:
        n_epochs, history = self.n_epochs, None
        damping = self.damping_ = self._damping_of_factors(ratings, seed)
        if self.patience and validation is None and self._start is None and len(ratings) > 1:
            inner, validation = train_test_split(ratings, HOLDOUT_SHARE, seed)
            with deadline(current().seconds_left / 2):
                history = self._descend(inner, validation, seed, n_epochs, damping).history
            n_epochs, validation = _best_epoch(history), None
        descent = self._descend(ratings, validation, seed, n_epochs, damping)
        self.history_ = descent.history if history is None else history
        # Back to the rating's units. A product of factors is a rating, so each takes a root of s.
        s, (b_u, b_i, p, q) = ratings.deviation, descent.weights
        users = np.column_stack([s * b_u, np.sqrt(s) * p])
        items = np.column_stack([s * b_i, np.sqrt(s) * q])
        loss = sum(
            squared_error(*_columns(ratings, rows, descent.mean, s), b_u, b_i, p, q)
            for rows in chunks(len(ratings))
        )
        counts, noise = ratings.by_user.counts, s**2 * loss / len(ratings)
        rated = counts > 0
        uncertainty = float(np.mean(noise / (counts[rated] + descent.user_damping)))
        prior = Prior.of_users(users[rated].astype(np.float64), noise, uncertainty)
        factors = Factors.of(ratings, descent.mean, users, items, prior)
        self.factors = factors.with_expected_item(ratings)

    def _damping_of_factors(self, ratings: Ratings, seed: int) -> float:
        """That of the constructor, or the one that small fits choose."""
        if self.damping is not None:
            return self.damping
        f = min(self.n_factors, TRIAL_FACTORS)
        small = MatrixFactorization(f, TRIAL_EPOCHS, TRIAL_RATE, self.reg, self.bias_reg)

        def trial(train: Ratings, held_out: Ratings, damping: float) -> tuple[F32, F32]:
            descent = small._descend(train, None, seed, TRIAL_EPOCHS, damping)
            b_u, b_i, p, q = descent.weights
            u, i = held_out.user_index, held_out.item_index
            r = _standardised(held_out.rating, descent.mean, train.deviation)
            return r - b_u[u] - b_i[i], np.einsum("nf,nf->n", p[u], q[i])

        return chosen_damping(ratings, seed, trial)

    def _descend(
        self, ratings: Ratings, validation: Ratings | None, seed: int, n_epochs: int, damping: float
    ) -> _Descent:
        """Run the epochs on standardised ratings."""
        rng = np.random.default_rng(seed)
        biases = estimated_biases(ratings) if self.bias_reg is None else None
        mean = ratings.global_mean if biases is None else biases.mean
        parts = _epoch_parts(ratings, mean, self.n_factors, rng)
        held_out = None
        if validation is not None:
            held_out = self._known_pairs(validation, mean, ratings.deviation)
        b_u, b_i, p, q = best = self._first_guess(ratings, biases, rng)
        curves, s = [], ratings.deviation
        for epoch in range(n_epochs - self._epochs(n_epochs), n_epochs):
            eta = self.learning_rate * (1 - epoch / self.n_epochs)
            if biases is not None:
                b_u /= np.float32(1 + eta * biases.user_damping)
                b_i /= np.float32(1 + eta * biases.item_damping)
            if damping:
                p /= np.float32(1 + eta * damping)
                q /= np.float32(1 + eta * damping)
            loss = 0.0
            for u, i, r in parts():
                loss += sgd_epoch(u, i, r, b_u, b_i, p, q, eta, self.reg, self.bias_reg or 0.0)
            self._check(loss)
            curves.append({"epoch": epoch + 1, "train_rmse": s * _root_mean(loss, len(ratings))})
            if held_out is not None:
                error = s * _root_mean(squared_error(*held_out, b_u, b_i, p, q), len(held_out[0]))
                curves[-1]["validation_rmse"] = error
                stop, improved = _early_stop(
                    [row["validation_rmse"] for row in curves], self.patience
                )
                if improved:
                    best = (b_u.copy(), b_i.copy(), p.copy(), q.copy())
                if stop:
                    break
            if is_over(len(curves), self._epochs(n_epochs)):
                break
        user_damping = 0.0 if biases is None else biases.user_damping
        return _Descent(best, mean, pl.DataFrame(curves), user_damping)

    def _first_guess(
        self, ratings: Ratings, biases: Biases | None, rng: np.random.Generator
    ) -> _Weights:
        """Estimated biases and small random factors; in an update from the present ones.

        Rows without a rating start, and stay, at 0.
        """
        sides, s = (ratings.by_user.counts > 0, ratings.by_item.counts > 0), ratings.deviation
        if self._start is not None:
            shrinkage = WARM_START_SHARE / np.sqrt(np.float32(s))
            (b_u, p), (b_i, q) = (
                (rated * weights[:, 0] / np.float32(s), rated[:, None] * weights[:, 1:] * shrinkage)
                for rated, weights in zip(sides, self._start, strict=True)
            )
            return b_u, b_i, p, q
        if biases is None:
            b_u, b_i = (np.zeros(len(rated), dtype=np.float32) for rated in sides)
        else:
            b_u, b_i = ((side / s).astype(np.float32) for side in (biases.user, biases.item))
        shapes = [(len(rated), self.n_factors) for rated in sides]
        p, q = (
            rng.normal(0, INITIAL_DEVIATION, shape).astype(np.float32) * rated[:, None]
            for shape, rated in zip(shapes, sides, strict=True)
        )
        return b_u, b_i, p, q

    def _known_pairs(self, validation: Ratings, mean: float, deviation: float) -> _Columns | None:
        """The validation ratings of known users and items; None if there are none."""
        u, i = self.rows_of(validation)
        rows = (u >= 0) & (i >= 0)
        r = _standardised(validation.rating[rows], mean, deviation)
        return (u[rows], i[rows], r) if rows.any() else None

    def _check(self, loss: float) -> None:
        if not np.isfinite(loss):
            raise ArgumentError(
                "learning_rate",
                expected="one that converges",
                received=f"{self.learning_rate}: the error grew without bound",
                do="use a smaller one",
            )


def _epoch_parts(
    ratings: Ratings, mean: float, n_factors: int, rng: np.random.Generator
) -> Callable[[], Iterable[_Columns]]:
    """A function that yields the ratings of an epoch in random order, in one part or in several.

    A table on disk is read in slices, of which one is in memory. Each epoch shuffles the slices,
    and the ratings of each slice.
    """
    s = ratings.deviation
    if not ratings.is_mapped:
        whole = _columns(ratings, _random_order(ratings, n_factors, rng), mean, s)
        return lambda: [whole]
    slices = list(chunks(len(ratings), CHUNK_ROWS))

    def streamed() -> Iterator[_Columns]:
        for number in rng.permutation(len(slices)):
            rows = slices[number]
            u, i, r = _columns(ratings, rows, mean, s)
            order = rng.permutation(len(r))
            yield u[order], i[order], r[order]

    return streamed


def _columns(
    ratings: Ratings, rows: slice | npt.NDArray[np.int32], mean: float, deviation: float
) -> _Columns:
    """Users, items and standardised ratings of some rows."""
    r = _standardised(ratings.rating[rows], mean, deviation)
    return ratings.user_index[rows], ratings.item_index[rows], r


def _random_order(
    ratings: Ratings, n_factors: int, rng: np.random.Generator
) -> npt.NDArray[np.int32]:
    """The rows of the ratings in a random order; block by block if the factors are large.

    Users and items are split at random into groups whose factors fit a cache. A block holds the
    ratings of a group of users for a group of items. Blocks and their ratings have random orders.
    """
    order = rng.permutation(len(ratings)).astype(np.int32)
    sides = (ratings.n_users, ratings.n_items)
    if 4 * n_factors * sum(sides) <= CACHE_BYTES:
        return order
    rows = max(BLOCK_BYTES // (4 * n_factors), 1)
    n_groups = [-(-n // rows) for n in sides]
    user_group, item_group = (
        rng.permutation(n) % groups for n, groups in zip(sides, n_groups, strict=True)
    )
    block = user_group[ratings.user_index] * n_groups[1] + item_group[ratings.item_index]
    place = rng.permutation(n_groups[0] * n_groups[1])
    # NumPy sorts integers of 16 bits by radix sort, in linear time.
    place = place.astype(np.uint16 if len(place) <= 2**16 else np.int64)
    return order[np.argsort(place[block[order]], kind="stable")]


def _early_stop(errors: list[float], patience: int | None) -> tuple[bool, bool]:
    """Whether to stop, and whether the last epoch is the one to keep."""
    since = len(errors) - 1 - int(np.argmin(errors))
    return patience is not None and since >= patience, patience is None or since == 0


def _best_epoch(history: pl.DataFrame) -> int:
    """The number of epochs with the least validation error; all epochs if it was not measured."""
    if "validation_rmse" not in history.columns:
        return len(history)
    return 1 + int(np.argmin(history["validation_rmse"].to_numpy()))


def _standardised(
    rating: npt.NDArray[np.float32], mean: float, deviation: float
) -> npt.NDArray[np.float32]:
    """(r - mu) / s."""
    return ((rating - mean) / deviation).astype(np.float32)


def _root_mean(total: float, n: int) -> float:
    return float(np.sqrt(total / n))
