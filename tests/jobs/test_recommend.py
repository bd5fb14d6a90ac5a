"""Answers of a saved model, as frames."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError, DataError
from tastemap.jobs import recommend as job
from tastemap.models.registry import make_model


def test_pairs_of_a_call_and_of_a_file_have_the_same_predictions(
    tiny: Ratings, tmp_path: Path
) -> None:
    model = make_model("bias").fit(tiny)
    frame = job.predicted_pairs(model, "ann", ["Alien", "30"], None)
    assert frame["item_id"].to_list() == [10, 30]
    assert frame["title"].to_list() == ["Alien (1979)", "Casablanca (1942)"]
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("user_id\titem_id\nann\t10\nann\t30\n")
    again = job.predicted_pairs(model, None, [], pairs)
    assert np.array_equal(again["predicted_rating"], frame["predicted_rating"])
    with pytest.raises(ArgumentError, match="at least one item, or --pairs FILE"):
        job.predicted_pairs(model, "ann", [], None)


def test_a_file_without_the_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("film,rating\nAlien,5\n")
    with pytest.raises(DataError, match="columns item_id or title and rating; received film"):
        job.read_columns(path, ("item_id", "title"), "rating")


def test_a_call_for_everyone_has_a_place_and_no_single_user() -> None:
    job.check_for_all({"USER": None, "--seen": []}, has_place=True)
    with pytest.raises(ArgumentError, match="-o FILE, or --json"):
        job.check_for_all({}, has_place=False)
    with pytest.raises(ArgumentError, match="received USER, --seen, of one person; leave out --al"):
        job.check_for_all({"USER": "ann", "--rate": None, "--seen": ["7"]}, has_place=True)
    with pytest.raises(ArgumentError, match="--all and -o FOLDER"):
        job.recommend_on_spark(Path("model"), None, {}, "local", [])
    assert job.check_for_spark({"k": 3, "by": "expected", "novelty": 0.0}) == {"k": 3}
    with pytest.raises(ArgumentError, match="--novelty; expected this machine; received --engine"):
        job.check_for_spark({"novelty": 0.3})
    with pytest.raises(ArgumentError, match="--by; expected this machine; received --engine"):
        job.recommend_on_spark(Path("model"), Path("out"), {"by": "cautious"}, "local", [])


def test_nothing_stands_on_the_screen_twice(tiny: Ratings) -> None:
    model = make_model("bias").fit(tiny)
    frame = job.described(tiny, model.recommend("ann", k=2, exclude_seen=False))
    assert "popularity" in frame.columns
    shown = job.on_screen(tiny, frame)
    assert "item_id" not in shown.columns
    assert shown.columns[-2:] == ["ratings", "expected_rating"]
    assert job.on_screen(tiny, frame.with_columns(pl.col("score") - 1), "cautious").columns[-1] == (
        "at_least"
    )
    scores = frame.with_columns(predicted_rating=pl.lit(None, pl.Float64))
    assert job.on_screen(tiny, scores).columns[-1] == "score"


def test_the_similarity_of_two_items_is_that_of_the_list(ratings: Ratings) -> None:
    model = make_model("als", n_factors=4, n_epochs=2).fit(ratings, progress=False)
    options = {"k": 1, "users": False, "opposite": False}
    frame, title, _ = job.neighbours(model, "1", None, **options)
    assert title.endswith(" most similar to Comedy 1 (1960)")
    pair, _, _ = job.neighbours(model, "1", str(frame["item_id"][0]), **options)
    assert pair["similarity"][0] == pytest.approx(frame["similarity"][0])
