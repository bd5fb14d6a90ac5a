"""Fetching, from a server on this machine; nothing here needs the network or MovieLens."""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import textwrap
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from platformdirs.macos import MacOS
from platformdirs.unix import Unix
from platformdirs.windows import Windows

from tastemap.data.datasets import fetch
from tastemap.data.datasets.fetch import Dataset, Network, Wheel, fetch_dataset, load_dataset
from tastemap.errors import ArgumentError, DataError, FetchError

CSV = Dataset(("ratings.csv",))


def no_temporaries(cache):
    return not list(cache.glob(".fetching-*"))


def test_what_is_fetched_is_kept_verified_and_read_without_network(
    latest, server, network, cache, lines
):
    done = []
    ratings = load_dataset(
        "ml-latest-small",
        network=network,
        report=lines.append,
        progress=lambda *at: done.append(at),
    )
    assert (len(ratings), ratings.source.name) == (4, "ml-latest-small")
    assert done[-1] == (len(latest), len(latest))
    assert lines == [fetch.LICENCE]
    assert sorted(p.name for p in (cache / "ml-latest-small").iterdir()) == [
        "links.csv", "movies.csv", "ratings.csv", "tags.csv", "tastemap.json",
    ]  # fmt: skip
    assert no_temporaries(cache)
    server.files.clear()
    again = load_dataset("ml-latest-small", network=network, report=lines.append)
    assert again.fingerprint() == ratings.fingerprint()
    assert lines == [fetch.LICENCE]


def test_the_published_md5_is_compared(latest, server, network, cache, lines):
    right = hashlib.md5(latest, usedforsecurity=False).hexdigest()
    server.files["/ml-latest-small.zip.md5"] = f"MD5 (ml-latest-small.zip) = {right}\n".encode()
    fetch_dataset("ml-latest-small", network=network, report=lines.append)
    server.files["/ml-latest-small.zip.md5"] = f"MD5 (ml-latest-small.zip) = {'0' * 32}\n".encode()
    with pytest.raises(FetchError, match=rf"received {right}; get ml-latest-small.zip another way"):
        fetch_dataset("ml-latest-small", network=network, report=lines.append, refresh=True)
    assert load_dataset("ml-latest-small", network=network)  # the old copy is intact


def test_a_damaged_zip_is_refused(latest, server, network, cache, lines):
    damaged = bytearray(latest)
    damaged[60:80] = bytes(20)
    server.files["/ml-latest-small.zip"] = bytes(damaged)
    with pytest.raises(FetchError, match=r"received a damaged one"):
        fetch_dataset("ml-latest-small", network=network, report=lines.append)
    assert not list(cache.iterdir())


def test_a_damaged_cache_is_noticed_and_fetched_again(latest, network, cache, lines):
    folder = fetch_dataset("ml-latest-small", network=network, report=lines.append)
    ratings = (folder / "ratings.csv").read_bytes()
    for damage in (
        lambda: (folder / "ratings.csv").write_bytes(ratings[:-9]),
        lambda: (folder / "ratings.csv").write_bytes(ratings.replace(b"4.5", b"1.5")),
        (folder / "movies.csv").unlink,
        lambda: (folder / "tastemap.json").write_text("{"),
        lambda: (folder / "tastemap.json").write_text("[]"),
    ):
        damage()
        lines.clear()
        fetch_dataset("ml-latest-small", network=network, report=lines.append)
        assert lines == [f"ml-latest-small in the cache is damaged and is fetched again: {folder}"]
        assert (folder / "ratings.csv").read_bytes() == ratings
    assert no_temporaries(cache)


def test_refresh_fetches_anew(latest, server, network, cache, lines):
    for expected in (1, 1, 2):
        refresh = expected == 2
        fetch_dataset("ml-latest-small", network=network, report=lines.append, refresh=refresh)
        assert [path for path, _ in server.asked].count("/ml-latest-small.zip") == expected


def test_a_source_at_hand_needs_no_network(ml_1m, zipped, cache, lines, network):
    archive = zipped(ml_1m, "my.zip")
    for source in (archive, str(ml_1m)):
        ratings = load_dataset("ml-1m", source=source, report=lines.append, network=network)
        assert (len(ratings), ratings.source.name) == (4, "ml-1m")
    shutil.rmtree(ml_1m)
    assert len(load_dataset("ml-1m", report=lines.append, network=network)) == 4


def test_a_source_that_is_not_that_release_is_refused(ml_1m, ml_100k, tmp_path, cache, lines):
    with pytest.raises(
        FetchError, match=r"ml-20m; expected a file ratings.csv; received movies.dat"
    ):
        fetch_dataset("ml-20m", source=ml_1m, report=lines.append)
    with pytest.raises(FetchError, match=r"ml-100k, u.data; expected SHA-256 06416e59.* received "):
        fetch_dataset("ml-100k", source=ml_100k, report=lines.append)
    with pytest.raises(
        DataError, match="nowhere; expected a file or folder; received nothing there"
    ):
        fetch_dataset("ml-100k", source=tmp_path / "nowhere", report=lines.append)
    assert not list(cache.iterdir())


def test_an_unknown_name_lists_the_known_ones(cache):
    with pytest.raises(
        ArgumentError, match=r"one of ml-100k, ml-1m, .*; received 'ml-1k'; for your"
    ):
        load_dataset("ml-1k")


def test_the_platforms_cache_folder(monkeypatch, tmp_path):
    for variable in ("TASTEMAP_DATA", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    local = str(tmp_path / "AppData/Local")
    monkeypatch.setattr("platformdirs.windows.get_win_folder", lambda name: local)
    for platform, folder in (
        (Unix, ".cache"),
        (MacOS, "Library/Caches"),
        (Windows, "AppData/Local"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr("platformdirs.PlatformDirs", platform)
            assert fetch.cache_folder() == tmp_path / folder / "tastemap"
    monkeypatch.setattr("platformdirs.PlatformDirs", Unix)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert fetch.cache_folder() == tmp_path / "x" / "tastemap"
    monkeypatch.setenv("TASTEMAP_DATA", str(tmp_path / "mine"))
    assert fetch.cache_folder() == tmp_path / "mine"


def test_a_cache_that_cannot_be_written_says_what_to_do(ml_1m, tmp_path, monkeypatch, lines):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TASTEMAP_DATA", str(tmp_path / "file"))
    with pytest.raises(FetchError, match=r"the cache .*file; expected a folder .* TASTEMAP_DATA"):
        fetch_dataset("ml-1m", source=ml_1m, report=lines.append)


@pytest.mark.parametrize("text", [b"", b"[1]", b"\xff", b'{"a": 1}', b"[" * 100_000])
def test_a_copy_with_a_damaged_manifest_is_not_intact(ml_1m, cache, lines, text):
    folder = fetch_dataset("ml-1m", source=ml_1m, report=lines.append)
    assert fetch._is_intact(folder)
    (folder / "tastemap.json").write_bytes(text)
    assert not fetch._is_intact(folder)


def test_a_full_disk_leaves_the_old_copy_and_says_what_to_do(ml_1m, cache, lines, monkeypatch):
    folder = fetch_dataset("ml-1m", source=ml_1m, report=lines.append)

    def full(self, data):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(FetchError, match=r"received No space left on device; make room"):
            fetch_dataset("ml-1m", source=ml_1m, report=lines.append)
    assert fetch._is_intact(folder)
    assert no_temporaries(cache)


def test_temporary_folders_of_processes_killed_long_ago_are_swept_up(ml_1m, cache, lines):
    for name, age in ((".fetching-old", 2 * 86_400), (".fetching-new", 60)):
        (cache / name).mkdir(parents=True)
        os.utime(cache / name, (time.time() - age,) * 2)
    fetch_dataset("ml-1m", source=ml_1m, report=lines.append)
    assert [p.name for p in cache.glob(".fetching-*")] == [".fetching-new"]


@pytest.fixture
def wheel(tmp_path, recbole, ml_100k, monkeypatch):
    """A wheel that carries the made-up 100K; the data set expects its hash and its ratings'."""
    path = tmp_path / "recbole-1.2.1-py3-none-any.whl"
    root = tmp_path / "wheel"
    with zipfile.ZipFile(path, "w") as writer:
        for file in sorted(recbole.iterdir()):
            writer.write(file, file.relative_to(root).as_posix())
        writer.writestr("recbole/__init__.py", "raise SystemExit('it must not be imported')")
    known = replace(
        fetch.DATASETS["ml-100k"],
        ratings_sha256=hashlib.sha256((ml_100k / "u.data").read_bytes()).hexdigest(),
        mirror=Wheel("recbole==1.2.1", hashlib.sha256(path.read_bytes()).hexdigest()),
    )
    monkeypatch.setitem(fetch.DATASETS, "ml-100k", known)
    return path


def test_the_mirror_is_used_where_grouplens_cannot_be_reached(wheel, ml_100k, server, cache, lines):
    network = Network(
        server.url, 1, get_wheel=lambda requirement, folder: shutil.copy(wheel, folder)
    )
    ratings = load_dataset("ml-100k", network=network, report=lines.append)
    assert lines == [
        "GroupLens cannot be reached (status 404); using the mirror, the package index's "
        "recbole==1.2.1",
        fetch.LICENCE,
    ]
    assert sorted(p.name for p in (cache / "ml-100k").iterdir()) == [
        "ml-100k.inter", "ml-100k.item", "ml-100k.user", "tastemap.json",
    ]  # fmt: skip
    release = load_dataset("ml-100k", source=ml_100k, network=network, report=lines.append)
    assert release.fingerprint() == ratings.fingerprint()
    assert "imdb_url" in release.item_table.columns


def test_nothing_listening_is_soon_noticed(wheel, cache, lines):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    fetch_dataset("ml-100k", report=lines.append, network=Network(
        url, 1, get_wheel=lambda requirement, folder: shutil.copy(wheel, folder)
    ))  # fmt: skip
    assert "GroupLens cannot be reached (" in lines[0]
    assert "refused" in lines[0]


def test_a_wrong_zip_from_grouplens_leads_to_the_mirror(wheel, server, cache, lines):
    server.files["/ml-100k.zip"] = b"not the zip"
    network = Network(
        server.url, 1, get_wheel=lambda requirement, folder: shutil.copy(wheel, folder)
    )
    fetch_dataset("ml-100k", network=network, report=lines.append)
    assert lines[0].startswith("GroupLens sent a damaged copy (")


def test_a_wheel_that_is_not_the_known_one_is_refused(wheel, server, cache, lines):
    def other(requirement, folder):
        (folder / wheel.name).write_bytes(wheel.read_bytes() + b"more")

    with pytest.raises(FetchError, match=r"recbole==1.2.1; expected SHA-256 .* fetch it again"):
        fetch_dataset("ml-100k", network=Network(server.url, 1, other), report=lines.append)
    with pytest.raises(FetchError, match=r"recbole==1.2.1; expected one wheel; received 0"):
        fetch_dataset(
            "ml-100k", network=Network(server.url, 1, lambda *_: None), report=lines.append
        )
    assert not list(cache.iterdir())


def test_a_mirror_whose_ratings_differ_is_refused(wheel, server, cache, lines, monkeypatch):
    changed = replace(fetch.DATASETS["ml-100k"], ratings_sha256="0" * 64)
    monkeypatch.setitem(fetch.DATASETS, "ml-100k", changed)
    network = Network(
        server.url, 1, get_wheel=lambda requirement, folder: shutil.copy(wheel, folder)
    )
    with pytest.raises(FetchError, match=r"ml-100k, ml-100k.inter; expected SHA-256 0000"):
        fetch_dataset("ml-100k", network=network, report=lines.append)


def test_two_processes_at_once_both_get_it(latest, server, cache, tmp_path):
    program = textwrap.dedent(
        """
        import sys, time
        from tastemap.data.datasets.fetch import Network, load_dataset
        time.sleep(max(0, float(sys.argv[2]) - time.time()))
        network = Network(sys.argv[1], 5)
        print(load_dataset("ml-latest-small", network=network).fingerprint())
        """
    )
    start = str(time.time() + 2)
    both = [
        subprocess.Popen(
            [sys.executable, "-c", program, server.url, start], stdout=-1, stderr=-1, text=True
        )
        for _ in range(2)
    ]
    answers = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], answers
    assert answers[0][0] == answers[1][0]
    assert "".join(err for _, err in answers).count("MovieLens data is for research") == 1
    assert no_temporaries(cache)


def test_whoever_comes_second_leaves_the_first_copy(ml_1m, cache, tmp_path, lines):
    target = fetch_dataset("ml-1m", source=ml_1m, report=lines.append)
    before = (target / "ratings.dat").stat().st_ino
    work = tmp_path / "work"
    work.mkdir()
    shutil.copytree(target, work / "ready")
    fetch._move_into_place(work / "ready", target, work, replace=False)
    assert (target / "ratings.dat").stat().st_ino == before
    fetch._move_into_place(work / "ready", target, work, replace=True)
    assert (target / "ratings.dat").stat().st_ino != before


def test_the_manifest_holds_sizes_and_hashes(ml_1m, cache, lines):
    folder = fetch_dataset("ml-1m", source=ml_1m, report=lines.append)
    manifest = json.loads((folder / "tastemap.json").read_text())
    content = (ml_1m / "ratings.dat").read_bytes()
    assert manifest["ratings.dat"] == {
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
