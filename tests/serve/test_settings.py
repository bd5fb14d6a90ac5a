"""What a server may be told when it starts."""

from pathlib import Path

import pytest

from tastemap.errors import ArgumentError
from tastemap.serve.settings import Limits, Settings

MODEL = Path("model")


def test_a_server_that_others_reach_needs_a_key() -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):  # noqa: S104 - refused
        with pytest.raises(ArgumentError, match="api_key"):
            Settings(MODEL, host=host)
        assert not Settings(MODEL, host=host, api_key="k" * 16).is_loopback
    for host in ("127.0.0.1", "::1", "localhost", "127.9.9.9"):
        assert Settings(MODEL, host=host).is_loopback


def test_only_strangers_are_slowed_down_unless_told_otherwise() -> None:
    assert Settings(MODEL).rate is None
    assert Settings(MODEL, host="192.0.2.1", api_key="k" * 16).rate == 50
    assert Settings(MODEL, limits=Limits(rate=2.0)).rate == 2


@pytest.mark.parametrize(("name", "value"), [("port", 65_536), ("port", -1), ("workers", 0)])
def test_numbers_out_of_range_are_refused(name: str, value: int) -> None:
    with pytest.raises(ArgumentError, match=name):
        Settings(MODEL, **{name: value})


def test_a_path_is_a_store_of_sqlite_and_a_url_stays_one() -> None:
    assert Settings(MODEL, store="my.db").store_url == "sqlite:///my.db"
    assert Settings(MODEL, store="postgresql://a/b").store_url == "postgresql://a/b"
