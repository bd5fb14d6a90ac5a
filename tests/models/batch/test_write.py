"""Lists for everyone in a file: those of `recommend_all`, in bounded memory, resumable."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from tastemap.data.ratings import Ratings
from tastemap.errors import ArgumentError, DataError, TastemapWarning
from tastemap.jobs.recommend import read_columns
from tastemap.models.base.recommender import Recommender
from tastemap.models.base.selection import ShortAnswerWarning
from tastemap.models.batch import write as lists
from tastemap.models.batch.recommend import recommend_all
from tastemap.models.batch.write import write_recommendations
from tastemap.models.registry import make_model


@pytest.fixture(scope="module")
def mf(ratings: Ratings) -> Recommender:
    return make_model("mf", n_factors=8, n_epochs=5).fit(ratings, progress=False)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MAX_PART_USERS", 17)


@pytest.mark.parametrize(
    "options",
    [{}, {"k": 3, "exclude_seen": False}, {"where": "year > 1980"}, {"by": "likely-and-liked"}],
)
def test_the_file_holds_the_lists_of_recommend_all(
    mf: Recommender, tmp_path: Path, small_parts: None, options: dict[str, object]
) -> None:
    path = tmp_path / "recs.parquet"
    assert write_recommendations(mf, path, **options) == 0
    assert pl.read_parquet(path).equals(recommend_all(mf, **options))
    assert [file.name for file in tmp_path.iterdir()] == ["recs.parquet"]


@pytest.mark.parametrize(("ending", "separator"), [(".csv", ","), (".tsv", "\t")])
def test_text_holds_the_same(mf: Recommender, tmp_path: Path, ending: str, separator: str) -> None:
    path = tmp_path / f"recs{ending}"
    write_recommendations(mf, path, k=2)
    found = pl.read_csv(path, separator=separator, schema=recommend_all(mf, k=2).schema)
    assert found.equals(recommend_all(mf, k=2))


def test_text_that_a_spreadsheet_would_compute_is_none_in_csv(tmp_path: Path) -> None:
    frame = pl.DataFrame({"user_id": ["=1+1", "b"], "item_id": [1, 2], "rating": [1.0, 2.0]})
    table = pl.DataFrame({"item_id": [1, 2], "title": ["@SUM(1)", "-2+3"]})
    model = make_model("bias").fit(Ratings.from_frame(frame, item_table=table))
    write_recommendations(model, tmp_path / "recs.parquet", k=1)
    with pytest.warns(TastemapWarning, match=r"1 user ids, '=1\+1' the first, begin like"):
        write_recommendations(model, tmp_path / "recs.csv", k=1)
    written = pl.read_csv(tmp_path / "recs.csv")
    assert written["user_id"].to_list() == ["'=1+1", "b"]
    assert sorted(written["title"]) == ["'-2+3", "'@SUM(1)"]
    exact = pl.read_parquet(tmp_path / "recs.parquet")
    assert read_columns(tmp_path / "recs.csv", ("user_id",), "title").equals(
        exact.select("user_id", "title")
    )


def test_least_memory_gives_the_same(mf: Recommender, tmp_path: Path) -> None:
    path = tmp_path / "recs.parquet"
    with pytest.raises(ArgumentError, match="memory; expected at least 5,120 bytes") as error:
        write_recommendations(mf, path, memory=1)
    assert "10 of 80 items for one user; received 1" in str(error.value)
    assert not list(tmp_path.iterdir())
    write_recommendations(mf, path, memory=5120)
    assert pl.read_parquet(path).equals(recommend_all(mf))


def stop_after(n: int, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]) -> None:
    """Let only so many parts be written."""
    write, written = lists._Parts.write, []

    def stopping(self: lists._Parts, start: int, frame: pl.DataFrame) -> None:
        if len(written) == n:
            raise error
        written.append(start)
        write(self, start, frame)

    monkeypatch.setattr(lists._Parts, "write", stopping)


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_a_stopped_call_goes_on(
    mf: Recommender, tmp_path: Path, small_parts: None, error: type[BaseException]
) -> None:
    path = tmp_path / "recs.parquet"
    path.write_bytes(b"the old file")
    with pytest.MonkeyPatch.context() as patch:
        stop_after(3, patch, error)
        with pytest.raises(error):
            write_recommendations(mf, path)
    assert path.read_bytes() == b"the old file"
    assert write_recommendations(mf, path) == 51
    assert pl.read_parquet(path).equals(recommend_all(mf))


def test_parts_of_something_else_are_not_used(
    mf: Recommender, ratings: Ratings, tmp_path: Path, small_parts: None
) -> None:
    path = tmp_path / "recs.parquet"
    other = make_model("mf", n_factors=8, n_epochs=6).fit(ratings, progress=False)
    for model, options in ((mf, {"k": 4}), (mf, {"where": "year > 1980"}), (other, {})):
        with pytest.MonkeyPatch.context() as patch:
            stop_after(3, patch, KeyboardInterrupt)
            with pytest.raises(KeyboardInterrupt):
                write_recommendations(model, path, **options)
        assert write_recommendations(mf, path) == 0
        assert pl.read_parquet(path).equals(recommend_all(mf))


def test_short_lists_are_counted(tiny: Ratings, tmp_path: Path) -> None:
    model = make_model("bias").fit(tiny)
    with pytest.warns(ShortAnswerWarning, match="3 of 3 users have fewer than 2 items"):
        write_recommendations(model, tmp_path / "recs.csv", 2)
    assert pl.read_csv(tmp_path / "recs.csv")["item_id"].to_list() == [30, 20, 10]


def test_another_ending_is_refused(mf: Recommender, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"expected a file ending in \.parquet, \.csv, \.tsv"):
        write_recommendations(mf, tmp_path / "recs.xlsx")


@pytest.mark.slow
def test_a_killed_command_goes_on(mf: Recommender, tmp_path: Path) -> None:
    model, out = mf.save(tmp_path / "model"), tmp_path / "recs.parquet"
    slow = (
        "import time, tastemap.models.batch.write as lists; from tastemap.cli import main;"
        "lists.MAX_PART_USERS = 20; write = lists._Parts.write;"
        "lists._Parts.write = lambda *a: (write(*a), time.sleep({pause}));"
        f"import sys; sys.argv = ['tastemap', 'recommend', {str(model)!r}, '--all',"
        f" '-o', {str(out)!r}]; main()"
    )
    process = subprocess.Popen([sys.executable, "-c", slow.format(pause=30)])
    parts = tmp_path / ".recs.parquet.parts"
    while not list(parts.glob("0*.parquet")):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = subprocess.run(
        [sys.executable, "-c", slow.format(pause=0)], capture_output=True, text=True, check=True
    )
    assert "the lists of 20 users were there" in done.stderr
    assert pl.read_parquet(out).equals(recommend_all(mf, by="cautious"))
    assert not parts.exists()


def test_parts_of_a_model_with_other_options_are_not_used(
    ratings: Ratings, tmp_path: Path, small_parts: None
) -> None:
    path = tmp_path / "recs.parquet"
    few, many = (make_model("knn", n_neighbours=k).fit(ratings, progress=False) for k in (2, 40))
    with pytest.MonkeyPatch.context() as patch:
        stop_after(3, patch, KeyboardInterrupt)
        with pytest.raises(KeyboardInterrupt):
            write_recommendations(few, path)
    assert write_recommendations(many, path) == 0
    assert pl.read_parquet(path).equals(recommend_all(many))


def test_a_damaged_part_is_said(
    mf: Recommender, tmp_path: Path, small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "recs.parquet"
    with monkeypatch.context() as patch:
        stop_after(2, patch, KeyboardInterrupt)
        with pytest.raises(KeyboardInterrupt):
            write_recommendations(mf, path, k=3)
    parts = tmp_path / ".recs.parquet.parts"
    min(parts.glob("0*.parquet")).write_bytes(b"no table")
    with pytest.raises(DataError, match="remove it, and run again") as error:
        write_recommendations(mf, path, k=3)
    assert "\n" not in str(error.value)
    (parts / "plan.json").write_bytes(b"\xff\xfe")
    assert write_recommendations(mf, path, k=3) == 0
