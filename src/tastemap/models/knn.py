"""Neighbourhood model: a user's ratings of the items most similar to an item predict its rating."""

from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from tastemap.arrays import FloatArray, IndexArray
from tastemap.data.feedback import Groups
from tastemap.data.ratings import Ratings
from tastemap.kernels.knn import pair_similarities, weighted_neighbours
from tastemap.models.base.arrays import take
from tastemap.models.base.artifact import Artifact
from tastemap.models.base.capabilities import Capabilities
from tastemap.models.base.evidence import held_out_parts, slope
from tastemap.models.base.explanation import Explanation, Part, PartKind
from tastemap.models.base.item_based import ItemModel, RatedItems
from tastemap.models.base.new_items import OF_THE_ITEMS
from tastemap.models.base.regression import NewItems, square
from tastemap.models.base.user import User
from tastemap.models.base.validation import not_negative, share, whole_number
from tastemap.models.bias import BiasModel

# What the weight is found with: the correlations of all users where they have few ratings, and of a
# quarter where they have many; and the most held-out ratings.
MAX_COMPARED, MIN_USERS_SHARE, MAX_HELD_OUT = 200_000, 0.25, 10_000
# So many users say how far tastes deviate from the baseline.
MAX_USERS = 200


class ItemKNN(ItemModel):
    """Predictions from the most similar items that a user has rated.

    References:
        Koren, "Factor in the neighbors: scalable and accurate collaborative filtering", ACM TKDD
        4(1), 2010, equations 2 and 3 and section 2.1 (baseline, shrunk correlation). Sarwar,
        Karypis, Konstan, Riedl, "Item-based collaborative filtering recommendation algorithms",
        WWW 2001.

    Prediction:
        r_ui = b_ui + c times the sum over j in N(u, i) of s_ij (r_uj - b_uj), divided by
        (the sum of s_ij + damping),
        with the baseline b_ui = mu + b_u + b_i of `BiasModel`. N(u, i) holds the n_neighbours
        items with the largest s_ij among the items that u has rated; only s_ij above 0 count.
        An unknown user or item has the baseline's prediction.

    Similarity:
        s_ij = n_ij / (n_ij + shrinkage) times the correlation of the residuals r_ui - b_ui and
        r_uj - b_uj over the n_ij users who have rated both.

    Weight:
        c is 1 where similar items are rated alike, and less where they are so by chance, as on a
        sparse table. It is the slope, on held-out ratings, of what the baseline leaves over what
        neighbours say, kept inside 0 and 1. For that correlations are computed without the held-out
        ratings; on a large table, of a quarter of the users.

    Standard errors:
        The square is that of the baseline, see `Uncertainty`, plus t^2 (1 - e) with
        e = (the sum of s_ij) / (the sum of s_ij + damping): the damped mean over the neighbours is
        the posterior mean of a deviation with the prior N(0, t^2), of which the share e is known
        (Gelman and others, "Bayesian data analysis", 2013, section 2.5). So the mean square of what
        neighbours say is t^2 times the mean of e, over the training ratings, which gives t^2.

    Fold-in:
        A new user's ratings enter the sum; the baseline folds in the user's bias.

    Args:
        n_neighbours: Number of neighbours.
        shrinkage: Number of common users at which a correlation is halved.
        damping: Number added to the sum of similarities: few or weak neighbours count less.
        weight: c, from 0 to 1; None finds it on held-out ratings.

    Attributes:
        baseline: The `BiasModel`.
        neighbour_weight: c of the last fit.
        item_similarity: s_ij, float32 (n_items, n_items), in [-1, 1]; the diagonal is 0.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> model = ItemKNN().fit(synthetic_ratings())
        >>> model.similar_items(1, k=3)["title"].str.head(6).to_list()
        ['Comedy', 'Comedy', 'Comedy']
    """

    baseline: BiasModel
    neighbour_weight: float
    item_similarity: npt.NDArray[np.float32]

    def __init__(
        self,
        n_neighbours: int = 30,
        shrinkage: float = 100.0,
        damping: float = 0.2,
        weight: float | None = None,
    ) -> None:
        self.n_neighbours = whole_number("n_neighbours", n_neighbours)
        self.shrinkage = not_negative("shrinkage", shrinkage)
        self.damping = not_negative("damping", damping)
        self.weight = None if weight is None else share("weight", weight)

    @property
    def capabilities(self) -> Capabilities:
        """As of every item-based model; new items have similarities, too."""
        return replace(super().capabilities, new_items=True, standard_errors=True)

    def _fit(self, ratings: Ratings, validation: Ratings | None, seed: int, progress: bool) -> None:
        self._check_size(ratings)
        self.neighbour_weight = (
            self._weight_of(ratings, seed) if self.weight is None else self.weight
        )
        self.baseline = BiasModel().fit(ratings, progress=False)
        self.item_similarity = self._similarities(ratings, self.baseline)

    def _similarities(self, ratings: Ratings, baseline: BiasModel) -> npt.NDArray[np.float32]:
        """s_ij, from a table of ratings and the residuals that a baseline leaves of them."""
        u, i = ratings.user_index, ratings.item_index
        residual = _residual(ratings, baseline)
        by_item = ratings.by_item
        by_user = Groups.of(u[by_item.indices], ratings.n_users)
        in_order = by_item.indices[by_user.indices]  # sorted by user, then by item
        similarity = np.zeros(2 * (ratings.n_items,), dtype=np.float32)
        pair_similarities(
            by_item.indptr,
            u[by_item.indices],
            residual[by_item.indices],
            by_user.indptr,
            i[in_order],
            residual[in_order],
            self.shrinkage,
            similarity,
        )
        return similarity

    def _weight_of(self, ratings: Ratings, seed: int) -> float:
        """The slope, on held-out ratings, of what the baseline leaves over what neighbours say."""
        parts = held_out_parts(ratings, seed)
        if parts is None:
            return 0.0
        train, held_out = parts
        baseline, rng = BiasModel().fit(train, progress=False), np.random.default_rng(seed)
        users_share = max(MAX_COMPARED / len(train), MIN_USERS_SHARE)
        is_compared = rng.random(ratings.n_users) < users_share
        compared = train.take(is_compared[train.user_index])
        if not len(compared):
            return 0.0
        similarity = self._similarities(compared, baseline)
        held_out = held_out.take(rng.permutation(len(held_out))[:MAX_HELD_OUT])
        residual, said = _residual(train, baseline), np.zeros(len(held_out), dtype=np.float32)
        by_user = Groups.of(held_out.user_index, held_out.n_users)
        for user in np.unique(held_out.user_index):
            rows, rated = by_user[user], train.by_user[user]
            effects = np.zeros(len(rows), dtype=np.float32)
            weighted_neighbours(
                held_out.item_index[rows],
                train.item_index[rated],
                residual[rated],
                similarity,
                self.n_neighbours,
                self.damping,
                effects,
            )
            said[rows] = effects
        rest = _residual(held_out, baseline).astype(np.float64)
        return min(max(slope(rest, said.astype(np.float64)), 0.0), 1.0)

    def work(self, ratings: Ratings) -> float:
        """As in the base class: the pairs of ratings of each user, and of items."""
        pairs = (ratings.by_user.counts.astype(np.float64) ** 2).sum()
        return float(pairs) + float(ratings.n_items) ** 2 + super().work(ratings)

    def _scores(self, rated: RatedItems, item_index: IndexArray) -> FloatArray:
        base, residual = self._baseline(rated)
        corrections = np.zeros(len(item_index), dtype=np.float32)
        weighted_neighbours(
            item_index,
            rated.item_index,
            residual,
            self.item_similarity,
            self.n_neighbours,
            self.damping,
            corrections,
        )
        return base[item_index] + self.neighbour_weight * corrections

    def _standard_errors(self, user: User, item_index: IndexArray) -> FloatArray:
        average = user._replace(description=self.baseline.factors.user_weights[-1])
        of_baseline = self.baseline._standard_errors(average, item_index)
        e = self._evidence(user.item_index, item_index)
        return np.sqrt(of_baseline**2 + self._deviation_variance * (1 - e))

    def _evidence(self, rated: IndexArray, item_index: IndexArray) -> npt.NDArray[np.float32]:
        """The share e of items (n,) for a user, in [0, 1]."""
        e = np.zeros(len(item_index), dtype=np.float32)
        said = np.ones(len(rated), dtype=np.float32)
        similarity = self.item_similarity
        options = (similarity, self.n_neighbours, self.damping)
        weighted_neighbours(item_index, rated, said, *options, e)
        return e

    @cached_property
    def _deviation_variance(self) -> float:
        """t^2, over the ratings of evenly spaced users."""
        data, squares, evidence = self.fitted_ratings, 0.0, 0.0
        users = np.flatnonzero(data.by_user.counts)
        for user in users[:: -(-len(users) // MAX_USERS)].tolist():
            rated = data.item_index[data.by_user[user]]
            description = self._user(user)
            base, _ = self._baseline(description)
            deviation = (self._scores(description, rated) - base[rated]).astype(np.float64)
            squares += float(deviation @ deviation)
            evidence += float(self._evidence(rated, rated).sum())
        return squares / evidence if evidence else 0.0

    def _parts(self, user: User, item: int) -> Explanation:
        base, residual = self._baseline(user.description)
        mu, b_i = self.baseline.global_mean, float(self.baseline.item_bias[item])
        s = self.item_similarity[item, user.item_index].clip(min=0)
        s[np.argsort(-s, kind="stable")[self.n_neighbours :]] = 0
        parts = (
            Part(PartKind.GLOBAL_MEAN, mu),
            Part(PartKind.ITEM_BIAS, b_i),
            Part(PartKind.USER_BIAS, float(base[item]) - mu - b_i),
        )
        effects = s * residual / (s.sum() + self.damping or 1.0)
        return Explanation(user, parts, self.neighbour_weight * effects)

    def _baseline(self, rated: RatedItems) -> tuple[FloatArray, npt.NDArray[np.float32]]:
        """b_ui of every item, last of an unknown item; and r_uj - b_uj of the rated items."""
        if len(rated.item_index):
            weights = self.baseline.fold_in_rows(*rated).description
        else:
            weights = self.baseline.factors.user_weights[-1]
        factors = self.baseline.factors
        base = factors.global_mean + weights[0] + factors.item_weights[:, 0]
        return base, (rated.rating - base[rated.item_index]).astype(np.float32)

    def _place(self, items: NewItems) -> None:
        similarity = square(items, self.item_similarity, np.ones(len(self.item_similarity)))
        self.item_similarity = np.clip(similarity, -1, 1)
        self.baseline = copy(self.baseline)
        for name in OF_THE_ITEMS:
            vars(self.baseline).pop(name, None)
        self.baseline.ratings_ = self.ratings_
        self.baseline.factors = self.baseline.factors.with_items(items)

    def _item_similarities(self, item: int) -> FloatArray:
        return self.item_similarity[item]

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        weight = np.array([self.neighbour_weight])
        learnt = {"item_similarity": self.item_similarity, "neighbour_weight": weight}
        return learnt | self.baseline.factors.arrays()

    def _restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        n = self.ratings_.n_items
        self.item_similarity = take(arrays, "item_similarity", n, n)
        # An older version had no weight.
        weight = take(arrays, "neighbour_weight", 1) if "neighbour_weight" in arrays else [1.0]
        self.neighbour_weight = share("neighbour_weight", float(weight[0]))
        artifact = Artifact("BiasModel", {}, arrays, self.ratings_, self.seed_, "BiasModel")
        self.baseline = BiasModel.from_artifact(artifact)
        arrays.clear()  # the baseline has taken the rest


def _residual(ratings: Ratings, baseline: BiasModel) -> npt.NDArray[np.float32]:
    """r_ui - b_ui of each rating."""
    predicted = baseline.predict_rows(ratings.user_index, ratings.item_index)
    return (ratings.rating - predicted).astype(np.float32)
