"""The application: one process that answers pages and the REST API on one model."""

import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from tastemap.errors import ArgumentError
from tastemap.serve.answers.first_page import look_around
from tastemap.serve.key_files import load_secret
from tastemap.serve.model.loaded import LoadedModel
from tastemap.serve.model.reload import LiveModel
from tastemap.serve.people.store import Store
from tastemap.serve.service import Service
from tastemap.serve.settings import Settings
from tastemap.serve.web import api, first, health, imports, marks, pages, rooms, you
from tastemap.serve.web import openapi as reference
from tastemap.serve.web.cookies import Visitors
from tastemap.serve.web.errors import handle_errors
from tastemap.serve.web.head import AnswersHead
from tastemap.serve.web.middleware import Guard
from tastemap.serve.web.prometheus import Counting
from tastemap.serve.web.rendering import refusal
from tastemap.serve.web.static import PREFIX, VersionedFiles

# Threads beside those of the requests at work, for what is answered however many wait.
N_SPARE_THREADS = 4
# A page of 34 kB becomes one of 4; the highest level takes three times as long for 2 % less.
GZIP_LEVEL = 5


def create_app(settings: Settings) -> FastAPI:
    """The application on a saved model and a store.

    ``app.state`` holds ``settings``, ``service`` (a `Service`), ``visitors`` (`Visitors`) and
    ``counting`` (`Counting`). The model is watched, and replaced by a newer one, from start-up to
    shut-down; so is the store. An id in a path is written ``{item_id:id}``.

    Raises:
        ArtifactError: If there is no model, or it cannot be loaded.
        StoreError: If the store cannot be used.
    """
    counting = Counting()
    live = LiveModel(
        *(settings.model, settings.noun), prepare=_prepare, changed=lambda _: counting.reload()
    )
    store = Store(settings.store_url)
    store.settle(live.current.data.noun)
    app = FastAPI(
        title="tastemap",
        summary="Recommendations and explanations from a table of ratings or interactions.",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan,
    )
    app.state.settings, app.state.counting = settings, counting
    app.state.service = Service(live, store, settings.event_weights)
    app.state.visitors = Visitors(load_secret(store.folder or Path(settings.model).parent))
    of_people = (pages.router, marks.router, rooms.router, you.router, imports.router)
    for router in (health.router, *api.routers, reference.router, first.router, *of_people):
        app.include_router(router)
    app.mount(PREFIX, VersionedFiles())
    handle_errors(app, refusal)
    app.add_middleware(GZipMiddleware, compresslevel=GZIP_LEVEL)
    app.add_middleware(AnswersHead)
    app.add_middleware(Guard, settings=settings, counting=counting)
    if settings.trusted_proxies:  # the outermost: it says who the client is
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_proxies))
    return app


def _prepare(model: LoadedModel) -> None:
    """Ask for what the first page shows; the index of titles is made while people look at it."""
    look_around(model)
    threading.Thread(target=_index_titles, args=(model,), daemon=True).start()


def _index_titles(model: LoadedModel) -> None:
    """Make the indexes of titles, for a search and for a history."""
    title = model.catalogue[int(model.catalogue.by_popularity[0])].title
    model.catalogue.search(title)
    with suppress(ArgumentError):  # items that share it
        model.catalogue.row_of_title(title)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[dict[str, Counting]]:
    """Watch the model while the server runs; a SIGHUP has it looked at right away."""
    service: Service = app.state.service
    service.live.watch()
    service.profiles.store.watch()
    with suppress(ValueError, AttributeError):  # not in the main thread, or not on Unix
        signal.signal(signal.SIGHUP, lambda *_: service.live.ask_reload())
    n_threads = app.state.settings.limits.running + N_SPARE_THREADS
    anyio.to_thread.current_default_thread_limiter().total_tokens = n_threads
    yield {"counting": app.state.counting}
    service.live.stop()
    service.profiles.store.close()
