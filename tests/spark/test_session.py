"""A session, and the errors where Java, PySpark or the cluster is missing."""

from pathlib import Path
from typing import Any

import pytest

from tastemap.errors import ArgumentError, MissingPackageError
from tastemap.spark.session import Cluster, SparkError, check_java, parse_conf, spark_session


def test_without_java_it_says_how_to_install_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingPackageError, match="Java runtime, version 17.*apt-get install"):
        check_java()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(MissingPackageError, match=f"none in JAVA_HOME={tmp_path}"):
        check_java()


def test_an_old_java_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "bin" / "java"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_392\"' >&2\n")
    old.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(MissingPackageError, match="received .*version 8; install one"):
        check_java()
    old.write_text("#!/bin/sh\necho 'openjdk version \"21.0.4\" 2024-07-16' >&2\n")
    assert check_java() == 21


def test_without_pyspark_it_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyspark", None)
    with (
        pytest.raises(MissingPackageError, match=r'pyspark.*pip install "tastemap\[spark\]"'),
        spark_session(Cluster()),
    ):
        pass


def test_settings_are_spark_s_own() -> None:
    assert parse_conf(["spark.a=b=c", "spark.d="]) == {"spark.a": "b=c", "spark.d": ""}
    for wrong in ("spark.a", "executor.memory=1g"):
        with pytest.raises(ArgumentError, match="--conf; expected spark.KEY=VALUE"):
            parse_conf([wrong])
    assert Cluster("local-cluster[2,1,1024]").is_here
    assert not Cluster("spark://host:7077").is_here


@pytest.mark.slow
@pytest.mark.xdist_group("spark")
def test_what_spark_throws_is_one_error_that_says_why(spark: Any) -> None:
    with pytest.raises(SparkError, match=r"^Apache Spark; received .*no such luck"):
        fail_on(spark)
    assert spark.range(3).count() == 3


def fail_on(running: Any) -> None:
    with spark_session(Cluster()) as same:
        assert same.sparkContext is running.sparkContext
        same.sql("select raise_error('no such luck')").collect()
