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

import numpy as np

from tastemap.errors import ArtifactError, TastemapError
from tastemap.models.base.artifact import MANIFEST, read_manifest
from tastemap.models.registry import load_model
from tastemap.serve.answers import recommendations as discover
from tastemap.serve.model.catalogue import ALL
from tastemap.serve.model.loaded import LoadedModel

log = logging.getLogger("tastemap.serve")
# Seconds between two looks at the manifest.
EVERY = 1.0
# Seconds that fold-ins are remembered at most: another process may have been told to forget one.
REMEMBERED_FOR = 60.0
# So often a load is tried again when the artifact was replaced while it was read.
TRIES = 5


class LiveModel:
    """The model of a folder, replaced as soon as a newer one has been saved there.

    A request takes ``current`` once and keeps it to its end; the newer model is loaded and warmed
    beside it, and takes its place in one step.

    Attributes:
        current: The model in use.
        failure: Why the newest artifact could not be loaded; None if it was.
    """

    def __init__(self, path: Path, changed: Callable[[LoadedModel], None] | None = None) -> None:
        """Load the model.

        Args:
            path: Folder of the artifact.
            changed: Called with each model that takes the place of another.

        Raises:
            ArtifactError: If there is none, or it cannot be loaded.
        """
        self.path, self._changed = path, changed
        self.failure: str | None = None
        self._stamp: tuple[int, int, int] | None = None
        self._loading = threading.Lock()
        self._stopped, self._asked = threading.Event(), threading.Event()
        self._watcher: threading.Thread | None = None
        self._stamp = self._look()
        self.current = load(path)

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
                fresh = load(self.path)
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
        self._asked.set()

    def watch(self) -> None:
        """Look at the manifest once a second, in a thread of its own, until `stop`.

        Once a minute all fold-ins are forgotten.
        """

        def run() -> None:
            since = time.monotonic()
            while not self._stopped.is_set():
                asked = self._asked.wait(EVERY)
                self._asked.clear()
                if self._stopped.is_set():
                    return
                self.reload(force=asked)
                if time.monotonic() - since > REMEMBERED_FOR:
                    self.current.forget()
                    since = time.monotonic()

        self._watcher = threading.Thread(target=run, name="tastemap-reload", daemon=True)
        self._watcher.start()

    def stop(self) -> None:
        """End the watching."""
        self._stopped.set()
        self._asked.set()
        if self._watcher is not None:
            self._watcher.join(timeout=10)

    def _look(self) -> tuple[int, int, int] | None:
        """What tells one artifact from another without reading it; None where there is none."""
        with contextlib.suppress(OSError):
            found = (self.path / MANIFEST).stat()
            return found.st_ino, found.st_mtime_ns, found.st_size
        return None


def load(path: Path) -> LoadedModel:
    """An artifact, ready to answer; its arrays stay in the file, shared by all who map it.

    Should it be replaced while it is read, it is read again, so that its parts belong together.
    """
    for attempt in range(TRIES):
        manifest = read_manifest(path)
        try:
            model = load_model(path, mapped=True)
        except ArtifactError:
            if attempt == TRIES - 1 or _same(path, manifest):
                raise
            continue
        if _same(path, manifest):
            break
        time.sleep(0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = LoadedModel(model, manifest, version_of(manifest))
        made.warm()
        _look_around(made)
    _give_back()
    return made


def _look_around(model: LoadedModel) -> None:
    """Ask for what the first page shows; the index of titles is made while people look at it."""
    first = model.catalogue.by_popularity[:1]
    rating = np.array([model.scale.highest], dtype=np.float32)
    discover.rows(model, model.person(first, rating), 1, ALL, 0.0)
    model.forget()
    title = model.catalogue.title_at(int(first[0]))
    threading.Thread(target=model.catalogue.search, args=(title,), daemon=True).start()


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
