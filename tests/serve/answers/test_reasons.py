"""Reasons: true, of similar items, and not the same for everything; notes where there are none."""

from collections import Counter

import numpy as np
import polars as pl
import pytest
from small_models import QUICK, small_interactions, small_ratings

from tastemap.data.ratings import Ratings
from tastemap.models.registry import make_model
from tastemap.serve.answers.first_page import first_page
from tastemap.serve.answers.reasons import (
    assigned,
    reasonable,
    reasons_in_words,
    with_reasons,
)
from tastemap.serve.answers.reasons import reasons as reasons_of
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.schemas import ItemCard, Reason

KINDS = {
    "Science fiction": ("Sci-Fi", "Action", "Adventure"),
    "Drama": ("Drama", "Romance", "War"),
    "Children's film": ("Children's", "Animation", "Musical"),
    "Horror": ("Horror", "Thriller", "Mystery"),
}
N_USERS, N_ITEMS = 240, 160


@pytest.fixture(scope="module")
def films() -> Ratings:
    """Films of four kinds and people who like one of them; item n is of kind n modulo 4."""
    rng = np.random.default_rng(3)
    kind, taste = np.arange(N_ITEMS) % 4, np.arange(N_USERS) % 4
    quality = rng.normal(0, 0.4, N_ITEMS)
    appeal = np.log(1 / np.arange(5, N_ITEMS + 5))
    key = appeal + 0.7 * (taste[:, None] == kind) + rng.gumbel(size=(N_USERS, N_ITEMS))
    users, items = np.nonzero(key >= np.quantile(key, 0.75))
    mean = 3 + quality[items] + np.where(taste[users] == kind[items], 1.2, -0.6)
    rating = np.clip(np.rint(mean + rng.normal(0, 0.6, len(users))), 1, 5)
    names = [*KINDS]
    table = {
        "item_id": range(N_ITEMS),
        "title": [f"{names[n % 4]} {n}" for n in range(N_ITEMS)],
        "genres": [
            [KINDS[names[n % 4]][0], KINDS[names[n % 4]][1 + n // 4 % 2]] for n in range(N_ITEMS)
        ],
    }
    frame = pl.DataFrame({"user_id": users, "item_id": items, "rating": rating})
    return Ratings.from_frame(frame, item_table=pl.DataFrame(table))


def test_a_terminal_has_the_reasons_in_sentences(films: Ratings) -> None:
    fitted = make_model("als").fit(films, progress=False)
    user = fitted.fold_in({0: 5.0, 4: 5.0, 1: 1.0})
    ids = pl.Series([8, 12, 16, 20, 24])
    words = reasons_in_words(fitted, user, ids)
    assert len(words) == len(ids)
    reasons = [word for word in words if word and word.startswith("because of your 5 for Science")]
    assert reasons
    model = LoadedModel(fitted, {}, "")
    same = reasons_of(model, model.fold_in(user.item_index, user.rating), films.items.index(ids))
    assert [isinstance(reason, Reason) for reason in same] == [
        word is not None and word.startswith("because") for word in words
    ]


@pytest.mark.parametrize("name", ["mf", "als", "knn", "bayes"])
def test_four_people_are_told_what_is_true(films: Ratings, name: str) -> None:
    """Each has rated six films of a kind high and two of others low."""
    options = {"mf": {"n_factors": 8}, "bayes": QUICK["bayes"]}
    fitted = make_model(name, **options.get(name, {})).fit(films, progress=False)
    model, n_reasons = LoadedModel(fitted, {}, ""), 0
    for kind in range(4):
        rated = np.array([*range(kind, kind + 24, 4), (kind + 1) % 4, (kind + 2) % 4], np.int32)
        user = model.fold_in(rated, np.array([5, 5, 4, 5, 5, 4, 1, 2], np.float32))
        page = {row.key: row.items for row in first_page(model, user, 8)}
        assert all(card.because is card.note is None for card in page["popular"])
        for cards in (page["top-picks"], page["loved-by-few"]):
            reasons = [(card.item_id, card.because.item_id) for card in cards if card.because]
            n_reasons += len(reasons)
            assert max(Counter(reason for _, reason in reasons).values(), default=0) <= 3
            for pick, reason in reasons:
                assert reason in rated[:6]
                similarity = fitted.similarity_rows(int(pick))
                rank = int((similarity > similarity[reason]).sum())  # the pick itself comes first
                same = model.catalogue.genres_of(pick) & model.catalogue.genres_of(reason)
                assert rank <= 10 or len(same) >= 2
            assert not any(card.because and card.note for card in cards)
    assert n_reasons > 0.4 * 4 * 16


def test_ratings_take_turns() -> None:
    lifts = np.tile([[4.0, 3.0, 0.1]], (8, 1))
    chosen = assigned(lifts, np.ones((8, 3), dtype=bool), np.array([1, 2, 3]))
    assert Counter(chosen) == {0: 3, 1: 3, 2: 2}
    assert assigned(lifts, np.zeros((8, 3), dtype=bool), np.array([1, 2, 3])) == [-1] * 8
    # An item that was taken up twice is one reason.
    assert Counter(assigned(lifts, np.ones((8, 3), dtype=bool), np.array([1, 1, 1])))[-1] == 5
    # The strongest reason stays where the others are weak.
    assert assigned(np.array([[4.0, 0.1], [4.0, 0.1]]), np.ones((2, 2), bool), np.arange(2))[0] == 0


def test_a_dislike_is_no_reason(films: Ratings) -> None:
    model = LoadedModel(make_model("als", n_factors=4).fit(films, progress=False), {}, "")
    rated = np.array([0, 4, 1, 5], np.int32)
    user = model.fold_in(rated, np.array([5, 5, 1, 2], np.float32))
    picks = np.array([8, 9, 0], np.int32)
    lifts = np.ones((3, 4))
    assert not reasonable(model, user, picks, lifts)[:, 2:].any()
    assert not reasonable(model, user, picks, lifts)[2, 0], "no item is its own reason"
    assert reasonable(model, user, picks, lifts)[0, 0], "the genres of 8 and 0 are the same"
    assert not reasonable(model, user, picks, -lifts).any()


def test_notes_say_what_people_gave() -> None:
    """Item 1 is liked by all, item 2 by whoever likes item 0, item 3 by nobody."""
    users = np.arange(60)
    columns = [np.where(users < 30, 5, 1), 5 - users % 2, np.where(users < 30, 4, 1), 1 + 0 * users]
    frame = pl.concat(
        pl.DataFrame({"user_id": users, "item_id": 10 + item, "rating": column})
        for item, column in enumerate(columns)
    )
    fitted = make_model("als", n_factors=2).fit(Ratings.from_frame(frame), progress=False)
    fitted._lifts = lambda user, rows: np.zeros((len(rows), len(user.item_index)))
    model = LoadedModel(fitted, {}, "")
    rows, liking = np.array([1, 2, 3], np.int32), np.array([5.0], np.float32)
    cards = model.catalogue.cards(rows)
    said = with_reasons(model, model.fold_in(np.array([0], np.int32), liking), rows, cards)
    assert [card.note for card in said] == [
        "almost everybody who likes what you like gives it 4 or more",
        "almost everybody who likes what you like gives it 4 or more",
        None,
    ]
    said = with_reasons(model, model.fold_in(np.array([3], np.int32), liking), rows, cards)
    assert [card.note for card in said] == ["almost everybody gives it 4 or more", None, None]
    assert all(isinstance(card, ItemCard) and card.because is None for card in said)


@pytest.mark.parametrize("name", ["ease", "item-knn", "next-item"])
def test_likes_are_reasons_too(name: str) -> None:
    fitted = make_model(name).fit(small_interactions(small_ratings()), progress=False)
    model = LoadedModel(fitted, {}, "")
    user = model.fold_in(np.array([1, 3, 5, 0], np.int32), np.array([1, 1, 1, -1], np.float32))
    rows = model.best_rows(user, model.scores(user), 8)[0]
    cards = with_reasons(model, user, rows, model.catalogue.cards(rows))
    reasons = [card.because.item_id for card in cards if card.because]
    assert reasons
    assert set(reasons) <= {2, 4, 6}
    assert max(Counter(reasons).values()) <= 3
    notes = {card.note for card in cards if card.note}
    assert notes <= {"most people who like what you like like this, too"}
