"""Neighbours of likes: the items that those who like an item like, too."""

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array

from tastemap.arrays import F32, I32, AnyArray, FloatArray, IndexArray
from tastemap.data.feedback import Feedback
from tastemap.models.base.arrays import take
from tastemap.models.base.capabilities import Capabilities
from tastemap.models.base.explanation import Explanation
from tastemap.models.base.item_based import ItemModel, LikeModel, LikeTerm, RatedItems, at_items
from tastemap.models.base.regression import NewItems
from tastemap.models.base.user import User
from tastemap.models.base.validation import choice, not_negative, whole_number

WEIGHTINGS = ("cosine", "tf-idf", "bm25")
# BM25's saturation of counts and its share of an item's length, as Robertson and Zaragoza give.
SATURATION, LENGTH_SHARE = 1.2, 0.75
# Similarities that are computed at once.
MAX_BLOCK = 2**24
# Room for neighbours that nobody has rated, in each list, however many items there are.
MIN_NEW = 32


class ImplicitKNN(LikeModel):
    """The items most similar to what a user likes, by the users that like both.

    References:
        Deshpande, Karypis, "Item-based top-N recommendation algorithms", ACM TOIS 22(1), 2004,
        sections 4.1 and 4.2 (cosine, sum of the similarities). Robertson, Zaragoza, "The
        probabilistic relevance framework: BM25 and beyond", Foundations and Trends in Information
        Retrieval 3(4), 2009, equation 3.15. Ferrari Dacrema, Cremonesi, Jannach, "Are we really
        making much progress?", RecSys 2019, section 3.1 (shrinkage).

    Prediction:
        s_uj = the sum of s_ij over the items i that u likes of which j is a neighbour, a score to
        rank by. N(i) holds the n_neighbours items most similar to i. It is not a rating, so
        `predict` is refused. An unknown user has no likes. Unknown items score 0.

    Similarity:
        An item is a document and its users are the words, as many times as the weight w_ui of the
        interaction says; of ratings each like weighs 1. x_ui is the weight of a word:
        cosine: w_ui; tf-idf: sqrt(w_ui) g_u; bm25: w_ui (k + 1) / (w_ui + k l_i) g_u, where
        l_i = 1 - b + b times the weight of the item over the mean weight, k = 1.2 and b = 0.75.
        A user of n_u of the n items has the inverse document frequency
        g_u = log(1 + (n - n_u + 1/2) / (n_u + 1/2)).
        cosine and tf-idf: s_ij = x_i . x_j / (|x_i| |x_j| + shrinkage m) with the mean m of the
        x_ui^2 of all likes; bm25: s_ij = x_i . x_j.

    Fold-in:
        The likes of a new user are summed up as those of any other.

    Speed:
        The pairs of likes of each user. It keeps n_neighbours similarities for each item.

    Args:
        weighting: ``"cosine"``, ``"tf-idf"`` or ``"bm25"``.
        n_neighbours: Number of neighbours of each item.
        shrinkage: Number of likes at which two items that the same users like are half as
            similar: few likes are little evidence. Of cosine and tf-idf only.
        threshold: Lowest rating, or sum of weights, that counts as a like; None takes the upper
            quarter of the scale, and of interactions all above 0.

    Attributes:
        neighbours: int32 (n_items, n), rows of the neighbours of each item, nearest first.
        neighbour_similarity: float32 (n_items, n), s_ij of these; 0 where there are fewer.
        length: float32 (n_items,), |x_i|.

    Example:
        >>> from tastemap.data.datasets.synthetic import synthetic_ratings
        >>> model = ImplicitKNN(n_neighbours=20).fit(synthetic_ratings())
        >>> model.recommend(ratings={1: 5, 3: 5}, k=3)["title"].str.head(6).to_list()
        ['Comedy', 'Comedy', 'Comedy']
    """

    neighbours: I32
    neighbour_similarity: F32
    length: F32

    # Chosen on inner validation parts of the likes of MovieLens 100K; more neighbours are a little
    # better there, and take more room.
    def __init__(
        self,
        weighting: str = "tf-idf",
        n_neighbours: int = 200,
        shrinkage: float = 20.0,
        threshold: float | None = None,
    ) -> None:
        self.weighting = choice("weighting", weighting, WEIGHTINGS)
        self.n_neighbours = whole_number("n_neighbours", n_neighbours)
        self.shrinkage, self.threshold = not_negative("shrinkage", shrinkage), threshold

    @property
    def capabilities(self) -> Capabilities:
        """As of every model of likes; new items are neighbours, too."""
        return replace(super().capabilities, new_items=True)

    def _fit(
        self, ratings: Feedback, validation: Feedback | None, seed: int, progress: bool
    ) -> None:
        X = self._weighted(ratings)
        n = X.shape[1]
        squares = X.multiply(X).sum(axis=0)
        self.length = np.sqrt(squares).astype(np.float32)
        shrinkage = np.float32(self.shrinkage * squares.sum() / max(X.nnz, 1))
        k = min(self.n_neighbours, n)
        self.neighbours = np.empty((n, k), dtype=np.int32)
        self.neighbour_similarity = np.empty((n, k), dtype=np.float32)
        by_item = X.T.tocsr()
        size = max(MAX_BLOCK // n, 1)
        for start in range(0, n, size):
            rows = slice(start, min(start + size, n))
            s = (by_item[rows] @ X).toarray()
            if self.weighting != "bm25":
                products = np.outer(self.length[rows], self.length) + shrinkage
                s /= np.where(products > 0, products, 1)
            np.fill_diagonal(s[:, start:], 0)
            nearest = np.argpartition(-s, k - 1, axis=1)[:, :k]
            similar = np.take_along_axis(s, nearest, axis=1)
            order = np.argsort(-similar, axis=1, kind="stable")
            self.neighbours[rows] = np.take_along_axis(nearest, order, axis=1)
            self.neighbour_similarity[rows] = np.take_along_axis(similar, order, axis=1)

    def _weighted(self, ratings: Feedback) -> csr_array:
        """X (n_users, n_items), float32: the weights x_ui of the likes."""
        likes = ratings.likes(self.threshold)
        u, i = likes.user_index, likes.item_index
        w = np.maximum(likes.weight, 0).astype(np.float64)
        if self.weighting != "cosine":
            n, n_u = ratings.n_items, likes.by_user.counts
            idf = np.log1p((n - n_u + 0.5) / (n_u + 0.5))
            if self.weighting == "bm25":
                totals = np.bincount(i, w, ratings.n_items)
                mean = totals.sum() / max(np.count_nonzero(totals), 1)
                length = 1 - LENGTH_SHARE + LENGTH_SHARE * totals / (mean or 1)
                w = w * (SATURATION + 1) / (w + SATURATION * length[i])
            else:
                w = np.sqrt(w)
            w = w * idf[u]
        return csr_array((w.astype(np.float32), (u, i)), shape=(ratings.n_users, ratings.n_items))

    def work(self, ratings: Feedback) -> float:
        """As in the base class: the pairs of likes of each user; any number of items will do."""
        pairs = (ratings.by_user.counts.astype(np.float64) ** 2).sum()
        return float(pairs) + super(ItemModel, self).work(ratings)

    def like_terms(self) -> list[LikeTerm]:
        """As in the base class: the similarities of the neighbours of each like."""
        n, k = self.neighbours.shape
        columns, similarity = self.neighbours.ravel(), self.neighbour_similarity.ravel()
        return [LikeTerm(csr_array((similarity, columns, k * np.arange(n + 1)), shape=(n, n)))]

    def _scores(self, rated: RatedItems, item_index: IndexArray) -> FloatArray:
        liked = np.sort(rated.item_index[self._likes(rated.rating)])  # a fixed order of the sum
        neighbours, similarity = (
            self.neighbours[liked].ravel(),
            self.neighbour_similarity[liked].ravel(),
        )
        sums = np.bincount(neighbours, similarity, self.fitted_data.n_items).astype(np.float32)
        return at_items(sums, item_index, unknown=0.0)

    def _parts(self, user: User, item: int) -> Explanation:
        is_item = self.neighbours[user.item_index] == item
        effects = np.where(is_item, self.neighbour_similarity[user.item_index], 0.0).sum(axis=1)
        return Explanation(user, (), np.where(self._likes(user.rating), effects, 0.0))

    def _place(self, items: NewItems) -> None:
        """New items get neighbours, and join the lists of their nearest ones, behind the others."""
        n, width = self.neighbours.shape
        owner, itself = np.repeat(np.arange(n), width), np.arange(n)
        s = np.append(self.neighbour_similarity.ravel(), self._similarity_with_itself())
        places = (np.append(owner, itself), np.append(self.neighbours.ravel(), itself))
        # The lists of two items may differ: s_ij is the larger of what they say.
        S = csr_array((s, places), shape=(n, n))
        similar = np.maximum(items.expected(S.maximum(S.T), None), 0).astype(np.float32)
        present = items.rows < n
        similar[present, items.rows[present]] = 0
        n_more = min(len(similar), max(MAX_BLOCK // n, MIN_NEW))
        nearest = np.argpartition(-similar.T, n_more - 1, axis=1)[:, :n_more]
        of_others = (items.rows[nearest], np.take_along_axis(similar.T, nearest, axis=1))
        nearest = np.argsort(-similar, axis=1, kind="stable")[:, : width + n_more]
        of_new = (nearest, np.take_along_axis(similar, nearest, axis=1))
        self.neighbours = _widened(items, self.neighbours, of_others[0], of_new[0])
        self.neighbour_similarity = _widened(
            items, self.neighbour_similarity, of_others[1], of_new[1]
        )
        self.length = items.put(self.length, items.expected(self.length[:, None], None)[:, 0])

    def _similarity_with_itself(self) -> FloatArray:
        """s_ii (n_items,), which no list has."""
        squares = np.square(self.length, dtype=np.float64)
        if self.weighting == "bm25":
            return squares
        n_likes = len(self.fitted_data.likes(self.threshold))
        shrinkage = self.shrinkage * squares.sum() / max(n_likes, 1)
        return np.divide(
            squares, squares + shrinkage, out=np.zeros(len(squares)), where=squares > 0
        )

    def _item_similarities(self, item: int) -> FloatArray:
        """The similarity of the neighbours, of bm25 the cosine of x_i and x_j; 0 of the others."""
        similar = np.zeros(self.fitted_data.n_items)
        near, s = self.neighbours[item], self.neighbour_similarity[item].astype(np.float64)
        if self.weighting == "bm25":
            products = self.length[item] * self.length[near].astype(np.float64)
            s = s / np.where(products > 0, products, 1)
        similar[near] = np.minimum(s, 1)
        return similar

    def _arrays(self) -> dict[str, AnyArray]:
        # Rows are saved as floats, as all that is learnt; up to 2^24 these are whole numbers.
        neighbours = self.neighbours.astype(np.float32)
        learnt = {"neighbours": neighbours, "neighbour_similarity": self.neighbour_similarity}
        return learnt | {"length": self.length}

    def _restore(self, arrays: dict[str, AnyArray]) -> None:
        n = self.ratings_.n_items
        rows = take(arrays, "neighbours", n, None)
        self.neighbours = rows.astype(np.int32)
        if not np.isin(rows, np.arange(n)).all():
            raise ValueError("a neighbour that is no item")
        self.neighbour_similarity = take(arrays, "neighbour_similarity", *self.neighbours.shape)
        self.length = take(arrays, "length", n)


def _widened(items: NewItems, lists: AnyArray, more: AnyArray, of_new: AnyArray) -> AnyArray:
    """Lists (n, width) of items, with columns for new neighbours, and the lists of new items."""
    wide = np.hstack([lists, more.astype(lists.dtype)])
    new = np.zeros((len(of_new), wide.shape[1]), dtype=lists.dtype)
    new[:, : of_new.shape[1]] = of_new
    return items.put(wide, new)
