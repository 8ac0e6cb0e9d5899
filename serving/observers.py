"""Who is told of every request that is over."""

from __future__ import annotations

from api.settings import Settings
from api.telemetry.logs import log_request
from api.telemetry.metrics import Metrics
from api.telemetry.observe import Observer


def observers(settings: Settings, metrics: Metrics, version: str) -> list[Observer]:
    """Metrics and log, and the traces where they are asked for."""
    told: list[Observer] = [metrics.requests.note, log_request]
    if settings.otlp_endpoint:
        # Here, not above: who does not trace needs no exporter.
        from api.telemetry.tracing import Tracing

        told.append(Tracing(settings.otlp_endpoint, version).request)
    return told
