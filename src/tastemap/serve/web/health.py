"""Whether the server lives, whether it can answer, and its figures."""

from dataclasses import dataclass

from fastapi import APIRouter, Depends, Request, Response

from tastemap.serve.service import Service
from tastemap.serve.web.errors import ErrorAnswer, problem_of
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
async def ready(request: Request) -> Health:
    """Whether the model is loaded and the store can be used, as the last look at it said."""
    service: Service = request.app.state.service
    if (outage := service.profiles.store.outage) is not None:
        raise problem_of(outage.error)
    return Health("ok", service.model.version, service.live.failure)


@router.get(
    "/metrics",
    dependencies=[Depends(check_key)],
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}, 401: {"model": ErrorAnswer}},
)
async def metrics(request: Request) -> Response:
    """Requests, seconds, reloads, persons and ratings, as Prometheus reads them."""
    gauges = _gauges(request.app.state.service)
    return Response(request.app.state.counting.text(gauges), media_type=CONTENT_TYPE)


def _gauges(service: Service) -> dict[str, tuple[str, float]]:
    """Figures of this moment, and the newest counts of the store, which may be a minute old."""
    outage, counts = service.profiles.store.outage, service.profiles.store.counts
    refused = float(service.live.failure is not None)
    gauges = {
        "tastemap_newer_model_refused": ("Whether a newer model was not loaded.", refused),
        "tastemap_store_unavailable": (
            "Whether people's ratings cannot be read or written.",
            float(outage is not None),
        ),
    }
    if counts is not None:
        gauges |= {
            "tastemap_persons": ("Persons in the store, when counted.", counts.profiles),
            "tastemap_ratings": ("Ratings in the store, when counted.", counts.ratings),
            "tastemap_store_counted_timestamp_seconds": (
                "When persons and ratings were counted, in seconds since 1970.",
                counts.moment,
            ),
        }
    return gauges
