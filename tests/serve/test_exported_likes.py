"""The weights of an exported model of likes: few bytes, and the scores of the model."""

import base64

import numpy as np
import pytest

from tastemap.data.ratings import Ratings
from tastemap.errors import UnsupportedError
from tastemap.models.registry import make_model
from tastemap.serve import exported_likes
from tastemap.serve.exported_likes import likes_data


def numbers(text: str, dtype: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype=dtype)


@pytest.mark.parametrize("name", ["ease", "item-knn"])
def test_rounded_weights_give_the_scores_of_the_model(name: str, ratings: Ratings) -> None:
    likes = ratings.likes()
    options = {"n_neighbours": 5} if name == "item-knn" else {}
    model = make_model(name, **options).fit(likes, progress=False)
    data = likes_data(model)
    (term,) = data["terms"]
    assert (term["columns"] is None) is (name == "ease"), "few weights come with their columns"
    n = likes.n_items
    weights, step = numbers(term["weights"], "<i2"), numbers(term["step"], "<f4")
    if term["columns"] is None:
        W = weights.reshape(n, n) * step[:, None]
    else:
        indptr = numbers(term["indptr"], "<u4").astype(int)
        W, rows = np.zeros((n, n)), np.repeat(np.arange(n), np.diff(indptr))
        W[rows, numbers(term["columns"], "<u4")] = weights * step[rows]
    liked = np.array([3, 5, 8], dtype=np.int32)
    exact = model.score_rows(model.fold_in_rows(liked, np.ones(3, dtype=np.float32)))
    np.testing.assert_allclose(W[liked].sum(axis=0), exact, atol=2e-4)
    neighbours = numbers(data["neighbours"], "<i4").reshape(n, -1)[0]
    similar = model.similar_items(likes.items.ids[0], 10)["item_id"]
    assert likes.items.ids_at(neighbours[neighbours >= 0]).to_list() == similar.to_list()


def test_what_no_browser_can_be_sent_is_refused(
    ratings: Ratings, monkeypatch: pytest.MonkeyPatch
) -> None:
    likes = ratings.likes()
    with pytest.raises(UnsupportedError, match="export an ease, item-knn or next-item model"):
        likes_data(make_model("popularity").fit(likes))
    monkeypatch.setattr(exported_likes, "MAX_WEIGHTS", 10)
    with pytest.raises(UnsupportedError, match="pairs of items, and a page can be sent 10"):
        likes_data(make_model("ease").fit(likes))
