"""The model of a folder, loaded and made ready, and replaced by a newer one while requests run."""

import contextlib
import ctypes
import hashlib
import json
import logging
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tastemap.errors import ArtifactError, TastemapError
from tastemap.models.base.artifact import MANIFEST, read_manifest
from tastemap.models.registry import load_model
from tastemap.serve.model.loaded import LoadedModel

log = logging.getLogger("tastemap.serve")
# Seconds between two looks at the manifest.
SECONDS_BETWEEN_LOOKS = 1.0
# For so many seconds fold-ins are remembered: another process may have been told to forget one.
MAX_SECONDS_REMEMBERED = 60.0
# So often an artifact is read that is replaced while it is read.
MAX_READS = 5

Prepare = Callable[[LoadedModel], None]


class LiveModel:
    """The model of a folder, replaced as soon as a newer one has been saved there.

    A request takes ``current`` once and keeps it to its end; the newer model is loaded and warmed
    beside it, and takes its place in one step.

    Attributes:
        current: The model in use.
        failure: Why the newest artifact could not be loaded; None if it was.
    """

    def __init__(
        self, path: Path, *, prepare: Prepare | None = None, changed: Prepare | None = None
    ) -> None:
        """Load the model.

        Args:
            path: Folder of the artifact.
            prepare: Called with each model before it is used.
            changed: Called with each model that takes the place of another.

        Raises:
            ArtifactError: If there is none, or it cannot be loaded.
        """
        self.path, self._prepare, self._changed = path, prepare, changed
        self.failure: str | None = None
        self._stamp: tuple[int, int, int] | None = None
        self._loading = threading.Lock()
        self._stopped, self._look_now = threading.Event(), threading.Event()
        self._watcher: threading.Thread | None = None
        self._stamp = self._look()
        self.current = load(path, prepare)

    def reload(self, *, force: bool = False) -> bool:
        """Load the artifact if it has changed; whether it was loaded. Never raises: the old stays.

        Args:
            force: Load it even if it looks the same.
        """
        with self._loading:
            stamp = self._look()
            if stamp is None or (stamp == self._stamp and not force):
                return False
            try:
                fresh = load(self.path, self._prepare)
            except (TastemapError, OSError, MemoryError) as error:
                if self.failure is None:
                    log.warning("the newer model was not loaded: %s", error)
                self.failure = str(error)
                return False
            self._stamp, self.failure, self.current = stamp, None, fresh
            log.info("serving %s", fresh.version)
            if self._changed is not None:
                self._changed(fresh)
            return True

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

    def _look(self) -> tuple[int, int, int] | None:
        """What tells one artifact from another without reading it; None where there is none."""
        with contextlib.suppress(OSError):
            status = (self.path / MANIFEST).stat()
            return status.st_ino, status.st_mtime_ns, status.st_size
        return None


def load(path: Path, prepare: Prepare | None = None) -> LoadedModel:
    """An artifact, ready to answer; its arrays stay in the file, shared by all who map it.

    Should it be replaced while it is read, it is read again, so that its parts belong together.
    """
    for attempt in range(MAX_READS):
        manifest = read_manifest(path)
        try:
            model = load_model(path, mapped=True)
        except ArtifactError:
            if attempt == MAX_READS - 1 or _same(path, manifest):
                raise
            continue
        if _same(path, manifest):
            break
        time.sleep(0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = LoadedModel(model, manifest, version_of(manifest))
        loaded.warm()
        if prepare is not None:
            prepare(loaded)
    _give_back()
    return loaded


def _give_back() -> None:
    """Return what loading took and needs no more to the system, where the C library can (glibc)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def version_of(manifest: dict[str, Any]) -> str:
    """A short text that tells one artifact from another."""
    text = json.dumps(manifest, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _same(path: Path, manifest: dict[str, Any]) -> bool:
    with contextlib.suppress(ArtifactError):
        return read_manifest(path) == manifest
    return False
