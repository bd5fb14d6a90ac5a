"""Scores of a fit on the cluster, held against those of one machine."""

from dataclasses import replace
from typing import Any

import pytest

from tastemap.evaluation.evaluate import evaluate, evaluate_ranking
from tastemap.models.bias import BiasModel
from tastemap.spark import artifact
from tastemap.spark.evaluate import score

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("spark")]


def test_scores_are_those_of_one_machine(fitted: Any) -> None:
    model, data, result, train, test = fitted
    scores = dict(score(model, data, result, train, test).rows())
    there = artifact.assemble(model, replace(data, frame=train), result, {}, seed=0)
    held_out = replace(data, frame=test).collect()
    if model.predicts_ratings:
        ours = evaluate(there, held_out).overall.row(0, named=True)
        baseline = evaluate(BiasModel().fit(there.ratings_), held_out).overall["rmse"][0]
        assert scores["rmse"] < baseline
    else:
        ours = dict(evaluate_ranking(there, held_out, 10)["metric", "value"].rows())
        assert scores["users"] == ours["users"]
    shared = scores.keys() & ours.keys() - {"users"}
    assert len(shared) >= 3
    for name in shared:
        assert scores[name] == pytest.approx(ours[name], abs=1e-6), name
