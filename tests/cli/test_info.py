"""tastemap info."""

from pathlib import Path

from commands import ask, run
from tastemap.models.registry import load_model


def test_a_saved_model_tells_its_class_and_what_learnt_it(folder: Path) -> None:
    facts = ask("info", folder / "dot")
    assert facts["class"] == "FactorModel"
    assert facts["learnt_by"] == "NeuralRecommender(dot)"


def test_a_model_whose_time_was_over_says_so(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "mf"
    run("fit", folder / "release", "-m", "mf", "--seconds", 1e-9, "-o", out)
    assert ask("info", out)["stopped"] == {"iterations": 1, "planned": 20}
    assert "after 1 of 20 iterations" in run("info", out)
    assert "iterations 1, planned 20" in run("info", out, "--all")
    assert load_model(out).stopped_ == (1, 20)
    assert ask("info", folder / "bias")["stopped"] is None
    assert "iterations" not in run("info", folder / "bias")


def test_the_hashes_of_files_are_for_programs(folder: Path) -> None:
    digest = ask("info", folder / "dot")["parts"]["items.parquet"]["sha256"]
    shown = run("info", folder / "dot")
    assert "FactorModel" in shown
    assert "3,000 ratings, 120 users, 80 films" in " ".join(shown.split())
    assert len(shown.splitlines()) <= 12, "a title, and ten lines"
    everything = run("info", folder / "dot", "--all")
    assert "item_weights shape 81" in everything
    assert digest[:20] not in shown + everything
