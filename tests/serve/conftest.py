"""A small model on disk, and a service on it."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from clients import client_of
from small_models import save_small, small_ratings, text_ratings
from starlette.testclient import TestClient

from tastemap.serve.model.reload import LiveModel
from tastemap.serve.people.store import Store
from tastemap.serve.service import Service


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved model of 120 users and 80 items with whole numbers as ids."""
    return save_small(small_ratings(), tmp_path_factory.mktemp("serve") / "model")


@pytest.fixture(scope="session")
def text_artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved model with text ids of any character."""
    return save_small(text_ratings(), tmp_path_factory.mktemp("serve") / "model")


@pytest.fixture(scope="session")
def live(artifact: Path) -> LiveModel:
    return LiveModel(artifact)


@pytest.fixture
def client(artifact: Path, tmp_path: Path) -> Iterator[TestClient]:
    """A client of an application in this process, with a store of its own."""
    with client_of(artifact, tmp_path) as made:
        yield made


@pytest.fixture
def service(live: LiveModel) -> Iterator[Service]:
    store = Store("sqlite://")
    yield Service(live, store)
    store.close()


# ---- PostgreSQL ----


def _newest_postgres() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    anywhere = shutil.which("initdb")
    return None if anywhere is None else Path(anywhere).parent


def _as_another() -> list[str]:
    """What to put before a command, since PostgreSQL refuses to run as root."""
    return ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a cluster of our own on loopback, gone with the tests."""
    programs = _newest_postgres()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    folder = Path(f"/tmp/tastemap-{os.getpid()}-postgres")  # noqa: S108 - short, for its socket
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    if _as_another():
        shutil.chown(folder, "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def run(program: str, *words: str) -> None:
        command = [*_as_another(), str(programs / program), "-D", str(folder / "data"), *words]
        subprocess.run(command, check=True, capture_output=True, cwd="/")

    run("initdb", "-A", "trust", "-U", "tastemap", "--no-sync", "-E", "UTF8", "--locale=C")
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c fsync=off -k {folder}"
    run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
    yield f"postgresql://tastemap@127.0.0.1:{port}/postgres"
    run("pg_ctl", "-m", "immediate", "stop")
    shutil.rmtree(folder, ignore_errors=True)
