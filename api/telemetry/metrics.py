"""Prometheus metrics: `whisper_*`, in seconds and bytes, with labels of few values.

Workers are processes, whose counts prometheus_client adds up through the files in a folder. What
engines count themselves is copied every second, as a scrape reaches only one of the workers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import psutil
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.requests import Request
from starlette.responses import Response

from api.requests.model_registry import ModelRegistry
from api.telemetry.engine_meters import EngineMeters
from api.telemetry.job_meters import JobMeters
from api.telemetry.meters import Meters, QueueMeters, RequestMeters, WyomingMeters
from api.telemetry.realtime_meters import RealtimeMeters

WATCH_SECONDS = 1.0


class Metrics:
    """The server's metrics; `folder` is where its workers keep their counts, if any."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._registry = CollectorRegistry()
        make = Meters(self._registry)
        self.requests, self.queue = RequestMeters(make), QueueMeters(make)
        self.engines, self.wyoming = EngineMeters(make), WyomingMeters(make)
        self.realtime, self.jobs = RealtimeMeters(make), JobMeters(make)

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


async def watch(metrics: Metrics, registry: ModelRegistry, device_bytes: Callable[[], int]) -> None:
    """Keep the metrics of engines and queue up to date, until cancelled."""
    while True:
        states = {name: model.state() for name, model in registry.pool.loaded.items()}
        metrics.engines.note(states, device_bytes())
        metrics.queue.note(registry.admission)
        await asyncio.sleep(WATCH_SECONDS)
