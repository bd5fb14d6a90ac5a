"""Which ratings came from a store: names of profiles, and models that older versions updated."""

import json
from pathlib import Path

import polars as pl
import pytest
from small_models import save_small, small_ratings, text_ratings

from tastemap.data.ratings import Ratings
from tastemap.errors import ArtifactError
from tastemap.models.registry import load_model
from tastemap.serve.people.profiles import api_profile, page_profile
from tastemap.serve.people.provenance import Names, old_record
from tastemap.serve.people.tables import EMPTY_PROFILE, StoredProfile, StoredRating

STORE = "identity of a store"
EMPTY = pl.DataFrame(
    schema=dict.fromkeys(("store", "user_id", "item_id", "kind"), pl.String) | {"number": pl.Int64}
)


def profile(**ratings: float | None) -> StoredProfile:
    """A profile of items whose names are single words."""
    return StoredProfile([StoredRating(item, rating, 7) for item, rating in ratings.items()])


def as_updated_before(ratings: Ratings, *given: tuple[str | int, str | int, float]) -> Ratings:
    """Ratings with others that an older version has put behind them, without a record."""
    frame = pl.DataFrame(given, schema=["user_id", "item_id", "rating"], orient="row")
    return ratings.merged_with(Ratings.from_frame(frame))


# ---- names ----


def test_each_profile_without_an_id_gets_one_that_nobody_has() -> None:
    for ratings in (small_ratings(), text_ratings()):
        profiles = [(page_profile(str(n)), n, EMPTY_PROFILE) for n in range(1, 40)]
        names = Names(ratings, EMPTY, STORE, profiles)
        made = {names.name(key, number).user_id for key, number, _ in profiles}
        assert len(made) == 39
        assert made.isdisjoint(ratings.users)
        if not ratings.users.is_text:
            assert all(-(2**53) < name < 0 for name in made), "JSON holds no larger ones"
        # The next store would have to make the same ones: it does not where somebody has them.
        taken = [(api_profile(str(name)), 100 + n, EMPTY_PROFILE) for n, name in enumerate(made)]
        names = Names(ratings, EMPTY, STORE, profiles + taken)
        assert made.isdisjoint(names.name(key, number).user_id for key, number, _ in profiles)
        other = Names(ratings, EMPTY, "another store", profiles)
        assert made.isdisjoint(other.name(key, number).user_id for key, number, _ in profiles)


def test_a_profile_of_the_api_goes_by_its_own_id_where_the_data_can_hold_it() -> None:
    numbers, text = (Names(r, EMPTY, STORE, []) for r in (small_ratings(), text_ratings()))
    assert numbers.name(api_profile("3"), 1) == (3, "training")
    assert numbers.name(api_profile("9999"), 1) == (9999, "api")
    for odd in ("ann", "-5", "007", str(2**63), "٣"):
        assert numbers.name(api_profile(odd), 1).kind == "alias"
    assert text.name(api_profile("user/3"), 1) == ("user/3", "training")
    assert text.name(api_profile("person 1"), 1) == ("person 1", "api")


# ---- models that an older version has updated ----


def old_names(ratings: Ratings, *profiles: tuple[str, int, StoredProfile]) -> dict[object, int]:
    """The user ids that are taken for profiles, with the numbers of these."""
    record = old_record(ratings, STORE, profiles)
    assert set(record["kind"]) <= {"alias"}
    assert set(record["store"]) <= {STORE}
    return dict(record.select("user_id", "number").iter_rows())


def test_an_id_of_a_table_is_nobodys_old_name() -> None:
    frame = small_ratings().to_frame()
    for names in (pl.format("person {}", "user_id"), -pl.col("user_id")):
        ratings = Ratings.from_frame(frame.with_columns(user_id=names))
        assert old_names(ratings, (page_profile("x"), 1, profile(a=1.0))) == {}


def test_an_old_name_behind_a_greater_id_was_put_there_by_an_update() -> None:
    """Also if the profile is gone: it must go from the model, too."""
    text = as_updated_before(text_ratings(), ("person 4", "50%", 5.0), ("ann", "50%", 5.0))
    assert old_names(text) == {"person 4": 4}
    numbers = as_updated_before(small_ratings(), (-4, 1, 5.0), (9999, 1, 5.0))
    assert old_names(numbers) == {-4: 4}


@pytest.mark.parametrize(
    ("stored", "is_merged"),
    [
        (profile(a=5.0, b=1.0), True),
        (profile(a=5.0, b=1.0, unknown=3.0), True),
        (profile(a=5.0, b=2.0), False),
        (profile(a=5.0, b=1.0, c=1.0), False),
        (profile(a=5.0), False),
    ],
)
def test_elsewhere_only_the_very_ratings_of_a_profile_prove_it(
    stored: StoredProfile, is_merged: bool
) -> None:
    """Each id of the table comes before "person", so that the order says nothing."""
    rows = [("ann", "a", 1.0), ("ben", "b", 5.0), ("ben", "c", 5.0)]
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "rating"], orient="row")
    ratings = as_updated_before(
        Ratings.from_frame(frame), ("person 2", "a", 5.0), ("person 2", "b", 1.0)
    )
    expected = {"person 2": 2} if is_merged else {}
    assert old_names(ratings, (page_profile("x"), 2, stored)) == expected
    assert old_names(ratings, (page_profile("x"), 1, stored)) == {}
    assert old_names(ratings, (api_profile("ben"), 2, stored)) == {}


# ---- the record on disk ----


def test_a_record_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = save_small(small_ratings(), tmp_path / "model")
    assert load_model(path).ratings_.source.merged is None
    manifest = json.loads((path / "model.json").read_text())
    del manifest["parts"]  # which would refuse any other file
    (path / "model.json").write_text(json.dumps(manifest))
    for damage in (pl.DataFrame({"store": [1]}), EMPTY):
        damage.write_parquet(path / "merged.parquet")
        with pytest.raises(ArtifactError, match="merged"):
            load_model(path)
    (path / "merged.parquet").write_bytes(b"no Parquet")
    with pytest.raises(ArtifactError, match="merged"):
        load_model(path)
