"""One cluster of two executor processes for all tests of this folder."""

import importlib.util
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tastemap.data.datasets.synthetic import synthetic_ratings
from tastemap.data.ratings import Ratings
from tastemap.errors import MissingPackageError
from tastemap.models.als import ALS
from tastemap.spark import als, evaluate, index, read
from tastemap.spark.session import Cluster, check_java, spark_session

SIZE = {"n_users": 300, "n_items": 400, "n_ratings": 20_000}
MASTER = "local-cluster[2,1,1024]"
# Small data: plans are interpreted, since compiling each takes longer than running it.
QUICK = {
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.driver.memory": "1g",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}


@pytest.fixture(scope="session")
def spark_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Spark's folder, as links in a temporary one: workers leave their logs in it."""
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip("PySpark is not installed (the extra spark)")
    try:
        check_java()
    except MissingPackageError as error:
        pytest.skip(str(error))
    import pyspark

    home = tmp_path_factory.mktemp("spark-home")
    for part in Path(pyspark.__file__).parent.iterdir():
        (home / part.name).symlink_to(part)
    before = os.environ.get("SPARK_HOME")
    os.environ["SPARK_HOME"] = str(home)
    yield home
    if before is None:
        del os.environ["SPARK_HOME"]


@pytest.fixture(scope="session")
def spark(spark_home: Path) -> Iterator[Any]:
    """A session on a driver and two executors, each a process of its own."""
    with warnings.catch_warnings():
        # PySpark leaves its sockets to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)
        with spark_session(Cluster(MASTER, QUICK)) as session:
            yield session


@pytest.fixture(scope="session")
def big(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ratings, index.Indexed]:
    """The same ratings on this machine and on the cluster."""
    ratings = synthetic_ratings(**SIZE)
    path = tmp_path_factory.mktemp("big") / "ratings.csv"
    ratings.to_frame().write_csv(path)
    return ratings, index.index_table(spark, read.read_table(spark, str(path), {}))


class FittedParts(NamedTuple):
    """A fit on a part of the synthetic ratings, and both parts."""

    model: ALS
    data: index.Indexed
    result: als.Fitted
    train: Any
    test: Any


@pytest.fixture(scope="session", params=["explicit", "implicit"])
def fitted(
    spark: Any,
    ratings: Ratings,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> FittedParts:
    """One fit of each kind of feedback, for all tests that ask what became of it."""
    path = tmp_path_factory.mktemp("fitted") / "ratings.csv"
    ratings.to_frame().write_csv(path)
    data = index.index_table(spark, read.read_table(spark, str(path), {}))
    model = ALS(request.param, n_factors=4, n_epochs=5)
    train, test = evaluate.split(data.frame, 0.2, seed=0)
    return FittedParts(model, data, als.fit(model, data, train, seed=0), train, test)
