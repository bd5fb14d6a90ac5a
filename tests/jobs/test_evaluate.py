"""A model scored on a part of the ratings, or a saved one on all of them."""

from pathlib import Path

from tastemap.data.ratings import Ratings
from tastemap.jobs.evaluate import evaluation_tables
from tastemap.models.registry import make_model

SPLIT = {"split": "random", "test_size": 0.2, "seed": 0, "lists": False}


def test_a_model_that_ranks_has_scores_of_lists_alone(ratings: Ratings) -> None:
    tables, notes = evaluation_tables(ratings, "popularity", **SPLIT)
    assert list(tables) == ["Lists of 10 for each user, all unseen items ranked"]
    assert notes == ()


def test_a_saved_model_is_scored_on_all_ratings(ratings: Ratings, tmp_path: Path) -> None:
    make_model("bias").fit(ratings).save(tmp_path / "model")
    tables, (note,) = evaluation_tables(ratings, str(tmp_path / "model"), **SPLIT)
    assert tables["Test errors"]["n"].to_list() == [3000, 3000]
    assert note.startswith("3,000 of 3,000 test pairs are among the training ratings too")
