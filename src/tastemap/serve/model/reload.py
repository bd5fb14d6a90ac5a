"""The model of a folder, loaded and made ready, and replaced by a newer one while requests run."""

import contextlib
import ctypes
import hashlib
import json
import logging
import math
import os
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from tastemap.data.nouns import named_anew
from tastemap.errors import ArtifactError, TastemapError
from tastemap.models.base.artifact import MANIFEST, Artifact, manifest_text
from tastemap.models.base.manifest import damaged
from tastemap.models.base.parts import Copies
from tastemap.models.registry import restored
from tastemap.serve.model.loaded import LoadedModel
from tastemap.support.atomic import folder_beside
from tastemap.support.boundary import reason, refusing

log = logging.getLogger("tastemap.serve")
# Seconds between two looks at the manifest.
SECONDS_BETWEEN_LOOKS = 1.0
# For so many seconds fold-ins are remembered: another process may have been told to forget one.
MAX_SECONDS_REMEMBERED = 60.0
# So often an artifact is read that is replaced while it is read.
MAX_READS = 5
# After so long an artifact that was refused is tried again, though it looks the same.
SECONDS_BETWEEN_RETRIES = 60.0
#: Names the folder in which the workers of a server share private copies of large arrays.
COPIES_FOLDER = "TASTEMAP_COPIES"
# What a start says in its own words.
STARTING = (TastemapError, OSError, ImportError)

Prepare = Callable[[LoadedModel], None]
#: Name, inode, time of the last change and size of each file of an artifact.
Stamp: TypeAlias = frozenset[tuple[str, int, int, int]]


class LiveModel:
    """The model of a folder, replaced as soon as a newer one has been saved there.

    A request takes ``current`` once and keeps it to its end; the newer model is loaded and warmed
    beside it, and takes its place in one step.

    Attributes:
        current: The model in use.
        failure: Why the newest artifact could not be loaded; None if it was.
    """

    def __init__(
        self,
        path: Path,
        noun: str = "",
        *,
        prepare: Prepare | None = None,
        changed: Prepare | None = None,
    ) -> None:
        """Load the model.

        Args:
            path: Folder of the artifact.
            noun: What an item is called, if not as the artifact says.
            prepare: Called with each model before it is used.
            changed: Called with each model that takes the place of another.

        Raises:
            ArtifactError: If there is none, or it cannot be loaded.
        """
        self.path, self._noun, self._prepare, self._changed = path, noun, prepare, changed
        self.failure: str | None = None
        self._retry_at = math.inf
        self._loading = threading.Lock()
        self._stopped, self._look_now = threading.Event(), threading.Event()
        self._watcher: threading.Thread | None = None
        self._stamp = self._look()
        with refusing(lambda reason: damaged(path, "a model that answers", reason), *STARTING):
            self.current = load(path, prepare, noun)

    def reload(self, *, force: bool = False) -> bool:
        """Load the artifact if it has changed; whether it was loaded. Never raises: the old stays.

        One that is refused is logged once, and tried again when any of its files changes, and
        once a minute in case the reason lay elsewhere.

        Args:
            force: Load it even if it looks the same.
        """
        with self._loading:
            stamp = self._look()
            is_due = time.monotonic() >= self._retry_at
            if not stamp or (stamp == self._stamp and not force and not is_due):
                return False
            try:
                fresh = load(self.path, self._prepare, self._noun)
                _require_kind(fresh, self.current)
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # what a library in Rust raises is no Exception
                self._refuse(stamp, error)
                return False
            self._stamp, self.failure, self.current = stamp, None, fresh
            self._retry_at = math.inf
            log.info("serving %s", fresh.version)
            if self._changed is not None:
                self._changed(fresh)
            return True

    def _refuse(self, stamp: Stamp, error: BaseException) -> None:
        """Note why an artifact was not loaded, unless it is just being written."""
        self._retry_at = time.monotonic() + SECONDS_BETWEEN_RETRIES
        if self._look() != stamp:
            return
        failure = reason(error)
        if failure != self.failure or stamp != self._stamp:
            log.warning("the newer model in %s was not loaded: %s", self.path, failure)
        self._stamp, self.failure = stamp, failure

    @property
    def is_newest(self) -> bool:
        """Whether the model in use is what lies in the folder, as files have it this moment."""
        return self.failure is None and self._look() == self._stamp

    def ask_reload(self) -> None:
        """Have the watcher look at once; for a signal handler."""
        self._look_now.set()

    def watch(self) -> None:
        """Look at the manifest once a second, in a thread of its own, until `stop`.

        Once a minute all fold-ins are forgotten.
        """

        def run() -> None:
            start = time.monotonic()
            while not self._stopped.is_set():
                is_told = self._look_now.wait(SECONDS_BETWEEN_LOOKS)
                self._look_now.clear()
                if self._stopped.is_set():
                    return
                self.reload(force=is_told)
                if time.monotonic() - start > MAX_SECONDS_REMEMBERED:
                    self.current.forget()
                    start = time.monotonic()

        self._watcher = threading.Thread(target=run, name="tastemap-reload", daemon=True)
        self._watcher.start()

    def stop(self) -> None:
        """End the watching."""
        self._stopped.set()
        self._look_now.set()
        if self._watcher is not None:
            self._watcher.join(timeout=10)

    def _look(self) -> Stamp:
        """What tells one artifact from another without reading it; empty where there is none.

        All files count: a copy replaces them one by one.
        """
        with contextlib.suppress(OSError), os.scandir(self.path) as entries:
            status = [(entry.name, entry.stat()) for entry in entries]
            if MANIFEST in dict(status):
                return frozenset((n, s.st_ino, s.st_mtime_ns, s.st_size) for n, s in status)
        return frozenset()


def _require_kind(fresh: LoadedModel, current: LoadedModel) -> None:
    """Refuse a model of interactions in the place of one of ratings, and the other way round.

    What people have said so far is of the one kind, and so is all that they are shown.
    """
    if fresh.has_ratings != current.has_ratings:
        raise ArtifactError(
            "newer model",
            expected=f"one that has learnt from {current.data.noun}",
            received=f"one of {fresh.data.noun}",
            do="start another server for it, with another store",
        )


def load(path: Path, prepare: Prepare | None = None, noun: str = "") -> LoadedModel:
    """An artifact, ready to answer, whatever is written over its files from now on.

    Its items are called ``noun``, if that is not empty.

    Large arrays are mapped from a private copy. Should the artifact be replaced while it is read,
    it is read again, so that its parts belong together.
    """
    folder = os.environ.get(COPIES_FOLDER)
    copies = Copies(Path(folder) if folder and Path(folder).is_dir() else None)
    for attempt in range(MAX_READS):
        text = manifest_text(path)
        try:
            model = restored(Artifact.read(path, mapped=True, copies=copies), path)
        except ArtifactError:
            if attempt == MAX_READS - 1 or _is_still(text, path):
                raise
            continue
        if _is_still(text, path):
            break
        time.sleep(0.1)
    manifest = json.loads(text)
    copies.retain(manifest.get("parts", {}))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = LoadedModel(named_anew(model, noun), manifest, version_of(manifest))
        loaded.warm()
        if prepare is not None:
            prepare(loaded)
    _give_back()
    return loaded


@contextlib.contextmanager
def copies_folder(model: Path) -> Iterator[Path]:
    """A folder for private copies: beside the model, where a file system may share their blocks.

    What killed servers left there is removed. Where nothing can be written there, it lies among
    temporary files.
    """
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(folder_beside(model.absolute(), "served"))
        except OSError:
            temporary = Path(tempfile.gettempdir()) / model.name
            folder = stack.enter_context(folder_beside(temporary, "served"))
        yield folder


def _give_back() -> None:
    """Return what loading took and needs no more to the system, where the C library can (glibc)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def version_of(manifest: dict[str, Any]) -> str:
    """A short text that tells one artifact from another."""
    text = json.dumps(manifest, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _is_still(text: bytes, path: Path) -> bool:
    """Whether model.json has not been replaced since it was read."""
    with contextlib.suppress(ArtifactError):
        return manifest_text(path) == text
    return False
