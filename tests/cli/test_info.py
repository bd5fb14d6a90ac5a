"""tastemap info."""

from pathlib import Path

from commands import ask


def test_a_saved_model_tells_its_class_and_what_learnt_it(folder: Path) -> None:
    facts = ask("info", folder / "dot")
    assert facts["class"] == "FactorModel"
    assert facts["learnt_by"] == "NeuralRecommender(dot)"
