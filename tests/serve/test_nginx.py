"""A real nginx in front of a real server, set up as the documentation says."""

import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from servers import running

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("nginx") and shutil.which("openssl")),
        reason="nginx or openssl is not installed (Debian: apt-get install nginx openssl)",
    ),
]
PAGE = Path(__file__).parents[2] / "docs" / "serving.md"
KEY = "a key of many characters"
# What nginx wants beside a site; everything that it writes stays in one folder.
AROUND = """
{user}
pid nginx.pid;
error_log error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    {site}
}}
"""
Visitor = Callable[..., httpx.Client]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def site(address: str, port: int, folder: Path) -> str:
    """The site on the page, on a port of its own, with a certificate of its own."""
    (text,) = re.findall(r"^```nginx\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    for old, new in (
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("/etc/ssl/films.example.pem", str(folder / "cert.pem")),
        ("/etc/ssl/private/films.example.key", str(folder / "cert.key")),
        ("http://127.0.0.1:8000;", f"{address};"),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="module")
def visitor(text_artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """Makes clients of a server behind nginx, by the address that they come from."""
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    key = folder / "api.key"
    key.write_text(KEY)
    key.chmod(0o600)
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=films.example", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(folder / "cert.key"), "-out", str(folder / "cert.pem")]
    subprocess.run([*command, *files], check=True, capture_output=True)
    trust = ssl.create_default_context(cafile=folder / "cert.pem")

    def client(address: str = "127.0.0.1", **headers: str) -> httpx.Client:
        return httpx.Client(
            base_url=f"https://127.0.0.1:{port}",
            headers={"Host": "films.example", **headers},
            transport=httpx.HTTPTransport(verify=trust, local_address=address),
        )

    options = ["--allowed-host=films.example", f"--api-key-file={key}", "--rate-limit=10"]
    with running(text_artifact, folder, *options, "--trusted-proxy=127.0.0.1") as server:
        user = "user root;" if os.geteuid() == 0 else ""
        text = AROUND.format(user=user, site=site(server.url, port, folder))
        (folder / "nginx.conf").write_text(text)
        told = ["nginx", "-p", str(folder), "-c", "nginx.conf", "-g", "daemon off;"]
        proxy = subprocess.Popen(told, stderr=subprocess.DEVNULL)
        try:
            wait_for_port(port, proxy)
            yield client
        finally:
            proxy.terminate()
            proxy.wait(timeout=30)


def wait_for_port(port: int, proxy: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert proxy.poll() is None, "nginx did not start"
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("nginx takes no connections")


def test_the_api_asks_for_its_key_and_ids_of_any_character_pass(visitor: Visitor) -> None:
    path = "/api/v1/users/50%25/ratings/a%2Fb"
    with visitor() as client:
        for wrong in ({}, {"X-API-Key": KEY + "x"}):
            assert client.put(path, json={"rating": 4}, headers=wrong).status_code == 401
        assert client.delete("/api/v1/users/1").status_code == 401
        right = {"X-API-Key": KEY}
        assert client.put(path, json={"rating": 4}, headers=right).json()["item_id"] == "a/b"
        assert client.get(path, headers=right).json()["rating"] == 4
        assert client.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_pages_need_no_key_and_give_a_cookie_for_https_alone(visitor: Visitor) -> None:
    with visitor() as client:
        page = client.get("/")
        assert page.status_code == 200
        told = page.headers["set-cookie"].lower()
        assert "; secure" in told
        assert "; httponly" in told
        csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)[1]
        form = {"csrf": csrf, "item": "item 12", "rating": "5"}
        assert client.post("/", data=form).headers["location"] == "/"
        assert "<b>1</b> rated" in client.get("/you").text
        body = {"file": ("big.csv", b"x" * 1_500_000, "text/csv")}
        assert client.post("/you/import", files=body, data={"csrf": csrf}).status_code == 422


def test_each_client_has_a_rate_of_its_own_whatever_it_says_of_itself(visitor: Visitor) -> None:
    with visitor("127.0.0.2") as busy, visitor() as calm:
        statuses = [busy.get("/health/live").status_code for _ in range(100)]
        assert 429 in statuses
        assert statuses[:20] == [200] * 20
        for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
            told = [
                busy.get("/health/live", headers={name: f"203.0.113.{n}"}).status_code
                for n in range(20)
            ]
            assert 429 in told, name
        assert calm.get("/health/live", headers={"X-Forwarded-For": "127.0.0.2"}).status_code == 200
        key = {"X-API-Key": KEY}
        assert [busy.get("/api/v1/model", headers=key).status_code for _ in range(20)] == [200] * 20
