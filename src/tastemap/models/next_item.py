"""The next item: what people go on to, in closed form, and what they like once they come back."""

from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from tastemap.arrays import F32, F64, I64, AnyArray, FloatArray, IndexArray
from tastemap.data.feedback import Feedback
from tastemap.data.histories import gaps, histories, is_chosen
from tastemap.errors import ArgumentError
from tastemap.kernels.next_item import add_weighted_rows
from tastemap.models.base.arrays import take
from tastemap.models.base.artifact import Artifact
from tastemap.models.base.capabilities import Capabilities
from tastemap.models.base.explanation import Explanation
from tastemap.models.base.item_based import LikeModel, LikeTerm, RatedItems, at_items
from tastemap.models.base.regression import NewItems, square
from tastemap.models.base.user import User
from tastemap.models.base.validation import not_negative, positive, share, whole_number
from tastemap.models.ease import EASE
from tastemap.models.history_sums import HistorySums
from tastemap.models.pauses import N_LATEST_GAPS, Pauses, quantiles
from tastemap.models.trend import Trend
from tastemap.support.memory import require

# Arrays of items by items that a fit holds at once.
N_MATRICES = 6
# Power by which an item counts less as a target the more places after another it stands.
TARGET_POWER = 0.5
# Within these seconds before the latest item little is lost, beyond them with this power.
SITTING, ELAPSED_POWER = 60.0, 0.2
# Users of an item that it has in any case, so that a rare item is not lifted far above all others.
POPULARITY_DAMPING = 5.0


@dataclass(frozen=True)
class History:
    """What describes a user: their ratings, the places of these, and the moment of the question.

    Attributes:
        item_index: int32 (n,), rows of the items.
        rating: float32 (n,).
        place: int64 (n,), places back: 1 is the latest; 0 of what is disliked, and if the order is
            not known.
        elapsed: float64 (n,), seconds from each to the latest; 0 if times are not known.
        gap: Seconds since the latest; None if nobody has told.
        gaps: int64, seconds between the latest items, oldest first; none if times are not known.
        time: Seconds since 1970, when the question is asked; None if times are not known.
    """

    item_index: IndexArray
    rating: FloatArray
    place: I64
    elapsed: F64
    gap: float | None
    gaps: I64
    time: float | None


class NextItem(LikeModel):
    """What people go on to after their last items; the longer ago these are, the more taste counts.

    References:
        Choi, Kim, Lee, Shim, Lee, "Session-aware linear item-item models for session-based
        recommendation", WWW 2021 (SLIST): histories in decaying weights, and a linear map to the
        items that follow, in closed form. Steck, "Embarrassingly shallow autoencoders for
        sparse data", WWW 2019, and `EASE` here: the part of taste.

    Prediction:
        s_uj = the sum over the items i of u of k_i^-decay (1 + t_i / 60)^-0.2 B_ij, where i was k_i
        places back and t_i seconds before the latest item, and k_i is at most the window, plus
        taste / P(g) q_j^0.7 f_uj / sqrt(n_u). f_uj is the score of `EASE`, n_u the number of likes
        of u, q_j the trend. g is the time since the latest item, and P(g) the share of gaps in the
        training data that are longer, those as long counted by half: where the next item mostly
        follows at once, a pause is rare, and says that a new sitting begins. It is a score to rank
        by, not a rating, so `predict` is refused. An unknown user has no items; unknown items
        score 0.

    The gap:
        `later` says how long ago the latest item was. If nobody does, 1 / P(g) is the geometric
        mean over the 16 latest gaps of the user and 2 that are average for the training data: who
        comes back for one item at a time will do so again. A new user has the average.
        The trend q_j is the share of item j in the ratings of the 30 days before the moment of the
        question (that of the latest item, if nobody says when it is), over its share in all. No
        answer uses ratings after that moment for the trend.

    Objective:
        The sum over users and places t from 2 on of |y_t - s_t B|^2, plus the sum over items i of
        L_i |B_i|^2. s_t has k^-decay at the item k places before t. y_t has a 1 at the item at t,
        and a little at those after t: as much as makes an item count d^-0.5 in S'Y for another d
        places before it, within the window, where the next item alone would give d^-decay.
        L_i = reg mean_i (S'S)_ii + dropout / (1 - dropout) (S'S)_ii. The solution is
        B = (S'S + L)^-1 S'Y, and column j is multiplied by
        ((n_j + 5) / (mean of n + 5))^-popularity: n_j ratings of item j.

    Order:
        By time. Equal times of a user are put in an order that is drawn by the seed. Without times
        nothing is known of the order: B is 0, and the model ranks by taste. Interactions with a
        weight below 0 are no part of a history: nobody went on to what they dislike.

    Fold-in:
        A new user's items come in their order, oldest first, and without times: t_i = 0. B does not
        change, so the answer is that for a user of the training data who took up the same at once.

    Update:
        S'S and Y'S are sums over the histories. A model that was fitted, not loaded, keeps them: an
        update adds those of new and changed histories, takes away what these were, and solves. The
        result is that of a fit on all ratings, up to rounding.

    Similarity:
        What people go on to: B_ij for an item i, over the largest of its row beside B_ii.

    Speed:
        N ratings take N times the window pairs, each of two additions, and n items a Cholesky
        factorisation and a solution of together 7/3 n^3 operations, beside those of EASE. B takes
        4 n^2 bytes, and EASE as many.

    Args:
        window: K, the number of latest items that count.
        decay: Power by which the weight of an item falls with its place.
        reg: Penalty of B, in mean diagonals of S'S.
        dropout: Share of a history that is dropped in training, from 0 to below 1.
        popularity: Power by which the score of popular items is lowered.
        taste: Weight of taste; 0 leaves it out, and with it the gap.
        trend_days: Length, in days, of the period of the trend.
        threshold: Lowest rating that taste counts as a like; None takes the upper quarter of the
            scale. What people go on to is learnt from all ratings.

    Attributes:
        transitions: B, float32 (n_items, n_items); row i says what follows item i.
        gap_quantiles: float64 (1001,), quantiles of the gaps in seconds; empty without times.
        taste_model: The fitted `EASE`.
        gap: Seconds since the latest item, at which answers are made: a number, or (n_users,) with
            NaN where it is not known; None if nobody has told.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> model = NextItem(window=5).fit(synthetic_ratings())
        >>> model.recommend(history=[1, 3], k=3).columns
        ['rank', 'item_id', 'title', 'predicted_rating', 'score']
    """

    transitions: F32
    gap_quantiles: F64
    taste_model: EASE
    _updates = False
    learns_from_repeats = True

    # Chosen on the second last item of each user of MovieLens 1M.
    def __init__(
        self,
        window: int = 80,
        decay: float = 0.7,
        reg: float = 0.2,
        dropout: float = 0.25,
        popularity: float = 0.1,
        taste: float = 0.03,
        trend_days: float = 30.0,
        threshold: float | None = None,
    ) -> None:
        self.window, self.decay = whole_number("window", window), not_negative("decay", decay)
        self.reg = positive("reg", reg)
        self.dropout = share("dropout", dropout, with_one=False)
        self.popularity = share("popularity", popularity)
        self.taste = not_negative("taste", taste)
        self.trend_days = positive("trend_days", trend_days)
        self.threshold = threshold
        self.gap: float | FloatArray | None = None
        self._sums: HistorySums | None = None

    @property
    def capabilities(self) -> Capabilities:
        """Those of every model of likes; the order counts, and people go on to new items, too."""
        return replace(super().capabilities, ordered=True, new_items=True)

    # ---- learning ----

    def _fit(
        self, ratings: Feedback, validation: Feedback | None, seed: int, progress: bool
    ) -> None:
        self._check_size(ratings)
        self._forget()
        self.gap, before, self._sums = None, self._sums if self._updates else None, None
        self.taste_model = EASE(threshold=self.threshold).fit(ratings, seed=seed, progress=progress)
        n, history = ratings.n_items, histories(ratings, seed)
        self.transitions, self.gap_quantiles = np.zeros((n, n), dtype=np.float32), np.zeros(0)
        if history is None or history.counts.max() < 2:
            return
        place = np.arange(1, self.window + 1)
        w, v = self._weights(place), (place**-TARGET_POWER).astype(np.float32)
        items = ratings.item_index[history.indices]
        self._sums = HistorySums.of(n, w, v, history.indptr, items, before)
        self.transitions = self._solved(ratings, self._sums)
        self.gap_quantiles = quantiles(gaps(ratings, history))

    def update(self, ratings: Feedback, *, seed: int = 0, progress: bool = True) -> Self:
        """As in the base class; the sums over histories that stay what they are are kept."""
        self._updates = True
        try:
            return super().update(ratings, seed=seed, progress=progress)
        finally:
            self._updates = False

    def _solved(self, ratings: Feedback, sums: HistorySums) -> F32:
        """B = (S'S + L)^-1 S'Y, with the columns of popular items lowered."""
        G, R = sums.G.copy(), sums.R.copy()
        diagonal = G.diagonal()
        L = self.reg * diagonal.mean() + self.dropout / (1 - self.dropout) * diagonal
        np.fill_diagonal(G, diagonal + L)
        try:
            # LAPACK is column-major: it sees G', and our lower triangle is its upper one.
            factor = cho_factor(G.T, lower=False, overwrite_a=True, check_finite=False)
        except np.linalg.LinAlgError:
            expected = "a penalty that gives S'S + L an inverse in float32"
            do = "set reg higher"
            raise ArgumentError("reg", expected=expected, received=self.reg, do=do) from None
        B = cho_solve(factor, R.T, overwrite_b=True, check_finite=False)
        counts = ratings.by_item.counts + POPULARITY_DAMPING
        lowered = (counts / counts.mean()) ** -self.popularity
        return np.ascontiguousarray(B) * lowered.astype(np.float32)

    def work(self, ratings: Feedback) -> float:
        """As in the base class: the two closed forms, and the pairs of places."""
        pairs = float(len(ratings)) * self.window
        return float(ratings.n_items) ** 3 / 8 + pairs + super().work(ratings)

    def _check_size(self, ratings: Feedback) -> None:
        super()._check_size(ratings)
        what = f"for {N_MATRICES} weights for each pair of {ratings.n_items:,} items"
        n_bytes = 4 * N_MATRICES * ratings.n_items**2
        require(type(self).__name__, n_bytes, what, "use ALS or MatrixFactorization")

    def _weights_of(self, user: History) -> F32:
        """The weights (n,) of the items of a history."""
        elapsed = (1 + user.elapsed / SITTING) ** -ELAPSED_POWER
        return self._weights(user.place) * elapsed.astype(np.float32)

    def _weights(self, place: I64) -> F32:
        """k^-decay for places k (n,) within the window, otherwise 0."""
        inside = (place >= 1) & (place <= self.window)
        weights = np.maximum(place, 1).astype(np.float64) ** -self.decay
        return np.where(inside, weights, 0.0).astype(np.float32)

    def _forget(self) -> None:
        for name in ("_pauses", "_places", "_trend"):
            vars(self).pop(name, None)

    # ---- the moment of the question ----

    def later(self, gap: float | FloatArray) -> Self:
        """The same model, asked a while after the latest item of a user.

        Args:
            gap: Seconds, at least 0: a number, or one for each user of the training data, NaN where
                it is not known. The latter say nothing of a new user.

        Example:
            >>> from tastemap.data.datasets.synthetic import synthetic_ratings
            >>> model = NextItem(window=5).fit(synthetic_ratings())
            >>> len(model.later(86_400.0).recommend(1, k=3))
            3
        """
        gap = np.asarray(gap, dtype=np.float64)
        shapes = ((), (self.fitted_data.n_users,))
        seconds = gap if gap.shape == () else gap[~np.isnan(gap)]
        if gap.shape not in shapes or not (np.isfinite(seconds) & (seconds >= 0)).all():
            raise ArgumentError(
                "gap",
                expected="seconds, at least 0: a number, or one for each user, NaN if not known",
                received=f"shape {gap.shape}, {gap.min() if gap.size else 'none'} and more",
            )
        model = copy(self)
        model.gap = gap if gap.ndim else float(gap)
        return model

    def _gap_of(self, user_index: int) -> float | None:
        if self.gap is None or isinstance(self.gap, float):
            return self.gap
        gap = float(self.gap[user_index]) if user_index >= 0 else np.nan
        return None if np.isnan(gap) else gap

    def _taste_weights(self, user: History) -> tuple[float, FloatArray]:
        """Taste / P(g) / sqrt(n), and the trend q (n_items,) with its power."""
        if user.gap is None:
            rarity = self._pauses.usual_rarity(user.gaps)
        else:
            rarity = float(self._pauses.rarity(np.array([user.gap]))[0])
        n_likes = max(int(self._likes(user.rating).sum()), 1)
        weight = self.taste * float(np.exp(rarity)) / float(np.sqrt(n_likes))
        return weight, self._trend_at(user.time)

    @cached_property
    def _pauses(self) -> Pauses:
        return Pauses.of(self.gap_quantiles)

    def _trend_at(self, time: float | None) -> FloatArray:
        counts = self.ratings_.by_item.counts
        if time is None or self._trend is None:
            return np.ones(len(counts))
        return self._trend.lift(time, counts, self.trend_days)

    @cached_property
    def _trend(self) -> Trend | None:
        return Trend.of(self.fitted_data)

    @cached_property
    def _places(self) -> I64:
        """Places back (n_ratings,) of each training rating, 1 for the latest of its user."""
        data, history = self.fitted_data, histories(self.fitted_data, self.seed_)
        place = np.zeros(len(data), dtype=np.int64)
        if history is not None:
            end = history.indptr[data.user_index[history.indices] + 1]
            place[history.indices] = end - np.arange(len(end))
        return place

    # ---- scores ----

    def like_terms(self) -> list[LikeTerm]:
        """As in the base class: what people go on to, and taste with its trend."""
        places = self._weights(np.arange(1, self.window + 1))
        terms = [LikeTerm(self.transitions, places)]
        if self.taste:
            nobody = self._fold_in(np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32))
            weight, trend = self._taste_weights(nobody)
            liking = self.taste_model.item_weights * (weight * trend).astype(np.float32)
            terms.append(LikeTerm(liking, power=-0.5))
        return terms

    def _user(self, user_index: int) -> History:
        data = self.fitted_data
        rows = data.by_user[user_index] if user_index >= 0 else np.zeros(0, dtype=np.int64)
        gap, time, elapsed = self._gap_of(user_index), None, np.zeros(len(rows))
        place, between = self._places[rows], np.zeros(0, dtype=np.int64)
        if data.timestamp is not None and len(rows):
            latest = data.timestamp[rows].max()
            time = float(latest) + (gap or 0.0)
            elapsed = (latest - data.timestamp[rows]).astype(np.float64)
            times = np.sort(data.timestamp[rows[place > 0]]).astype(np.int64)
            between = np.diff(times[-N_LATEST_GAPS - 1 :]).astype(np.int64)
        return History(data.item_index[rows], data.values[rows], place, elapsed, gap, between, time)

    def _fold_in(self, item_index: IndexArray, rating: FloatArray) -> History:
        gap, time = self._gap_of(-1), None
        if self._trend is not None:
            time = float(self._trend.time[-1]) + (gap or 0.0)
        chosen = is_chosen(self.fitted_data, rating)
        place = np.where(chosen, np.cumsum(chosen[::-1])[::-1], 0).astype(np.int64)
        none = np.zeros(0, dtype=np.int64)
        return History(item_index, rating, place, np.zeros(len(rating)), gap, none, time)

    def _scores(self, rated: RatedItems | History, item_index: IndexArray) -> FloatArray:
        return at_items(self._score(rated), item_index, unknown=0.0)

    def _score(self, user: Any) -> FloatArray:
        latest = np.argsort(user.place, kind="stable")  # a fixed order of the sum
        latest = latest[(user.place[latest] >= 1) & (user.place[latest] <= self.window)]
        scores = np.zeros(self.ratings_.n_items, dtype=np.float32)
        rows = user.item_index[latest].astype(np.int64)
        add_weighted_rows(rows, self._weights_of(user)[latest], self.transitions, scores)
        if self.taste:
            weight, trend = self._taste_weights(user)
            rated = RatedItems(user.item_index, user.rating)
            liking = self.taste_model.score_rows(User(rated, *rated))
            scores += (weight * trend * liking).astype(np.float32)
        return scores

    def _parts(self, user: User, item: int) -> Explanation:
        history = user.description
        effects = self._weights_of(history) * self.transitions[user.item_index, item]
        if self.taste:
            weight, trend = self._taste_weights(history)
            liking = self.taste_model.item_weights[user.item_index, item]
            effects = effects + weight * trend[item] * np.where(
                self._likes(user.rating), liking, 0.0
            )
        return Explanation(user, (), effects, places_back=history.place)

    def _place(self, items: NewItems) -> None:
        self.transitions = square(items, self.transitions)
        self.taste_model = copy(self.taste_model)
        self.taste_model.ratings_ = self.ratings_
        self.taste_model._place(items)

    def _item_similarities(self, item: int) -> FloatArray:
        row = self.transitions[item].astype(np.float64)
        row[item] = 0
        return np.clip(row / (np.abs(row).max() or 1.0), -1.0, 1.0)

    # ---- the artifact ----

    def _arrays(self) -> dict[str, AnyArray]:
        arrays: dict[str, AnyArray] = {"transitions": self.transitions}
        arrays["gap_quantiles"] = self.gap_quantiles
        liking = self.taste_model.to_artifact().arrays
        return arrays | {f"taste.{name}": values for name, values in liking.items()}

    def _restore(self, arrays: dict[str, AnyArray]) -> None:
        n = self.ratings_.n_items
        self.transitions = take(arrays, "transitions", n, n)
        self.gap_quantiles = take(arrays, "gap_quantiles", None).astype(np.float64)
        if (np.diff(self.gap_quantiles) < 0).any():
            raise ValueError("gap_quantiles that do not ascend")
        taste = EASE(threshold=self.threshold)
        names = [name for name in arrays if name.startswith("taste.")]
        self.taste_model = EASE.from_artifact(
            Artifact(
                class_name="EASE",
                parameters=taste.get_params(),
                arrays={name.removeprefix("taste."): arrays.pop(name) for name in names},
                ratings=self.ratings_,
                seed=self.seed_,
                learnt_by=str(taste),
            )
        )
