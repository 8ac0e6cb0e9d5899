"""Prometheus metrics: `whisper_*`, in seconds and bytes, with labels of few values.

Workers are processes, whose counts prometheus_client adds up through the files in a folder. What
engines count themselves is copied every second, as a scrape reaches only one of the workers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.requests import Request
from starlette.responses import Response

from api.observe import Observed
from api.served import ServedModels
from models.admission import Admission
from models.engine.counters import EngineCounters, EngineState

WATCH_SECONDS = 1.0

_DURATIONS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 1800, 3600)
_WAITS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_SPEEDS = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """What the server tells Prometheus; `folder` is where its workers keep their counts, if any."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._registry = CollectorRegistry()
        self._seen: dict[str, EngineCounters] = {}
        counter = partial(Counter, registry=self._registry)
        gauge = partial(Gauge, registry=self._registry, multiprocess_mode="livesum")
        histogram = partial(Histogram, registry=self._registry)
        model = ("model",)

        self.requests = counter(
            "whisper_requests_total",
            "Requests that are over, by what came of them.",
            ("endpoint", "model", "outcome"),
        )
        self.duration = histogram(
            "whisper_request_duration_seconds",
            "Time from a request's headers to the end of its answer, where it reached a model.",
            ("model", "outcome"),
            buckets=_DURATIONS,
        )
        self.audio = counter(
            "whisper_audio_seconds_total", "Audio in requests that were answered.", model
        )
        self.rtfx = histogram(
            "whisper_request_rtfx",
            "Seconds of audio that a request got through in a second.",
            model,
            buckets=_SPEEDS,
        )
        self.queue = histogram(
            "whisper_queue_seconds",
            "Time in which a request only waited for others.",
            model,
            buckets=_WAITS,
        )
        self.first_segment = histogram(
            "whisper_first_segment_seconds",
            "Time from a request's headers to its first segment.",
            model,
            buckets=_DURATIONS,
        )
        self.batch_size = histogram(
            "whisper_decode_batch_size", "Rows of a decode step.", model, buckets=_ROWS
        )
        self.slots = gauge("whisper_slots", "Windows that can be with the model at once.", model)
        self.slots_in_use = gauge("whisper_slots_in_use", "Windows that are with the model.", model)
        self.waiting = gauge("whisper_windows_waiting", "Windows that wait for a slot.", model)
        self.windows = counter("whisper_windows_total", "Windows encoded.", model)
        self.tokens = counter("whisper_tokens_total", "Tokens decoded.", model)
        self.fallbacks = counter(
            "whisper_fallbacks_total", "Windows decoded again at a higher temperature.", model
        )
        self.cancelled = counter(
            "whisper_cancelled_windows_total", "Windows dropped, as nobody waited for them.", model
        )
        self.out_of_memory = counter(
            "whisper_out_of_memory_total",
            "Steps for which a device had no memory; smaller ones followed.",
            model,
        )
        self.queued_audio = gauge(
            "whisper_queued_audio_seconds", "Audio in the queue, waiting and at work."
        )
        self.queued = gauge(
            "whisper_queued_requests", "Recordings in the queue, waiting or running.", ("state",)
        )
        self.load = Summary(
            "whisper_model_load_seconds",
            "Time from the store to a warm model; the count is that of loads.",
            model,
            registry=self._registry,
        )
        self.resident = gauge("whisper_resident_memory_bytes", "Memory of the workers on the host.")
        self.device = gauge("whisper_device_memory_bytes", "Memory that PyTorch holds on GPUs.")

    def request(self, observed: Observed) -> None:
        """Count a request that is over."""
        model, outcome, usage = observed.model, observed.outcome, observed.usage
        self.requests.labels(observed.endpoint, model, outcome).inc()
        if not model:
            return
        self.duration.labels(model, outcome).observe(observed.seconds)
        self.queue.labels(model).observe(usage.stages["queue"].seconds)
        if usage.first_segment_seconds is not None:
            self.first_segment.labels(model).observe(usage.first_segment_seconds)
        if outcome == "ok":
            self.audio.labels(model).inc(usage.audio_seconds)
            self.rtfx.labels(model).observe(usage.audio_seconds / observed.seconds)

    def loaded(self, model: str, seconds: float) -> None:
        """Count the loading of a model."""
        self.load.labels(model).observe(seconds)

    def engines(self, states: Mapping[str, EngineState], device_bytes: int) -> None:
        """Take over what the engines, by model, have counted since the last time."""
        for model, state in states.items():
            self.slots.labels(model).set(state.slots)
            self.slots_in_use.labels(model).set(state.running)
            self.waiting.labels(model).set(state.waiting)
            self._count(model, self._seen.get(model, EngineCounters()), state.counters)
            self._seen[model] = state.counters
        for model in self._seen.keys() - states.keys():  # unloaded
            del self._seen[model]
            for held in (self.slots, self.slots_in_use, self.waiting):
                held.labels(model).set(0)
        self.resident.set(psutil.Process().memory_info().rss)
        self.device.set(device_bytes)

    def queue_state(self, admission: Admission) -> None:
        """Take over what is in the queue."""
        self.queued_audio.set(admission.held)
        self.queued.labels("waiting").set(admission.waiting)
        self.queued.labels("running").set(admission.running)

    def answer(self, _: Request) -> Response:
        """GET /metrics; it reads files, so it is for a thread."""
        return Response(self.exposition(), media_type=CONTENT_TYPE_LATEST)

    def exposition(self) -> bytes:
        """All of it in Prometheus' text format."""
        if self._folder is None:
            return generate_latest(self._registry)
        # Its own gauges are taken back by no worker that was killed.
        for file in self._folder.glob("gauge_live*.db"):
            if not psutil.pid_exists(int(file.stem.rpartition("_")[2])):
                file.unlink(missing_ok=True)
        together = CollectorRegistry()
        MultiProcessCollector(together, str(self._folder))  # type: ignore[no-untyped-call]
        return generate_latest(together)

    def _count(self, model: str, before: EngineCounters, now: EngineCounters) -> None:
        if now.steps < before.steps:  # the model has been loaded anew
            before = EngineCounters()
        self.windows.labels(model).inc(now.windows - before.windows)
        self.tokens.labels(model).inc(now.tokens - before.tokens)
        self.fallbacks.labels(model).inc(now.fallbacks - before.fallbacks)
        self.cancelled.labels(model).inc(now.cancelled - before.cancelled)
        self.out_of_memory.labels(model).inc(now.out_of_memory - before.out_of_memory)
        rows = self.batch_size.labels(model)
        for size in (now.batch_sizes - before.batch_sizes).elements():
            rows.observe(size)


async def watch(metrics: Metrics, served: ServedModels, device_bytes: Callable[[], int]) -> None:
    """Keep the metrics of engines and queue up to date, until cancelled."""
    while True:
        states = {name: model.state() for name, model in served.pool.loaded.items()}
        metrics.engines(states, device_bytes())
        metrics.queue_state(served.admission)
        await asyncio.sleep(WATCH_SECONDS)
