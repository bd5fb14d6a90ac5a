"""Neighbourhood model: a user's ratings of the items most similar to an item predict its rating."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tastemap.arrays import FloatArray, IndexArray
from tastemap.data.ratings import Groups, Ratings
from tastemap.kernels.knn import pair_similarities, weighted_neighbours
from tastemap.models.base.arrays import take
from tastemap.models.base.artifact import Artifact
from tastemap.models.base.explanation import Explanation, Part, PartKind
from tastemap.models.base.item_based import ItemModel, RatedItems
from tastemap.models.base.user import User
from tastemap.models.base.validation import not_negative, whole_number
from tastemap.models.bias import BiasModel


class ItemKNN(ItemModel):
    """Predictions from the most similar items that a user has rated.

    References:
        Koren, "Factor in the neighbors: scalable and accurate collaborative filtering", ACM TKDD
        4(1), 2010, equations 2 and 3 and section 2.1 (baseline, shrunk correlation). Sarwar,
        Karypis, Konstan, Riedl, "Item-based collaborative filtering recommendation algorithms",
        WWW 2001.

    Prediction:
        r_ui = b_ui + sum over j in N(u, i) of s_ij (r_uj - b_uj) / (sum of s_ij + damping)
        with the baseline b_ui = mu + b_u + b_i of `BiasModel`. N(u, i) holds the n_neighbours
        items with the largest s_ij among the items that u has rated; only s_ij above 0 count.
        An unknown user or item has the baseline's prediction.

    Similarity:
        s_ij = n_ij / (n_ij + shrinkage) times the correlation of the residuals r_ui - b_ui and
        r_uj - b_uj over the n_ij users who have rated both.

    Fold-in:
        A new user's ratings enter the sum; the baseline folds in the user's bias.

    Args:
        n_neighbours: Number of neighbours.
        shrinkage: Number of common users at which a correlation is halved.
        damping: Number added to the sum of similarities: few or weak neighbours count less.

    Attributes:
        baseline: The `BiasModel`.
        item_similarity: s_ij, float32 (n_items, n_items), in [-1, 1]; the diagonal is 0.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> model = ItemKNN().fit(synthetic_ratings())
        >>> model.similar_items(1, k=3)["title"].str.head(6).to_list()
        ['Comedy', 'Comedy', 'Comedy']
    """

    baseline: BiasModel
    item_similarity: npt.NDArray[np.float32]

    def __init__(
        self, n_neighbours: int = 30, shrinkage: float = 100.0, damping: float = 0.2
    ) -> None:
        self.n_neighbours = whole_number("n_neighbours", n_neighbours)
        self.shrinkage = not_negative("shrinkage", shrinkage)
        self.damping = not_negative("damping", damping)

    def _fit(self, ratings: Ratings, validation: Ratings | None, seed: int, progress: bool) -> None:
        self._check_size(ratings)
        self.baseline = BiasModel().fit(ratings, progress=False)
        u, i = ratings.user_index, ratings.item_index
        residual = (ratings.rating - self.baseline.predict_rows(u, i)).astype(np.float32)
        by_item = ratings.by_item
        by_user = Groups.of(u[by_item.indices], ratings.n_users)
        in_order = by_item.indices[by_user.indices]  # sorted by user, then by item
        self.item_similarity = np.zeros(2 * (ratings.n_items,), dtype=np.float32)
        pair_similarities(
            by_item.indptr,
            u[by_item.indices],
            residual[by_item.indices],
            by_user.indptr,
            i[in_order],
            residual[in_order],
            self.shrinkage,
            self.item_similarity,
        )

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
        return base[item_index] + corrections

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
        return Explanation(user, parts, s * residual / (s.sum() + self.damping or 1.0))

    def _baseline(self, rated: RatedItems) -> tuple[FloatArray, npt.NDArray[np.float32]]:
        """b_ui of every item, last of an unknown item; and r_uj - b_uj of the rated items."""
        if len(rated.item_index):
            weights = self.baseline.fold_in_rows(*rated).description
        else:
            weights = self.baseline.factors.user_weights[-1]
        factors = self.baseline.factors
        base = factors.global_mean + weights[0] + factors.item_weights[:, 0]
        return base, (rated.rating - base[rated.item_index]).astype(np.float32)

    def _item_similarities(self, item: int) -> FloatArray:
        return self.item_similarity[item]

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {"item_similarity": self.item_similarity} | self.baseline.factors.arrays()

    def _restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        n = self.ratings_.n_items
        self.item_similarity = take(arrays, "item_similarity", n, n)
        artifact = Artifact("BiasModel", {}, arrays, self.ratings_, self.seed_, "BiasModel")
        self.baseline = BiasModel.from_artifact(artifact)
        arrays.clear()  # the baseline has taken the rest
