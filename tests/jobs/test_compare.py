"""Models from words, and a leaderboard as JSON; the page: tests/cli/test_compare.py."""

from pathlib import Path

import pytest

from tastemap.data.ratings import Ratings
from tastemap.data.splits import Split, leave_last_out
from tastemap.errors import ArgumentError
from tastemap.evaluation.compare import compare
from tastemap.explore.report.blocks import Picture, Table
from tastemap.jobs.compare import board_json, board_sections, makers_of, run_comparison, sentences
from tastemap.terminal import Output


def parse(pairs: list[str]) -> dict[str, float]:
    return {name: float(value) for name, value in (pair.split("=") for pair in pairs)}


def test_words_make_models_with_their_options() -> None:
    makers = makers_of("bias, ease:reg=20:dropout=0.5", parse)
    assert list(makers) == ["bias", "ease:reg=20:dropout=0.5"]
    model = makers["ease:reg=20:dropout=0.5"]()
    assert (model.reg, model.dropout) == (20, 0.5)
    with pytest.raises(ArgumentError, match="expected each once"):
        makers_of("bias,bias", parse)
    with pytest.raises(ArgumentError, match="options of model ease"):
        makers_of("ease:colour=1", parse)


def test_all_of_a_leaderboard_is_in_the_json(split: Split) -> None:
    board = compare(["bias", "popularity"], *split, k=5)
    answer = board_json(board, ["a note"])
    assert (answer["chosen"], answer["by"], answer["k"]) == (board.chosen, "ndcg", 5)
    assert len(answer["rows"]) == 2
    assert answer["notes"] == ["a note"]
    assert answer["gaps"] == []
    assert all(0 < row["p_holm"] <= 1 for row in answer["differences"])
    assert sentences(["no times", "Two."]) == ["No times.", "Two."]


def test_lists_by_gap_are_in_the_json_and_drawn_among_the_lists(ratings: Ratings) -> None:
    board = compare(["bias", "popularity"], *leave_last_out(ratings))
    rows = board_json(board, [])["gaps"]
    assert [row["gap"] for row in rows] == ["within a minute"] * 2 + ["all"] * 2
    assert {"model", "users", "share", "recall", "recall_low", "recall_high", "ndcg"} <= {*rows[0]}
    lists = board_sections(board)["Lists"]
    assert sum(isinstance(block, Table) for block in lists) == 3
    assert [block.alt for block in lists if isinstance(block, Picture)][-1] == (
        "Hit rate of each model by the time since the user was there last, with intervals."
    )


def test_an_ending_is_refused_before_the_models_are_fitted(ratings: Ratings) -> None:
    with pytest.raises(ArgumentError, match=r"-o; expected a file ending in \.html, \.csv"):
        run_comparison(
            ratings, {}, split="no", test_size=0, seeds=[0], output=Output(path=Path("b.docx"))
        )
