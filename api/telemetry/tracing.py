"""OpenTelemetry spans of requests and their stages, made when they are over."""

from __future__ import annotations

import time

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from api.telemetry.observe import Observed

_FAILURES = ("failed", "timeout")


class Tracing:
    """Sends a span for each request that reached a model to an OTLP collector over HTTP.

    It is a child of the span that the request's `traceparent` names, and has one for each stage.
    """

    def __init__(self, endpoint: str, version: str) -> None:
        resource = Resource.create({SERVICE_NAME: "whisper", SERVICE_VERSION: version})
        self._provider = TracerProvider(resource=resource)
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("whisper-bento", version)
        self._propagator = TraceContextTextMapPropagator()

    def request(self, observed: Observed) -> None:
        """Trace a request that is over."""
        if not observed.model:
            return
        stats, offset = observed.stats, time.time() - time.monotonic()
        span = self._tracer.start_span(
            f"{observed.method} {observed.endpoint}",
            context=self._propagator.extract(observed.headers),
            kind=SpanKind.SERVER,
            attributes=_attributes(observed),
            start_time=_nanoseconds(offset + stats.began),
        )
        if observed.outcome in _FAILURES:
            span.set_status(Status(StatusCode.ERROR))
        inside = set_span_in_context(span)
        for name, stage in stats.stages.items():
            if stage.began is not None and stage.ended is not None:
                part = self._tracer.start_span(
                    name,
                    context=inside,
                    attributes={"whisper.seconds": stage.seconds},
                    start_time=_nanoseconds(offset + stage.began),
                )
                part.end(_nanoseconds(offset + stage.ended))
        span.end(_nanoseconds(offset + stats.began + observed.seconds))

    def close(self) -> None:
        """Send what has not been sent."""
        self._provider.shutdown()


def _attributes(observed: Observed) -> dict[str, str | int | float]:
    return {
        "http.request.method": observed.method,
        "http.route": observed.endpoint,
        "whisper.dialect": observed.dialect,
        "http.response.status_code": observed.status,
        "whisper.request_id": observed.request_id,
        "whisper.model": observed.model,
        "whisper.outcome": observed.outcome,
        "whisper.audio_seconds": (observed.session or observed.stats).audio_seconds,
        "whisper.windows": observed.stats.windows,
        "whisper.tokens": observed.stats.tokens,
    }


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)
