"""What a list shall be like beside being good: checked, kept to, and refused where it cannot be."""

import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError, UnsupportedError
from tastemap.models.als import ALS
from tastemap.models.base import reranking
from tastemap.models.base.recommender import Recommender
from tastemap.models.base.reranking import Reranking, words_as_columns
from tastemap.models.base.selection import ShortAnswerWarning
from tastemap.models.batch.recommend import recommend_all
from tastemap.models.ease import EASE
from tastemap.models.popularity import Popularity

WISHES = (
    {"diversity": 0.5},
    {"calibrated": "genres"},
    {"calibrated": {"genres": 0.4, "decade": 0.2}, "diversity": 0.2},
    {"at_most": {"year": 1, "decade": 2}},
)


@pytest.fixture(scope="module", params=[ALS, EASE])
def model(request: pytest.FixtureRequest, ratings: Ratings) -> Recommender:
    """A model whose items are compared by factors, and a model without factors."""
    made: Recommender = request.param().fit(ratings, progress=False)
    return made


@pytest.fixture
def films() -> Ratings:
    """Ann likes one of each genre; of the others most are dramas by one director."""
    items = {
        "item_id": [*range(1, 9)],
        "genres": [["Drama"], ["Comedy"], *[["Drama"]] * 4, ["Comedy"], None],
        "director": ["A", "B", "C", "C", "C", "D", "D", None],
        "price": [1.5, None, float("nan"), 1.5, 2.0, 2.0, 2.0, 2.0],
    }
    users = ["Ann", "Ann", *["Bob"] * 8, *["Cy"] * 6]
    rows = {
        "user_id": users,
        "item_id": [1, 2, *range(1, 9), *range(3, 9)],
        "rating": [5.0, 5.0, 1, 1, 5, 5, 5, 5, 4, 4, 5, 5, 5, 5, 4, 3],
    }
    return Ratings.from_frame(pl.DataFrame(rows), item_table=pl.DataFrame(items))


@pytest.mark.parametrize("wishes", WISHES)
def test_the_lists_of_all_are_those_of_each(model: Recommender, wishes: dict) -> None:
    lists = recommend_all(model, 7, users=[1, 2, 30], **wishes)
    assert not lists.equals(recommend_all(model, 7, users=[1, 2, 30]))
    for user in (1, 2, 30):
        single = model.recommend(user, k=7, **wishes)
        of_all = lists.filter(user_id=user).drop("user_id")
        assert single.equals(of_all)
        assert single["score"].is_sorted(descending=True)


def test_a_varied_list_has_items_that_are_less_alike(model: Recommender) -> None:
    def alike(**options: float) -> float:
        items = model.recommend(9, k=6, **options)["item_id"].to_list()
        return sum(model.similarity(a, b) for a in items for b in items if a < b)

    assert alike(diversity=1) < alike(diversity=0.5) < alike()


def test_a_calibrated_list_has_the_genres_of_what_somebody_likes(films: Ratings) -> None:
    model = Popularity().fit(films)
    plain = model.recommend("Ann", k=2)
    assert plain["item_id"].to_list() == [3, 4], "both are dramas"
    for wish in ("genres", ["genres"], {"genres": 0.9}):
        calibrated = model.recommend("Ann", k=2, calibrated=wish)
        assert calibrated["item_id"].to_list() == [3, 7]
    assert model.recommend("Ann", k=2, calibrated={"genres": 0}).equals(plain)


def test_who_likes_nothing_has_the_genres_of_all(films: Ratings) -> None:
    model = ALS(n_factors=2).fit(films, progress=False)
    frame = model.recommend(ratings={1: 1.0}, k=4, calibrated={"genres": 1.0})
    genres = films.items.frame.join(frame, on="item_id")["genres"].list.first().to_list()
    # 9 of 13 likes are dramas, 3 comedies, and 1 has no genre.
    assert sorted(genres, key=str) == ["Comedy", "Drama", "Drama", None]


def test_caps_hold_and_items_without_a_value_are_free(films: Ratings) -> None:
    model = Popularity().fit(films)
    frame = model.recommend("Ann", k=3, at_most={"director": 1})
    assert frame["item_id"].to_list() == [3, 6, 8]
    assert model.recommend("Ann", at_most={"director": 1e300}).equals(model.recommend("Ann"))
    with pytest.warns(ShortAnswerWarning, match="only 3 of the 5 items .* at_most director=1$"):
        assert len(model.recommend("Ann", k=5, at_most={"director": 1, "genres": 4})) == 3
    with pytest.warns(ShortAnswerWarning, match="1 of 1 user has .* that fit at_most director=1"):
        assert len(recommend_all(model, 5, users=["Ann"], at_most={"director": 1})) == 3


def test_caps_look_beyond_the_shortlist(ratings: Ratings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reranking, "MIN_SHORTLIST", 1)
    monkeypatch.setattr(reranking, "PLACES_OF_SHORTLIST", 1)
    model = EASE().fit(ratings, progress=False)
    wishes = {"at_most": {"genres": 3, "year": 1}, "diversity": 0.1}
    frame = model.recommend(5, k=6, **wishes)
    genres = frame["title"].str.split(" ").list.first().to_list()
    assert sorted(genres) == ["Comedy"] * 3 + ["Drama"] * 3
    assert recommend_all(model, 6, users=[5], **wishes).drop("user_id").equals(frame)


def test_similarities_of_many_items_are_compared_part_by_part(
    model: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = recommend_all(model, 5, diversity=0.4)
    monkeypatch.setattr(reranking, "MAX_TABLE_ITEMS", 79)
    assert recommend_all(model, 5, diversity=0.4).equals(whole)


def test_wishes_compose_with_the_other_arguments(model: Recommender) -> None:
    frame = model.recommend(
        ratings={1: 5, 2: 1}, k=4, where="year >= 1990", novelty=0.5, diversity=0.3, new=True
    )
    assert len(frame) == 4
    assert frame["title"].str.extract(r"(\d{4})", 1).cast(pl.Int32).min() >= 1990


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"diversity": float("nan")}, "diversity; expected a number from 0 to 1; received nan"),
        ({"diversity": 1.1}, "diversity; expected a number from 0 to 1; received 1.1"),
        ({"calibrated": "genre"}, "calibrated; .*; received 'genre'; did you mean 'genres'"),
        ({"calibrated": {"genres": 2}}, "calibrated of genres; expected a number from 0 to 1"),
        ({"calibrated": 0.5}, "calibrated; expected columns with numbers, such as .*; received 0"),
        ({"at_most": {"director": 2}}, "at_most; expected a column of the item table: title, "),
        ({"at_most": {"genres": 0}}, "at_most of genres; expected a whole number of at least 1"),
        ({"at_most": "genres"}, "at_most; expected columns with numbers, such as {'director': 2}"),
    ],
)
def test_what_cannot_be_is_refused(model: Recommender, wishes: dict, message: str) -> None:
    for ask in (lambda: model.recommend(1, **wishes), lambda: recommend_all(model, **wishes)):
        with pytest.raises(ArgumentError, match=message):
            ask()


def test_without_a_table_of_items_it_is_said_what_is_missing(ratings: Ratings) -> None:
    bare = Ratings.from_frame(ratings.to_frame().select("user_id", "item_id", "rating"))
    with pytest.raises(ArgumentError, match="there is no such table; .*; read .* items"):
        Reranking.of(bare, calibrated="genres")


def test_a_model_that_cannot_compare_items_varies_no_lists(films: Ratings) -> None:
    with pytest.raises(UnsupportedError, match="Popularity cannot compare items"):
        Popularity().fit(films).recommend("Ann", diversity=0.5)


def test_a_catalogue_of_a_few_items_is_varied_too(tiny: Ratings) -> None:
    model = ALS(n_factors=2).fit(tiny, progress=False)
    frame = model.recommend(ratings={10: 5}, diversity=0.7, calibrated="decade")
    assert len(frame) == 2


def test_words_of_a_command_are_columns_with_numbers() -> None:
    assert words_as_columns([], "at_most") is None
    assert words_as_columns(["a=b=2"], "at_most") == {"a=b": 2.0}
    with pytest.raises(ArgumentError, match="at_most; expected COLUMN=NUMBER; received 'genres'"):
        words_as_columns(["genres"], "at_most")
    with pytest.raises(ArgumentError, match="expected COLUMN or COLUMN=WEIGHT; received 'g=x'"):
        words_as_columns(["g=x"], "calibrated")
