"""A small model on disk, and a service on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from clients import client_of
from clusters import Cluster, newest_postgres, running_cluster
from small_models import NEW_ITEMS, save_small, small_interactions, small_ratings, text_ratings
from starlette.testclient import TestClient

from tastemap.models.registry import load_model
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
def clicks_artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved model of the order of interactions."""
    folder = tmp_path_factory.mktemp("serve")
    return save_small(small_interactions(), folder / "model", "next-item")


@pytest.fixture(scope="session")
def bayes_artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved model with distributions, with three items that nobody has rated."""
    path = save_small(small_ratings(), tmp_path_factory.mktemp("serve") / "model", "bayes")
    load_model(path).add_items(NEW_ITEMS).save(path)
    return path


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


@pytest.fixture(scope="session")
def live_bayes(bayes_artifact: Path) -> LiveModel:
    return LiveModel(bayes_artifact)


@pytest.fixture
def new_items(live_bayes: LiveModel) -> Iterator[Service]:
    """A service on a model with distributions, and with items that nobody has rated."""
    store = Store("sqlite://")
    yield Service(live_bayes, store)
    store.close()


@pytest.fixture(scope="session")
def live_clicks(clicks_artifact: Path) -> LiveModel:
    return LiveModel(clicks_artifact)


@pytest.fixture
def clicks(live_clicks: LiveModel) -> Iterator[Service]:
    """A service on a model of interactions."""
    store = Store("sqlite://")
    yield Service(live_clicks, store, {"view": 1.0, "buy": 3.0, "noise": 0.0})
    store.close()


# ---- PostgreSQL ----


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A cluster of our own, gone with the tests."""
    programs = newest_postgres()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with running_cluster(programs) as made:
        yield made


@pytest.fixture(scope="session")
def postgres(cluster: Cluster) -> str:
    """The URL of a cluster of our own."""
    return cluster.url
