"""tastemap describe."""

from pathlib import Path

import polars as pl

from commands import ask, run


def test_describe_tells_what_is_there_and_what_was_inferred(folder: Path) -> None:
    answer = ask("describe", folder / "release" / "ratings.csv")
    (glance,) = answer["tables"][0]["rows"]
    assert (glance["ratings"], glance["users"], glance["items"]) == (3000, 120, 80)
    assert any("userId read as user" in note for note in answer["notes"])
    text = run("describe", folder / "release")
    assert "3,000" in text


def test_describe_with_columns_named_and_figures(folder: Path, tmp_path: Path) -> None:
    odd = tmp_path / "odd.txt"
    odd.write_text("who;what;how\nann;7;1\nann;8;5\nben;7;3\n")
    how = ("--user", "who", "--item", "what", "--rating", "how", "--delimiter", ";")
    glance, _, popular, _ = ask("describe", odd, *how, "--noun", "tale")["tables"]
    assert popular["title"] == "The most popular tales"
    (glance,) = glance["rows"]
    assert (glance["ratings"], glance["lowest"], glance["highest"]) == (3, 1, 5)
    run("describe", folder / "release", "-o", tmp_path / "figures")
    written = {path.name for path in (tmp_path / "figures").iterdir()}
    assert written == {
        "popularity.png",
        "rating_counts.png",
        "ratings_per_user.png",
        "releases_per_year.png",
    }


def test_bad_rows_are_skipped_where_one_says_so(tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("user,item,rating\nann,7,1\nann,8,many\nben,7,3\n")
    assert "bad.csv, line 3, column rating" in run("describe", bad, code=1)
    answer = ask("describe", bad, "--on-bad-row", "skip")
    assert answer["tables"][0]["rows"][0]["ratings"] == 2
    assert any("1 bad rows skipped" in note for note in answer["notes"])
    assert "--on-bad-row; expected 'error' or 'skip'" in run(
        "describe", bad, "--on-bad-row", "keep", code=2
    )


def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("user,item,rating\n1,2,4\n1,3,four\n")
    message = run("describe", path, code=1)
    assert "bad.csv" in message
    assert "line 3" in message


def test_interactions_are_described_without_a_word_of_ratings(clicks: Path, tmp_path: Path) -> None:
    answer = ask("describe", clicks / "clicks.csv", "-o", tmp_path / "figures")
    glance, weights, popular = answer["tables"]
    (row,) = glance["rows"]
    assert (row["interactions"], row["users"], row["items"]) == (240, 40, 24)
    assert row["weight_per_user_max"] == 12
    assert [level["count"] for level in weights["rows"]] == [80, 80, 80]
    assert popular["title"] == "The most taken-up articles"
    table = pl.read_csv(clicks / "clicks.csv").group_by("article")
    taken = table.agg(interactions=pl.len(), weight=pl.col("clicks").sum())
    first = popular["rows"][0]
    assert first["interactions"] == taken["interactions"].max()
    assert (first["item_id"], first["interactions"], first["weight"]) in taken.rows()
    assert not any("rating" in name for name in row)
    assert {path.stem for path in (tmp_path / "figures").iterdir()} == {
        *("popularity", "interactions_per_user", "weights", "activity"),
    }


def test_options_say_what_a_row_weighs(tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    events.write_text("user,item,event\na,1,view\na,1,buy\na,2,view\nb,1,view\n")
    call = ("describe", events, "--event-weights", "view=1,buy=3")
    weights = ask(*call)["tables"][1]["rows"]
    assert {row["weight"]: row["count"] for row in weights} == {1: 2, 4: 1}
    assert "--event-weights view=1,buy=1" in run(*call[:3], "view=1", code=2)
    assert "--event-weights; expected view=1,cart=3" in run(*call[:3], "view", code=2)
    assert "one of the two" in run("describe", events, "--rating", "event", *call[2:], code=2)
    assert "unrated; expected a table of ratings" in run(
        "describe", events, "--unrated", "0", code=2
    )
