"""What the command line shows."""

import io
import json
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from tastemap import terminal
from tastemap.errors import ArgumentError
from tastemap.terminal import Output, pieces_of, program, rows_of, table_of, write_frame

FRAME = pl.DataFrame(
    {"item_id": [1234, 7], "title": ["[red]x[/red] <b>", None], "mae": [0.73951, float("nan")]}
)


def test_text_is_never_markup() -> None:
    console = Console(record=True, width=80)
    console.print(table_of(FRAME))
    text = console.export_text()
    assert "[red]x[/red] <b>" in text
    assert "1234" in text
    assert "0.7395" in text


def shown(frame: pl.DataFrame, capsys: pytest.CaptureFixture[str]) -> str:
    Output().show(frame, "Films")
    return capsys.readouterr().out


def test_titles_that_repeat_the_ids_are_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    books = pl.DataFrame({"item_id": ["0195153448", "x"], "title": ["0195153448", "x"]})
    assert shown(books, capsys).count("0195153448") == 1
    named = books.with_columns(title=pl.Series(["Classical Mythology", "x"]))
    assert "Classical Mythology" in shown(named, capsys)


def test_titles_are_said_as_people_say_them(capsys: pytest.CaptureFixture[str]) -> None:
    films = pl.DataFrame({"item_id": [7], "title": ["Postino, Il (1994)"]})
    assert "Il Postino (1994)" in shown(films, capsys)
    Output(as_json=True).show(films, "Films")
    assert "Postino, Il" in capsys.readouterr().out, "programs get what the data has"


def test_large_numbers_have_few_decimals_and_small_ones_all(
    capsys: pytest.CaptureFixture[str],
) -> None:
    counts = pl.DataFrame({"model": ["a", "b"], "rmse": [2113.41, 19.2], "seconds": [0.25, 3.0]})
    text = shown(counts, capsys)
    assert {"2,113.41", "19.20", "0.25"} <= {*text.split()}
    assert "352,698" in shown(pl.DataFrame({"predicted_rating": [352_697.9]}), capsys)
    assert "0.9579" in shown(pl.DataFrame({"rmse": [0.95789]}), capsys)


def test_scores_keep_their_decimals_beside_a_thousand_users(
    capsys: pytest.CaptureFixture[str],
) -> None:
    scores = [0.1162, 2.671, 1136.0]
    frame = pl.DataFrame({"metric": ["ndcg", "novelty", "users"], "value": scores, "ease": scores})
    assert {"0.1162", "2.67", "1,136"} <= {*shown(frame, capsys).split()}


def test_facts_that_are_not_known_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    Output().facts({"ratings": 1234, "first": None}, "At a glance")
    text = capsys.readouterr().out
    assert "1,234" in text
    assert "first" not in text


def test_a_title_cannot_command_the_terminal() -> None:
    console = Console(record=True, width=80)
    console.print(table_of(pl.DataFrame({"title": ["x\x1b[2J\x07\x9b"]})))
    assert "x�[2J��" in console.export_text()


def test_json_has_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=True).show(FRAME, "Films", ["a note"])
    answer = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert answer["rows"][1] == {"item_id": 7, "title": None, "mae": None}
    assert answer["notes"] == ["a note"]


def test_notes_need_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    Output(path=Path("none.csv")).tables({}, ["no map"])
    assert capsys.readouterr().err == "note: no map\n"


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet", "json"])
def test_tables_are_written_by_the_ending_of_the_path(tmp_path: Path, ending: str) -> None:
    frame = pl.DataFrame({"item_id": [1], "genres": [["a", "b"]]})
    path = tmp_path / f"out.{ending}"
    write_frame(frame, path)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    if ending == "parquet":
        assert pl.read_parquet(path).equals(frame)
    elif ending == "json":
        assert json.loads(path.read_text()) == rows_of(frame)
    else:
        assert "a|b" in path.read_text()


@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_no_cell_is_a_formula(tmp_path: Path, ending: str) -> None:
    titles = ['=HYPERLINK("x")', "@SUM(1)", "-2+3", "+1", "\tx", "Alien"]
    frame = pl.DataFrame(
        {"title": titles, "score": [-1, 2, 3, 4, 5, 6], "genres": [["=a", "b"]] * 6}
    )
    path = tmp_path / f"out.{ending}"
    write_frame(frame, path)
    read = pl.read_csv(path, separator="," if ending == "csv" else "\t")
    assert read["title"].to_list() == [*(f"'{title}" for title in titles[:-1]), "Alien"]
    assert read["score"].to_list() == [-1, 2, 3, 4, 5, 6]
    assert set(read["genres"]) == {"'=a|b"}


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")
    with pytest.raises(pl.exceptions.ComputeError):
        write_frame(pl.DataFrame({"x": [[1, 2]]}), path)  # CSV holds no lists of numbers
    assert path.read_text() == "old"
    with pytest.raises(ArgumentError, match="a file ending in .csv"):
        write_frame(FRAME, tmp_path / "out.xls")


def test_the_program_is_named_so_that_the_shell_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = tmp_path / ".venv" / "bin" / "tastemap"
    called.parent.mkdir(parents=True)
    called.write_text("#!/bin/sh\n", encoding="utf-8")
    called.chmod(0o755)
    monkeypatch.setattr("sys.argv", [str(called), "lab"])
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.chdir(tmp_path)
    assert program() == ".venv/bin/tastemap"
    monkeypatch.chdir("/")
    assert program() == str(called).lstrip("/")
    monkeypatch.setenv("PATH", str(called.parent))
    assert program() == "tastemap"
    monkeypatch.setattr("sys.argv", ["python", "lab"])
    assert program() == "tastemap"


def test_pieces_of_a_table_name_their_rows() -> None:
    frame = pl.DataFrame(
        {"group": ["popularity"] * 2, "band": ["0", "1–9"]}
        | {f"error_{n}": [0.5, 0.25] for n in range(6)}
    )
    pieces = pieces_of(frame, 40)
    assert len(pieces) > 1
    assert {tuple(piece.columns[:2]) for piece in pieces} == {("group", "band")}


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_a_wide_table_is_cut_into_pieces_whose_numbers_are_whole(width: int) -> None:
    names = ["recall@10", "precision@10", "ndcg@10", "coverage", "fit_seconds", "memory_mb"]
    values = [0.1234, 0.2345, 0.3456, 0.4567, 12.34, 1234567]
    row = {"model": "two-tower"} | dict(zip(names, values, strict=True))
    pieces = pieces_of(pl.DataFrame([row]), width)
    assert [name for piece in pieces for name in piece.columns[1:]] == names
    assert {piece.columns[0] for piece in pieces} == {"model"}
    assert (len(pieces) == 1) == (width >= 80)
    console = Console(width=width, file=io.StringIO())
    for piece in pieces:
        console.print(table_of(piece))
    shown = console.file.getvalue()
    for text in ("0.1234", "0.2345", "0.3456", "0.4567", "12.34", "1,234,567", "two-tower"):
        assert text in shown
    assert max(map(len, shown.splitlines())) <= width


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_terminal_breaks_lines_between_words(
    monkeypatch: pytest.MonkeyPatch, is_terminal: bool
) -> None:
    output = Console(file=io.StringIO(), width=24, force_terminal=is_terminal, color_system=None)
    monkeypatch.setattr(terminal, "aside", output)
    terminal.say("note: /a/path/that/is/long/and/whole and judged by 2,400 others")
    lines = [line.strip() for line in output.file.getvalue().splitlines()]
    if not is_terminal:
        assert len(lines) == 1, "for other programs"
        return
    assert "/a/path/that/is/long/and/whole" in " ".join(lines).split()
    assert lines[-2:] == ["and judged by 2,400", "others"]
