"""The real server: killed, reloaded, with several workers, stopped."""

import json
import shutil
import signal
import socket
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from servers import running
from small_models import save_small, small_ratings
from typer.testing import CliRunner
from waiting import wait_until

from tastemap.cli import app
from tastemap.data.datasets.synthetic import synthetic_ratings
from tastemap.models.registry import make_model
from tastemap.serve.model.reload import load

pytestmark = pytest.mark.slow
WRITERS, WRITES = 4, 250


def test_every_acknowledged_rating_survives_a_kill(artifact: Path, tmp_path: Path) -> None:
    acknowledged: dict[str, dict[int, float]] = {f"user {n}": {} for n in range(WRITERS)}
    killed = threading.Event()

    def write(user: str) -> None:
        with httpx.Client(base_url=server.url) as client:
            for n in range(WRITES):
                item, rating = n % 80 + 1, float(n // 80 % 5 + 1)
                path = f"/api/v1/users/{user}/ratings/{item}"
                try:
                    answer = client.put(path, json={"rating": rating})
                except httpx.TransportError:
                    assert killed.is_set()
                    return
                assert answer.status_code == 200
                acknowledged[user][item] = rating

    with running(artifact, tmp_path) as server:
        threads = [threading.Thread(target=write, args=(user,)) for user in acknowledged]
        for thread in threads:
            thread.start()
        while sum(map(len, acknowledged.values())) < 100:
            time.sleep(0.005)
        killed.set()
        server.kill()
        for thread in threads:
            thread.join()

    with running(artifact, tmp_path) as server:
        for user, ratings in acknowledged.items():
            kept = httpx.get(f"{server.url}/api/v1/users/{user}/ratings").json()["ratings"]
            found = {one["item_id"]: one["rating"] for one in kept}
            # A write whose answer was cut off may be there or not: at most one of each writer.
            assert sum(found.get(item) != rating for item, rating in ratings.items()) <= 1
            assert set(ratings) <= set(found)
            assert len(found) - len(ratings) <= 1
        code, said = server.stop()
    assert (code, said) == (0, "")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_newer_model_takes_over_without_a_dropped_request(
    artifact: Path, tmp_path: Path, workers: int
) -> None:
    model = tmp_path / "model"
    shutil.copytree(artifact, model)
    versions, failures, done = set(), [], threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=server.url) as client:
            while not done.is_set():
                answer = client.get("/api/v1/model")
                if answer.status_code != 200:
                    failures.append(answer.text)
                versions.add(answer.json()["version"])

    with running(model, tmp_path, "--workers", str(workers)) as server:
        before = httpx.get(f"{server.url}/api/v1/model").json()["version"]
        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        expected = {before}
        for seed in (1, 2):
            save_small(small_ratings(), model, seed=seed)
            if seed == 2:
                server.process.send_signal(signal.SIGHUP)
            expected.add(load(model).version)
            wait_until(lambda: expected <= versions)
        done.set()
        for thread in threads:
            thread.join()

        def serving() -> set[str]:
            return {httpx.get(f"{server.url}/api/v1/model").json()["version"] for _ in range(10)}

        # Each worker looks for itself, once a second.
        wait_until(lambda: serving() == {load(model).version})
        newest = serving()
        assert server.stop()[0] == 0
    assert not failures
    assert versions == expected
    assert newest == {load(model).version}


# A server that maps small files, too.
MAPPING = (
    "-c",
    "from tastemap.models.base import parts; parts.MIN_MAPPED_BYTES = 1;"
    "from tastemap.cli import main; main()",
)


def test_a_model_copied_over_the_served_one_file_by_file(artifact: Path, tmp_path: Path) -> None:
    """As ``cp -r`` and ``scp`` do it: each file is cut to nothing, and then written."""
    model = tmp_path / "served" / "model"
    shutil.copytree(artifact, model)
    newer = save_small(small_ratings(), tmp_path / "newer", seed=1)
    versions = [load(newer).version, load(artifact).version]
    failures, done = [], threading.Event()

    def ask(user: int) -> None:
        with httpx.Client(base_url=server.url) as client:
            while not done.is_set():
                answer = client.get(f"/api/v1/users/{user}/recommendations")
                if answer.status_code != 200:
                    failures.append(answer.text)

    with running(model, tmp_path, program=MAPPING) as server:
        threads = [threading.Thread(target=ask, args=(user,)) for user in (1, 2)]
        for thread in threads:
            thread.start()
        for n in range(4):
            source = (newer, artifact)[n % 2]
            for file in sorted(source.iterdir(), reverse=n < 2):
                for part in (0, 2, 1):  # nothing, half of it, all of it
                    whole = file.read_bytes()
                    (model / file.name).write_bytes(whole[: len(whole) // part] if part else b"")
                    time.sleep(0.03)
            wait_until(
                lambda n=n: (
                    httpx.get(f"{server.url}/api/v1/model").json()["version"] == versions[n % 2]
                )
            )
        done.set()
        for thread in threads:
            thread.join()
        ready = httpx.get(f"{server.url}/health/ready").json()
        assert (ready["status"], ready["newer_model"]) == ("ok", None)
        assert server.stop()[0] == 0
    assert not failures
    assert [file.name for file in model.parent.iterdir()] == ["model"]


def test_a_port_in_use_and_a_missing_model_are_said_in_a_line(
    artifact: Path, tmp_path: Path
) -> None:
    store = f"--store={tmp_path / 'ratings.db'}"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = f"--port={taken.getsockname()[1]}"
        found = CliRunner().invoke(app, ["serve", str(artifact), port, store])
    assert (found.exit_code, len(found.stderr.splitlines())) == (2, 1)
    assert "choose another with --port" in found.stderr
    found = CliRunner().invoke(app, ["serve", str(tmp_path / "none"), "--port=0", store])
    assert (found.exit_code, len(found.stderr.splitlines())) == (1, 1)
    assert "a saved model" in found.stderr
    (tmp_path / "tastemap.key").write_bytes(b"")
    for workers in (1, 2):  # nor are workers started again and again that cannot start
        words = ["serve", str(artifact), "--port=0", store, f"--workers={workers}"]
        found = CliRunner().invoke(app, words)
        assert (found.exit_code, len(found.stderr.splitlines())) == (1, 1)
        assert "tastemap.key; expected the 32 bytes that sign cookies" in found.stderr
    found = CliRunner().invoke(app, ["serve", str(artifact), "--host=0.0.0.0", store])
    assert found.exit_code == 2
    assert "--api-key-file" in found.stderr


def test_overload_is_refused_at_once_and_the_server_stays_alive(tmp_path: Path) -> None:
    """More clients than can be answered, of a model that takes its time; a quarter hang up."""
    model = make_model("bayes", n_factors=30, n_iterations=70, n_draws=112)
    model.fit(synthetic_ratings(n_users=60, n_items=4000, n_ratings=12_000), progress=False)
    model.save(tmp_path / "model")

    def question(n: int) -> bytes:
        ratings = [{"item_id": item, "rating": item % 5 + 1} for item in range(n + 1, n + 60)]
        body = json.dumps({"ratings": ratings, "k": 200}).encode()
        head = (
            "POST /api/v1/recommend HTTP/1.1",
            "Host: 127.0.0.1",
            "Content-Type: application/json",
        )
        return "\r\n".join((*head, f"Content-Length: {len(body)}", "", "")).encode() + body

    with running(tmp_path / "model", tmp_path) as server, ExitStack() as stack:
        address = urlsplit(server.url)
        clients = [
            stack.enter_context(socket.create_connection((address.hostname, address.port), 60))
            for _ in range(256)
        ]
        for n, client in enumerate(clients):
            client.sendall(question(n))
        for path in ("/health/live", "/health/ready"):
            assert httpx.get(server.url + path, timeout=5).status_code == 200
        for client in clients[::4]:
            client.close()
        heads = [client.recv(1000).lower() for n, client in enumerate(clients) if n % 4]
        assert {int(head.split()[1]) for head in heads} == {200, 503}
        assert all(b"retry-after: " in head for head in heads if b" 503 " in head)
        assert httpx.get(f"{server.url}/api/v1/items", timeout=5).status_code == 200
        assert server.stop() == (0, "")


def test_events_count_once_though_the_server_is_killed(
    clicks_artifact: Path, tmp_path: Path
) -> None:
    batches = [
        [{"item_id": n % 80 + 1, "event": "buy", "event_id": f"{n} {step}"} for step in range(20)]
        for n in range(60)
    ]
    path, options = "/api/v1/users/ann/events", ("--event-weights", "view=1,buy=3")
    with running(clicks_artifact, tmp_path, *options) as server:
        killer = threading.Timer(0.5, server.kill)
        killer.start()
        with suppress(httpx.TransportError), httpx.Client(base_url=server.url) as client:
            for batch in batches:
                assert client.post(path, json={"events": batch}).status_code == 200
        killer.join()
    with running(clicks_artifact, tmp_path, *options) as server:
        for batch in batches:
            answer = httpx.post(f"{server.url}{path}", json={"events": batch}).json()
            assert answer["counted"] in (0, len(batch)), "a batch is one transaction"
        listed = httpx.get(f"{server.url}/api/v1/users/ann/interactions").json()["interactions"]
        assert {one["item_id"]: one["weight"] for one in listed} == dict.fromkeys(
            range(1, 61), 60.0
        )
