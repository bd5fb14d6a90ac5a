"""Sections on lists: their scores, lists by gap, and what is certain."""

import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.jobs import list_sections
from tastemap.jobs.list_sections import gap_blocks, list_scores
from tastemap.jobs.sections import list_of_a_user, recommendation_blocks
from tastemap.models.base import orders
from tastemap.models.bias import BiasModel


def test_no_list_is_shown_twice(ratings: Ratings, monkeypatch: pytest.MonkeyPatch) -> None:
    model = BiasModel().fit(ratings)
    user, new = recommendation_blocks(model)
    assert new.caption.startswith("For a new person")
    for block in (user, new):
        assert block.caption.endswith(": the best by what it is at least, with 90 % certainty")
        assert block.frame.columns[-2:] == ["expected_rating", "at_least"]
    _, cautious = list_of_a_user(model)
    assert cautious.caption.startswith("The same by what is certain: 1.28 standard errors below")
    monkeypatch.setattr(orders, "CAUTION", 0.0)
    assert len(list_of_a_user(model)) == 1
    monkeypatch.setattr(BiasModel, "orders", ("expected",))  # as a network without standard errors
    monkeypatch.setattr(list_sections, "MIN_RATINGS_OF_WELL_KNOWN", 45)
    _, well_known, _ = recommendation_blocks(model)
    assert well_known.caption.startswith("The same where popularity >= 45")
    monkeypatch.setattr(list_sections, "MIN_RATINGS_OF_WELL_KNOWN", 1)  # which every item has
    assert [block.caption.split()[0] for block in recommendation_blocks(model)] == ["For", "For"]


def test_counts_of_users_stand_above_the_scores_of_lists() -> None:
    scores = {"metric": ["ndcg", "popular_share", "users", "users_left_out"]}
    table = list_scores(pl.DataFrame(scores | {"ease": [0.25, 0.5, 1200.0, 3.0]}))
    assert table.caption.startswith("Lists for 1,200 users of the test part")
    assert table.frame.rows() == [("ndcg", 0.25), ("popular share", 0.5)]


def test_lists_by_gap_are_explained_where_there_are_some() -> None:
    frame = pl.DataFrame({"gap": ["all"], "model": ["ease"], "ndcg": [0.25]})
    text, table = gap_blocks([frame])
    assert "the order of a page" in text
    assert table.frame.equals(frame)
    assert gap_blocks([]) == []
