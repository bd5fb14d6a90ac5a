"""A blend: the scores of several models added up, with weights learnt from hidden likes."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from tastemap.data.ratings import FloatArray, Ratings
from tastemap.data.splits import per_user_split
from tastemap.data.vocabulary import IndexArray
from tastemap.errors import ArgumentError
from tastemap.models import MODELS, make_model
from tastemap.models.base import Recommender
from tastemap.models.sums import WeightedSum

# The weights are tenths, and judged by lists of ten.
_STEPS = 10
_K = 10
# Scores of one member that are looked at to learn weights: so many users are drawn.
_SCORES = 2**23

_Floats = npt.NDArray[np.float32]


class _Hidden(NamedTuple):
    """The likes that judge weights.

    Attributes:
        train: The ratings that are left to learn from.
        users: int32 (n,), rows of the users who judge.
        likes: int64, ascending; the place of each hidden like in a matrix (n, n_items).
        best: float64 (n,), the largest gain that a list can have.
    """

    train: Ratings
    users: IndexArray
    likes: npt.NDArray[np.int64]
    best: npt.NDArray[np.float64]


class Blend(WeightedSum):
    """Several models that rank, each with a weight: better lists than those of any one of them.

    References:
        Caruana, Niculescu-Mizil, Crew, Ksikes, "Ensemble selection from libraries of models",
        ICML 2004, section 2 (greedy selection with replacement). Järvelin, Kekäläinen, "Cumulated
        gain-based evaluation of IR techniques", TOIS 2002 (NDCG).

    Prediction:
        s_ui = sum over the members m of w_m s_ui(m) / d_m, a score to rank by, where d_m is the
        spread of the member's scores: the standard deviation over the items, a user's on average.
        It is no rating, so `predict` is refused, and `recommend` leaves ``predicted_rating`` empty.
        Unknown users and items get what the members give them.

    Weights:
        A share of each user's ratings is hidden, and the members are fitted on the rest. From
        nothing, ten times, the member is added that makes the largest NDCG of the hidden likes in
        lists of ten unseen items; the best sum on the way counts. Then all members with a weight
        are fitted on all ratings. Without hidden likes all weights are equal.

    Fold-in:
        A new person is what each member makes of them.

    Similarity:
        That of the member with the largest weight that knows one.

    Args:
        models: Names of the members, ``("ease", "ials")`` or ``"ease,ials"``, or names with
            options of their constructors, ``{"ease": {}, "ials": {"n_factors": 128}}``.
        weights: w_m, one for each model, none negative; None learns them.
        holdout: Share of each user's ratings that is hidden to learn the weights.
        threshold: The rating from which on an item is liked, also for members to which none is
            given; None takes the upper quarter of the scale (4 of 1 to 5).

    Attributes:
        member_weights: w_m, float64 (n_models,), with the sum 1; a model with 0 is left out.
        spreads: d_m, float64 (n_models,).
        members: The fitted models of a weight above 0, by name.

    Example:
        >>> from tastemap.data.synthetic import synthetic_ratings
        >>> model = Blend(("ease", "popularity")).fit(synthetic_ratings())
        >>> model.recommend(ratings={1: 5, 3: 5}, k=3)["title"].str.head(6).to_list()
        ['Comedy', 'Comedy', 'Comedy']
    """

    parameters: ClassVar = ("models", "weights", "holdout", "threshold")

    def __init__(
        self,
        models: str | Sequence[str] | Mapping[str, Mapping[str, Any]] = ("ease", "ials"),
        weights: Sequence[float] | None = None,
        holdout: float = 0.2,
        threshold: float | None = None,
    ) -> None:
        if not 0 < holdout < 1:
            raise ArgumentError("holdout", expected="a share between 0 and 1", received=holdout)
        self.models = _with_options(models)
        self.weights = None if weights is None else _checked(weights, len(self.models))
        self.holdout, self.threshold = holdout, threshold
        for name in self.models:
            self._make(name)  # refuses wrong options now rather than in the fit

    # ---- learning ----

    def _fit(self, ratings: Ratings, validation: Ratings | None, seed: int, progress: bool) -> None:
        if self.weights is not None:
            weights = np.array(self.weights, dtype=np.float64)
        else:
            weights = self._learn_weights(ratings, seed, progress)
        self.member_weights, self.spreads = weights / weights.sum(), np.ones(len(weights))
        self.members = {}
        users = _drawn(np.flatnonzero(ratings.by_user.counts), ratings.n_items, seed)
        for m, name in enumerate(self.models):
            if weights[m]:
                member = self._make(name).fit(ratings, seed=seed, progress=progress)
                self.members[name] = member
                self.spreads[m] = _spread(member._score_many(users)[0])

    def _make(self, name: str) -> Recommender:
        """A new member, with this model's threshold unless it has its own."""
        member = make_model(name, **self.models[name])
        if "threshold" in member.parameters and "threshold" not in self.models[name]:
            vars(member)["threshold"] = self.threshold
        return member

    def _learn_weights(
        self, ratings: Ratings, seed: int, progress: bool
    ) -> npt.NDArray[np.float64]:
        hidden = self._hide(ratings, seed) if len(self.models) > 1 else None
        if hidden is None:
            return np.ones(len(self.models))
        scores = []
        for name in self.models:
            member = self._make(name).fit(hidden.train, seed=seed, progress=progress)
            scores.append(_standardised(member, hidden))
        return _selected(scores, hidden)

    def _hide(self, ratings: Ratings, seed: int) -> _Hidden | None:
        """Likes hidden from the members; None where no user can spare one."""
        most = int(ratings.by_user.counts.max())
        if most < 2 or self.holdout * most < 0.5:
            return None
        train, test = per_user_split(ratings, self.holdout, seed)
        likes = test.take(test.rating >= ratings.scale.liked_from(self.threshold))
        if not len(likes):
            return None
        users = _drawn(np.flatnonzero(likes.by_user.counts), ratings.n_items, seed)
        rows = np.concatenate([likes.by_user[int(user)] for user in users])
        n_likes = likes.by_user.counts[users]
        places = np.repeat(np.arange(len(users)), n_likes) * ratings.n_items
        best = np.cumsum(_discounts(_K))[np.minimum(n_likes, _K) - 1]
        return _Hidden(train, users, np.sort(places + likes.item_index[rows]), best)


def _with_options(models: Any) -> dict[str, dict[str, Any]]:
    """Names and options of the members, in their order."""
    if isinstance(models, str):
        models = models.split(",")
    named = models if isinstance(models, Mapping) else {name: {} for name in models}
    # What Keras trains may be saved as another model than it is.
    able = [name for name in MODELS if MODELS[name][0] not in ("Blend", "NeuralRecommender")]
    wrong = [name for name in named if name not in able]
    if wrong or not named or len(named) < len(models):
        raise ArgumentError(
            "models", expected=f"different names of {', '.join(able)}", received=models
        )
    return {name: dict(options) for name, options in named.items()}


def _checked(weights: Sequence[float], n: int) -> list[float]:
    checked = [float(weight) for weight in weights]
    if len(checked) != n or not all(0 <= w < np.inf for w in checked) or not sum(checked):
        raise ArgumentError(
            "weights",
            expected=f"{n} numbers, one for each model, none negative, not all 0",
            received=weights,
        )
    return checked


def _drawn(users: npt.NDArray[np.intp], n_items: int, seed: int) -> IndexArray:
    """Some of the users, at least one, so many that their scores can be held at once."""
    n = min(len(users), max(1, _SCORES // n_items))
    return np.sort(np.random.default_rng(seed).permutation(users)[:n]).astype(np.int32)


def _spread(scores: FloatArray) -> float:
    """The standard deviation over the items of scores (n, n_items), on average; 1 if there is none.

    >>> _spread(np.array([[1.0, 3.0], [2.0, 2.0]]))
    0.5
    """
    return float(scores.std(axis=1, dtype=np.float64).mean()) or 1.0


def _standardised(member: Recommender, hidden: _Hidden) -> _Floats:
    """Scores of a member, in units of their spread, with what has been seen left out."""
    from tastemap.kernels.best import leave_out

    train = hidden.train
    scores = member._score_many(hidden.users)[0]
    scores = (scores / _spread(scores)).astype(np.float32)
    by_user = train.by_user
    leave_out(scores, hidden.users, by_user.offsets, train.item_index[by_user.rows])
    return scores


def _selected(scores: Sequence[_Floats], hidden: _Hidden) -> npt.NDArray[np.float64]:
    """How often each member is selected, with replacement, on the way to the largest NDCG."""
    counts, best = np.zeros(len(scores)), np.zeros(len(scores))
    total, largest = np.zeros_like(scores[0]), -1.0
    for _ in range(_STEPS):
        gains = [_ndcg(total + own, hidden) for own in scores]
        chosen = int(np.argmax(gains))
        total += scores[chosen]
        counts[chosen] += 1
        if gains[chosen] > largest:
            largest, best = gains[chosen], counts.copy()
    return best


def _ndcg(scores: _Floats, hidden: _Hidden) -> float:
    """NDCG of the hidden likes in lists of ten."""
    from tastemap.kernels.best import best_of, shortlisted

    n, n_items = scores.shape
    k = min(_K, n_items)
    rows, owner, ends = shortlisted(scores, None, k)
    items, values = np.empty((n, k), np.int32), np.empty((n, k), np.float32)
    best_of(scores[owner, rows], rows, ends, k, items, values)
    hits = np.isin(np.arange(n)[:, None] * n_items + items, hidden.likes) & (items >= 0)
    return float((hits @ _discounts(k) / hidden.best).mean())


def _discounts(k: int) -> npt.NDArray[np.float64]:
    """1 / log2(rank + 1) of the ranks 1 to k."""
    return 1 / np.log2(np.arange(2, k + 2))
