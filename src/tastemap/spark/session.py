"""A session of Apache Spark: it checks Java, joins the cluster and writes the logs to a file."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tastemap.errors import ArgumentError, MissingPackageError, TastemapError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MIN_JAVA_VERSION = 17
HOW_TO_INSTALL_JAVA = (
    "install one (apt-get install openjdk-17-jre-headless, dnf install java-17-openjdk-headless, "
    "brew install openjdk@17) or name its folder in JAVA_HOME"
)
# Executors on the driver's machine connect to it over the loopback address.
LOCAL_SETTINGS = {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
SETTINGS = {
    "spark.app.name": "tastemap",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
}


class SparkError(TastemapError, RuntimeError):
    """A job failed on Apache Spark."""


@dataclass(frozen=True)
class Cluster:
    """Where Spark runs.

    Attributes:
        master: ``spark://host:7077``, ``yarn``, ``k8s://…``, ``local[4]`` (threads of this process)
            or ``local-cluster[2,1,1024]`` (two processes of one core and 1024 MiB).
        conf: Settings of Spark, ``{"spark.executor.memory": "8g"}``; they override tastemap's.
    """

    master: str = "local[*]"
    conf: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_here(self) -> bool:
        """Whether all processes run on this machine."""
        return self.master.startswith("local")


def parse_conf(words: Sequence[str]) -> dict[str, str]:
    """Settings of Spark from words ``KEY=VALUE``.

    Example:
        >>> parse_conf(["spark.executor.memory=8g"])
        {'spark.executor.memory': '8g'}
    """
    for word in words:
        if not re.match(r"spark\.[^=]+=", word):
            raise ArgumentError("--conf", expected="spark.KEY=VALUE", received=word)
    return dict(word.split("=", 1) for word in words)


@contextlib.contextmanager
def spark_session(cluster: Cluster) -> "Iterator[SparkSession]":
    """A session on the cluster, stopped at the end; a running session is used and not stopped.

    The output of the Java process goes to a file; an error quotes the end of the file.

    Raises:
        MissingPackageError: If PySpark or Java is missing.
        SparkError: If the cluster cannot be joined, or a job fails after all retries.
    """
    _check_pyspark()
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    running = SparkContext._active_spark_context
    with warnings.catch_warnings(), tempfile.TemporaryDirectory(prefix="tastemap-spark-") as folder:
        # PySpark warns of versions of pandas, which is not used here.
        warnings.filterwarnings("ignore", category=FutureWarning, module=r"pyspark|tastemap")
        # JAX, if it is loaded, warns of the fork that starts Java.
        warnings.filterwarnings("ignore", message=r"os\.fork\(\)", category=RuntimeWarning)
        log = Path(folder) / "log"
        try:
            with _spark_errors(log):
                session = SparkSession(running or _context(cluster, log))
                if running is None:
                    _prepare(session, cluster, Path(folder) / "checkpoints")
                yield session
        finally:
            if running is None:
                _stop()


def _context(cluster: Cluster, log: Path) -> Any:
    """A new context, in a Java process whose standard error is a file."""
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway

    check_java()
    settings = dict(SETTINGS)
    if cluster.is_here:
        settings |= LOCAL_SETTINGS
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        entries = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        path = os.pathsep.join(str(Path(entry).absolute()) for entry in entries if entry)
        settings |= {"spark.executorEnv.PYTHONPATH": path} if path else {}
    conf = SparkConf(loadDefaults=False).setMaster(cluster.master)
    conf.setAll(list((settings | dict(cluster.conf)).items()))
    with log.open("wb") as file:
        streams = {"stdout": file, "stderr": file}
        launch: Callable[..., Any] = launch_gateway
        gateway = launch(conf, streams) if SparkContext._gateway is None else None
        return SparkContext(conf=conf, gateway=gateway)


def _prepare(session: "SparkSession", cluster: Cluster, checkpoints: Path) -> None:
    """Set the defaults: two shuffle partitions for each core, a folder for the state of a fit."""
    context = session.sparkContext
    if context.getConf().get("spark.sql.shuffle.partitions") is None:
        session.conf.set("spark.sql.shuffle.partitions", str(2 * context.defaultParallelism))
    if cluster.is_here and context.getCheckpointDir() is None:
        context.setCheckpointDir(str(checkpoints))


def _stop() -> None:
    """End the session and the Java process."""
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    context, gateway = SparkContext._active_spark_context, SparkContext._gateway
    with contextlib.suppress(Exception):
        SparkSession(context).stop() if context is not None else None
    SparkContext._gateway = SparkContext._jvm = None
    if gateway is None:
        return
    with contextlib.suppress(Exception):
        gateway.shutdown()
    process = getattr(gateway, "proc", None)
    if process is not None:
        process.stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()


@contextlib.contextmanager
def _spark_errors(log: Path) -> Iterator[None]:
    """Turn the errors of Spark and Java into a `SparkError` with their cause."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        text = str(error).strip() or type(error).__name__
        causes = re.findall(r"(?:Caused by: |Exception: |Error: )([^\n]+)", text + _end_of(log))
        first = re.sub(r"^\[[A-Z_.]+\] ", "", text.splitlines()[0])
        raise SparkError(
            "Apache Spark", received=first + (f" ({causes[-1].strip()})" if causes else "")
        ) from error


def _end_of(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-5000:] if log.is_file() else ""


def _check_pyspark() -> None:
    try:
        import pyarrow as pa  # noqa: F401
        import pyspark  # noqa: F401
    except ImportError as error:
        raise MissingPackageError(
            "engine spark",
            expected=f"the package {error.name}",
            received="none",
            do='pip install "tastemap[spark]"',
        ) from error


def check_java() -> int:
    """The version of the Java runtime that Spark will find.

    Raises:
        MissingPackageError: If Java is missing or too old; the message says how to install it.
    """
    home = os.environ.get("JAVA_HOME")
    command = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    received = f"none in JAVA_HOME={home}" if home else "none"
    if command is not None:
        answer = subprocess.run(  # noqa: S603 - the program above, with a fixed argument
            [command, "-version"], capture_output=True, text=True, check=False
        )
        match = re.search(r'version "(?:1\.)?(\d+)', answer.stderr + answer.stdout)
        if match is not None and int(match[1]) >= MIN_JAVA_VERSION:
            return int(match[1])
        received = f"{command}, version {match[1] if match else 'unknown'}"
    raise MissingPackageError(
        "engine spark",
        expected=f"a Java runtime, version {MIN_JAVA_VERSION} or newer",
        received=received,
        do=HOW_TO_INSTALL_JAVA,
    )
