"""MovieLens by name: from the cache, from a copy at hand, from GroupLens, from a mirror.

Nothing half done is ever found in the cache: files are written to a folder with a temporary name
beside their place, verified, and renamed. MovieLens data is for research and is not redistributed;
nothing of it is part of this package.
"""

import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

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
_LICENCE_SHOWN = "licence-shown"
_TEMPORARY = ".fetching-"
_DAY = 86_400
# Files up to this size are hashed each time they are found in the cache; of larger ones, only
# the size is compared.
_HASHED_BYTES = 2**26
# RecBole's header, in the place of which u.data has none.
_INTER_HEADER = b"user_id:token\titem_id:token\trating:float\ttimestamp:float\n"


@dataclass(frozen=True)
class Wheel:
    """A package on the index whose wheel carries a data set: requirement, SHA-256 of the wheel."""

    requirement: str
    sha256: str


@dataclass(frozen=True)
class Dataset:
    """One of MovieLens' releases.

    Attributes:
        ratings: The names that its file of ratings may have.
        md5: Of GroupLens' zip, as GroupLens publishes it; None where that changes.
        ratings_sha256: Of the ratings as text, where known.
        mirror: Where else it is to be had.
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
    """How the network is reached; tests put a server of their own here.

    Attributes:
        base_url: Where ``<name>.zip`` lies.
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
    """The ratings of one of MovieLens' releases, fetched if need be.

    Args:
        name: ``ml-100k, ml-1m, ml-10m, ml-20m, ml-25m, ml-32m, ml-latest`` or
            ``ml-latest-small``.
        source: A zip or folder that holds the release, to take it from instead of the cache.
        refresh: Fetch it anew although it is in the cache.
        report: Told in a line what happens (a print, say); standard error by default.
        progress: Called while downloading with the bytes received and expected.
        network: Addresses and time-out, if not the usual.

    Raises:
        ArgumentError: If no data set is called that.
        FetchError: If it can be had nowhere, or what came is not what was published.
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
    """The folder in the cache that holds a release, fetched and verified if need be.

    Looked for in this order: the copy named by ``source``, the cache, GroupLens, the mirror.
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
    if chosen := os.environ.get("TASTEMAP_DATA"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "tastemap"


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
    """The files in GroupLens' zip, whose checksum is right or, without one, whose parts are."""
    archive, url = work / f"{name}.zip", f"{network.base_url}/{name}.zip"
    download(url, archive, timeout=network.timeout, progress=progress)
    md5 = DATASETS[name].md5 or _published_md5(url, work, network.timeout)
    if md5 is not None:
        _compare(url, "MD5", md5, _digest(archive, "md5"))
    else:
        _check_zip(archive, url)
    return find_release(archive)


def _published_md5(url: str, work: Path, timeout: float) -> str | None:
    """The MD5 that GroupLens publishes beside the zip, as ``MD5 (ml-32m.zip) = 0e33...``."""
    beside = work / "md5"
    try:
        download(f"{url}.md5", beside, timeout=timeout)
    except FetchError:
        return None
    words = beside.read_text("ascii", errors="replace").replace("=", " ").lower().split()
    return next((w for w in words if len(w) == 32 and not set(w) - set("0123456789abcdef")), None)


def _check_zip(archive: Path, url: str) -> None:
    try:
        with zipfile.ZipFile(archive) as opened:
            bad = opened.testzip()
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        bad = str(error)
    if bad is not None:
        raise FetchError(url, expected="a complete zip", received=f"a damaged one ({bad})")


def _stored(name: str, files: Release, work: Path) -> Path:
    """The release written to a folder in ``work``, with a manifest of sizes and hashes."""
    dataset = DATASETS[name]
    ratings = [file for file in files if file.endswith(dataset.ratings)]
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
    for file, on_demand in files.items():
        if not _is_needed(file, ratings[0]):
            continue
        content = on_demand.read()
        if file == ratings[0] and dataset.ratings_sha256:
            found = hashlib.sha256(content.removeprefix(_INTER_HEADER)).hexdigest()
            _compare(f"{name}, {file}", "SHA-256", dataset.ratings_sha256, found)
        (folder / file).write_bytes(content)
        manifest[file] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=1), "utf-8")
    return folder


def _is_needed(file: str, ratings: str) -> bool:
    """Whether a file of a release is kept: what `read_movielens` reads, and the README."""
    if ratings.endswith(".inter"):
        return Path(file).stem == Path(ratings).stem and file.endswith((".inter", ".item", ".user"))
    known = ("ratings.", "movies.", "users.", "tags.", "links.", "README")
    names = ("u.data", "u.item", "u.user", "u.genre", "u.occupation", "u.info")
    return file.startswith(known) or file in names


def _is_intact(folder: Path) -> bool:
    """Whether each file that the manifest names is there as it was written."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_text("utf-8"))
        return bool(manifest) and all(
            (folder / file).stat().st_size == was["bytes"]
            and (was["bytes"] > _HASHED_BYTES or _digest(folder / file, "sha256") == was["sha256"])
            for file, was in manifest.items()
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return False


@contextmanager
def _temporary_folder(cache: Path) -> Iterator[Path]:
    """A folder in the cache that is gone afterwards; those of processes killed are swept up."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        for old in cache.glob(f"{_TEMPORARY}*"):
            if old.stat().st_mtime < time.time() - _DAY:
                shutil.rmtree(old, ignore_errors=True)
        work = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=cache))
    except OSError as error:
        raise _cannot_write(cache, error) from error
    try:
        yield work
    except FetchError:
        raise
    except OSError as error:
        raise _cannot_write(cache, error) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _move_into_place(ready: Path, target: Path, work: Path, *, replace: bool) -> None:
    """Rename ``ready`` to ``target``, instead of a damaged copy there or, if told to, of any."""
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
            continue  # another process has just moved it away, and will put its own there
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
    """The licence note, the first time that anything is fetched into this cache."""
    marker = cache / _LICENCE_SHOWN
    try:
        marker.touch(exist_ok=False)
    except FileExistsError:
        return
    report(LICENCE)


def _cannot_write(cache: Path, error: OSError) -> FetchError:
    return FetchError(
        f"the cache {cache}",
        expected="a folder that can be written to",
        received=error.strerror or str(error),
        do="make room, or name another folder in the environment variable TASTEMAP_DATA",
    )


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")
