"""Rows of ids, and the best rows of many scores, against the slow way."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemap.data.ratings import Ratings
from tastemap.data.vocabulary import Vocabulary
from tastemap.serve.model.catalogue import Catalogue, RowsOfIds, top_rows

FILMS = pl.DataFrame(
    {
        "item_id": [1, 2, 3, 4, 5],
        "title": ["Alien (1979)", "Horror of Dracula (1958)", "Airplane! (1980)", "Scream", "Dune"],
        "genres": [["Horror", "Sci-Fi"], ["Horror"], ["Comedy"], ["Horror", "Comedy"], None],
    }
)


@pytest.fixture
def films() -> Catalogue:
    """Five films; the fourth has most ratings."""
    item = [1, 2, 3, 4, 4, 4, 5, 1]
    frame = pl.DataFrame({"user_id": range(8), "item_id": item, "rating": [3.0] * 8})
    return Catalogue(Ratings.from_frame(frame, item_table=FILMS))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("horror", [2, 4, 1]),
        ("sci-fi", [1]),
        ("Horror comedy", [4]),
        ("horror 1979", [1]),
        ("horror airplane", []),
        ("dracula", [2]),
        ("airplan", [3]),
        ("sceam", [4]),
        ("comdy", []),
        ("", [4, 1, 2, 3, 5]),
    ],
)
def test_titles_come_first_then_the_genre(films: Catalogue, query: str, found: list[int]) -> None:
    assert films.items.ids_at(films.search(query)).to_list() == found


ODD = ["5", "05", " 3", "1_0", "x", "", "-3", str(2**70), "١", "3.0"]


@pytest.mark.parametrize("ids", [[5, 3, 9, -3, 10], ["5", "x", "", "05"]])
def test_many_ids_are_found_like_each(ids: list[int] | list[str]) -> None:
    rows_of = RowsOfIds(Vocabulary(pl.Series("item_id", ids), "item"))
    known = [str(one) for one in ids]
    assert rows_of.rows(known).tolist() == list(range(len(ids)))
    for asked in (ODD, [*known, "7"], [], *([one] for one in ODD)):
        assert rows_of.rows(asked).tolist() == [rows_of.row(one) for one in asked]


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.sampled_from([1, 5, 511, 512, 513, 3000]),
    k=st.sampled_from([1, 3, 10, 40, 300]),
    levels=st.sampled_from([2, 40, 100_000]),
)
def test_the_best_rows_are_those_of_sorting(seed: int, n: int, k: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    score = rng.integers(-levels, levels, n).astype(np.float32)
    allowed, without = rng.random(n) < rng.choice([0.9, 0.01]), rng.integers(0, n, min(n, 30))
    barred = ~allowed
    barred[without] = True
    order = np.argsort(-score, kind="stable")
    assert top_rows(score, k, allowed, without).tolist() == order[~barred[order]][:k].tolist()
    assert top_rows(score, k).tolist() == order[:k].tolist()


def test_entropy_is_that_of_each_item_alone(
    ratings: Ratings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tastemap.data.chunks.CHUNK_ROWS", 100)
    found = Catalogue(ratings).entropy
    for row in range(ratings.n_items):
        given = ratings.rating[ratings.by_item[row]]
        share = np.unique(given, return_counts=True)[1] / max(len(given), 1)
        assert found[row] == pytest.approx(-(share * np.log2(share)).sum())
