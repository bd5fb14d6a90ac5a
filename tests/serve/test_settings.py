"""What a server may be told when it starts."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tastemap.cli import app
from tastemap.errors import ArgumentError
from tastemap.serve.settings import USUAL_LIMITS, Limits, Settings

MODEL = Path("model")


def test_a_server_that_others_reach_needs_a_key() -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):  # noqa: S104 - refused
        with pytest.raises(ArgumentError, match="api_key"):
            Settings(MODEL, host=host)
        assert not Settings(MODEL, host=host, api_key="k" * 16).is_loopback
    for host in ("127.0.0.1", "::1", "localhost", "127.9.9.9"):
        assert Settings(MODEL, host=host).is_loopback


def test_a_public_name_or_a_proxy_is_a_way_in_for_others() -> None:
    ways: tuple[dict[str, tuple[str, ...]], ...] = (
        {"allowed_hosts": ("films.example",)},
        {"allowed_hosts": ("localhost", "10.0.0.1")},
        {"trusted_proxies": ("127.0.0.1",)},
    )
    for way in ways:
        with pytest.raises(ArgumentError, match=r"api_key; expected a key, for .* other machines"):
            Settings(MODEL, **way)
        settings = Settings(MODEL, api_key="k" * 16, **way)
        assert (settings.is_loopback, settings.is_public, settings.rate) == (True, True, 50)
    local = Settings(MODEL, allowed_hosts=("LOCALHOST", "films.localhost", "[::1]", "127.0.0.2"))
    assert (local.is_public, local.rate) == (False, None)


@pytest.mark.parametrize("proxy", ["", "proxy.example", "10.0.0.1/8", "0.0.0.0/0", "::/0", "*"])
def test_a_proxy_is_named_by_its_address_or_network(proxy: str) -> None:
    with pytest.raises(ArgumentError, match="trusted_proxies; expected addresses or networks"):
        Settings(MODEL, api_key="k" * 16, trusted_proxies=("::1", "10.0.0.0/8", proxy))


def test_only_strangers_are_slowed_down_unless_told_otherwise() -> None:
    assert Settings(MODEL).rate is None
    assert Settings(MODEL, host="192.0.2.1", api_key="k" * 16).rate == 50
    assert Settings(MODEL, limits=Limits(rate=2.0)).rate == 2


@pytest.mark.parametrize(("name", "value"), [("port", 65_536), ("port", -1), ("workers", 0)])
def test_numbers_out_of_range_are_refused(name: str, value: int) -> None:
    with pytest.raises(ArgumentError, match=name):
        Settings(MODEL, **{name: value})


@pytest.mark.parametrize("rate", [0, 0.0, -1, float("nan"), float("inf"), -float("inf"), 1e-9])
def test_a_rate_is_a_number_above_zero(rate: float) -> None:
    with pytest.raises(ArgumentError, match=r"rate; expected a number of requests .* --rate-limit"):
        Limits(rate=rate)


@pytest.mark.parametrize("name", USUAL_LIMITS)
@pytest.mark.parametrize("value", [-1, 0, float("nan"), float("inf"), "1"])
def test_a_limit_is_a_number_above_zero(name: str, value: float) -> None:
    if (name, value) != ("waiting", 0):  # nobody has to be let wait
        with pytest.raises(ArgumentError, match=f"{name}; expected a .*number"):
            Limits(**{name: value})


def test_each_limit_is_described_and_a_number_of_the_class_or_the_server() -> None:
    described = " ".join(str(Limits.__doc__).split("Attributes:")[1].split("Raises:")[0].split())
    for name in Limits.__annotations__:
        assert f"{name}: " in described or f"{name}, " in described, name


@pytest.mark.parametrize("value", ["0", "nan", "-1", "inf"])
def test_the_shell_says_a_wrong_rate_in_a_line(value: str) -> None:
    told = CliRunner().invoke(app, ["serve", "model", f"--rate-limit={value}"])
    assert (told.exit_code, len(told.stderr.splitlines())) == (2, 1)
    assert "leave --rate-limit out" in told.stderr


def test_a_path_is_a_store_of_sqlite_and_a_url_stays_one() -> None:
    assert Settings(MODEL, store="my.db").store_url == "sqlite:///my.db"
    assert Settings(MODEL, store="postgresql://a/b").store_url == "postgresql://a/b"
