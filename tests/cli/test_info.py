"""tastemap info."""

from pathlib import Path

from commands import ask, run


def test_a_saved_model_tells_its_class_and_what_learnt_it(folder: Path) -> None:
    facts = ask("info", folder / "dot")
    assert facts["class"] == "FactorModel"
    assert facts["learnt_by"] == "NeuralRecommender(dot)"


def test_the_hashes_of_files_are_for_programs(folder: Path) -> None:
    digest = ask("info", folder / "dot")["parts"]["items.parquet"]["sha256"]
    shown = run("info", folder / "dot")
    assert "FactorModel" in shown
    assert digest[:20] not in shown
