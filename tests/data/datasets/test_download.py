"""One file over the network: resumed where it broke, given up in time; pip finds the wheel."""

import sys

import pytest

from tastemap.data.datasets import download as download_module
from tastemap.data.datasets.download import download, pip_download
from tastemap.data.datasets.fetch import Network, fetch_dataset
from tastemap.errors import FetchError


def test_a_broken_connection_is_taken_up_where_it_broke(latest, server, network, cache, lines):
    server.cut, server.cuts = 100, 2
    fetch_dataset("ml-latest-small", network=network, report=lines.append)
    assert server.asked[:3] == [
        ("/ml-latest-small.zip", None),
        ("/ml-latest-small.zip", "bytes=100-"),
        ("/ml-latest-small.zip", "bytes=200-"),
    ]


def test_a_server_without_ranges_starts_again(latest, server, network, cache, lines):
    server.cut, server.cuts, server.ranges = 100, 1, False
    fetch_dataset("ml-latest-small", network=network, report=lines.append)
    assert len(server.asked) == 3  # once cut, once whole, and the md5 that is not there


def test_a_connection_that_always_breaks_gives_up_and_leaves_nothing(
    latest, server, network, cache, lines
):
    server.cut, server.cuts = 10, 99
    message = (
        r"ml-latest-small; expected it at GroupLens .* received an answer that breaks off; "
        r"get ml-latest-small.zip another way and name it: --from PATH"
    )
    with pytest.raises(FetchError, match=message):
        fetch_dataset("ml-latest-small", network=network, report=lines.append)
    assert not list(cache.iterdir())


def test_a_silent_server_is_given_up_after_the_time_out(latest, server, cache, lines):
    server.silent = True
    with pytest.raises(FetchError, match="received timed out"):
        fetch_dataset("ml-latest-small", network=Network(server.url, 0.2), report=lines.append)


def test_only_http_is_downloaded(tmp_path):
    with pytest.raises(FetchError, match=r"address; expected http:// or https://; received file:"):
        download("file:///etc/passwd", tmp_path / "x", timeout=1)


def test_pip_failures_are_told_in_one_line(tmp_path, monkeypatch):
    fails = [sys.executable, "-c", "import sys; sys.exit('first\\nERROR: no such package')"]
    monkeypatch.setattr(download_module, "_pips", lambda: [fails, ["/no/such/pip"]])
    with pytest.raises(
        FetchError, match=r"package x==1; expected pip to download it; received ERROR: no such pac"
    ):
        pip_download("x==1", tmp_path)
    monkeypatch.setattr(download_module, "_pips", list)
    with pytest.raises(
        FetchError, match=r"received no pip, .*; python -m ensurepip, or get the da"
    ):
        pip_download("x==1", tmp_path)


def test_the_pips_to_try_are_this_pythons_then_those_on_the_path(tmp_path, monkeypatch):
    monkeypatch.setattr(
        download_module.shutil, "which", lambda name: None if name == "pip3" else f"/bin/{name}"
    )
    assert download_module._pips() == [
        [sys.executable, "-m", "pip"], ["/bin/pip"], ["/bin/uv", "tool", "run", "pip"],
    ]  # fmt: skip
    monkeypatch.setattr(download_module.sys, "executable", "")
    assert download_module._pips()[0] == ["/bin/pip"]
