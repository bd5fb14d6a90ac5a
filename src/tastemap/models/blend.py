"""A blend: the weighted sum of several models' scores, with weights learnt from hidden likes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tastemap.arrays import FloatArray, IndexArray
from tastemap.data.feedback import Feedback
from tastemap.data.splits import per_user_split
from tastemap.errors import ArgumentError
from tastemap.metrics.ranking import ndcg
from tastemap.models.base.arrays import take
from tastemap.models.base.artifact import Artifact
from tastemap.models.base.capabilities import Capabilities
from tastemap.models.base.explanation import Explanation, Part, PartKind, added_up
from tastemap.models.base.recommender import Recommender
from tastemap.models.base.regression import NewItems
from tastemap.models.base.user import User
from tastemap.models.base.validation import share
from tastemap.models.registry import MODELS, make_model
from tastemap.support.deadline import current, deadline

# Ten selections make the weights tenths; lists of ten items judge them.
SELECTION_STEPS = 10
LIST_LENGTH = 10
# Most scores of a member that are held at once; it limits the sample of users.
MAX_SCORES = 2**23

# The unit roundoff of float32.
ROUNDING = 2.0**-24

F32 = npt.NDArray[np.float32]


class HiddenLikes(NamedTuple):
    """The hidden likes that judge the weights.

    Attributes:
        train: The other ratings, on which the members are fitted.
        users: int32 (n,), rows of the users with hidden likes.
        likes: int64, ascending; the flat index of each hidden like in a matrix (n, n_items).
        n_likes: int64 (n,), number of hidden likes of each user.
    """

    train: Feedback
    users: IndexArray
    likes: npt.NDArray[np.int64]
    n_likes: npt.NDArray[np.int64]


class Blend(Recommender):
    """A weighted sum of several models that rank; its lists are better than those of each member.

    References:
        Caruana, Niculescu-Mizil, Crew, Ksikes, "Ensemble selection from libraries of models",
        ICML 2004, section 2 (greedy selection with replacement). Järvelin, Kekäläinen, "Cumulated
        gain-based evaluation of IR techniques", TOIS 2002 (NDCG).

    Prediction:
        s_ui = the sum over the members m of w_m s_ui(m) / d_m, a score to rank by. d_m is the
        spread of the member's scores: their standard deviation over items, averaged over users.
        It is not a rating: `predict` is refused, and `recommend` leaves ``predicted_rating`` empty.
        The members define the scores of unknown users and items.

    Weights:
        A share of each user's ratings is hidden, and the members are fitted on the rest. Ten
        selections follow: each adds to the sum the member that gives the largest NDCG of the
        hidden likes, in lists of ten unseen items. The sum with the largest NDCG gives the weights,
        and its members are fitted on all ratings. Without hidden likes all weights are equal.

    Fold-in:
        Each member folds in the new user's ratings.

    Similarity:
        That of the member with the largest weight among those that compare items.

    Args:
        models: Names of the members, ``("ease", "ials")`` or ``"ease,ials"``, or names with
            options of their constructors, ``{"ease": {}, "ials": {"n_factors": 128}}``.
        weights: w_m, one for each model, none negative; None learns them.
        holdout: Share of each user's ratings that is hidden to learn the weights.
        threshold: Lowest rating that counts as a like, also for members whose options give none;
            None takes the upper quarter of the scale (from 4 on a scale of 1 to 5).

    Attributes:
        member_weights: w_m, float64 (n_models,), with the sum 1; a model with 0 is left out.
        spreads: d_m, float64 (n_models,).
        members: The fitted models with a weight above 0, by name, in the order of ``models``.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> model = Blend(("ease", "popularity")).fit(synthetic_ratings())
        >>> model.recommend(ratings={1: 5, 3: 5}, k=3)["title"].str.head(6).to_list()
        ['Comedy', 'Comedy', 'Comedy']
    """

    models: dict[str, dict[str, Any]]
    members: dict[str, Recommender]
    member_weights: npt.NDArray[np.float64]
    spreads: npt.NDArray[np.float64]

    def __init__(
        self,
        models: str | Sequence[str] | Mapping[str, Mapping[str, Any]] = ("ease", "ials"),
        weights: Sequence[float] | None = None,
        holdout: float = 0.2,
        threshold: float | None = None,
    ) -> None:
        self.models = _with_options(models)
        self.weights = None if weights is None else _checked(weights, len(self.models))
        self.holdout = share("holdout", holdout, with_zero=False, with_one=False)
        self.threshold = threshold
        for name in self.models:
            self._make(name)  # refuses wrong options before the fit

    @property
    def capabilities(self) -> Capabilities:
        """To fold in, all members must; to compare items, one member must."""
        members = [member.capabilities for member in getattr(self, "members", {}).values()]
        return Capabilities(
            predicts=False,
            folds_in=all(member.folds_in for member in members),
            explains=True,
            similar_items=any(member.similar_items for member in members),
            interactions=all(self._make(name).capabilities.interactions for name in self.models),
            new_items=all(member.new_items for member in members),
        )

    # ---- learning ----

    def _fit(
        self, ratings: Feedback, validation: Feedback | None, seed: int, progress: bool
    ) -> None:
        if self.weights is not None:
            weights = np.array(self.weights, dtype=np.float64)
        else:
            weights = self._learn_weights(ratings, seed, progress)
        self.member_weights, self.spreads = weights / weights.sum(), np.ones(len(weights))
        self.members = {}
        users = _sample_users(np.flatnonzero(ratings.by_user.counts), ratings.n_items, seed)
        for m, name in enumerate(self.models):
            if weights[m]:
                with deadline(current().seconds_left / (len(weights) - m)):
                    member = self._make(name).fit(ratings, seed=seed, progress=progress)
                self.members[name] = member
                self.spreads[m] = _spread(member.score_users(users)[0])

    def _make(self, name: str) -> Recommender:
        """A new member, with the blend's threshold unless its options give one."""
        member = make_model(name, **self.models[name])
        if "threshold" in member.parameters and "threshold" not in self.models[name]:
            vars(member)["threshold"] = self.threshold
        return member

    def _learn_weights(
        self, ratings: Feedback, seed: int, progress: bool
    ) -> npt.NDArray[np.float64]:
        hidden = self._hide_likes(ratings, seed) if len(self.models) > 1 else None
        if hidden is None:
            return np.ones(len(self.models))
        scores = []
        for m, name in enumerate(self.models):
            with deadline(current().seconds_left / (2 * len(self.models) - m)):
                member = self._make(name).fit(hidden.train, seed=seed, progress=progress)
            scores.append(_standardised(member, hidden))
        return _selected(scores, hidden)

    def _hide_likes(self, ratings: Feedback, seed: int) -> HiddenLikes | None:
        """Likes hidden from the members; None if no user has ratings enough to hide one."""
        max_ratings = int(ratings.by_user.counts.max())
        if max_ratings < 2 or self.holdout * max_ratings < 0.5:
            return None
        train, test = per_user_split(ratings, self.holdout, seed)
        likes = test.likes(self.threshold)
        if not len(likes):
            return None
        users = _sample_users(np.flatnonzero(likes.by_user.counts), ratings.n_items, seed)
        rows = np.concatenate([likes.by_user[int(user)] for user in users])
        n_likes = likes.by_user.counts[users]
        places = np.repeat(np.arange(len(users)), n_likes) * ratings.n_items
        return HiddenLikes(train, users, np.sort(places + likes.item_index[rows]), n_likes)

    def work(self, ratings: Feedback) -> float:
        """As in the base class: that of the members."""
        return sum(self._make(name).work(ratings) for name in self.models)

    # ---- scores ----

    def _fold_in_seen(
        self, item_index: IndexArray, rating: FloatArray, seen: IndexArray
    ) -> tuple[User, ...]:
        members = self.members.values()
        return tuple(member.fold_in_rows(item_index, rating, seen) for member in members)

    def _user(self, user_index: int) -> tuple[User, ...]:
        return tuple(member.user_at(user_index) for member in self.members.values())

    def _score(self, user: tuple[User, ...]) -> FloatArray:
        members = zip(self.members.values(), user, strict=True)
        return self._weighted_sum(member.score_rows(member_user) for member, member_user in members)

    def _predict(self, user_index: IndexArray, item_index: IndexArray) -> FloatArray:
        members = self.members.values()
        return self._weighted_sum(member.predict_rows(user_index, item_index) for member in members)

    def _score_many(
        self, user_index: IndexArray, out: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray | None]:
        errors: list[FloatArray] = []
        rounded = False

        def scores() -> Iterator[FloatArray]:
            nonlocal rounded
            for c, member in self._coefficients():
                part, error = member.score_users(user_index)
                size = np.maximum(part.max(axis=1), -part.min(axis=1))
                if error is not None:  # then the scores may lack a constant of the user
                    rounded = True
                    first = member.predict_rows(user_index, np.zeros_like(user_index))
                    size += np.abs(first - part[:, 0])
                # A product and a sum with each other member are rounded, here and in `_predict`.
                bound = 2 * (1 + len(self.members)) * ROUNDING * size
                errors.append(c * (bound if error is None else bound + error))
                yield part

        total = self._weighted_sum(scores())
        return total, sum(errors, np.zeros(len(user_index))) if rounded else None

    def _weighted_sum(self, scores: Iterable[FloatArray]) -> F32:
        """The weighted sum of the members' scores, in float32 and in a fixed order."""
        total: F32 | None = None
        for (c, _), part in zip(self._coefficients(), scores, strict=True):
            weighted = c * part.astype(np.float32, copy=False)
            total = weighted if total is None else np.add(total, weighted, out=total)
        return total if total is not None else np.zeros(0, dtype=np.float32)

    def _coefficients(self) -> Iterator[tuple[np.float32, Recommender]]:
        """w_m / d_m and the member, for each member."""
        ratios = dict(zip(self.models, self.member_weights / self.spreads, strict=True))
        for name, member in self.members.items():
            yield np.float32(ratios[name]), member

    # ---- explanation and similarity ----

    def _explain(self, user: User, item: int) -> Explanation:
        """The members' explanations, weighted and added up.

        A member that cannot explain gives one part: its whole score.
        """
        explanations = []
        members = zip(self._coefficients(), user.description, strict=True)
        for (c, member), member_user in members:
            if member.capabilities.explains:
                explanation = member.explain_rows(member_user, item)
            else:
                score = Part(
                    PartKind.MEMBER, float(member.score_rows(member_user)[item]), str(member)
                )
                explanation = Explanation(user, (score,), np.zeros(len(user.rating)))
            explanations.append((float(c), explanation))
        return added_up(user, explanations)

    def _place(self, items: NewItems) -> None:
        self.members = {name: copy(member) for name, member in self.members.items()}
        for member in self.members.values():
            member.ratings_ = self.ratings_
            member._place(items)

    def _item_similarities(self, item: int) -> FloatArray:
        weight = dict(zip(self.models, self.member_weights, strict=True))
        for name in sorted(self.members, key=lambda name: -weight[name]):
            if self.members[name].capabilities.similar_items:
                return self.members[name].similarity_rows(item)
        raise self._cannot("compare items: none of its members can")

    # ---- the artifact ----

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        arrays = {"member_weights": self.member_weights, "spreads": self.spreads}
        for name, member in self.members.items():
            learnt = member.to_artifact().arrays
            arrays |= {f"{name}.{array}": values for array, values in learnt.items()}
        return arrays

    def _restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        n = len(self.models)
        self.member_weights = take(arrays, "member_weights", n)
        self.spreads = take(arrays, "spreads", n)
        if self.member_weights.min() < 0 or not self.member_weights.any():
            raise ValueError(f"weights {self.member_weights}")
        if not self.spreads.min() > 0:
            raise ValueError(f"spreads {self.spreads}")
        self.members = {
            name: self._restored(name, arrays)
            for name, weight in zip(self.models, self.member_weights, strict=True)
            if weight > 0
        }

    def _restored(self, name: str, arrays: dict[str, npt.NDArray[Any]]) -> Recommender:
        """A fitted member from its part of the arrays."""
        new, prefix = self._make(name), f"{name}."
        return type(new).from_artifact(
            Artifact(
                class_name=type(new).__name__,
                parameters=new.get_params(),
                arrays={
                    array.removeprefix(prefix): arrays.pop(array)
                    for array in list(arrays)
                    if array.startswith(prefix)
                },
                ratings=self.ratings_,
                seed=self.seed_,
                learnt_by=str(new),
            )
        )


def _with_options(models: Any) -> dict[str, dict[str, Any]]:
    """Names and options of the members, in their order."""
    if isinstance(models, str):
        models = models.split(",")
    named = models if isinstance(models, Mapping) else {name: {} for name in models}
    # A NeuralRecommender cannot be a member: it may be saved as another class.
    allowed = [name for name in MODELS if MODELS[name][0] not in ("Blend", "NeuralRecommender")]
    wrong = [name for name in named if name not in allowed]
    if wrong or not named or len(named) < len(models):
        raise ArgumentError(
            "models", expected=f"different names of {', '.join(allowed)}", received=models
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


def _sample_users(users: npt.NDArray[np.intp], n_items: int, seed: int) -> IndexArray:
    """A random sample of the users, at least one, with at most `MAX_SCORES` scores in all."""
    n = min(len(users), max(1, MAX_SCORES // n_items))
    return np.sort(np.random.default_rng(seed).permutation(users)[:n]).astype(np.int32)


def _spread(scores: FloatArray) -> float:
    """The mean over users of the standard deviation of scores (n, n_items); 1 if it is 0.

    >>> _spread(np.array([[1.0, 3.0], [2.0, 2.0]]))
    0.5
    """
    return float(scores.std(axis=1, dtype=np.float64).mean()) or 1.0


def _standardised(member: Recommender, hidden: HiddenLikes) -> F32:
    """Scores of a member, in units of their spread; rated items are left out."""
    from tastemap.kernels.top_k import leave_out

    train = hidden.train
    scores = member.score_users(hidden.users)[0]
    scores = (scores / _spread(scores)).astype(np.float32)
    by_user = train.by_user
    leave_out(scores, hidden.users, by_user.indptr, train.item_index[by_user.indices])
    return scores


def _selected(scores: Sequence[F32], hidden: HiddenLikes) -> npt.NDArray[np.float64]:
    """How often each member is selected, with replacement, in the sum with the largest NDCG."""
    counts, best = np.zeros(len(scores)), np.zeros(len(scores))
    total, largest = np.zeros_like(scores[0]), -1.0
    for _ in range(SELECTION_STEPS):
        gains = [_ndcg(total + part, hidden) for part in scores]
        chosen = int(np.argmax(gains))
        total += scores[chosen]
        counts[chosen] += 1
        if gains[chosen] > largest:
            largest, best = gains[chosen], counts.copy()
    return best


def _ndcg(scores: F32, hidden: HiddenLikes) -> float:
    """NDCG of the hidden likes in lists of ten."""
    from tastemap.kernels.top_k import best_rows

    n, n_items = scores.shape
    items, _ = best_rows(scores, min(LIST_LENGTH, n_items))
    hits = np.isin(np.arange(n)[:, None] * n_items + items, hidden.likes) & (items >= 0)
    return float(ndcg(hits, hidden.n_likes).mean())
