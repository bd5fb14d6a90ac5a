"""A server on this machine with a made-up release; nothing here needs the network."""

import http.server
import threading
import time

import pytest

from tastemap.data.datasets.fetch import Network


class Server(http.server.ThreadingHTTPServer):
    """Serves ``files``; breaks off after ``cut`` bytes the first ``cuts`` times."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.cut, self.cuts, self.ranges, self.asked = {}, 0, 0, True, []
        self.silent = False
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        byte_range = self.headers.get("Range")
        server.asked.append((self.path, byte_range))
        if server.silent:
            time.sleep(1)
            return
        content = server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        start = int(byte_range[6:-1]) if byte_range and server.ranges else 0
        if start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = len(content)
        if server.cuts > 0:
            server.cuts -= 1
            end = start + server.cut
        self.wfile.write(content[start:end])

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with Server() as one:
        threading.Thread(target=one.serve_forever, args=(0.01,), daemon=True).start()
        yield one
        one.shutdown()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("TASTEMAP_DATA", str(folder))
    return folder


@pytest.fixture
def lines():
    return []


@pytest.fixture
def network(server):
    return Network(server.url, timeout=2, get_wheel=no_mirror)


def no_mirror(requirement, folder):
    raise AssertionError("the mirror was asked")


@pytest.fixture
def latest(server, zipped, ml_latest):
    """The made-up release, served as ml-latest-small.zip."""
    archive = zipped(ml_latest, "served.zip").read_bytes()
    server.files["/ml-latest-small.zip"] = archive
    return archive
