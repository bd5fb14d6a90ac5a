"""Leaks, duplicates and cold starts are said, each with its number."""

from dataclasses import replace

import numpy as np
import polars as pl

from tastemap.data.interactions import Interactions
from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split, forecast_split
from tastemap.evaluation.leakage import is_forecast, split_notes


def table(rows: list[tuple[int, int, float, int]]) -> Ratings:
    columns = ["user_id", "item_id", "rating", "timestamp"]
    return Ratings.from_frame(pl.DataFrame(rows, schema=columns, orient="row"))


def test_nothing_is_said_of_a_clean_split() -> None:
    assert split_notes(table([(1, 7, 5, 10), (2, 8, 4, 10)]), table([(1, 8, 3, 10)])) == ()


def test_pairs_in_both_parts_are_counted_by_id_not_by_row() -> None:
    train = table([(1, 7, 5, 10), (2, 8, 4, 10), (3, 9, 4, 10)])
    # Other vocabularies: item 8 is row 0 here.
    test = table([(2, 8, 4, 20), (3, 8, 1, 20)])
    (note,) = split_notes(train, test)
    assert note.startswith("1 of 2 test pairs is among the training ratings too")


def test_of_interactions_a_repeat_is_a_miss_and_no_error() -> None:
    plays = Interactions.from_frame(pl.DataFrame({"user_id": [1, 1, 2], "item_id": [7, 8, 7]}))
    (note,) = split_notes(plays, plays.take(np.array([0])))
    assert note == (
        "1 of 1 test pair is among the training interactions too: lists leave out what a user has,"
        " so each counts as a miss"
    )


def test_pairs_that_repeat_within_a_part() -> None:
    train = table([(1, 7, 5, 10), (2, 7, 4, 10), (2, 8, 4, 11)])
    test = table([(1, 8, 4, 20), (2, 9, 1, 20)])
    twice = test.take(np.array([0, 0, 1]))
    notes = split_notes(train.take(np.array([0, 0, 1, 2, 2])), twice)
    assert notes[:2] == (
        "2 training ratings are of a pair of user and item that is in the training part before",
        "1 test rating is of a pair of user and item that is in the test part before",
    )


def test_ids_without_training_ratings_are_counted_whether_known_or_not(ratings: Ratings) -> None:
    first = ratings.user_index == 0
    train, test = ratings.take(~first), ratings.take(first)
    told = f"{first.sum()} of {first.sum()} test ratings are of users without training rating"
    assert split_notes(train, test) == (told,)
    stranger = table([(999, 1, 4, 10), (1000, 2, 5, 10)])
    assert "2 of 2 test ratings are of users without training rating" in split_notes(
        ratings, stranger
    )


def test_tests_from_before_the_last_training_rating() -> None:
    train = table([(1, 7, 5, 10), (1, 8, 4, 30), (2, 7, 4, 10), (2, 8, 4, 5)])
    test = table([(1, 9, 4, 20), (2, 9, 1, 20)])
    notes = split_notes(train, test)
    assert notes[-1].startswith("50 % of the test ratings were given before the last training")
    assert len(split_notes(replace(train, timestamp=None), test)) == len(notes) - 1


def test_a_forecast_is_told_from_a_split_at_random(ratings: Ratings, split: Split) -> None:
    assert is_forecast(*forecast_split(ratings))
    assert not is_forecast(*split)
    assert not is_forecast(replace(split.train, timestamp=None), split.test), "nobody can tell"


def test_what_was_seen_in_training_is_counted_and_a_test_pair_in_it_named() -> None:
    train = table([(1, 7, 5, 10), (2, 8, 4, 10), (2, 7, 4, 20)])
    test = table([(1, 8, 3, 30)])
    pairs = {"user_id": [1, 2], "item_id": [9, 9], "timestamp": [20, 40]}
    seen = train.with_seen(Interactions.from_frame(pl.DataFrame(pairs)))
    assert split_notes(seen, test) == (
        "2 pairs seen in training without a rating, no test pair;"
        " 1 later than the first test rating",
    )
    (note,) = split_notes(seen.with_seen(test.likes(1)), test)
    assert note.startswith("1 of 1 test pair was seen in training without a rating: the model")
