import sys

import numpy as np
import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.vocabulary import Vocabulary
from tastemap.errors import (
    ArgumentError,
    MissingPackageError,
    NotFittedError,
    TastemapError,
    UnknownIdError,
    UnsupportedError,
)
from tastemap.explore import item_map as projection
from tastemap.explore.item_map import (
    SmallMapWarning,
    describe_map,
    item_map,
    main_genres,
    map_items,
    need_colour,
    project_items,
    without_placeholders,
)
from tastemap.models.als import ALS
from tastemap.models.base.factors import FactorModel
from tastemap.models.bias import BiasModel
from tastemap.support.deadline import deadline


def few_ratings(n_items: int) -> Ratings:
    rows = [(user, item, 1 + (user + item) % 5) for user in range(4) for item in range(n_items)]
    return Ratings.from_frame(
        pl.DataFrame(rows, schema=["user_id", "item_id", "rating"], orient="row")
    )


def test_planted_groups_stay_together(model):
    frame = project_items(model, perplexity=10)
    places = frame.select("x", "y").to_numpy()
    group = (frame["item_id"].to_numpy() - 1) % 3
    distance = np.linalg.norm(places[:, None] - places, axis=2)
    np.fill_diagonal(distance, np.inf)
    assert (group[distance.argmin(axis=1)] == group).all()
    assert frame["preserved"].is_between(0, 1).all()
    assert frame["preserved"].mean() > 0.5


def test_same_seed_same_map_and_popular_items_to_the_upper_right(model, ratings):
    frame = project_items(model, perplexity=10, seed=3)
    assert frame.equals(project_items(model, perplexity=10, seed=3))
    popularity = ratings.by_item.counts
    assert (popularity @ frame.select("x", "y").to_numpy() > 0).all()


def test_length_of_factors_does_not_matter(ratings, model, factor_model):
    longer = factor_model(ratings, model.item_factors * np.linspace(1, 9, 90)[:, None])
    (_, as_they_are), (_, stretched) = (projection._directions(m) for m in (model, longer))
    np.testing.assert_allclose(as_they_are, stretched, atol=1e-6)


def test_items_without_rating_or_without_direction_are_left_out(
    ratings, factor_model, grouped_factors
):
    factors = grouped_factors(90)
    factors[5] = 0
    part = ratings.take(ratings.item_index != 7)
    frame = project_items(factor_model(part, factors), perplexity=10)
    assert set(range(1, 91)) - set(frame["item_id"]) == {6, 8}


def test_rows_that_stand_for_no_item_have_no_place(model, ratings, factor_model):
    titles = ["unknown", *(f"Film {item}" for item in ratings.items.ids[1:])]
    table = pl.DataFrame({"item_id": ratings.items.ids, "title": titles})
    renamed = ratings.with_items(Vocabulary(ratings.items.ids, "item", table))
    rows, _ = projection._directions(factor_model(renamed, model.item_factors))
    assert 0 not in rows
    older = pl.DataFrame({"item_id": ratings.items.ids[:5], "x": 0.0, "y": 0.0})
    assert without_placeholders(older, ratings).equals(older)
    assert without_placeholders(older, renamed).equals(older[1:])


def test_the_map_is_kept_with_the_model(model, monkeypatch):
    drawn = item_map(model, perplexity=10)
    monkeypatch.setattr(projection, "_tsne", lambda *_: pytest.fail("drawn twice"))
    assert item_map(model) is drawn
    assert model.item_map_ is drawn


def test_few_items_are_drawn_with_a_smaller_perplexity_and_said_so(factor_model, grouped_factors):
    small = factor_model(few_ratings(12), grouped_factors(12))
    with pytest.warns(SmallMapWarning, match="12 items the map is drawn with perplexity 3.67"):
        assert len(project_items(small)) == 12


def test_equal_factors_and_a_single_factor_are_drawn(factor_model):
    for factors in (np.ones((20, 3)), np.linspace(1, 2, 20)[:, None]):
        frame = project_items(factor_model(few_ratings(20), factors), perplexity=5)
        assert frame.select(pl.all().is_finite().all()).row(0) == (True,) * 4


def test_the_nearest_are_those_of_a_full_sort():
    vectors = np.random.default_rng(0).normal(size=(50, 4))
    near, product = projection._nearest(vectors, 7)
    full = vectors @ vectors.T
    np.fill_diagonal(full, -np.inf)
    assert (near == np.argsort(-full, axis=1)[:, :7]).all()
    np.testing.assert_allclose(product, np.take_along_axis(full, near, axis=1), atol=1e-6)


def test_a_perfect_map_preserves_everything():
    angle = np.linspace(0, np.pi / 2, 60)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    assert projection._preserved(circle, 100 * circle).tolist() == [1.0] * 60


def test_a_map_is_described_in_a_sentence():
    frame = pl.DataFrame({"item_id": range(8), "preserved": [0.5] * 8})
    assert describe_map(frame).startswith("Of the 2 items that are most like an item, 1.0 on")


def test_what_cannot_be_drawn_is_refused(ratings, model, factor_model, grouped_factors):
    with pytest.raises(NotFittedError, match="call fit first"):
        project_items(FactorModel())
    with pytest.raises(UnsupportedError, match="BiasModel cannot draw a map"):
        project_items(BiasModel().fit(ratings))
    with pytest.raises(ArgumentError, match="at least 5 with a training rating.*received 4"):
        project_items(factor_model(few_ratings(4), grouped_factors(4)))
    with pytest.raises(ArgumentError, match="perplexity; expected at least 1"):
        project_items(model, perplexity=0)
    model.factors.item_weights[3, 2] = np.nan
    with pytest.raises(ArgumentError, match="finite"):
        project_items(model, perplexity=10)


def test_a_missing_package_is_named_with_what_to_do(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "openTSNE.affinity", None)
    with pytest.raises(MissingPackageError, match=r"openTSNE.*the extra \"lab\""):
        project_items(model, perplexity=10)


def test_the_rarest_of_the_frequent_genres_is_the_main_one():
    genres = [["Drama"]] * 5 + [["Drama", "War"]] * 2 + [[], None, ["Drama", "War"]]
    assert main_genres(pl.Series(genres)).to_list() == ["Drama"] * 5 + ["War"] * 2 + [
        "other",
        "other",
        "War",
    ]


def test_at_most_seven_genres_have_a_name_of_their_own():
    genres = [[f"g{i}"] for i in range(10) for _ in range(20 - i)]
    names = main_genres(pl.Series(genres)).unique().to_list()
    assert sorted(names) == [*(f"g{i}" for i in range(7)), "other"]


def test_what_is_known_and_counted_stands_beside_the_place(ratings):
    frame = pl.DataFrame({"item_id": [3, 1], "x": [0.0, 1.0], "y": [0.0, 1.0]})
    items = map_items(frame, ratings)
    assert items["title"].to_list() == ["Film 3", "Film 1"]
    assert items["popularity"].to_list() == [3, 1]
    only = ratings.rating[ratings.item_index == 0]
    assert items["average"][1] == pytest.approx(float(only[0]))
    assert items["genre"].to_list() == ["Comedy", "Romance"]


def test_interactions_have_no_average(ratings):
    clicks = ratings.likes(1.0)
    items = map_items(pl.DataFrame({"item_id": [3, 1], "x": [0.0, 1.0], "y": [0.0, 1.0]}), clicks)
    assert items["popularity"].to_list() == [3, 1]
    assert items["average"].to_list() == [None, None]
    with pytest.raises(ArgumentError, match="popularity, year, genre, for a table without ratings"):
        need_colour("average", clicks)


def test_a_model_of_interactions_has_a_map(ratings):
    model = ALS("implicit", n_factors=4, n_epochs=2).fit(ratings.likes(), progress=False)
    frame = project_items(model, perplexity=5)
    assert len(frame) == np.count_nonzero(ratings.likes().by_item.counts)


def test_items_of_which_nothing_is_known():
    bare = Ratings.from_frame(pl.DataFrame({"user_id": [1], "item_id": ["a"], "rating": [3]}))
    items = map_items(pl.DataFrame({"item_id": ["a"], "x": [0.0], "y": [0.0]}), bare)
    assert items.select("title", "year", "genre", "average").row(0) == ("a", None, "other", 3.0)


def test_a_map_that_does_not_fit_is_refused(ratings):
    with pytest.raises(ArgumentError, match="columns item_id, x, y; received no column y"):
        map_items(pl.DataFrame({"item_id": [1], "x": [0.0]}), ratings)
    with pytest.raises(UnknownIdError):
        map_items(pl.DataFrame({"item_id": [999], "x": [0.0], "y": [0.0]}), ratings)


def test_a_map_that_would_not_be_done_in_time_is_given_up_at_once(model, monkeypatch):
    with deadline(0), pytest.raises(TastemapError, match="time to draw it; expected"):
        project_items(model, perplexity=10)
    # The first comparisons, or the pace of t-SNE, show that it takes too long.
    for name in ("N_COMPARISONS", "N_ITERATIONS"):
        with monkeypatch.context() as patch:
            patch.setattr(projection, name, 10**9)
            with deadline(60), pytest.raises(TastemapError, match="received [56]. s"):
                project_items(model, perplexity=10)
    with deadline(1000):
        in_time = project_items(model, perplexity=10)
    assert in_time.equals(project_items(model, perplexity=10))
