"""``Parts``: the files of an artifact, each read once and compared with what model.json says.

A file that is mapped into memory and cut short by another process ends the process that touches the
missing end. So a file is mapped only where that spares much memory, and, for a server that must
live on while a newer model is copied over the one it serves, from a copy that nobody else writes.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from tastemap.errors import ArtifactError
from tastemap.models.base.arrays import Arrays
from tastemap.models.base.manifest import PartEntry, Size, damaged
from tastemap.support.boundary import refusing
from tastemap.support.typed_json import decode

# Smaller parts are read: a copy in each of a few processes takes less memory than the code that
# they run, and reading takes some hundredths of a second.
MIN_MAPPED_BYTES = 2**26
# A file's header has a few names; a longer one is no header.
MAX_HEADER_BYTES = 2**24
# The dtypes by their names in safetensors.
_DTYPES = {"BOOL": np.dtype(bool)} | {
    f"{kind}{8 * size}": np.dtype(f"<{kind.lower()}{size}")
    for kind, sizes in (("F", (2, 4, 8)), ("I", (1, 2, 4, 8)), ("U", (1, 2, 4, 8)))
    for size in sizes
}

Bytes: TypeAlias = npt.NDArray[np.uint8]


class _Entry(msgspec.Struct):
    """An array in the header of a safetensors file."""

    dtype: str
    shape: tuple[Size, ...]
    data_offsets: tuple[Size, Size]


class Parts:
    """The files of an artifact.

    Args:
        folder: The artifact.
        entries: What model.json says of each file; empty if it says nothing.
        mapped: Whether large files of arrays are mapped into memory.
        copies: Folder for private copies of mapped files, shared by the processes that are given
            it; None maps the files themselves.
    """

    def __init__(
        self,
        folder: Path,
        entries: Mapping[str, PartEntry],
        *,
        mapped: bool = False,
        copies: "Copies | None" = None,
    ) -> None:
        self.folder, self.mapped, self._entries, self._copies = folder, mapped, entries, copies

    def __contains__(self, name: str) -> bool:
        return name in self._entries if self._entries else (self.folder / name).is_file()

    def __getitem__(self, name: str) -> Bytes:
        """The content of a file, in memory."""
        return self.content(name, mapped=False)

    def content(self, name: str, *, mapped: bool) -> Bytes:
        """The content of a file; if it is large, mapped or in memory.

        Raises:
            OSError: If it cannot be read.
            ValueError: If it is not the file that model.json says.
        """
        with open_file(self.folder / name) as file:
            if not mapped or os.fstat(file.fileno()).st_size < MIN_MAPPED_BYTES:
                return self._checked(name, np.fromfile(file, dtype=np.uint8))
            if self._copies is None:
                return self._checked(name, _map(file))
            return self._copies.of(file, self._entries.get(name))

    def arrays(self, name: str, *, mapped: bool = False) -> Arrays:
        """The arrays of a safetensors file, views of its content.

        Args:
            name: The file.
            mapped: Map it if it is large, also where parts are not mapped: it may be larger than
                the memory.

        Raises:
            ArtifactError: If it cannot be used.
        """
        with refusing(lambda reason: unreadable(self.folder, name, reason), ArtifactError):
            return arrays_of(self.content(name, mapped=mapped or self.mapped))

    def _checked(self, name: str, content: Bytes) -> Bytes:
        compare(content, self._entries.get(name))
        return content


class Copies:
    """Private copies of the files of artifacts, to be mapped while the files are overwritten.

    Without a folder a copy has no name: no other process sees it, and it ends with this process,
    however that ends. In a folder, copies are shared by the processes that use the same folder.

    Args:
        folder: A folder that only processes of this server use, or None.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder

    def of(self, file: IO[bytes], entry: PartEntry | None) -> Bytes:
        """The content of an open file, as it is now.

        Raises:
            OSError: If there is no room for a copy.
            ValueError: If it is not the file that model.json says.
        """
        if self.folder is None:
            with _unnamed_file(Path(file.name).parent.parent) as fresh:
                _copy(file, fresh)
                content = _map(fresh)
                compare(content, entry)
                return content
        return self._shared(self.folder, file, entry)

    def _shared(self, folder: Path, file: IO[bytes], entry: PartEntry | None) -> Bytes:
        status = os.fstat(file.fileno())
        stamp = f"{status.st_ino}-{status.st_mtime_ns}-{status.st_size}"
        place = folder / (entry.sha256 if entry else stamp)
        with contextlib.suppress(FileNotFoundError), place.open("rb") as copy:
            return _map(copy)  # compared when it was made
        handle, path = tempfile.mkstemp(prefix=".", dir=folder)
        fresh = Path(path)
        try:
            with os.fdopen(handle, "w+b") as copy:
                _copy(file, copy)
                content = _map(copy)
            compare(content, entry)
            with contextlib.suppress(FileExistsError):  # another process was first: two copies
                place.hardlink_to(fresh)
        finally:
            fresh.unlink(missing_ok=True)
        # Now the first one's copy, if it has not been removed since.
        with contextlib.suppress(FileNotFoundError), place.open("rb") as copy:
            return _map(copy)
        return content

    def retain(self, entries: Mapping[str, Any]) -> None:
        """Remove the copies of other artifacts, by their entries in model.json.

        Processes that have mapped them keep what they have.
        """
        if self.folder is not None and entries:
            names = {entry["sha256"] for entry in entries.values()}
            for copy in self.folder.iterdir():
                if copy.name not in names and not copy.name.startswith("."):
                    copy.unlink(missing_ok=True)


def open_file(path: Path) -> IO[bytes]:
    """Open a file to read it; anything else is refused, for to open a pipe waits for its other end.

    Raises:
        OSError: If it is no file, or cannot be read.
    """
    if path.exists() and not path.is_file():
        raise OSError("something else than a file")
    return path.open("rb")


def unreadable(folder: Path, name: str, reason: str) -> ArtifactError:
    """The error for a file of an artifact that cannot be read."""
    return damaged(folder, f"a readable {name}", reason)


def compare(content: Bytes, entry: PartEntry | None) -> None:
    """Refuse a content that is not what model.json says.

    Raises:
        ValueError: If it is not.
    """
    if entry is None:
        return
    if len(content) != entry.bytes:
        raise ValueError(f"{len(content):,} bytes, not the {entry.bytes:,} that model.json says")
    if hashlib.sha256(content.data).hexdigest() != entry.sha256:
        raise ValueError("other bytes than those that model.json was written for")


def entry_of(file: Path) -> PartEntry:
    """What model.json says of a file."""
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256")
        return PartEntry(content.tell(), digest.hexdigest())


def arrays_of(content: Bytes) -> Arrays:
    """The arrays of a safetensors file, as views.

    The format: eight bytes with the length of the header, the header in JSON, the arrays' bytes.

    Raises:
        ValueError: If the header does not fit the content.
    """
    length = int.from_bytes(content[:8].tobytes(), "little")
    if len(content) < 8 or length > min(len(content) - 8, MAX_HEADER_BYTES):
        raise ValueError(f"a header of {length:,} bytes in {len(content):,}")
    header = decode(content[8 : 8 + length].tobytes(), dict[str, Any])
    header.pop("__metadata__", None)
    body, arrays = content[8 + length :], {}
    for name, entry in msgspec.convert(header, dict[str, _Entry]).items():
        first, end = entry.data_offsets
        if entry.dtype not in _DTYPES or not first <= end <= len(body):
            raise ValueError(f"{name} of type {entry.dtype} at bytes {first} to {end}")
        array = np.asarray(body[first:end]).view(_DTYPES[entry.dtype])
        arrays[name] = np.require(array.reshape(entry.shape), requirements="A")
    return arrays


def _map(file: IO[bytes]) -> Bytes:
    return np.memmap(file, dtype=np.uint8, mode="r")


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    """Copy a file; file systems that can share its blocks do so, and copy nothing."""
    size = os.fstat(source.fileno()).st_size
    if hasattr(os, "copy_file_range"):
        with contextlib.suppress(OSError):
            while size > 0 and (n := os.copy_file_range(source.fileno(), target.fileno(), size)):
                size -= n
    if size:
        shutil.copyfileobj(source, target)
    target.flush()


def _unnamed_file(folder: Path) -> IO[bytes]:
    """A file without a name, in a folder or, where that cannot be, among temporary files."""
    try:
        return tempfile.TemporaryFile(dir=folder)
    except OSError:
        return tempfile.TemporaryFile()
