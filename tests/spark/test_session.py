"""What is said where Java, PySpark or the cluster is missing."""

from pathlib import Path

import pytest

from tastemap.errors import ArgumentError, MissingPackageError
from tastemap.spark.session import Cluster, check_java, parse_conf, spark_session


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
