"""tastemap synthesize."""

from pathlib import Path

from commands import ask, run


def test_synthesize_expands_a_set_and_draws_it(folder: Path, tmp_path: Path) -> None:
    out, figure = tmp_path / "big", tmp_path / "shape.png"
    words = ("synthesize", "--like", folder / "release", "-o", out, "--format", "parquet")
    made = ask(*words, "--ratings", "2e4", "--items", 150, "--seed", 3, "--figure", figure)
    assert (made["ratings"], made["users"], made["items"]) == (20_000, 800, 150)
    assert figure.stat().st_size > 10_000
    (glance,) = ask("describe", out)["tables"][0]["rows"]
    assert (glance["ratings"], glance["users"], glance["items"]) == (20_000, 800, 150)
    assert "--ratings; expected how many ratings" in run(*words, code=2)
    assert "expected a whole number" in run(*words, "--ratings", 0.5, code=2)
    assert "--figure; expected a .png" in run(
        *words, "--ratings", 4000, "--figure", "shape.gif", code=2
    )


def test_a_release_is_a_size_which_the_base_is_expanded_to(folder: Path, tmp_path: Path) -> None:
    small = ("--users", 150, "--items", 100, "--ratings", 4000)
    words = ("synthesize", "--like", "ml-25m", "--base", folder / "release", *small)
    made = ask(*words, "-o", tmp_path / "big")
    assert (made["ratings"], made["users"], made["items"]) == (4000, 150, 100)
