"""The files of a data set, in a folder or a zip, read without unpacking anything to disk."""

import gzip
import io
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO

from tastemap.errors import DataError

# MovieLens' largest release is some 2 GB of text, packed about 4:1.
MAX_BYTES = 8 * 2**30
MAX_RATIO = 100
_DEPTH = 3
CHUNK_BYTES = 2**24


@dataclass(frozen=True)
class DataFile:
    """One file: a name to call it by, and its bytes on demand.

    Attributes:
        name: The path, or ``archive.zip/member``.
        load: Gives the bytes.
        path: Where the same bytes lie on disk, if they do.
        n_bytes: How many bytes ``load`` gives, if that is known.
    """

    name: str
    load: Callable[[], bytes]
    path: Path | None = None
    n_bytes: int | None = None

    def read(self) -> bytes:
        """The bytes; `DataError` if they cannot be had or are truncated."""
        try:
            return self.load()
        except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise DataError(
                self.name,
                expected="a complete compressed file",
                received=f"a damaged or truncated one ({error})",
                do="fetch it again",
            ) from error
        except (OSError, RuntimeError, NotImplementedError) as error:
            raise unreadable(self.name, error) from error

    def size(self) -> int | None:
        """Number of bytes, where that is known without reading a compressed file."""
        if self.path is None:
            return self.n_bytes
        try:
            return self.path.stat().st_size
        except OSError as error:
            raise unreadable(self.name, error) from error

    def open(self) -> BinaryIO:
        """The bytes as a stream, without holding a file on disk in memory."""
        if self.path is None:
            return io.BytesIO(self.read())
        try:
            return self.path.open("rb")
        except OSError as error:
            raise unreadable(self.name, error) from error

    def chunks(self) -> Iterator[bytes]:
        """The bytes piece by piece."""
        with self.open() as stream:
            try:
                while chunk := stream.read(CHUNK_BYTES):
                    yield chunk
            except OSError as error:
                raise unreadable(self.name, error) from error

    @classmethod
    def of(cls, path: Path) -> "DataFile":
        """The file at a path; a gz-compressed one gives its decompressed bytes."""
        try:
            with path.open("rb") as stream:
                compressed = stream.read(2) == b"\x1f\x8b"
        except OSError as error:
            raise unreadable(str(path), error) from error
        if compressed:
            return cls(str(path), lambda: _gunzip(path))
        return cls(str(path), path.read_bytes, path)


def open_files(path: Path) -> dict[PurePosixPath, DataFile]:
    """The files in a folder (three levels deep) or a zip, by their path inside it.

    Raises:
        DataError: If there is no such folder or zip, it cannot be read, the zip is truncated, or
            a member of the zip would climb out of it, is a link, or is packed beyond belief.
    """
    if zipfile.is_zipfile(path):
        return _zip_files(path)
    if path.is_dir():
        found = sorted(
            p for depth in range(1, _DEPTH + 1) for p in path.glob("*/" * (depth - 1) + "*")
        )
        return {
            PurePosixPath(p.relative_to(path).as_posix()): DataFile(str(p), p.read_bytes, p)
            for p in found
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


def unreadable(name: str, error: Exception) -> DataError:
    """The error for a file that exists but cannot be read."""
    reason = getattr(error, "strerror", None) or str(error)
    return DataError(
        name, expected="a readable file", received=reason, do="check the path and its permissions"
    )


def _gunzip(path: Path) -> bytes:
    with gzip.open(path) as stream:
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise _too_large(str(path))
    return content


def _zip_files(path: Path) -> dict[PurePosixPath, DataFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(
            str(path),
            expected="a complete zip",
            received=f"a damaged or truncated one ({error})",
            do="fetch it again",
        ) from error
    if sum(info.file_size for info in members) > MAX_BYTES:
        raise _too_large(str(path))
    for info in members:
        _check_member(path, info)
    return {
        PurePosixPath(info.filename): DataFile(
            f"{path}/{info.filename}",
            partial(_read_member, path, info.filename),
            n_bytes=info.file_size,
        )
        for info in members
    }


def _read_member(path: Path, name: str) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read(name)


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
    if info.file_size > 2**20 and info.file_size > MAX_RATIO * info.compress_size:
        raise _too_large(f"{path}, member {info.filename!r}")


def _too_large(name: str) -> DataError:
    return DataError(
        name,
        expected=f"at most {MAX_BYTES / 2**30:g} GB unpacked and {MAX_RATIO} times the packed size",
        received="more",
        do="unpack it yourself if you trust it, and give the file or folder",
    )
