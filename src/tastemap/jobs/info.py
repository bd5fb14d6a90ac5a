"""A saved model in ten lines."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from tastemap.data.nouns import ITEM, noun_called
from tastemap.models.base.artifact import read_manifest
from tastemap.support.counts import counted, plain

# So many scores of a test are shown, each beside the baseline's.
MAX_SCORES = 3


def all_facts(path: Path) -> dict[str, Any]:
    """Everything that ``model.json`` says, but the hashes of files, which are for programs.

    Raises:
        ArtifactError: If there is no saved model.
    """
    facts = {name: fact for name, fact in read_manifest(path).items() if name != "parts"}
    if (facts.get("recipe") or {}).get("parameters") == facts["parameters"]:
        facts.pop("parameters")  # a model that is not learnt again from others has them twice
    return facts


def summary(path: Path) -> dict[str, str | None]:
    """What a saved model is, in at most ten facts; None where there is nothing to say.

    Raises:
        ArtifactError: If there is no saved model.
    """
    facts = read_manifest(path)
    learnt_by, stopped = facts.get("learnt_by"), facts.get("stopped")
    name = facts["class"]
    if learnt_by and learnt_by != name:
        name += f", learnt by {learnt_by}"
    recipe = (facts.get("recipe") or {}).get("parameters") or facts["parameters"]
    version = facts.get("versions", {}).get("tastemap", "?")
    parameters = [
        f"{key} {_text(value)}" for key, value in recipe.items() if value not in (None, {})
    ]
    files = [file for file in path.iterdir() if file.is_file()]
    megabytes = sum(file.stat().st_size for file in files) / 1e6
    return {
        "model": name,
        "parameters": ", ".join(parameters) or "none",
        "learnt from": _data(path, facts),
        "scale": _scale(facts["scale"]),
        "stopped": stopped and "after {iterations} of {planned} iterations".format(**stopped),
        "test": _test(facts["metrics"]),
        "map": "drawn" if (path / "map.parquet").is_file() else "none: tastemap map draws it",
        "made by": f"tastemap {version}, seed {facts['seed']}",
        "size": f"{megabytes:,.1f} MB in {counted(len(files), 'file')}",
    }


def _data(path: Path, facts: Mapping[str, Any]) -> str:
    """The name of the data, and how many rows, users and items they have."""
    data = facts.get("data") or {}
    noun = noun_called(data["noun"]) if data.get("noun") else ITEM
    rows = "interactions" if facts["scale"] is None else "ratings"
    parts = []
    if isinstance(n := data.get("n_ratings"), int):
        parts.append(f"{n:,} {rows}")
    for file, word in (("users", "users"), ("items", noun.plural)):
        if (path / f"{file}.parquet").is_file():
            n_rows = pl.scan_parquet(path / f"{file}.parquet").select(pl.len()).collect().item()
            parts.append(f"{n_rows:,} {word}")
    return ": ".join(part for part in (data.get("name", rows), ", ".join(parts)) if part)


def _scale(scale: Mapping[str, Any] | None) -> str | None:
    """The scale in words."""
    if scale is None:
        return "none: interactions"
    ends = f"{plain(scale['lowest'])} to {plain(scale['highest'])}"
    return ends if scale.get("step") is None else f"{ends} in steps of {plain(scale['step'])}"


def _test(metrics: Mapping[str, Any]) -> str:
    """The first test scores, each beside that of the baseline."""
    texts: list[str] = []
    for name, value in metrics.items():
        is_score = isinstance(value, float) and not name.startswith(("baseline", "validation"))
        is_score = is_score and not name.removeprefix("test_").startswith("mse")  # as the RMSE
        if not is_score or len(texts) == MAX_SCORES:
            continue
        baseline = metrics.get(f"baseline_{name}")
        beside = f" (baseline {baseline:.4f})" if isinstance(baseline, float) else ""
        texts.append(f"{name.removeprefix('test_').replace('_', ' ')} {value:.4f}{beside}")
    return ", ".join(texts) or "none recorded: tastemap fit … --test-size 0.1 measures one"


def _text(value: Any) -> str:
    """The value of a parameter in a few characters."""
    return plain(value) if isinstance(value, float) else str(value)
