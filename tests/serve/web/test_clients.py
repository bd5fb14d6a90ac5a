"""Who sends a request: whom the rate limit counts, whose headers are believed."""

from pathlib import Path

import pytest
from clients import client_of, error_of
from starlette.testclient import TestClient

from tastemap.serve.app import create_app
from tastemap.serve.settings import Limits, Settings
from tastemap.serve.web.clients import counted_client, is_forwarded

KEY = "a key of many characters"
PROXY, STRANGER = "192.0.2.1", "198.51.100.9"


@pytest.mark.parametrize(
    ("address", "other", "is_one"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2", True),
        ("testclient", "another", False),
    ],
)
def test_a_client_is_an_address_or_the_network_of_a_subscriber(
    address: str, other: str, is_one: bool
) -> None:
    assert (counted_client(address) == counted_client(other)) == is_one


@pytest.mark.parametrize(
    "name", ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP"]
)
def test_what_a_proxy_passes_on_is_not_from_this_machine(client: TestClient, name: str) -> None:
    assert is_forwarded({name.lower().encode()})
    refused = client.delete("/api/v1/users/1", headers={name: "127.0.0.1"})
    assert (refused.status_code, error_of(refused)) == (401, "wrong_api_key")
    assert "--api-key-file" in refused.json()["error"]["message"]
    assert client.get("/metrics", headers={name: "127.0.0.1"}).status_code == 401
    assert client.get("/", headers={name: "127.0.0.1"}).status_code == 200
    assert client.delete("/api/v1/users/1").status_code == 204


def behind(artifact: Path, folder: Path, peer: str, **settings: object) -> TestClient:
    """A client whose connections come from an address."""
    told = {"store": str(folder / "ratings.db"), "api_key": KEY} | settings
    app = create_app(Settings(artifact, **told))
    return TestClient(app, base_url="http://127.0.0.1", client=(peer, 5000))


def test_a_named_proxy_says_who_the_client_is_and_nobody_else(
    artifact: Path, tmp_path: Path
) -> None:
    told = {"trusted_proxies": ("192.0.2.0/24",), "limits": Limits(rate=0.1)}

    def statuses(peer: str, *shown: str) -> list[int]:
        with behind(artifact, tmp_path, peer, **told) as client:
            headers = [{"X-Forwarded-For": one} for one in shown]
            return [client.get("/health/live", headers=one).status_code for one in headers]

    assert statuses(PROXY, "203.0.113.1", "203.0.113.2", "203.0.113.1") == [200, 200, 429]
    # What the client itself wrote stands to the left of its address.
    assert statuses(PROXY, "1.1.1.1, 203.0.113.1", "2.2.2.2, 203.0.113.1") == [200, 429]
    assert statuses(PROXY, "203.0.113.1, 192.0.2.7", "203.0.113.1, 192.0.2.8") == [200, 429]
    assert statuses(STRANGER, "203.0.113.1", "203.0.113.2") == [200, 429]


@pytest.mark.parametrize(("peer", "is_secure"), [(PROXY, True), (STRANGER, False)])
def test_a_cookie_is_secure_where_a_named_proxy_speaks_https(
    artifact: Path, tmp_path: Path, peer: str, is_secure: bool
) -> None:
    with behind(artifact, tmp_path, peer, trusted_proxies=(PROXY,)) as client:
        answer = client.get("/", headers={"X-Forwarded-Proto": "https"})
    assert ("secure" in answer.headers["set-cookie"].lower()) == is_secure


def test_by_a_public_name_the_api_asks_for_its_key(artifact: Path, tmp_path: Path) -> None:
    with client_of(artifact, tmp_path, allowed_hosts=("films.example",), api_key=KEY) as client:
        assert client.app.state.settings.rate == 50
        for host in ("films.example", "127.0.0.1:8000"):
            refused = client.delete("/api/v1/users/1", headers={"Host": host})
            assert (refused.status_code, error_of(refused)) == (401, "wrong_api_key")
            right = {"Host": host, "X-API-Key": KEY}
            assert client.delete("/api/v1/users/1", headers=right).status_code == 204
            assert client.get("/", headers={"Host": host}).status_code == 200
