"""Metrics of a run for Prometheus, by the server's names where it has them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bulk.result import Result
from bulk.tally import Tally
from client.backend.errors import UsageError


class BulkMetrics:
    """Counters of what has ended, and what is left."""

    def __init__(self, tally: Tally, model: str) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge

        self.registry = CollectorRegistry()
        self._model = model
        self._rows = Counter(
            "whisper_requests_total",
            "Rows that are over, by what came of them.",
            ("dialect", "endpoint", "model", "outcome"),
            registry=self.registry,
        )
        self._audio = Counter(
            "whisper_audio_seconds_total",
            "Audio in rows that were transcribed.",
            ("model",),
            registry=self.registry,
        )
        left = Gauge("whisper_bulk_rows_left", "Rows without a result.", registry=self.registry)
        left.set_function(lambda: tally.left)
        restarts = Gauge(
            "whisper_bulk_engine_restarts", "Engines started again.", registry=self.registry
        )
        restarts.set_function(lambda: tally.restarts)

    def add(self, result: Result) -> None:
        """Count a row that has a result."""
        outcome = result.error.code if result.error else "ok"
        self._rows.labels("", "bulk", self._model, outcome).inc()
        if result.error is None:
            self._audio.labels(self._model).inc(result.duration or 0.0)


@contextmanager
def served(metrics: BulkMetrics, host: str, port: int) -> Iterator[None]:
    """The metrics at `http://host:port/metrics`, within the block.

    Raises:
        UsageError: the port cannot be had.
    """
    from prometheus_client import start_http_server

    try:
        server, thread = start_http_server(port, host, metrics.registry)
    except OSError as error:
        raise UsageError(f"--metrics-port {port}: {error.strerror or error}") from None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
