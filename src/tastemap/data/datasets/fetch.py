"""MovieLens by name: from a copy at hand, from the cache, from GroupLens, from a mirror.

Files are written to a folder with a temporary name in the cache, verified, and renamed: what is in
the cache is complete. MovieLens data is for research and may not be redistributed; this package
holds none of it.
"""

import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeAlias

from platformdirs import user_cache_path

from tastemap.data.datasets.download import Progress, download, pip_download
from tastemap.data.ratings import Ratings
from tastemap.data.readers.movielens import Release, find_release, read_movielens
from tastemap.errors import ArgumentError, DataError, FetchError

Report: TypeAlias = Callable[[str], object]

GROUPLENS = "https://files.grouplens.org/datasets/movielens"
LICENCE = (
    "MovieLens data is for research, may not be redistributed, and is to be cited (Harper and "
    "Konstan 2015, doi:10.1145/2827872); its README, kept with it where it has one, says the rest."
)
_MANIFEST = "tastemap.json"
_LICENCE_MARKER = "licence-shown"
_TEMPORARY_PREFIX = ".fetching-"
MAX_TEMPORARY_SECONDS = 86_400
# Of larger files in the cache only the size is compared, not the hash.
MAX_HASHED_BYTES = 2**26
# The header of RecBole's file of ratings; u.data has none.
_INTER_HEADER = b"user_id:token\titem_id:token\trating:float\ttimestamp:float\n"


class Wheel(NamedTuple):
    """A package on the index whose wheel carries a data set: requirement, SHA-256 of the wheel."""

    requirement: str
    sha256: str


@dataclass(frozen=True)
class Dataset:
    """One of MovieLens' releases.

    Attributes:
        ratings: The names that its file of ratings may have.
        md5: The MD5 of its zip that GroupLens publishes, or None if the zip changes.
        ratings_sha256: The SHA-256 of its ratings as text, or None.
        mirror: The wheel that carries it too, or None.
    """

    ratings: tuple[str, ...]
    md5: str | None = None
    ratings_sha256: str | None = None
    mirror: Wheel | None = None


_DAT = ("ratings.dat", "ratings.parquet")
_CSV = ("ratings.csv",)
DATASETS = {
    "ml-100k": Dataset(
        ("u.data", ".inter"),
        md5="0e33842e24a9c977be4e0107933c0723",
        ratings_sha256="06416e597f82b7342361e41163890c81036900f418ad91315590814211dca490",
        mirror=Wheel(
            "recbole==1.2.1", "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407"
        ),
    ),
    "ml-1m": Dataset(_DAT, md5="c4d9eecfca2ab87c1945afe126590906"),
    "ml-10m": Dataset(_DAT, md5="ce571fd55effeba0271552578f2648bd"),
    "ml-20m": Dataset(_CSV, md5="cd245b17a1ae2cc31bb14903e1204af3"),
    "ml-25m": Dataset(_CSV, md5="6b51fb2759a8657d3bfcbfc42b592ada"),
    "ml-32m": Dataset(_CSV),
    "ml-latest": Dataset(_CSV),
    "ml-latest-small": Dataset(_CSV),
}


@dataclass(frozen=True)
class Network:
    """How the network is reached; tests give a server of their own.

    Attributes:
        base_url: The address of the folder of ``<name>.zip``.
        timeout: Seconds to wait for GroupLens.
        get_wheel: Downloads the wheel of a requirement into a folder.
    """

    base_url: str = GROUPLENS
    timeout: float = 4.0
    get_wheel: Callable[[str, Path], object] = field(default=pip_download)


def load_dataset(
    name: str,
    *,
    source: str | Path | None = None,
    refresh: bool = False,
    report: Report | None = None,
    progress: Progress | None = None,
    network: Network | None = None,
) -> Ratings:
    """The ratings of one of MovieLens' releases, fetched if they are not in the cache.

    Args:
        name: ``ml-100k, ml-1m, ml-10m, ml-20m, ml-25m, ml-32m, ml-latest`` or
            ``ml-latest-small``.
        source: A zip or folder that holds the release, to read instead of the cache.
        refresh: Fetch it again although it is in the cache.
        report: Is called with a line on what happens; writes to standard error by default.
        progress: Is called while downloading with the bytes received and expected.
        network: Address and time-out, if not the defaults.

    Raises:
        ArgumentError: If there is no data set of that name.
        FetchError: If it cannot be fetched, or what is fetched is not what was published.
        DataError: If ``source`` cannot be read.
    """
    folder = fetch_dataset(
        name, source=source, refresh=refresh, report=report, progress=progress, network=network
    )
    return read_movielens(folder, name=name)


def fetch_dataset(
    name: str,
    *,
    source: str | Path | None = None,
    refresh: bool = False,
    report: Report | None = None,
    progress: Progress | None = None,
    network: Network | None = None,
) -> Path:
    """The folder in the cache that holds a release, fetched and verified if it is not there.

    It comes from ``source`` if given, else from the first of: the cache, GroupLens, the mirror.
    Arguments and errors are those of `load_dataset`.
    """
    if name not in DATASETS:
        raise ArgumentError(
            "data set",
            expected=f"one of {', '.join(DATASETS)}",
            received=repr(name),
            do="for your own ratings use read_ratings(path)",
        )
    report, network = report or _to_stderr, network or Network()
    target = cache_folder() / name
    if source is None and not refresh and target.exists():
        if _is_intact(target):
            return target
        report(f"{name} in the cache is damaged and is fetched again: {target}")
    with _temporary_folder(target.parent) as work:
        if source is not None:
            files = find_release(Path(source).expanduser())
        else:
            files = _from_network(name, work, report, progress, network)
        ready = _stored(name, files, work)
        _move_into_place(ready, target, work, replace=refresh or source is not None)
    _show_licence(target.parent, report)
    return target


def cache_folder() -> Path:
    """Where data sets are kept: ``TASTEMAP_DATA`` if set, else the platform's cache folder."""
    if folder := os.environ.get("TASTEMAP_DATA"):
        return Path(folder).expanduser()
    return user_cache_path("tastemap", appauthor=False, opinion=False)


def _from_network(
    name: str, work: Path, report: Report, progress: Progress | None, network: Network
) -> Release:
    """The files of the release from GroupLens or, if that fails, from its mirror."""
    mirror = DATASETS[name].mirror
    try:
        return _from_grouplens(name, work, progress, network)
    except (FetchError, DataError) as error:
        if mirror is None:
            raise FetchError(
                name,
                expected="it at GroupLens (it has no mirror)",
                received=error.received,
                do=f"get {name}.zip another way and name it: --from PATH, or source=...",
            ) from error
        arrived = (work / f"{name}.zip").exists()
        problem = "sent a damaged copy" if arrived else "cannot be reached"
        report(
            f"GroupLens {problem} ({error.received}); using the mirror, the package index's "
            f"{mirror.requirement}"
        )
    network.get_wheel(mirror.requirement, work)
    wheels = list(work.glob("*.whl"))
    if len(wheels) != 1:
        raise FetchError(mirror.requirement, expected="one wheel", received=f"{len(wheels)}")
    _compare(mirror.requirement, "SHA-256", mirror.sha256, _digest(wheels[0], "sha256"))
    return find_release(wheels[0])


def _from_grouplens(name: str, work: Path, progress: Progress | None, network: Network) -> Release:
    """The files in GroupLens' zip, verified by its MD5, or where there is none, by its members'."""
    archive, url = work / f"{name}.zip", f"{network.base_url}/{name}.zip"
    download(url, archive, timeout=network.timeout, progress=progress)
    md5 = DATASETS[name].md5 or _published_md5(url, work, network.timeout)
    if md5 is not None:
        _compare(url, "MD5", md5, _digest(archive, "md5"))
    else:
        try:
            with zipfile.ZipFile(archive) as opened:
                bad = opened.testzip()
        except (zipfile.BadZipFile, OSError, EOFError) as error:
            bad = str(error)
        if bad is not None:
            raise FetchError(url, expected="a complete zip", received=f"a damaged one ({bad})")
    return find_release(archive)


def _published_md5(url: str, work: Path, timeout: float) -> str | None:
    """The MD5 that GroupLens publishes beside the zip, as ``MD5 (ml-32m.zip) = 0e33...``."""
    beside = work / "md5"
    try:
        download(f"{url}.md5", beside, timeout=timeout)
    except FetchError:
        return None
    words = re.findall(r"\b[0-9a-f]{32}\b", beside.read_text("ascii", errors="replace").lower())
    return words[0] if words else None


def _stored(name: str, files: Release, work: Path) -> Path:
    """The release written to a folder in ``work``, with a manifest of sizes and hashes."""
    dataset = DATASETS[name]
    ratings = [member for member in files if member.endswith(dataset.ratings)]
    if len(ratings) != 1:
        raise FetchError(
            name,
            expected=f"a file {' or '.join(dataset.ratings)}",
            received=", ".join(sorted(files)),
            do="is that another release?",
        )
    folder = work / "ready"
    folder.mkdir()
    manifest = {}
    for member, file in files.items():
        if not _is_needed(member, ratings[0]):
            continue
        content = file.read()
        if member == ratings[0] and dataset.ratings_sha256:
            received = hashlib.sha256(content.removeprefix(_INTER_HEADER)).hexdigest()
            _compare(f"{name}, {member}", "SHA-256", dataset.ratings_sha256, received)
        (folder / member).write_bytes(content)
        manifest[member] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=1), "utf-8")
    return folder


def _is_needed(file: str, ratings: str) -> bool:
    """Whether `read_movielens` reads a file of a release, or the file is the README."""
    if ratings.endswith(".inter"):
        return Path(file).stem == Path(ratings).stem and file.endswith((".inter", ".item", ".user"))
    prefixes = ("ratings.", "movies.", "users.", "tags.", "links.", "README")
    names = ("u.data", "u.item", "u.user", "u.genre", "u.occupation", "u.info")
    return file.startswith(prefixes) or file in names


def _is_intact(folder: Path) -> bool:
    """Whether each file that the manifest names is there as it was written."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_text("utf-8"))
        return bool(manifest) and all(
            (folder / file).stat().st_size == entry["bytes"]
            and (
                entry["bytes"] > MAX_HASHED_BYTES
                or _digest(folder / file, "sha256") == entry["sha256"]
            )
            for file, entry in manifest.items()
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False


@contextmanager
def _temporary_folder(cache: Path) -> Iterator[Path]:
    """A folder in the cache, removed afterwards, as are those that killed processes left."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        for old in cache.glob(f"{_TEMPORARY_PREFIX}*"):
            if old.stat().st_mtime < time.time() - MAX_TEMPORARY_SECONDS:
                shutil.rmtree(old, ignore_errors=True)
        with tempfile.TemporaryDirectory(
            prefix=_TEMPORARY_PREFIX, dir=cache, ignore_cleanup_errors=True
        ) as work:
            yield Path(work)
    except FetchError:
        raise
    except OSError as error:
        raise FetchError(
            f"the cache {cache}",
            expected="a folder that can be written to",
            received=error.strerror or str(error),
            do="make room, or name another folder in the environment variable TASTEMAP_DATA",
        ) from error


def _move_into_place(ready: Path, target: Path, work: Path, *, replace: bool) -> None:
    """Rename ``ready`` to ``target``; a copy there is replaced if ``replace`` or damaged."""
    for attempt in range(3):
        try:
            ready.rename(target)
        except OSError:
            if not target.exists():
                raise
        else:
            return
        if not replace and _is_intact(target):
            return  # another process was first, and may be reading it
        try:
            target.rename(work / f"old-{attempt}")
        except FileNotFoundError:
            continue  # another process has just moved it away to put its own copy there
    if not _is_intact(target):
        raise FetchError(str(target), expected="to replace it", received="a folder in use")


def _compare(what: str, kind: str, expected: str, received: str) -> None:
    if received != expected:
        raise FetchError(
            what,
            expected=f"{kind} {expected}",
            received=received,
            do="it is damaged or has been changed: fetch it again, or name a sound copy "
            "(--from PATH, source=...)",
        )


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _show_licence(cache: Path, report: Report) -> None:
    """Report the licence note, the first time that anything is fetched into this cache."""
    marker = cache / _LICENCE_MARKER
    try:
        marker.touch(exist_ok=False)
    except FileExistsError:
        return
    report(LICENCE)


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")
