"""Sections of the report."""

import re

from tastemap.data.splits import Split
from tastemap.evaluation.evaluate import evaluate
from tastemap.explore.report.blocks import Picture, Table
from tastemap.jobs.sections import evaluation_blocks, likes_blocks, metrics_blocks
from tastemap.models.registry import make_model


def test_neighbours_by_ratings_and_by_likes_stand_side_by_side(split: Split) -> None:
    explicit, implicit = (
        make_model(name, **options).fit(split.train, progress=False)
        for name, options in (("mf", {}), ("ials", {"n_factors": 8}))
    )
    _, table, sentence = likes_blocks(explicit, implicit, split.test)
    assert isinstance(table, Table)
    # The most popular item stands in for Star Wars.
    assert table.caption == "Most similar to Comedy 1 (1960)"
    near = explicit.similar_items(1, 10), implicit.similar_items(1, 10)
    for name, expected in zip(("ratings", "likes"), near, strict=True):
        assert table.frame[f"by {name}"].to_list() == expected["title"].to_list()
        assert table.frame[f"cosine, {name}"].to_list() == expected["similarity"].to_list()
    numbers = [float(number) for number in re.findall(r"0\.\d{3}", str(sentence))]
    assert len(numbers) == 2
    assert 0 < numbers[0] < numbers[1] < 1


def test_a_model_with_probabilities_has_its_calibration(split: Split) -> None:
    model = make_model("bayes", n_factors=2, n_iterations=10, n_draws=4)
    model.fit(split.train, progress=False)
    evaluation = evaluate(model, split.test)
    calibration = evaluation.calibration
    *_, sentence, picture = evaluation_blocks(evaluation, split.test)
    assert f"{calibration.error:.3f} (calibration error)" in str(sentence)
    assert isinstance(picture, Picture)
    # A model that was saved with what was measured shows the same.
    facts, again = metrics_blocks(evaluation.record)
    assert again.alt == picture.alt
    assert ("test_calibration_error", round(calibration.error, 4)) in facts.pairs
    plain = evaluate(make_model("bias").fit(split.train), split.test)
    assert len(evaluation_blocks(plain, split.test)) == 4
    assert len(metrics_blocks(plain.record)) == 1
