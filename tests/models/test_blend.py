"""The blend: weights that hidden likes ask for, sums that add up, members that come back."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError, UnsupportedError
from tastemap.metrics.ranking import ndcg
from tastemap.models import blend as module
from tastemap.models.batch.recommend import recommend_all
from tastemap.models.blend import Blend, _Hidden, _ndcg, _selected
from tastemap.models.registry import load_model, make_model

THREE = {"ease": {"reg": 5.0}, "mf": {"n_factors": 4, "n_epochs": 5}, "popularity": {}}


@pytest.fixture(scope="module")
def model(ratings: Ratings) -> Blend:
    return Blend(THREE, weights=[2, 1, 1]).fit(ratings, progress=False)


def test_scores_are_the_weighted_sum_of_standardised_scores(model: Blend, ratings: Ratings) -> None:
    expected = np.zeros((ratings.n_users, ratings.n_items))
    for share, (name, options) in zip((0.5, 0.25, 0.25), THREE.items(), strict=True):
        own = make_model(name, **options).fit(ratings, progress=False)
        scores = np.array([own._score(own._user(u)) for u in range(ratings.n_users)], float)
        expected += share * scores / scores.std(axis=1).mean()
    found = np.array([model._score(model._user(u)) for u in range(ratings.n_users)])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("user", [5, 60])
def test_explanations_sum_to_the_score(model: Blend, user: int) -> None:
    parts = model.explain(user, item_id=40)
    score = model._predict(*model._pairs(user, 40))[0]
    assert parts["contribution"].sum() == pytest.approx(score, abs=1e-5)
    assert "score of Popularity" in parts["part"].to_list()
    rated = parts.filter(pl.col("part") == "your rating")
    assert rated["item_id"].to_list() != []
    assert rated["item_id"].n_unique() == len(rated) == len(model.ratings_.rated_items(user))
    assert rated["contribution"].abs().is_sorted(descending=True)


def test_a_new_person_is_explained_and_gets_what_the_scores_say(model: Blend) -> None:
    person = {1: 5.0, 3: 4.0, 8: 1.0}
    score = model._score(model.fold_in(person).description)[39]
    parts = model.explain(ratings=person, item_id=40)
    assert parts["contribution"].sum() == pytest.approx(score, abs=1e-5)


def test_lists_for_everyone_are_those_of_recommend(model: Blend) -> None:
    """Members with exact scores and members whose scores may be off in the last digits."""
    found = recommend_all(model, 20)
    for user, own in zip(range(1, 121), found.partition_by("user_id"), strict=True):
        assert own.drop("user_id").equals(model.recommend(user, k=20))


def test_the_better_member_counts_more(ratings: Ratings, tmp_path: Path) -> None:
    model = Blend(("popularity", "ease")).fit(ratings, progress=False)
    share = dict(zip(model.models, model.member_weights, strict=True))
    assert share["ease"] > 0.5
    assert model.member_weights.sum() == pytest.approx(1)
    alone = Blend(("popularity", "ease"), weights=(0, 3)).fit(ratings, progress=False)
    assert list(alone.members) == ["ease"]
    ease = make_model("ease").fit(ratings, progress=False)
    assert alone.recommend(5)["item_id"].equals(ease.recommend(5)["item_id"])
    loaded = load_model(alone.save(tmp_path / "model"))
    assert list(loaded.members) == ["ease"]
    assert loaded.recommend(5).equals(alone.recommend(5))


def hidden_likes(likes: np.ndarray) -> _Hidden:
    """Rows of 0 and 1 as likes that judge."""
    n_likes = likes.sum(axis=1)
    best = np.cumsum(1 / np.log2(np.arange(2, 12)))[np.minimum(n_likes, 10) - 1]
    users = np.arange(len(likes), dtype=np.int32)
    return _Hidden(None, users, np.flatnonzero(likes.ravel()), best)


def test_ndcg_is_that_of_the_evaluation() -> None:
    rng = np.random.default_rng(0)
    likes = rng.random((30, 40)) < 0.3
    scores = rng.normal(size=(30, 40)).astype(np.float32)
    scores[:, 30:] = -np.inf  # seen
    lists = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    expected = ndcg(np.take_along_axis(likes, lists, 1), likes.sum(axis=1)).mean()
    assert _ndcg(scores, hidden_likes(likes)) == pytest.approx(expected)


def test_members_that_know_different_halves_are_both_selected() -> None:
    """Each finds the likes of half of the users, and the others' in noise; a third only noise."""
    rng = np.random.default_rng(1)
    likes = rng.random((200, 50)) < 0.1
    likes[:, 0] = True
    noise = rng.normal(size=(3, 200, 50)).astype(np.float32)
    noise[0, :100] += 2 * likes[:100]
    noise[1, 100:] += 2 * likes[100:]
    weights = _selected(list(noise), hidden_likes(likes))
    assert weights[0] > 0
    assert weights[1] > 0
    assert weights[2] <= 1


def test_nothing_to_hide_gives_equal_weights(tiny: Ratings) -> None:
    one_each = tiny.take(np.unique(tiny.user_index, return_index=True)[1])
    model = Blend(("ease", "popularity")).fit(one_each, progress=False)
    assert model.member_weights.tolist() == [0.5, 0.5]
    unliked = Blend(("ease", "popularity"), threshold=6.0).fit(tiny, progress=False)
    assert unliked.member_weights.tolist() == [0.5, 0.5]


def test_few_users_judge_where_items_are_many(
    ratings: Ratings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_SCORES", 80 * 30)
    hidden = Blend()._hide_likes(ratings, seed=0)
    assert len(hidden.users) == 30
    again = Blend()._hide_likes(ratings, seed=0)
    np.testing.assert_array_equal(hidden.users, again.users)
    data = set(zip(hidden.train.user_index, hidden.train.item_index, strict=True))
    places = zip(hidden.users[hidden.likes // 80], hidden.likes % 80, strict=True)
    assert data.isdisjoint(places)


def test_thresholds_reach_the_members(ratings: Ratings) -> None:
    model = Blend({"ease": {}, "ials": {"threshold": 2.0}}, threshold=3.0)
    assert model._make("ease").threshold == 3.0
    assert model._make("ials").threshold == 2.0


def test_names_come_as_text_too() -> None:
    assert Blend("ease,popularity").models == {"ease": {}, "popularity": {}}
    assert make_model("blend", models=["ease", "knn"]).models == {"ease": {}, "knn": {}}


@pytest.mark.parametrize(
    ("options", "about"),
    [
        ({"models": ("ease", "nonsense")}, "models; expected different names"),
        ({"models": ("ease", "ease")}, "models; expected different names"),
        ({"models": ("ease", "dot")}, "models; expected different names"),
        ({"models": ("ease", "blend")}, "models; expected different names"),
        ({"models": ()}, "models; expected different names"),
        ({"models": {"ease": {"reg": -1}}}, "reg; expected a number above 0"),
        ({"models": {"ease": {"nothing": 1}}}, "options of model ease"),
        ({"weights": (1,)}, "weights; expected 2 numbers"),
        ({"weights": (-1, 1)}, "weights; expected 2 numbers"),
        ({"weights": (0, 0)}, "weights; expected 2 numbers"),
        ({"holdout": 1.0}, "holdout; expected a share between 0 and 1"),
    ],
)
def test_wrong_options_are_refused(options: dict, about: str) -> None:
    with pytest.raises(ArgumentError, match=f"^{about}"):
        Blend(**options)


def test_similar_items_are_those_of_the_heaviest_member_that_has_them(
    model: Blend, ratings: Ratings
) -> None:
    ease = make_model("ease", reg=5.0).fit(ratings, progress=False)
    assert model.similar_items(4, k=5).equals(ease.similar_items(4, k=5))
    with pytest.raises(UnsupportedError, match="Blend cannot compare items"):
        Blend("popularity").fit(ratings, progress=False).similar_items(4)


def test_a_bayesian_member_explains_its_score(ratings: Ratings) -> None:
    bayes = {"n_factors": 2, "n_iterations": 12, "n_draws": 6}
    model = Blend({"bayes": bayes, "ease": {}}, weights=(1, 1)).fit(ratings, progress=False)
    for user in ratings.users.ids[:20]:
        scores = model._score(model._user(ratings.users.index_of(user)))
        for row in (0, 40, 79):
            parts = model.explain(user, item_id=ratings.items.ids[row])
            assert parts["contribution"].sum() == pytest.approx(scores[row], abs=1e-4)


def test_similar_items_are_those_of_a_member_that_knows_some(ratings: Ratings) -> None:
    model = Blend("bias,ease", weights=(3, 1)).fit(ratings, progress=False)
    assert model.similar_items(1, 3).equals(model.members["ease"].similar_items(1, 3))
