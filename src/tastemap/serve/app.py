"""The application: one process that answers pages and the REST API on one model."""

import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import anyio
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.staticfiles import StaticFiles

from tastemap.errors import TastemapError
from tastemap.serve.model.reload import LiveModel
from tastemap.serve.people.store import Store
from tastemap.serve.service import Service
from tastemap.serve.settings import Settings
from tastemap.serve.web import api, health, pages
from tastemap.serve.web import openapi as reference
from tastemap.serve.web.cookies import Visitors, load_secret
from tastemap.serve.web.errors import Problem, problem_of
from tastemap.serve.web.middleware import Guard, refusal
from tastemap.serve.web.prometheus import Counting

log = logging.getLogger("tastemap.serve")
# Where the secret lives if the store is not a file; beside the model.
CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}


def create_app(settings: Settings) -> FastAPI:
    """The application on a saved model and a store.

    ``app.state`` holds ``settings``, ``service`` (a `Service`), ``visitors`` (`Visitors`) and
    ``counting`` (`Counting`). The model is watched, and replaced by a newer one, from start-up to
    shut-down. An id in a path is written ``{item_id:id}``.

    Raises:
        ArtifactError: If there is no model, or it cannot be loaded.
        DataError: If the store cannot be used.
    """
    counting = Counting()
    live = LiveModel(settings.model, changed=lambda _: counting.reload())
    store = Store(settings.store_url)
    app = FastAPI(
        title="tastemap",
        summary="Recommendations, predictions and explanations from a table of ratings.",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan,
    )
    app.state.settings, app.state.counting = settings, counting
    app.state.service = Service(live, store)
    app.state.visitors = Visitors(load_secret(store.folder or Path(settings.model).parent))
    for router in (health.router, api.router, reference.router, pages.router):
        app.include_router(router)
    app.mount("/static", StaticFiles(packages=[("tastemap.serve", "static")]))
    _handle_errors(app)
    app.add_middleware(Guard, settings=settings, counting=counting)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Watch the model while the server runs; a SIGHUP has it looked at right away."""
    service: Service = app.state.service
    service.live.watch()
    with suppress(ValueError, AttributeError):  # not in the main thread, or not on Unix
        signal.signal(signal.SIGHUP, lambda *_: service.live.ask_reload())
    # As many answers at once as keep a processor busy: more would wait for each other.
    anyio.to_thread.current_default_thread_limiter().total_tokens = 16
    yield
    service.live.stop()
    service.store.close()


def _handle_errors(app: FastAPI) -> None:
    """Every error in the one shape."""

    def answer(problem: Problem) -> JSONResponse:
        return refusal(problem)

    @app.exception_handler(Problem)
    async def problem(_: Request, error: Problem) -> JSONResponse:
        return answer(error)

    @app.exception_handler(TastemapError)
    async def refused(_: Request, error: TastemapError) -> JSONResponse:
        return answer(problem_of(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return answer(Problem(422, "invalid_request", _first_of(error.errors())))

    @app.exception_handler(HTTPException)
    async def of_http(_: Request, error: HTTPException) -> JSONResponse:
        code = CODES.get(error.status_code, "bad_request")
        told = str(error.detail or HTTPStatus(error.status_code).phrase)
        headers = dict(error.headers) if error.headers else None
        return answer(Problem(error.status_code, code, told, headers))

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> JSONResponse:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return answer(Problem(500, "internal_error", "this is our fault; the log says more"))


def _first_of(errors: Any) -> str:
    """The first of the faults of a request, in a line."""
    first = errors[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}"
