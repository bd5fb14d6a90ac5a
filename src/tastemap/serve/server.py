"""Start the server: one process, or several that share one address and one artifact in memory."""

import contextlib
import gc
import os
import signal
import socket
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from tastemap.errors import ArgumentError
from tastemap.serve.settings import Settings

# A request is the work of one thread; the others answer other requests.
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
# Memory that Polars took to read the artifact goes back to the system at once.
PURGE = ("_RJEM_MALLOC_CONF", "dirty_decay_ms:0,muzzy_decay_ms:0")
# Seconds that running requests get to finish when the server is stopped.
SHUTDOWN_SECONDS = 10
# Connections that wait until they are taken.
MAX_WAITING_CONNECTIONS = 2048
# Open files of a process beside its connections: the store, the model, the listener.
N_OTHER_FILES = 128


def run_server(settings: Settings, tell: Callable[[str], None]) -> None:
    """Serve until Ctrl-C or SIGTERM; running requests are finished.

    Args:
        settings: What to serve, and where.
        tell: Called with the address, once requests are taken there.

    Raises:
        ArgumentError: If the port is in use, or the host is not one of this machine.
        ArtifactError, StoreError: If the model or the store cannot be used.
    """
    os.environ.setdefault(*PURGE)  # before Polars is loaded
    for name in THREADS:  # before NumPy is loaded
        os.environ.setdefault(name, "1")
    settings = _with_open_files(settings)
    with _listening(settings) as listener, contextlib.suppress(KeyboardInterrupt):
        _ignore_hangup()
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        address = f"http://{host}:{listener.getsockname()[1]}/"
        if settings.workers == 1:
            _run_one(settings, listener, lambda: tell(address))
        else:
            _run_several(settings, listener, lambda: tell(address))


def _run_one(settings: Settings, listener: socket.socket, ready: Callable[[], None]) -> None:
    import uvicorn

    config = uvicorn.Config(settled_app(settings), **_options(settings))
    ready()
    uvicorn.Server(config).run(sockets=[listener])


def _run_several(settings: Settings, listener: socket.socket, ready: Callable[[], None]) -> None:
    """A parent that starts the workers, and starts another where one ends."""
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    from tastemap.models.base.artifact import read_manifest
    from tastemap.serve.key_files import load_secret
    from tastemap.serve.model.reload import COPIES_FOLDER, copies_folder
    from tastemap.serve.people.store import Store
    from tastemap.serve.web.prometheus import SHARED_FOLDER

    class Workers(Multiprocess):
        """Passes a hang-up on to the workers, each of which then looks for a newer model."""

        def handle_hup(self) -> None:
            for process in self.processes:
                if process.pid is not None:
                    os.kill(process.pid, signal.SIGHUP)

    kind = "ratings" if read_manifest(settings.model).get("scale") else "interactions"
    store = Store(settings.store_url)  # what is wrong with it or its key is said once, here
    store.settle(kind)
    load_secret(store.folder or settings.model.parent)
    store.close()
    with (
        tempfile.TemporaryDirectory(prefix="tastemap-") as figures,
        copies_folder(settings.model) as copies,
    ):
        os.environ[SHARED_FOLDER], os.environ[COPIES_FOLDER] = figures, str(copies)
        app: Any = partial(settled_app, settings)
        config = uvicorn.Config(app, factory=True, workers=settings.workers, **_options(settings))
        ready()
        Workers(config, sockets=[listener]).run()


def settled_app(settings: Settings) -> Any:
    """The application, left alone by the garbage collector.

    To look through a model and its titles again and again holds up every request for a moment.
    """
    from tastemap.serve.app import create_app

    app = create_app(settings)
    gc.collect()
    gc.freeze()
    return app


def _options(settings: Settings) -> dict[str, Any]:
    """How Uvicorn runs: quietly, within limits, and with as many seconds to finish as it needs."""
    from tastemap.serve.web.connections import Connections

    connections = Connections(settings.limits)
    return {
        "http": connections,
        "ws": "none",
        "callback_notify": connections.close_late,
        "timeout_notify": 1,
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
        # Uvicorn believes any process of this machine; the application asks whom it may.
        "proxy_headers": False,
        "timeout_keep_alive": 30,
        "timeout_graceful_shutdown": SHUTDOWN_SECONDS,
        "timeout_worker_healthcheck": 60,
    }


def _listening(settings: Settings) -> socket.socket:
    """A socket that is bound to the address."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(
            MAX_WAITING_CONNECTIONS
        )  # who opens the address at once waits, and is not refused
    except OSError as error:
        listener.close()
        raise ArgumentError(
            f"host {settings.host}, port {settings.port}",
            expected="an address of this machine that is free",
            received=(error.strerror or str(error)).lower(),
            do="choose another with --port",
        ) from error
    listener.set_inheritable(True)
    return listener


def _with_open_files(settings: Settings) -> Settings:
    """The settings with as many connections as the system lets a process have files open.

    The usual limit of 1,024 files is raised as far as it may be: a server that can open no file
    more takes no connection, not even to refuse it.
    """
    try:
        import resource
    except ImportError:  # not on Unix
        return settings
    needed = settings.limits.connections + N_OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        connections = max(soft - N_OTHER_FILES, soft // 2)
        limits = replace(settings.limits, connections=min(settings.limits.connections, connections))
        return replace(settings, limits=limits)
    return settings


def _ignore_hangup() -> None:
    """Until the application looks after it: a hang-up must not end the server."""
    with contextlib.suppress(ValueError, AttributeError):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
