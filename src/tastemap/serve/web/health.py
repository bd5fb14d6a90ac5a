"""Whether the server lives, whether it can answer, and its figures."""

from dataclasses import dataclass

from fastapi import APIRouter, Depends, Request, Response

from tastemap.serve.service import Service
from tastemap.serve.web.errors import ErrorAnswer, Problem
from tastemap.serve.web.middleware import check_key
from tastemap.serve.web.prometheus import CONTENT_TYPE

router = APIRouter(tags=["the server"])


@dataclass(frozen=True, slots=True)
class Health:
    """The state of the server: ``ok``, and the model it serves (or why a newer is not used)."""

    status: str
    model: str | None = None
    newer_model: str | None = None


@router.get("/health/live")
async def live() -> Health:
    """Whether the process runs."""
    return Health("ok")


@router.get("/health/ready", responses={503: {"model": ErrorAnswer}})
def ready(request: Request) -> Health:
    """Whether the model is loaded and the store can be read."""
    service: Service = request.app.state.service
    try:
        service.profiles.store.count()
    except Exception as error:
        raise Problem(503, "unavailable", "the store cannot be read") from error
    return Health("ok", service.model.version, service.live.failure)


@router.get(
    "/metrics",
    dependencies=[Depends(check_key)],
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}, 401: {"model": ErrorAnswer}},
)
def metrics(request: Request) -> Response:
    """Requests, seconds, reloads, persons and ratings, as Prometheus reads them."""
    service: Service = request.app.state.service

    def gauges() -> dict[str, tuple[str, float]]:
        profiles, ratings = service.profiles.store.count()
        failed = float(service.live.failure is not None)
        return {
            "tastemap_persons": ("Persons in the store.", profiles),
            "tastemap_ratings": ("Ratings in the store.", ratings),
            "tastemap_newer_model_refused": ("Whether a newer model was not loaded.", failed),
        }

    return Response(request.app.state.counting.text(gauges), media_type=CONTENT_TYPE)
