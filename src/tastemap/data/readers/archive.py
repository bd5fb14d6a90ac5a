"""The files of a data set, in a folder or a zip, read without unpacking them to disk."""

import gzip
import io
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO

from tastemap.errors import DataError, TastemapError
from tastemap.support.addresses import refuse_address
from tastemap.support.boundary import reason, refusing
from tastemap.support.memory import MIN_CHECKED_BYTES, require

# The largest release of MovieLens is about 2 GB of text, compressed about 4:1.
MAX_BYTES = 8 * 2**30
MAX_RATIO = 100
# Smaller members of a zip may be of any ratio; a file compressed with gzip may be larger, since it
# is read as it comes and stopped.
MIN_MEMBER_BYTES, MIN_GZIP_BYTES = 2**20, 2**30
# Of other kinds a few bytes may unpack to gigabytes at once.
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
MAX_DEPTH = 3
GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
CHUNK_BYTES = 2**24


@dataclass(frozen=True)
class DataFile:
    """One file: its name in messages, and its bytes on demand.

    Attributes:
        name: The path, or ``archive.zip/member``.
        load: Gives the bytes.
        path: Where the same bytes lie on disk, or None.
        n_bytes: Number of bytes that ``load`` gives, or None if that is unknown.
        load_start: Gives the first bytes, as many as it is asked for, without the rest of them.
    """

    name: str
    load: Callable[[], bytes]
    path: Path | None = None
    n_bytes: int | None = None
    load_start: Callable[[int], bytes] | None = None

    def start(self, n_bytes: int) -> bytes:
        """The first bytes, at most so many; of a member of a zip no more is unpacked."""
        with reading(self.name):
            if self.load_start is not None:
                return self.load_start(n_bytes)
        with self.open() as stream, reading(self.name):
            return stream.read(n_bytes)

    def read(self) -> bytes:
        """The bytes; `DataError` if they cannot be read or are truncated."""
        with reading(self.name):
            return self.load()

    def unpacked(self) -> "DataFile":
        """This file with its bytes at hand, so that what is compressed is unpacked once."""
        if self.path is not None:
            return self
        content = self.read()
        if content[:2] == GZIP:  # a member of a zip
            with reading(self.name):
                content = _gunzip(self.name, io.BytesIO(content), len(content))
        return DataFile(self.name, lambda: content, n_bytes=len(content))

    def size(self) -> int | None:
        """Number of bytes, where that is known without reading a compressed file."""
        if self.path is None:
            return self.n_bytes
        with reading(self.name):
            return self.path.stat().st_size

    def open(self) -> BinaryIO:
        """The bytes as a stream; a file on disk is not held in memory."""
        if self.path is None:
            return io.BytesIO(self.read())
        with reading(self.name):
            return self.path.open("rb")

    def chunks(self) -> Iterator[bytes]:
        """The bytes, chunk by chunk."""
        with self.open() as stream, reading(self.name):
            while chunk := stream.read(CHUNK_BYTES):
                yield chunk

    @classmethod
    def of(cls, path: Path) -> "DataFile":
        """The file at a path; a gz-compressed one gives its decompressed bytes."""
        if first_bytes(path)[:2] == GZIP:
            return cls(str(path), partial(_gunzip, str(path), path, path.stat().st_size))
        return cls(str(path), path.read_bytes, path)


def first_bytes(path: Path) -> bytes:
    """The first four bytes of a file on disk.

    Raises:
        DataError: If it is no file (to open a pipe waits for whoever writes to it), or unreadable.
    """
    refuse_address(path)
    with boundary(str(path)):
        if not stat.S_ISREG(path.stat().st_mode):
            if path.is_dir():
                raise DataError(str(path), expected="a file", received="a folder")
            raise DataError(
                str(path),
                expected="a file",
                received="a pipe, a socket or a device",
                do="write what comes from it to a file first",
            )
        with path.open("rb") as stream:
            return stream.read(4)


def zip_around(path: Path) -> Path | None:
    """The zip that a path such as ``data.zip/ratings.csv`` leads into, or None."""
    for parent in path.parents:
        if parent.is_file():
            return parent if first_bytes(parent) == ZIP else None
    return None


def open_files(path: Path) -> dict[PurePosixPath, DataFile]:
    """The files in a folder (three levels deep) or a zip, by their path inside it.

    Raises:
        DataError: If there is no such folder or zip, or it cannot be read; if the zip is truncated;
            if a member of the zip has a path that leaves it, is a link, is encrypted, is compressed
            in another way than deflate, or unpacks to too much.
    """
    refuse_address(path)
    with boundary(str(path)):
        return _open_files(path)


def _open_files(path: Path) -> dict[PurePosixPath, DataFile]:
    if path.is_file() and zipfile.is_zipfile(path):
        return _zip_files(path)
    if path.is_dir():
        inside = sorted(p for depth in range(MAX_DEPTH) for p in path.glob("*/" * depth + "*"))
        return {
            PurePosixPath(p.relative_to(path).as_posix()): DataFile(str(p), p.read_bytes, p)
            for p in inside
            if p.is_file()
        }
    if path.exists():
        raise DataError(
            str(path),
            expected="a folder or a complete zip",
            received="a file that is not a zip, or a truncated one",
            do="fetch it again, or give the folder that it was unpacked to",
        )
    raise DataError(
        str(path), expected="a file or folder", received="nothing there", do="check the path"
    )


@contextmanager
def reading(name: str) -> Iterator[None]:
    """A block that reads a file: an error of the system becomes a `DataError` with its name."""
    try:
        yield
    except TastemapError:
        raise
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise _damaged(name, "compressed file", reason(error)) from error
    except (OSError, RuntimeError, NotImplementedError) as error:
        raise DataError(
            name,
            expected="a readable file",
            received=reason(error),
            do="check the path and its permissions",
        ) from error


@contextmanager
def boundary(name: str) -> Iterator[None]:
    """A block that reads ratings: what a library raises in it becomes a `DataError` with its name.

    Errors of ours pass it, so that of blocks inside each other the innermost names the file.
    """

    def refusal(reason: str) -> DataError:
        return DataError(
            name,
            expected="a file that can be read as ratings",
            received=reason,
            do="check how it was written",
        )

    # A TypeError or AttributeError is the caller's mistake and says nothing of the file.
    with refusing(refusal, TastemapError, TypeError, AttributeError), reading(name):
        yield


def _gunzip(name: str, packed: Path | BinaryIO, n_bytes: int) -> bytes:
    """The bytes of a file compressed with gzip; it is given up where it becomes too large."""
    most = min(MAX_BYTES, max(MIN_GZIP_BYTES, MAX_RATIO * n_bytes))
    content, checked = io.BytesIO(), 0
    with gzip.open(packed) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            if content.tell() + len(chunk) > most:
                raise _too_large(name)
            if content.tell() >= checked:
                do = "unpack it to a file, and give that"
                require(name, MIN_CHECKED_BYTES, "more to unpack it", do)
                checked += MIN_CHECKED_BYTES
            content.write(chunk)
    return content.getvalue()


def _zip_files(path: Path) -> dict[PurePosixPath, DataFile]:
    with (
        refusing(lambda reason: _damaged(str(path), "zip", reason)),
        zipfile.ZipFile(path) as archive,
    ):
        members = [info for info in archive.infolist() if not info.is_dir()]
    if sum(info.file_size for info in members) > MAX_BYTES:
        raise _too_large(str(path))
    for info in members:
        _check_member(path, info)
    return {
        PurePosixPath(info.filename): DataFile(
            f"{path}/{info.filename}",
            partial(_read_member, path, info),
            n_bytes=info.file_size,
            load_start=partial(_read_member, path, info),
        )
        for info in members
    }


def _read_member(path: Path, info: zipfile.ZipInfo, n_bytes: int | None = None) -> bytes:
    with zipfile.ZipFile(path) as archive:
        if n_bytes is None:
            return archive.read(info)  # at most ``info.file_size`` bytes, or it is damaged
        with archive.open(info) as member:
            return member.read(n_bytes)


def is_readable(info: zipfile.ZipInfo) -> bool:
    """Whether a member of a zip is neither encrypted nor compressed in an unusual way."""
    return info.compress_type in COMPRESSIONS and not info.flag_bits & 1


def _check_member(path: Path, info: zipfile.ZipInfo) -> None:
    inside, windows = PurePosixPath(info.filename), PureWindowsPath(info.filename)
    climbs = ".." in inside.parts + windows.parts or inside.is_absolute() or windows.anchor
    if climbs or stat.S_ISLNK(info.external_attr >> 16):
        raise DataError(
            f"{path}, member {info.filename!r}",
            expected="a file inside the zip",
            received="a path that leaves it" if climbs else "a link",
            do="do not use this file; fetch the data set from its own site",
        )
    if not is_readable(info):
        raise DataError(
            f"{path}, member {info.filename!r}",
            expected="a file that is stored or compressed by deflate",
            received="one that is encrypted or compressed in another way",
            do="unpack it yourself, and give the folder",
        )
    if info.file_size > max(MIN_MEMBER_BYTES, MAX_RATIO * info.compress_size):
        raise _too_large(f"{path}, member {info.filename!r}")


def _damaged(name: str, kind: str, reason: str) -> DataError:
    return DataError(
        name,
        expected=f"a complete {kind}",
        received=f"a damaged or truncated one ({reason})",
        do="fetch it again",
    )


def _too_large(name: str) -> DataError:
    return DataError(
        name,
        expected=f"at most {MAX_BYTES / 2**30:g} GB unpacked and {MAX_RATIO} times the packed size",
        received="more",
        do="unpack it yourself if you trust it, and give the file or folder",
    )
