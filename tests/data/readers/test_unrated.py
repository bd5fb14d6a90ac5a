"""Values of a column of ratings that are none: marks are left out or asked for, counts refused."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.readers.read import read_ratings
from tastemap.data.readers.unrated import judged, left_out, rated
from tastemap.errors import DataError


def verdict(**counts: int):
    pairs = sorted(
        (float(value[1:].replace("m", "-").replace("_", ".")), n) for value, n in counts.items()
    )
    values, n = zip(*pairs, strict=True)
    return judged(np.array(values), np.array(n))


BOOKS = {"_1": 1, "_2": 2, "_3": 4, "_5": 40, "_7": 60, "_8": 90, "_9": 60, "_10": 70}


def test_marks_that_cannot_be_ratings() -> None:
    assert verdict(_0=500, **BOOKS).marks == (0.0,)  # 60 % zeros in a scale of 1 to 10
    assert verdict(_m1=3, _3=1, _5=1).marks == (-1.0,)
    assert verdict(_m1=3, _0=9, _5=1).marks == (-1.0,)
    assert verdict(_99=9, _m8_5=3, _0_25=4, _9_5=2).marks == (99.0,)
    assert verdict(_m99=1, _99=2, _1=3, _5=4).marks == (-99.0, 99.0)


@pytest.mark.parametrize(
    "counts",
    [
        {"_0": 9, "_1": 8, "_2": 9, "_3": 20, "_4": 30, "_5": 25},  # a 0 like any other level
        {"_0": 3, "_0_5": 8, "_1": 9, "_2": 20, "_3_5": 30, "_5": 25},
        {"_0": 12, **BOOKS},
        {"_m1": 5, "_0": 5, "_1": 5},
        {"_0": 50, "_1": 50},
        {"_m10": 5, "_0": 5, "_10": 5},
        {"_0": 1, "_50": 4, "_99": 1, "_100": 3},
        {"_5": 10},
    ],
)
def test_levels_of_a_scale_are_left_alone(counts: dict[str, int]) -> None:
    assert verdict(**counts) == ((), "", False)


def test_what_may_be_a_mark_is_asked_for() -> None:
    doubt = verdict(_0=20, _1=8, _2=20, _3=30, _4=30, _5=20).doubt
    assert doubt.startswith("20 ratings are 0; ")
    assert "--unrated 0" in doubt
    assert "--unrated 55" in verdict(_1=5, _3=2, _5=9, _55=1).doubt
    doubt = verdict(_1=5, _3=2, _5=9, _88=3, _98=2).doubt
    assert doubt.startswith("5 ratings are 88 or 98; far from all others")
    assert verdict(_1_5=1, _3_5=1, _4=1).doubt == ""  # too few to tell


def test_counts_are_no_ratings() -> None:
    for values in ([1.0, 2, 3, 352_698], [14.0, 21, 175], [1.0, 1.5, 2, 23, 25.5, 40]):
        assert judged(np.array(values), np.array([9] * (len(values) - 1) + [1])).is_counts
    for values in ([0.0, 55, 100], [-10.0, 0, 10], [1.0, 7, 20]):
        assert not judged(np.array(values), np.array([3, 3, 3])).is_counts


PLAYS = pl.DataFrame({"user": [1, 1, 2], "item": [1, 2, 1], "weight": [3, 200, 9]})


def test_counts_are_refused_unless_the_column_is_named() -> None:
    with pytest.raises(DataError, match="column weight; expected ratings; .* up to 200, .*weight'"):
        read_ratings(PLAYS)
    ratings = read_ratings(PLAYS, rating="weight")
    assert ratings.scale.highest == 200
    assert "ratings up to 200 look like counts or amounts" in ratings.source.notes


def test_marks_that_are_named_are_left_out_and_no_others(write) -> None:
    path = write("user,item,rating\n1,1,5\n1,2,-1\n2,1,3\n2,2,-1\n3,1,4\n")
    found = read_ratings(path)
    assert found.rating.tolist() == [5, 3, 4]
    assert "2 ratings of -1 are taken as not rated and left out" in found.source.notes[-1]
    assert read_ratings(path, unrated=()).rating.tolist() == [5, -1, 3, -1, 4]
    named = read_ratings(path, unrated=[-1, 4])
    assert named.rating.tolist() == [5, 3]
    assert "1 ratings of 4 are left out" in named.source.notes
    with pytest.raises(DataError, match="expected ratings; received unrated=-1, 3, 4, 5: all"):
        read_ratings(path, unrated=[3, 4, 5, -1])


def test_a_single_value_is_said() -> None:
    frame = pl.DataFrame({"rating": [1.0, 1.0]})
    assert rated("x", frame, None, "rating")[1] == ["all ratings are 1"]
    values, counts = np.array([1.0, 2.0]), np.array([1, 1])
    assert left_out("x", values, counts, [7.0], None) == ([], ["0 ratings of 7 are left out"])
