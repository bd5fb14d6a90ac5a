"""The work behind the commands on Apache Spark: fit and score a model, lists for everyone."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tastemap.errors import ArgumentError, UnsupportedError
from tastemap.models.als import ALS
from tastemap.models.base.artifact import refuse_occupied
from tastemap.models.registry import load_model, make_model
from tastemap.spark import als, artifact, evaluate, index, read, recommend
from tastemap.spark.session import Cluster, parse_conf, spark_session
from tastemap.terminal import say, working


def fit_on_spark(
    source: str,
    how: Mapping[str, Any],
    out: Path,
    *,
    name: str,
    options: Mapping[str, Any],
    test_size: float,
    seed: int,
    master: str,
    conf: Sequence[str],
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Read, fit, score and save a model on Spark.

    Args:
        source: What Spark reads, see `tastemap.spark.read.read_table`.
        how: How to read it.
        out: Folder of the artifact; it appears whole or not at all.
        name, options: ``als`` or ``ials``, and what to make it with.
        test_size: Share of the ratings to score a first fit on, which leaves them out; 0 for none.
        seed: Of the split and the fits.
        master, conf: Where to run, and settings ``KEY=VALUE``.

    Returns:
        What is to be said of the model, with its test scores, and notes.
    """
    model = make_model(name, **options)
    if not isinstance(model, ALS):
        raise UnsupportedError(f"Spark fits als and ials, not {name}", do="-m als, or -m ials")
    if not 0 <= test_size < 1:
        raise ArgumentError("--test-size", expected="0 or more, below 1", received=test_size)
    refuse_occupied(out)
    cluster, metrics, told = Cluster(master, parse_conf(conf)), {}, {}
    with working("Spark") as tell, spark_session(cluster) as session:
        tell("reading")
        data = index.index_table(session, read.read_table(session, address(source), how))
        index.refuse_what_the_driver_cannot_hold(data, model.n_factors + 1)
        if test_size:
            tell(f"a first fit, on {1 - test_size:.0%}, to be scored")
            train, test = evaluate.split(data.frame, test_size, seed)
            first = als.fit(model, data, train, seed)
            scores = evaluate.score(model, data, first, train, test)
            *rows, (what, count) = scores.rows()
            metrics = {f"test_{metric}": value for metric, value in rows}
            told = metrics | {"scored on": f"{count:,.0f} {what}"}
        tell(f"fitting on all {data.n:,} ratings")
        fitted = als.fit(model, data, data.frame, seed)
        tell("saving")
        artifact.assemble(model, data, fitted, metrics, seed).save(out)
        data.frame.unpersist()
    return {"model": name, "saved in": str(out), **told}, data.source.notes


def recommend_on_spark(
    path: Path, out: Path, choice: Mapping[str, Any], master: str, conf: Sequence[str]
) -> None:
    """Lists for every user of a saved model, as a folder of Parquet files.

    Args:
        path: The saved model.
        out: The folder, or an address that Spark writes to.
        choice: ``k``, ``exclude_seen``, ``where``.
        master, conf: Where to run, and settings ``KEY=VALUE``.
    """
    model, cluster = load_model(path), Cluster(master, parse_conf(conf))
    with working("Spark") as tell, spark_session(cluster) as session:
        tell(f"lists for {model.ratings_.n_users:,} users")
        n = recommend.recommend_all(session, model, address(str(out)), **choice)
    k = choice["k"] or min(10, model.ratings_.n_items)
    short = n < k * model.ratings_.n_users
    why = f"; some users have fewer than {k}: no more candidates are left" if short else ""
    say(f"wrote {out}: {n:,} rows{why}")


def address(path: str) -> str:
    """A path or address as Spark takes it: ``s3://`` is ``s3a://`` there.

    Example:
        >>> address("s3:/bucket/ratings"), address("data/ratings.csv")
        ('s3a://bucket/ratings', 'data/ratings.csv')
    """
    whole = re.sub(r"^(\w{2,}):/+(?=[^/])", r"\1://", path)
    return re.sub(r"^s3n?://", "s3a://", whole)
