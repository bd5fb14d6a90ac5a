"""Prepared tables, read as ratings or as interactions."""

from pathlib import Path

import pytest

from tastemap.data.prepared_splits import split_prepared
from tastemap.data.ratings import Ratings
from tastemap.data.readers.feedback import read_feedback
from tastemap.data.readers.interactions import read_interactions
from tastemap.data.readers.prepared import prepared_interactions, prepared_ratings
from tastemap.data.readers.read import read_ratings
from tastemap.errors import ArgumentError, DataError, NoRatingsError


def test_a_table_of_the_other_kind_is_named(ratings: Ratings, tmp_path: Path) -> None:
    split_prepared(ratings, tmp_path / "ratings")
    split_prepared(ratings.likes(4), tmp_path / "likes")
    rated, liked = tmp_path / "ratings" / "train", tmp_path / "likes" / "train"
    assert prepared_ratings(rated).fingerprint() == read_ratings(rated).fingerprint()
    fingerprint = prepared_interactions(liked, {}).fingerprint()
    for read in (read_interactions, read_feedback):
        assert read(liked).fingerprint() == fingerprint
    with pytest.raises(NoRatingsError, match="expected ratings; received interactions"):
        read_ratings(liked)
    with pytest.raises(DataError, match="expected interactions; received ratings"):
        read_interactions(rated)


def test_what_is_settled_is_not_chosen_again(ratings: Ratings, tmp_path: Path) -> None:
    path = tmp_path / "train"
    split_prepared(ratings.likes(4), tmp_path)
    for options in ({"repeats": "count"}, {"weight": "plays"}, {"event_weights": {"view": 1}}):
        with pytest.raises(ArgumentError, match=f"{next(iter(options))}; expected a table"):
            read_interactions(path, **options)
    assert len(read_interactions(path, repeats="keep"))
