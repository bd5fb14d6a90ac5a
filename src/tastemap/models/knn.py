"""Neighbourhood model: what a person thought of the items most like this one."""

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tastemap.arrays import FloatArray, IndexArray
from tastemap.data.ratings import Groups, Ratings
from tastemap.errors import ArgumentError
from tastemap.kernels.knn import pair_similarities, weighted_neighbours
from tastemap.models.base.item_based import ItemModel, Rated
from tastemap.models.bias import BiasModel


class ItemKNN(ItemModel):
    """Predictions from the k most similar items that a person has rated.

    References:
        Koren, "Factor in the neighbors: scalable and accurate collaborative filtering", ACM TKDD
        4(1), 2010, equations 2 and 3 and section 2.1 (baseline, shrunk correlation). Sarwar,
        Karypis, Konstan, Riedl, "Item-based collaborative filtering recommendation algorithms",
        WWW 2001.

    Prediction:
        r_ui = b_ui + sum over j in N(u, i) of s_ij (r_uj - b_uj) / (sum of s_ij + damping)
        with the baseline b_ui = mu + b_u + b_i of `BiasModel`, and N(u, i) the k items that u has
        rated and that are most similar to i, of those with s_ij above 0. An unknown user or item
        has the baseline's prediction.

    Similarity:
        s_ij = n_ij / (n_ij + shrinkage) times the correlation of the residuals r_ui - b_ui and
        r_uj - b_uj over the n_ij users who have rated both.

    Fold-in:
        A new person is their ratings; their bias is the baseline's.

    Args:
        k: Number of neighbours.
        shrinkage: Number of common users at which a correlation counts half.
        damping: Added to the sum of similarities: few and weak neighbours move a prediction less.

    Attributes:
        baseline: The `BiasModel`.
        item_similarity: s_ij, float32 (n_items, n_items), in [-1, 1]; the diagonal is 0.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> model = ItemKNN().fit(synthetic_ratings())
        >>> model.similar_items(1, k=3)["title"].str.head(6).to_list()
        ['Comedy', 'Comedy', 'Comedy']
    """

    parameters: ClassVar = ("k", "shrinkage", "damping")

    baseline: BiasModel
    item_similarity: npt.NDArray[np.float32]

    def __init__(self, k: int = 30, shrinkage: float = 100.0, damping: float = 0.2) -> None:
        if k != int(k) or k < 1:
            raise ArgumentError("k", expected="a whole number of at least 1", received=k)
        for name, number in (("shrinkage", shrinkage), ("damping", damping)):
            if not 0 <= number < np.inf:
                raise ArgumentError(name, expected="a number of at least 0", received=number)
        self.k, self.shrinkage, self.damping = k, shrinkage, damping

    def _fit(self, ratings: Ratings, validation: Ratings | None, seed: int, progress: bool) -> None:
        self._check_size(ratings)
        self.baseline = BiasModel().fit(ratings, progress=False)
        u, i = ratings.user_index, ratings.item_index
        residual = (ratings.rating - self.baseline._predict(u, i)).astype(np.float32)
        by_item = ratings.by_item
        by_user = Groups.of(u[by_item.indices], ratings.n_users)
        in_order = by_item.indices[by_user.indices]  # user by user, each in the order of the items
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

    def _scores(self, rated: Rated, item_index: IndexArray) -> FloatArray:
        base, residual = self._baseline(rated)
        moves = np.zeros(len(item_index), dtype=np.float32)
        weighted_neighbours(
            item_index,
            rated.item_index,
            residual,
            self.item_similarity,
            self.k,
            self.damping,
            moves,
        )
        return base[item_index] + moves

    def _parts(self, rated: Rated, item: int) -> tuple[dict[str, float], FloatArray]:
        base, residual = self._baseline(rated)
        mu, b_i = self.baseline.global_mean, float(self.baseline.item_bias[item])
        s = self.item_similarity[item, rated.item_index].clip(min=0)
        s[np.argsort(-s, kind="stable")[self.k :]] = 0
        named = {"global mean": mu, "item bias": b_i, "user bias": float(base[item]) - mu - b_i}
        return named, s * residual / (s.sum() + self.damping or 1.0)

    def _baseline(self, rated: Rated) -> tuple[FloatArray, npt.NDArray[np.float32]]:
        """b_ui of every item and, last, of an unknown one; and r_uj - b_uj of those rated."""
        weights = self.baseline._user(-1)
        if len(rated.item_index):
            weights = self.baseline._fold_in(*rated)
        base = self.baseline.global_mean + weights[0] + self.baseline.item_weights[:, 0]
        return base, (rated.rating - base[rated.item_index]).astype(np.float32)

    def _similarities(self, item: int) -> FloatArray:
        return self.item_similarity[item]

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {"item_similarity": self.item_similarity} | self.baseline._arrays()

    def _restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        self.item_similarity = arrays.pop("item_similarity")
        if self.item_similarity.shape != 2 * (self.ratings_.n_items,):
            raise ValueError(f"item_similarity of shape {self.item_similarity.shape}")
        self.baseline = BiasModel()
        self.baseline.ratings_ = self.ratings_
        self.baseline._restore(arrays)
