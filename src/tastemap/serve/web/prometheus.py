"""Figures about the server itself, in the form that Prometheus reads."""

import os
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

#: Where several processes put their figures together; prometheus_client reads it.
SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Counting:
    """Requests, by route, method and status, and how long they took; loads of the model."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "tastemap_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "tastemap_request_seconds",
            "Seconds from the first byte to the answer.",
            ("route",),
            buckets=SECONDS,
            registry=self._registry,
        )
        self._reloads = Counter(
            "tastemap_model_reloads", "Newer models taken into use.", registry=self._registry
        )

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        method = method if method in METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def reload(self) -> None:
        """Count a newer model."""
        self._reloads.inc()

    def text(self, gauges: dict[str, tuple[str, float]]) -> bytes:
        """All figures as text, with gauges of this moment (name: what it means, value)."""
        registry = self._registry
        if os.environ.get(SHARED_FOLDER):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        now = CollectorRegistry()
        now.register(_Now(gauges))
        return generate_latest(registry) + generate_latest(now)


class _Now:
    """Gauges of this moment."""

    def __init__(self, values: dict[str, tuple[str, float]]) -> None:
        self._values = values

    def collect(self) -> Iterable[Metric]:
        """Each as a metric."""
        for name, (meaning, value) in self._values.items():
            yield GaugeMetricFamily(name, meaning, value=value)
