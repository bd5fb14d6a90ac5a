"""Explanations in words; the command: tests/cli/test_explain.py."""

import pytest

from tastemap.data.ratings import Ratings
from tastemap.jobs.explain import explained
from tastemap.models.registry import make_model


def test_the_parts_are_signed_and_those_that_matter_least_share_a_row(ratings: Ratings) -> None:
    model = make_model("als", n_factors=4, n_epochs=2).fit(ratings, progress=False)
    answer = explained(model, "3", {"user": "5"}, n_ratings=2)
    assert answer.frame.equals(model.explain(5, item_id=3))
    assert answer.title.startswith("Comedy 3 (1962): expected rating ")
    words = answer.shown["part"].to_list()
    n_rated = len(ratings.items_of(5))
    assert words[0] == "average of all ratings"
    assert sum(" for " in word for word in words) == 2
    assert f"{n_rated - 2} other ratings" in words
    *adds, total = (float(text.replace("−", "-")) for text in answer.shown["adds"])
    assert sum(adds) == pytest.approx(total, abs=0.01 * len(adds))
    first, *bars = answer.shown["less ◂ ▸ more"].to_list()
    assert first == "", "beside the average no other bar could be seen"
    for add, bar in zip(adds[1:], bars, strict=False):
        left, right = bar.split("│")
        assert (bool(right), bool(left.strip())) in {(add > 0, add < 0), (False, False)}


def test_likes_have_no_stars(ratings: Ratings) -> None:
    model = make_model("ease").fit(ratings.likes(), progress=False)
    answer = explained(model, "3", {"user": None, "ratings": ["2", "4"]})
    assert ": score " in answer.title
    assert {word.partition(" ")[0] for word in answer.shown["part"]} == {"for", "together,"}
