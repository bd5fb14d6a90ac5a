"""Values of a column of ratings that are none: marks are left out or asked for, counts refused."""

import numpy as np
import polars as pl
import pytest

from tastemap.data.readers.read import read_ratings
from tastemap.data.readers.unrated import judged, left_out, parted
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
    assert "2 ratings of -1 are taken as not rated and kept as seen" in found.source.notes[-1]
    assert read_ratings(path, unrated=()).rating.tolist() == [5, -1, 3, -1, 4]
    named = read_ratings(path, unrated=[-1, 4])
    assert named.rating.tolist() == [5, 3]
    assert "1 ratings of 4 are kept as seen" in named.source.notes
    with pytest.raises(DataError, match="expected ratings; received unrated=-1, 3, 4, 5: all"):
        read_ratings(path, unrated=[3, 4, 5, -1])


def test_a_single_value_is_said() -> None:
    frame = pl.DataFrame({"rating": [1.0, 1.0]})
    assert parted("x", frame, None, "rating").notes == ["all ratings are 1"]
    values, counts = np.array([1.0, 2.0]), np.array([1, 1])
    assert left_out("x", values, counts, [7.0], None) == ([], ["0 ratings of 7 are left out"])


def test_rows_without_a_rating_are_seen(write) -> None:
    """A 0 in a scale of 1 to 10, a -1 and nothing at all; a pair rated later is rated."""
    rows = [(user, item, 5 + (user + item) % 5) for user in range(9) for item in range(4)]
    rows += [(user, 4 + user % 3, 0) for user in range(9)] + [(20, 0, 0), (0, 99, -1), (1, 98, "")]
    rows += [(2, 1, 0), (3, 97, 0)]
    path = write("user,item,rating\n" + "".join(f"{u},{i},{r}\n" for u, i, r in rows))
    ratings = read_ratings(path, unrated=[0, -1])
    assert len(ratings) == 36
    seen = ratings.seen.to_frame()
    assert seen.select("user_id", "item_id").rows() == [
        *((user, 4 + user % 3) for user in range(9)),
        *((20, 0), (0, 99), (1, 98), (3, 97)),
    ]
    assert {"1 of 50 rows have no rating and are kept as seen"} < {*ratings.source.notes}
    assert (ratings.n_users, ratings.n_items) == (10, 10)
    nothing = read_ratings(path, unrated=[0, -1], seen="none")
    assert nothing.seen is None
    assert (nothing.n_users, nothing.n_items) == (9, 4)
    assert "12 ratings of 0 are left out" in str(nothing.source.notes)


def test_a_matrix_says_nothing_of_what_was_seen(write) -> None:
    """As it stands, or with a row for each pair: where there is no rating, there is nothing."""
    wide = write("user,a,b,c\nann,5,,3\nbo,,2,4\ncy,1,3,\n")
    ratings = read_ratings(wide, layout="wide")
    assert (len(ratings), ratings.seen) == (6, None)
    frame = pl.DataFrame({"user": [1, 1, 2, 2], "item": [7, 8, 7, 8], "rating": [4, None, 2, 3]})
    ratings = read_ratings(frame)
    assert ratings.seen is None
    assert "1 of 4 rows have no rating and are left out" in ratings.source.notes
