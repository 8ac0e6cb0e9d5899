"""Prometheus meters of requests and of the queue."""

from __future__ import annotations

from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary

from api.telemetry.observe import Observed
from models.capacity.admission import Admission

MODEL = ("model",)
_DURATIONS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 1800, 3600)
_WAITS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_SPEEDS = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)


class Meters:
    """Makes meters for a registry; gauges of several workers are added up."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.counter = partial(Counter, registry=registry)
        self.gauge = partial(Gauge, registry=registry, multiprocess_mode="livesum")
        self.histogram = partial(Histogram, registry=registry)
        self.summary = partial(Summary, registry=registry)


class RequestMeters:
    """Requests that are over."""

    def __init__(self, make: Meters) -> None:
        self.requests = make.counter(
            "whisper_requests_total",
            "Requests that are over, by what came of them.",
            ("dialect", "endpoint", "model", "outcome"),
        )
        self.duration = make.histogram(
            "whisper_request_duration_seconds",
            "Time from a request's headers to the end of its answer, where it reached a model.",
            ("model", "outcome"),
            buckets=_DURATIONS,
        )
        self.audio = make.counter(
            "whisper_audio_seconds_total", "Audio in requests that were answered.", MODEL
        )
        self.rtfx = make.histogram(
            "whisper_request_rtfx",
            "Seconds of audio that a request got through in a second.",
            MODEL,
            buckets=_SPEEDS,
        )
        self.queue = make.histogram(
            "whisper_queue_seconds",
            "Time in which a request only waited for others.",
            MODEL,
            buckets=_WAITS,
        )
        self.first_segment = make.histogram(
            "whisper_first_segment_seconds",
            "Time from a request's headers to its first segment.",
            MODEL,
            buckets=_DURATIONS,
        )

    def note(self, observed: Observed) -> None:
        """Count a request that is over."""
        model, outcome, stats = observed.model, observed.outcome, observed.stats
        self.requests.labels(observed.dialect, observed.endpoint, model, outcome).inc()
        if not model or observed.session:
            return
        self.duration.labels(model, outcome).observe(observed.seconds)
        self.queue.labels(model).observe(stats.stages["queue"].seconds)
        if stats.first_segment_seconds is not None:
            self.first_segment.labels(model).observe(stats.first_segment_seconds)
        if outcome == "ok":
            self.audio.labels(model).inc(stats.audio_seconds)
            self.rtfx.labels(model).observe(stats.audio_seconds / observed.seconds)


class WyomingMeters:
    """Wyoming's clients."""

    def __init__(self, make: Meters) -> None:
        self.connections = make.gauge(
            "whisper_wyoming_connections", "Wyoming's clients that are connected."
        )


class QueueMeters:
    """Recordings that wait, and those at work."""

    def __init__(self, make: Meters) -> None:
        self.queued_audio = make.gauge(
            "whisper_queued_audio_seconds", "Audio in the queue, waiting and at work."
        )
        self.queued = make.gauge(
            "whisper_queued_requests", "Recordings in the queue, waiting or running.", ("state",)
        )

    def note(self, admission: Admission) -> None:
        """Take over the state of the queue."""
        self.queued_audio.set(admission.held)
        self.queued.labels("waiting").set(admission.waiting)
        self.queued.labels("running").set(admission.running)
